"""Invoice lines, allowances and charges, each against its own figures."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from formats.amounts import total
from formats.invoice import AllowanceCharge, Invoice, Line
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, details, said
from validation.rules.rounding import CENT, WIDE, line_net, rounded, share

TWO_WAY: Final = frozenset({"B9", "S9", "M9"})


def line_ids_unique(invoice: Invoice, _: date) -> Iterator[Said]:
    """No two lines have the same identifier."""
    counts = Counter(line.id for line in invoice.lines if line.id is not None)
    for identifier, count in counts.items():
        if count > 1:
            position = [line.id for line in invoice.lines].index(identifier)
            yield said(
                f"{count} lignes portent l'identifiant « {identifier} ».",
                f"{count} lines have the identifier {identifier!r}.",
                "BT-126", value=identifier, line=position, count=str(count),
            )


def line_amounts(invoice: Invoice, _: date) -> Iterator[Said]:
    """Quantity times net price, less allowances, plus charges, gives the net amount of the line, to one cent.

    EN 16931 describes the sum in BT-131 and no published rule tests it. A warning: prices may have been rounded.
    """
    for position, line in details(invoice):
        computed = line_net(line)
        if computed is None or not line.quantity or line.net_amount is None or _base_ignored(line):
            continue
        if abs(WIDE.subtract(computed, line.net_amount)) > CENT:
            ignored = _without_allowances(line) == line.net_amount and (line.allowances or line.charges)
            why_fr = " Remises et frais de la ligne non comptés." if ignored else ""
            why_en = " Allowances and charges of the line left out." if ignored else ""
            yield said(
                f"Ligne {line.id} : {line.net_amount} déclaré, {rounded(computed)} calculé.{why_fr}",
                f"Line {line.id}: {line.net_amount} declared, {rounded(computed)} computed.{why_en}",
                "BT-131", "BT-129", "BT-146", value=str(line.net_amount), line=position, declared=line.net_amount,
                computed=rounded(computed), convention="allowances-ignored" if ignored else None,
            )


def zero_quantity(invoice: Invoice, _: date) -> Iterator[Said]:
    """What costs something is more than nothing. A line of nothing for nothing, such as a meter at rest, is legal."""
    for position, line in details(invoice):
        if line.quantity == 0 and line.net_amount:
            yield said(
                f"Ligne {line.id} : quantité nulle pour un montant de {line.net_amount}.",
                f"Line {line.id}: quantity zero for an amount of {line.net_amount}.",
                "BT-129", line=position, declared=line.quantity, amount=line.net_amount,
            )


def negative_price(invoice: Invoice, _: date) -> Iterator[Said]:
    """A unit price is not negative: the quantity is. BR-27 forbids it; EXTENDED profiles let it pass.

    Not in two-way self-billing (frames 9), where BR-FR-DEC-03 lets a price be negative.
    """
    if invoice.business_process in TWO_WAY:
        return
    for position, line in details(invoice):
        net = line.price.net if line.price is not None else None
        if net is not None and net < 0:
            quantity = (line.quantity or Decimal(0)).copy_negate()
            yield said(
                f"Ligne {line.id} : prix unitaire négatif {net} ; c'est la quantité qui devient {quantity}.",
                f"Line {line.id}: negative unit price {net}; it is the quantity that becomes {quantity}.",
                "BT-146", "BT-129", value=str(net), line=position, declared=net, proposed=net.copy_negate(),
            )


def base_quantity(invoice: Invoice, _: date) -> Iterator[Said]:
    """A base quantity is positive and in the unit of the line."""
    for position, line in details(invoice):
        price = line.price
        if price is None or price.base_quantity is None:
            continue
        other_unit = price.base_quantity_unit is not None and line.unit not in {None, price.base_quantity_unit}
        if price.base_quantity <= 0 or other_unit:
            unit = price.base_quantity_unit or ""
            yield said(
                f"Ligne {line.id} : prix pour {price.base_quantity} {unit}, quantité en {line.unit}.",
                f"Line {line.id}: price for {price.base_quantity} {unit}, quantity in {line.unit}.",
                "BT-150" if other_unit else "BT-149", "BT-130", line=position, declared=unit, expected=line.unit,
            )


def base_quantity_ignored(invoice: Invoice, _: date) -> Iterator[Said]:
    """The price is for a base quantity, and the amount of the line was computed as if it were for one."""
    for position, line in details(invoice):
        computed = line_net(line)
        if line.price is not None and computed is not None and _base_ignored(line):
            yield said(
                f"Ligne {line.id} : {line.net_amount} déclaré sans diviser par la quantité de base "
                f"{line.price.base_quantity} ; {rounded(computed)} calculé.",
                f"Line {line.id}: {line.net_amount} declared without dividing by the base quantity "
                f"{line.price.base_quantity}; {rounded(computed)} computed.",
                "BT-149", "BT-131", "BT-146", line=position, declared=line.net_amount, computed=rounded(computed),
                convention="base-quantity-ignored",
            )


def price_discount(invoice: Invoice, _: date) -> Iterator[Said]:
    """Gross price less price discounts is the net price."""
    for position, line in details(invoice):
        price = line.price
        if price is None or price.gross is None or price.net is None or price.discount is None:
            continue
        discount = total((price.discount, *(each.amount for each in price.further_discounts)))
        computed = WIDE.subtract(price.gross, discount)
        if computed != price.net:
            yield said(
                f"Ligne {line.id} : prix brut {price.gross} - rabais {discount} = {computed}, "
                f"mais prix net {price.net}.",
                f"Line {line.id}: gross price {price.gross} - discount {discount} = {computed}, "
                f"but net price {price.net}.",
                "BT-146", "BT-148", "BT-147", value=str(price.net), line=position, declared=price.net,
                computed=computed,
            )


def percentages(invoice: Invoice, _: date) -> Iterator[Said]:
    """An allowance or charge with a base and a percentage is that share of the base, to one cent."""
    for each in invoice.allowances:
        yield from _share(each, "BT-92", "BT-93", "BT-94", None)
    for each in invoice.charges:
        yield from _share(each, "BT-99", "BT-100", "BT-101", None)
    for position, line in enumerate(invoice.lines):
        for each in line.allowances:
            yield from _share(each, "BT-136", "BT-137", "BT-138", position)
        for each in line.charges:
            yield from _share(each, "BT-141", "BT-142", "BT-143", position)


def order_line_without_order(invoice: Invoice, _: date) -> Iterator[Said]:
    """A line that names a line of an order is of an order that the invoice names."""
    for position, line in enumerate(invoice.lines):
        order = line.purchase_order_reference or invoice.purchase_order_reference
        if line.purchase_order_line is not None and order is None:
            yield said(
                f"Ligne {line.id} : ligne {line.purchase_order_line} d'une commande dont le numéro (BT-13) est absent.",
                f"Line {line.id}: line {line.purchase_order_line} of an order whose number (BT-13) is absent.",
                "BT-132", "BT-13", value=line.purchase_order_line, line=position,
            )
            return


def _share(each: AllowanceCharge, amount: str, base: str, percentage: str, line: int | None) -> Iterator[Said]:
    if each.amount is None or each.base_amount is None or each.percentage is None:
        return
    computed = rounded(share(each.base_amount, each.percentage))
    if abs(WIDE.subtract(each.amount, computed)) > CENT:
        yield said(
            f"{amount} : {each.amount} déclaré, mais {each.percentage} % de {each.base_amount} font {computed}.",
            f"{amount}: {each.amount} declared, but {each.percentage} % of {each.base_amount} is {computed}.",
            amount, percentage, base, value=str(each.amount), line=line, declared=each.amount, computed=computed,
        )


def _base_ignored(line: Line) -> bool:
    price = line.price
    if price is None or price.net is None or price.base_quantity in {None, Decimal(0), Decimal(1)}:
        return False
    if line.quantity is None or line.net_amount is None or price.base_quantity is None or price.base_quantity < 0:
        return False
    product = rounded(WIDE.multiply(line.quantity, price.net))
    computed = line_net(line)
    return product == line.net_amount and computed is not None and rounded(computed) != line.net_amount


def _without_allowances(line: Line) -> Decimal | None:
    price = line.price
    if line.quantity is None or price is None or price.net is None:
        return None
    return rounded(WIDE.divide(WIDE.multiply(line.quantity, price.net), price.base_quantity or Decimal(1)))


RULES: Final = (
    OwnRule("PAS-LINE-01", Severity.WARNING, line_ids_unique, "EN 16931-1, BT-126"),
    OwnRule("PAS-LINE-02", Severity.WARNING, line_amounts, "EN 16931-1, BT-131"),
    OwnRule("PAS-LINE-03", Severity.WARNING, zero_quantity, "CGI ann. II art. 242 nonies A, I-8° ; EN 16931-1, BT-129"),
    OwnRule("PAS-LINE-04", Severity.WARNING, negative_price, "EN 16931-1, BT-146 ; BR-27"),
    OwnRule("PAS-LINE-05", Severity.WARNING, base_quantity, "EN 16931-1, BT-149 et BT-150"),
    OwnRule("PAS-LINE-06", Severity.WARNING, base_quantity_ignored, "EN 16931-1, BT-131 et BT-149"),
    OwnRule("PAS-LINE-07", Severity.WARNING, price_discount, "EN 16931-1, BT-146 à BT-148"),
    OwnRule("PAS-LINE-08", Severity.WARNING, percentages, "EN 16931-1, BT-92, BT-99, BT-136, BT-141"),
    OwnRule("PAS-LINE-09", Severity.WARNING, order_line_without_order, "C. com. art. L441-9, I ; EN 16931-1, BT-132"),
)

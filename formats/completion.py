"""Fillers that take arithmetic: what a schema demands, the norm defines by a sum and the model does not state."""

from decimal import Decimal

from lxml import etree

from formats.errors import CannotWrite
from formats.paths import Path, Scope, clark, compile_path, ensure, existing
from formats.rows import Column
from formats.values import decimal_text, parse_decimal

_GROSS_AMOUNT = compile_path("ram:GrossPriceProductTradePrice/ram:ChargeAmount")
_NET_AMOUNT = compile_path("ram:NetPriceProductTradePrice/ram:ChargeAmount")
_CII_DISCOUNT = compile_path("ram:GrossPriceProductTradePrice/ram:AppliedTradeAllowanceCharge/ram:ActualAmount")
_LINE = clark("ram:IncludedSupplyChainTradeLineItem")
_LINE_SETTLEMENT = clark("ram:SpecifiedLineTradeSettlement")
_TAX_AMOUNT = clark("cbc:TaxAmount")
_ANY_BYTES = "application/octet-stream"
_SUBTOTAL_AMOUNT = compile_path("cac:TaxSubtotal/cbc:TaxAmount")
_WITH_VAT = compile_path("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount")
_WITHOUT_VAT = compile_path("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount")


def complete(root: etree._Element, column: Column, scope: Scope) -> set[etree._Element]:
    """Write what the schema demands and the norm defines by a sum, where the model does not state it.

    UBL: the total VAT (BT-110) around a breakdown, as the sum of BT-117, or the one BT-117 that is not stated, as what
    is left of BT-110 (BR-CO-14). CII: the gross price (BT-148) around a discount, as BT-146 plus BT-147. And the media
    type of an attachment that has none. Listed as fillers. Given back are elements that the schema demands even empty.

    Raises:
        CannotWrite: the sum of BT-117 is not BT-112 less BT-109 (BR-CO-15): whichever was written, the invoice would
            contradict itself.
    """
    if column is Column.CII:
        _complete_prices(root, scope)
        bare = [line for line in root.iter(_LINE) if line.find(_LINE_SETTLEMENT) is None]
        return {etree.SubElement(line, _LINE_SETTLEMENT) for line in bare}
    for content in root.iter(clark("cbc:EmbeddedDocumentBinaryObject")):
        if content.get("mimeCode") is None:
            content.set("mimeCode", _ANY_BYTES)
            scope.fillers[content] = _ANY_BYTES
    for total in root.iterchildren(clark("cac:TaxTotal")):
        amount = total.find(_TAX_AMOUNT)
        subtotals = total.findall(clark("cac:TaxSubtotal"))
        if amount is None or not subtotals:
            continue
        unstated = [one for one in subtotals if one.find(_TAX_AMOUNT) is None]
        if not amount.text:
            _fill(amount, (_vat_total(root, total, scope),), scope)
        elif len(unstated) == 1:
            others = _sum(total, _SUBTOTAL_AMOUNT, scope) or Decimal(0)
            added = etree.SubElement(unstated[0], _TAX_AMOUNT, dict(amount.attrib))
            _fill(added, (parse_decimal(amount.text), -others), scope)
    return set()


def _complete_prices(root: etree._Element, scope: Scope) -> None:
    for agreement in root.iter(clark("ram:SpecifiedLineTradeAgreement")):
        discount = _sum(agreement, _CII_DISCOUNT, scope)
        if discount is not None and not existing(agreement, _GROSS_AMOUNT, scope):
            _fill(ensure(agreement, _GROSS_AMOUNT, scope), (_sum(agreement, _NET_AMOUNT, scope), discount), scope)


def _vat_total(root: etree._Element, total: etree._Element, scope: Scope) -> Decimal | None:
    added = _sum(total, _SUBTOTAL_AMOUNT, scope)
    with_vat, without = _sum(root, _WITH_VAT, scope), _sum(root, _WITHOUT_VAT, scope)
    if added is not None and with_vat is not None and without is not None and added != with_vat - without:
        raise CannotWrite(
            f"UBL demands the total VAT (BT-110), which is not stated: the breakdown adds up to {added}, BT-112 less "
            f"BT-109 is {with_vat - without}"
        )
    return added


def _sum(element: etree._Element, path: Path, scope: Scope) -> Decimal | None:
    values = [parse_decimal(found.text or "") for found in existing(element, path, scope)]
    return sum((value for value in values if value is not None), Decimal(0)) if values else None


def _fill(element: etree._Element, parts: tuple[Decimal | None, ...], scope: Scope) -> None:
    element.text = decimal_text(sum((part for part in parts if part is not None), Decimal(0)))
    scope.fillers[element] = element.text

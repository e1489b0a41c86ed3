"""The rows of the table: what was delivered, how much of it, at what price."""

from collections.abc import Iterable

from formats.invoice import AllowanceCharge, Line, Price
from formats.rendering import figures
from formats.rendering.phrases import Json, coded, country, joined, named_texts, span, with_scheme, word
from formats.rendering.words import UNITS


def line(one: Line, lang: str) -> Json:
    """One row of the table."""
    item = one.item
    unit = coded(UNITS, one.unit, lang)
    quantity = "" if one.quantity is None else figures.number(one.quantity, lang)
    return {
        "id": one.id or "",
        "name": (item.name if item else None) or "",
        "details": [text for text in line_details(one, lang) if text],
        "quantity": joined(quantity, unit, by=figures.NO_BREAK),
        "price": price(one.price, lang),
        "vat": vat_cell(one, lang),
        "amount": figures.amount(one.net_amount, lang),
    }


def line_details(one: Line, lang: str) -> Iterable[str]:
    """Everything under the name of an item, one text for each row of small print."""
    item, net = one.item, one.price
    if item is not None:
        yield item.description or ""
        colon = f"{figures.NO_BREAK}: " if lang == "fr" else ": "
        yield joined(*(joined(one.name, one.value, by=colon) for one in item.attributes))
        yield named_texts(lang, (
            ("seller_item", item.seller_identifier), ("buyer_item", item.buyer_identifier),
            ("standard_item", with_scheme(item.standard_identifier, lang)),
            ("origin", country(item.origin_country, lang))))
        yield named_texts(lang, (
            ("classification", joined(one.value, one.scheme, one.scheme_version, by=" "))
            for one in item.classifications))
    yield named_texts(lang, (
        ("period", span(one.period, lang)), ("order_line", one.purchase_order_line),
        ("buyer_accounting_reference", one.buyer_accounting_reference),
        ("object", with_scheme(one.object_identifier, lang))))
    yield one.note or ""
    if net is not None and (net.gross is not None or net.discount is not None):
        yield named_texts(lang, (("gross_price", figures.amount(net.gross, lang)),
                                 ("price_discount", figures.amount(net.discount, lang))))
    yield from (adjustment("allowance", each, lang) for each in one.allowances)
    yield from (adjustment("charge", each, lang) for each in one.charges)


def price(net: Price | None, lang: str) -> str:
    """The net price, and for how many if not for one."""
    if net is None or net.net is None:
        return ""
    text = figures.amount(net.net, lang)
    unit = coded(UNITS, net.base_quantity_unit, lang)
    if net.base_quantity is None or (net.base_quantity == 1 and not unit):
        return text
    base = joined(figures.number(net.base_quantity, lang), unit, by=figures.NO_BREAK)
    return f"{text} {word('per', lang)}{figures.NO_BREAK}{base}"


def vat_cell(one: Line, lang: str) -> str:
    """The rate of a line, with the category unless it is the usual one."""
    rate = figures.percent(one.vat_rate, lang)
    return rate if one.vat_category == "S" and rate else joined(one.vat_category, rate, by=" ")


def adjustment(kind: str, value: AllowanceCharge, lang: str) -> str:
    """An allowance or charge of a line, on one line of small print."""
    share = joined(figures.percent(value.percentage, lang), figures.amount(value.base_amount, lang),
                   by=f" {word('of_base', lang)} ")
    sign = figures.MINUS if kind == "allowance" else "+"
    amount = "" if value.amount is None else sign + figures.amount(value.amount, lang)
    return joined(f"{word(kind, lang)} {amount}".strip(), value.reason, value.reason_code and
                  f"{word('code', lang)} {value.reason_code}", share)

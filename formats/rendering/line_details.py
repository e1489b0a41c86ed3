"""The small print of a line: everything that stands under the name of its item."""

from collections.abc import Iterable
from decimal import Decimal

from formats.codes import FRENCH_TYPES
from formats.extensions import LinePrecedingInvoice
from formats.invoice import AllowanceCharge, Delivery, Item, ItemAttribute, Line, Party, Price
from formats.rendering import figures
from formats.rendering.others import undesigned_of
from formats.rendering.parties import address, delivery_terms, identification, place
from formats.rendering.phrases import (
    coded,
    country,
    joined,
    named,
    named_texts,
    note_title,
    span,
    with_scheme,
    word,
)
from formats.rendering.words import SUBTYPES, UNITS


def line_details(one: Line, lang: str) -> Iterable[str]:
    """Everything under the name of an item, one text for each row of small print; texts may be empty."""
    yield joined(coded(SUBTYPES, one.subtype, lang), one.parent and f"{word('part_of', lang)} {one.parent}")
    yield from item_details(one.item or Item(), lang)
    yield from references(one, lang)
    yield from (named(note_title(note, lang) if note.subject_code else "", note.text, lang) for note in one.notes)
    yield from price_details(one.price or Price(), lang)
    yield from (adjustment("allowance", each, lang) for each in one.allowances)
    yield from (adjustment("charge", each, lang) for each in one.charges)
    yield joined(one.exemption_reason, one.exemption_reason_code)
    yield named_texts(lang, (
        ("line_vat", figures.amount(one.vat_amount, lang)),
        ("line_vat_accounting", figures.amount(one.vat_in_accounting_currency, lang)),
        ("line_with_vat", figures.amount(one.amount_with_vat, lang))))
    yield named(word("seller", lang), party_text(one.seller, lang), lang) if one.seller else ""
    yield named(word("delivery", lang), delivery_text(one.delivery, lang), lang) if one.delivery else ""
    yield named(word("delivery_terms", lang), delivery_terms(one.delivery_terms), lang) if one.delivery_terms else ""
    yield from (named(name, text, lang) for name, text in undesigned_of(one))


def item_details(item: Item, lang: str) -> Iterable[str]:
    """Description, attributes and numbers of an item."""
    yield item.description or ""
    yield joined(*(attribute(one, lang) for one in item.attributes))
    yield named_texts(lang, (
        ("seller_item", item.seller_identifier), ("buyer_item", item.buyer_identifier),
        ("standard_item", with_scheme(item.standard_identifier, lang)),
        ("origin", country(item.origin_country, lang))))
    yield named_texts(lang, (
        ("classification", joined(one.value, one.scheme, one.scheme_version, one.name, by=" "))
        for one in item.classifications))


def attribute(one: ItemAttribute, lang: str) -> str:
    """A property of an item: its name or code, and its value or measure."""
    measure = "" if one.measure is None else figures.number(one.measure, lang)
    measured = joined(measure, coded(UNITS, one.measure_unit, lang), by=figures.NO_BREAK)
    return named(joined(one.name, one.code and f"({one.code})", by=" "), joined(one.value, measured), lang)


def references(one: Line, lang: str) -> Iterable[str]:
    """Period, orders, deliveries, earlier invoices and accounts of a line."""
    yield named_texts(lang, (
        ("period", span(one.period, lang)),
        ("purchase_order_reference", one.purchase_order_reference),
        ("of_date", figures.short_date(one.purchase_order_date, lang)),
        ("order_line", one.purchase_order_line),
        ("sales_order_reference", one.sales_order_reference), ("sales_order_line", one.sales_order_line),
        ("despatch_advice_reference", one.despatch_advice_reference),
        ("despatch_advice_line", one.despatch_advice_line),
        ("buyer_accounting_reference", one.buyer_accounting_reference),
        *(("object", with_scheme(each, lang)) for each in one.object_identifiers)))
    yield named_texts(lang, (("preceding_invoice", preceding(each, lang)) for each in one.preceding_invoices))


def preceding(one: LinePrecedingInvoice, lang: str) -> str:
    """An earlier invoice to which a line refers."""
    day = figures.short_date(one.issue_date, lang)
    return joined(
        one.number, one.type_code and f"({coded(FRENCH_TYPES, one.type_code, lang)})",
        day and f"{word('preceding_of', lang)} {day}", one.line and f"{word('line_word', lang)} {one.line}", by=" ")


def price_details(net: Price, lang: str) -> Iterable[str]:
    """How the net price came about."""
    yield named_texts(lang, (
        ("gross_price", figures.amount(net.gross, lang)), ("price_discount", figures.amount(net.discount, lang)),
        ("discount_reason", joined(net.discount_reason, coded_reason(net.discount_reason_code, lang)))))
    yield named_texts(lang, (
        ("price_discount", joined(
            figures.amount(one.amount, lang), one.reason, coded_reason(one.reason_code, lang)))
        for one in net.further_discounts))


def coded_reason(code: str | None, lang: str) -> str:
    """A code of a reason, as such."""
    return f"{word('code', lang)} {code}" if code else ""


def adjustment(kind: str, value: AllowanceCharge, lang: str) -> str:
    """An allowance or charge of a line, on one line of small print."""
    share = joined(figures.percent(value.percentage, lang), figures.amount(value.base_amount, lang),
                   by=f" {word('of_base', lang)} ")
    amount = signed(kind, value.amount, lang)
    vat = joined(value.vat_category, figures.percent(value.vat_rate, lang), by=" ")
    return joined(f"{word(kind, lang)} {amount}".strip(), reason_of(value, lang), share,
                  vat and f"{word('vat', lang)} {vat}")


def signed(kind: str, value: Decimal | None, lang: str) -> str:
    """What an allowance takes away or a charge adds: one that is negative does the other."""
    if value is None:
        return ""
    effect = value.copy_negate() if kind == "allowance" else value
    return f"+{figures.amount(effect, lang)}" if effect > 0 else figures.amount(effect, lang)


def reason_of(value: AllowanceCharge, lang: str) -> str:
    """Why an allowance or charge, with its codes."""
    tax = f"{word('tax_code', lang)} {value.tax_code}" if value.tax_code else ""
    return joined(value.reason, coded_reason(value.reason_code, lang), tax, value.exemption_reason,
                  value.exemption_reason_code)


def party_text(one: Party, lang: str) -> str:
    """A party on one line."""
    told = joined(*(f"{name} {text}" for name, text in identification(one, lang)))
    return joined(one.name, ", ".join(address(one.address, lang)), told, one.additional_legal_information)


def delivery_text(where: Delivery, lang: str) -> str:
    """Where the goods of a line went, on one line."""
    told = joined(*(f"{name} {text}" for name, text in place(where, lang)))
    return joined(where.party_name, ", ".join(address(where.address, lang)), told,
                  figures.short_date(where.actual_date, lang))

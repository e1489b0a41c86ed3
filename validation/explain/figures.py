"""The figures behind a finding: what the document declares, what it adds up to, which code is wrong and what is near.

They come from the invoice itself, so that the reader sees 120.00 against 119.99 instead of a formula. Nothing here
decides anything: the rules have spoken before.
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Final

from formats import amounts
from formats.invoice import Invoice, VatBreakdown
from schematron import supply
from schematron.sheet import asserts_of
from validation.document import Document
from validation.findings import Finding, Text
from validation.rules.totals import counted

SUM_RULE: Final = re.compile(r"^BR-(?:F[RX]EXT-)?CO-(1[0-6])$")
BREAKDOWN_RULE: Final = re.compile(r"^BR-(?:F[RX]EXT-)?(?:S|Z|E|AE|IC|G|O|AF|AG)-?(08|09)|^BR-CO-(17)$")
CODE_RULE: Final = re.compile(r"^BR-(?:FREXT-|EXT-)?CL-\d+$")
POSITION: Final = re.compile(r"(?:cac:TaxSubtotal|ram:ApplicableTradeTax)\[(\d+)\]|/vat_breakdown/(\d+)")
CODED_ATTRIBUTES: Final[Mapping[str, str]] = {
    "CL-03": "currencyID", "CL-07": "schemeID", "CL-10": "schemeID", "CL-11": "schemeID", "CL-13": "listID",
    "CL-21": "schemeID", "CL-23": "unitCode", "CL-24": "mimeCode", "CL-25": "schemeID", "CL-26": "schemeID",
}
"""The end of the id of a code list rule that is about an attribute, to that attribute."""

CODES: Final = re.compile(r"contains\(\s*'((?:\s*\S+\s)+)'")
LONGEST: Final = 80
NEAREST: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """Two sides of a sum: what is declared for a term, and what the other terms give."""

    term: str
    declared: Decimal | None
    computed: Decimal
    formula: str


SUMS: Final[Mapping[str, Callable[[Invoice], Figures]]] = {
    "10": lambda i: Figures("BT-106", i.totals.lines_net, amounts.sum_of_lines(counted(i).lines), "Σ BT-131"),
    "11": lambda i: Figures("BT-107", i.totals.allowances, amounts.sum_of_amounts(i.allowances), "Σ BT-92"),
    "12": lambda i: Figures("BT-108", i.totals.charges, amounts.sum_of_amounts(i.charges), "Σ BT-99"),
    "13": lambda i: Figures("BT-109", i.totals.without_vat, amounts.without_vat(i.totals), _terms(
        ("BT-106", i.totals.lines_net), ("− BT-107", i.totals.allowances), ("+ BT-108", i.totals.charges))),
    "14": lambda i: Figures("BT-110", i.totals.vat, amounts.sum_of_vat(i.vat_breakdown), "Σ BT-117"),
    "15": lambda i: Figures("BT-112", i.totals.with_vat, amounts.with_vat(i.totals), _terms(
        ("BT-109", i.totals.without_vat), ("+ BT-110", i.totals.vat))),
    "16": lambda i: Figures("BT-115", i.totals.due, amounts.due(i.totals), _terms(
        ("BT-112", i.totals.with_vat), ("− BT-113", i.totals.paid), ("+ BT-114", i.totals.rounding))),
}
"""The end of the id of a rule about a total to its two sides, in the words of formats.amounts."""


def told(finding: Finding, document: Document) -> Finding:
    """The finding with what the document says in its values and in its sentence; as it was where there is nothing."""
    names = (finding.rule, *finding.aliases)
    figures = _figures(names, finding, document.invoice)
    if figures is not None:
        return _with_figures(finding, figures)
    element = _element(finding, document)
    text = element.strip() if element else ""
    if any(CODE_RULE.match(name) for name in names) and text:
        return _with_code(finding, text, names)
    if text and "value" not in finding.values and len(text) <= LONGEST:
        return replace(finding, values={**finding.values, "value": text})
    return finding


def _figures(names: Collection[str], finding: Finding, invoice: Invoice | None) -> Figures | None:
    if invoice is None:
        return None
    for name in names:
        if found := SUM_RULE.match(name):
            return SUMS[found.group(1)](invoice)
        if found := BREAKDOWN_RULE.match(name):
            place = POSITION.search(finding.location or "")
            entry = _entry(invoice, place) if place else None
            return _of_breakdown(found.group(1) or found.group(2), invoice, entry) if entry else None
    return None


def _entry(invoice: Invoice, place: re.Match[str]) -> VatBreakdown | None:
    number = int(place.group(1)) - 1 if place.group(1) else int(place.group(2))
    return invoice.vat_breakdown[number] if number < len(invoice.vat_breakdown) else None


def _of_breakdown(kind: str, invoice: Invoice, entry: VatBreakdown) -> Figures | None:
    if kind == "08":
        sums = amounts.taxable_amounts(counted(invoice))
        by_rate = entry.category in {"S", "L", "M"}
        rows = [row for row in invoice.vat_breakdown
                if row.category == entry.category and (not by_rate or row.rate == entry.rate)]
        if len(rows) > 1:
            return None  # EXTENDED profiles have a row for each exemption reason: which lines are its own is not told
        parts = [amount for (category, rate), amount in sums.items()
                 if category == entry.category and (not by_rate or rate == entry.rate)]
        return Figures("BT-116", entry.taxable_amount, amounts.total(parts), "Σ BT-131 − Σ BT-92 + Σ BT-99")
    if entry.taxable_amount is None:
        return None
    rate = entry.rate or Decimal(0)
    formula = f"BT-116 {plain(entry.taxable_amount)} × BT-119 {plain(rate)} %"
    return Figures("BT-117", entry.tax_amount, amounts.vat_of(entry.taxable_amount, rate), formula)


def _with_figures(finding: Finding, figures: Figures) -> Finding:
    if figures.declared is None or figures.declared == figures.computed:
        return finding
    declared, computed = plain(figures.declared), plain(figures.computed)
    difference = plain(figures.declared - figures.computed)
    values = {**finding.values, "declared": declared, "computed": computed, "difference": difference}
    said = Text(
        f"{figures.term} déclaré {declared} ; calculé {computed} ({figures.formula}) ; écart {difference}.",
        f"{figures.term} declared {declared}; computed {computed} ({figures.formula}); difference {difference}.",
    )
    return _saying(replace(finding, values=values), said)


def _with_code(finding: Finding, text: str, names: Collection[str]) -> Finding:
    known = next((codes(name) for name in names if codes(name)), ())
    near = difflib.get_close_matches(text.upper(), known, NEAREST, 0.5)
    values = {**finding.values, "value": text[:LONGEST]} | ({"near": ", ".join(near)} if near else {})
    hint = Text(f" ; codes proches : {values['near']}", f"; near codes: {values['near']}") if near else Text("", "")
    said = Text(f"Valeur lue : « {text[:LONGEST]} »{hint.fr}.", f'Value read: "{text[:LONGEST]}"{hint.en}.')
    return _saying(replace(finding, values=values), said)


def _saying(finding: Finding, said: Text) -> Finding:
    """With the figures in the cause, and in the message where our title stands in for a foreign text."""
    cause = Text(f"{finding.cause.fr} {said.fr}", f"{finding.cause.en} {said.en}") if finding.cause else said
    message = finding.message
    if finding.title and message.fr == finding.title.fr:
        first = said.fr[:1].lower() if said.fr[1:2].islower() else said.fr[:1]
        message = replace(message, fr=f"{message.fr} : {first}{said.fr[1:]}")
    return replace(finding, cause=cause, message=message)


def _element(finding: Finding, document: Document) -> str | None:
    """The text at the place of a finding, where an element or attribute without children stands there."""
    if document.root is None or not (finding.location or "").startswith("/") or not finding.line:
        return None
    place = document.element_at(finding.location or "")
    if place is None or len(place):
        return None
    ends = (name[-len("CL-00"):] for name in (finding.rule, *finding.aliases))
    attribute = next((CODED_ATTRIBUTES[end] for end in ends if end in CODED_ATTRIBUTES), None)
    return (place.get(attribute) if attribute else None) or place.text


@cache
def codes(rule: str) -> tuple[str, ...]:
    """The codes of a published code list rule, read off its test."""
    for rule_set in supply.rule_sets():
        if rule_set.id not in {"en16931-ubl", "extended-ctc-fr-cii"}:
            continue
        for each in asserts_of(rule_set):
            if each.id == rule:
                found = CODES.search(each.test)
                return tuple(found.group(1).split()) if found else ()
    return ()


def plain(value: Decimal) -> str:
    """A figure as an invoice writes it, never with an exponent."""
    return format(value, "f")


def _terms(*parts: tuple[str, Decimal | None]) -> str:
    return " ".join(f"{name} {plain(value)}" for name, value in parts if value is not None)

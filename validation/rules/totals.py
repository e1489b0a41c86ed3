"""Totals and VAT recomputed in Decimal, each against what the invoice declares, with the rounding that explains it.

The published rules say that a sum is wrong; these say by how much, and which custom of rounding was followed. A total
is taken as right when it follows either from the figures declared above it or from those that they should have been:
one wrong figure is one finding. EXTENDED profiles allow a cent per line, allowance and charge (BR-FREXT-CO-10 to 15).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from formats.amounts import ZERO, expected_totals, sum_of_amounts, taxable_amounts, total, vat_of
from formats.amounts import due as due_of
from formats.amounts import with_vat as with_vat_of
from formats.amounts import without_vat as without_vat_of
from formats.invoice import AllowanceCharge, Invoice, VatBreakdown
from formats.profiles import Profile, profile_of
from validation.findings import Severity, Text
from validation.rules import rounding
from validation.rules.own import OwnRule, Said, details, said
from validation.rules.rounding import CENT, Convention

EXTENDED: Final = frozenset({Profile.EXTENDED, Profile.EXTENDED_CTC_FR})


def counted(invoice: Invoice) -> Invoice:
    """The invoice with the lines that count alone: sub-lines that group or inform are in no total."""
    lines = tuple(line for _, line in details(invoice))
    return invoice if len(lines) == len(invoice.lines) else replace(invoice, lines=lines)


def lines_total(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-106 is the sum of BT-131 (BR-CO-10)."""
    invoice = counted(invoice)
    declared, computed = invoice.totals.lines_net, expected_totals(invoice).lines_net or ZERO
    if declared is None or not invoice.lines or _meets(invoice, declared, computed):
        return
    unrounded = rounding.unrounded_lines(invoice.lines)
    convention = rounding.UNROUNDED_LINES if unrounded == declared else None
    yield _differs("BT-106", Text("la somme des lignes", "the line sum"), declared, computed, convention, "BT-131")


def allowances_total(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-107 is the sum of BT-92 (BR-CO-11)."""
    yield from _sum_of(invoice, "BT-107", "BT-92", invoice.totals.allowances, invoice.allowances)


def charges_total(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-108 is the sum of BT-99 (BR-CO-12)."""
    yield from _sum_of(invoice, "BT-108", "BT-99", invoice.totals.charges, invoice.charges)


def total_without_vat(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-109 is BT-106 - BT-107 + BT-108 (BR-CO-13)."""
    invoice = counted(invoice)
    declared = invoice.totals.without_vat
    if declared is None or invoice.totals.lines_net is None:
        return
    computed = without_vat_of(invoice.totals)
    recomputed = expected_totals(invoice).without_vat if invoice.lines else computed
    if not _meets(invoice, declared, computed, recomputed):
        yield _differs(
            "BT-109", Text("lignes - remises + frais", "lines - allowances + charges"), declared, computed, None,
            "BT-106", "BT-107", "BT-108",
        )


def vat_total(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-110 is the sum of BT-117 (BR-CO-14)."""
    declared, rows = invoice.totals.vat, invoice.vat_breakdown
    if declared is None or not rows:
        return
    computed = total(row.tax_amount for row in rows)
    recomputed = total(_vat_of(row) for row in rows)
    if _meets(invoice, declared, computed, recomputed):
        return
    once = rounding.rounded(
        total(rounding.share(row.taxable_amount, row.rate) for row in rows if row.taxable_amount and row.rate)
    )
    convention = rounding.VAT_ONCE if once == declared else None
    words = Text("la somme de la TVA par taux", "the sum of the VAT per rate")
    yield _differs("BT-110", words, declared, computed, convention, "BT-117")


def total_with_vat(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-112 is BT-109 + BT-110 (BR-CO-15)."""
    invoice = counted(invoice)
    totals, expected = invoice.totals, expected_totals(invoice)
    if totals.with_vat is None or totals.without_vat is None:
        return
    nets = {totals.without_vat, without_vat_of(totals) if totals.lines_net is not None else totals.without_vat}
    nets |= {expected.without_vat or ZERO} if invoice.lines else set()
    taxes = {totals.vat or ZERO} | ({expected.vat or ZERO} if invoice.vat_breakdown else set())
    if not _meets(invoice, totals.with_vat, *(total((net, tax)) for net in nets for tax in taxes)):
        yield _differs(
            "BT-112", Text("total HT + TVA", "total without VAT + VAT"), totals.with_vat, with_vat_of(totals), None,
            "BT-109", "BT-110",
        )


def amount_due(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-115 is BT-112 - BT-113 + BT-114 (BR-CO-16), and what is paid for others (BR-DEX-09 of XRechnung)."""
    totals = invoice.totals
    if totals.due is None or totals.with_vat is None:
        return
    others = [each.amount for each in invoice.third_party_payments]
    computed = total((due_of(totals), *others))
    corrected = total((with_vat_of(totals), (totals.paid or ZERO).copy_negate(), totals.rounding, *others))
    if _meets(invoice, totals.due, computed, corrected if totals.without_vat is not None else None):
        return
    unsettled = rounding.rounded(computed)
    candidates = [(name, rounding.rounded(unsettled, step=step)) for step, name in rounding.CASH.items()]
    if totals.paid:
        ignored = Convention("paid-ignored", "acompte BT-113 non déduit", "paid amount BT-113 not deducted")
        candidates.insert(0, (ignored, total((totals.with_vat, totals.rounding, *others))))
    yield _differs(
        "BT-115", Text("TTC - déjà payé + arrondi", "total with VAT - paid + rounding"), totals.due, computed,
        rounding.find_convention(totals.due, candidates), "BT-112", "BT-113", "BT-114",
    )


def taxable_amount(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-116 is the sum of the lines, allowances and charges under that category and rate, to the cent.

    The published rules allow a difference of one unit (BR-S-08). Not asked where a category has several rows.
    """
    invoice = counted(invoice)
    sums: dict[tuple[str | None, Decimal], Decimal] = {}
    for (category, rate), amount in taxable_amounts(invoice).items():
        sums[category, rate or ZERO] = total((sums.get((category, rate or ZERO)), amount))
    rows = Counter((row.category, row.rate or ZERO) for row in invoice.vat_breakdown)
    for row in invoice.vat_breakdown if invoice.lines else ():
        key = row.category, row.rate or ZERO
        computed = sums.get(key)
        if row.taxable_amount is None or computed is None or rows[key] > 1:
            continue
        if not _meets(invoice, row.taxable_amount, computed):
            words = Text(f"les lignes en catégorie {row.category} à {row.rate or 0} %",
                         f"the lines in category {row.category} at {row.rate or 0} %")
            yield _differs("BT-116", words, row.taxable_amount, computed, None, "BT-131", "BT-92", "BT-99")


def vat_by_another_convention(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-117 is not BT-116 x BT-119 rounded once, but another convention gives it: BR-CO-17 lets it pass."""
    for row, computed in _wrong_vat(invoice):
        convention = _convention(invoice, row)
        if convention is not None:
            yield _vat_differs(row, computed, convention)


def vat_by_no_convention(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-117 follows from BT-116 and BT-119 by no convention of rounding."""
    for row, computed in _wrong_vat(invoice):
        if _convention(invoice, row) is None:
            yield _vat_differs(row, computed, None)


def _wrong_vat(invoice: Invoice) -> Iterator[tuple[VatBreakdown, Decimal]]:
    for row in invoice.vat_breakdown:
        computed = _vat_of(row)
        if computed is not None and row.tax_amount is not None and row.tax_amount != computed:
            yield row, computed


def _convention(invoice: Invoice, row: VatBreakdown) -> Convention | None:
    return rounding.find_convention(row.tax_amount or ZERO, rounding.vat_conventions(counted(invoice), row))


def _vat_of(row: VatBreakdown) -> Decimal | None:
    if row.taxable_amount is None or row.rate is None:
        return row.tax_amount
    return vat_of(row.taxable_amount, row.rate)


def _vat_differs(row: VatBreakdown, computed: Decimal, convention: Convention | None) -> Said:
    declared = row.tax_amount or ZERO
    words = Text(f"{row.rate} % de {row.taxable_amount}", f"{row.rate} % of {row.taxable_amount}")
    return _differs("BT-117", words, declared, computed, convention, "BT-116", "BT-119")


def _sum_of(
    invoice: Invoice, term: str, part: str, declared: Decimal | None, items: tuple[AllowanceCharge, ...]
) -> Iterator[Said]:
    computed = sum_of_amounts(items)
    if items and declared is not None and not _meets(invoice, declared, computed):
        yield _differs(term, Text(f"la somme des {part}", f"the sum of {part}"), declared, computed, None, part)


def _meets(invoice: Invoice, declared: Decimal, *computed: Decimal | None) -> bool:
    """Whether one of the sums is the declared figure, as exactly as the profile demands."""
    parts = len(invoice.lines) + len(invoice.allowances) + len(invoice.charges)
    allowed = CENT * parts if profile_of(invoice.specification_identifier) in EXTENDED else ZERO
    return any(each is not None and abs(total((declared, each.copy_negate()))) <= allowed for each in computed)


def _differs(
    term: str, words: Text, declared: Decimal, computed: Decimal, convention: Convention | None, *others: str
) -> Said:
    difference = total((declared, computed.copy_negate()))
    why_fr = f" Convention suivie : {convention.fr}." if convention else ""
    why_en = f" Convention followed: {convention.en}." if convention else ""
    return said(
        f"{term} : {declared} déclaré, mais {words.fr} donne {computed} (écart {difference:+f}).{why_fr}",
        f"{term}: {declared} declared, but {words.en} gives {computed} (difference {difference:+f}).{why_en}",
        term, *others, value=str(declared), declared=declared, computed=computed, difference=difference,
        convention=convention.name if convention else None, proposed=computed,
    )


RULES: Final = (
    OwnRule("PAS-TOTAL-01", Severity.WARNING, lines_total, "EN 16931-1, BT-106 ; BR-CO-10"),
    OwnRule("PAS-TOTAL-02", Severity.WARNING, allowances_total, "EN 16931-1, BT-107 ; BR-CO-11"),
    OwnRule("PAS-TOTAL-03", Severity.WARNING, charges_total, "EN 16931-1, BT-108 ; BR-CO-12"),
    OwnRule("PAS-TOTAL-04", Severity.WARNING, total_without_vat, "EN 16931-1, BT-109 ; BR-CO-13"),
    OwnRule("PAS-TOTAL-05", Severity.WARNING, vat_total, "EN 16931-1, BT-110 ; BR-CO-14"),
    OwnRule("PAS-TOTAL-06", Severity.WARNING, total_with_vat, "EN 16931-1, BT-112 ; BR-CO-15"),
    OwnRule("PAS-TOTAL-07", Severity.WARNING, amount_due, "EN 16931-1, BT-115 ; BR-CO-16"),
    OwnRule("PAS-VAT-01", Severity.WARNING, taxable_amount, "EN 16931-1, BT-116 ; BR-S-08 et suivantes"),
    OwnRule("PAS-VAT-02", Severity.INFO, vat_by_another_convention, "EN 16931-1, BT-117 ; BR-CO-17"),
    OwnRule("PAS-VAT-03", Severity.WARNING, vat_by_no_convention, "EN 16931-1, BT-117 ; BR-CO-17"),
)

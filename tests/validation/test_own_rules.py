"""Each rule of our own: what makes it speak, and what does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import AS_OF, INVOICE, SELLER
from stdnum import luhn

from formats.invoice import CreditTransfer, Identifier, Invoice, Note, PaymentInstructions
from validation.findings import Severity
from validation.rules import business, mentions
from validation.rules.own import OwnRule

RULES: dict[str, OwnRule] = {rule.id: rule for rule in (*business.RULES, *mentions.RULES)}


def speaks(rule: str, invoice: Invoice, as_of: date = AS_OF) -> int:
    return len(list(RULES[rule].check(invoice, as_of)))


def seller(**changes: Any) -> Invoice:
    return replace(INVOICE, seller=replace(INVOICE.seller, **changes))


def buyer(**changes: Any) -> Invoice:
    return replace(INVOICE, buyer=replace(INVOICE.buyer, **changes))


def siren(value: str) -> Invoice:
    return seller(legal_registration=Identifier(value=value, scheme="0002"), vat_identifier=None)


def note(code: str, text: str | None) -> Invoice:
    return replace(
        INVOICE, notes=(*(n for n in INVOICE.notes if n.subject_code != code), Note(subject_code=code, text=text))
    )


def account(value: str) -> Invoice:
    return replace(INVOICE, payment=PaymentInstructions(credit_transfers=(CreditTransfer(account=value),)))


def line(**changes: Any) -> Invoice:
    return replace(INVOICE, lines=(replace(INVOICE.lines[0], **changes),))


def test_a_right_invoice_makes_no_rule_speak_but_the_reminder() -> None:
    assert [rule for rule in RULES if speaks(rule, INVOICE)] == ["PAS-FR-09"]


SPEAKING: list[tuple[str, Invoice]] = [
    ("PAS-ID-01", siren("900000018")),
    ("PAS-ID-01", siren("12345")),
    ("PAS-ID-02", seller(identifiers=(Identifier(value=f"{SELLER}00011", scheme="0009"),))),
    ("PAS-ID-03", seller(vat_identifier=f"FR00{SELLER}")),
    ("PAS-ID-04", seller(vat_identifier=INVOICE.buyer.vat_identifier)),
    ("PAS-ID-05", account("FR7612345678901234567890123")),
    ("PAS-ID-06", buyer(electronic_address=Identifier(value="somewhere", scheme="0225"))),
    ("PAS-ID-06", buyer(electronic_address=Identifier(value="900000028", scheme="0225"))),
    ("PAS-ID-07", buyer(legal_registration=Identifier(value=SELLER, scheme="0002"))),
    ("PAS-DATE-02", replace(INVOICE, issue_date=date(2026, 11, 22))),
    ("PAS-LINE-01", replace(INVOICE, lines=INVOICE.lines * 2)),
    ("PAS-LINE-02", line(net_amount=Decimal("100.02"))),
    ("PAS-NUM-01", replace(INVOICE, number="ESSAI-2026-000000000001")),
    *(("PAS-FR-01", note(code, text)) for code in ("PMT", "PMD", "AAB") for text in (None, "", ".", "n/a", "XXX", "-")),
    ("PAS-FR-01", note("PMD", "néant")),
    ("PAS-FR-02", note("PMT", "Une indemnité forfaitaire est due.")),
    ("PAS-FR-03", note("PMD", "Des pénalités sont dues.")),
    ("PAS-FR-04", replace(buyer(legal_registration=None), notes=INVOICE.notes[:3])),
    ("PAS-FR-05", seller(address=replace(INVOICE.seller.address, city=None))),  # type: ignore[type-var]
    ("PAS-FR-06", buyer(address=None)),
    ("PAS-FR-07", replace(INVOICE, vat_breakdown=(replace(INVOICE.vat_breakdown[0], category="E"),))),
    ("PAS-FR-08", replace(INVOICE, due_date=None)),
]


@pytest.mark.parametrize(("rule", "invoice"), SPEAKING, ids=[f"{r}-{i}" for i, (r, _) in enumerate(SPEAKING)])
def test_a_defect_makes_its_rule_speak(rule: str, invoice: Invoice) -> None:
    said = list(RULES[rule].check(invoice, AS_OF))
    assert len(said) == 1
    assert said[0].terms
    assert said[0].message.fr != said[0].message.en


SILENT: list[tuple[str, Invoice]] = [
    ("PAS-ID-01", siren("900 000 019")),
    ("PAS-ID-01", seller(legal_registration=Identifier(value="12345", scheme="0060"))),
    ("PAS-ID-02", seller(identifiers=(Identifier(value="35600000000048", scheme="0009"),))),
    ("PAS-ID-03", seller(vat_identifier="DE123")),
    ("PAS-ID-05", account("12345-678")),
    ("PAS-ID-05", account("FR14 2004 1010 0505 0001 3M02 606")),
    ("PAS-ID-06", buyer(electronic_address=Identifier(value="somewhere", scheme="0088"))),
    ("PAS-DATE-02", replace(INVOICE, issue_date=AS_OF)),
    ("PAS-LINE-02", line(net_amount=Decimal("100.01"))),
    ("PAS-LINE-02", line(price=None)),
    ("PAS-FR-01", note("AAB", "néant")),
    ("PAS-FR-01", note("AAI", ".")),
    ("PAS-FR-02", note("PMT", "Indemnité de quarante euros.")),
    ("PAS-FR-03", note("PMD", "Trois fois le taux légal.")),
    ("PAS-FR-04", buyer(legal_registration=None)),
    ("PAS-FR-06", replace(buyer(address=None), specification_identifier="urn:factur-x.eu:1p0:minimum")),
    ("PAS-FR-08", replace(INVOICE, due_date=None, type_code="381")),
]


@pytest.mark.parametrize(("rule", "invoice"), SILENT, ids=[f"{r}-{i}" for i, (r, _) in enumerate(SILENT)])
def test_what_is_allowed_makes_no_rule_speak(rule: str, invoice: Invoice) -> None:
    assert speaks(rule, invoice) == 0


def test_the_limit_of_the_public_portal_ends() -> None:
    invoice = replace(INVOICE, number="ESSAI-2026-000000000001")
    assert speaks("PAS-NUM-01", invoice, date(2026, 12, 31)) == 1
    assert speaks("PAS-NUM-01", invoice, date(2027, 1, 1)) == 0


def test_only_what_is_certainly_wrong_blocks() -> None:
    blocking = {rule.id for rule in RULES.values() if rule.severity is Severity.ERROR}
    assert blocking == {"PAS-ID-01", "PAS-ID-02", "PAS-ID-03", "PAS-FR-01"}


@given(st.from_regex(r"[0-9]{8}", fullmatch=True), st.integers(0, 9))
def test_exactly_one_last_digit_of_ten_is_right(digits: str, last: int) -> None:
    right = luhn.calc_check_digit(digits)
    assert speaks("PAS-ID-01", siren(f"{digits}{last}")) == (str(last) != right)


@given(st.decimals("0.01", "9999", places=2), st.integers(1, 999), st.sampled_from([None, Decimal(1), Decimal(100)]))
def test_a_line_that_was_computed_is_never_suspect(net: Decimal, quantity: int, base: Decimal | None) -> None:
    price = replace(INVOICE.lines[0].price, net=net, base_quantity=base)  # type: ignore[type-var]
    amount = (quantity * net / (base or Decimal(1))).quantize(Decimal("0.01"))
    assert speaks("PAS-LINE-02", line(price=price, quantity=Decimal(quantity), net_amount=amount)) == 0


def test_rules_never_raise_on_an_empty_invoice() -> None:
    checks: list[Callable[..., Any]] = [rule.check for rule in RULES.values()]
    assert all(isinstance(list(check(Invoice(), AS_OF)), list) for check in checks)

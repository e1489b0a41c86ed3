"""Terms beyond EN 16931 and its French extension: those of Factur-X EXTENDED, and payments for others of XRechnung."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from formats.conversion import convert
from formats.extensions import CashDiscount, PriceDiscount, ThirdPartyPayment
from formats.invoice import Invoice
from formats.json_form import from_json
from formats.rendering.page import payment
from formats.syntax import Syntax, read, ubl_syntax_of, write
from validation.rules.lines import price_discount
from validation.rules.totals import amount_due

MADE_AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
DAY = date(2026, 11, 21)
INVOICE = from_json({
    "number": "F1", "issue_date": "2026-11-21", "type_code": "380", "currency": "EUR",
    "due_date": "2026-12-21", "payment_terms": "30 jours",
    "specification_identifier": "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended",
    "notes": [{"subject_code": "AAI", "text": "Notre offre"}],
    "cash_discounts": [
        {"percentage": "3.00", "due_date": "2026-12-01", "period": "10", "period_unit": "DAY"},
        {"due_date": "2027-01-21"},
    ],
    "totals": {"lines_net": "100.00", "without_vat": "100.00", "vat": "20.00", "with_vat": "120.00", "due": "120.00"},
    "vat_breakdown": [{"taxable_amount": "100.00", "tax_amount": "20.00", "category": "S", "rate": "20"}],
    "lines": [{
        "id": "1", "quantity": "4", "unit": "C62", "net_amount": "100.00",
        "notes": [{"text": "Fragile"}], "vat_category": "S", "vat_rate": "20",
        "price": {"net": "25.00", "gross": "30.00", "discount": "2.00",
                  "further_discounts": [{"amount": "2.00"}, {"amount": "1.00", "reason": "Fidélité"}]},
        "item": {"name": "Panier"},
    }],
})


def test_what_factur_x_extended_has_comes_back() -> None:
    reading = read(write(INVOICE, Syntax.CII))

    assert reading.unmapped == ()
    assert reading.invoice == INVOICE
    line = reading.invoice.lines[0]
    assert line.price is not None
    assert line.price.further_discounts[0] == PriceDiscount(amount=Decimal("2.00"))  # as BT-147, and not it


def test_further_terms_and_discounts_are_carried_both_ways() -> None:
    made = convert(write(INVOICE, Syntax.CII), "ubl", made_at=MADE_AT)
    back = convert(made.document, "cii", made_at=MADE_AT)

    assert made.loss.not_carried == back.loss.not_carried == ()
    assert read(back.document).invoice == INVOICE


def test_another_day_of_payment_is_no_item_where_bt_9_says_it() -> None:
    again = replace(INVOICE, cash_discounts=(CashDiscount(due_date=INVOICE.due_date),))

    assert read(write(again, Syntax.CII)).invoice.cash_discounts == ()


def test_another_day_of_payment_is_not_called_a_discount() -> None:
    assert [name for name, _ in payment(INVOICE, "fr")] == ["Escompte", "Autre échéance"]
    assert payment(INVOICE, "fr")[1][1] == "jusqu’au 21/01/2027"


def test_discounts_are_deducted_together() -> None:
    assert list(price_discount(INVOICE, DAY)) == []
    line = INVOICE.lines[0]
    assert line.price is not None
    one = replace(INVOICE, lines=(replace(line, price=replace(line.price, further_discounts=())),))
    assert len(list(price_discount(one, DAY))) == 1


PAID = ThirdPartyPayment(type="APP", amount=Decimal("9.90"), description="Billet payé par mobile")


@pytest.fixture
def with_payment() -> Invoice:
    return replace(
        INVOICE, third_party_payments=(PAID,), totals=replace(INVOICE.totals, due=Decimal("129.90")),
        specification_identifier="urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
                                 "#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0",
    )


def test_payments_for_others_are_in_a_ubl_invoice_alone(with_payment: Invoice) -> None:
    document = write(with_payment, Syntax.UBL_INVOICE)
    assert read(document).unmapped == ()
    assert read(document).invoice.third_party_payments == (PAID,)

    lost = convert(document, "cii", made_at=MADE_AT).loss.not_carried
    assert {one.term for one in lost} == {f"EXT-BG-DEX-09 {name}" for name in ("type", "amount", "description")}
    credit = replace(with_payment, type_code="381")
    assert read(write(credit, ubl_syntax_of(credit))).invoice.third_party_payments == ()


def test_payments_for_others_are_added_to_what_is_due(with_payment: Invoice) -> None:
    assert list(amount_due(with_payment, DAY)) == []
    assert len(list(amount_due(replace(with_payment, totals=INVOICE.totals), DAY))) == 1

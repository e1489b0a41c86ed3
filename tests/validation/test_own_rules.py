"""Each rule of our own: a document that makes it speak and no other, and one that nearly does, in every syntax."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_vectors import Vector, vectors
from samples import AS_OF, INVOICE
from stdnum import luhn

from formats.invoice import (
    Address,
    AllowanceCharge,
    Attachment,
    CreditTransfer,
    Delivery,
    DirectDebit,
    Identifier,
    Invoice,
    Note,
    Party,
    PaymentInstructions,
    Price,
    SupportingDocument,
    VatBreakdown,
)
from formats.profiles import IDENTIFIERS, Profile
from validation.explain.catalogue import find_explanation
from validation.findings import Severity
from validation.rules import notes, registry, rounding, terms
from validation.rules.own import OwnRule
from validation.rules.schemes import SCHEMES
from validation.run import Options, validate

RULES = {rule.id: rule for rule in registry.RULES}
MODEL_RULES = {rule.id: rule for rule in registry.RULES if isinstance(rule, OwnRule)}
VECTORS = list(vectors())
OWN_LAYERS = ("mentions", "business")


def speaks(rule: str, invoice: Invoice, as_of: date = AS_OF) -> int:
    return len(list(MODEL_RULES[rule].check(invoice, as_of)))


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_document_makes_its_rule_speak_and_no_other(vector: Vector) -> None:
    others: set[str] = set()
    for syntax in vector.syntaxes:
        document = vector.document(syntax)
        report = validate(document, Options(AS_OF))
        others |= {f.rule for f in report.findings if f.rule not in RULES}
        if any(layer.reason == "blocked-by:xsd" for layer in report.layers):
            report = validate(document, Options(AS_OF, layers=OWN_LAYERS))
        own = [f for f in report.findings if f.rule in RULES]
        assert {f.rule for f in own} == vector.own, syntax
        for finding in own:
            assert finding.severity is RULES[finding.rule].severity
            assert finding.remedy is not None
            assert finding.message.fr != finding.message.en
    assert others == vector.published


def test_every_rule_has_a_document_that_fires_it_and_one_that_nearly_does() -> None:
    there = {(vector.rule, vector.kind) for vector in VECTORS}
    assert there == {(rule, kind) for rule in RULES for kind in ("fires", "near")}


def test_every_rule_is_in_xml_of_both_kinds_but_those_about_one() -> None:
    one_syntax = {vector.rule for vector in VECTORS if not {"ubl", "cii"} <= set(vector.syntaxes)}
    about_one = {
        "PAS-NOTE-03",  # only UBL writes the code of a note into its text
        "PAS-PROF-03",  # MINIMUM is a profile of Factur-X, and UBL wants a line
    }
    assert {rule for rule in one_syntax if not rule.startswith("PAS-TERM-")} == about_one  # TERM: structure of CII


def test_every_rule_has_an_id_of_its_own_a_source_and_an_explanation_of_its_own() -> None:
    assert len(RULES) == len(registry.RULES)
    for rule in registry.RULES:
        explanation = find_explanation(rule.id)
        assert rule.source
        assert explanation is not None
        assert explanation.rule == rule.id


def test_only_what_cannot_pass_blocks() -> None:
    """An empty mention is an absent one (BR-FR-05); the rest cannot be routed, or the norm forbids it outright."""
    blocking = {rule.id for rule in registry.RULES if rule.severity is Severity.ERROR}
    assert {"PAS-FR-01", "PAS-FR-13", "PAS-ID-01"} == {rule for rule in blocking if not rule.startswith("PAS-TERM-")}


PLACES = {vector.rule: vector for vector in VECTORS if vector.kind == "fires"}


@pytest.mark.parametrize(
    ("rule", "syntax", "location"),
    [
        ("PAS-ID-12", "ubl", "/cac:InvoiceLine[2]/cac:Item[1]/cac:StandardItemIdentification[1]/cbc:ID[1]"),
        ("PAS-LINE-07", "json", "/lines/1/price/net"),
        ("PAS-TOTAL-07", "ubl", "/cac:LegalMonetaryTotal[1]/cbc:PayableAmount[1]"),
        ("PAS-FR-10", "ubl", "/cbc:Note[3]"),
        ("PAS-FR-10", "json", "/notes/2/text"),
        ("PAS-LINE-02", "cii", "/ram:IncludedSupplyChainTradeLineItem[1]/ram:SpecifiedLineTradeSettlement[1]"),
    ],
)
def test_a_finding_says_where(rule: str, syntax: str, location: str) -> None:
    report = validate(PLACES[rule].document(syntax), Options(AS_OF, layers=OWN_LAYERS))
    finding = next(f for f in report.findings if f.rule == rule)
    assert finding.location is not None
    assert location in finding.location


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("PAS-TOTAL-07", {"declared": "179.99", "computed": "180.00", "difference": "-0.01", "proposed": "180.00"}),
        ("PAS-VAT-02", {"declared": "13.34", "computed": "13.33", "convention": "per-line-half-up"}),
        ("PAS-LINE-02", {"declared": "100.00", "computed": "100.04"}),
        ("PAS-ID-03", {"proposed": "FR16000002006"}),
        ("PAS-FR-13", {"proposed": "000001016"}),
        ("PAS-FR-29", {"sector": "transport", "latest": "2026-12-03"}),
        ("PAS-FR-12", {"declared": "5", "floor": "7.86"}),
        ("PAS-FR-22", {"expected": "M1"}),
    ],
)
def test_a_finding_has_its_figures(rule: str, values: dict[str, str]) -> None:
    finding = next(f for f in validate(PLACES[rule].document("cii"), Options(AS_OF)).findings if f.rule == rule)
    assert values.items() <= finding.values.items()


@pytest.mark.parametrize(
    ("frame", "expected"),
    [("S1", "B1"), ("S4", "B4"), ("S5", None), ("S6", None), ("S7", "B7"), ("S9", "B9")],
)
def test_only_a_frame_that_exists_is_advised(frame: str, expected: str | None) -> None:
    """A heading counts for nothing: all that is sold here are goods."""
    heading, goods = replace(INVOICE.lines[0], subtype="GROUP"), replace(INVOICE.lines[0], unit="KGM")
    found = MODEL_RULES["PAS-FR-22"].check(replace(INVOICE, business_process=frame, lines=(heading, goods)), AS_OF)
    assert [said.values.get("expected") for said in found] == [expected]


@pytest.mark.parametrize("text", ["TVA acquittée sur les débits", "La taxe est payée d’après les débits.",
                                  "Pas d'escompte, TVA sur débits"])
def test_the_option_for_debits_is_told_by_its_usual_words(text: str) -> None:
    assert speaks("PAS-FR-25", replace(INVOICE, payment_terms=text)) == 1


def test_a_company_abroad_is_no_consumer() -> None:
    notes_ = (*INVOICE.notes[:3], Note(subject_code="BAR", text="B2C"))
    address = Address(line_1="Musterweg 1", city="Berlin", post_code="10115", country="DE")
    company = Party(name="Muster GmbH", vat_identifier="DE111111125", address=address)
    for buyer, expected in ((company, "B2BINT"), (replace(company, vat_identifier=None), "B2CINT")):
        found = MODEL_RULES["PAS-FR-15"].check(replace(INVOICE, notes=notes_, buyer=buyer), AS_OF)
        assert [said.values["expected"] for said in found] == [expected]


def test_a_seller_in_reunion_with_a_siren_is_french() -> None:
    seller = replace(INVOICE.seller, legal_registration=Identifier(value="900000018", scheme="0002"),
                     address=Address(country="RE"))
    assert speaks("PAS-ID-01", replace(INVOICE, seller=seller)) == 1
    assert speaks("PAS-ID-15", replace(INVOICE, seller=seller)) == 0


def test_the_place_of_a_line_is_judged_as_that_of_the_whole() -> None:
    depot = Delivery(party_name="Dépôt Nord", location=Identifier(value="4000001000006", scheme="0088"))
    half = Delivery(address=Address(line_1="3 chemin du Dépôt", country="FR"))
    home = Delivery(address=Address(line_1="1 rue du Modèle", city="Ici", post_code="99990", country="FR"))
    for rule, delivery in (("PAS-FR-19", depot), ("PAS-ID-10", depot), ("PAS-FR-20", half), ("PAS-VAT-04", home)):
        line = replace(INVOICE.lines[0], delivery=delivery, vat_category="K")
        rows = (replace(INVOICE.vat_breakdown[0], category="K"),)
        assert speaks(rule, replace(INVOICE, lines=(line,), vat_breakdown=rows, delivery=None)) == 1, rule


def test_a_charge_for_transport_is_in_the_taxable_amount_of_factur_x_extended() -> None:
    invoice = replace(INVOICE, specification_identifier=IDENTIFIERS[Profile.EXTENDED], vat_breakdown=(
        replace(INVOICE.vat_breakdown[0], taxable_amount=Decimal("110.00"), tax_amount=Decimal("22.00")),))
    transport = AllowanceCharge(amount=Decimal("10.00"), vat_category="S", vat_rate=Decimal(20), reason="Transport")
    assert speaks("PAS-VAT-01", invoice) == 1
    assert speaks("PAS-VAT-01", replace(invoice, charges=(transport,))) == 0


@pytest.mark.parametrize(
    ("country", "post_code", "vat", "spoken"),
    [("BE", "1000", "BE0428759497", 0), ("MC", "98000", "FR53000004605", 1), ("US", "10001", None, 1),
     ("RE", "97400", None, 1), ("ES", "35001", "ESB58378431", 1), ("GB", "BT1 1AA", "XI110305878", 0),
     ("GB", "SW1A 1AA", "GB110305878", 1)],
)
def test_an_intra_community_supply_goes_to_another_member_state(
    country: str, post_code: str, vat: str | None, spoken: int
) -> None:
    delivery = Delivery(address=Address(country=country, post_code=post_code))
    invoice = replace(INVOICE, buyer=Party(name="Inventé", vat_identifier=vat), delivery=delivery,
                      vat_breakdown=(replace(INVOICE.vat_breakdown[0], category="K"),))
    assert speaks("PAS-VAT-04", invoice) == spoken


def test_a_line_is_called_by_its_own_number() -> None:
    line = replace(INVOICE.lines[0], id="L-10", delivery=Delivery(address=Address(line_1="3 chemin du Dépôt")))
    found = MODEL_RULES["PAS-FR-20"].check(replace(INVOICE, lines=(line,)), AS_OF)
    assert ["(ligne L-10)" in said.message.fr for said in found] == [True]


@pytest.mark.parametrize(
    ("type_code", "corrected", "credited"),
    [("380", "384", "381"), ("389", "471", "261"), ("393", "472", "396"), ("501", "473", "502"),
     ("386", "384", "503"), ("500", "384", "503")],
)
def test_the_type_that_is_advised_is_of_the_same_family(type_code: str, corrected: str, credited: str) -> None:
    """A self-billed or factored invoice stays one when it is corrected or given back."""
    invoice = replace(INVOICE, type_code=type_code, payment_terms="Annule et remplace la facture A-1.",
                      totals=replace(INVOICE.totals, with_vat=Decimal("-120.00")))
    for rule, expected in (("PAS-FR-39", corrected), ("PAS-TYPE-02", credited)):
        assert [said.values["expected"] for said in MODEL_RULES[rule].check(invoice, AS_OF)] == [expected]


def test_credit_types_beyond_france_are_credit_notes() -> None:
    credit = replace(INVOICE, type_code="83", totals=replace(INVOICE.totals, with_vat=Decimal("-120.00")))
    assert (speaks("PAS-TYPE-01", credit), speaks("PAS-TYPE-02", credit)) == (1, 0)


def row(taxable: str, rate: str, tax: str) -> VatBreakdown:
    return VatBreakdown(category="S", taxable_amount=Decimal(taxable), rate=Decimal(rate), tax_amount=Decimal(tax))


@pytest.mark.parametrize(
    ("taxable", "rate", "tax", "name"),
    [
        ("0.12", "20", "0.03", "up"),
        ("0.14", "20", "0.02", "down"),
        ("2.50", "1", "0.02", "half-even"),
        ("14.00", "20", "3.00", "cash-1"),
        ("14.00", "20", "2.60", None),
    ],
)
def test_a_convention_of_rounding_is_told_from_a_mistake(taxable: str, rate: str, tax: str, name: str | None) -> None:
    wrong = row(taxable, rate, tax)
    found = rounding.find_convention(Decimal(tax), rounding.vat_conventions(Invoice(), wrong))
    assert (found.name if found is not None else None) == name


def test_cash_rounding_and_a_forgotten_prepayment_are_named() -> None:
    totals = replace(INVOICE.totals, with_vat=Decimal("119.97"), without_vat=Decimal("99.97"), due=Decimal("119.95"))
    said = next(iter(MODEL_RULES["PAS-TOTAL-07"].check(replace(INVOICE, totals=totals), AS_OF)))
    assert said.values["convention"] == "cash-0.05"
    totals = replace(INVOICE.totals, paid=Decimal("50.00"))
    said = next(iter(MODEL_RULES["PAS-TOTAL-07"].check(replace(INVOICE, totals=totals), AS_OF)))
    assert said.values["convention"] == "paid-ignored"


@pytest.mark.parametrize(
    ("name", "delivered", "latest"),
    [
        ("Transport de palettes", "2026-10-28", "2026-12-03"),
        ("Tomates grappe", "2026-10-28", "2026-11-30"),
        ("Tomates grappe", "2026-10-12", "2026-11-19"),
        ("Carcasses de bœuf", "2026-10-28", "2026-11-17"),
        ("Cognac XO", "2026-10-28", "2026-11-30"),
        ("Vins de pays", "2026-10-28", "2027-01-14"),
    ],
)
def test_the_last_day_of_each_sector(name: str, delivered: str, latest: str) -> None:
    line = replace(INVOICE.lines[0], item=replace(INVOICE.lines[0].item, name=name))  # type: ignore[type-var]
    document = replace(PLACES["PAS-FR-29"].invoice(), lines=(line,))
    document = replace(document, delivery=replace(document.delivery, actual_date=date.fromisoformat(delivered)))  # type: ignore[type-var]
    last = date.fromisoformat(latest)
    assert speaks("PAS-FR-29", replace(document, due_date=last)) == 0
    assert speaks("PAS-FR-29", replace(document, due_date=date.fromordinal(last.toordinal() + 1))) == 1
    assert speaks("PAS-FR-27", replace(document, due_date=date(2027, 12, 31))) == 0


def test_the_dated_tables_are_whole() -> None:
    assert {"general", "periodic", "transport"} <= terms.sectors().keys()
    assert all(sector.source and sector.days > 0 for sector in terms.sectors().values())
    assert [since for since, _ in notes.legal_rates()] == sorted({since for since, _ in notes.legal_rates()})


def test_the_limit_of_the_public_portal_ends() -> None:
    invoice = replace(INVOICE, number="ESSAI-2026-000000000001")
    assert speaks("PAS-NUM-01", invoice, date(2026, 12, 31)) == 1
    assert speaks("PAS-NUM-01", invoice, date(2027, 1, 1)) == 0


@pytest.mark.parametrize("text", [None, "", ".", "n/a", "XXX", "-"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_mention_that_says_nothing_is_empty(position: int, text: str | None) -> None:
    changed = [replace(note, text=text) if n == position else note for n, note in enumerate(INVOICE.notes)]
    assert speaks("PAS-FR-01", replace(INVOICE, notes=tuple(changed))) == 1


@given(st.from_regex(r"[0-9]{8}", fullmatch=True), st.integers(0, 9))
def test_exactly_one_last_digit_of_ten_is_right(digits: str, last: int) -> None:
    identifier = Identifier(value=f"{digits}{last}", scheme="0002")
    invoice = replace(INVOICE, seller=replace(INVOICE.seller, legal_registration=identifier))
    assert speaks("PAS-ID-01", invoice) == (str(last) != luhn.calc_check_digit(digits))


@given(st.decimals("0.01", "9999", places=2), st.integers(1, 999), st.sampled_from([None, Decimal(1), Decimal(100)]))
def test_a_line_that_was_computed_is_never_suspect(net: Decimal, quantity: int, base: Decimal | None) -> None:
    price = replace(INVOICE.lines[0].price, net=net, base_quantity=base)  # type: ignore[type-var]
    amount = (quantity * net / (base or Decimal(1))).quantize(Decimal("0.01"))
    line = replace(INVOICE.lines[0], price=price, quantity=Decimal(quantity), net_amount=amount)
    assert speaks("PAS-LINE-02", replace(INVOICE, lines=(line,))) == 0


HOSTILE = st.text(max_size=40) | st.from_regex(r"[A-Z]{0,2}[0-9]{0,14}[A-Z\-]?", fullmatch=True)


@given(HOSTILE, st.sampled_from(sorted({*SCHEMES, "0002", "0009", "0088", "0160", "0225", "0231"})))
def test_no_identifier_breaks_a_rule(text: str, scheme: str) -> None:
    identifier = Identifier(value=text, scheme=scheme)
    party = replace(
        INVOICE.buyer, identifiers=(identifier,), legal_registration=identifier, electronic_address=identifier,
        vat_identifier=text,
    )
    item = replace(INVOICE.lines[0].item, standard_identifier=identifier)  # type: ignore[type-var]
    payment = PaymentInstructions(
        credit_transfers=(CreditTransfer(account=text, service_provider=text),),
        direct_debit=DirectDebit(creditor=text, debited_account=text),
    )
    documents = (SupportingDocument(location=text, attachment=Attachment(content=text.encode(), filename=text)),)
    invoice = replace(
        INVOICE, number=text, seller=replace(party, name=text), buyer=party, payment=payment, payment_terms=text,
        lines=(replace(INVOICE.lines[0], item=item),), supporting_documents=documents, notes=(Note(text=text),),
    )
    for rule in MODEL_RULES.values():
        list(rule.check(invoice, AS_OF))


@given(st.dates(), st.dates(), st.dates(), st.sampled_from(["Transport", "Tomates", "Cognac", "Conseil"]))
def test_no_date_breaks_a_rule(issued: date, due: date, delivered: date, name: str) -> None:
    line = replace(INVOICE.lines[0], item=replace(INVOICE.lines[0].item, name=name))  # type: ignore[type-var]
    delivery = Delivery(actual_date=delivered)
    invoice = replace(INVOICE, issue_date=issued, due_date=due, delivery=delivery, lines=(line,))
    for rule in MODEL_RULES.values():
        list(rule.check(invoice, AS_OF))


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6), min_size=8, max_size=8))
def test_no_figure_breaks_a_rule(figures: list[Decimal]) -> None:
    quantity, price, base, net, taxable, tax, rate, due = figures
    line = replace(INVOICE.lines[0], quantity=quantity, net_amount=net, price=Price(net=price, base_quantity=base))
    wrong = VatBreakdown(category="S", taxable_amount=taxable, tax_amount=tax, rate=rate)
    totals = replace(INVOICE.totals, due=due, with_vat=net)
    for rule in MODEL_RULES.values():
        list(rule.check(replace(INVOICE, lines=(line,), vat_breakdown=(wrong,), totals=totals), AS_OF))


def test_rules_never_raise_on_an_empty_invoice() -> None:
    heard: list[Any] = [list(rule.check(Invoice(), AS_OF)) for rule in MODEL_RULES.values()]
    assert len(heard) == len(MODEL_RULES)

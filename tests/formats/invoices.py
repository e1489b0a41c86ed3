"""Made-up invoices for property tests: realistic in shape, arbitrary in content.

What is drawn obeys the schemas (a supporting document has a reference, a line an item) and the few things that
the two syntaxes cannot say alike (identifiers without a scheme come first, notes without a code come first).
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st

from formats.codes import CREDIT_TYPES, FRAMES, FRENCH_TYPES, NOTE_SUBJECTS
from formats.invoice import (
    Address,
    AllowanceCharge,
    Attachment,
    CashDiscount,
    Contact,
    CreditTransfer,
    CurrencyExchange,
    Delivery,
    DeliveryNote,
    DeliveryTerms,
    DirectDebit,
    Identifier,
    Invoice,
    Item,
    ItemAttribute,
    ItemIdentifier,
    Line,
    LinePrecedingInvoice,
    Note,
    Party,
    PaymentCard,
    PaymentInstructions,
    Period,
    PrecedingInvoice,
    Price,
    PriceDiscount,
    SupportingDocument,
    Totals,
    VatBreakdown,
)

CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Z"), exclude_characters="#")
SAMPLES = (
    "Atelier Imaginaire SAS", "Zoé & Fils <SARL>", "n° 12, rue de l'Exemple", "ligne 1\nligne 2", '"guillemets"',
    "a  b", "]]>", "&amp;", "été — 100 % €", "𝄞", "a#b", "10", "-", "\u00a0x", "日本", "x\ty",
)
texts = st.sampled_from(SAMPLES).map(str.strip) | st.text(CHARACTERS, min_size=1, max_size=6)
codes = st.integers(0, 999).map(lambda number: f"C-{number}")
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
amounts = st.decimals(min_value=-10**9, max_value=10**9, places=2)
prices = st.decimals(min_value=0, max_value=10**6, places=4)
rates = st.sampled_from(("20", "20.00", "5.5", "0", "2.10")).map(Decimal)
categories = st.sampled_from(("S", "Z", "E", "AE", "K", "G", "O"))
countries = st.sampled_from(("FR", "DE", "BE", "US"))
schemes = st.sampled_from(("0002", "0009", "0088", "0225", "EM"))
identifiers = st.builds(Identifier, value=codes, scheme=st.none() | schemes)
references = st.builds(Identifier, value=codes, scheme=st.none() | st.sampled_from(("AFL", "AVV", "ABZ")))
accounts = st.sampled_from(("FR7630006000011234567890189", "DE89370400440532013000", "compte 12", "12345"))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def filled(model: type, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An instance with each field there or not, but not with none of them."""
    return st.fixed_dictionaries({}, optional=fields).filter(bool).map(lambda values: model(**values))


def lists(strategy: st.SearchStrategy[Any], most: int = 2, *, least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


party_identifiers = lists(identifiers).map(
    lambda found: tuple(sorted(found, key=lambda identifier: identifier.scheme is not None)),
)
addresses = filled(
    Address, line_1=texts, line_2=texts, line_3=texts, city=texts, post_code=codes, country_subdivision=texts,
    country=countries,
)
contacts = filled(Contact, name=texts, telephone=texts, email=texts)
periods = filled(Period, start=dates, end=dates)
party = partial(
    st.builds, Party, name=texts, trading_name=maybe(texts), identifiers=party_identifiers,
    legal_registration=maybe(identifiers), vat_identifier=maybe(codes), electronic_address=maybe(identifiers),
    address=maybe(addresses), contact=maybe(contacts),
)
@st.composite
def with_department(draw: st.DrawFn, parties: st.SearchStrategy[Party]) -> Party:
    """In CII a department alone is the name of the contact."""
    one: Party = draw(parties)
    person = one.contact is not None and one.contact.name is not None
    return replace(one, department=draw(maybe(texts)) if person else None)


sellers = st.one_of(
    party(additional_legal_information=maybe(texts)),
    party(tax_registration=codes),
)
payees = filled(
    Party, name=texts, identifiers=party_identifiers, legal_registration=identifiers, vat_identifier=codes,
    electronic_address=identifiers, role_code=codes, address=addresses, contact=contacts,
).filter(lambda payee: payee != Party())
third_parties = filled(
    Party, name=texts, trading_name=texts, identifiers=party_identifiers, legal_registration=identifiers,
    vat_identifier=codes, electronic_address=identifiers, role_code=codes, address=addresses, contact=contacts,
).filter(lambda other: other != Party())
line_sellers = filled(
    Party, name=texts, trading_name=texts, identifiers=party_identifiers, legal_registration=identifiers,
    vat_identifier=codes, tax_registration=codes, electronic_address=identifiers, address=addresses,
).filter(lambda other: other != Party())
delivery_terms = filled(DeliveryTerms, code=st.sampled_from(("DAP", "EXW")), location=texts)
representatives = st.builds(Party, name=texts, vat_identifier=maybe(codes), address=maybe(addresses))
notes = st.tuples(
    lists(st.builds(Note, text=texts)),
    lists(st.builds(Note, subject_code=st.sampled_from(sorted(NOTE_SUBJECTS)), text=texts), most=3),
).map(lambda parts: parts[0] + parts[1])
deliveries = filled(
    Delivery, party_name=texts, location=identifiers, actual_date=dates, electronic_address=identifiers,
    address=addresses, contact=contacts,
)
exchanges = st.builds(
    CurrencyExchange, source=st.just("USD"), target=st.just("EUR"), rate=prices, day=maybe(dates),
)
discounts = st.builds(
    CashDiscount, percentage=rates, basis_amount=maybe(amounts), amount=maybe(amounts), start=maybe(dates),
    period=prices, period_unit=st.just("DAY"),
) | st.builds(CashDiscount, percentage=rates, start=maybe(dates))


@st.composite
def cash_discounts(draw: st.DrawFn, due: date | None) -> tuple[CashDiscount, ...]:
    """With other days than BT-9, where the invoice has one."""
    if due is None:
        return draw(lists(discounts))
    others = dates.filter(lambda day: day != due)
    return draw(lists(discounts | st.builds(CashDiscount, percentage=maybe(rates), due_date=others)))


further_discounts = st.builds(
    PriceDiscount, amount=prices, reason=maybe(texts), reason_code=maybe(st.just("95")))
payments = st.builds(
    PaymentInstructions, means_code=st.sampled_from(("30", "58", "48", "59", "1")), means_text=maybe(texts),
    remittance_information=maybe(texts),
    credit_transfers=lists(filled(CreditTransfer, account=accounts, account_name=texts, service_provider=codes), 3),
    card=maybe(st.builds(PaymentCard, account_number=codes, holder_name=maybe(texts))),
    direct_debit=maybe(filled(DirectDebit, mandate=codes, creditor=codes, debited_account=accounts)),
)


exemptions = st.just("VATEX-EU-AE")


def allowances(*reason_codes: str, document: bool) -> st.SearchStrategy[AllowanceCharge]:
    vat = {
        "vat_category": maybe(categories), "vat_rate": maybe(rates), "exemption_reason": maybe(texts),
        "exemption_reason_code": maybe(exemptions),
    } if document else {}
    of_reason = {"reason_code": maybe(st.sampled_from(reason_codes))}
    choices = [of_reason] if "95" in reason_codes else [of_reason, {"tax_code": st.just("EXC")}]
    return st.one_of(*(st.builds(
        AllowanceCharge, amount=amounts, base_amount=maybe(amounts), percentage=maybe(rates), reason=maybe(texts),
        **code, **vat,
    ) for code in choices))


preceding = st.builds(
    LinePrecedingInvoice, number=codes.map("P{}".format), type_code=maybe(st.just("386")), issue_date=maybe(dates),
    line=maybe(codes),
)
breakdowns = st.builds(
    VatBreakdown, taxable_amount=amounts, tax_amount=amounts, category=categories, rate=maybe(rates),
    exemption_reason=maybe(texts), exemption_reason_code=maybe(exemptions),
)
attachments = st.builds(
    Attachment, content=st.binary(min_size=1, max_size=40), mime_code=st.just("application/pdf"),
    filename=maybe(texts),
)
documents = st.builds(
    SupportingDocument, reference=codes, description=maybe(texts), location=maybe(st.just("https://example.org/a?b=c&d")),
    attachment=maybe(attachments),
)
attributes = st.one_of(
    filled(ItemAttribute, name=texts, code=codes, value=texts).filter(lambda one: one.name or one.code),
    st.builds(ItemAttribute, name=texts, code=maybe(codes), measure=amounts, measure_unit=maybe(st.just("KGM"))),
)
items = st.builds(
    Item, name=texts, description=maybe(texts), seller_identifier=maybe(codes), buyer_identifier=maybe(codes),
    standard_identifier=maybe(st.builds(Identifier, value=codes, scheme=st.just("0160"))),
    classifications=lists(st.builds(
        ItemIdentifier, value=codes, scheme=maybe(codes), scheme_version=maybe(codes), name=maybe(texts),
    )),
    origin_country=maybe(countries), attributes=lists(attributes),
)


@st.composite
def item_prices(draw: st.DrawFn) -> Price:
    gross = draw(maybe(prices))
    quantity = draw(maybe(prices))
    discount = None if gross is None else draw(maybe(prices))
    return Price(
        net=draw(prices), gross=gross, discount=discount,
        further_discounts=() if discount is None else draw(lists(further_discounts)),
        discount_reason=None if discount is None else draw(maybe(texts)),
        discount_reason_code=None if discount is None else draw(maybe(st.just("95"))),
        base_quantity=quantity, base_quantity_unit=None if quantity is None else draw(maybe(st.just("C62"))),
    )


references_of_lines = st.fixed_dictionaries({}, optional={
    "purchase_order_line": codes, "purchase_order_reference": codes, "purchase_order_date": dates,
    "sales_order_line": codes, "sales_order_reference": codes, "despatch_advice_line": codes,
    "despatch_advice_reference": codes,
})
extended = st.fixed_dictionaries({}, optional={
    "parent": codes, "subtype": st.sampled_from(("DETAIL", "GROUP", "INFORMATION")), "vat_amount": amounts,
    "preceding_invoices": lists(preceding), "delivery": deliveries, "delivery_terms": delivery_terms,
    "seller": line_sellers, "exemption_reason": texts, "exemption_reason_code": exemptions,
})
"""What EXTENDED-CTC-FR adds to a line, but for the total with VAT, which UBL 2.1 has no place for."""


@st.composite
def lines(draw: st.DrawFn, *, second_currency: bool = False) -> Line:
    return Line(
        id=draw(codes), notes=draw(notes), object_identifiers=draw(lists(references)), quantity=draw(prices),
        unit=draw(st.sampled_from(("C62", "HUR", "KGM"))), net_amount=draw(amounts),
        buyer_accounting_reference=draw(maybe(codes)), period=draw(maybe(periods)),
        allowances=draw(lists(allowances("95", "100", document=False))),
        charges=draw(lists(allowances("FC", "ABL", document=False))), price=draw(item_prices()),
        vat_category=draw(categories), vat_rate=draw(maybe(rates)), item=draw(items),
        vat_in_accounting_currency=draw(maybe(amounts)) if second_currency else None,
        **draw(references_of_lines), **draw(maybe(extended)) or {},
    )


earlier = st.builds(PrecedingInvoice, number=codes, issue_date=maybe(dates), type_code=maybe(st.just("380")))
contracts = st.fixed_dictionaries(
    {"contract_reference": codes}, optional={"contract_type": codes, "contract_date": dates},
)
dated = st.tuples(
    st.just({}) | contracts,
    st.just({}) | st.fixed_dictionaries({"despatch_advice_reference": codes}, optional={"despatch_advice_date": dates}),
).map(lambda parts: parts[0] | parts[1])
"""What stands with a date has a reference, as UBL demands."""


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    type_code = draw(st.sampled_from(sorted(FRENCH_TYPES)))
    currency, vat_currency = draw(st.sampled_from((("EUR", None), ("USD", "EUR"))))
    payer = draw(maybe(third_parties))
    payment = draw(payments if type_code in CREDIT_TYPES or payer is not None else maybe(payments))
    totals = Totals(
        lines_net=draw(amounts), allowances=draw(maybe(amounts)), charges=draw(maybe(amounts)),
        without_vat=draw(amounts), vat=draw(amounts), with_vat=draw(amounts), paid=draw(maybe(amounts)),
        rounding=draw(maybe(amounts)), due=draw(amounts),
        vat_in_accounting_currency=draw(maybe(amounts)) if vat_currency else None,
    )
    due_date = draw(maybe(dates))
    return Invoice(
        number=draw(codes), issue_date=draw(dates), type_code=type_code, currency=currency, vat_currency=vat_currency,
        tax_point_date=draw(maybe(dates)), tax_point_date_code=draw(maybe(st.sampled_from(("3", "35", "432")))),
        due_date=due_date, buyer_reference=draw(maybe(texts)), project_reference=draw(maybe(codes)),
        purchase_order_reference=draw(maybe(codes)), purchase_order_date=draw(maybe(dates)),
        sales_order_reference=draw(maybe(codes)), receiving_advice_reference=draw(maybe(codes)),
        **draw(dated), tender_or_lot_reference=draw(maybe(codes)),
        invoiced_objects=draw(lists(references)), buyer_accounting_reference=draw(maybe(codes)),
        payment_terms=draw(maybe(texts)), notes=draw(notes),
        business_process=draw(maybe(st.sampled_from(sorted(FRAMES)))),
        specification_identifier=draw(maybe(st.just("urn:cen.eu:en16931:2017"))),
        preceding_invoices=draw(lists(earlier)),
        delivery_note=draw(maybe(st.builds(DeliveryNote, number=codes, issue_date=maybe(dates)))),
        document_name=draw(maybe(texts)), currency_exchange=draw(maybe(exchanges)),
        cash_discounts=draw(cash_discounts(due_date)), seller=draw(with_department(sellers)),
        buyer=draw(with_department(party(tax_registration=maybe(codes)))), payee=draw(maybe(payees)),
        tax_representative=draw(maybe(representatives)), delivery=draw(maybe(deliveries)),
        delivery_terms=draw(maybe(delivery_terms)), payer=payer,
        sales_agent=draw(maybe(third_parties)), buyer_agent=draw(maybe(third_parties)),
        invoicer=draw(maybe(third_parties)), invoicee=draw(maybe(third_parties)),
        invoicing_period=draw(maybe(periods)), payment=payment,
        allowances=draw(lists(allowances("95", "100", document=True))),
        charges=draw(lists(allowances("FC", "ABL", document=True))), totals=totals,
        vat_breakdown=draw(lists(breakdowns)), supporting_documents=draw(lists(documents)),
        lines=draw(lists(lines(second_currency=vat_currency is not None), least=1)),
    )

"""Made-up invoices for property tests: realistic in shape, arbitrary in content.

What is drawn obeys the schemas (a supporting document has a reference, a line an item) and the few things that
the two syntaxes cannot say alike (identifiers without a scheme come first, notes without a code come first).
"""

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
    Contact,
    CreditTransfer,
    Delivery,
    DirectDebit,
    Identifier,
    Invoice,
    Item,
    ItemAttribute,
    ItemIdentifier,
    Line,
    Note,
    Party,
    PaymentCard,
    PaymentInstructions,
    Period,
    PrecedingInvoice,
    Price,
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
sellers = party(tax_registration=maybe(codes), additional_legal_information=maybe(texts))
payees = st.builds(Party, name=texts, identifiers=party_identifiers, legal_registration=maybe(identifiers))
representatives = st.builds(Party, name=texts, vat_identifier=maybe(codes), address=maybe(addresses))
notes = st.tuples(
    lists(st.builds(Note, text=texts)),
    lists(st.builds(Note, subject_code=st.sampled_from(sorted(NOTE_SUBJECTS)), text=texts), most=3),
).map(lambda parts: parts[0] + parts[1])
deliveries = filled(Delivery, party_name=texts, location=identifiers, actual_date=dates, address=addresses)
payments = st.builds(
    PaymentInstructions, means_code=st.sampled_from(("30", "58", "48", "59", "1")), means_text=maybe(texts),
    remittance_information=maybe(texts),
    credit_transfers=lists(filled(CreditTransfer, account=accounts, account_name=texts, service_provider=codes), 3),
    card=maybe(st.builds(PaymentCard, account_number=codes, holder_name=maybe(texts))),
    direct_debit=maybe(filled(DirectDebit, mandate=codes, creditor=codes, debited_account=accounts)),
)


def allowances(*reason_codes: str, document: bool) -> st.SearchStrategy[AllowanceCharge]:
    vat = {"vat_category": maybe(categories), "vat_rate": maybe(rates)} if document else {}
    return st.builds(
        AllowanceCharge, amount=amounts, base_amount=maybe(amounts), percentage=maybe(rates), reason=maybe(texts),
        reason_code=maybe(st.sampled_from(reason_codes)), **vat,
    )


breakdowns = st.builds(
    VatBreakdown, taxable_amount=amounts, tax_amount=amounts, category=categories, rate=maybe(rates),
    exemption_reason=maybe(texts), exemption_reason_code=maybe(st.just("VATEX-EU-AE")),
)
attachments = st.builds(
    Attachment, content=st.binary(min_size=1, max_size=40), mime_code=st.just("application/pdf"),
    filename=maybe(texts),
)
documents = st.builds(
    SupportingDocument, reference=codes, description=maybe(texts), location=maybe(st.just("https://example.org/a?b=c&d")),
    attachment=maybe(attachments),
)
items = st.builds(
    Item, name=texts, description=maybe(texts), seller_identifier=maybe(codes), buyer_identifier=maybe(codes),
    standard_identifier=maybe(st.builds(Identifier, value=codes, scheme=st.just("0160"))),
    classifications=lists(st.builds(ItemIdentifier, value=codes, scheme=maybe(codes), scheme_version=maybe(codes))),
    origin_country=maybe(countries), attributes=lists(st.builds(ItemAttribute, name=texts, value=texts)),
)


@st.composite
def item_prices(draw: st.DrawFn) -> Price:
    gross = draw(maybe(prices))
    quantity = draw(maybe(prices))
    return Price(
        net=draw(prices), gross=gross, discount=None if gross is None else draw(maybe(prices)),
        base_quantity=quantity, base_quantity_unit=None if quantity is None else draw(maybe(st.just("C62"))),
    )


lines = st.builds(
    Line, id=codes, note=maybe(texts), object_identifier=maybe(references), quantity=prices,
    unit=st.sampled_from(("C62", "HUR", "KGM")), net_amount=amounts, purchase_order_line=maybe(codes),
    buyer_accounting_reference=maybe(codes), period=maybe(periods),
    allowances=lists(allowances("95", "100", document=False)),
    charges=lists(allowances("FC", "ABL", document=False)), price=item_prices(), vat_category=categories,
    vat_rate=maybe(rates), item=items,
)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    type_code = draw(st.sampled_from(sorted(FRENCH_TYPES)))
    currency, vat_currency = draw(st.sampled_from((("EUR", None), ("USD", "EUR"))))
    payment = draw(payments if type_code in CREDIT_TYPES else maybe(payments))
    totals = Totals(
        lines_net=draw(amounts), allowances=draw(maybe(amounts)), charges=draw(maybe(amounts)),
        without_vat=draw(amounts), vat=draw(amounts), with_vat=draw(amounts), paid=draw(maybe(amounts)),
        rounding=draw(maybe(amounts)), due=draw(amounts),
        vat_in_accounting_currency=draw(maybe(amounts)) if vat_currency else None,
    )
    return Invoice(
        number=draw(codes), issue_date=draw(dates), type_code=type_code, currency=currency, vat_currency=vat_currency,
        tax_point_date=draw(maybe(dates)), tax_point_date_code=draw(maybe(st.sampled_from(("3", "35", "432")))),
        due_date=draw(maybe(dates)), buyer_reference=draw(maybe(texts)), project_reference=draw(maybe(codes)),
        contract_reference=draw(maybe(codes)), purchase_order_reference=draw(maybe(codes)),
        sales_order_reference=draw(maybe(codes)), receiving_advice_reference=draw(maybe(codes)),
        despatch_advice_reference=draw(maybe(codes)), tender_or_lot_reference=draw(maybe(codes)),
        invoiced_object=draw(maybe(references)), buyer_accounting_reference=draw(maybe(codes)),
        payment_terms=draw(maybe(texts)), notes=draw(notes),
        business_process=draw(maybe(st.sampled_from(sorted(FRAMES)))),
        specification_identifier=draw(maybe(st.just("urn:cen.eu:en16931:2017"))),
        preceding_invoices=draw(lists(st.builds(PrecedingInvoice, number=codes, issue_date=maybe(dates)))),
        seller=draw(sellers), buyer=draw(party()), payee=draw(maybe(payees)),
        tax_representative=draw(maybe(representatives)), delivery=draw(maybe(deliveries)),
        invoicing_period=draw(maybe(periods)), payment=payment,
        allowances=draw(lists(allowances("95", "100", document=True))),
        charges=draw(lists(allowances("FC", "ABL", document=True))), totals=totals,
        vat_breakdown=draw(lists(breakdowns)), supporting_documents=draw(lists(documents)),
        lines=draw(lists(lines, least=1)),
    )

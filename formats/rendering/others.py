"""What the model says and no block of the page shows: listed by name, so that the readable form shows all of it.

Source: a readable form must show all structured data (FNFE note on the French formats, 2026-06-30).
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from formats.invoice import Invoice
from formats.rendering.phrases import Pair

DESIGNED: dict[str, frozenset[str]] = {
    kind: frozenset(names.split()) for kind, names in {
        "Invoice": "number issue_date type_code currency vat_currency tax_point_date tax_point_date_code due_date "
                   "buyer_reference project_reference contract_reference purchase_order_reference "
                   "sales_order_reference receiving_advice_reference despatch_advice_reference "
                   "tender_or_lot_reference invoiced_objects buyer_accounting_reference payment_terms notes "
                   "business_process specification_identifier preceding_invoices seller buyer payee "
                   "tax_representative delivery invoicing_period payment allowances charges totals vat_breakdown "
                   "supporting_documents lines contract_type contract_date purchase_order_date "
                   "despatch_advice_date delivery_terms payer invoicee invoicer buyer_agent sales_agent document_name "
                   "delivery_note currency_exchange cash_discounts third_party_payments",
        "Identifier": "value scheme",
        "Address": "line_1 line_2 line_3 city post_code country_subdivision country",
        "Contact": "name telephone email",
        "Party": "name trading_name identifiers legal_registration vat_identifier tax_registration role_code "
                 "tax_registration_scheme "
                 "additional_legal_information electronic_address address contact department",
        "Note": "subject_code text",
        "PrecedingInvoice": "number issue_date type_code",
        "LinePrecedingInvoice": "number issue_date type_code line",
        "DeliveryTerms": "code location",
        "Period": "start end",
        "Delivery": "party_name location actual_date electronic_address address contact",
        "DeliveryNote": "number issue_date",
        "CurrencyExchange": "source target rate day",
        "CashDiscount": "percentage basis_amount amount start period period_unit due_date",
        "ThirdPartyPayment": "type amount description",
        "CreditTransfer": "account account_name service_provider",
        "PaymentCard": "account_number holder_name",
        "DirectDebit": "mandate creditor debited_account",
        "PaymentInstructions": "means_code means_text remittance_information credit_transfers card direct_debit",
        "AllowanceCharge": "amount base_amount percentage vat_category vat_rate reason reason_code tax_code "
                           "exemption_reason exemption_reason_code",
        "Totals": "lines_net allowances charges without_vat vat vat_in_accounting_currency with_vat paid rounding due",
        "VatBreakdown": "taxable_amount tax_amount category rate exemption_reason exemption_reason_code",
        "Attachment": "content mime_code filename",
        "SupportingDocument": "reference description location attachment",
        "Price": "net discount gross base_quantity base_quantity_unit discount_reason discount_reason_code "
                 "further_discounts",
        "PriceDiscount": "amount reason reason_code",
        "ItemIdentifier": "value scheme scheme_version name",
        "ItemAttribute": "name value code measure measure_unit",
        "Item": "name description seller_identifier buyer_identifier standard_identifier classifications "
                "origin_country attributes",
        "Line": "id notes object_identifiers quantity unit net_amount purchase_order_line buyer_accounting_reference "
                "period allowances charges price vat_category vat_rate item parent subtype vat_amount "
                "vat_in_accounting_currency amount_with_vat purchase_order_reference purchase_order_date "
                "sales_order_line sales_order_reference despatch_advice_line despatch_advice_reference "
                "preceding_invoices delivery delivery_terms seller exemption_reason exemption_reason_code",
    }.items()
}
"""The fields of the model that have a place of their own on the page, by class."""


def undesigned(invoice: Invoice) -> list[Pair]:
    """Name and text of everything else, but for the lines, which show their own."""
    return [pair for field in fields(invoice) if field.name != "lines"
            for pair in beyond(invoice, field.name, field.name)]


def undesigned_of(group: Any) -> list[Pair]:
    """Name and text of everything in one group, however deep, that has no place."""
    return [pair for field in fields(group) for pair in beyond(group, field.name, field.name)]


def beyond(owner: Any, name: str, path: str) -> Iterator[Pair]:
    """What one field holds that has no place: below a field with a place, only what is new there."""
    placed = name in DESIGNED.get(type(owner).__name__, ())
    value = getattr(owner, name)
    several = isinstance(value, tuple) and len(value) > 1
    for number, one in enumerate(value if isinstance(value, tuple) else (value,), 1):
        where = f"{path} {number}" if several else path
        if is_dataclass(one) and placed:
            for field in fields(one):
                yield from beyond(one, field.name, f"{where} › {field.name}")
        elif not placed:
            yield from plain(one, where)


def plain(value: Any, path: str) -> Iterator[Pair]:
    """Every text in a value, under the names of its fields."""
    if is_dataclass(value):
        for field in fields(value):
            yield from plain(getattr(value, field.name), f"{path} › {field.name}")
    elif isinstance(value, tuple):
        for number, one in enumerate(value, 1):
            yield from plain(one, f"{path} {number}")
    elif value is not None:
        yield path.replace("_", " "), as_text(value)


def as_text(value: Any) -> str:
    """A value as the JSON form would write it; bytes by their number."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)

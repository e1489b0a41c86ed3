"""The whole table, in the order in which an invoice is written.

Order among the rows matters only where one writes into an element that another makes; the order of elements in
the document comes from the schema.
"""

from formats.invoice import Invoice
from formats.mapping.extensions import DELIVERY_TERMS, PAYER, THIRD_PARTIES
from formats.mapping.header import (
    BG_13,
    BG_14,
    BG_24,
    CASH_DISCOUNTS,
    DATES,
    DELIVERY_NOTE,
    EXCHANGE,
    IDENTIFICATION,
    NOTES,
    REFERENCES,
)
from formats.mapping.lines import BG_25
from formats.mapping.parties import BUYER, PAYEE, SELLER, TAX_REPRESENTATIVE
from formats.mapping.totals import BG_16, BG_20, BG_21, BG_22, BG_23, THIRD_PARTY_PAYMENTS
from formats.rows import Group

INVOICE = Group(
    "invoice", "", Invoice, ubl=".", cii=".",
    rows=(
        *IDENTIFICATION, *REFERENCES, NOTES, SELLER, BUYER, PAYEE, TAX_REPRESENTATIVE,
        *THIRD_PARTIES, BG_13, DELIVERY_NOTE, DELIVERY_TERMS, BG_14, BG_16, PAYER, BG_20, BG_21, BG_22, THIRD_PARTY_PAYMENTS, EXCHANGE, BG_23,
        *DATES, CASH_DISCOUNTS, BG_24, BG_25,
    ),
)

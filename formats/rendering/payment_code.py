"""The QR code with which a phone pays by SEPA credit transfer: an invoice, or what a letter asks for. Pure.

Source: EPC069-12, version 3.1 of the guidelines, version 002 of the data (BIC may be absent). A code is made only
where every datum fits as it stands: nothing is cut, guessed or converted. A credit note gets none.
"""

import io
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import segno
from stdnum import iso11649

from formats.codes import CREDIT_TYPES, OTHER_CREDIT_TYPES
from formats.identifiers import is_iban
from formats.invoice import CreditTransfer, Invoice, PaymentInstructions

TRANSFERS = {"30", "58"}
"""BT-81: credit transfer, SEPA credit transfer."""

LEAST, MOST = Decimal("0.01"), Decimal("999999999.99")
LONGEST_NAME = 70
LONGEST_TEXT = 140
MOST_BYTES = 331
MASK = 2
"""column mod 3: what scoring picks for seven of ten payment texts."""

PIXELS = 6
"""Of one square in the PNG: sharp on a screen of twice the usual density."""

BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


class NoCode(StrEnum):
    """Why there is no payment code."""

    CREDIT_NOTE = "credit-note"
    NOT_A_TRANSFER = "not-a-transfer"
    CURRENCY = "currency"
    AMOUNT = "amount"
    NO_IBAN = "no-iban"
    BIC = "bic"
    NAME = "name"
    REFERENCE = "reference"
    TOO_LONG = "too-long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a code asks for, as the documents write it."""

    name: str
    """The payee: whose account it is."""

    account: str | None
    """IBAN, blanks allowed."""

    bic: str | None
    amount: Decimal | None
    currency: str | None
    reference: str
    """For the payee: a creditor reference (ISO 11649) or free text."""


def payment_code(invoice: Invoice) -> str | NoCode:
    """The text of the code of an invoice: payee, account, amount due and reference; or why there is none.

    The reference is the remittance information (BT-83), else the number of the invoice.
    """
    how = invoice.payment or PaymentInstructions()
    if invoice.type_code in CREDIT_TYPES | OTHER_CREDIT_TYPES:
        return NoCode.CREDIT_NOTE
    if how.means_code not in TRANSFERS:
        return NoCode.NOT_A_TRANSFER
    account = account_to_pay(how)
    return transfer_code(Transfer(
        name=payee_name(invoice, account), account=account.account if account else None,
        bic=account.service_provider if account else None, amount=invoice.totals.due, currency=invoice.currency,
        reference=how.remittance_information or invoice.number or ""))


def transfer_code(transfer: Transfer) -> str | NoCode:
    """The text of the code of a transfer, or why there is none."""
    account, bic, amount = compact(transfer.account), compact(transfer.bic), transfer.amount
    name, reference = one_line(transfer.name), one_line(transfer.reference)
    if transfer.currency != "EUR":
        return NoCode.CURRENCY
    if amount is None or not LEAST <= amount <= MOST or amount != amount.quantize(LEAST):
        return NoCode.AMOUNT
    if not is_iban(account):
        return NoCode.NO_IBAN
    if bic and not BIC.fullmatch(bic):
        return NoCode.BIC
    if not 1 <= len(name) <= LONGEST_NAME:
        return NoCode.NAME
    if len(reference) > LONGEST_TEXT:
        return NoCode.REFERENCE
    structured = iso11649.is_valid(reference)
    text = "\n".join((
        "BCD", "002", "1", "SCT", bic, name, account, f"EUR{amount.quantize(LEAST)}", "",
        iso11649.compact(reference) if structured else "", "" if structured else reference))
    return text.rstrip("\n") if len(text.encode()) <= MOST_BYTES else NoCode.TOO_LONG


def account_to_pay(how: PaymentInstructions) -> CreditTransfer | None:
    """The first account whose IBAN is right, else the first that is written at all."""
    written = [one for one in how.credit_transfers if one.account]
    return next((one for one in written if is_iban(compact(one.account))), written[0] if written else None)


def picture(text: str) -> bytes:
    """The code as SVG, black without its quiet zone."""
    made = io.BytesIO()
    _drawn(text).save(made, kind="svg", border=0, xmldecl=False, svgns=True, nl=False, dark="#000")
    return made.getvalue()


def pixels(text: str) -> bytes:
    """The code as PNG, black on white with its quiet zone: for mails, whose readers show no SVG."""
    made = io.BytesIO()
    _drawn(text).save(made, kind="png", scale=PIXELS, dark="#000", light="#fff")
    return made.getvalue()


def _drawn(text: str) -> segno.QRCode:
    """Error correction M, as the guidelines ask.

    The mask is given: its number stands in the code, and every reader takes any. To score all eight for the one that
    is read best in bad light (ISO/IEC 18004, 7.8) takes longer than all the rest of the page's data.
    """
    return segno.make_qr(text, error="m", boost_error=False, encoding="utf-8", eci=False, mask=MASK)


def payee_name(invoice: Invoice, transfer: CreditTransfer | None) -> str:
    """Whose account it is: the account's own name, else the payee, else the seller."""
    payee = invoice.payee.name if invoice.payee else None
    return (transfer.account_name if transfer else None) or payee or invoice.seller.name or ""


def compact(text: str | None) -> str:
    """An account or a BIC without blanks."""
    return "".join((text or "").split())


def one_line(text: str) -> str:
    """A line feed ends a datum of the code: blanks of all kinds become one."""
    return " ".join(text.split())

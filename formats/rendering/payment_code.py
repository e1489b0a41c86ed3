"""The QR code with which a phone pays the invoice by SEPA credit transfer.

Source: EPC069-12, version 3.1 of the guidelines, version 002 of the data (BIC may be absent). A code is made only
where every datum fits as it stands: nothing is cut, guessed or converted. A credit note gets none.
"""

import io
import re
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


def payment_code(invoice: Invoice) -> str | NoCode:
    """The text of the code: payee, first IBAN, amount due and reference; or why there is none.

    The reference is the remittance information (BT-83), else the number of the invoice.
    """
    how, due = invoice.payment or PaymentInstructions(), invoice.totals.due
    transfer = next((one for one in how.credit_transfers if is_iban(compact(one.account))), None)
    name = one_line(payee_name(invoice, transfer))
    reference = one_line(how.remittance_information or invoice.number or "")
    bic = compact(transfer.service_provider) if transfer else ""
    if invoice.type_code in CREDIT_TYPES | OTHER_CREDIT_TYPES:
        return NoCode.CREDIT_NOTE
    if how.means_code not in TRANSFERS:
        return NoCode.NOT_A_TRANSFER
    if invoice.currency != "EUR":
        return NoCode.CURRENCY
    if due is None or not LEAST <= due <= MOST or due != due.quantize(LEAST):
        return NoCode.AMOUNT
    if transfer is None:
        return NoCode.NO_IBAN
    if bic and not BIC.fullmatch(bic):
        return NoCode.BIC
    if not 1 <= len(name) <= LONGEST_NAME:
        return NoCode.NAME
    if len(reference) > LONGEST_TEXT:
        return NoCode.REFERENCE
    structured = iso11649.is_valid(reference)
    text = "\n".join((
        "BCD", "002", "1", "SCT", bic, name, compact(transfer.account), f"EUR{due.quantize(LEAST)}", "",
        iso11649.compact(reference) if structured else "", "" if structured else reference))
    return text.rstrip("\n") if len(text.encode()) <= MOST_BYTES else NoCode.TOO_LONG


def picture(text: str) -> bytes:
    """The code as SVG, black without its quiet zone, error correction M as the guidelines ask.

    The mask is given: its number stands in the code, and every reader takes any. To score all eight for the one that
    is read best in bad light (ISO/IEC 18004, 7.8) takes longer than all the rest of the page's data.
    """
    made = io.BytesIO()
    segno.make_qr(text, error="m", boost_error=False, encoding="utf-8", eci=False, mask=MASK).save(
        made, kind="svg", border=0, xmldecl=False, svgns=True, nl=False, dark="#000")
    return made.getvalue()


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

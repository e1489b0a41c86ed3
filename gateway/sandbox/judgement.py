"""What the sandbox thinks of a deposited flow: the acknowledgement, which is transmission only.

Invoices are read in a workshop process and checked against the schema, not against business rules: an
acknowledgement says that the platform could take the document in, a rejection (213) comes from a script.
"""

from dataclasses import dataclass

from formats.codes import SELF_BILLED_TYPES, STATUSES
from formats.errors import FormatError
from formats.status import StatusMessage
from gateway.sandbox.ledger import FlowRow, InvoiceRow, Ledger
from gateway.sandbox.messages import InvoiceFacts, facts_of
from gateway.sandbox.stage import Stage
from validation.findings import Report, Verdict

FLOW_SYNTAX = {"ubl-invoice": "UBL", "ubl-credit-note": "UBL", "cii": "CII", "factur-x": "Factur-X"}
"""Our names of what was found, and the names of the interface."""

SELLER_SETS = frozenset(code for code, status in STATUSES.items() if status.set_by == "seller") | {"211"}
BUYER_SETS = frozenset(code for code, status in STATUSES.items() if status.set_by == "buyer")
"""Which statuses a party may send about its own invoice (211: a refund), and about one it received."""

MAX_DETAILS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The acknowledgement to come. `problems` are (item, reasonCode, reasonMessage); none means Ok."""

    flow_type: str = "Undefined"
    problems: tuple[tuple[str, str, str], ...] = ()
    facts: InvoiceFacts | None = None
    status: StatusMessage | None = None
    about: InvoiceRow | None = None
    """The invoice that `status` speaks about."""


def judge(stage: Stage, flow: FlowRow) -> Judgement:
    """Look at a flow. Reads the document in a workshop process; changes nothing."""
    if not flow.document:
        return refusal("file", "EmptyFlow", "The file is empty")
    if flow.claimed_sha256 not in {None, flow.sha256}:
        return refusal("sha256", "ChecksumMismatch", f"The file has {flow.sha256}")
    if flow.syntax == "FRR":
        return Judgement(flow_type="MultiFlowReport")
    try:
        return judge_status(stage, flow) if flow.syntax == "CDAR" else judge_invoice(stage, flow)
    except FormatError as error:
        return refusal("file", "OtherTechnicalError", f"[{error.code}] {error}")


def judge_invoice(stage: Stage, flow: FlowRow) -> Judgement:
    """An invoice: readable, in the syntax that was announced, keeping the schema, with number and date."""
    inspection = stage.workshop.inspect(flow.document, as_of=stage.ledger.now().date(), layers=("xsd",))
    invoice, report = inspection.invoice, inspection.report
    if report.verdict is Verdict.ERROR:
        return refusal("file", "OtherTechnicalError", "The file could not be checked within the limits")
    if invoice is None or report.verdict is Verdict.INVALID:
        return Judgement(problems=broken_rules(report, "InvalidSchema") or (
            ("file", "InvalidSchema", f"No invoice can be read from this file ({report.syntax})"),))
    found = FLOW_SYNTAX.get(report.syntax)
    if found != flow.syntax:
        return refusal("flowSyntax", "FlowTypeError", f"Announced as {flow.syntax}, found {report.syntax}")
    facts = facts_of(invoice)
    if facts is None:
        return refusal("file", "OtherTechnicalError", "The invoice has no number or no date")
    # A self-billed invoice is the buyer's: customer and supplier change places (description of FlowType).
    flow_type = "SupplierInvoice" if facts.type_code in SELF_BILLED_TYPES else "CustomerInvoice"
    return Judgement(flow_type=flow_type, facts=facts)


def judge_status(stage: Stage, flow: FlowRow) -> Judgement:
    """A status of our user's: by the published rules, about a known invoice, within what the user may set."""
    reading = stage.workshop.read_status(flow.document, as_of=stage.ledger.now().date())
    message = reading.message
    if reading.report.verdict is Verdict.ERROR:
        return refusal("file", "OtherTechnicalError", "The status could not be checked")
    if message is None:
        return Judgement(problems=broken_rules(reading.report, "InvalidSchema") or (
            ("file", "InvalidSchema", "No status can be read from this file"),))
    if reading.report.verdict is Verdict.INVALID:
        return Judgement(problems=broken_rules(reading.report, "InvoiceLCRuleError"))
    invoice = invoice_of(stage.ledger, message)
    if invoice is None:
        return refusal("MDT-87", "InvoiceLCInvalidStatus", f"Invoice {message.invoice_number} is not known here")
    outgoing = invoice.direction == "Out"
    if invoice.rejected:
        return refusal("MDT-105", "InvoiceLCStatusError", "The invoice is rejected (213)")
    if message.code not in (SELLER_SETS if outgoing else BUYER_SETS):
        return refusal("MDT-105", "InvoiceLCAccessDenied", f"Status {message.code} is not this party's to set")
    return Judgement(flow_type="CustomerInvoiceLC" if outgoing else "SupplierInvoiceLC", status=message, about=invoice)


def invoice_of(ledger: Ledger, message: StatusMessage) -> InvoiceRow | None:
    """The invoice that a status is about: number, seller if named, date if given. The newest, if several."""
    seller = message.seller.value if message.seller is not None else None
    year = message.invoice_date.year if message.invoice_date is not None else None
    found = [row for row in ledger.invoices(seller, message.invoice_number) if year in {None, row.year}]
    return found[-1] if found and message.invoice_number else None


def earlier_deposit(ledger: Ledger, facts: InvoiceFacts, direction: str) -> InvoiceRow | None:
    """A deposit of the same invoice that was taken in and not rejected since."""
    seller, number, year = facts.key
    return next((row for row in ledger.invoices(seller, number)
                 if row.year == year and row.direction == direction and not row.rejected), None)


def refusal(item: str, code: str, message: str) -> Judgement:
    """A judgement with one problem."""
    return Judgement(problems=((item, code, message),))


def broken_rules(report: Report, code: str) -> tuple[tuple[str, str, str], ...]:
    """The blocking findings as problems, the first ten."""
    blocking = [finding for finding in report.findings if finding.severity.blocks and finding.blocks]
    return tuple((finding.location or finding.rule, code, f"[{finding.rule}] {finding.message.en}"[:1000])
                 for finding in blocking[:MAX_DETAILS])

"""The mail of one reminder: words, bank details from the invoice itself, and the invoice as a PDF."""

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from archive.store import Digest
from formats.errors import FormatError
from formats.invoice import Invoice
from gateway.accounts.appearance import appearance_of
from gateway.deps import PARIS, Deps
from gateway.mail import Attachment, Mail, compose
from gateway.outgoing.drafts import file_name
from gateway.reminders.decide import ADDRESS
from gateway.reminders.letter import Account, Letter, write
from gateway.reminders.scenario import THANKS
from gateway.reminders.state import Seen
from gateway.tables import Document

MOST_ATTACHED: Final = 7 << 20
"""Bytes of a PDF that still goes with a mail: many servers refuse 10 MB, and base64 adds a third."""

FRENCH_SPEAKING: Final = frozenset(
    {"FR", "BE", "LU", "MC", "CH", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF", "TF"}
)
DIRECT_DEBIT: Final = frozenset({"49", "59"})
OTHER_ACCOUNT: Final = frozenset({"225", "226", "227"})
"""Factored, or another account to pay to: the account on the invoice may no longer be the right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A mail that is ready to go."""

    content: bytes
    message_id: str
    recipient: str
    subject: str
    attached: str | None
    """File name of the PDF; None without one."""

    not_attached: str | None
    """Why there is none."""


def message_id_of(tenant_id: str, submission_id: str, stage: str, sender: str) -> str:
    """The Message-ID of a stage of an invoice: the same intent has the same id, whenever it is tried."""
    digest = hashlib.sha256(f"{tenant_id}/{submission_id}/{stage}".encode()).hexdigest()
    return f"<relance.{digest[:32]}@{sender.rpartition('@')[2]}>"


def draft_mail(deps: Deps, seen: Seen) -> Drafted:
    """The mail that `seen.decision` calls for. Reads the invoice in the workshop: slow, never in a transaction."""
    submission, facts, decision = seen.submission, seen.facts, seen.decision
    stage, tone, recipient = decision.stage or "", decision.tone or "", facts.email or ""
    document = deps.store.get(Digest(submission.sent_sha256 or submission.sha256))
    invoice = deps.workshop.inspect(document, as_of=deps.today()).invoice or Invoice()
    lang = language_of(invoice)
    pdf, trouble = (None, "inutile") if tone == THANKS else _pdf(deps, seen, document, lang)
    written = write(_letter(deps, seen, invoice, lang=lang, tone=tone, attached=pdf is not None))
    sender = deps.settings.mail_from
    contact = seen.entity.contact_email if seen.entity else None
    message_id = message_id_of(submission.tenant_id, submission.id, stage, sender)
    content = compose(Mail(
        sender=sender, sender_name=(seen.entity.name if seen.entity else submission.seller_name) or "",
        recipient=recipient, reply_to=contact if contact and ADDRESS.fullmatch(contact) else None,
        subject=written.subject, text=written.text, html=written.html, lang=lang, message_id=message_id,
        at=deps.now().astimezone(PARIS),
        references=tuple(row.facts["message_id"] for row in seen.rows if row.outcome == "sent"),
        attachments=(pdf,) if pdf else (),
    ))
    return Drafted(content=content, message_id=message_id, recipient=recipient, subject=written.subject,
                   attached=pdf.name if pdf else None, not_attached=trouble)


def language_of(invoice: Invoice) -> str:
    """French for a buyer in a country where it is spoken, or whose country is not known; else English."""
    country = invoice.buyer.address.country if invoice.buyer.address else None
    return "fr" if country is None or country in FRENCH_SPEAKING else "en"


def _letter(deps: Deps, seen: Seen, invoice: Invoice, *, lang: str, tone: str, attached: bool) -> Letter:
    submission, facts, entity = seen.submission, seen.facts, seen.entity
    lines = (entity.contact_name, entity.name, entity.contact_email) if entity else (submission.seller_name,)
    notes = {note.subject_code: note.text for note in reversed(invoice.notes)}
    return Letter(
        tone=tone, lang=lang, number=facts.number, issue_date=submission.issue_date, due_date=facts.due_date,
        today=deps.today(), currency=facts.currency, due=facts.due, paid=facts.paid, credited=facts.credited,
        signature=tuple(line for line in lines if line),
        reminded=any(sent.offset is not None and sent.offset > 0 for sent in facts.sent),
        professional=submission.processing_rule != "B2C",
        account=None if OTHER_ACCOUNT & {status.code for status in facts.statuses} else account_of(invoice),
        reference=invoice.payment.remittance_information if invoice.payment else None,
        late_interest=notes.get("PMD"), indemnity=notes.get("PMT"), attached=attached,
    )


def account_of(invoice: Invoice) -> Account | None:
    """The first account for a credit transfer; None where the invoice is collected by direct debit."""
    payment = invoice.payment
    if payment is None or payment.means_code in DIRECT_DEBIT:
        return None
    for transfer in payment.credit_transfers:
        if transfer.account:
            return Account(number=transfer.account, bic=transfer.service_provider, holder=transfer.account_name)
    return None


def _pdf(deps: Deps, seen: Seen, document: bytes, lang: str) -> tuple[Attachment | None, str | None]:
    """The PDF that was sent or received, else one drawn as the entity's look wants; (None, why) where there is none."""
    submission = seen.submission
    with deps.db.reading(submission.tenant_id) as session:
        found = session.scalars(select(Document).where(
            Document.submission_id == submission.id, Document.media_type == "application/pdf",
            Document.role.in_(("sent", "original")),
        )).all()
    kept = max(found, key=lambda row: row.role == "sent", default=None)
    look = {"appearance": appearance_of(deps.store, seen.entity)} if seen.entity else {}
    try:
        content = deps.store.get(Digest(kept.sha256)) if kept else deps.workshop.render(document, lang=lang, **look)
    except FormatError as error:
        return None, f"{error.code}: {error}"
    if len(content) > MOST_ATTACHED:
        return None, f"{len(content)} octets : trop volumineux"
    name = file_name(submission.number, "facture" if lang == "fr" else "invoice", "application/pdf")
    return Attachment(name=name, media_type="application/pdf", content=content), None

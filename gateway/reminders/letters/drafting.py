"""The mail of one reminder: words, bank details from the invoice itself, and the invoice as a PDF."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from archive.store import Digest
from formats.errors import FormatError
from formats.invoice import Invoice
from gateway.accounts.appearance import appearance_of
from gateway.deps import PARIS, Deps
from gateway.mail import Attachment, Mail, compose
from gateway.outgoing.drafts import file_name
from gateway.receivables.open_items import open_items
from gateway.reminders.decide import ADDRESS, APPROVED, OPENS
from gateway.reminders.letters.letter import LANGUAGES, Account, Letter, OpenItem, write
from gateway.reminders.letters.links import answers_of
from gateway.reminders.scenario import THANKS
from gateway.reminders.state import Seen, key_of
from gateway.tables import Document, Submission

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

    numbers: tuple[str, ...]
    """The invoices that it is about."""


def message_id_of(tenant_id: str, submission_id: str, stage: str, sender: str) -> str:
    """The Message-ID of a stage of an invoice: the same intent has the same id, whenever it is tried."""
    digest = hashlib.sha256(f"{tenant_id}/{submission_id}/{stage}".encode()).hexdigest()
    return f"<relance.{digest[:32]}@{sender.rpartition('@')[2]}>"


def draft_mail(deps: Deps, group: Sequence[Seen]) -> Drafted:
    """The mail that these decisions call for, in the words of the first. Slow, never in a transaction."""
    seen = group[0]
    submission, facts, decision = seen.submission, seen.facts, seen.decision
    stage, tone, recipient = decision.stage or "", decision.tone or "", facts.email or ""
    invoice = read_invoice(deps, seen)
    lang = language_of(invoice, seen)
    pdfs, trouble = ([], "inutile") if tone == THANKS else _pdfs(deps, group, lang)
    letter = replace(letter_of(deps, seen, invoice, lang=lang, tone=tone), attached=len(pdfs),
                     answers=answers_of(deps, seen, lang) if tone == "before" else ())
    written = write(letter)
    sender = deps.settings.mail_from
    contact = seen.entity.contact_email if seen.entity else None
    message_id = message_id_of(submission.tenant_id, submission.id, stage, sender)
    content = compose(Mail(
        sender=sender, sender_name=(seen.entity.name if seen.entity else submission.seller_name) or "",
        recipient=recipient, reply_to=contact if contact and ADDRESS.fullmatch(contact) else None,
        subject=written.subject, text=written.text, html=written.html, lang=lang, message_id=message_id,
        at=deps.now().astimezone(PARIS),
        references=tuple(dict.fromkeys(row.facts["message_id"] for row in seen.rows
                                       if row.outcome == "sent" and "message_id" in row.facts)),
        attachments=tuple(pdfs),
    ))
    return Drafted(content=content, message_id=message_id, recipient=recipient, subject=written.subject,
                   attached=", ".join(pdf.name for pdf in pdfs) or None, not_attached=trouble,
                   numbers=tuple(one.facts.number for one in group))


def read_invoice(deps: Deps, seen: Seen) -> Invoice:
    """The invoice as a model; an empty one where it cannot be read."""
    document = deps.store.get(Digest(seen.submission.sent_sha256 or seen.submission.sha256))
    return deps.workshop.inspect(document, as_of=deps.today()).invoice or Invoice()


def language_of(invoice: Invoice, seen: Seen | None = None) -> str:
    """The client's own; else French for a country where it is spoken, or that is not known; else English."""
    if seen is not None and seen.client is not None and seen.client.lang in LANGUAGES:
        return seen.client.lang or "fr"
    country = invoice.buyer.address.country if invoice.buyer.address else None
    return "fr" if country is None or country in FRENCH_SPEAKING else "en"


def letter_of(deps: Deps, seen: Seen, invoice: Invoice, *, lang: str, tone: str) -> Letter:
    """What a letter about an invoice tells, mail or paper."""
    submission, facts, entity = seen.submission, seen.facts, seen.entity
    lines = (entity.contact_name, entity.name, entity.contact_email) if entity else (submission.seller_name,)
    notes = {note.subject_code: note.text for note in reversed(invoice.notes)}
    stage = next((one for one in seen.scenario.stages if one.key == seen.decision.stage), None)
    own = ("", "") if stage is None else ((stage.subject_fr, stage.text_fr) if lang == "fr" else
                                          (stage.subject_en, stage.text_en))
    return Letter(
        tone=tone, lang=lang, number=facts.number, issue_date=submission.issue_date, due_date=facts.due_date,
        today=deps.today(), currency=facts.currency, due=facts.due, paid=facts.paid, credited=facts.credited,
        signature=tuple(line for line in lines if line),
        reminded=any(sent.offset is not None and sent.offset > 0 for sent in facts.sent),
        professional=submission.processing_rule != "B2C",
        account=None if OTHER_ACCOUNT & {status.code for status in facts.statuses} else account_of(invoice),
        reference=invoice.payment.remittance_information if invoice.payment else None,
        late_interest=notes.get("PMD"), indemnity=notes.get("PMT"),
        client=submission.buyer_name or "", company=(entity.name if entity else submission.seller_name) or "",
        open_items=() if tone == THANKS else _open_items(deps, seen),
        approved_on=next((status.on for status in reversed(facts.statuses) if status.code == APPROVED), None),
        subject=own[0], text=own[1],
    )


def _open_items(deps: Deps, seen: Seen) -> tuple[OpenItem, ...]:
    """Everything that the client owes this seller in this currency, also what is not due yet, oldest first."""
    with deps.db.reading(seen.submission.tenant_id) as session:
        items = open_items(session, deps.today(), key_of(seen.submission))
        ids = [item.document.id for item in items]
        asked = set(session.scalars(select(Submission.id).where(
            Submission.id.in_(ids), Submission.lifecycle.in_(OPENS))))
    return tuple(OpenItem(number=item.document.number, due_date=item.document.due_date, balance=item.balance,
                          disputed=item.document.id in asked) for item in items
                 if item.document.currency == seen.facts.currency and item.document.seller == (
                     seen.submission.seller_siren or ""))


def account_of(invoice: Invoice) -> Account | None:
    """The first account for a credit transfer; None where the invoice is collected by direct debit."""
    payment = invoice.payment
    if payment is None or payment.means_code in DIRECT_DEBIT:
        return None
    for transfer in payment.credit_transfers:
        if transfer.account:
            return Account(number=transfer.account, bic=transfer.service_provider, holder=transfer.account_name)
    return None


def _pdfs(deps: Deps, group: Sequence[Seen], lang: str) -> tuple[list[Attachment], str | None]:
    """The invoices as PDFs while there is room, and why one is missing."""
    found: list[Attachment] = []
    trouble: list[str] = []
    for seen in group:
        pdf, why = _pdf(deps, seen, lang, MOST_ATTACHED - sum(len(one.content) for one in found))
        found += [pdf] if pdf else []
        trouble += [why] if why else []
    return found, "; ".join(trouble) or None


def _pdf(deps: Deps, seen: Seen, lang: str, room: int) -> tuple[Attachment | None, str | None]:
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
        content = deps.store.get(Digest(kept.sha256)) if kept else deps.workshop.render(
            deps.store.get(Digest(submission.sent_sha256 or submission.sha256)), lang=lang, **look)
    except FormatError as error:
        return None, f"{error.code}: {error}"
    if len(content) > room:
        return None, f"{len(content)} octets : trop volumineux"
    name = file_name(submission.number, "facture" if lang == "fr" else "invoice", "application/pdf")
    return Attachment(name=name, media_type="application/pdf", content=content), None

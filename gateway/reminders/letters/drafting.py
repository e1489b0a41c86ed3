"""The mail of one day to one client: words, what to pay and how, from the invoices themselves, and these as PDFs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from archive.store import Digest
from formats.invoice import Invoice
from formats.rendering.payment_code import account_to_pay, payee_name, pixels
from gateway.deps import Deps
from gateway.mail import Attachment, Mail, channel_of, compose
from gateway.receivables.open_items import open_items
from gateway.reminders.decide import ADDRESS, APPROVED
from gateway.reminders.letters.bills import Account, Bill
from gateway.reminders.letters.enclosing import Enclosed, enclose
from gateway.reminders.letters.letter import LANGUAGES, Letter, OpenItem
from gateway.reminders.letters.links import answers_of
from gateway.reminders.letters.writing import pay_blocks, write
from gateway.reminders.scenario import THANKS
from gateway.reminders.state import Seen, disputed, key_of
from gateway.tables import Submission

FRENCH_SPEAKING: Final = frozenset(
    {"FR", "BE", "LU", "MC", "CH", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF", "TF"}
)
DIRECT_DEBIT: Final = frozenset({"49", "59"})
OTHER_ACCOUNT: Final = frozenset({"225", "226", "227"})
"""Factored, or another account to pay to: the account on the invoice may no longer be the right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A letter that is ready to go."""

    content: bytes
    """A mail as it travels; the text of an SMS in UTF-8."""

    channel: str
    """smtp, spool or sms."""

    recipient: str
    """A mail address, or a number."""

    subject: str
    facts: Mapping[str, object]
    """What the record of each decision says of it: what is attached and what is not, how it is to be paid."""

    message_id: str | None = None
    """Of a mail."""


def message_id_of(tenant_id: str, submission_id: str, stage: str, sender: str) -> str:
    """The Message-ID of a stage of an invoice: the same intent has the same id, whenever it is tried."""
    digest = hashlib.sha256(f"{tenant_id}/{submission_id}/{stage}".encode()).hexdigest()
    return f"<relance.{digest[:32]}@{sender.rpartition('@')[2]}>"


def draft_mail(deps: Deps, group: Sequence[Seen]) -> Drafted:
    """The mail that these decisions call for, in the words of the first. Slow, never in a transaction."""
    seen = group[0]
    submission, tone, recipient = seen.submission, seen.decision.tone or "", seen.facts.email or ""
    invoices = [read_invoice(deps, one) for one in group]
    lang = language_of(invoices[0], seen)
    letter = letter_of(deps, group, invoices, lang=lang)
    enclosed = Enclosed() if tone == THANKS else enclose(deps, _to_enclose(deps, group, letter), seen.entity, lang)
    letter = replace(
        letter, attached=tuple(number for number, _ in enclosed.files),
        missing=tuple(number for number, _ in enclosed.missing),
        answers=tuple((one.facts.number, answers_of(deps, one, lang)) for one in group) if tone == "before" else ())
    sender = deps.settings.mail_from
    message_id = message_id_of(submission.tenant_id, submission.id, seen.decision.stage or "", sender)
    codes = _codes(letter, message_id)
    written = write(letter, [code.shown_as if code else None for code in codes])
    contact = seen.entity.contact_email if seen.entity else None
    content = compose(Mail(
        sender=sender, sender_name=(seen.entity.name if seen.entity else submission.seller_name) or "",
        recipient=recipient, reply_to=contact if contact and ADDRESS.fullmatch(contact) else None,
        subject=written.subject, text=written.text, html=written.html, lang=lang, message_id=message_id,
        at=deps.now_in_france(),
        references=tuple(dict.fromkeys(
            row.message_id for row in seen.rows if row.outcome == "sent" and row.message_id)),
        attachments=(*(code for code in codes if code), *(file for _, file in enclosed.files)),
    ))
    return Drafted(content=content, channel=channel_of(deps.settings), recipient=recipient, message_id=message_id,
                   subject=written.subject, facts={
        **facts_of(letter), "attached": ", ".join(file.name for _, file in enclosed.files) or None,
        "not_attached": "inutile" if tone == THANKS else "; ".join(
            f"{number} : {why}" for number, why in enclosed.missing) or None})


def facts_of(letter: Letter) -> dict[str, object]:
    """What the record of each decision says of its letter: which invoices share it, how they are to be paid."""
    return {"together": [bill.number for bill in letter.bills],
            "to_pay": [one.to_json() for one in letter.remittances]}


def _codes(letter: Letter, message_id: str) -> list[Attachment | None]:
    """The payment code of each transfer as a picture of the mail."""
    return [Attachment(
        name=f"virement-{place}.png", media_type="image/png", content=pixels(block.code),
        shown_as=f"virement-{place}@{message_id.strip('<>').partition('@')[0]}") if block.code else None
        for place, block in enumerate(pay_blocks(letter), start=1)]


def _to_enclose(deps: Deps, group: Sequence[Seen], letter: Letter) -> list[Submission]:
    """The invoices of the letter, then what else is open and no credit."""
    wanted = [item.id for item in letter.others if item.balance > 0]
    with deps.db.reading(group[0].submission.tenant_id) as session:
        others = {row.id: row for row in session.scalars(select(Submission).where(Submission.id.in_(wanted)))}
    return [*(one.submission for one in group), *(others[one] for one in wanted)]


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


def letter_of(deps: Deps, group: Sequence[Seen], invoices: Sequence[Invoice], *, lang: str) -> Letter:
    """What a letter about these invoices of one client tells, mail or paper; the first gives the words."""
    seen, tone = group[0], group[0].decision.tone or ""
    submission, facts, entity = seen.submission, seen.facts, seen.entity
    lines = (entity.contact_name, entity.name, entity.contact_email) if entity else (submission.seller_name,)
    stage = next((one for one in seen.scenario.stages if one.key == seen.decision.stage), None)
    own = ("", "") if stage is None else ((stage.subject_fr, stage.text_fr) if lang == "fr" else
                                          (stage.subject_en, stage.text_en))
    return Letter(
        tone=tone, lang=lang, bills=tuple(map(_bill, group, invoices)), today=deps.today(), currency=facts.currency,
        signature=tuple(line for line in lines if line),
        reminded=any(sent.offset is not None and sent.offset > 0 for one in group for sent in one.facts.sent),
        professional=submission.processing_rule != "B2C",
        late_interest=_note(invoices, "PMD"), indemnity=_note(invoices, "PMT"),
        client=submission.buyer_name or "", company=(entity.name if entity else submission.seller_name) or "",
        open_items=() if tone == THANKS else _open_items(deps, seen),
        approved_on=next((status.on for status in reversed(facts.statuses) if status.code == APPROVED), None),
        subject=own[0], text=own[1],
    )


def _bill(seen: Seen, invoice: Invoice) -> Bill:
    facts = seen.facts
    moved = OTHER_ACCOUNT & {status.code for status in facts.statuses}
    return Bill(
        id=seen.submission.id, number=facts.number, issue_date=seen.submission.issue_date, due_date=facts.due_date,
        due=facts.due, paid=facts.paid, credited=facts.credited, account=None if moved else account_of(invoice),
        reference=invoice.payment.remittance_information if invoice.payment else None)


def _note(invoices: Sequence[Invoice], code: str) -> str | None:
    """A note of this subject, where all of the invoices say the same."""
    said = {next((note.text for note in one.notes if note.subject_code == code), None) for one in invoices}
    return said.pop() if len(said) == 1 else None


def _open_items(deps: Deps, seen: Seen) -> tuple[OpenItem, ...]:
    """Everything that the client owes this seller in this currency, also what is not due yet, oldest first."""
    with deps.db.reading(seen.submission.tenant_id) as session:
        items = open_items(session, deps.today(), key_of(seen.submission))
        asked = disputed(session, [item.document.id for item in items], deps.today())
    return tuple(
        OpenItem(id=one.id, number=one.number, due_date=one.due_date, balance=item.balance, disputed=one.id in asked)
        for item in items if (one := item.document).currency == seen.facts.currency
        and one.seller == (seen.submission.seller_siren or ""))


def account_of(invoice: Invoice) -> Account | None:
    """Where to transfer the money; None where the invoice is collected by direct debit."""
    payment = invoice.payment
    transfer = account_to_pay(payment) if payment is not None and payment.means_code not in DIRECT_DEBIT else None
    if payment is None or transfer is None or not transfer.account:
        return None
    return Account(number=transfer.account, bic=transfer.service_provider, holder=payee_name(invoice, transfer),
                   means=payment.means_code)

"""The mail that carries the double of an invoice which no platform could bring to its buyer.

The seller owes the buyer the invoice by other means then (DGFiP, case of the recipient without a platform). The
double is what was sent or received as a PDF, else the drawing of the very data that were deposited.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import DictLoader, Environment, StrictUndefined
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.store import Digest
from gateway.accounts.appearance import appearance_of
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.mail import Attachment, Mail, compose
from gateway.outgoing.drafts import file_name
from gateway.record import Change, record
from gateway.tables import Document, Event, LegalEntity, Submission
from validation.workshop import PLAIN

MAIL: Final = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,185}\.[^@\s<>\"',;.]{2,63}")

TEXT: Final = """\
Bonjour,

Vous trouverez ci-joint le double de la facture {{ number }}{{ issued }}{{ total }}, émise par {{ seller }}.

Cette facture est déposée sur une plateforme agréée, mais l'annuaire national ne vous connaît pas de plateforme de \
réception active : elle n'a pas pu vous être remise par cette voie. Choisissez une plateforme agréée pour recevoir les \
suivantes.

Ce double est remis pour votre information ; la facture n'est pas à payer deux fois.

{{ seller }}

--
Please find attached a copy of invoice {{ number }} from {{ seller }}. It was issued through an approved platform, \
but no platform of yours is known to the French directory, so it could not be delivered electronically.
"""
HTML: Final = """\
<!doctype html><html lang="fr"><body>{% for part in parts %}<p>{{ part }}</p>{% endfor %}</body></html>
"""
_WORDS: Final = Environment(loader=DictLoader({"text": TEXT}), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text; the HTML escapes it
_PAGE: Final = Environment(loader=DictLoader({"html": HTML}), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A mail that is ready to go."""

    content: bytes
    message_id: str
    recipient: str


def recipient_of(submission: Submission) -> str | None:
    """The buyer's mail address as the invoice states it (BT-58); None without a usable one."""
    address = (submission.buyer_email or "").strip()
    return address if MAIL.fullmatch(address) else None


def message_id_of(deps: Deps, submission: Submission) -> str:
    """The Message-ID of the double: one intent per invoice, whenever it is tried."""
    return f"<double.{_digest(submission.tenant_id, submission.id)}@{deps.settings.mail_from.rpartition('@')[2]}>"


def doubled_by(session: Session, message_id: str) -> Submission | None:
    """The invoice whose double was sent under this Message-ID; None for any other mail."""
    if not message_id.startswith("<double."):
        return None
    named = message_id.removeprefix("<double.").partition("@")[0]
    sent = session.execute(select(Event.tenant_id, Event.submission_id).where(
        Event.kind == "transmission", Event.code == "duplicate-sent").distinct())
    for tenant_id, submission_id in sent:
        if _digest(tenant_id, submission_id or "") == named:
            return session.get(Submission, (tenant_id, submission_id))
    return None


def double_came_back(session: Session, submission: Submission, reason: str, report: Kept, now: datetime) -> None:
    """The buyer did not get the double: the invoice says so, and keeps the report. In the caller's transaction.

    The hand-over waits for a person anyway, who then finds another way.
    """
    session.add(Document(
        tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role=report.role,
        syntax=None, media_type="message/rfc822", sha256=report.sha256, size=report.size, at=now,
        name=file_name(submission.number, "retour", "message/rfc822")))
    record(session, submission.tenant_id, Change(
        kind="transmission", code="duplicate-failed", actor="worker", submission_id=submission.id, reason=reason,
        objects=(report,)), now=now)


def _digest(tenant_id: str, submission_id: str) -> str:
    return hashlib.sha256(f"{tenant_id}/{submission_id}/duplicate".encode()).hexdigest()[:32]


def write_double(deps: Deps, submission: Submission, recipient: str) -> Double:
    """The mail with the readable invoice. Reads in the workshop: slow, never in a transaction.

    Raises:
        FormatError: the invoice cannot be drawn.
        ArchiveError: its bytes cannot be read.
    """
    with deps.db.reading(submission.tenant_id) as session:
        entity = session.get(LegalEntity, (submission.tenant_id, submission.legal_entity_id or ""))
    seller = (entity.name if entity else submission.seller_name) or ""
    text = _WORDS.get_template("text").render(
        number=submission.number or "", seller=seller,
        issued=f" du {format_date(submission.issue_date, 'long', 'fr')}" if submission.issue_date else "",
        total=f", d'un montant de {format_currency(submission.total, submission.currency, locale='fr')}"
        if submission.total is not None and submission.currency else "")
    message_id = message_id_of(deps, submission)
    content = compose(Mail(
        sender=deps.settings.mail_from, sender_name=seller, recipient=recipient,
        reply_to=entity.contact_email if entity else None,
        subject=f"Double de la facture {submission.number or ''} de {seller}", text=text,
        html=_PAGE.get_template("html").render(parts=[part for part in text.split("\n\n") if part.strip()]),
        lang="fr", message_id=message_id, at=deps.now_in_france(),
        attachments=(Attachment(name=file_name(submission.number, "double", "application/pdf"),
                                media_type="application/pdf", content=_readable(deps, submission, entity)),),
    ))
    return Double(content=content, message_id=message_id, recipient=recipient)


def _readable(deps: Deps, submission: Submission, entity: LegalEntity | None) -> bytes:
    with deps.db.reading(submission.tenant_id) as session:
        found = session.scalars(select(Document).where(
            Document.submission_id == submission.id, Document.media_type == "application/pdf",
            Document.role.in_(("sent", "original")))).all()
    kept = max(found, key=lambda row: row.role == "sent", default=None)
    if kept is not None:
        return deps.store.get(Digest(kept.sha256))
    look = appearance_of(deps.store, entity) if entity is not None else PLAIN
    return deps.workshop.render(deps.store.get(Digest(submission.sent_sha256 or submission.sha256)), appearance=look)

"""The PDFs that go with a mail: its own invoices, then what else the client has open, while there is room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from archive.store import Digest
from formats.errors import FormatError
from gateway.accounts.appearance import appearance_of
from gateway.deps import Deps
from gateway.mail import Attachment
from gateway.outgoing.drafts import file_name
from gateway.tables import Document, LegalEntity, Submission

MOST_BYTES: Final = 7 << 20
"""Of all PDFs of a mail: many servers refuse 10 MB, and base64 adds a third."""

MOST_FILES: Final = 30
"""Nobody opens more of one mail, and each may have to be drawn."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What goes with a mail, and what does not."""

    files: tuple[tuple[str, Attachment], ...] = ()
    """Number of the invoice, and its PDF."""

    missing: tuple[tuple[str, str], ...] = ()
    """Number of an invoice without its PDF, and why."""


def enclose(deps: Deps, invoices: Sequence[Submission], entity: LegalEntity | None, lang: str) -> Enclosed:
    """The PDF of each invoice of one tenant, in this order: as it was sent, else received, else drawn. Slow."""
    if not invoices:
        return Enclosed()
    with deps.db.reading(invoices[0].tenant_id) as session:
        rows = session.scalars(select(Document).where(
            Document.submission_id.in_([one.id for one in invoices]), Document.media_type == "application/pdf",
            Document.role.in_(("sent", "original"))).order_by(Document.role)).all()
    kept = {row.submission_id: row.sha256 for row in rows}  # "sent" comes last
    files: list[tuple[str, Attachment]] = []
    missing: list[tuple[str, str]] = []
    room = MOST_BYTES
    for invoice in invoices:
        found = _pdf(deps, invoice, kept.get(invoice.id), entity, lang) if len(files) < MOST_FILES else "trop de pièces"
        if isinstance(found, bytes) and len(found) > room:
            found = f"{len(found)} octets : trop volumineux"
        if isinstance(found, str):
            missing.append((invoice.number or "", found))
        else:
            room -= len(found)
            name = file_name(invoice.number, "facture" if lang == "fr" else "invoice", "application/pdf")
            files.append((invoice.number or "", Attachment(name=name, media_type="application/pdf", content=found)))
    return Enclosed(tuple(files), tuple(missing))


def _pdf(deps: Deps, invoice: Submission, kept: str | None, entity: LegalEntity | None, lang: str) -> bytes | str:
    """The PDF, drawn as the entity's look wants where none is kept; or why there is none."""
    if invoice.transmission != "deposited":
        return "pas encore déposée"
    look = {"appearance": appearance_of(deps.store, entity)} if entity else {}
    try:
        return deps.store.get(Digest(kept)) if kept else deps.workshop.render(
            deps.store.get(Digest(invoice.sent_sha256 or invoice.sha256)), lang=lang, **look)
    except FormatError as error:
        return f"{error.code}: {error}"

"""Which kept objects the tables name, and which of them went for good."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.tables import Document, Event, LegalEntity, SeenFlow
from gateway.tables_archive import KeptObject
from gateway.tables_reminders import Decision

NAMED: Sequence[InstrumentedAttribute[str] | InstrumentedAttribute[str | None]] = (
    Document.sha256, Event.sha256, SeenFlow.sha256, Decision.sha256, LegalEntity.logo_sha256)


def named(session: Session) -> set[str]:
    """The objects (SHA-256, hexadecimal) that invoices, events, flows, reminders and entities name."""
    return {found for column in NAMED for found in session.scalars(select(column).distinct()) if found}


def carded(session: Session) -> set[str]:
    """Those of which metadata are kept, also where nothing names them."""
    return set(session.scalars(select(KeptObject.sha256)))


def destroyed(session: Session) -> set[str]:
    """Objects that went for good at the end of their time, and that nobody keeps any more."""
    gone = select(KeptObject.sha256).where(KeptObject.destroyed_at.is_not(None))
    kept = select(KeptObject.sha256).where(KeptObject.destroyed_at.is_(None))
    return set(session.scalars(gone.except_(kept)))

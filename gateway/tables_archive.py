"""Tables of the object store: what is kept for whom, where, and how its control goes. Loaded by gateway/db.py."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row, TenantScoped


class KeptObject(TenantScoped, Base):
    """The mandatory metadata of an object (NF Z42-020) for one depositor: its id is its hash, the hash is its id.

    Added with the journal entry that first names the object; the bytes are in the store, once for everybody.
    """

    __tablename__ = "objects"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column(GROWING)
    depositor: Mapped[str]
    """The actor of the entry."""

    deposited_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
    """The bytes are gone for this depositor; the row and the journal remain."""


class StoredVersion(Base):
    """The version id that a store gave an object. Objects belong to nobody here: the same bytes are kept once."""

    __tablename__ = "stored_versions"
    place: Mapped[str] = mapped_column(String(16), primary_key=True)
    """main or copy."""

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(Text)


class Scrub(Base):
    """One pass of the control of everything that is kept. The newest row is the pass at hand, or the last one."""

    __tablename__ = "scrubs"
    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    cursor: Mapped[str] = mapped_column(String(200))
    """How far it is: `objects:<sha256>`, then `journal:<tenant>/<log>/<seq>`, then `seals:<tenant>/<log>/<size>`."""

    expected: Mapped[int] = mapped_column(GROWING)
    """Objects, entries and seals there were when it began: what the progress is measured by."""

    objects: Mapped[int] = mapped_column(GROWING)
    entries: Mapped[int] = mapped_column(GROWING)
    seals: Mapped[int] = mapped_column(GROWING)
    octets: Mapped[int] = mapped_column(GROWING)
    """Bytes whose hash was computed again."""

    faults: Mapped[int]
    healed: Mapped[int]


class ScrubFault(Row, Base):
    """Something damaged or missing, with what it belongs to. Open until it is healed or gone."""

    __tablename__ = "scrub_faults"
    __table_args__ = (Index("ix_scrub_faults_open", "tenant_id", "ended_at"),)
    kind: Mapped[str] = mapped_column(String(16))
    """object, journal or seal."""

    what: Mapped[str] = mapped_column(String(200))
    """The hash, `<log>/<seq>` or `<log>/<size>`."""

    submission_id: Mapped[str | None]
    """An invoice that it belongs to, if it belongs to one."""

    found_at: Mapped[datetime]
    trouble: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    healed_from: Mapped[str | None]
    """Which copies were set right."""

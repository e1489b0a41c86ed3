"""Tables beside the journal: keys that can be destroyed, and renewals of its hashes. Loaded by gateway/db.py."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, TenantScoped


class SubjectKey(TenantScoped, Base):
    """The key under which entries about one subject commit to what was said; destroyed when its words are erased."""

    __tablename__ = "subject_keys"
    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[bytes]


class HashRenewal(TenantScoped, Base):
    """A log once more under a stronger hash (archive/longterm/rehash.py). Only added."""

    __tablename__ = "hash_renewals"
    log: Mapped[str] = mapped_column(String(120), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 0. The tree of a renewal begins with one leaf for each earlier one."""

    size: Mapped[int] = mapped_column(GROWING)
    """Entries of the log that it covers."""

    at: Mapped[datetime]
    old_token: Mapped[bytes]
    """A token of that day over the log's own checkpoint: that it was so before its hash fell."""

    checkpoint: Mapped[bytes]
    """Signed note of the second tree."""

    token: Mapped[bytes]
    ends_at: Mapped[datetime]
    """Until when the token stands alone."""

    leaves_sha256: Mapped[str] = mapped_column(String(64))
    """The kept object with all leaf hashes, one after another: what later proofs are made of."""

"""What an event says in words, as the journal proves it: an HMAC under a key of its subject.

Reasons, data and the platform's time may hold names, and a plain hash of a short text is soon guessed. So the entry has
the HMAC-SHA-256 of the canonical JSON {data, platform_at, reason} under 32 random bytes kept beside the log, one key
per subject. Whoever gets key and text can check them against the journal; once the key is destroyed, with the words
that are erased, the entry proves nothing about them and says nothing of them, and every proof of the log still holds.
"""

import hashlib
import hmac
import secrets
from datetime import UTC

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from archive.journal import canonical
from gateway.db import insert_rows, plain
from gateway.tables import Event
from gateway.tables_journal import SubjectKey

BYTES = 32
KEY = select(SubjectKey.key).where(SubjectKey.tenant_id == bindparam("tenant"),
                                   SubjectKey.subject == bindparam("subject"))

NEW = "subject-key"
"""Key in a session's `info`, with tenant and subject: a key that this transaction made and may have yet to insert."""


def text_of(event: Event) -> bytes:
    """The words of an event as they are committed to; empty when it has none."""
    if event.reason is None and not event.data and event.platform_at is None:
        return b""
    at = event.platform_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if event.platform_at else None
    return canonical({"reason": event.reason, "data": event.data, "platform_at": at})


def vouch(session: Session, tenant_id: str, subject: str, event: Event) -> str:
    """The HMAC for the entry of a new event, with a new key at the subject's first words. Empty for no words."""
    text = text_of(event)
    if not text:
        return ""
    key = session.info.get((NEW, tenant_id, subject)) or key_of(session, tenant_id, subject)
    if key is None:
        key = session.info[NEW, tenant_id, subject] = secrets.token_bytes(BYTES)
        insert_rows(session, SubjectKey, [{"tenant_id": tenant_id, "subject": subject, "key": key}])
    return mac(key, text)


def mac(key: bytes, text: bytes) -> str:
    """HMAC-SHA-256, hexadecimal."""
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def key_of(session: Session, tenant_id: str, subject: str) -> bytes | None:
    """The key of a subject, for whoever proves its words; None when it was destroyed, or never needed."""
    return plain(session, tenant_id, KEY, subject=subject).scalar()


def forget(session: Session, tenant_id: str, subject: str) -> None:
    """Destroy the key of a subject. The caller erases the words, and records the erasure with code ERASED after it."""
    session.info.pop((NEW, tenant_id, subject), None)
    session.execute(delete(SubjectKey).where(SubjectKey.tenant_id == tenant_id, SubjectKey.subject == subject))


ERASED = "erased"
"""Code of the event, about the same subject, that tells that its words and its key are gone."""

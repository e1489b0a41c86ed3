"""The object store that the settings name: one place or two, with the version ids in the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from archive.errors import ArchiveError, StoreUnavailable
from archive.store import Digest, Store
from archive.stores.copies import Copies
from archive.stores.opening import open_store
from gateway.db import EVERY_TENANT, Database
from gateway.settings import Settings, UnsafeSetup
from gateway.tables_archive import StoredVersion

log = structlog.get_logger()


class KnownVersions:
    """archive.stores.s3.Versions in the database: which version of an object is ours in one place."""

    def __init__(self, db: Database, place: str) -> None:
        self._db = db
        self._place = place

    def find(self, digest: Digest) -> str | None:
        """The version id that was remembered last."""
        with self._db.reading(EVERY_TENANT) as session:
            row = session.get(StoredVersion, (self._place, digest.hex))
        return row.version if row is not None else None

    def remember(self, digest: Digest, version: str) -> None:
        """Keep a version id, in a transaction of its own."""
        try:
            self._remember(digest, version)
        except IntegrityError:  # another writer of the same object was faster: now there is a row to change
            self._remember(digest, version)

    def _remember(self, digest: Digest, version: str) -> None:
        with self._db.transaction(EVERY_TENANT) as session:
            session.merge(StoredVersion(place=self._place, sha256=digest.hex, version=version))


def open_objects(settings: Settings, db: Database, clock: Callable[[], datetime]) -> Store:
    """The store in force. Nothing can be accepted without it, so that it must be writable now.

    Raises:
        UnsafeSetup: an address that cannot be used, with the reason.
    """
    def locked() -> datetime:
        return clock() + timedelta(days=settings.objects_lock_days)

    urls = {"main": main_url(settings), "copy": settings.objects_copy_url}
    try:
        places = {name: open_store(url, KnownVersions(db, name), locked) for name, url in urls.items() if url}
        places["main"].check_writable()
    except StoreUnavailable as error:
        raise UnsafeSetup(f"the archive cannot be written (PASSERELLE_OBJECTS_URL, PASSERELLE_OBJECTS_COPY_URL): "
                          f"{error.code}: {error}") from error
    return Copies(places, _told) if len(places) > 1 else places["main"]


def main_url(settings: Settings) -> str:
    """The address of the first place."""
    return settings.objects_url or f"file:{settings.data / 'objects'}"


def _told(place: str, digest: Digest, error: ArchiveError) -> None:
    """A copy failed and the other one served: the scrub heals and journals it."""
    log.warning("copy failed", place=place, sha256=digest.hex, error=f"{error.code}: {error}")

"""Write-once object store in a directory, with the eight verbs of NF Z42-020 (CCFN) as far as a directory has them.

An object lies at `sha256/ab/cd/<hex>` and is named by the hash of its bytes, which are never parsed. Writing is
temp file, fsync, link, fsync of the folders: after `put` returns the bytes survive a power cut, and a crash at any
point leaves either the whole object or none (and perhaps a file in `tmp/`, which nobody reads). `link` never
overwrites. Depositor, date and the journal are the caller's: `observe` is told of every call (the eighth verb,
"read journal", is archive/journal.py).
"""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.errors import ArchiveError, BadDigest, DestructionRefused, ObjectDamaged, ObjectMissing

_HEX = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256, as 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise BadDigest(f"{self.hex!r} is not a SHA-256")

    def __str__(self) -> str:
        return self.hex

    @staticmethod
    def of(data: bytes) -> "Digest":
        """The digest of some bytes."""
        return Digest(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Meta:
    """Technical metadata of an object. Who deposited it, and why, is in the journal."""

    digest: Digest
    size: int
    """In bytes."""

    stored_at: datetime
    """UTC, from the file system: a hint. The provable time is that of the seal over the journal entry."""

    algorithm: str = "sha256"


@dataclass(frozen=True, slots=True)
class Call:
    """One use of the store, for whoever keeps account."""

    verb: str
    """put, get, control, meta, list, count or destroy."""

    digest: Digest | None
    outcome: str
    """done, the code of our error, or the name of the system's (ENOSPC)."""

    reason: str = ""
    """Why an object was destroyed."""


def _nobody(_: Call) -> None:
    pass


class Store:
    """Objects in a directory, by hash. Safe for several threads and processes at once.

    `observe` is called after each verb and before its result or error reaches the caller; what it raises goes to
    the caller. Nothing here knows tenants: a hash alone must never grant a read, that is the caller's to check.
    """

    def __init__(self, root: Path, observe: Callable[[Call], None] = _nobody) -> None:
        self._root = root
        self._objects = root / "sha256"
        self._temporary = root / "tmp"
        self._observe = observe
        self._settled: set[Path] = set()
        for folder in (root, self._objects, self._temporary):
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """Keep bytes for good and give their digest. The same bytes again are a success and change nothing.

        Raises:
            ObjectDamaged: the bytes are not `expected`, or what already lies there is damaged (never overwritten).
        """
        digest = Digest.of(data)
        with self._observed("put", digest):
            if expected is not None and expected != digest:
                raise ObjectDamaged(f"announced {expected}, received {digest}")
            place = self._place(digest)
            if place.exists():
                self._check(digest)
            else:
                self._write(data, place, digest)
            self._settle(place.parent)
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes, after their hash was computed again.

        Raises:
            ObjectMissing, ObjectDamaged.
        """
        with self._observed("get", digest):
            try:
                data = self._place(digest).read_bytes()
            except FileNotFoundError:
                raise ObjectMissing(str(digest)) from None
            found = Digest.of(data)
            if found != digest:
                raise ObjectDamaged(f"{digest} now holds {found}")
        return data

    def control(self, digest: Digest) -> Meta:
        """Check an object's hash without handing it out, in constant memory.

        Raises:
            ObjectMissing, ObjectDamaged.
        """
        with self._observed("control", digest):
            self._check(digest)
            return self._meta(digest)

    def meta(self, digest: Digest) -> Meta:
        """Size, algorithm and file date. Does not check the hash.

        Raises:
            ObjectMissing.
        """
        with self._observed("meta", digest):
            return self._meta(digest)

    def list(self) -> Iterator[Digest]:
        """Every object, in order of its digest. Files with other names are not ours and left out."""
        with self._observed("list", None):
            return self._digests()

    def count(self) -> int:
        """How many objects there are."""
        with self._observed("count", None):
            return sum(1 for _ in self._digests())

    def destroy(self, digest: Digest, *, reason: str = "") -> None:
        """Remove an object for good. Whether that is lawful is for archive/retention.py and two persons.

        Raises:
            DestructionRefused: no reason was given.
            ObjectMissing.
        """
        with self._observed("destroy", digest, reason):
            if not reason.strip():
                raise DestructionRefused(f"{digest}: no reason given")
            place = self._place(digest)
            try:
                place.unlink()
            except FileNotFoundError:
                raise ObjectMissing(str(digest)) from None
            _sync_folder(place.parent)

    @contextmanager
    def _observed(self, verb: str, digest: Digest | None, reason: str = "") -> Iterator[None]:
        outcome = "done"
        try:
            yield
        except ArchiveError as error:
            outcome = error.code
            raise
        except OSError as error:
            outcome = errno.errorcode.get(error.errno or 0, "OSError")
            raise
        finally:
            self._observe(Call(verb, digest, outcome, reason))

    def _place(self, digest: Digest) -> Path:
        return self._objects / digest.hex[:2] / digest.hex[2:4] / digest.hex

    def _digests(self) -> Iterator[Digest]:
        for path in sorted(self._objects.glob("??/??/*")):
            if _HEX.fullmatch(path.name):
                yield Digest(path.name)

    def _meta(self, digest: Digest) -> Meta:
        try:
            status = self._place(digest).stat()
        except FileNotFoundError:
            raise ObjectMissing(str(digest)) from None
        return Meta(digest, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _check(self, digest: Digest) -> None:
        computed = hashlib.sha256()
        try:
            with self._place(digest).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    computed.update(chunk)
        except FileNotFoundError:
            raise ObjectMissing(str(digest)) from None
        if computed.hexdigest() != digest.hex:
            raise ObjectDamaged(f"{digest} now holds {computed.hexdigest()}")

    def _write(self, data: bytes, place: Path, digest: Digest) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._temporary)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            try:
                os.link(name, place)
            except FileExistsError:  # another writer was faster with the same bytes
                self._check(digest)
        finally:
            with suppress(OSError):
                Path(name).unlink()

    def _settle(self, folder: Path) -> None:
        """Make sure that a folder and the way to it survive a power cut.

        A folder that this process made or met for the first time may not be known to the disk yet, whoever made it.
        """
        _sync_folder(folder)
        for child, parent in ((folder, folder.parent), (folder.parent, self._objects)):
            if child not in self._settled:
                _sync_folder(parent)
                self._settled.add(child)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

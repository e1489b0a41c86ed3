"""Write-once objects in a directory.

An object lies at `sha256/ab/cd/<hex>`. Writing is temp file, fsync, link, fsync of the folders: after `put` returns the
bytes survive a power cut, and a crash at any point leaves either the whole object or none (and perhaps a file in
`tmp/`, which nobody reads). `link` never overwrites. A legal hold is an empty file `holds/<hex>`; what `mend` replaced
lies in `damaged/`. A directory cannot bind its owner: `keep` has no effect here.
"""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from archive.errors import (
    DestructionRefused,
    ObjectDamaged,
    ObjectMissing,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from archive.store import HEX, Digest, Meta

_CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class DirectoryStore:
    """A Store in the folder `root`, which is made where it is absent.

    Raises:
        StoreFull, StoreReadOnly, StoreUnavailable: the folders cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects = root / "sha256"
        self._temporary = root / "tmp"
        self._holds = root / "holds"
        self._settled: set[Path] = set()
        with _named_errors():
            for folder in (root, self._objects, self._temporary):
                _make_folder(folder)

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """See Store."""
        digest = Digest.of(data)
        if expected is not None and expected != digest:
            raise ObjectDamaged(f"announced {expected}, received {digest}")
        place = self._place(digest)
        with _named_errors():
            if place.exists():
                self._check(digest)
            else:
                self._write(data, place, digest)
            self._settle(place.parent)
        return digest

    def get(self, digest: Digest) -> bytes:
        """See Store."""
        with _named_errors(digest):
            data = self._place(digest).read_bytes()
        found = Digest.of(data)
        if found != digest:
            raise ObjectDamaged(f"{digest} now holds {found}")
        return data

    def control(self, digest: Digest) -> Meta:
        """See Store."""
        with _named_errors(digest):
            self._check(digest)
        return self.meta(digest)

    def meta(self, digest: Digest) -> Meta:
        """See Store."""
        with _named_errors(digest):
            status = self._place(digest).stat()
        return Meta(digest, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def list(self, after: Digest | None = None) -> Iterator[Digest]:
        """See Store. One folder at a time is held in memory."""
        behind = after.hex if after is not None else ""
        for first in _names(self._objects, behind[:2]):
            for second in _names(self._objects / first, behind[2:4] if first == behind[:2] else ""):
                for name in _names(self._objects / first / second, behind):
                    if name != behind and HEX.fullmatch(name):
                        yield Digest(name)

    def count(self) -> int:
        """See Store."""
        return sum(1 for _ in self.list())

    def destroy(self, digest: Digest, *, reason: str) -> None:
        """See Store."""
        if not reason.strip():
            raise DestructionRefused(f"{digest}: no reason given")
        if (self._holds / digest.hex).exists():
            raise DestructionRefused(f"{digest}: legal hold")
        place = self._place(digest)
        with _named_errors(digest):
            place.unlink()
            sync_folder(place.parent)

    def hold(self, digest: Digest, *, standing: bool) -> None:
        """See Store."""
        self.meta(digest)
        with _named_errors():
            _make_folder(self._holds)
            if standing:
                (self._holds / digest.hex).touch()
            else:
                (self._holds / digest.hex).unlink(missing_ok=True)
            sync_folder(self._holds)

    def keep(self, digest: Digest, until: datetime) -> None:  # noqa: ARG002 - of the port; a directory has no clock
        """See Store. Only looks whether the object is there."""
        self.meta(digest)

    def mend(self, data: bytes) -> Digest:
        """See Store."""
        digest = Digest.of(data)
        place = self._place(digest)
        with _named_errors():
            if place.exists():
                try:
                    self._check(digest)
                except ObjectDamaged:
                    aside = self._root / "damaged"
                    _make_folder(aside)
                    place.rename(aside / f"{digest}.{place.stat().st_ino}")
                    sync_folder(aside)
        return self.put(data)

    def heal(self, digest: Digest) -> tuple[str, ...]:
        """See Store: there is no second copy here."""
        self.control(digest)
        return ()

    def check_writable(self) -> None:
        """See Store."""
        with _named_errors(), tempfile.NamedTemporaryFile(dir=self._temporary) as probe:
            probe.write(bytes(4096))
            probe.flush()

    def _place(self, digest: Digest) -> Path:
        return self._objects / digest.hex[:2] / digest.hex[2:4] / digest.hex

    def _check(self, digest: Digest) -> None:
        computed = hashlib.sha256()
        with self._place(digest).open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                computed.update(chunk)
        if computed.hexdigest() != digest.hex:
            raise ObjectDamaged(f"{digest} now holds {computed.hexdigest()}")

    def _write(self, data: bytes, place: Path, digest: Digest) -> None:
        for folder in (place.parent.parent, place.parent):  # never the root: a disk that is not mounted is no store
            folder.mkdir(exist_ok=True)
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
        sync_folder(folder)
        for child, parent in ((folder, folder.parent), (folder.parent, self._objects)):
            if child not in self._settled:
                sync_folder(parent)
                self._settled.add(child)


@contextmanager
def _named_errors(digest: Digest | None = None) -> Iterator[None]:
    """The system's errors as those of the port; an absent file as the absence of `digest`."""
    try:
        yield
    except FileNotFoundError as error:
        if digest is None:
            raise StoreUnavailable(str(error)) from error
        raise ObjectMissing(str(digest)) from None
    except OSError as error:
        kind = (StoreFull if error.errno in _FULL else StoreReadOnly if error.errno in _READ_ONLY
                else StoreUnavailable)
        raise kind(str(error)) from error


def _names(folder: Path, least: str) -> list[str]:
    """Names in a folder that are not before `least`, in order; none where there is no such folder."""
    with _named_errors():
        try:
            return sorted(name for name in os.listdir(folder) if name >= least)  # noqa: PTH208 - names are wanted
        except (FileNotFoundError, NotADirectoryError):
            return []


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that was linked or renamed is found again after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What a store of objects is, whoever keeps the bytes: the port that archive/stores/ implements.

An object is named by the SHA-256 of its bytes, which are never parsed. A store knows no tenant and no depositor: who
may call which verb, the mandatory metadata and the journal of the calls are archive/stores/safe.py, over this port.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from archive.errors import BadDigest

HEX = re.compile(r"[0-9a-f]{64}")
"""What a digest looks like, and so the name of an object."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256, as 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if not HEX.fullmatch(self.hex):
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
    """UTC, by the clock of whoever keeps the bytes: a hint. The provable time is that of the seal over the entry."""

    algorithm: str = "sha256"
    version: str | None = None
    """The version id where the keeper numbers versions (S3)."""


class Store(Protocol):
    """Objects by hash. Safe for several threads and processes at once.

    Every verb may raise StoreFull, StoreReadOnly or StoreUnavailable: nothing was acknowledged then, and the same
    call may succeed later. A hash alone must never grant a read, that is the caller's to check.
    """

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """Keep bytes for good: they are durable when this returns. The same bytes again change nothing.

        Raises:
            ObjectDamaged: the bytes are not `expected`, or what already lies there is damaged (never overwritten).
        """

    def get(self, digest: Digest) -> bytes:
        """The bytes, after their hash was computed again.

        Raises:
            ObjectMissing, ObjectDamaged.
        """

    def control(self, digest: Digest) -> Meta:
        """Compute an object's hash again without handing it out, in constant memory.

        Raises:
            ObjectMissing, ObjectDamaged.
        """

    def meta(self, digest: Digest) -> Meta:
        """Size, algorithm and date. Does not check the hash.

        Raises:
            ObjectMissing.
        """

    def list(self, after: Digest | None = None) -> Iterator[Digest]:
        """Every object behind `after`, in order of its digest. What has another name is not ours and left out."""

    def count(self) -> int:
        """How many objects there are."""

    def destroy(self, digest: Digest, *, reason: str) -> None:
        """Remove an object for good. Whether that is lawful is for archive/retention.py and two persons.

        Raises:
            DestructionRefused: no reason, a hold, or a lock of the keeper that still runs.
            ObjectMissing.
        """

    def hold(self, digest: Digest, *, standing: bool) -> None:
        """Put an object under legal hold, or lift it: while it stands, `destroy` is refused.

        Raises:
            ObjectMissing.
        """

    def keep(self, digest: Digest, until: datetime) -> None:
        """Lock an object at least until a time (aware). Never shortens a lock; no effect where the keeper has none.

        Raises:
            ObjectMissing.
        """

    def mend(self, data: bytes) -> Digest:
        """Keep bytes where a damaged or missing object of that hash should be. What was damaged is put aside.

        An intact object stays as it is. Gives the digest.
        """

    def heal(self, digest: Digest) -> tuple[str, ...]:
        """Set damaged or missing copies of an object right from a good one. Gives the names of those that were.

        Raises:
            ObjectMissing, ObjectDamaged: there is no good copy.
        """

    def check_writable(self) -> None:
        """Find out whether anything could be kept now.

        Raises:
            StoreFull, StoreReadOnly, StoreUnavailable.
        """

"""Two stores that hold the same objects: what one loses or spoils, the other gives back.

The first one decides: an object is acknowledged once it is durable there. A second one that cannot be reached at that
moment is told of and catches up when the object is next controlled. Reading takes the first intact copy.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from archive.errors import ArchiveError, ObjectDamaged, ObjectMissing
from archive.store import Digest, Meta, Store

Found = TypeVar("Found")
Tell = Callable[[str, Digest, ArchiveError], None]
"""Told of a copy that failed while the caller got what was asked: its name, the object, the error."""


def _nobody(_place: str, _digest: Digest, _error: ArchiveError) -> None:
    pass


class Copies:
    """A Store over `places` by name, in order of preference; each holds every object."""

    def __init__(self, places: Mapping[str, Store], tell: Tell = _nobody) -> None:
        self._places = dict(places)
        self._first = next(iter(self._places.values()))
        self._others = dict(list(self._places.items())[1:])
        self._tell = tell

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """See Store."""
        digest = self._first.put(data, expected=expected)
        for name, place in self._others.items():
            try:
                place.put(data)
            except ArchiveError as error:
                self._tell(name, digest, error)
        return digest

    def get(self, digest: Digest) -> bytes:
        """See Store."""
        return self._any(digest, lambda place: place.get(digest))

    def control(self, digest: Digest) -> Meta:
        """See Store. Every copy is looked at; the first error is that of the object."""
        meta = self._first.control(digest)
        for place in self._others.values():
            place.control(digest)
        return meta

    def meta(self, digest: Digest) -> Meta:
        """See Store."""
        return self._any(digest, lambda place: place.meta(digest))

    def list(self, after: Digest | None = None) -> Iterator[Digest]:
        """See Store: what any of them has."""
        last = None
        for digest in heapq.merge(*(place.list(after) for place in self._places.values())):
            if digest != last:
                yield digest
            last = digest

    def count(self) -> int:
        """See Store."""
        return sum(1 for _ in self.list())

    def destroy(self, digest: Digest, *, reason: str) -> None:
        """See Store. Where one refuses, the object is still there; calling again goes on."""
        found = False
        for place in self._places.values():
            with suppress(ObjectMissing):
                place.destroy(digest, reason=reason)
                found = True
        if not found:
            raise ObjectMissing(str(digest))

    def hold(self, digest: Digest, *, standing: bool) -> None:
        """See Store."""
        for place in self._places.values():
            place.hold(digest, standing=standing)

    def keep(self, digest: Digest, until: datetime) -> None:
        """See Store."""
        for place in self._places.values():
            place.keep(digest, until)

    def mend(self, data: bytes) -> Digest:
        """See Store."""
        for place in self._places.values():
            place.mend(data)
        return Digest.of(data)

    def heal(self, digest: Digest) -> tuple[str, ...]:
        """See Store."""
        bad = []
        for name, place in self._places.items():
            try:
                place.control(digest)
            except (ObjectMissing, ObjectDamaged):
                bad.append(name)
        if bad:
            data = self.get(digest)
            for name in bad:
                self._places[name].mend(data)
        return tuple(bad)

    def check_writable(self) -> None:
        """See Store: the first one decides."""
        self._first.check_writable()

    def _any(self, digest: Digest, ask: Callable[[Store], Found]) -> Found:
        first: ArchiveError | None = None
        for name, place in self._places.items():
            try:
                return ask(place)
            except ArchiveError as error:
                self._tell(name, digest, error)
                first = first or error
        raise first or ObjectMissing(str(digest))

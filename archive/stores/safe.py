"""The eight verbs of NF Z42-020 (components of a digital safe) over a store, for one caller.

Each call is judged, done and journaled here, the refused and the failed one too: `Book` is where the gateway keeps the
mandatory metadata (object id, depositor, date, size, hash algorithm, hash) and the journal, and says who may do what.
The id of an object is the hash of its bytes. A call that cannot be journaled does not give its result.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from archive.errors import ArchiveError, CallRefused, ObjectMissing
from archive.store import Digest, Store


class Verb(StrEnum):
    """What may be asked of a safe."""

    DEPOSIT = "deposit"
    READ = "read"
    DESTROY = "destroy"
    METADATA = "metadata"
    CONTROL = "control"
    JOURNAL = "journal"
    LIST = "list"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Card:
    """The mandatory metadata of an object."""

    digest: Digest
    """Its id and its hash."""

    depositor: str
    at: datetime
    """When it was deposited, aware UTC."""

    size: int
    """In bytes."""

    algorithm: str = "sha256"


@dataclass(frozen=True, slots=True)
class Call:
    """One use of the safe, as it is journaled."""

    verb: Verb
    digest: Digest | None
    outcome: str
    """done, ordered (a destruction about to happen), or the code of the error."""

    size: int = 0
    reason: str = ""
    """Why an object is destroyed."""


class Book(Protocol):
    """The caller's side of a safe: rights, metadata and journal of one depositor's objects."""

    def may(self, verb: Verb) -> bool:
        """Whether the caller has the right to a verb at all."""

    def card(self, digest: Digest) -> Card | None:
        """The metadata of an object of this depositor; None where he has none by that id, or no more."""

    def cards(self, after: Digest | None) -> Iterator[Card]:
        """The metadata of all of his objects behind `after`, in order of their ids."""

    def size(self) -> int:
        """How many there are."""

    def note(self, call: Call) -> None:
        """Journal a call, durably."""

    def admit(self, digest: Digest, size: int) -> Card:
        """Journal a deposit and keep its metadata, in one transaction. The first deposit's metadata stay."""

    def drop(self, digest: Digest, reason: str) -> None:
        """Journal a destruction that happened and close its metadata, in one transaction."""

    def forbid(self, card: Card) -> None:
        """Raise DestructionRefused while retention, a hold or a missing second person forbids to destroy."""

    def shared(self, digest: Digest) -> bool:
        """Whether the bytes are also somebody else's, and must therefore stay."""

    def calls(self, digest: Digest | None) -> Iterator[Call]:
        """What was journaled about an object (about all of them if None), oldest first."""


class Safe:
    """The eight verbs for the caller whom `book` knows.

    Raises, each verb: CallRefused (no right to it, or no such object of this depositor), and what Store says.
    """

    def __init__(self, store: Store, book: Book) -> None:
        self._store = store
        self._book = book

    def deposit(self, data: bytes, *, claimed: Digest | None = None) -> Card:
        """Keep bytes. Where the depositor names their hash, bytes with another are refused (ObjectDamaged)."""
        digest = claimed or Digest.of(data)
        with self._judged(Verb.DEPOSIT, digest):
            self._store.put(data, expected=claimed)
        return self._book.admit(digest, len(data))

    def read(self, digest: Digest) -> bytes:
        """The bytes, after their hash was computed again."""
        with self._judged(Verb.READ, digest):
            size = self._mine(digest).size
            data = self._store.get(digest)
        self._book.note(Call(Verb.READ, digest, "done", size))
        return data

    def destroy(self, digest: Digest, *, reason: str) -> None:
        """Remove an object for good. The order is journaled before the bytes go, the deed after."""
        with self._judged(Verb.DESTROY, digest):
            card = self._mine(digest)
            self._book.forbid(card)
            self._book.note(Call(Verb.DESTROY, digest, "ordered", card.size, reason))
            if not self._book.shared(digest):
                self._remove(digest, reason)
        self._book.drop(digest, reason)

    def metadata(self, digest: Digest) -> Card:
        """Id, depositor, date, size, algorithm and hash."""
        with self._judged(Verb.METADATA, digest):
            card = self._mine(digest)
        self._book.note(Call(Verb.METADATA, digest, "done", card.size))
        return card

    def control(self, digest: Digest) -> Card:
        """Compute the hash of an object again, and compare its size."""
        with self._judged(Verb.CONTROL, digest):
            card = self._mine(digest)
            self._store.control(digest)
        self._book.note(Call(Verb.CONTROL, digest, "done", card.size))
        return card

    def journal(self, digest: Digest | None = None) -> list[Call]:
        """What was ever done with an object, destroyed or not; with everything, if None."""
        with self._judged(Verb.JOURNAL, digest):
            found = list(self._book.calls(digest))
        self._book.note(Call(Verb.JOURNAL, digest, "done"))
        return found

    def list(self, after: Digest | None = None, *, most: int = 1000) -> list[Card]:
        """The objects behind `after`, at most so many, in order of their ids."""
        with self._judged(Verb.LIST, None):
            found = [card for _, card in zip(range(most), self._book.cards(after), strict=False)]
        self._book.note(Call(Verb.LIST, None, "done", len(found)))
        return found

    def count(self) -> int:
        """How many objects there are."""
        with self._judged(Verb.COUNT, None):
            found = self._book.size()
        self._book.note(Call(Verb.COUNT, None, "done", found))
        return found

    @contextmanager
    def _judged(self, verb: Verb, digest: Digest | None) -> Iterator[None]:
        """Refuse who has no right; journal what was refused or failed."""
        try:
            if not self._book.may(verb):
                raise CallRefused(f"no right to {verb}")
            yield
        except ArchiveError as error:
            self._book.note(Call(verb, digest, error.code))
            raise

    def _mine(self, digest: Digest) -> Card:
        card = self._book.card(digest)
        if card is None:
            raise CallRefused(f"no object {digest}")
        return card

    def _remove(self, digest: Digest, reason: str) -> None:
        try:
            self._store.destroy(digest, reason=reason)
        except ObjectMissing:
            orders = sum(call.verb is Verb.DESTROY and call.outcome == "ordered" for call in self._book.calls(digest))
            if orders < 2:  # this one alone: the bytes were lost, not removed by an order that was cut short
                raise

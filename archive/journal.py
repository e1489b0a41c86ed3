"""Append-only Merkle log (RFC 6962 / RFC 9162 section 2.1, SHA-256) over rows that somebody else keeps.

One log per tenant and fiscal year. An entry is one line of canonical JSON; its leaf hash covers exactly these bytes.
The gateway implements `Rows` inside its own database transaction, so that an entry and the state change it tells of
are kept or lost together. Nothing here reads a clock, a file or a database.

Each row also keeps the **frontier before it**: the roots of the perfect subtrees that the entries before it form,
left to right. The root of any aligned range of the tree then follows from the last row of that range alone
(`_subtree`), so a proof reads O(log n) rows and computes O(log^2 n) hashes, and an append reads one row.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from archive.errors import BadEntry, BadProof, JournalDamaged
from archive.store import Digest

MOST_BYTES = 4096
"""An entry is at most this long."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:,;/+#=~-]{0,199}")
_SOFTWARE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._:,;/+#=~@-]{0,1999})?")
_SAID = re.compile(r"([0-9a-f]{64})?")
_SIZE = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it is kept."""

    seq: int
    """0-based position in the log."""

    line: bytes
    """The entry: canonical JSON, no newline."""

    leaf: bytes
    """SHA-256 of 0x00 and the line; 32 bytes."""

    frontier: bytes
    """The perfect subtrees before this entry: 32-byte hashes one after another, left to right; empty for seq 0."""


class Rows(Protocol):
    """One log as its keeper shows it, inside one transaction that nobody else appends in."""

    def last(self) -> Row | None:
        """The newest row; None for an empty log."""

    def get(self, seq: int) -> Row:
        """The row at a position that exists."""

    def append(self, row: Row) -> None:
        """Keep one more row. Must fail if `row.seq` is already taken."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object of the store that an entry speaks of."""

    role: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened. Ids and hashes only: no names, no e-mail addresses, no amounts.

    Every text must look like an id (ASCII letters, digits and `._:,;/+#=~-`, at most 200): blanks and `@` are
    refused, so that neither a name nor a mail address slips in. `cause`, `version` and `ruleset` may be empty;
    the last two, which are our own words, may be longer and hold `@`.
    """

    type: str
    """What happened, e.g. "submission.accepted"."""

    at: datetime
    """Aware; kept as UTC with microseconds."""

    subject: str
    """What it happened to, e.g. the id of a submission."""

    actor: str
    """Who did it, e.g. "key:7f3a" or "worker"."""

    outcome: str
    """What came of it, e.g. "valid", "refused"."""

    cause: str = ""
    """What made it happen, e.g. the id of a flow or of a request."""

    objects: tuple[ObjectRef, ...] = ()
    version: str = ""
    """Of the software."""

    ruleset: str = ""
    """Of the rules that decided."""

    said: str = ""
    """HMAC-SHA-256 (hex) of what was said beside it: text that may hold names, and therefore stays outside, under a key
    that can be destroyed. Empty when nothing was; an entry that has it is of version 2."""

    def line(self, seq: int) -> bytes:
        """The canonical JSON line (RFC 8785, of which we use objects, lists, strings and integers).

        Raises:
            BadEntry: a text is no id, the time is naive, or the line is over 4 KiB.
        """
        if self.at.tzinfo is None:
            raise BadEntry("the time has no zone")
        ids = (self.type, self.subject, self.actor, self.outcome, *(ref.role for ref in self.objects))
        for text in (*ids, self.cause) if self.cause else ids:
            if not _ID.fullmatch(text):
                raise BadEntry(f"{text!r} is not an id")
        for text in (self.version, self.ruleset):
            if not _SOFTWARE.fullmatch(text):
                raise BadEntry(f"{text!r} names no software")
        if not _SAID.fullmatch(self.said):
            raise BadEntry(f"{self.said!r} is no HMAC")
        line = canonical({
            **({"v": 2, "said": self.said} if self.said else {"v": 1}),
            "seq": seq,
            "at": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": self.type,
            "subject": self.subject,
            "actor": self.actor,
            "cause": self.cause,
            "outcome": self.outcome,
            "objects": [{"role": o.role, "sha256": o.digest.hex, "size": o.size} for o in self.objects],
            "soft": {"version": self.version, "ruleset": self.ruleset},
        })
        if len(line) > MOST_BYTES:
            raise BadEntry(f"{len(line)} bytes, at most {MOST_BYTES}")
        return line


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 has it, for values made of dicts with ASCII keys, lists, strings and integers."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def read_entry(line: bytes) -> tuple[int, Entry]:
    """An entry and its seq from its line.

    Raises:
        BadEntry: the line is not byte for byte what `Entry.line` writes.
    """
    try:
        raw = json.loads(line)
        entry = Entry(
            type=raw["type"], at=datetime.fromisoformat(raw["at"]), subject=raw["subject"], actor=raw["actor"],
            outcome=raw["outcome"], cause=raw["cause"], version=raw["soft"]["version"], ruleset=raw["soft"]["ruleset"],
            said=raw.get("said", ""),
            objects=tuple(ObjectRef(o["role"], Digest(o["sha256"]), int(o["size"])) for o in raw["objects"]),
        )
        seq = int(raw["seq"])
        again = entry.line(seq)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise BadEntry(f"not a journal entry: {error}") from None
    if again != line:
        raise BadEntry("not in canonical form")
    return seq, entry


def append(rows: Rows, entry: Entry) -> int:
    """Add one entry and give its seq. The caller holds the lock that makes `rows.last()` stay the last.

    Raises:
        BadEntry.
    """
    last = rows.last()
    seq = 0 if last is None else last.seq + 1
    frontier = b"" if last is None else _grown(last.seq, last.frontier, last.leaf)
    line = entry.line(seq)
    rows.append(Row(seq, line, leaf_hash(line), frontier))
    return seq


def root(rows: Rows, size: int | None = None) -> bytes:
    """The root of the first `size` entries (all of them if None)."""
    if size is None:
        size = size_of(rows)
    return subtree_root(rows, 0, size) if size else EMPTY_ROOT


def size_of(rows: Rows) -> int:
    """How many entries the log has."""
    last = rows.last()
    return 0 if last is None else last.seq + 1


def inclusion_proof(rows: Rows, seq: int, size: int) -> tuple[bytes, ...]:
    """PATH(seq, D[size]): siblings from the leaf up. Source: RFC 9162 section 2.1.3.1.

    Raises:
        BadProof: there is no such entry in a log of that size.
    """
    if not 0 <= seq < size <= size_of(rows):
        raise BadProof(f"no entry {seq} in a log of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if seq < middle:
            path.append(subtree_root(rows, middle, end))
            end = middle
        else:
            path.append(subtree_root(rows, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_proof(rows: Rows, old: int, new: int) -> tuple[bytes, ...]:
    """PROOF(old, D[new]): that the first `old` entries were not changed. Source: RFC 9162 section 2.1.4.1.

    Raises:
        BadProof: not 0 < old <= new <= the log's size.
    """
    if not 0 < old <= new <= size_of(rows):
        raise BadProof(f"no consistency proof from {old} to {new}")
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree_root(rows, middle, end))
            end = middle
        else:
            path.append(subtree_root(rows, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree_root(rows, start, end))
    return tuple(reversed(path))


def verify_inclusion(
    leaf: bytes, seq: int, size: int, path: Iterable[bytes], expected_root: bytes, *,
    join: Callable[[bytes, bytes], bytes] | None = None,
) -> None:
    """Check that a leaf hash is at position `seq` of the log of `size` entries. Source: RFC 9162 section 2.1.3.2.

    `join` hashes two neighbours; None is `node_hash`.

    Raises:
        BadProof.
    """
    join = join or node_hash
    if not 0 <= seq < size:
        raise BadProof(f"no entry {seq} in a log of {size}")
    fn, sn, node = seq, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise BadProof("the proof is too long")
        if fn & 1 or fn == sn:
            node = join(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = join(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise BadProof("the proof is too short")
    if node != expected_root:
        raise BadProof("the entry is not in the tree")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Iterable[bytes]) -> None:
    """Check that the log of `old` entries is a prefix of that of `new`. Source: RFC 9162 section 2.1.4.2.

    Raises:
        BadProof.
    """
    steps = list(path)
    if not 0 < old <= new:
        raise BadProof(f"no consistency from {old} to {new}")
    if old == new:
        if steps or old_root != new_root:
            raise BadProof("two roots for one size")
        return
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise BadProof("the proof is too short")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise BadProof("the proof is too long")
        if fn & 1 or fn == sn:
            before, after = node_hash(step, before), node_hash(step, after)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or before != old_root or after != new_root:
        raise BadProof("the newer log does not extend the older one")


def check(rows: Iterable[Row]) -> tuple[int, bytes]:
    """Compute a whole log again, in order and in constant memory. Gives its size and root.

    Raises:
        JournalDamaged: at the first row whose seq, line, leaf or frontier is not what it must be.
    """
    size, frontier = 0, b""
    last_root = EMPTY_ROOT
    for row in rows:
        if row.seq != size:
            raise JournalDamaged(size, f"missing or out of order, found {row.seq}")
        if row.leaf != leaf_hash(row.line):
            raise JournalDamaged(size, "the line was changed")
        if row.frontier != frontier:
            raise JournalDamaged(size, "the frontier was changed")
        try:
            told, _ = read_entry(row.line)
        except BadEntry as error:
            raise JournalDamaged(size, str(error)) from None
        if told != size:
            raise JournalDamaged(size, f"the line says {told}")
        last_root = _bagged(row.leaf, frontier)
        frontier = _grown(row.seq, frontier, row.leaf)
        size += 1
    return size, last_root


def leaf_hash(line: bytes) -> bytes:
    """The hash of an entry. Source: RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours. Source: RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_root(rows: Rows, start: int, end: int) -> bytes:
    """The root of entries [start, end), where `start` is a multiple of a power of two that is at least `end - start`.

    The last row's frontier ends with the perfect subtrees of [start, end - 1): one for each bit of its length.
    """
    last = rows.get(end - 1)
    inside = (end - 1 - start).bit_count() * _SIZE
    return _bagged(last.leaf, last.frontier[len(last.frontier) - inside:])


def _bagged(leaf: bytes, peaks: bytes) -> bytes:
    """A last leaf joined to the perfect subtrees on its left, from right to left."""
    node = leaf
    for at in range(len(peaks) - _SIZE, -1, -_SIZE):
        node = node_hash(peaks[at:at + _SIZE], node)
    return node


def _grown(seq: int, frontier: bytes, leaf: bytes) -> bytes:
    """The frontier after the entry at `seq`: subtrees of equal size join, once per trailing one bit of `seq`."""
    joined = ((seq ^ (seq + 1)).bit_length() - 1) * _SIZE
    keep = len(frontier) - joined
    return frontier[:keep] + _bagged(leaf, frontier[keep:])

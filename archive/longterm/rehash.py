"""Hash renewal: the same entries and objects once more under a stronger hash, before the old one falls.

A second tree (RFC 9162 with another hash, here SHA-512) stands over a sealed log. Its leaves are, in this order,

    one for each earlier renewal of the log   H(checkpoint) || H(token)
    one for each entry of the log             H(object) of each object it names, in its order, || H(entry, old proof)

where `H(entry, old proof)` is over the entry's line, one newline, its tlog-proof under the old log's checkpoint, and
the token over that checkpoint. An object that was destroyed lawfully before stands as zeros. The tree's checkpoint has
the origin of the log followed by `/sha512` and is timestamped with an imprint of the same hash; a renewal of the
renewal, made before that token runs out, carries it further. Source of the idea: RFC 4998 section 5.3.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import journal, seal, timestamp
from archive.errors import BadProof

ALGORITHM = "sha512"
SIZE = hashlib.new(ALGORITHM).digest_size
GONE = bytes(SIZE)
"""Stands for an object that was destroyed before the renewal."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """One renewal of a log, as seen from one of its leaves."""

    checkpoint: bytes
    token: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldProof:
    """What an entry had under the old hash when it was renewed."""

    line: bytes
    proof: bytes
    """tlog-proof file."""

    token: bytes
    """TimeStampResp over the checkpoint in the proof."""


def strong(data: bytes) -> bytes:
    """The new hash of some bytes."""
    return hashlib.new(ALGORITHM, data).digest()


def entry_leaf(objects: Iterable[bytes], old: OldProof) -> bytes:
    """The leaf hash of an entry. `objects`: the new hash of each object that it names, `GONE` where destroyed."""
    return leaf_hash(b"".join(objects) + strong(old.line + b"\n" + old.proof + old.token))


def renewal_leaf(checkpoint: bytes, token: bytes) -> bytes:
    """The leaf hash of an earlier renewal."""
    return leaf_hash(strong(checkpoint) + strong(token))


def leaf_hash(data: bytes) -> bytes:
    """Source: RFC 9162 section 2.1.1, with the new hash."""
    return strong(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Source: RFC 9162 section 2.1.1, with the new hash."""
    return strong(b"\x01" + left + right)


def tree(leaves: Sequence[bytes], join: Callable[[bytes, bytes], bytes] = node_hash) -> list[list[bytes]]:
    """All levels over these leaf hashes (at least one), from the leaves to the root, which stands alone in the last."""
    levels = [list(leaves)]
    while len(level := levels[-1]) > 1:
        above = [join(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        levels.append(above + level[len(above) * 2:])  # an odd one moves up as it is
    return levels


def path_in(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The audit path of a leaf in a `tree`: siblings from the leaf up (RFC 9162 section 2.1.3.1)."""
    places = ((level, (index >> height) ^ 1) for height, level in enumerate(levels[:-1]))
    return tuple(level[sibling] for level, sibling in places if sibling < len(level))


def verify_renewed(
    old: OldProof, objects: Iterable[bytes], renewals: Sequence[Renewed], key: Ed25519PublicKey, ca: bytes, *,
    now: datetime, algorithm_ends: Mapping[str, datetime] | None = None,
) -> datetime:
    """Check that an entry and its objects were renewed, each renewal before the one it follows ran out.

    Gives the time until which the last renewal stands alone. `objects` as in `entry_leaf`.

    Raises:
        BadProof: a link is missing, too late, or the last one has run out at `now`.
        BadCheckpoint, TimestampRefused, BadEntry: a part is not sound by itself.
    """
    ends_of = algorithm_ends or {}
    seq, _ = journal.read_entry(old.line)
    proof = seal.read_proof(old.proof)
    under = seal.read_checkpoint(proof.checkpoint, key)
    journal.verify_inclusion(journal.leaf_hash(old.line), seq, under.size, proof.path, under.root)
    stamp = timestamp.verify(old.token, proof.checkpoint, ca)
    ends = min(stamp.ends, ends_of.get("sha256", stamp.ends), ends_of.get(stamp.algorithm, stamp.ends))
    leaf = entry_leaf(objects, old)
    for renewed in renewals:
        tip = seal.read_checkpoint(renewed.checkpoint, key)
        if tip.origin != f"{under.origin}/{ALGORITHM}":
            raise BadProof(f"{tip.origin} does not renew {under.origin}")
        journal.verify_inclusion(leaf, renewed.index, tip.size, renewed.path, tip.root, join=node_hash)
        stamp = timestamp.verify(renewed.token, renewed.checkpoint, ca)
        if stamp.algorithm != ALGORITHM or stamp.at > ends:
            raise BadProof(f"the renewal of {stamp.at:%Y-%m-%d} came after {ends:%Y-%m-%d}, or has a weak imprint")
        ends = min(stamp.ends, ends_of.get(ALGORITHM, stamp.ends))
        leaf = renewal_leaf(renewed.checkpoint, renewed.token)
    if not renewals or now > ends:
        raise BadProof(f"no renewal is good at {now:%Y-%m-%d}")
    return ends

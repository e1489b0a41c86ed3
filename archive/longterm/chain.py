"""A chain of seals: each later one vouches for the token before it, so that old tokens outlive their certificates.

The entry that tells of a seal names the SHA-256 of its checkpoint and of its token; the next seal is over a log that
holds this entry. What RFC 4998 calls timestamp renewal follows: a token is good as long as a later one, made while the
earlier was still good on its own, is good. Nothing here reads a clock.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import journal, seal, timestamp
from archive.errors import BadProof
from archive.timestamp import Stamp


@dataclass(frozen=True, slots=True)
class Link:
    """One seal of a chain."""

    checkpoint: bytes
    """The signed note."""

    token: bytes
    """TimeStampResp over it."""

    told: bytes = b""
    """The journal entry that tells of this seal; empty in the last link."""

    path: tuple[bytes, ...] = ()
    """Its inclusion proof in the checkpoint of the next link."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a chain proves."""

    at: datetime
    """When the first checkpoint existed."""

    ends: datetime
    """Until when the last token stands alone: before then the chain needs one more link."""


def verify_chain(
    links: Sequence[Link], key: Ed25519PublicKey, ca: bytes, *, now: datetime,
    algorithm_ends: Mapping[str, datetime] | None = None,
) -> Standing:
    """Check every link, and that the last one is still good at `now` (aware).

    `algorithm_ends`: from when a hash ("sha256") proves nothing any more; what it vouched for must have been covered
    before. Logs hash with SHA-256.

    Raises:
        BadProof: a link does not vouch for the one before it, or came too late, or the last one has run out.
        BadCheckpoint, TimestampRefused, BadEntry: a link is no seal by itself.
    """
    if not links:
        raise BadProof("a chain of no seals")
    ends_of = algorithm_ends or {}
    stamps: list[Stamp] = []
    for link in links:
        checkpoint = seal.read_checkpoint(link.checkpoint, key)
        stamp = timestamp.verify(link.token, link.checkpoint, ca)
        if stamps:
            _follows((links[len(stamps) - 1], stamps[-1]), checkpoint, stamp, ends_of)
        stamps.append(stamp)
    ends = end_of(stamps[-1], ends_of)
    if now > ends:
        raise BadProof(f"the last seal of the chain stood until {ends:%Y-%m-%d}")
    return Standing(stamps[0].at, ends)


def end_of(stamp: Stamp, algorithm_ends: Mapping[str, datetime]) -> datetime:
    """Until when a token over a SHA-256 log stands alone."""
    return min([stamp.ends, *(algorithm_ends[name] for name in {stamp.algorithm, "sha256"} & algorithm_ends.keys())])


def _follows(
    before: tuple[Link, Stamp], checkpoint: seal.Checkpoint, stamp: Stamp, algorithm_ends: Mapping[str, datetime]
) -> None:
    link, earlier = before
    if not earlier.at <= stamp.at <= end_of(earlier, algorithm_ends):
        raise BadProof(f"the seal of {stamp.at:%Y-%m-%d} came too late for that of {earlier.at:%Y-%m-%d}")
    seq, entry = journal.read_entry(link.told)
    named = {(ref.role, ref.digest.hex) for ref in entry.objects}
    needed = {(role, hashlib.sha256(data).hexdigest())
              for role, data in (("checkpoint", link.checkpoint), ("token", link.token))}
    if not needed <= named:
        raise BadProof(f"entry {seq} does not name the seal of {earlier.at:%Y-%m-%d}")
    journal.verify_inclusion(journal.leaf_hash(link.told), seq, checkpoint.size, link.path, checkpoint.root)

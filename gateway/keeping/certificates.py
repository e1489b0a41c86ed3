"""The certificate of a destruction: a text that people read, signed like a checkpoint (C2SP signed note, Ed25519).

It names what was destroyed by hash, size and day, who proposed, who approved, and why it was allowed; no names of
people beyond the ids of the accounts. The hash and the journal entries stay, so that whoever holds such an object, or a
dossier of before, can tell that it once was kept here and went by order.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.errors import ArchiveError
from archive.seal import decode64, encode64
from gateway.deps import in_paris

ED25519 = b"\x01"
SPLIT = "\n\n— "
ROLE_OF_SHARED = "conservé / still kept"


@dataclass(frozen=True, slots=True)
class Gone:
    """One object of a destruction."""

    sha256: str
    size: int
    at: datetime | None
    """When its bytes went; None where they stay, because they belong to something else too."""


@dataclass(frozen=True, slots=True)
class Part:
    """One invoice, or one object by itself, with all that belonged to it."""

    subject: str
    number: str
    until: date
    objects: Sequence[Gone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a certificate tells."""

    id: str
    tenant: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str
    approved_at: datetime
    finished_at: datetime
    parts: Sequence[Part]


def certificate(account: Account, key: Ed25519PrivateKey, name: str) -> bytes:
    """The text with its signature. `name`: of the signer, without blanks."""
    lines = [
        "Passerelle : certificat de destruction / certificate of destruction", account.id,
        f"compte / tenant: {account.tenant}",
        f"motif / reason: {' '.join(account.reason.split())}",
        f"proposé par / proposed by: {account.proposed_by}, {in_paris(account.proposed_at)}",
        f"approuvé par / approved by: {account.approved_by}, {in_paris(account.approved_at)}",
        f"terminé / finished: {in_paris(account.finished_at)}",
    ]
    for part in account.parts:
        lines += ["", f"{part.number} {part.subject}", f"à conserver jusqu'au / to be kept until: {part.until}"]
        lines += [f"sha256:{gone.sha256} {gone.size} {in_paris(gone.at) if gone.at else ROLE_OF_SHARED}"
                  for gone in part.objects]
    body = "\n".join(line.strip() or "-" for line in lines) + "\n"
    signature = _key_id(name, key.public_key()) + key.sign(body.encode())
    return f"{body}\n— {name} {encode64(signature)}\n".encode()


def read_certificate(note: bytes, key: Ed25519PublicKey) -> str:
    """The text of a certificate that this key signed.

    Raises:
        ArchiveError: it did not, or the bytes are not those that were signed.
    """
    try:
        body, _, line = note.decode().partition(SPLIT)
        name, _, signature = line.removesuffix("\n").partition(" ")
        raw = decode64(signature, 68)
        key.verify(raw[4:], f"{body}\n".encode())
    except (ValueError, InvalidSignature):
        raise ArchiveError("not a certificate of this signer") from None
    if raw[:4] != _key_id(name, key) or f"{body}\n\n— {name} {encode64(raw)}\n".encode() != note:
        raise ArchiveError("not a certificate of this signer")
    return f"{body}\n"


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + raw).digest()[:4]

"""Checkpoints: the size and root of a log, signed with Ed25519, in text that a person can read.

Formats: C2SP tlog-checkpoint (a signed-note whose text is origin, size, root) and C2SP tlog-proof. The key's name is
the origin, one origin per tenant and fiscal year. Base64 is accepted in its canonical form only, and a text is
accepted only if writing it again gives the same bytes: no bit may change without notice.
"""

import base64
import binascii
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from archive.errors import BadCheckpoint, BadKey

_ED25519 = b"\x01"
_HASHES = {32, 64}
"""Bytes of a root: SHA-256, or SHA-512 in a tree that renews the hashes of another."""

_MOST_SIGNATURES = 32
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")
_PROOF_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself."""

    origin: str
    """Which log, e.g. "passerelle.example/<tenant>/2026"."""

    size: int
    root: bytes
    """32 bytes; 64 in a tree of SHA-512."""

    def text(self) -> bytes:
        """The bytes that are signed."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n".encode()


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What a tlog-proof file says. The checkpoint inside is not checked yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def create_key(path: Path) -> Ed25519PrivateKey:
    """Make a signing key and keep it as PEM (PKCS #8, not encrypted) readable by its owner only.

    Raises:
        BadKey: the file exists already; a key is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # mkstemp gives 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        raise BadKey(f"{path} exists already") from None
    finally:
        Path(temporary).unlink()
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key.

    Raises:
        BadKey: absent, readable by group or others, or not an Ed25519 private key in PEM.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise BadKey(f"{path} may be read by others; its mode must be 0600")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{path}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path} is not an Ed25519 key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM. `sha256sum` of this file is the fingerprint that people compare."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public(pem: bytes) -> Ed25519PublicKey:
    """A public key from exactly the bytes that `public_pem` writes.

    Raises:
        BadKey.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"not a public key: {error}") from None
    if not isinstance(key, Ed25519PublicKey) or public_pem(key) != pem:
        raise BadKey("not an Ed25519 public key in plain PEM")
    return key


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The signed note.

    Raises:
        BadCheckpoint: the origin holds blanks or `+`, or the root is no SHA-256.
    """
    if not _ORIGIN.fullmatch(checkpoint.origin) or len(checkpoint.root) not in _HASHES or checkpoint.size < 0:
        raise BadCheckpoint(f"cannot sign {checkpoint}")
    text = checkpoint.text()
    signature = _key_id(checkpoint.origin, key.public_key()) + key.sign(text)
    return text + f"\n— {checkpoint.origin} {encode64(signature)}\n".encode()


def read_checkpoint(note: bytes, key: Ed25519PublicKey) -> Checkpoint:
    """What a checkpoint says, after its signature was verified.

    Signatures of other keys (witnesses) are allowed and ignored. Extension lines are not allowed.

    Raises:
        BadCheckpoint.
    """
    head, separator, tail = note.partition(b"\n\n")
    lines = _lines(head + b"\n")
    if not separator or len(lines) != 3 or not _ORIGIN.fullmatch(lines[0]) or not _NUMBER.fullmatch(lines[1]):
        raise BadCheckpoint("not a checkpoint")
    checkpoint = Checkpoint(lines[0], int(lines[1]), _hash(lines[2]))
    identity, seen = _key_id(checkpoint.origin, key), False
    signatures = _lines(tail)
    if len(signatures) > _MOST_SIGNATURES:
        raise BadCheckpoint("too many signatures")
    for line in signatures:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—" or not parts[1]:
            raise BadCheckpoint("a signature line is malformed")
        signature = decode64(parts[2])
        if parts[1] != checkpoint.origin or signature[:4] != identity:
            continue
        try:
            key.verify(signature[4:], checkpoint.text())
        except InvalidSignature:
            raise BadCheckpoint("the signature is wrong") from None
        seen = True
    if not seen:
        raise BadCheckpoint("not signed with this key")
    return checkpoint


def write_proof(proof: InclusionProof) -> bytes:
    """A tlog-proof file."""
    lines = [_PROOF_HEADER, f"index {proof.index}", *map(encode64, proof.path), "", ""]
    return "\n".join(lines).encode() + proof.checkpoint


def read_proof(proof: bytes) -> InclusionProof:
    """What a tlog-proof file says. Extra data is not accepted, since nothing authenticates it.

    Raises:
        BadCheckpoint.
    """
    head, separator, checkpoint = proof.partition(b"\n\n")
    lines = _lines(head + b"\n")
    if not separator or len(lines) < 2 or lines[0] != _PROOF_HEADER or len(lines) > 66:
        raise BadCheckpoint("not a tlog-proof")
    word, _, number = lines[1].partition(" ")
    if word != "index" or not _NUMBER.fullmatch(number):
        raise BadCheckpoint("the index is malformed")
    return InclusionProof(int(number), tuple(map(_hash, lines[2:])), checkpoint)


def encode64(data: bytes) -> str:
    """Standard Base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def decode64(text: str, size: int | None = None) -> bytes:
    """Bytes from canonical Base64: unused low bits must be zero.

    Raises:
        BadCheckpoint.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadCheckpoint("not Base64") from None
    if encode64(data) != text or (size is not None and len(data) != size):
        raise BadCheckpoint("not canonical Base64, or not of the right length")
    return data


def _hash(text: str) -> bytes:
    data = decode64(text)
    if len(data) not in _HASHES:
        raise BadCheckpoint("not a hash")
    return data


def _lines(text: bytes) -> list[str]:
    """The lines of a text that must end in a newline and hold no other control character."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise BadCheckpoint("not UTF-8") from None
    if not decoded.endswith("\n") or any(char < " " and char != "\n" for char in decoded):
        raise BadCheckpoint("not lines of text")
    return decoded[:-1].split("\n")


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]

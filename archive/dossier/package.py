"""Build the dossier of one invoice: a ZIP that anybody can read and verify offline. The same input, the same bytes.

The caller seals its logs first, so that every entry given here lies under a signed and timestamped checkpoint.
What is built is verified before it is handed out: a dossier that would fail its own verification is not exported.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archive import journal, seal, verify
from archive.container import SAFE_NAME, Member
from archive.dossier import telling
from archive.dossier.telling import Document, Story
from archive.errors import BadDossier
from archive.journal import Rows
from archive.manifest import LIST, NEXT, REVOCATION, SIGNATURE, Item, Manifest
from archive.manifest import write as write_manifest
from archive.seal import InclusionProof

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One journal entry with its proof."""

    seq: int
    line: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NextSeal:
    """The later seal whose tree holds the entry that names a checkpoint and its token: it protects that token."""

    checkpoint: bytes
    token: bytes
    entry: LoggedEntry
    published: Mapping[str, bytes] = field(default_factory=dict)
    """What the authority published when the checkpoint was stamped, by role (archive.manifest.REVOCATION)."""


@dataclass(frozen=True, slots=True)
class SealedLog:
    """Entries of one log under one checkpoint."""

    checkpoint: bytes
    """The signed note."""

    token: bytes
    """TimeStampResp over the note."""

    entries: tuple[LoggedEntry, ...]
    next: NextSeal | None = None
    """None where no later seal exists yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything that is known about one invoice."""

    invoice: str
    """Its number."""

    subjects: tuple[str, ...]
    """The ids that its journal entries are about, the invoice's own first."""

    documents: tuple[Document, ...]
    logs: tuple[SealedLog, ...]
    """Usually one; more where the invoice's life crosses fiscal years."""

    story: Story
    tenant: str = ""
    """Whose invoice it is, as in the origin of its logs."""

    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by name (a drawn index, a manifest for another system): signed, not provable by the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who vouches for the dossier."""

    log: Ed25519PublicKey
    """Signs checkpoints."""

    seal: Ed25519PrivateKey
    """Signs the list of files."""

    tsa_ca: bytes
    """PEM that the timestamps chain to; see archive.timestamp.verify."""

    former: tuple[Ed25519PublicKey, ...] = ()
    """Who signed checkpoints before, in an earlier house."""

    @property
    def logs(self) -> tuple[bytes, ...]:
        """Every key by which a checkpoint may be signed, as PEM."""
        return tuple(map(seal.public_pem, (self.log, *self.former)))


def logged(rows: Rows, seq: int, size: int) -> LoggedEntry:
    """An entry with its proof in the checkpoint of `size` entries.

    Raises:
        BadProof: it is not under that checkpoint.
    """
    return LoggedEntry(seq, rows.get(seq).line, journal.inclusion_proof(rows, seq, size))


def sealed(rows: Rows, checkpoint: bytes, token: bytes, size: int, seqs: tuple[int, ...]) -> SealedLog:
    """Entries of a log with their proofs in the checkpoint of `size` entries.

    Raises:
        BadProof: one of them is not under that checkpoint.
    """
    return SealedLog(checkpoint, token, tuple(logged(rows, seq, size) for seq in seqs))


def build(dossier: Dossier, keys: Keys, *, at: datetime) -> bytes:
    """The dossier as a ZIP. `at` (aware) is only printed.

    Raises:
        BadDossier: it would not verify; the text says why.
        TimestampRefused, BadCheckpoint, BadEntry: the evidence handed in is not sound.
    """
    return zipped(members_of(dossier, keys, at=at))


def members_of(dossier: Dossier, keys: Keys, *, at: datetime) -> dict[str, bytes]:
    """The files of the dossier by name, listed, signed and verified. Raises as `build`."""
    manifest = Manifest(dossier.invoice, dossier.subjects, tuple(
        Item(document.name, document.role, document.digest, len(document.content)) for document in dossier.documents
    ), dossier.tenant)
    members = {
        "dossier.json": write_manifest(manifest),
        "log-pub.pem": seal.public_pem(keys.log),
        "seal-pub.pem": seal.public_pem(keys.seal.public_key()),
        "tsa-ca.pem": keys.tsa_ca,
        **{f"former/{number}.pem": pem for number, pem in enumerate(keys.logs[1:], start=1)},
        "verify.sh": telling.SCRIPT.read_bytes(),
    }
    for document in dossier.documents:
        members[f"objects/{document.name}"] = document.content
    for number, log in enumerate(dossier.logs, start=1):
        members |= _log_files("" if number == 1 else f"log{number}/", log)
    members |= telling.texts(account_of(dossier, keys, at=at))
    for name, data in dossier.beside.items():
        if name in members or not SAFE_NAME.fullmatch(name):
            raise BadDossier(f"{name!r} cannot be a further file")
        members[name] = data
    listing = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(members.items()))
    members[LIST] = listing.encode()
    members[SIGNATURE] = keys.seal.sign(members[LIST])
    _refuse_unsound(members)
    return members


def account_of(dossier: Dossier, keys: Keys, *, at: datetime) -> telling.Account:
    """What the readable index tells, with the seals and keys that the files will hold. Raises as `build`."""
    ca = keys.tsa_ca
    seals = [(verify.checkpoint_of(log.checkpoint, keys.logs), verify.stamp_of(log.token, log.checkpoint, ca),
              verify.stamp_of(log.next.token, log.next.checkpoint, ca) if log.next else None) for log in dossier.logs]
    entries = [journal.read_entry(entry.line) for log in dossier.logs for entry in log.entries]
    pems = (keys.logs[0], seal.public_pem(keys.seal.public_key()), ca)
    return telling.account(dossier.invoice, dossier.story, dossier.documents,
                           entries=entries, seals=seals, keys=pems, at=at)


def _log_files(folder: str, log: SealedLog) -> dict[str, bytes]:
    files = {f"{folder}checkpoint": log.checkpoint, f"{folder}checkpoint.tsr": log.token}
    for entry in log.entries:
        files[f"{folder}entries/{entry.seq}.json"] = entry.line
        files[f"{folder}entries/{entry.seq}.tlog-proof"] = _proof(entry, log.checkpoint)
    if log.next is not None:
        later = (log.next.checkpoint, log.next.token, log.next.entry.line, _proof(log.next.entry, log.next.checkpoint))
        files |= dict(zip((f"{folder}{name}" for name in NEXT), later, strict=True))
        files |= {f"{folder}{REVOCATION[role]}": data for role, data in log.next.published.items()}
    return files


def _proof(entry: LoggedEntry, checkpoint: bytes) -> bytes:
    return seal.write_proof(InclusionProof(entry.seq, entry.path, checkpoint))


def _refuse_unsound(members: dict[str, bytes]) -> None:
    checked = {
        name: Member(hashlib.sha256(data).hexdigest(), len(data), data) for name, data in members.items()
    }
    for fault in verify.examine(checked, None):
        raise BadDossier(f"{fault.member}: {fault.en}")


def zipped(members: dict[str, bytes]) -> bytes:
    """The files as one ZIP. Stored, not compressed: deflate's output depends on the library's version."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (0o100755 if name == "verify.sh" else 0o100644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()

"""Build the dossier of one invoice: a ZIP that anybody can read and verify offline. The same input, the same bytes.

The caller seals its logs first, so that every entry given here lies under a signed and timestamped checkpoint.
What is built is verified before it is handed out: a dossier that would fail its own verification is not exported.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from archive import journal, seal, timestamp, verify
from archive.container import Member
from archive.errors import BadDossier
from archive.journal import Entry, Rows
from archive.manifest import LIST, SIGNATURE, Item, Manifest
from archive.manifest import write as write_manifest
from archive.seal import InclusionProof
from archive.store import Digest
from archive.trust import KEYS

_FILES = Path(__file__).with_name("dossier")
_TEXTS = Environment(
    loader=FileSystemLoader(_FILES), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
    keep_trailing_newline=True,
)
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A kept object that goes into the dossier."""

    name: str
    """File name in objects/: ASCII letters, digits and `._-`, e.g. "facture.xml"."""

    role: str
    """As in the journal entry that names it."""

    title: str
    """For people, French."""

    content: bytes

    @property
    def digest(self) -> Digest:
        """SHA-256 of the content."""
        return Digest.of(self.content)


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One journal entry with its proof."""

    seq: int
    line: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SealedLog:
    """Entries of one log under one checkpoint."""

    checkpoint: bytes
    """The signed note."""

    token: bytes
    """TimeStampResp over the note."""

    entries: tuple[LoggedEntry, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the readable timeline. All texts are for people, French, times as they shall be read."""

    at: str
    what: str
    who: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the readable index tells beside the evidence. Signed with the rest, not provable by the journal."""

    facts: tuple[tuple[str, str], ...] = ()
    """Label and value: number, date, seller, buyer, total ..."""

    verdict: str
    findings: tuple[str, ...] = ()
    timeline: tuple[Moment, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who vouches for the dossier."""

    log: Ed25519PublicKey
    """Signs checkpoints."""

    seal: Ed25519PrivateKey
    """Signs the list of files."""

    tsa_ca: bytes
    """PEM that the timestamps chain to; see archive.timestamp.verify."""


def sealed(rows: Rows, checkpoint: bytes, token: bytes, size: int, seqs: tuple[int, ...]) -> SealedLog:
    """Entries of a log with their proofs in the checkpoint of `size` entries.

    Raises:
        BadProof: one of them is not under that checkpoint.
    """
    return SealedLog(checkpoint, token, tuple(
        LoggedEntry(seq, rows.get(seq).line, journal.inclusion_proof(rows, seq, size)) for seq in seqs
    ))


def build(dossier: Dossier, keys: Keys, *, at: datetime) -> bytes:
    """The dossier as a ZIP. `at` (aware) is only printed.

    Raises:
        BadDossier: it would not verify; the text says why.
        TimestampRefused, BadCheckpoint, BadEntry: the evidence handed in is not sound.
    """
    manifest = Manifest(dossier.invoice, dossier.subjects, tuple(
        Item(document.name, document.role, document.digest, len(document.content)) for document in dossier.documents
    ))
    members = {
        "dossier.json": write_manifest(manifest),
        "log-pub.pem": seal.public_pem(keys.log),
        "seal-pub.pem": seal.public_pem(keys.seal.public_key()),
        "tsa-ca.pem": keys.tsa_ca,
        "verify.sh": (_FILES / "verify.sh").read_bytes(),
    }
    for document in dossier.documents:
        members[f"objects/{document.name}"] = document.content
    for number, log in enumerate(dossier.logs, start=1):
        folder = "" if number == 1 else f"log{number}/"
        members[f"{folder}checkpoint"] = log.checkpoint
        members[f"{folder}checkpoint.tsr"] = log.token
        for entry in log.entries:
            proof = InclusionProof(entry.seq, entry.path, log.checkpoint)
            members[f"{folder}entries/{entry.seq}.json"] = entry.line
            members[f"{folder}entries/{entry.seq}.tlog-proof"] = seal.write_proof(proof)
    members |= _texts(dossier, keys, members, at)
    listing = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(members.items()))
    members[LIST] = listing.encode()
    members[SIGNATURE] = keys.seal.sign(members[LIST])
    _refuse_unsound(members)
    return _zipped(members)


def _texts(dossier: Dossier, keys: Keys, members: dict[str, bytes], at: datetime) -> dict[str, bytes]:
    """README and index, which tell what the rest says."""
    seals: list[dict[str, object]] = []
    entries: list[tuple[int, Entry]] = []
    for log in dossier.logs:
        checkpoint = seal.read_checkpoint(log.checkpoint, keys.log)
        stamp = timestamp.verify(log.token, log.checkpoint, keys.tsa_ca)
        seals.append({
            "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
            "at": _french(stamp.at), "authority": stamp.authority,
        })
        entries += [journal.read_entry(entry.line) for entry in log.entries]
    told = {
        "invoice": dossier.invoice,
        "at": _french(at),
        "story": dossier.story,
        "documents": dossier.documents,
        "entries": sorted(entries, key=lambda pair: pair[1].at),
        "seals": seals,
        "test_authority": any("NOT QUALIFIED" in str(found["authority"]) for found in seals),
        "fingerprints": [(name, hashlib.sha256(members[name]).hexdigest()) for name in KEYS],
    }
    return {name: _TEXTS.get_template(name).render(told).encode() for name in ("README.fr.txt", "index.fr.html")}


def _french(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%d/%m/%Y à %H:%M:%S UTC")


def _refuse_unsound(members: dict[str, bytes]) -> None:
    checked = {
        name: Member(hashlib.sha256(data).hexdigest(), len(data), data) for name, data in members.items()
    }
    for fault in verify.examine(checked, None):
        raise BadDossier(f"{fault.member}: {fault.en}")


def _zipped(members: dict[str, bytes]) -> bytes:
    """Stored, not compressed: deflate's output depends on the library's version."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (0o100755 if name == "verify.sh" else 0o100644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()

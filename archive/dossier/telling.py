"""What a dossier tells people: README and index, drawn from one account of everything in it.

The account is plain data (texts, numbers, lists), so that the PDF of the index can be drawn from it elsewhere. It is
signed with the rest; what the journal proves is in objects/ and entries/.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from archive.journal import Entry
from archive.seal import Checkpoint
from archive.store import Digest
from archive.timestamp import Stamp
from archive.trust import KEYS

_FILES = Path(__file__).parent
SCRIPT = _FILES / "verify.sh"
PERIOD_SCRIPT = _FILES / "verify-period.sh"
_TEXTS = Environment(
    loader=FileSystemLoader(_FILES), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
    keep_trailing_newline=True,
)
Account = Mapping[str, Any]
"""What `account` gives."""


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
class Step:
    """One link of the audit trail from the order to the payment. All texts are for people, French."""

    stage: str
    """E.g. "Commande"."""

    reference: str
    """Number or code; empty where there is none."""

    at: str = ""
    proof: str = ""
    """Where the dossier shows it: the name of a document, or how many journal entries."""

    remark: str = ""


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
    rule_sets: tuple[tuple[str, ...], ...] = ()
    """Of the validation report: layer, outcome, rule set, version, SHA-256."""

    trail: tuple[Step, ...] = ()
    """The reliable audit trail (piste d'audit fiable) at a glance."""

    missing: tuple[str, ...] = ()
    """What the trail lacks, and which documents were destroyed or erased."""

    timeline: tuple[Moment, ...] = ()


def account(
    invoice: str, story: Story, documents: Sequence[Document], *, entries: Sequence[tuple[int, Entry]],
    seals: Sequence[tuple[Checkpoint, Stamp, Stamp | None]], keys: Sequence[bytes], at: datetime,
) -> Account:
    """Everything the index tells, as data that JSON can carry. `keys`: the files of archive.trust.KEYS."""
    return {
        "invoice": invoice, "at": french(at), "day": at.astimezone(UTC).date().isoformat(), **asdict(story),
        "documents": [{"name": d.name, "title": d.title, "size": len(d.content), "sha256": d.digest.hex}
                      for d in documents],
        "entries": [
            {"seq": seq, "at": entry.at.astimezone(UTC).strftime("%d/%m/%Y %H:%M:%S"), "actor": entry.actor,
             "what": f"{entry.type} : {entry.outcome}",
             "objects": [(ref.role, ref.digest.hex) for ref in entry.objects]}
            for seq, entry in sorted(entries, key=lambda pair: pair[1].at)
        ],
        "seals": [
            {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
             "at": french(stamp.at), "authority": stamp.authority, "next_at": french(later.at) if later else None}
            for checkpoint, stamp, later in seals
        ],
        "test_authority": any("NOT QUALIFIED" in stamp.authority for _, stamp, _ in seals),
        "fingerprints": [(name, hashlib.sha256(pem).hexdigest()) for name, pem in zip(KEYS, keys, strict=True)],
    }


def texts(told: Account) -> dict[str, bytes]:
    """README.fr.txt and index.fr.html."""
    return {name: _TEXTS.get_template(name).render(told).encode() for name in ("README.fr.txt", "index.fr.html")}


def period_readme(title: str, count: int) -> bytes:
    """LISEZMOI.txt of the export of a period."""
    return _TEXTS.get_template("LISEZMOI.txt").render(title=title, count=count).encode()


def french(at: datetime) -> str:
    """A moment for people, in UTC."""
    return at.astimezone(UTC).strftime("%d/%m/%Y à %H:%M:%S UTC")

"""A small archive: keys, a test authority, a log, and the dossier of one invoice in it."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from archive_log import MemoryRows, entry_of, grown
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import journal, seal, timestamp
from archive.dossier.package import Dossier, Keys, NextSeal, build, logged, sealed
from archive.dossier.telling import Document, Moment, Step, Story
from archive.journal import ObjectRef
from archive.seal import Checkpoint
from archive.store import Digest
from archive.trust import KEYS, write_trust
from gateway.sandbox.authority import LocalAuthority

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INVOICE = "FA-2026-0042"
SUBJECT = "5e0f1c6a-0000-4000-8000-000000000042"
SUBMITTED, DELIVERED, APPROVED = 17, 40, 58
"""Where the invoice's entries stand in the log."""


@dataclass(frozen=True)
class World:
    log_key: Ed25519PrivateKey
    seal_key: Ed25519PrivateKey
    authority: LocalAuthority

    @property
    def keys(self) -> Keys:
        return Keys(log=self.log_key.public_key(), seal=self.seal_key, tsa_ca=self.authority.ca)

    def trust_text(self) -> str:
        pems = (seal.public_pem(self.keys.log), seal.public_pem(self.seal_key.public_key()), self.authority.ca)
        return write_trust(dict(zip(KEYS, pems, strict=True)))

    def checkpoint(self, rows: MemoryRows, origin: str) -> bytes:
        tip = Checkpoint(origin, journal.size_of(rows), journal.root(rows))
        return seal.sign_checkpoint(tip, self.log_key)

    def stamp(self, message: bytes) -> bytes:
        return timestamp.obtain(self.authority, message, self.authority.ca).response


def make_world(folder: Path) -> World:
    keys = [Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name).digest()) for name in (b"log", b"seal")]
    return World(*keys, LocalAuthority(folder / "tsa", lambda: NOW))


def documents() -> tuple[Document, ...]:
    return (
        Document(name="facture.xml", role="original", title="Facture reçue", content=b"<Invoice>42</Invoice>" * 9),
        Document(name="facture.pdf", role="sent", title="Facture émise", content=b"%PDF-1.7 " + bytes(range(256)) * 8),
        Document(name="rapport.json", role="report", title="Rapport de contrôle", content=b'{"verdict":"valid"}'),
        Document(name="statut-205.xml", role="status", title="Statut 205 Approuvée", content=b"<CDAR>205</CDAR>"),
    )


def refs(*chosen: Document) -> tuple[ObjectRef, ...]:
    return tuple(ObjectRef(item.role, item.digest, len(item.content)) for item in chosen)


def make_log(kept: tuple[Document, ...]) -> MemoryRows:
    """61 entries, three of them about our invoice."""
    told = {SUBMITTED: refs(*kept[:1], *kept[2:3]), DELIVERED: refs(*kept[1:2]), APPROVED: refs(*kept[3:])}
    rows = MemoryRows()
    for number in range(61):
        entry = entry_of(number)
        if number in told:
            entry = replace(entry, subject=SUBJECT, objects=told[number])
        journal.append(rows, entry)
    return rows


def following(world: World, rows: MemoryRows, note: bytes, token: bytes) -> NextSeal:
    """The seal after the one given: its log holds an entry that names both files."""
    named = (ObjectRef("checkpoint", Digest.of(note), len(note)), ObjectRef("token", Digest.of(token), len(token)))
    seq = journal.append(rows, replace(entry_of(61, *named), type="evidence", outcome="sealed"))
    later = world.checkpoint(rows, note.decode().partition("\n")[0])
    return NextSeal(later, world.stamp(later), logged(rows, seq, seq + 1))


def make_dossier(world: World) -> Dossier:
    kept = documents()
    rows = make_log(kept)
    note = world.checkpoint(rows, "passerelle.example/t1/2026")
    token = world.stamp(note)
    this = sealed(rows, note, token, 61, (SUBMITTED, DELIVERED, APPROVED))
    return Dossier(
        invoice=INVOICE, tenant="t1", subjects=(SUBJECT,), documents=kept, beside={"piste-audit.csv": b"x;y\n"},
        logs=(replace(this, next=following(world, rows, note, token)),),
        story=Story(
            trail=(Step("Commande", "C-7"), Step("Facture", INVOICE, proof="facture.xml")), missing=("Paiement",),
            rule_sets=(("xsd", "passed", "CII", "D22B", "ab" * 32),),
            facts=(("Vendeur", "Ateliers <Imaginaires> & Fils"), ("Montant", "1 200,00 EUR")), verdict="Valide",
            findings=("BR-FR-12",),
            timeline=(Moment("21/11/2026 10:00", "Déposée", "clé 7f3a", "UBL"), Moment("22/11/2026", "Approuvée")),
        ),
    )


def make_zip(world: World) -> bytes:
    return build(make_dossier(world), world.keys, at=NOW)


def second_log(world: World, kept: Document) -> tuple[MemoryRows, bytes, bytes]:
    """The next year's log, with one entry about our invoice at 3."""
    rows = grown(9, salt="next")
    rows = MemoryRows(rows.rows[:3])
    journal.append(rows, entry_of(3, *refs(kept), subject=SUBJECT))
    for number in range(4, 9):
        journal.append(rows, entry_of(number, salt="next"))
    note = world.checkpoint(rows, "passerelle.example/t1/2027")
    return rows, note, world.stamp(note)


def unzip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def relisted(members: Mapping[str, bytes], signer: Ed25519PrivateKey | None = None) -> dict[str, bytes]:
    """SHA256SUMS made again, as a forger would; signed only by whoever has a key."""
    rest = {name: data for name, data in members.items() if not name.startswith("SHA256SUMS")}
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(rest.items())).encode()
    signature = signer.sign(lines) if signer else members["SHA256SUMS.sig"]
    return rest | {"SHA256SUMS": lines, "SHA256SUMS.sig": signature}

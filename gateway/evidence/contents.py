"""What goes into the dossier of one invoice: every kept object, its entries under given seals, the readable story."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.dossier import package
from archive.dossier.telling import Document as Shown
from archive.dossier.telling import Moment, Story
from archive.journal import Row, canonical, read_entry
from archive.store import Digest
from gateway.deps import PARIS, Deps
from gateway.evidence.ledger import LogRows
from gateway.evidence.saying import key_of, mac, text_of
from gateway.evidence.trail import as_csv, missing_in, steps_of
from gateway.tables import Document, Event, JournalEntry, Payment, Seal, Submission

TITLES = {
    "original": "Document reçu", "sent": "Document transmis à la plateforme", "report": "Rapport de vérification",
    "loss": "Rapport de conversion", "receipt": "Récépissé de dépôt", "status": "Message de statut (CDAR)",
    "reminder": "Relance envoyée", "readable": "Vue lisible", "payment": "Paiement enregistré",
    "directory": "Réponse de l'annuaire", "duplicate": "Double remis autrement",
}
KINDS = {
    "submission": "Réception", "transmission": "Transmission", "lifecycle": "Statut", "payment": "Paiement",
    "reminder": "Relance", "evidence": "Preuve", "access": "Accès", "setting": "Réglage", "alarm": "Alarme",
}
TRAIL, WORDS = "piste-audit.csv", "words.json"
RULE_SET = ("layer", "outcome", "rule_set", "version", "sha256")
MOST_ROWS = 20_000


class RememberedRows(LogRows):
    """A log whose rows are read once: neighbouring proofs share most of theirs. Keeps at most MOST_ROWS."""

    def __init__(self, session: Session, tenant_id: str, log: str) -> None:
        super().__init__(session, tenant_id, log)
        self._read: dict[int, Row] = {}
        self._last: Row | None = None

    def last(self) -> Row | None:
        """The newest row when it was first asked for."""
        self._last = self._last or super().last()
        return self._last

    def get(self, seq: int) -> Row:
        """The row at a position that exists."""
        if len(self._read) >= MOST_ROWS:
            self._read.clear()
        if seq not in self._read:
            self._read[seq] = super().get(seq)
        return self._read[seq]


def dossier_of(
    deps: Deps, session: Session, submission: Submission, seals: Sequence[Seal], logs: Mapping[str, LogRows],
) -> package.Dossier:
    """The dossier as it stood under the seals, one per log that speaks of the invoice. `logs`: their rows, by name.

    What came after the seals is left out. Raises ArchiveError where a kept object is missing or damaged.
    """
    sealed = [sealed_log(session, submission.id, seal, logs) for seal in seals]
    entries = [read_entry(entry.line)[1] for log in sealed for entry in log.entries]
    named = {(ref.role, ref.digest.hex) for entry in entries for ref in entry.objects}
    until = max(seal.at for seal in seals)
    rows = [row for row in session.scalars(select(Document).where(Document.submission_id == submission.id)
                                           .order_by(Document.at, Document.role, Document.id))
            if row.at <= until or (row.role, row.sha256) in named]
    files = [(f"{position:02d}-{file_stem(row.name)}{suffix(row.name)}", row) for position, row in enumerate(rows, 1)]
    shown = tuple(Shown(name=name, role=row.role, title=TITLES.get(row.role, row.role),
                        content=deps.store.get(Digest(row.sha256))) for name, row in files)
    causes = {entry.cause for entry in entries}
    events = [event for event in session.scalars(
        select(Event).where(Event.submission_id == submission.id).order_by(Event.position)) if event.id in causes]
    payments = session.scalars(select(Payment).where(Payment.submission_id == submission.id)
                               .order_by(Payment.recorded_at, Payment.id)).all()
    links = submission.linked or {}
    steps = steps_of(submission, links, files, events, payments)
    missing = missing_in(submission, links, events, payments)
    return package.Dossier(
        invoice=submission.number or submission.id, tenant=submission.tenant_id, subjects=(submission.id,),
        documents=shown, logs=tuple(sealed),
        story=replace(story_of(submission, events, shown), trail=steps, missing=missing),
        beside={TRAIL: as_csv(steps, missing), **words_of(session, submission, seals, events)},
    )


def sealed_log(session: Session, submission_id: str, seal: Seal, logs: Mapping[str, LogRows]) -> package.SealedLog:
    """The invoice's entries of one log, with their proofs under the seal, and the seal that covers its token."""
    seqs = session.scalars(
        select(JournalEntry.seq)
        .where(JournalEntry.log == seal.log, JournalEntry.subject == submission_id, JournalEntry.seq < seal.size)
        .order_by(JournalEntry.seq)
    ).all()
    log = package.sealed(logs[seal.log], seal.checkpoint, seal.token or b"", seal.size, tuple(seqs))
    return replace(log, next=following(session, seal, logs))


def following(session: Session, seal: Seal, logs: Mapping[str, LogRows]) -> package.NextSeal | None:
    """The first timestamped seal over the entry that tells of `seal`; None while there is none."""
    entry = telling_of(session, seal)
    if entry is None:
        return None
    later = session.scalar(select(Seal).where(
        Seal.log == entry.log, Seal.size > entry.seq, Seal.token.is_not(None)).order_by(Seal.size).limit(1))
    if later is None or later.token is None:
        return None
    rows = logs.get(later.log) or LogRows(session, seal.tenant_id, later.log)
    return package.NextSeal(later.checkpoint, later.token, package.logged(rows, entry.seq, later.size))


def telling_of(session: Session, seal: Seal) -> JournalEntry | None:
    """The entry that names a seal's checkpoint and token: it may be in a later log."""
    return session.scalar(select(JournalEntry).where(
        JournalEntry.subject == f"log:{seal.log}:{seal.size}", JournalEntry.type == "evidence")
        .order_by(JournalEntry.at, JournalEntry.seq).limit(1))


def words_of(
    session: Session, submission: Submission, seals: Sequence[Seal], events: Sequence[Event],
) -> dict[str, bytes]:
    """words.json: what events say beside their entries, with the key of the HMACs that the entries hold of it."""
    key = key_of(session, submission.tenant_id, submission.id)
    if key is None:
        return {}
    said = [{"event": event.id, "text": text.decode(), "said": mac(key, text)}
            for event in events if (text := text_of(event))]
    return {WORDS: canonical({"key": key.hex(), "logs": [seal.log for seal in seals], "words": said})}


def story_of(submission: Submission, events: Sequence[Event], shown: Sequence[Shown]) -> Story:
    """What the readable index tells: facts, verdict, findings, rule sets, timeline."""
    report: dict[str, Any] = next((json.loads(item.content) for item in shown if item.role == "report"), {})
    facts = (
        ("Numéro", submission.number), ("Date d'émission", submission.issue_date and submission.issue_date.isoformat()),
        ("Vendeur", submission.seller_name), ("SIREN du vendeur", submission.seller_siren),
        ("Acheteur", submission.buyer_name), ("SIREN de l'acheteur", submission.buyer_siren),
        ("Total TTC", amount(submission.total, submission.currency)),
        ("Transmission", submission.transmission), ("Dernier statut", submission.lifecycle),
        ("Identifiant", submission.id),
    )
    return Story(
        facts=tuple((label, str(value)) for label, value in facts if value),
        verdict={"valid": "Valide", "invalid": "Invalide"}.get(submission.verdict, submission.verdict),
        findings=tuple(f"{f['rule']} : {f['message']['fr']}" for f in report.get("findings", [])),
        rule_sets=tuple(tuple(str(layer.get(name) or "") for name in RULE_SET) for layer in report.get("layers", [])),
        timeline=tuple(moment_of(event) for event in events),
    )


def amount(value: Decimal | None, currency: str | None) -> str | None:
    """An amount for people."""
    return None if value is None else f"{value} {currency}"


def moment_of(event: Event) -> Moment:
    """One line of the readable timeline."""
    platform = f"horloge de la plateforme : {french(event.platform_at)}. " if event.platform_at else ""
    return Moment(at=french(event.at), what=f"{KINDS.get(event.kind, event.kind)} : {event.code}",
                  who=event.actor, detail=f"{platform}{event.reason or ''}".strip())


def french(at: datetime) -> str:
    """A time as French readers know it, with its zone."""
    return at.astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S %Z")


def file_stem(name: str) -> str:
    """A name that is safe in any file system, without its extension."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name.rsplit(".", 1)[0] if "." in name else name)[:80] or "facture"


def suffix(name: str) -> str:
    """The extension with its dot, when it is a plain one."""
    found = re.search(r"\.[A-Za-z0-9]{1,5}$", name)
    return found.group() if found else ""

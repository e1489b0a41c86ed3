"""What goes into the dossier of one invoice: every kept object, its entries under given seals, the readable story."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from archive.dossier import package
from archive.dossier.telling import Document as Shown
from archive.dossier.telling import Moment, Story
from archive.journal import canonical, read_entry
from archive.store import Digest
from gateway.deps import Deps, in_paris
from gateway.dossiers.shelf import Shelf, Standing
from gateway.dossiers.trail import as_csv, missing_in, plain, steps_of
from gateway.evidence.saying import key_of, mac, text_of
from gateway.receivables.account import Received
from gateway.receivables.documents import documents_of, netted
from gateway.tables import Document, Event, Submission

TITLES = {
    "original": "Document reçu", "sent": "Document transmis à la plateforme", "report": "Rapport de vérification",
    "loss": "Rapport de conversion", "receipt": "Récépissé de dépôt", "status": "Message de statut (CDAR)",
    "reminder": "Relance envoyée", "readable": "Vue lisible", "payment": "Paiement enregistré",
    "directory": "Réponse de l'annuaire", "duplicate": "Double remis autrement",
    "certificate": "Certificat de destruction", "returned": "Avis de non-remise",
}
KINDS = {
    "submission": "Réception", "transmission": "Transmission", "lifecycle": "Statut", "payment": "Paiement",
    "reminder": "Relance", "evidence": "Preuve", "access": "Accès", "setting": "Réglage", "alarm": "Alarme",
}
TRAIL, WORDS, DESTROYED = "piste-audit.csv", "words.json", "destroyed.json"
WENT = "object.destroy.done"
"""Outcome of the entry that tells that an object is gone (keeping/objects.py)."""

RULE_SET = ("layer", "outcome", "rule_set", "version", "sha256")


def dossier_of(
    deps: Deps, session: Session, submission: Submission, standings: Sequence[Standing], shelf: Shelf,
) -> package.Dossier:
    """The dossier as it stood under the seals, one per log that speaks of the invoice.

    What came after the seals is left out. An object that was destroyed lawfully is listed, with the entries that tell
    of it. Raises ArchiveError where any other is missing or damaged.
    """
    subjects = shelf.subjects(submission.id)
    sealed = [sealed_log(one, seqs_of(one, shelf, subjects)) for one in standings]
    entries = [read_entry(entry.line)[1] for log in sealed for entry in log.entries]
    named = {(ref.role, ref.digest.hex) for entry in entries for ref in entry.objects}
    until = max(one.seal.at for one in standings)
    rows = [row for row in shelf.documents[submission.id] if row.at <= until or (row.role, row.sha256) in named]
    files = [(f"{position:02d}-{file_stem(row.name)}{suffix(row.name)}", row) for position, row in enumerate(rows, 1)]
    shown = tuple(Shown(name=name, role=row.role, title=TITLES.get(row.role, row.role),
                        content=deps.store.get(Digest(row.sha256)))
                  for name, row in files if row.sha256 not in shelf.gone)
    gone = [(name, row, shelf.gone[row.sha256]) for name, row in files if row.sha256 in shelf.gone]
    causes = {entry.cause for entry in entries}
    events = [event for event in shelf.events[submission.id] if event.id in causes]
    payments = [payment for payment in shelf.payments[submission.id]
                if payment.recorded_at <= until or any(payment.id in row.name for row in rows)]
    links = submission.linked or {}
    steps = steps_of(submission, links, files, events, payments)
    [document] = documents_of(session, [submission])
    stands = netted(document, [Received(submission.id, one.amount, one.paid_on) for one in payments],
                    shelf.relations.of(document, until))
    missing = (*missing_in(submission, links, events, stands.asked_for), *map(told_gone, gone))
    return package.Dossier(
        invoice=submission.number or submission.id, tenant=submission.tenant_id, subjects=subjects,
        documents=shown, logs=tuple(sealed),
        story=replace(story_of(submission, events, shown), trail=steps, missing=missing),
        beside={TRAIL: as_csv(steps, missing), **words_of(session, submission, standings, events),
                **({DESTROYED: listed(gone, rows)} if gone else {})},
    )


def table_line(cells: Sequence[object]) -> bytes:
    """A line of a table for a spreadsheet, of which no cell is a formula."""
    line = io.StringIO()
    csv.writer(line, delimiter=";").writerow([plain("" if cell is None else str(cell)) for cell in cells])
    return line.getvalue().encode()


def seqs_of(standing: Standing, shelf: Shelf, subjects: Sequence[str]) -> list[int]:
    """The positions of an invoice's entries under a seal; of the entries about an object that is gone, that it went."""
    log, size, rows = standing.seal.log, standing.seal.size, standing.rows
    found = [(seq, subject) for subject in subjects for seq in shelf.seqs.get((log, subject), ()) if seq < size]
    return sorted(seq for seq, subject in found
                  if subject == subjects[0] or read_entry(rows.get(seq).line)[1].outcome == WENT)


def sealed_log(standing: Standing, seqs: Sequence[int]) -> package.SealedLog:
    """Entries of one log with their proofs under the seal, and the seal that covers its token."""
    seal = standing.seal
    log = package.sealed(standing.rows, seal.checkpoint, seal.token or b"", seal.size, tuple(seqs))
    return replace(log, next=standing.next)


def listed(gone: Sequence[tuple[str, Document, datetime]], rows: Sequence[Document]) -> bytes:
    """destroyed.json: what the dossier would hold had it not been destroyed, and the certificates (SHA-256) of that."""
    certificates = [row.sha256 for row in rows if row.role == "certificate"]
    return canonical({"certificates": certificates, "objects": [
        {"name": name, "role": row.role, "sha256": row.sha256, "size": row.size, "destroyed_at": at.isoformat()}
        for name, row, at in gone]})


def told_gone(one: tuple[str, Document, datetime]) -> str:
    """What the index says of an object that was destroyed."""
    name, row, at = one
    return f"Pièce détruite : {name} ({TITLES.get(row.role, row.role)}), le {in_paris(at)}, SHA-256 {row.sha256}."


def words_of(
    session: Session, submission: Submission, standings: Sequence[Standing], events: Sequence[Event],
) -> dict[str, bytes]:
    """words.json: what events say beside their entries, with the key of the HMACs that the entries hold of it."""
    key = key_of(session, submission.tenant_id, submission.id)
    if key is None:
        return {}
    said = [{"event": event.id, "text": text.decode(), "said": mac(key, text)}
            for event in events if (text := text_of(event))]
    return {WORDS: canonical({"key": key.hex(), "logs": [one.seal.log for one in standings], "words": said})}


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
    platform = f"horloge de la plateforme : {in_paris(event.platform_at)}. " if event.platform_at else ""
    return Moment(at=in_paris(event.at), what=f"{KINDS.get(event.kind, event.kind)} : {event.code}",
                  who=event.actor, detail=f"{platform}{event.reason or ''}".strip())


def file_stem(name: str) -> str:
    """The name of a file that is safe in any file system, without its extension."""
    return safe_name(name.rsplit(".", 1)[0] if "." in name else name)


def safe_name(text: str) -> str:
    """A text, such as a number, as a name that is safe in any file system."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:80] or "facture"


def suffix(name: str) -> str:
    """The extension with its dot, when it is a plain one."""
    found = re.search(r"\.[A-Za-z0-9]{1,5}$", name)
    return found.group() if found else ""

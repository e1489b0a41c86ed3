"""The dossier of one invoice: everything kept, with proofs, as one file that verifies without us."""

import json
import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive import package
from archive.store import Digest
from gateway.auth import Principal
from gateway.deps import PARIS, Deps
from gateway.evidence.ledger import LogRows
from gateway.evidence.sealing import authority_of, dossier_key, log_key, seal_log
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import Document, Event, JournalEntry, Seal, Submission

ROUNDS = 5
TITLES = {
    "original": "Document reçu", "sent": "Document transmis à la plateforme", "report": "Rapport de vérification",
    "loss": "Rapport de conversion", "receipt": "Récépissé de dépôt", "status": "Message de statut (CDAR)",
    "reminder": "Relance envoyée", "readable": "Vue lisible",
    "directory": "Réponse de l'annuaire", "duplicate": "Double remis autrement",
}
KINDS = {
    "submission": "Réception", "transmission": "Transmission", "lifecycle": "Statut", "payment": "Paiement",
    "reminder": "Relance", "evidence": "Preuve", "access": "Accès", "setting": "Réglage",
}


def export(deps: Deps, principal: Principal, submission_id: str) -> tuple[str, bytes]:
    """(file name, ZIP). The export itself is journaled first; the dossier carries that entry too.

    Raises:
        Problem: 404; 503 evidence-not-sealed while the timestamp authority does not answer.
    """
    with deps.db.transaction(principal.tenant_id) as session:
        submission = session.get(Submission, (principal.tenant_id, submission_id))
        if submission is None:
            raise not_found()
        record(session, principal.tenant_id, Change(kind="access", code="exported", actor=principal.actor,
                                                    submission_id=submission_id), now=deps.now())
    made = build(deps, principal.tenant_id, submission_id)
    return f"{file_stem(submission.number or submission_id)}-dossier.zip", made


def build(deps: Deps, tenant_id: str, submission_id: str) -> bytes:
    """Seal what is not sealed yet, then build and verify the dossier.

    What is journaled about the invoice between the seal and the reading would be outside the seal: then once more.
    """
    gathered = next((found for _ in range(ROUNDS) if (found := gather(deps, tenant_id, submission_id))), None)
    if gathered is None:
        raise Problem(503, "evidence-not-sealed", "La facture change sans cesse ; réessayez. / "
                      "The invoice keeps changing; try again.", headers={"Retry-After": "5"})
    _, ca = authority_of(deps)
    keys = package.Keys(log=log_key(deps).public_key(), seal=dossier_key(deps), tsa_ca=ca)
    return package.build(gathered, keys, at=deps.now())


def gather(deps: Deps, tenant_id: str, submission_id: str) -> package.Dossier | None:
    """Everything about the invoice under fresh seals, in one snapshot; None when something came after the seals."""
    with deps.db.reading(tenant_id) as session:
        logs = logs_about(session, submission_id)
    seals = [seal_log(deps, tenant_id, name) for name in logs]
    if any(seal.token is None for seal in seals):
        raise Problem(503, "evidence-not-sealed", "L'autorité d'horodatage ne répond pas ; réessayez. / "
                      "The timestamp authority does not answer; try again.", headers={"Retry-After": "30"})
    with deps.db.reading(tenant_id) as session:
        if logs_about(session, submission_id) != logs or any(is_outdated(session, submission_id, s) for s in seals):
            return None
        submission = session.get(Submission, (tenant_id, submission_id))
        if submission is None:
            raise not_found()
        return package.Dossier(
            invoice=submission.number or submission_id,
            subjects=(submission_id,),
            documents=tuple(documents_of(deps, session, submission_id)),
            logs=tuple(sealed_log(session, tenant_id, submission_id, seal) for seal in seals),
            story=story_of(deps, session, submission),
        )


def logs_about(session: Session, submission_id: str) -> list[str]:
    """The logs that speak of the invoice, oldest first."""
    return sorted(session.scalars(
        select(JournalEntry.log).where(JournalEntry.subject == submission_id).distinct()))


def is_outdated(session: Session, submission_id: str, seal: Seal) -> bool:
    """Whether something was journaled about the invoice after the seal."""
    return session.scalar(select(JournalEntry.seq).where(
        JournalEntry.log == seal.log, JournalEntry.subject == submission_id, JournalEntry.seq >= seal.size).limit(1)
    ) is not None


def documents_of(deps: Deps, session: Session, submission_id: str) -> Sequence[package.Document]:
    """Every kept object of the invoice, numbered in the order in which it came."""
    rows = session.scalars(
        select(Document).where(Document.submission_id == submission_id).order_by(Document.at, Document.role)
    ).all()
    return [
        package.Document(name=f"{position:02d}-{file_stem(row.name)}{suffix(row.name)}", role=row.role,
                         title=TITLES.get(row.role, row.role), content=deps.store.get(Digest(row.sha256)))
        for position, row in enumerate(rows, 1)
    ]


def sealed_log(session: Session, tenant_id: str, submission_id: str, seal: Seal) -> package.SealedLog:
    """The invoice's entries of one log, with their proofs under the seal."""
    seqs = session.scalars(
        select(JournalEntry.seq)
        .where(JournalEntry.log == seal.log, JournalEntry.subject == submission_id, JournalEntry.seq < seal.size)
        .order_by(JournalEntry.seq)
    ).all()
    rows = LogRows(session, tenant_id, seal.log)
    return package.sealed(rows, seal.checkpoint, seal.token or b"", seal.size, tuple(seqs))


def story_of(deps: Deps, session: Session, submission: Submission) -> package.Story:
    """What the readable index tells: facts, verdict, findings, timeline."""
    events = session.scalars(
        select(Event).where(Event.submission_id == submission.id).order_by(Event.position)
    ).all()
    report = session.scalar(
        select(Document).where(Document.submission_id == submission.id, Document.role == "report").limit(1)
    )
    findings = json.loads(deps.store.get(Digest(report.sha256)))["findings"] if report is not None else []
    facts = (
        ("Numéro", submission.number), ("Date d'émission", submission.issue_date and submission.issue_date.isoformat()),
        ("Vendeur", submission.seller_name), ("SIREN du vendeur", submission.seller_siren),
        ("Acheteur", submission.buyer_name), ("SIREN de l'acheteur", submission.buyer_siren),
        ("Total TTC", f"{submission.total} {submission.currency}" if submission.total is not None else None),
        ("Transmission", submission.transmission), ("Dernier statut", submission.lifecycle),
        ("Identifiant", submission.id),
    )
    return package.Story(
        facts=tuple((label, str(value)) for label, value in facts if value),
        verdict={"valid": "Valide", "invalid": "Invalide"}.get(submission.verdict, submission.verdict),
        findings=tuple(f"{f['rule']} : {f['message']['fr']}" for f in findings),
        timeline=tuple(moment_of(event) for event in events),
    )


def moment_of(event: Event) -> package.Moment:
    """One line of the readable timeline."""
    platform = f"horloge de la plateforme : {french(event.platform_at)}. " if event.platform_at else ""
    return package.Moment(at=french(event.at), what=f"{KINDS.get(event.kind, event.kind)} : {event.code}",
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

"""The dossier of one invoice: everything kept, with proofs, as one file that verifies without us."""

import json
from collections.abc import Sequence
from dataclasses import replace

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.dossier import package
from archive.errors import ArchiveError
from archive.seal import read_public
from formats.errors import FormatError
from gateway.auth import Principal
from gateway.deps import Deps
from gateway.dossiers.contents import dossier_of, safe_name
from gateway.dossiers.seda import manifest_of
from gateway.dossiers.shelf import shelf_of, standing_of, telling_of
from gateway.evidence.former import believed, former_keys
from gateway.evidence.sealing import dossier_key, log_key, seal_log
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import JournalEntry, Seal, Submission

log = structlog.get_logger()
ROUNDS = 5
INDEX = "index.fr.pdf"
SEDA = "manifest.xml"


def export(deps: Deps, principal: Principal, submission_id: str, *, seda: bool = False) -> tuple[str, bytes]:
    """(file name, ZIP). The export itself is journaled first; the dossier carries that entry too.

    `seda`: with a manifest for archiving systems that follow SEDA 2.2.

    Raises:
        Problem: 404; 503 evidence-not-sealed while the timestamp authority does not answer; 500 evidence-damaged.
    """
    with deps.db.transaction(principal.tenant_id) as session:
        submission = session.get(Submission, (principal.tenant_id, submission_id))
        if submission is None:
            raise not_found()
        record(session, principal.tenant_id, Change(kind="access", code="exported", actor=principal.actor,
                                                    submission_id=submission_id), now=deps.now())
    made = build(deps, principal.tenant_id, submission_id, seda=seda)
    return f"{safe_name(submission.number or submission_id)}-dossier.zip", made


def build(deps: Deps, tenant_id: str, submission_id: str, *, seda: bool = False) -> bytes:
    """Seal what is not sealed yet, then build and verify the dossier.

    What is journaled about the invoice between the seal and the reading would be outside the seal: then once more.
    """
    try:
        gathered = next((found for _ in range(ROUNDS) if (found := gather(deps, tenant_id, submission_id))), None)
        if gathered is None:
            raise Problem(503, "evidence-not-sealed", "La facture change sans cesse ; réessayez. / "
                          "The invoice keeps changing; try again.", headers={"Retry-After": "5"})
        return package.zipped(files_of(deps, gathered, pdf=True, seda=seda))
    except ArchiveError as error:
        log.exception("no dossier", tenant=tenant_id, submission=submission_id)
        raise Problem(500, "evidence-damaged", "Le dossier ne peut pas être établi : une preuve manque ou est altérée "
                      f"({error.code}). / Evidence is missing or damaged.", cause=str(error)) from error


def files_of(deps: Deps, dossier: package.Dossier, *, pdf: bool, seda: bool) -> dict[str, bytes]:
    """The files of a dossier, signed, with the index drawn as PDF and the SEDA manifest where wanted."""
    keys = keys_of(deps, dossier.tenant)
    now = deps.now()
    beside = dict(dossier.beside)
    if pdf:
        try:
            beside[INDEX] = deps.workshop.draw_index(json.dumps(package.account_of(dossier, keys, at=now)).encode())
        except FormatError as error:  # the same is in index.fr.html: evidence goes out without its picture
            log.warning("index not drawn", invoice=dossier.invoice, error=str(error))
    if seda:
        beside[SEDA] = manifest_of(dossier, now)
    return package.members_of(replace(dossier, beside=beside), keys, at=now)


def keys_of(deps: Deps, tenant_id: str) -> package.Keys:
    """Who vouches for the dossiers of a tenant: we, and for what it brought along the house before us."""
    former = tuple(map(read_public, former_keys(deps, tenant_id, "log-pub.pem")))
    return package.Keys(log=log_key(deps).public_key(), seal=dossier_key(deps), tsa_ca=believed(deps, tenant_id),
                        former=former)


def gather(deps: Deps, tenant_id: str, submission_id: str) -> package.Dossier | None:
    """Everything about the invoice under fresh seals, in one snapshot; None when something came after the seals."""
    with deps.db.reading(tenant_id) as session:
        logs = logs_about(session, shelf_of(session, [submission_id]).subjects(submission_id))
    seals = fresh_seals(deps, tenant_id, logs)
    with deps.db.reading(tenant_id) as session:
        shelf = shelf_of(session, [submission_id])
        subjects = shelf.subjects(submission_id)
        if logs_about(session, subjects) != logs or any(is_outdated(session, subjects, seal) for seal in seals):
            return None
        submission = session.get(Submission, (tenant_id, submission_id))
        if submission is None:
            raise not_found()
        return dossier_of(deps, session, submission, [standing_of(deps, session, seal) for seal in seals], shelf)


def fresh_seals(deps: Deps, tenant_id: str, logs: Sequence[str]) -> list[Seal]:
    """A timestamped seal of each log over all it holds, and where possible the next one over each token.

    Raises:
        Problem: 503, a token is missing. A missing later seal is no reason to wait: the dossier says so.
    """
    seals = [seal_log(deps, tenant_id, name) for name in logs]
    if any(seal.token is None for seal in seals):
        raise Problem(503, "evidence-not-sealed", "L'autorité d'horodatage ne répond pas ; réessayez. / "
                      "The timestamp authority does not answer; try again.", headers={"Retry-After": "30"})
    with deps.db.reading(tenant_id) as session:
        telling = {entry.log for seal in seals if (entry := telling_of(session, seal)) is not None
                   and not is_covered(session, entry)}
    for name in telling:
        seal_log(deps, tenant_id, name)
    return seals


def is_covered(session: Session, entry: JournalEntry) -> bool:
    """Whether a timestamped seal stands over an entry."""
    return session.scalar(select(Seal.size).where(
        Seal.log == entry.log, Seal.size > entry.seq, Seal.token.is_not(None)).limit(1)) is not None


def logs_about(session: Session, subjects: Sequence[str]) -> list[str]:
    """The logs that speak of the invoice, oldest first."""
    return sorted(session.scalars(select(JournalEntry.log).where(JournalEntry.subject.in_(subjects)).distinct()))


def is_outdated(session: Session, subjects: Sequence[str], seal: Seal) -> bool:
    """Whether something was journaled about the invoice after the seal."""
    return session.scalar(select(JournalEntry.seq).where(
        JournalEntry.log == seal.log, JournalEntry.subject.in_(subjects), JournalEntry.seq >= seal.size).limit(1)
    ) is not None

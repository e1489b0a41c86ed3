"""The dossiers of a whole period as one file (archive/exchange/period.py), made in slices by the worker.

Every dossier stands under the same seals, made when the export begins; what came later is left out of all of them. The
tar is only ever continued at the length that the database remembers, so that an export that was interrupted, however,
goes on where it was. Memory holds one dossier at a time.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Select, func, select, tuple_

from archive.dossier import package
from archive.dossier.telling import Document, Story
from archive.exchange import period
from gateway.auth import Principal
from gateway.db import EVERY_TENANT
from gateway.deps import Deps, in_paris
from gateway.dossiers.contents import dossier_of, safe_name, sealed_log, seqs_of, table_line
from gateway.dossiers.dossier import files_of, fresh_seals
from gateway.dossiers.shelf import shelf_of, standing_of
from gateway.evidence.ledger import Kept
from gateway.outbox import Entry, is_pending
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, record
from gateway.tables import JournalEntry, LegalEntity, Seal, Submission
from gateway.tables_exports import PeriodExport

TOPIC = "export"
SLICE = 100
"""Dossiers between two moments that a crash cannot undo."""

HEADS = ("Dossier", "Numéro", "Date", "Vendeur", "Acheteur", "Total", "Devise", "Transmission", "Statut", "Il manque")
KEEP = timedelta(days=30)
"""So long the file of a finished export stays to be fetched; then it goes, and may be exported again."""

TAR, SUMS, TABLE = "tar", "sums", "csv"


def start(
    deps: Deps, principal: Principal, first: date, last: date, *, siren: str | None = None, pdf: bool = False,
) -> PeriodExport:
    """Begin an export, or give the one that is at work for the same period. The worker does it.

    One whose work was parked or given up has failed, and keeps no other from the period.

    Raises:
        Problem: 422 period-reversed; 404, no legal entity has the SIREN.
    """
    if last < first:
        raise Problem(422, "period-reversed", "La fin précède le début. / The end is before the beginning.")
    with deps.db.transaction(principal.tenant_id) as session:
        entity = session.scalar(select(LegalEntity.id).where(LegalEntity.siren == siren)) if siren else None
        if siren and entity is None:
            raise not_found()
        for same in session.scalars(select(PeriodExport).where(
                PeriodExport.first_day == first, PeriodExport.last_day == last, PeriodExport.state == "running",
                PeriodExport.legal_entity_id == entity if entity else PeriodExport.legal_entity_id.is_(None))):
            if not is_pending(session, TOPIC, same.id):
                same.state, same.trouble = "failed", "Travail arrêté : un nouvel export l'a remplacé."
            elif same.options == {"pdf": pdf}:
                return same
        row = PeriodExport(
            tenant_id=principal.tenant_id, id=str(uuid.uuid4()), first_day=first, last_day=last, legal_entity_id=entity,
            options={"pdf": pdf}, actor=principal.actor, created_at=deps.now(), finished_at=None, state="running",
            trouble=None, total=0, done=0, cursor=[], seals={}, lengths={}, sha256=None,
        )
        row.total = session.scalar(select(func.count()).select_from(chosen(row).subquery())) or 0
        session.add(row)
        record(session, row.tenant_id, Change(
            kind="access", code="period-export-started", actor=row.actor, subject=subject_of(row),
            then=(Work(topic=TOPIC, subject_id=row.id),)), now=deps.now())
    return row


def handle_export(deps: Deps, entry: Entry) -> None:
    """The work of an export, from where it stands to its end."""
    while advance(deps, entry.tenant_id, entry.subject_id):
        pass


def advance(deps: Deps, tenant_id: str, export_id: str, *, most: int = SLICE) -> bool:
    """One slice; False when nothing is left to do. Two at once for one export are not allowed."""
    row = get_export(deps, tenant_id, export_id)
    if row.state != "running":
        return False
    if not is_there(deps, row):
        _begin(deps, row)
        return True
    if _slice(deps, row, most):
        return True
    _finish(deps, row)
    return False


def get_export(deps: Deps, tenant_id: str, export_id: str) -> PeriodExport:
    """An export by its id. Raises not-found."""
    with deps.db.reading(tenant_id) as session:
        row = session.get(PeriodExport, (tenant_id, export_id))
        if row is None:
            raise not_found()
        return row


def list_exports(deps: Deps, tenant_id: str, *, limit: int = 50) -> Sequence[PeriodExport]:
    """The newest exports of a tenant."""
    with deps.db.reading(tenant_id) as session:
        return session.scalars(select(PeriodExport).order_by(PeriodExport.created_at.desc()).limit(limit)).all()


def file_of(deps: Deps, row: PeriodExport) -> Path:
    """The tar of a finished export. Raises: Problem 409 export-not-ready, export-removed."""
    path = place(deps, row, TAR)
    if row.state == "removed":
        raise Problem(409, "export-removed", f"Le fichier n'est gardé que {KEEP.days} jours ; exportez de nouveau. / "
                      f"The file is kept for {KEEP.days} days only; export again.")
    if row.state != "done" or not path.is_file():
        raise Problem(409, "export-not-ready", f"L'export n'est pas prêt ({row.done}/{row.total}). / Not ready.")
    return path


def remove_old(deps: Deps) -> int:
    """Regular work: the files of exports that were finished more than KEEP ago go; how many exports."""
    with deps.db.reading(EVERY_TENANT) as session:
        old = session.scalars(select(PeriodExport).where(
            PeriodExport.state == "done", PeriodExport.finished_at < deps.now() - KEEP)).all()
    for row in old:
        for kind in (TAR, SUMS, TABLE):
            place(deps, row, kind).unlink(missing_ok=True)
        with deps.db.transaction(row.tenant_id) as session:
            session.get_one(PeriodExport, (row.tenant_id, row.id)).state = "removed"
    return len(old)


def name_of(row: PeriodExport) -> str:
    """What the file is called when it is handed out."""
    return f"periode-{row.first_day}-{row.last_day}.tar"


def subject_of(row: PeriodExport) -> str:
    """What journal entries about an export are about."""
    return f"export:{row.id}"


def place(deps: Deps, row: PeriodExport, kind: str) -> Path:
    """One of the files of an export."""
    return deps.settings.data / "exports" / f"{row.id}.{kind}"


def is_there(deps: Deps, row: PeriodExport) -> bool:
    """Whether what is remembered as good lies in the files: a backup brings back the row without them."""
    paths = [(place(deps, row, kind), length) for kind, length in row.lengths.items()]
    return bool(paths) and all(path.is_file() and path.stat().st_size >= length for path, length in paths)


def chosen(row: PeriodExport) -> Select[Submission]:
    """The invoices of the period, refused ones too, as far as they were here when the export began."""
    query = select(Submission).where(
        Submission.issue_date >= row.first_day, Submission.issue_date <= row.last_day,
        Submission.received_at <= row.created_at)
    return query.where(Submission.legal_entity_id == row.legal_entity_id) if row.legal_entity_id else query


def _begin(deps: Deps, row: PeriodExport) -> None:
    with deps.db.reading(row.tenant_id) as session:
        logs = sorted(session.scalars(select(JournalEntry.log).distinct()))
    seals = {seal.log: seal.size for seal in fresh_seals(deps, row.tenant_id, logs)}
    place(deps, row, TAR).parent.mkdir(parents=True, exist_ok=True)
    row.lengths = {}
    _continue(deps, row, {TAR: period.beginning(title_of(row), row.total), SUMS: b"",
                          TABLE: b"\xef\xbb\xbf" + table_line(HEADS)}, seals=seals, done=0, cursor=[])


def _slice(deps: Deps, row: PeriodExport, most: int) -> int:
    """The next dossiers; how many."""
    pieces = {TAR: bytearray(), SUMS: bytearray(), TABLE: bytearray()}
    with deps.db.reading(row.tenant_id) as session:
        query = chosen(row).order_by(Submission.issue_date, Submission.id).limit(most)
        if row.cursor:
            after = (date.fromisoformat(row.cursor[0]), row.cursor[1])
            query = query.where(tuple_(Submission.issue_date, Submission.id) > after)
        found = session.scalars(query).all()
        seals = [session.get_one(Seal, (row.tenant_id, log, size)) for log, size in row.seals.items()]
        standings = [standing_of(deps, session, seal) for seal in seals]
        shelf = shelf_of(session, [submission.id for submission in found])
        for submission in found:
            about = [one for one in standings if seqs_of(one, shelf, (submission.id,))]
            if about:
                made = dossier_of(deps, session, submission, about, shelf)
                _add(pieces, submission, made, files_of(deps, made, pdf=bool(row.options.get("pdf")), seda=False))
    if found:
        last = found[-1]
        _continue(deps, row, pieces, done=row.done + len(found), cursor=[str(last.issue_date), last.id])
    return len(found)


def _add(
    pieces: Mapping[str, bytearray], submission: Submission, made: package.Dossier, files: Mapping[str, bytes],
) -> None:
    folder = f"{safe_name(made.invoice)}-{submission.id[:8]}"
    pieces[TAR] += period.files_in_tar(f"{period.ALL}/{folder}/", files)
    pieces[SUMS] += period.sums_line(folder, files)
    pieces[TABLE] += table_line((
        folder, submission.number, submission.issue_date, submission.seller_siren, submission.buyer_siren,
        submission.total, submission.currency, submission.transmission, submission.lifecycle,
        " | ".join(made.story.missing)))


def _continue(
    deps: Deps, row: PeriodExport, pieces: Mapping[str, bytes | bytearray], **changes: object,
) -> None:
    """Write what is new behind what is certainly good, make it durable, then remember it."""
    lengths = dict(row.lengths)
    for kind, data in pieces.items():
        with place(deps, row, kind).open("ab") as file:
            file.truncate(lengths.get(kind, 0))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        lengths[kind] = lengths.get(kind, 0) + len(data)
    with deps.db.transaction(row.tenant_id) as session:
        stored = session.get_one(PeriodExport, (row.tenant_id, row.id))
        for name, value in {**changes, "lengths": lengths}.items():
            setattr(stored, name, value)


def _finish(deps: Deps, row: PeriodExport) -> None:
    """The dossier of the export itself, then the end of the tar."""
    kept = _journaled(deps, row)
    with deps.db.reading(row.tenant_id) as session:
        logs = sorted(session.scalars(select(JournalEntry.log).where(
            JournalEntry.subject == subject_of(row), JournalEntry.type == "access").distinct()))
    seals = fresh_seals(deps, row.tenant_id, logs)
    with deps.db.reading(row.tenant_id) as session:
        shelf = shelf_of(session, [subject_of(row)])
        sealed = [sealed_log(one, seqs_of(one, shelf, (subject_of(row),)))
                  for one in (standing_of(deps, session, seal) for seal in seals)]
    about = package.Dossier(
        invoice=title_of(row), tenant=row.tenant_id, subjects=(subject_of(row),), documents=kept, logs=tuple(sealed),
        story=Story(verdict=f"{row.done} factures datées du {row.first_day:%d/%m/%Y} au {row.last_day:%d/%m/%Y}, "
                    f"telles qu'elles étaient au début de l'export ({in_paris(row.created_at)})."),
    )
    files = files_of(deps, about, pdf=True, seda=False)
    _continue(deps, row, {TAR: period.files_in_tar(f"{period.ABOUT}/", files) + period.END})
    with place(deps, row, TAR).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with deps.db.transaction(row.tenant_id) as session:
        stored = session.get_one(PeriodExport, (row.tenant_id, row.id))
        stored.state, stored.finished_at, stored.sha256 = "done", deps.now(), digest


def _journaled(deps: Deps, row: PeriodExport) -> tuple[Document, Document]:
    """The list and the table as kept objects, named by one entry; once, however often the end is tried."""
    kept = tuple(
        Document(name=name, role=role, title=title, content=place(deps, row, kind).read_bytes()[:row.lengths[kind]])
        for kind, name, role, title in (
            (SUMS, period.SUMS, "period", "Liste des dossiers (SHA-256 de chaque SHA256SUMS)"),
            (TABLE, "factures.csv", "table", "Table des factures et de ce qui manque"))
    )
    for document in kept:
        deps.store.put(document.content)
    objects = tuple(Kept(d.role, d.digest.hex, len(d.content)) for d in kept)
    with deps.db.transaction(row.tenant_id) as session:
        told = session.scalars(select(JournalEntry.line).where(JournalEntry.subject == subject_of(row))).all()
        if not any(objects[0].sha256.encode() in line for line in told):
            record(session, row.tenant_id, Change(kind="access", code="period-exported", actor=row.actor,
                                                  subject=subject_of(row), objects=objects), now=deps.now())
    return kept[0], kept[1]


def title_of(row: PeriodExport) -> str:
    """The export for people."""
    return f"période du {row.first_day} au {row.last_day}"


def progress(deps: Deps, row: PeriodExport) -> Iterator[PeriodExport]:
    """Do an export here and now; the row after each slice."""
    while advance(deps, row.tenant_id, row.id):
        yield get_export(deps, row.tenant_id, row.id)

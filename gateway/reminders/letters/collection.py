"""The file for a collection agency: what is owed as a table, what was done about it, the invoice and the letters."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select

from archive.errors import ObjectMissing
from archive.store import Digest
from gateway.deps import PARIS, Deps
from gateway.dossiers.trail import plain
from gateway.reminders.keeping import label_of
from gateway.reminders.letters.letter import Letter
from gateway.reminders.state import Seen
from gateway.tables import Document

ROLES: Final = ("original", "sent", "readable", "reminder")
"""What of an invoice an agency gets: the invoice as it was sent, and the letters about it."""

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same facts give the same file."""


def collection_file(deps: Deps, seen: Seen, notice: bytes, letter: Letter) -> bytes:
    """A ZIP with `creances.csv`, `historique.csv`, the summary as PDF and the pieces. Reads the store."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "creances.csv", as_csv(("facture", "echeance", "reste_du", "devise", "en_litige"), (
            (item.number, _iso(item.due_date), format(item.balance, "f"), letter.currency,
             "oui" if item.disputed else "non") for item in letter.open_items)))
        _add(archive, "historique.csv", as_csv(("date", "etape", "decision", "motif"), (
            (row.at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M"), label_of(seen.scenario, row.stage), row.outcome,
             row.reason) for row in seen.rows)))
        _add(archive, "recapitulatif.pdf", notice)
        for name, content in _pieces(deps, seen):
            _add(archive, name, content)
    return made.getvalue()


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table for a spreadsheet: UTF-8 with its mark, semicolons, no cell that could be a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _pieces(deps: Deps, seen: Seen) -> Iterable[tuple[str, bytes]]:
    with deps.db.reading(seen.submission.tenant_id) as session:
        rows = session.scalars(select(Document).where(
            Document.submission_id == seen.submission.id, Document.role.in_(ROLES)).order_by(Document.at, Document.id)
        ).all()
    for number, row in enumerate({row.sha256: row for row in rows}.values(), start=1):
        try:
            yield f"pieces/{number:02}-{row.name}", deps.store.get(Digest(row.sha256))
        except ObjectMissing:  # lawfully destroyed
            continue


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def _iso(day: object) -> str:
    return str(day) if day is not None else ""

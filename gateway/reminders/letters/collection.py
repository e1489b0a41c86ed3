"""The file for a collection agency, one per client: what is owed, what was done about it, invoices and letters."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select

from archive.errors import ObjectMissing
from archive.store import Digest
from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.dossiers.trail import plain
from gateway.reminders.keeping import label_of
from gateway.reminders.letters.letter import Letter
from gateway.reminders.state import Seen
from gateway.tables import Document

ROLES: Final = ("original", "sent", "readable", "reminder")
"""What of an invoice an agency gets: the invoice as it was sent, and the letters about it."""

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same facts give the same file."""

YES_NO: Final = {True: "oui", False: "non"}


def collection_file(deps: Deps, group: Sequence[Seen], notice: bytes, letter: Letter) -> bytes:
    """A ZIP with `creances.csv`, `historique.csv`, the summary as PDF and the pieces. Reads the store.

    `creances.csv` has everything that is open and says what of it is handed over; the rest concerns just that.
    """
    ours = {bill.id for bill in letter.bills}
    history = sorted(((row, seen) for seen in group for row in seen.rows), key=lambda found: found[0].at)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "creances.csv", as_csv(("facture", "echeance", "reste_du", "devise", "en_litige", "remise"), (
            (item.number, _iso(item.due_date), format(item.balance, "f"), letter.currency,
             YES_NO[item.disputed], YES_NO[item.id in ours]) for item in letter.open_items)))
        _add(archive, "historique.csv", as_csv(("date", "facture", "etape", "decision", "motif"), (
            (row.at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M"), seen.facts.number,
             label_of(seen.scenario, row.stage), row.outcome, row.reason) for row, seen in history)))
        _add(archive, "recapitulatif.pdf", notice)
        for name, content in _pieces(deps, group):
            _add(archive, name, content)
    return made.getvalue()


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table for a spreadsheet: UTF-8 with its mark, semicolons, no cell that could be a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _pieces(deps: Deps, group: Sequence[Seen]) -> Iterable[tuple[str, bytes]]:
    """What is kept of these invoices, each once: a letter about several of them belongs to all."""
    with deps.db.reading(group[0].submission.tenant_id) as session:
        rows = session.scalars(select(Document).where(
            Document.submission_id.in_([seen.submission.id for seen in group]), Document.role.in_(ROLES),
        ).order_by(Document.at, Document.id)).all()
    for number, row in enumerate({row.sha256: row for row in rows}.values(), start=1):
        try:
            yield f"pieces/{number:02}-{row.name}", deps.store.get(Digest(row.sha256))
        except ObjectMissing:  # lawfully destroyed
            continue


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def _iso(day: object) -> str:
    return str(day) if day is not None else ""

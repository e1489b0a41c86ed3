"""The annex: texts that a target has no place for, in one CSV that travels beside the invoice (BG-24).

A person reads it in a spreadsheet: UTF-8 with a byte order mark, semicolons, every cell quoted. A row names the
syntax of the text; an element that the invoice, written again in that syntax, has; the elements and the attribute
to make below it; and the text. Places are XPaths with the prefixes of paths.NAMESPACES and a number on every step.
What comes in is anybody's: it is taken only if it is to the byte what would be written here.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from formats.invoice import Attachment, Invoice, SupportingDocument
from formats.json_form import write_json
from formats.syntax import Syntax

MARK: Final = "PASSERELLE-ANNEXE-1"
"""BT-122 of an annex begins with it; the syntax and the digest of the invoice follow."""
KIND: Final = "DOCUMENT_ANNEXE"
"""BT-123: one of the codes of BR-FR-17."""
HEADER: Final = ("syntaxe", "place", "ajout", "texte")
MOST_BYTES: Final = 1_000_000
MOST_ROWS: Final = 10_000
MOST_TEXT: Final = 100_000
"""Characters of one text: below what the csv module reads in one cell."""

MALFORMED: Final = "annex-malformed"
"""Not to the byte what is written here: another encoding, other columns, a place that is no path."""
TOO_LARGE: Final = "annex-too-large"
SEVERAL: Final = "annex-several"
"""More than one annex for the same syntax."""
OTHER_INVOICE: Final = "annex-other-invoice"
"""The invoice is no longer the one that the annex was made for, or the target leaves out some of it."""

_FORMULA: Final = re.compile("[=+\\-@\t\r\n'＝＋－＠]")
_PLACE: Final = re.compile(r"/\w+:[\w.-]+(?:/\w+:[\w.-]+\[[1-9][0-9]{0,5}\])*", re.ASCII)
_BEYOND: Final = re.compile(r"(?:\w+:[\w.-]+\[[1-9][0-9]{0,2}\](?:/|$))*(?:@[A-Za-z][\w.-]*)?", re.ASCII)


class Refused(Exception):
    """An annex, or a row of it, that is not put back. `reason` is stable."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Row:
    """One text."""

    place: str
    """An element of the invoice written again without the annex."""

    beyond: str
    """Below it: steps with their numbers, and an attribute last. Empty for the text of the element itself."""

    text: str


def written(rows: Iterable[Row], syntax: Syntax) -> bytes:
    """The CSV. A text that a spreadsheet would take for a formula begins with an apostrophe more."""
    cells = io.StringIO(newline="")
    out = csv.writer(cells, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    out.writerow(HEADER)
    out.writerows((syntax.value, row.place, _guarded(row.beyond), _guarded(row.text)) for row in rows)
    return cells.getvalue().encode("utf-8-sig")


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def read(content: bytes, syntax: Syntax) -> tuple[Row, ...]:
    """The rows of a CSV that `written` made. Refused for any other bytes."""
    if len(content) > MOST_BYTES:
        raise Refused(TOO_LARGE, f"{len(content)} bytes")
    try:
        cells = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(MALFORMED, str(error)[:200]) from error
    if len(cells) > MOST_ROWS + 1:
        raise Refused(TOO_LARGE, f"{len(cells) - 1} rows")
    if any(len(row) != len(HEADER) for row in cells):
        raise Refused(MALFORMED, "not four cells in a row")
    rows = tuple(Row(place, beyond.removeprefix("'"), text.removeprefix("'")) for _, place, beyond, text in cells[1:])
    for row in rows:
        if not (_PLACE.fullmatch(row.place) and _BEYOND.fullmatch(row.beyond)) or row.beyond.endswith("/"):
            raise Refused(MALFORMED, f"{row.place} {row.beyond}"[:200])
    if not rows or written(rows, syntax) != content:
        raise Refused(MALFORMED, "not as it is written here")
    return rows


def document(rows: Iterable[Row], syntax: Syntax, invoice: Invoice) -> SupportingDocument:
    """The annex to `invoice`, which is as the target says it. Refused where it could not be read again: too large."""
    content = written(rows, syntax)
    read(content, syntax)
    file = Attachment(content=content, mime_code="text/csv", filename=f"annexe-{syntax.value}.csv")
    return SupportingDocument(reference=_reference(syntax, invoice), description=KIND, attachment=file)


def rows_of(annex: SupportingDocument, syntax: Syntax, invoice: Invoice) -> tuple[Row, ...]:
    """What an annex has for `invoice`, which is as it is about to be written in `syntax`.

    Refused: it was made for another invoice, see `digest`; its bytes are not as they are written here.
    """
    if annex.reference != _reference(syntax, invoice):
        raise Refused(OTHER_INVOICE, annex.reference or "")
    return read(annex.attachment.content if annex.attachment is not None else b"", syntax)


def annexes(invoice: Invoice, syntax: Syntax) -> list[int]:
    """The supporting documents that say of themselves that they are annexes with texts of `syntax`."""
    start = f"{MARK}:{syntax.value}:"
    return [at for at, one in enumerate(invoice.supporting_documents) if (one.reference or "").startswith(start)]


def without(invoice: Invoice, number: int) -> Invoice:
    """Without that supporting document."""
    documents = invoice.supporting_documents
    return replace(invoice, supporting_documents=documents[:number] + documents[number + 1 :])


def _reference(syntax: Syntax, invoice: Invoice) -> str:
    return f"{MARK}:{syntax.value}:{digest(invoice)}"


def digest(invoice: Invoice) -> str:
    """Of everything an invoice says but its profile (BT-24) and its annexes: to see that it is still the same.

    A guard against mistakes, since places are numbers: it is no proof of where the annex comes from.
    """
    others = tuple(one for one in invoice.supporting_documents if not (one.reference or "").startswith(MARK))
    said = write_json(replace(invoice, specification_identifier=None, supporting_documents=others))
    return hashlib.sha256(said).hexdigest()[:16]

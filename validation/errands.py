"""What a workshop process does besides verdicts: convert, draw, extract, read and write lifecycle messages.

Loaded by `validation.jail` by name, since the libraries that draw and convert take longer to load than a verdict.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from formats import conversion, facturx, lifecycle, opening, syntax
from formats.errors import FormatError
from formats.rendering import render as rendering
from formats.rendering.appearance import Appearance
from formats.rendering.remarks import Drawn
from formats.status import StatusMessage
from validation import repair, run
from validation.explain.every import every_rule
from validation.findings import Patch, Report
from validation.pages import as_html
from validation.printed import as_pdf
from validation.wire import Converted, StatusReading, Written


def convert(document: bytes, **options: Any) -> Converted:
    """Workshop.convert, here."""
    to: str = options.pop("to")
    done = conversion.convert(document, to, **options)
    return Converted(done.document, done.syntax.value, done.loss.to_json())


def draw(document: bytes, lang: str, appearance: Appearance) -> Drawn:
    """Workshop.draw, here."""
    opened = opening.open_document(document)
    return rendering.drawn(syntax.read(opened.payload).invoice, lang=lang, appearance=appearance)


def extract(document: bytes) -> bytes:
    """Workshop.extract, here."""
    return facturx.extract(document).xml


def read_status(document: bytes, as_of: date) -> StatusReading:
    """Workshop.read_status, here. The rules have said why, where a message cannot be read."""
    report = run.validate(document, run.Options(as_of=as_of))
    try:
        return StatusReading(lifecycle.read_status(document), report)
    except FormatError:
        return StatusReading(None, report)


def write_status(message: StatusMessage, as_of: date) -> Written:
    """Workshop.write_status, here."""
    document = lifecycle.write_status(message)
    return Written(document, run.validate(document, run.Options(as_of=as_of)))


def propose(document: bytes, as_of: date) -> tuple[Patch, ...]:
    """Workshop.propose, here."""
    return repair.propose(document, run.Options(as_of=as_of))


def mend(document: bytes, as_of: date, patch: str) -> bytes:
    """Workshop.mend, here."""
    found = next((each for each in repair.propose(document, run.Options(as_of=as_of)) if each.id == patch), None)
    if found is None:
        raise FormatError(f"no correction {patch!r} is certain for this document")
    return repair.applied(document, found)


def present(reports: tuple[tuple[str, Report], ...], form: str, lang: str) -> bytes:
    """Workshop.present, here."""
    return "".join(as_html(iter(reports), lang)).encode() if form == "html" else as_pdf(reports, lang)


def catalogue() -> tuple[dict[str, Any], ...]:
    """Workshop.catalogue, here."""
    return tuple(every_rule())


OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {
    "convert": convert,
    "draw": draw,
    "extract": extract,
    "read_status": read_status,
    "write_status": write_status,
    "propose": propose,
    "mend": mend,
    "present": present,
    "catalogue": catalogue,
}

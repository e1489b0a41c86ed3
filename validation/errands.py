"""What a workshop process does besides verdicts: convert, draw, extract, read and write lifecycle messages.

Loaded by `validation.jail` by name, since the libraries that draw and convert take longer to load than a verdict.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from formats import conversion, facturx, lifecycle, opening, status_loss, syntax
from formats.errors import FormatError
from formats.rendering import render as rendering
from formats.rendering.appearance import Appearance
from formats.rendering.remarks import Drawn
from formats.status import StatusMessage
from validation import advice, intake, run
from validation.wire import Converted, StatusReading, Written


def convert(document: bytes, **options: Any) -> Converted:
    """Workshop.convert, here."""
    to: str = options.pop("to")
    done = conversion.convert(document, to, **options)
    remarks = [{"code": one.code, "fr": one.fr, "en": one.en} for one in done.remarks]
    return Converted(done.document, done.syntax.value, {**done.loss.to_json(), "remarks": remarks})


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
        return StatusReading(lifecycle.read_status(document), report, status_loss.not_carried(document))
    except FormatError:
        return StatusReading(None, report)


def write_status(message: StatusMessage, as_of: date) -> Written:
    """Workshop.write_status, here."""
    document = lifecycle.write_status(message)
    return Written(document, run.validate(document, run.Options(as_of=as_of)))


OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {
    "convert": convert,
    "draw": draw,
    "extract": extract,
    "read_status": read_status,
    "write_status": write_status,
    **advice.OPERATIONS,
    **intake.OPERATIONS,
}

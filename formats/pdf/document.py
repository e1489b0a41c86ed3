"""A PDF opened within limits.

qpdf, which does the work, sets no limits by default; they are set here, for the whole process, on import. A PDF from
outside still belongs into a workshop process: a decoder without limits (LZW) may sit in the file's own structure.
"""

import io
import re
from datetime import UTC, datetime

import pikepdf

from formats.errors import LimitExceeded, NotExtractable

MAX_PDF = 100_000_000
NEWEST = "1.7"
"""Version of PDF that PDF/A-3 is made of."""

DECODER_MEMORY = 50_000_000
"""One stage of one decoder, above the limit of an attachment so that our own limit speaks first where it can."""

pikepdf.settings.set_qpdf_limits(
    flate_max_memory=DECODER_MEMORY, run_length_max_memory=DECODER_MEMORY, dct_max_memory=DECODER_MEMORY,
    png_max_memory=DECODER_MEMORY, tiff_max_memory=DECODER_MEMORY, dct_max_progressive_scans=100,
    max_stream_filters=4, parser_max_container_size=500_000, doc_max_warnings=50,
)

BROKEN = (pikepdf.PdfError, RuntimeError, ValueError, TypeError, AttributeError, KeyError)
"""What pikepdf raises at a PDF that is broken: QpdfRuntimeError is a RuntimeError, bad text a ValueError, an object of
another type than the standard's any of the rest."""


def opened(pdf: bytes) -> pikepdf.Pdf:
    """Open a PDF within the limits. Raises NotExtractable, LimitExceeded."""
    if len(pdf) > MAX_PDF:
        raise LimitExceeded(f"a PDF of {len(pdf)} bytes; at most {MAX_PDF} are read")
    if b"%PDF-" not in pdf[:1024]:
        raise NotExtractable("not-a-pdf")
    try:
        return pikepdf.open(io.BytesIO(pdf))
    except pikepdf.PasswordError as error:
        raise NotExtractable("pdf-encrypted") from error
    except BROKEN as error:
        raise NotExtractable("pdf-damaged", reason(error)) from error


def reason(error: Exception) -> str:
    """What qpdf says, without its name for the bytes, which differs from run to run."""
    return re.sub(r"(stream )?<_io\.BytesIO object at 0x[0-9a-f]+>[:,]? ?", "", str(error)).strip()


def entries(node: pikepdf.Object, key: str) -> list[pikepdf.Object]:
    """The array under a key; empty for anything else."""
    value = node.get(key)
    return list(value) if isinstance(value, pikepdf.Array) else []


def dictionary(node: pikepdf.Object, key: str) -> pikepdf.Object:
    """The dictionary under a key; an empty one for anything else."""
    value = node.get(key)
    return value if isinstance(value, pikepdf.Dictionary) else pikepdf.Dictionary()


def catalog(document: pikepdf.Pdf) -> pikepdf.Object:
    """The document's root dictionary. Raises NotExtractable if there is none."""
    root = document.trailer.get("/Root")
    if not isinstance(root, pikepdf.Dictionary):
        raise NotExtractable("pdf-damaged", "no catalog")
    return root


def pdf_date(moment: datetime) -> str:
    """A time as PDF writes it, in UTC (ISO 32000-1, 7.9.4)."""
    return f"D:{moment.astimezone(UTC):%Y%m%d%H%M%S}+00'00'"

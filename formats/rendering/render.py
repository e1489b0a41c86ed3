"""Draw an invoice as PDF/A-3 pages, with Typst and the project's one typeface.

Data reaches the template as a JSON file beside it, never as part of its text: nothing in an invoice can be
markup. No system font is looked at, so that the same invoice gives the same bytes everywhere.
"""

import importlib.util
import json
import re
import unicodedata
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

import typst

from formats.errors import CannotWrite
from formats.invoice import Invoice
from formats.rendering.page import page
from formats.rendering.phrases import Json

TEMPLATE = Path(__file__).parent / "invoice.typ"
LANGUAGES = ("fr", "en")
MAX_LOGO = 1_000_000
LONG_WORD = re.compile(r"\S{25,}")
PIECE = re.compile(r".{1,20}")
"""A word as long as this may be broken after every piece, so that no reference runs out of its column."""

BREAK = "\u200b"
UNKNOWN = "\ufffd"
NO_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
ATTEMPTS = 5


def draw(invoice: Invoice, *, lang: str = "fr", logo: bytes | None = None) -> bytes:
    """The invoice as PDF/A-3b pages without XML inside. Same arguments, same bytes.

    `lang` is "fr" or "en"; `logo` is PNG, JPEG, GIF, WebP or SVG. The date in the PDF is the issue date.
    Characters for which there is no glyph (Chinese, emoji) are shown as a replacement mark.

    Raises:
        CannotWrite: another language, a logo that is no picture or is over 1 MB, or a page that cannot be drawn.
    """
    if lang not in LANGUAGES:
        raise CannotWrite(f"no words for language {lang!r}; there are {', '.join(LANGUAGES)}")
    if logo is not None and len(logo) > MAX_LOGO:
        raise CannotWrite(f"a logo of {len(logo)} bytes; at most {MAX_LOGO} are drawn")
    content = {
        **drawable(page(invoice, lang)),
        "number": "".join(map(visible, invoice.number or "")),  # has room, and is what people copy
        "logo": list(logo) if logo is not None else None,
    }
    data = json.dumps(content, ensure_ascii=False)
    issued = datetime.combine(invoice.issue_date or date(1970, 1, 1), time(), UTC)
    for _ in range(ATTEMPTS):
        try:
            return compiled(data, issued)
        except typst.TypstError as error:
            missing = {char for text in NO_GLYPH.findall(error.diagnostic) for char in unescaped(text)}
            if not missing - {UNKNOWN}:
                raise CannotWrite(f"the page cannot be drawn: {error}") from error
            data = data.translate(dict.fromkeys(map(ord, missing), UNKNOWN))
    raise CannotWrite("the page cannot be drawn: too many characters have no glyph")


def compiled(data: str, issued: datetime) -> bytes:
    """Run Typst. Raises typst.TypstError."""
    files = {"main.typ": TEMPLATE.read_bytes(), "data.json": data.encode()}
    return bytes(typst.compile(  # type: ignore[call-overload]  # its stubs forget that input may be several files
        files, root=str(TEMPLATE.parent), format="pdf", font_paths=fonts(), pdf_standards=["a-3b"], timestamp=issued))


@cache
def fonts() -> typst.Fonts:
    """Source Sans, and what Typst brings along for other scripts. Loaded once in a process."""
    spec = importlib.util.find_spec("font_source_sans_pro")
    if spec is None or spec.origin is None:
        raise CannotWrite("the typeface (package font-source-sans-pro) is not installed")
    folder = Path(spec.origin).parent / "files"
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])


def drawable(value: Json) -> Json:
    """The same structure with texts that can be drawn: no control characters, long words breakable."""
    return {name: drawable_value(one) for name, one in value.items()}


def drawable_value(value: object) -> object:
    """One value of the page's data, however deep."""
    if isinstance(value, str):
        return LONG_WORD.sub(lambda word: BREAK.join(PIECE.findall(word[0])), "".join(map(visible, value)))
    if isinstance(value, dict):
        return drawable(value)
    return [drawable_value(one) for one in value] if isinstance(value, list | tuple) else value


def visible(char: str) -> str:
    """A character, or what stands for it where it is control, half of a pair, private or not assigned."""
    category = unicodedata.category(char)
    if category == "Cc":
        return "\n" if char == "\n" else " "
    return UNKNOWN if category in {"Cs", "Co", "Cn"} else char


def unescaped(text: str) -> str:
    """A text as Typst quotes it in a diagnostic, with its characters back."""
    return ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)

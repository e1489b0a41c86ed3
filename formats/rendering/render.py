"""Draw an invoice as PDF/A-3 pages, with Typst and the project's own typefaces.

Data reaches the template as a JSON file beside it, never as part of its text: nothing in an invoice can be
markup. Same arguments, same bytes, everywhere. The pages are tagged (PDF/UA-1, PDF/A-3a) wherever Typst can do so.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from unicodedata import east_asian_width

import typst

from formats.errors import CannotWrite
from formats.invoice import Invoice
from formats.rendering.appearance import COLOUR, MAX_FOOTER, PANEL, PLAIN, Appearance, legible
from formats.rendering.logo import check_logo
from formats.rendering.page import page
from formats.rendering.payment_code import NoCode, payment_code, picture
from formats.rendering.phrases import BREAK, Json, word
from formats.rendering.remarks import Drawn, accent_darkened, glyph_missing, not_accessible
from formats.rendering.typefaces import UNKNOWN, fonts, visible

TEMPLATE = Path(__file__).parent / "invoice.typ"
LANGUAGES = ("fr", "en")
LONG_WORD = re.compile(r"\S{25,}")
PIECE = re.compile(r".{1,20}")
"""A word as long as this may be broken after every piece, so that no reference runs out of its column."""

NO_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
ATTEMPTS = 5
CHARACTERS_OF_FOOT = 105
"""How many figures a row at the foot of the page holds at least."""

ACCESSIBLE: tuple[str, ...] = ("a-3a", "ua-1")
LEAST: tuple[str, ...] = ("a-3b",)
"""What the pages claim, and what they still claim where Typst finds that it cannot keep the first."""



def draw(invoice: Invoice, *, lang: str = "fr", appearance: Appearance = PLAIN) -> bytes:
    """The pages alone, see `drawn`."""
    return drawn(invoice, lang=lang, appearance=appearance).pdf


def drawn(invoice: Invoice, *, lang: str = "fr", appearance: Appearance = PLAIN) -> Drawn:
    """The invoice as PDF/A-3 pages without XML inside, and what must be said about them.

    `lang` is "fr" or "en". The date in the PDF is the issue date. Characters for which there is no glyph are shown
    as a replacement mark, named in a remark that is printed on the last page as well.

    Raises:
        CannotWrite: another language, an appearance that cannot be drawn (a logo that is no picture or is over
            1 MB, a colour that is none, a foot of over 500 characters), or a page that cannot be drawn.
    """
    check(lang, appearance)
    accent = legible(appearance.accent)
    remarks = [accent_darkened(appearance.accent, accent)] if accent != appearance.accent else []
    content = content_of(invoice, lang, appearance, accent)
    code = content.pop("code")
    seen = set().union(*texts_of(content))
    missing = {char for char in seen if visible(char) == UNKNOWN} - {UNKNOWN}
    title = "".join(map(visible, str(content["document_title"])))
    content = {**drawable(content), "document_title": title, "code": code}
    issued = datetime.combine(invoice.issue_date or date(1970, 1, 1), time(), UTC)
    logo, standards = appearance.logo, ACCESSIBLE
    for _ in range(ATTEMPTS):
        told = [glyph_missing(missing)] if missing else []
        content["remarks"] = [one.en if lang == "en" else one.fr for one in told]
        data = json.dumps(content, ensure_ascii=False)
        if missing:
            data = data.translate(dict.fromkeys(map(ord, missing), UNKNOWN))
        try:
            return Drawn(compiled(data, logo, issued, standards), (*remarks, *told))
        except typst.TypstError as error:
            unknown = {char for text in NO_GLYPH.findall(error.diagnostic) for char in unescaped(text)} - {UNKNOWN}
            if unknown - missing:
                missing |= unknown
            elif standards is ACCESSIBLE:
                standards = LEAST
                remarks.append(not_accessible(error.message))
            else:
                raise CannotWrite(f"the page cannot be drawn: {error}") from error
    raise CannotWrite("the page cannot be drawn: too many characters have no glyph")


def check(lang: str, appearance: Appearance) -> None:
    """Refuse what cannot be drawn before anything is. Raises CannotWrite."""
    if lang not in LANGUAGES:
        raise CannotWrite(f"no words for language {lang!r}; there are {', '.join(LANGUAGES)}")
    if appearance.logo is not None:
        check_logo(appearance.logo)
    if not COLOUR.fullmatch(appearance.accent):
        raise CannotWrite(f"{appearance.accent!r} is no colour of the form #rrggbb")
    if len(appearance.footer) > MAX_FOOTER:
        raise CannotWrite(f"a foot of {len(appearance.footer)} characters; at most {MAX_FOOTER} are drawn")


def content_of(invoice: Invoice, lang: str, appearance: Appearance, accent: str) -> Json:
    """The texts of the page together with what the appearance adds."""
    content = page(invoice, lang)
    code = payment_code(invoice) if appearance.payment_code else None
    foot = [*([appearance.footer] if appearance.footer else []), *texts_of(content["footer"])]
    rows = sum(1 + sum(map(breadth, text)) // CHARACTERS_OF_FOOT for text in foot)
    return {
        **content,
        "footer": foot,
        "bottom": max(19, 7 + 3.6 * rows),
        "accent": accent,
        "panel": PANEL,
        "logo": appearance.logo is not None,
        "logo_alt": f"{word('logo', lang)} {content['seller']}",
        "code": picture(code).decode() if code and not isinstance(code, NoCode) else None,
        "code_alt": word("code_alt", lang),
    }


def breadth(char: str) -> int:
    """How many figures wide a character is at most."""
    return 2 if char.isupper() or east_asian_width(char) in {"W", "F"} else 1


def compiled(data: str, logo: bytes | None, issued: datetime, standards: tuple[str, ...]) -> bytes:
    """Run Typst. Raises typst.TypstError."""
    # The wheel takes text files only, so a picture goes as the list of its bytes.
    picture_bytes = json.dumps(list(logo or b"")).encode()
    files = {"main.typ": TEMPLATE.read_bytes(), "data.json": data.encode(), "logo.json": picture_bytes}
    return bytes(typst.compile(  # type: ignore[call-overload]  # its stubs forget that input may be several files
        files, root=str(TEMPLATE.parent), format="pdf", font_paths=fonts(), pdf_standards=list(standards),
        timestamp=issued))


def texts_of(value: object) -> Iterator[str]:
    """Every text in the page's data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_of(one)


def drawable(value: Json) -> Json:
    """The same structure with texts that can be drawn: no control characters, long words breakable."""
    return {name: drawable_value(one) for name, one in value.items()}


def drawable_value(value: object) -> object:
    """One value of the page's data, however deep."""
    if isinstance(value, str):
        text = value if value.isprintable() else "".join(map(visible, value))
        return LONG_WORD.sub(lambda word: BREAK.join(PIECE.findall(word[0])), text)
    if isinstance(value, dict):
        return drawable(value)
    return [drawable_value(one) for one in value] if isinstance(value, list | tuple) else value


def unescaped(text: str) -> str:
    """A text as Typst quotes it in a diagnostic, with its characters back."""
    return ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)

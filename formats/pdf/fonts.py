"""The fonts of a PDF/A: embedded, encoded so that every reader picks the same glyph, with true widths (6.2.11)."""

from collections.abc import Callable, Iterable, Iterator

import pikepdf

from formats.errors import PageRefused
from formats.pdf.changes import Change
from formats.pdf.document import dictionary, entries
from formats.pdf.drawing import Shown
from formats.pdf.encodings import CHARACTERS, MAC_CODES, names_of
from formats.pdf.programs import Outlines, Program, TrueType, program_of
from formats.pdf.standard_fonts import NONSYMBOLIC, embed_standard, is_standard

SYMBOLIC = 4
TOLERANCE = 1.0
"""Thousandths of the font size by which stated and true width may differ."""

Widths = Callable[[int], float]


def settle_font(document: pikepdf.Pdf, shown: Shown) -> list[Change]:
    """Check a font that is shown, and put right what does not change what is seen. Raises PageRefused."""
    name = str(shown.font.get("/BaseFont", "/?")).lstrip("/")
    try:
        return list(settled(document, shown, name))
    except PageRefused:
        raise
    except Exception as error:  # fontTools raises whatever its parsers meet in a broken program
        raise PageRefused("font-damaged", f"{name}: {type(error).__name__}") from error


def settled(document: pikepdf.Pdf, shown: Shown, name: str) -> Iterator[Change]:
    """The changes to a font. Raises PageRefused, and whatever a broken program makes its parser raise."""
    font, kind = shown.font, str(shown.font.get("/Subtype"))
    if kind == "/Type3":
        check_type3(font, shown.codes)
    elif not shown.visible and not is_embedded(font):
        return  # as the hidden text of a scanned page may be (6.2.11.4.1)
    elif kind == "/Type0":
        yield from settle_composite(font, shown.codes, name)
    elif kind in {"/Type1", "/TrueType", "/MMType1"}:
        if not is_embedded(font) and is_standard(name):
            yield embed_standard(document, font, name, {code for text in shown.codes for code in text})
        else:
            yield from without_glyph_lists(font, name)
            check_simple(font, shown.codes, name, kind)
    else:
        raise PageRefused("font-damaged", f"{name}: {kind}")


def is_embedded(font: pikepdf.Object) -> bool:
    """Whether a font, or the one below it, has a program."""
    below = entries(font, "/DescendantFonts")
    descriptor = dictionary(below[0] if below else font, "/FontDescriptor")
    return bool({"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()))


def without_glyph_lists(font: pikepdf.Object, name: str) -> Iterator[Change]:
    """Lists of glyphs have to be complete or absent (6.2.11.4.2)."""
    descriptor = dictionary(font, "/FontDescriptor")
    for key in ("/CharSet", "/CIDSet"):
        if key in descriptor:
            del descriptor[key]
            yield Change("font-set-removed", name)


def check_simple(font: pikepdf.Object, codes: set[bytes], name: str, kind: str) -> None:
    """A font of one byte a character."""
    program = program_of(dictionary(font, "/FontDescriptor"), name)
    if isinstance(program, TrueType) != (kind == "/TrueType"):
        raise PageRefused("font-damaged", f"{name}: another kind of program than {kind.lstrip('/')}")
    used = sorted({code for text in codes for code in text})
    stated = simple_widths(font, name)
    if isinstance(program, TrueType):
        glyph_of = truetype_glyphs(font, program, name)
        compare(((code, stated(code), width_or_none(program, glyph_of(code))) for code in used), name)
    elif not program.by_cid:
        names = names_of(font.get("/Encoding"), dict(program.encoding))
        compare(((code, stated(code), named_width(program, names.get(code))) for code in used), name)
    else:
        raise PageRefused("font-damaged", f"{name}: numbered glyphs in a simple font")


def simple_widths(font: pikepdf.Object, name: str) -> Widths:
    """The stated width of a code."""
    first, last, widths = font.get("/FirstChar"), font.get("/LastChar"), entries(font, "/Widths")
    if not isinstance(first, int) or not isinstance(last, int) or len(widths) != last - first + 1:
        raise PageRefused("font-widths", name)
    missing = float(dictionary(font, "/FontDescriptor").get("/MissingWidth", 0))
    return lambda code: float(widths[code - first]) if first <= code <= last else missing


def truetype_glyphs(font: pikepdf.Object, program: TrueType, name: str) -> Callable[[int], int | None]:
    """How codes find their glyphs in a simple TrueType font (ISO 32000-1, 9.6.6.4; ISO 19005-3, 6.2.11.6)."""
    flags, encoding = int(dictionary(font, "/FontDescriptor").get("/Flags", 0)), font.get("/Encoding")
    maps = program.cmaps
    if flags & SYMBOLIC and not flags & NONSYMBOLIC:
        if encoding is not None or ((3, 0) not in maps and len(maps) != 1):
            raise PageRefused("font-encoding", f"{name}: symbolic")
        found = maps.get((3, 0)) or next(iter(maps.values()))
        starts = (0, 0xF000, 0xF100, 0xF200)
        return lambda code: number(program, next((found[at + code] for at in starts if at + code in found), None))
    base = encoding.get("/BaseEncoding") if isinstance(encoding, pikepdf.Dictionary) else encoding
    if str(base) not in {"/WinAnsiEncoding", "/MacRomanEncoding"} or not {(3, 1), (1, 0)} & maps.keys():
        raise PageRefused("font-encoding", name)
    names = names_of(encoding, {})
    differs = isinstance(encoding, pikepdf.Dictionary) and bool(entries(encoding, "/Differences"))
    if differs and ((3, 1) not in maps or not set(names.values()) <= CHARACTERS.keys()):
        raise PageRefused("font-encoding", f"{name}: differences")
    if (3, 1) in maps:
        by_character = maps[3, 1]
        return lambda code: number(program, by_character.get(CHARACTERS.get(names.get(code, ""), -1)))
    by_mac_code = maps[1, 0]
    return lambda code: number(program, by_mac_code.get(MAC_CODES.get(names.get(code, ""), -1)))


def number(program: TrueType, glyph: str | None) -> int | None:
    """A glyph's number by its name."""
    return program.by_name.get(glyph) if glyph is not None else None


def width_or_none(program: TrueType, glyph: int | None) -> float | None:
    """True width of a glyph; None for one that is missing."""
    return program.width(glyph) if glyph is not None and 0 < glyph < program.count() else None


def named_width(program: Outlines, name: str | None) -> float | None:
    """True width of a glyph; None for one that is missing."""
    return program.width(name) if name is not None and name != ".notdef" and name in program.charstrings else None


def compare(widths: Iterable[tuple[int, float, float | None]], name: str) -> None:
    """Every code that is shown has a glyph, of the stated width. Raises PageRefused."""
    for code, stated, true in widths:
        if true is None:
            raise PageRefused("glyph-missing", f"{name}, code {code}")
        if abs(stated - true) > TOLERANCE:
            raise PageRefused("font-widths", f"{name}, code {code}: {stated:.0f}, not {true:.0f}")


def settle_composite(font: pikepdf.Object, codes: set[bytes], name: str) -> Iterator[Change]:
    """A font of two bytes a character: the codes are numbers of glyphs, by way of a map."""
    below = entries(font, "/DescendantFonts")
    if len(below) != 1 or str(font.get("/Encoding")) not in {"/Identity-H", "/Identity-V"}:
        raise PageRefused("font-encoding", name)
    descendant = below[0]
    if "/W2" in descendant or str(font.Encoding) == "/Identity-V":
        raise PageRefused("font-encoding", f"{name}: vertical")
    program = program_of(dictionary(descendant, "/FontDescriptor"), name)
    kind = str(descendant.get("/Subtype"))
    if kind == "/CIDFontType2" and "/CIDToGIDMap" not in descendant:
        descendant.CIDToGIDMap = pikepdf.Name.Identity
        yield Change("font-map-added", name)
    yield from without_glyph_lists(descendant, name)
    used = sorted({int.from_bytes(text[at:at + 2], "big") for text in codes for at in range(0, len(text), 2)})
    stated = composite_widths(descendant)
    compare(((cid, stated(cid), cid_width(program, descendant, kind, cid)) for cid in used), name)


def cid_width(program: Program, descendant: pikepdf.Object, kind: str, cid: int) -> float | None:
    """True width of a numbered character; None if it has no glyph. Raises PageRefused."""
    if cid == 0:
        return None  # stands for what is missing, whatever the font draws for it
    if isinstance(program, TrueType):
        if kind != "/CIDFontType2":
            raise PageRefused("font-damaged", kind.lstrip("/"))
        given = descendant.get("/CIDToGIDMap")
        if isinstance(given, pikepdf.Stream):
            table = given.read_bytes()
            return width_or_none(program, int.from_bytes(table[2 * cid:2 * cid + 2], "big"))
        return width_or_none(program, cid)
    if kind != "/CIDFontType0":
        raise PageRefused("font-damaged", kind.lstrip("/"))
    if program.by_cid:
        return named_width(program, f"cid{cid:05d}")
    return named_width(program, program.names[cid]) if cid < len(program.names) else None


def composite_widths(descendant: pikepdf.Object) -> Widths:
    """The stated width of a numbered character (ISO 32000-1, 9.7.4.3)."""
    found: dict[int, float] = {}
    parts = entries(descendant, "/W")
    at = 0
    while at + 1 < len(parts):
        first = int(parts[at])
        if isinstance(parts[at + 1], pikepdf.Array):
            found |= {first + offset: float(width) for offset, width in enumerate(parts[at + 1])}
            at += 2
        else:
            last = min(int(parts[at + 1]), 65535)
            found |= dict.fromkeys(range(first, last + 1), float(parts[at + 2]))
            at += 3
    usual = float(descendant.get("/DW", 1000))
    return lambda cid: found.get(cid, usual)


def check_type3(font: pikepdf.Object, codes: set[bytes]) -> None:
    """A font whose glyphs are drawings: each that is shown is there and as wide as stated."""
    names, drawn = names_of(font.get("/Encoding"), {}), dictionary(font, "/CharProcs")
    stated = simple_widths(font, "Type 3")
    for code in sorted({code for text in codes for code in text}):
        glyph = drawn.get(f"/{names.get(code, '')}")
        if not isinstance(glyph, pikepdf.Stream):
            raise PageRefused("glyph-missing", f"Type 3, code {code}")
        first = next((step for step in pikepdf.parse_content_stream(glyph, operators="d0 d1")), None)
        true = float(first.operands[0]) if first is not None and len(first.operands) else None
        if true is None or abs(stated(code) - true) > TOLERANCE / 100:
            raise PageRefused("font-widths", f"Type 3, code {code}")

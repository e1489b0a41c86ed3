"""Font programs inside a PDF: which glyphs they hold and how wide those are, in thousandths of the font size."""

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.encodings.StandardEncoding import StandardEncoding
from fontTools.pens.basePen import NullPen
from fontTools.t1Lib import T1Font
from fontTools.ttLib import TTFont

from formats.errors import PageRefused

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of odd dates and names, none of our business

MAX_PROGRAM = 20_000_000
STANDARD = {code: name for code, name in enumerate(StandardEncoding) if name != ".notdef"}


@dataclass(frozen=True)
class TrueType:
    """A TrueType program, or an OpenType one."""

    file: TTFont

    @cached_property
    def cmaps(self) -> dict[tuple[int, int], Mapping[int, str]]:
        """Its character maps by (platform, encoding)."""
        if "cmap" not in self.file:
            return {}
        return {(table.platformID, table.platEncID): table.cmap for table in self.file["cmap"].tables
                if hasattr(table, "cmap")}

    @cached_property
    def by_name(self) -> Mapping[str, int]:
        """Glyph numbers by name."""
        return dict(self.file.getReverseGlyphMap())

    def count(self) -> int:
        """How many glyphs it has."""
        return int(self.file["maxp"].numGlyphs)

    def width(self, glyph: int) -> float:
        """Advance of a glyph by its number."""
        metrics, scale = self.file["hmtx"], 1000 / self.file["head"].unitsPerEm
        return float(metrics[self.file.getGlyphName(glyph)][0] * scale)


@dataclass(frozen=True)
class Outlines:
    """A CFF or Type 1 program: glyphs by name, drawn by charstrings."""

    charstrings: Mapping[str, object]
    encoding: Mapping[int, str]
    """Its own, from code to name."""

    scale: float
    names: list[str] = field(default_factory=list)
    """Glyphs in their order, where that means something (CFF)."""

    by_cid: bool = False

    def width(self, name: str) -> float:
        """Advance of a glyph by its name; only drawing it tells."""
        charstring = self.charstrings[name]
        charstring.draw(NullPen())  # type: ignore[attr-defined]  # of fontTools, which has no types
        return float(charstring.width * self.scale)  # type: ignore[attr-defined]  # as above


Program = TrueType | Outlines


def program_of(descriptor: pikepdf.Object, name: str) -> Program:
    """The program embedded for a font. Raises PageRefused if there is none, and whatever fontTools raises."""
    keys = ("/FontFile", "/FontFile2", "/FontFile3")
    found = [key for key in keys if isinstance(descriptor.get(key), pikepdf.Stream)]
    if not found:
        raise PageRefused("font-not-embedded", name)
    stream = descriptor[found[0]]
    content = stream.read_bytes()
    if len(content) > MAX_PROGRAM:
        raise PageRefused("font-damaged", name)
    if found[0] == "/FontFile":
        return type1(content)
    if found[0] == "/FontFile2":
        return truetype(content)
    return compact(content, str(stream.get("/Subtype")))


def truetype(content: bytes) -> TrueType:
    """A TrueType program, with the tables that widths need."""
    program = TrueType(TTFont(io.BytesIO(content), lazy=True, recalcBBoxes=False, recalcTimestamp=False))
    program.width(0)
    return program


def compact(content: bytes, subtype: str) -> Program:
    """A bare CFF program, or one in OpenType."""
    if subtype == "/OpenType":
        file = TTFont(io.BytesIO(content), lazy=True)
        return cff(file["CFF "].cff) if "CFF " in file else TrueType(file)
    if subtype not in {"/Type1C", "/CIDFontType0C"}:
        raise ValueError(subtype)
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(content), None)
    return cff(fonts)


def cff(fonts: CFFFontSet) -> Outlines:
    """The only font of a set."""
    top = fonts[0]
    by_cid = hasattr(top, "ROS")
    encoding = {} if by_cid else top.Encoding
    names = top.getGlyphOrder()
    if encoding == "StandardEncoding":
        codes = STANDARD
    elif isinstance(encoding, str):
        raise ValueError(encoding)
    else:
        codes = dict(enumerate(encoding)) if encoding else {}
    matrix = getattr(top, "FontMatrix", [0.001])
    return Outlines(top.CharStrings, codes, matrix[0] * 1000, list(names), by_cid)


def type1(content: bytes) -> Outlines:
    """A Type 1 program, as PDF embeds it."""
    font = T1Font.__new__(T1Font)  # its own constructor reads a file
    font.data, font.encoding = content, "ascii"
    font.parse()
    own = font.font["Encoding"]
    codes = STANDARD if own == "StandardEncoding" else dict(enumerate(own))
    return Outlines(font.font["CharStrings"], codes, float(font.font["FontMatrix"][0]) * 1000)

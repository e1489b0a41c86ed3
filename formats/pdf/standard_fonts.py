"""The fonts that every PDF reader was once supposed to have: embedded from a family of the same widths.

Liberation Sans, Serif and Mono were made with the widths of Helvetica, Times and Courier. The operating system has
them (Debian: fonts-liberation); without them, and for Symbol and ZapfDingbats, a page is refused.
"""

import hashlib
import io
import re
from pathlib import Path

import pikepdf
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from formats.errors import PageRefused
from formats.pdf.changes import Change
from formats.pdf.encodings import CHARACTERS, ENCODINGS, names_of

FOLDERS = tuple(Path(f"/usr/share/fonts/{name}") for name in (
    "truetype/liberation", "truetype/liberation2", "liberation", "liberation-sans", "TTF"))
FAMILIES = {"helvetica": "LiberationSans", "arial": "LiberationSans", "times": "LiberationSerif",
            "timesnewroman": "LiberationSerif", "courier": "LiberationMono", "couriernew": "LiberationMono"}
STYLES = {"": "Regular", "b": "Bold", "i": "Italic", "bi": "BoldItalic"}
NAME = re.compile(r"(?:[A-Z]{6}\+)?(helvetica|arial|times|timesnewroman|courier|couriernew)(?:ps)?(?:mt)?"
                  r"[-,]?(roman)?(bold)?(italic|oblique)?(?:mt)?", re.IGNORECASE)
NONSYMBOLIC = 32


def is_standard(name: str) -> bool:
    """Whether a font name is one of the standard text fonts, or of what Windows calls them."""
    return NAME.fullmatch(name.replace(" ", "")) is not None


def embed_standard(document: pikepdf.Pdf, font: pikepdf.Object, name: str, codes: set[int]) -> Change:
    """Make a standard font one that is embedded, with the glyphs that are shown. Raises PageRefused."""
    file = path_of(name)
    names = names_of(font.get("/Encoding"), ENCODINGS["/StandardEncoding"])
    program = TTFont(io.BytesIO(file.read_bytes()), lazy=True)
    glyphs, scale = program.getBestCmap(), 1000 / program["head"].unitsPerEm
    characters = {code: CHARACTERS.get(names.get(code, ""), -1) for code in codes}
    missing = sorted(code for code, character in characters.items() if character not in glyphs)
    if missing:
        raise PageRefused("glyph-missing", f"{name}, code {missing[0]}")
    guessed = font.get("/Subtype") == pikepdf.Name.TrueType and "/Encoding" not in font
    if guessed and any(names[code] != ENCODINGS["/WinAnsiEncoding"].get(code) for code in codes):
        raise PageRefused("font-encoding", f"{name}: none, and readers differ")
    true = {code: round(program["hmtx"][glyphs[character]][0] * scale) for code, character in characters.items()}
    check_stated(font, name, true)
    differences = pikepdf.Array()
    for code in sorted(codes):
        if names[code] != ENCODINGS["/WinAnsiEncoding"].get(code):
            differences.append(code)
            differences.append(pikepdf.Name(f"/{names[code]}"))
    first, last = min(codes), max(codes)
    font.Subtype = pikepdf.Name.TrueType
    font.Encoding = pikepdf.Dictionary(
        Type=pikepdf.Name.Encoding, BaseEncoding=pikepdf.Name.WinAnsiEncoding, Differences=differences)
    font.FirstChar, font.LastChar = first, last
    font.Widths = pikepdf.Array([true.get(code, 0) for code in range(first, last + 1)])
    content = subset(file, set(characters.values()))
    font.BaseFont = pikepdf.Name(f"/{tag_of(content)}+{file.stem}")
    font.FontDescriptor = document.make_indirect(descriptor(document, program, content, font.BaseFont))
    return Change("font-embedded", f"{name} → {file.stem}")


def check_stated(font: pikepdf.Object, name: str, true: dict[int, int]) -> None:
    """Widths that the page states for a standard font have to be those of the family in its place."""
    first, widths = int(font.get("/FirstChar", 0)), font.get("/Widths")
    if not isinstance(widths, pikepdf.Array):
        return
    for code, width in true.items():
        if first <= code < first + len(widths) and abs(float(widths[code - first]) - width) > 1:
            raise PageRefused("font-widths", f"{name}, code {code}")


def path_of(name: str) -> Path:
    """The file that stands in for a standard font. Raises PageRefused if it is not installed."""
    found = NAME.fullmatch(name.replace(" ", ""))
    if found is None:
        raise PageRefused("font-not-embedded", name)
    style = ("b" if found[3] else "") + ("i" if found[4] else "")
    file = f"{FAMILIES[found[1].lower()]}-{STYLES[style]}.ttf"
    path = next((folder / file for folder in FOLDERS if (folder / file).is_file()), None)
    if path is None:
        raise PageRefused("font-not-embedded", name)
    return path


def subset(file: Path, characters: set[int]) -> bytes:
    """The program with these characters only. Same arguments, same bytes."""
    options = Options(notdef_outline=True, hinting=True, layout_features=[], name_IDs=[], drop_tables=["FFTM", "GSUB",
                      "GPOS", "GDEF", "kern", "DSIG"])
    program = TTFont(io.BytesIO(file.read_bytes()), recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(program)
    target = io.BytesIO()
    program.save(target)
    return target.getvalue()


def tag_of(content: bytes) -> str:
    """Six letters before the name of a subset: other subsets have others (ISO 32000-1, 9.6.4)."""
    return "".join(chr(ord("A") + byte % 26) for byte in hashlib.sha256(content).digest()[:6])


def descriptor(document: pikepdf.Pdf, program: TTFont, content: bytes, name: pikepdf.Object) -> pikepdf.Object:
    """The description of an embedded text font (ISO 32000-1, 9.8)."""
    scale = 1000 / program["head"].unitsPerEm
    head, shape, traits = program["head"], program["hhea"], program["OS/2"]
    stream = document.make_stream(content)
    stream.Length1 = len(content)
    return pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor, FontName=name, Flags=NONSYMBOLIC,
        FontBBox=[round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)],
        ItalicAngle=round(program["post"].italicAngle), Ascent=round(shape.ascent * scale),
        Descent=round(shape.descent * scale), CapHeight=round(getattr(traits, "sCapHeight", 1409) * scale), StemV=80,
        FontFile2=stream)

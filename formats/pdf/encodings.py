"""From the codes of a simple font to the names of glyphs: the encodings of PDF (ISO 32000-1, annex D)."""

import pikepdf
from fontTools.agl import LEGACY_AGL2UV, UV2AGL
from fontTools.encodings.MacRoman import MacRoman

from formats.errors import PageRefused
from formats.pdf.document import entries
from formats.pdf.programs import STANDARD

CHARACTERS = {name: codes[0] for name, codes in LEGACY_AGL2UV.items() if len(codes) == 1}
"""Characters by the names of the Adobe Glyph List."""

_SHORTEST = {code: name for name, code in sorted(CHARACTERS.items(), key=lambda item: (-len(item[0]), item[0]))}
UNICODE_NAMES = _SHORTEST | UV2AGL
"""The usual name of each character."""


def _windows() -> dict[int, str]:
    characters = bytes(range(32, 256)).decode("cp1252", "replace")
    names = {code: UNICODE_NAMES.get(ord(each), "bullet") for code, each in enumerate(characters, start=32)}
    return names | {127: "bullet", 160: "space", 173: "hyphen"}


ENCODINGS: dict[str, dict[int, str]] = {
    "/WinAnsiEncoding": _windows(),
    "/MacRomanEncoding": {code: name for code, name in enumerate(MacRoman) if name != ".notdef" and code >= 32}
    | {202: "space"},
    "/StandardEncoding": dict(STANDARD),
}
MAC_CODES = {name: code for code, name in ENCODINGS["/MacRomanEncoding"].items()}


def names_of(encoding: pikepdf.Object | None, built_in: dict[int, str]) -> dict[int, str]:
    """Glyph names by code: a named encoding, or a base with differences, over what the font says itself.

    Raises PageRefused for an encoding that is none.
    """
    if encoding is None:
        return built_in
    if isinstance(encoding, pikepdf.Name):
        return named(str(encoding))
    if not isinstance(encoding, pikepdf.Dictionary):
        raise PageRefused("font-encoding", "unreadable")
    base = encoding.get("/BaseEncoding")
    names = dict(named(str(base)) if base is not None else built_in)
    code = 0
    for entry in entries(encoding, "/Differences"):
        if isinstance(entry, pikepdf.Name):
            names[code] = str(entry)[1:]
            code += 1
        else:
            code = int(entry)
    return names


def named(name: str) -> dict[int, str]:
    """An encoding by name. Raises PageRefused."""
    if name not in ENCODINGS:
        raise PageRefused("font-encoding", name.lstrip("/"))
    return ENCODINGS[name]

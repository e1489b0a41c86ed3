"""What a reader of a drawn invoice must know about the drawing itself: nothing is left out or changed in silence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: a stable code, and its words in both languages."""

    code: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pages and the remarks on them."""

    pdf: bytes
    remarks: tuple[Remark, ...]


def accent_darkened(asked: str, drawn: str) -> Remark:
    """The colour that was chosen is too light for text."""
    return Remark("accent-darkened", f"Couleur {asked} trop claire pour être lue : {drawn} est employée.",
                  f"Colour {asked} is too light to be read: {drawn} is used.")


def glyph_missing(characters: set[str]) -> Remark:
    """There is no picture of these characters in any typeface at hand."""
    codes = ", ".join(f"U+{ord(char):04X}" for char in sorted(characters))
    return Remark("glyph-missing", f"Caractères sans dessin, remplacés par \ufffd : {codes}.",
                  f"Characters without a glyph, replaced by \ufffd: {codes}.")


def not_accessible(reason: str) -> Remark:
    """The pages could be drawn as PDF/A-3b only."""
    return Remark("not-accessible", f"Pages en PDF/A-3b sans la conformité PDF/UA : {reason}.",
                  f"Pages are PDF/A-3b without PDF/UA conformance: {reason}.")

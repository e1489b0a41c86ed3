"""The small change of the page: words in one language, codes by their meaning, identifiers by their scheme."""

from collections.abc import Iterable

from babel import Locale

from formats.codes import NOTE_SUBJECTS, SCHEMES, Label
from formats.invoice import Identifier, Note, Period
from formats.rendering import figures
from formats.rendering.words import WORDS

Pair = tuple[str, str]
"""A label and its text."""

Json = dict[str, object]
BREAK = "\u200b"
"""A place where a long word may be broken; it has no width and is no character of the invoice."""


def word(name: str, lang: str) -> str:
    """One of our words."""
    return label(WORDS[name], lang)


def label(words: Label, lang: str) -> str:
    """A label in one language, with the apostrophe of print."""
    return (words.fr if lang == "fr" else words.en).replace("'", "’")


def coded(table: dict[str, Label], code: str | None, lang: str) -> str:
    """What a code means, or the code itself."""
    return label(table[code], lang) if code in table else code or ""


def filled(pairs: Iterable[tuple[str, str | None]]) -> list[Pair]:
    """The pairs that say something."""
    return [(name, text) for name, text in pairs if text]


def joined(*texts: str | None, by: str = " · ") -> str:
    """The texts that say something, on one line."""
    return by.join(text for text in texts if text)


def named_texts(lang: str, pairs: Iterable[tuple[str, str | None]]) -> str:
    """Word and text, word and text, on one line."""
    return joined(*(f"{word(name, lang)} {text}" for name, text in pairs if text))


def named(name: str, text: str | None, lang: str) -> str:
    """A name and a text with the colon of the language; the one that is there if the other is not."""
    return joined(name, text, by=f"{figures.NO_BREAK}: " if lang == "fr" else ": ")


def note_title(note: Note, lang: str) -> str:
    """What a note is about, with the code where it has no words of ours."""
    if note.subject_code in NOTE_SUBJECTS:
        return coded(NOTE_SUBJECTS, note.subject_code, lang)
    return joined(word("note", lang), note.subject_code and f"({note.subject_code})", by=" ")


def span(period: Period | None, lang: str) -> str:
    """A period, or nothing."""
    return figures.span(period.start, period.end, lang) if period else ""


def identifier(value: Identifier, other: str, lang: str) -> Pair:
    """An identifier under the name of its scheme; `other` is the word where the scheme is unknown or absent."""
    if value.scheme == "0002":
        return "SIREN", figures.siren(value.value)
    if value.scheme == "0009":
        return "SIRET", figures.siret(value.value)
    if value.scheme in SCHEMES:
        return label(SCHEMES[value.scheme], lang), value.value
    return word(other, lang), joined(value.value, value.scheme)


def with_scheme(value: Identifier | None, lang: str) -> str:
    """An identifier with its scheme, on one line."""
    if value is None:
        return ""
    if value.scheme in SCHEMES:
        return f"{label(SCHEMES[value.scheme], lang)} {value.value}"
    return joined(value.value, value.scheme)


def country(code: str | None, lang: str) -> str:
    """What a country (ISO 3166-1 alpha-2) is called; the code itself if it is none, "" for None."""
    return str(Locale(lang).territories.get(code or "", code or ""))

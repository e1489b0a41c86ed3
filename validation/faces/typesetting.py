"""What every printed page of this room goes through: a template of ours and its data, drawn by Typst."""

import json
import re
from importlib import resources
from typing import Any, Final

import typst

from formats.errors import CannotWrite
from formats.rendering.typefaces import fonts

BREAK: Final = "\u200b"
"""A place where a long word may be broken."""

BLANKS: Final = "\n\u00a0\u202f"
"""What Python calls not printable and a page shows well: line ends and the blanks of French typography."""


def typeset(template: str, data: dict[str, Any], what: str, *, standard: str | None = None) -> bytes:
    """The template of that name in this package as PDF, with `data` as its data.json; `standard` is one of Typst's.

    Raises:
        CannotWrite: Typst refuses; `what` is named.
        ValueError, TypeError: `data` is none for JSON.
    """
    files = {
        "main.typ": resources.files("validation.faces").joinpath(template).read_bytes(),
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
    }
    standards = standard if standard is not None else []
    try:
        drawn = typst.compile(files, format="pdf", font_paths=fonts(), pdf_standards=standards)  # type: ignore[call-overload] # several files
    except typst.TypstError as error:
        raise CannotWrite(f"{what} cannot be drawn: {error}") from error
    return bytes(drawn)


def printable(text: str, long_word: re.Pattern[str]) -> str:
    """The text fit for a page; it may be broken after what `long_word` has as its first group."""
    shown = "".join(char if char.isprintable() or char in BLANKS else "\ufffd" for char in text)
    return long_word.sub(rf"\1{BREAK}", shown)


def printable_data(value: Any, long_word: re.Pattern[str]) -> Any:
    """The same data with every text in it fit for a page."""
    if isinstance(value, dict):
        return {name: printable_data(part, long_word) for name, part in value.items()}
    if isinstance(value, list):
        return [printable_data(part, long_word) for part in value]
    return printable(value, long_word)

"""The typefaces of the page, from their packages; no system font is looked at.

Source Sans Pro for Latin, Greek and Cyrillic; Noto for other scripts, Chinese, Japanese and Korean, and emoji.
"""

import importlib.util
import unicodedata
from functools import cache
from pathlib import Path

import typst

from formats.errors import CannotWrite

PACKAGES = (("font_source_sans_pro", "files"), ("manimgx_fonts", ""), ("manimgx_fonts_cjk", ""))
UNKNOWN = "\ufffd"
"""What stands for a character that cannot be shown."""


@cache
def fonts() -> typst.Fonts:
    """All typefaces, looked at once in a process. Raises CannotWrite where a package is not installed."""
    folders = [folder_of(package, inside) for package, inside in PACKAGES]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def folder_of(package: str, inside: str) -> str:
    """Where a package keeps its typefaces."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise CannotWrite(f"the typeface (package {package.replace('_', '-')}) is not installed")
    return str(Path(spec.origin).parent / inside)


def visible(char: str) -> str:
    """A character, or what stands for it where it is control, half of a pair, private or not assigned."""
    category = unicodedata.category(char)
    if category == "Cc":
        return "\n" if char == "\n" else " "
    return UNKNOWN if category in {"Cs", "Co", "Cn"} else char

"""What a seller chooses about the look of the invoices that are drawn: logo, one colour, words at the foot.

Pure, without any library: the service carries an appearance to the workshop, which draws with it.
"""

import colorsys
import re
from dataclasses import dataclass

ACCENT = "#0b5563"
"""Our own colour, where the seller has chosen none."""

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
PANEL = "#f3f6f7"
"""The darkest ground on which text in the accent colour stands."""

ENOUGH = 4.5
"""Contrast that WCAG 2.2 asks of text at level AA (success criterion 1.4.3)."""

MAX_FOOTER = 500
MAX_LOGO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How the invoices of one legal entity look."""

    logo: bytes | None = None
    """PNG, JPEG or SVG, at most `MAX_LOGO` bytes."""

    accent: str = ACCENT
    """`#rrggbb`. Drawn darker where text in it could not be read, see `legible`."""

    footer: str = ""
    """Words of the seller at the foot of every page, at most `MAX_FOOTER` characters."""

    payment_code: bool = True
    """Whether a SEPA credit transfer gets its QR code."""


PLAIN = Appearance()
"""No logo, our colour, no words at the foot."""


def contrast(colour: str, ground: str = PANEL) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    one, other = sorted((luminance(colour), luminance(ground)))
    return (other + 0.05) / (one + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts_of(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def legible(accent: str) -> str:
    """The same hue, as much darker as text in it needs on white and on `PANEL`; as it is where it is dark enough."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*parts_of(accent))
    while contrast(accent) < ENOUGH:
        lightness -= 0.01
        accent = "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return accent


def parts_of(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of `#rrggbb`, 0 to 1 each. Raises ValueError for another text."""
    if not COLOUR.fullmatch(colour):
        raise ValueError(f"{colour!r} is no colour of the form #rrggbb")
    red, green, blue = (int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue

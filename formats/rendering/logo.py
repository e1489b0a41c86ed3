"""What a logo may be: a PNG or JPEG of bounded size, or an SVG that draws shapes and text and nothing else.

A picture comes from outside like an invoice does. It is looked at before it is decoded: what is small in bytes can
be huge in pixels or shapes.
"""

import re
from collections.abc import Iterator

from lxml import etree

from formats.errors import CannotWrite, FormatError
from formats.rendering.appearance import MAX_LOGO
from formats.safexml import parse

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MOST_PIXELS = 4_000_000
MOST_SHAPES = 5_000
"""Elements of an SVG, those that `use`, a mask or a clip path repeats counted again."""

SVG = "http://www.w3.org/2000/svg"
DRAWS = frozenset({
    "svg", "g", "defs", "title", "desc", "metadata", "path", "rect", "circle", "ellipse", "line", "polyline",
    "polygon", "text", "tspan", "use", "symbol", "clipPath", "mask", "linearGradient", "radialGradient", "stop",
    "style",
})
"""The elements of SVG that a logo may use. No image, link, script, animation, filter or foreign content."""

HREF = ("href", "{http://www.w3.org/1999/xlink}href")
OUTSIDE = re.compile(r"@import|url\(\s*['\"]?(?!\s*['\"]?#)", re.IGNORECASE)
"""A style that names something which is not in the picture itself."""

CUT = re.compile(r"(?:mask|clip-path)\s*:\s*url\(\s*['\"]?#([^'\")]*)", re.IGNORECASE)
"""In a style: the mask or the clip path that is drawn with each shape that has it."""
CUT_HERE = re.compile(r"\s*url\(\s*['\"]?#([^'\")]*)", re.IGNORECASE)
COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG after which the size stands (ITU-T T.81, table B.1)."""


def check_logo(picture: bytes) -> None:
    """Refuse what is no logo. That it can be decoded is seen when it is drawn.

    Raises:
        CannotWrite: over 1 MB or 4 million pixels, neither PNG, JPEG nor SVG, or an SVG with anything that reaches
            outside, runs, or repeats without measure.
    """
    if len(picture) > MAX_LOGO:
        raise CannotWrite(f"a logo of {len(picture)} bytes; at most {MAX_LOGO} are drawn")
    if picture.startswith((PNG, JPEG)):
        width, height = png_size(picture) if picture.startswith(PNG) else jpeg_size(picture)
        if width * height > MOST_PIXELS:
            raise CannotWrite(f"a logo of {width} x {height} pixels; at most {MOST_PIXELS} are drawn")
        if width * height == 0:
            raise CannotWrite("a logo without pixels, or damaged")
    elif picture.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        check_svg(picture)
    else:
        raise CannotWrite("a logo is PNG, JPEG or SVG")


def png_size(picture: bytes) -> tuple[int, int]:
    """Width and height as the header says; zeros if there is none."""
    if picture[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")


def jpeg_size(picture: bytes) -> tuple[int, int]:
    """Width and height as the first frame says; zeros if there is none."""
    at = 2
    while at + 9 < len(picture) and picture[at] == 0xFF:
        if picture[at + 1] in FRAMES:
            return int.from_bytes(picture[at + 7:at + 9], "big"), int.from_bytes(picture[at + 5:at + 7], "big")
        at += 2 + int.from_bytes(picture[at + 2:at + 4], "big")
    return 0, 0


def check_svg(picture: bytes) -> None:
    """Refuse an SVG that does more than draw. Raises CannotWrite."""
    try:
        root = parse(picture)
    except FormatError as error:
        raise CannotWrite(f"the logo is no SVG that can be read: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise CannotWrite("the logo is XML, but no SVG")
    for element in root.iter(etree.Element):
        name = etree.QName(element)
        if name.namespace == SVG and name.localname not in DRAWS:
            raise CannotWrite(f"an SVG logo draws shapes and text only; it has <{name.localname}>")
        if any(OUTSIDE.search(text) for text in styles_of(element)):
            raise CannotWrite("an SVG logo names nothing outside itself")
    sheet = "".join("".join(map(str, one.itertext())) for one in root.iter(f"{{{SVG}}}style"))
    rules = [(selector, CUT.findall(body)) for selector, body in RULE.findall(COMMENT.sub("", sheet))]
    named = {str(one.get("id")): one for one in root.iter(etree.Element) if one.get("id")}
    shapes = weight(root, named, rules, 0)
    if shapes > MOST_SHAPES:
        raise CannotWrite(f"an SVG logo of over {MOST_SHAPES} shapes")


def styles_of(element: etree._Element) -> Iterator[str]:
    """The texts of an element that could name something outside."""
    if element.tag == f"{{{SVG}}}style":
        yield "".join(map(str, element.itertext()))
    for name, value in element.attrib.items():
        if name in HREF and not str(value).startswith("#"):
            yield "@import"
        yield str(value)


Rules = list[tuple[str, list[str]]]
"""Of the style sheet: the selector, and the masks and clip paths that it gives."""


def weight(element: etree._Element, named: dict[str, etree._Element], rules: Rules, depth: int) -> int:
    """How many elements an element draws, with what it repeats; stops counting over the limit."""
    if depth > 100:
        return MOST_SHAPES + 1
    repeated = [named[name] for name in repeats(element, rules) if name in named]
    total = 1
    for one in (*element.iterchildren(etree.Element), *repeated):
        total += weight(one, named, rules, depth + 1)
        if total > MOST_SHAPES:
            break
    return total


def repeats(element: etree._Element, rules: Rules) -> Iterator[str]:
    """The names of what is drawn again for an element: a rule without a class is taken to speak of every element."""
    if element.tag == f"{{{SVG}}}use":
        yield from (str(element.get(name, ""))[1:] for name in HREF)
    for name in ("mask", "clip-path"):
        yield from CUT_HERE.findall(str(element.get(name, "")))
    yield from CUT.findall(COMMENT.sub("", str(element.get("style", ""))))
    classes = str(element.get("class", "")).split()
    for selector, cuts in rules:
        if "." not in selector or any(f".{one}" in selector for one in classes):
            yield from cuts

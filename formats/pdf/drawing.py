"""What the pages of a PDF draw with: the fonts and the codes shown in each, checked colours, images and states.

Walks every content stream once: pages, forms, patterns, Type 3 glyphs, appearances of annotations. Refuses what
PDF/A-3 forbids in a drawing (ISO 19005-3, 6.2) and cannot be put right without redrawing. Nothing is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pikepdf

from formats.errors import PageRefused
from formats.pdf.changes import Change
from formats.pdf.colours import Palette, canonical, group_spaces
from formats.pdf.document import dictionary, entries

MAX_DRAWING = 20_000_000
"""Bytes of all content streams together."""

MAX_OPERATORS = 1_000_000
DEEPEST = 20
MAX_SAVED = 28
"""Nested q (ISO 19005-3, 6.1.13)."""

_OPERATORS = (
    "b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l m M MP n q Q re "
    "RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \"")
OPERATORS = frozenset(_OPERATORS.split())
COLOURS = {"g": "/DeviceGray", "G": "/DeviceGray", "rg": "/DeviceRGB", "RG": "/DeviceRGB", "k": "/DeviceCMYK",
           "K": "/DeviceCMYK"}
INTENTS = frozenset({"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"})
_BLENDS = ("/Normal /Compatible /Multiply /Screen /Overlay /Darken /Lighten /ColorDodge /ColorBurn /HardLight "
           "/SoftLight /Difference /Exclusion /Hue /Saturation /Color /Luminosity")
BLENDS = frozenset(_BLENDS.split())
INLINE_FILTERS = frozenset({"/ASCIIHexDecode", "/ASCII85Decode", "/FlateDecode", "/RunLengthDecode", "/CCITTFaxDecode",
                            "/DCTDecode"})
INVISIBLE = 3


@dataclass(slots=True)
class Shown:
    """A font and what is shown in it."""

    font: pikepdf.Object
    codes: set[bytes] = field(default_factory=set)
    """Strings as they stand in the drawing."""

    visible: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The part of the graphics state that decides what a string shows."""

    font: Shown | None = None
    mode: int = 0


class Drawing:
    """One walk over all that is drawn; `fonts` and `changes` are what it found."""

    def __init__(self, document: pikepdf.Pdf, palette: Palette) -> None:
        self.document = document
        self.palette = palette
        self.fonts: dict[tuple[int, int] | int, Shown] = {}
        self.changes: set[Change] = set()
        self.seen: set[tuple[tuple[int, int], int]] = set()
        self.lent: dict[tuple[int, int], pikepdf.Object] = {}
        self.bytes_left = MAX_DRAWING
        self.operators_left = MAX_OPERATORS

    def walk(self) -> None:
        """All pages and their annotations. Raises PageRefused."""
        for page in self.document.pages:
            resources = page.obj.get("/Resources", pikepdf.Dictionary())
            self.check_groups(page.obj, resources)
            self.content(page, resources, Text(), 0)
            for note in entries(page.obj, "/Annots"):
                for appearance in appearances(note):
                    self.form(appearance, pikepdf.Dictionary(), Text(), 0)
        self.palette.check_overprint()

    def content(
        self, drawing: pikepdf.Page | pikepdf.Object, resources: pikepdf.Object, text: Text, depth: int
    ) -> None:
        """One content stream, or those of a page, with its resources."""
        if depth > DEEPEST:
            raise PageRefused("drawing-too-complex", "forms nested too deep")
        self.spend(drawing)
        self.states(resources, depth)
        saved: list[Text] = []
        for instruction in pikepdf.parse_content_stream(drawing):
            self.operators_left -= 1
            if self.operators_left < 0:
                raise PageRefused("drawing-too-complex", f"more than {MAX_OPERATORS} operators")
            if isinstance(instruction, pikepdf.ContentStreamInlineImage):
                self.inline_image(instruction.iimage.obj, resources)
                continue
            name, operands = str(instruction.operator), instruction.operands
            if name == "q":
                saved.append(text)
                if len(saved) > MAX_SAVED:
                    raise PageRefused("drawing-too-complex", f"more than {MAX_SAVED} saved states")
            elif name == "Q":
                text = saved.pop() if saved else text
            else:
                text = self.operator(name, list(operands), resources, text, depth)

    def spend(self, drawing: pikepdf.Page | pikepdf.Object) -> None:
        """Count the bytes of a drawing against the limit before any operator costs a hundred times that."""
        content = drawing.obj.get("/Contents") if isinstance(drawing, pikepdf.Page) else drawing
        for piece in content if isinstance(content, pikepdf.Array) else [content]:
            self.bytes_left -= len(piece.read_bytes()) if isinstance(piece, pikepdf.Stream) else 0
        if self.bytes_left < 0:
            raise PageRefused("drawing-too-complex", f"more than {MAX_DRAWING} bytes")

    def operator(
        self, name: str, operands: list[pikepdf.Object], resources: pikepdf.Object, text: Text, depth: int
    ) -> Text:
        """The text state after one operator."""
        if name not in OPERATORS:
            raise PageRefused("drawing-damaged", f"operator {name[:20]!r}")
        if name == "Tf":
            return replace(text, font=self.font(self.named_font(resources, operands[0]), depth))
        if name == "Tr":
            return replace(text, mode=int(operands[0]))
        if name == "gs":
            return self.state_font(resource(resources, "/ExtGState", operands[0]), text, depth)
        if name in {"Tj", "TJ", "'", '"'}:
            show(operands[-1], text)
        elif name == "Do":
            self.placed(resource(resources, "/XObject", operands[0]), resources, text, depth)
        else:
            self.paint(name, operands, resources, depth)
        return text

    def paint(self, name: str, operands: list[pikepdf.Object], resources: pikepdf.Object, depth: int) -> None:
        """One of the operators that choose a colour, a pattern, a layer or an intent."""
        if name in COLOURS:
            self.palette.check_device_name(COLOURS[name], resources)
        elif name in {"cs", "CS"}:
            self.palette.check(operands[0], resources)
        elif name in {"scn", "SCN"} and operands and isinstance(operands[-1], pikepdf.Name):
            self.pattern(resource(resources, "/Pattern", operands[-1]), resources, depth)
        elif name == "sh":
            self.shading(resource(resources, "/Shading", operands[0]), resources)
        elif name == "ri" and str(operands[0]) not in INTENTS:
            raise PageRefused("graphics-state", f"rendering intent {operands[0]}")
        elif name in {"BDC", "DP"} and len(operands) == 2 and isinstance(operands[1], pikepdf.Name):
            resource(resources, "/Properties", operands[1])

    def placed(self, thing: pikepdf.Object, resources: pikepdf.Object, text: Text, depth: int) -> None:
        """An image or a form."""
        kind = thing.get("/Subtype")
        if kind == pikepdf.Name.Image:
            self.image(thing, resources)
        elif kind == pikepdf.Name.Form and not {"/Ref", "/OPI", "/PS", "/Subtype2"} & set(thing.keys()):
            self.form(thing, resources, text, depth)
        else:
            raise PageRefused("postscript", str(kind))

    def form(self, form: pikepdf.Object | None, inherited: pikepdf.Object, text: Text, depth: int) -> None:
        """A form XObject, once per text state in which it is drawn."""
        if not isinstance(form, pikepdf.Stream) or {"/Ref", "/OPI", "/PS", "/Subtype2"} & set(form.keys()):
            raise PageRefused("postscript", "reference XObject")
        resources = self.own_resources(form, inherited)
        key = (form.objgen, text.mode if text.font is None else id(text.font) * 8 + text.mode)
        if key in self.seen:
            return
        self.seen.add(key)
        self.check_groups(form, resources)
        self.content(form, resources, text, depth + 1)

    def own_resources(self, form: pikepdf.Object, inherited: pikepdf.Object) -> pikepdf.Object:
        """The resources of a form; PDF/A wants them beside it, not those of the page around it (6.2.2).

        Raises PageRefused for a form that would show something else on another page, whose names mean other things.
        """
        if not isinstance(form.get("/Resources"), pikepdf.Dictionary):
            form.Resources = self.lent[form.objgen] = inherited
            if len(inherited.keys()):
                self.changes.add(Change("resources-added"))
        lent = self.lent.get(form.objgen)
        if lent is not None and canonical(lent) != canonical(inherited) and b"/" in form.read_bytes():
            raise PageRefused("resource-missing", "a drawing that borrows from two pages")
        return form.Resources

    def check_groups(self, holder: pikepdf.Object, resources: pikepdf.Object) -> None:
        """The colour space in which a page or form is blended."""
        for space in group_spaces(holder):
            self.palette.check(space, resources)

    def pattern(self, pattern: pikepdf.Object, resources: pikepdf.Object, depth: int) -> None:
        """A tiling pattern is a drawing; a shading pattern holds a shading and perhaps a state."""
        if isinstance(pattern, pikepdf.Stream):
            self.form(pattern, resources, Text(), depth)
        elif isinstance(pattern, pikepdf.Dictionary):
            self.shading(pattern.get("/Shading"), resources)
            if "/ExtGState" in pattern:
                self.state(pattern.ExtGState, depth)

    def shading(self, shading: pikepdf.Object | None, resources: pikepdf.Object) -> None:
        """A gradient."""
        if not isinstance(shading, pikepdf.Dictionary | pikepdf.Stream):
            raise PageRefused("resource-missing", "shading")
        self.palette.check(shading.get("/ColorSpace"), resources)

    def image(self, image: pikepdf.Object, resources: pikepdf.Object) -> None:
        """An image and its masks."""
        filters = image.get("/Filter")
        names = {str(name) for name in (filters if isinstance(filters, pikepdf.Array) else [filters])}
        if names & {"/JPXDecode"} or {"/Alternates", "/OPI"} & set(image.keys()):
            raise PageRefused("image", "JPEG 2000" if "/JPXDecode" in names else "alternates")
        if "/Intent" in image and str(image.Intent) not in INTENTS:
            raise PageRefused("image", f"rendering intent {image.Intent}")
        if not bool(image.get("/ImageMask", False)):
            self.palette.check(image.get("/ColorSpace"), resources)
            if int(image.get("/BitsPerComponent", 8)) not in {1, 2, 4, 8, 16}:
                raise PageRefused("image", "bits per component")
        for name in ("/SMask", "/Mask"):
            if isinstance(image.get(name), pikepdf.Stream):
                self.image(image[name], resources)

    def inline_image(self, image: pikepdf.Object, resources: pikepdf.Object) -> None:
        """An image between the operators."""
        filters = image.get("/Filter", pikepdf.Array())
        names = {str(name) for name in (filters if isinstance(filters, pikepdf.Array) else [filters])}
        if names - INLINE_FILTERS or bool(image.get("/Interpolate", False)):
            raise PageRefused("image", "inline image, smoothed or packed with LZW")
        if not bool(image.get("/ImageMask", False)):
            self.palette.check(image.get("/ColorSpace"), resources)

    def named_font(self, resources: pikepdf.Object, name: pikepdf.Object) -> pikepdf.Object:
        """A font by its name; one that stands within its page becomes an object of its own, to be known again."""
        font = resource(resources, "/Font", name)
        if not font.is_indirect:
            font = resources.Font[str(name)] = self.document.make_indirect(font)
        return font

    def font(self, font: pikepdf.Object, depth: int) -> Shown:
        """A font, known from now on; the glyphs of a Type 3 font are drawings."""
        key = font.objgen if font.is_indirect else id(font)
        if key not in self.fonts:
            self.fonts[key] = Shown(font)
            if font.get("/Subtype") == pikepdf.Name.Type3:
                own = dictionary(font, "/Resources")
                for glyph in dictionary(font, "/CharProcs").values():
                    self.content(glyph, own, Text(), depth + 1)
        return self.fonts[key]

    def states(self, resources: pikepdf.Object, depth: int) -> None:
        """Every graphics state that a drawing may choose."""
        for state in dictionary(resources, "/ExtGState").values():
            self.state(state, depth)

    def state(self, state: pikepdf.Object, depth: int) -> None:
        """A graphics state (6.2.5)."""
        if state.is_indirect:
            if (state.objgen, -1) in self.seen:
                return
            self.seen.add((state.objgen, -1))
        blend, transfer = str(state.get("/BM", "/Normal")), state.get("/TR2", pikepdf.Name.Default)
        if "/TR" in state or transfer != pikepdf.Name.Default or "/HTP" in state or blend not in BLENDS:
            raise PageRefused("graphics-state", f"blend mode {blend}" if blend not in BLENDS else "transfer function")
        halftone = state.get("/HT", pikepdf.Name.Default)
        if halftone != pikepdf.Name.Default or str(state.get("/RI", "/Perceptual")) not in INTENTS:
            raise PageRefused("graphics-state", "halftone or rendering intent")
        self.palette.overprint = self.palette.overprint or state.get("/OPM", 0) == 1
        mask = state.get("/SMask")
        if isinstance(mask, pikepdf.Dictionary):
            self.form(mask.get("/G"), pikepdf.Dictionary(), Text(), depth)

    def state_font(self, state: pikepdf.Object, text: Text, depth: int) -> Text:
        """A graphics state may also choose a font."""
        chosen = state.get("/Font")
        return replace(text, font=self.font(chosen[0], depth)) if chosen is not None else text


def resource(resources: pikepdf.Object, kind: str, name: pikepdf.Object) -> pikepdf.Object:
    """A named resource. Raises PageRefused if it is not there."""
    found = dictionary(resources, kind).get(str(name))
    if found is None:
        raise PageRefused("resource-missing", f"{kind.lstrip('/')} {str(name)[:40]}")
    return found


def show(shown: pikepdf.Object, text: Text) -> None:
    """Note the codes of a string, or of an array of strings and gaps."""
    if text.font is None:
        raise PageRefused("resource-missing", "text without a font")
    strings = [bytes(part) for part in shown if isinstance(part, pikepdf.String)] if isinstance(
        shown, pikepdf.Array) else [bytes(shown)]
    text.font.codes.update(filter(None, strings))
    text.font.visible = text.font.visible or (text.mode != INVISIBLE and any(strings))


def appearances(note: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The drawings of an annotation."""
    for drawn in dictionary(note, "/AP").values() if isinstance(note, pikepdf.Dictionary) else ():
        if isinstance(drawn, pikepdf.Stream):
            yield drawn
        elif isinstance(drawn, pikepdf.Dictionary):
            yield from (one for one in drawn.values() if isinstance(one, pikepdf.Stream))

"""Colours of a PDF/A: the profile they are meant for, and whether each is covered by it (ISO 19005-3, 6.2.3, 6.2.4)."""

from collections.abc import Iterator
from functools import cache

import pikepdf
from PIL import ImageCms

from formats.errors import PageRefused
from formats.pdf.changes import Change
from formats.pdf.document import dictionary, entries

DEVICE = {"/DeviceGray": "GRAY", "/G": "GRAY", "/DeviceRGB": "RGB ", "/RGB": "RGB ", "/DeviceCMYK": "CMYK",
          "/CMYK": "CMYK"}
COMPONENTS = {"GRAY": 1, "RGB ": 3, "Lab ": 3, "CMYK": 4}
CLASSES = {"prtr", "mntr", "scnr", "spac"}
DEEPEST = 8


def icc_space(stream: pikepdf.Object | None) -> str:
    """The colour space of an ICC profile, e.g. "RGB ". Raises PageRefused for what PDF/A does not take."""
    profile = stream.read_bytes() if isinstance(stream, pikepdf.Stream) else b""
    kind, space = profile[12:16].decode("latin-1"), profile[16:20].decode("latin-1")
    if profile[36:40] != b"acsp" or profile[8] > 4 or kind not in CLASSES or space not in COMPONENTS:
        raise PageRefused("colour-profile", f"{kind} {space}".strip())
    if stream is not None and stream.get("/N") != COMPONENTS[space]:
        raise PageRefused("colour-profile", f"{space.strip()}, N = {stream.get('/N')}")
    return space


@cache
def srgb() -> bytes:
    """An sRGB profile as LittleCMS makes it, with its moment of making set to a fixed one."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0)) + made[36:]


def settle_output_intent(document: pikepdf.Pdf) -> tuple[str, list[Change]]:
    """Leave one output intent with a profile, of sRGB where there was none; its colour space, and what was changed."""
    given = [each for each in entries(document.Root, "/OutputIntents") if isinstance(each, pikepdf.Dictionary)]
    fit = [each for each in given if each.get("/S") == pikepdf.Name.GTS_PDFA1 and "/DestOutputProfile" in each]
    fit += [each for each in given if each not in fit and "/DestOutputProfile" in each]
    changes = [Change("output-intent-removed")] if len(given) > 1 or (given and not fit) else []
    if fit:
        kept = fit[0]
        kept.S = pikepdf.Name.GTS_PDFA1
        document.Root.OutputIntents = pikepdf.Array([kept])
        space = icc_space(kept.DestOutputProfile)
        if space == "Lab ":
            raise PageRefused("colour-profile", "Lab")
        return space, changes
    profile = document.make_stream(srgb())
    profile.N = 3
    document.Root.OutputIntents = pikepdf.Array([document.make_indirect(pikepdf.Dictionary(
        Type=pikepdf.Name.OutputIntent, S=pikepdf.Name.GTS_PDFA1, OutputConditionIdentifier="sRGB", Info="sRGB",
        DestOutputProfile=profile))])
    return "RGB ", [*changes, Change("output-intent-added")]


class Palette:
    """The colour spaces of one document, checked one by one against its output profile."""

    def __init__(self, output: str) -> None:
        self.output = output
        self.inks: dict[str, bytes] = {}
        self.profiles: dict[tuple[int, int], str] = {}
        self.cmyk_profile = False
        self.overprint = False

    def check(self, space: pikepdf.Object | None, resources: pikepdf.Object, depth: int = 0) -> None:
        """Refuse a colour space that neither carries a profile nor is covered by one. Raises PageRefused."""
        if depth > DEEPEST:
            raise PageRefused("colour-space", "nested too deep")
        if isinstance(space, pikepdf.Name):
            self.check_name(str(space), resources, depth)
        elif isinstance(space, pikepdf.Array) and len(space):
            self.check_array(list(space), resources, depth)
        else:
            raise PageRefused("colour-space", "unreadable")

    def check_name(self, name: str, resources: pikepdf.Object, depth: int) -> None:
        """A device colour space, a pattern, or the name of a resource, which may be any other (ISO 32000-1, 8.6.8)."""
        given = dictionary(resources, "/ColorSpace").get(name)
        if name in DEVICE and (given is None or name.startswith("/Device")):
            self.check_device(DEVICE[name], resources)
        elif name != "/Pattern":
            if given is None:
                raise PageRefused("resource-missing", f"colour space {name}")
            self.check(given, resources, depth + 1)

    def check_device_name(self, name: str, resources: pikepdf.Object) -> None:
        """The colour space that an operator chooses by itself."""
        self.check_device(DEVICE[name], resources)

    def check_device(self, space: str, resources: pikepdf.Object) -> None:
        """A colour without a profile of its own: the output profile or a default colour space has to be of its kind."""
        default = {"GRAY": "/DefaultGray", "RGB ": "/DefaultRGB", "CMYK": "/DefaultCMYK"}[space]
        instead = dictionary(resources, "/ColorSpace").get(default)
        if isinstance(instead, pikepdf.Array) and len(instead) == 2 and instead[0] == pikepdf.Name.ICCBased:
            self.profile_space(instead[1])
        elif space not in ("GRAY", self.output):
            raise PageRefused("colour-space", f"{space.strip()}, output {self.output.strip()}")

    def check_array(self, parts: list[pikepdf.Object], resources: pikepdf.Object, depth: int) -> None:
        """A colour space with parameters."""
        kind = str(parts[0])
        if kind in DEVICE and len(parts) == 1:
            self.check_device(DEVICE[kind], resources)
        elif kind == "/ICCBased" and len(parts) == 2:
            self.cmyk_profile = self.profile_space(parts[1]) == "CMYK" or self.cmyk_profile
        elif kind in {"/Indexed", "/I"} and len(parts) == 4:
            self.check(parts[1], resources, depth + 1)
        elif kind == "/Pattern" and len(parts) <= 2:
            for base in parts[1:]:
                self.check(base, resources, depth + 1)
        elif kind == "/Separation" and len(parts) == 4:
            meaning = b"".join(canonical(part) for part in parts[2:])
            if self.inks.setdefault(str(parts[1]), meaning) != meaning:
                raise PageRefused("colour-space", f"two meanings of ink {parts[1]}")
            self.check(parts[2], resources, depth + 1)
        elif kind not in {"/CalGray", "/CalRGB", "/Lab"} or len(parts) != 2:
            raise PageRefused("colour-space", kind.lstrip("/"))

    def profile_space(self, stream: pikepdf.Object) -> str:
        """As icc_space; a profile, which pages choose again and again, is read once."""
        if stream.objgen not in self.profiles:
            self.profiles[stream.objgen] = icc_space(stream)
        return self.profiles[stream.objgen]

    def check_overprint(self) -> None:
        """Raises PageRefused where CMYK with a profile may be overprinted (6.2.4.2)."""
        if self.overprint and self.cmyk_profile:
            raise PageRefused("colour-space", "overprint in mode 1 with a CMYK profile")


def canonical(part: pikepdf.Object) -> bytes:
    """Which object a part is: its number, or what it says."""
    return repr(part.objgen).encode() if part.is_indirect else bytes(part.unparse())


def group_spaces(form: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The colour space in which a page or a form is blended."""
    group = dictionary(form, "/Group")
    if "/CS" in group:
        yield group.CS

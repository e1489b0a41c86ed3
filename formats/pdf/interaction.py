"""What in a PDF acts, or shows beside the pages: scripts, actions, annotations, forms, layers.

ISO 19005-3, 6.3 to 6.5 and 6.9. Scripts and actions go: a page looks the same without them.
Annotations and fields stay where they can.
"""

from collections.abc import Iterator

import pikepdf

from formats.errors import PageRefused
from formats.pdf.changes import Change
from formats.pdf.document import dictionary, entries

MAX_NODES = 50_000
ALLOWED_ACTIONS = frozenset({"/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/SubmitForm", "/Named"})
PAGE_TURNS = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
"""The named actions that PDF/A allows."""
_NOTES = ("/Text /Link /FreeText /Line /Square /Circle /Polygon /PolyLine /Highlight /Underline /Squiggly /StrikeOut "
          "/Stamp /Caret /Ink /Popup /FileAttachment /Widget /PrinterMark /TrapNet /Watermark /Redact")
ALLOWED_NOTES = frozenset(_NOTES.split())
INVISIBLE, HIDDEN, PRINT, NO_ZOOM, NO_ROTATE, NO_VIEW, TOGGLE = 1, 2, 4, 8, 16, 32, 256
FORBIDDEN_IN_CATALOG = ("/AA", "/Requirements", "/NeedsRendering")
FORBIDDEN_IN_NAMES = ("/JavaScript", "/AlternatePresentations", "/Renditions")
FORBIDDEN_ON_PAGES = ("/AA", "/PresSteps")


def settle_interaction(document: pikepdf.Pdf) -> Iterator[Change]:
    """Take out what acts, put right what is shown. Raises PageRefused."""
    yield from clean_catalog(document)
    for page in document.pages:
        for key in FORBIDDEN_ON_PAGES:
            if key in page.obj:
                del page.obj[key]
                yield Change("script-removed")
        yield from settle_annotations(page.obj)
    yield from settle_form(document)
    for item in outline_items(document):
        yield from without_actions(item)
    yield from settle_layers(document)


def clean_catalog(document: pikepdf.Pdf) -> Iterator[Change]:
    """Scripts, start actions and what PDF/A has no place for."""
    root = document.Root
    for key in FORBIDDEN_IN_CATALOG:
        if key in root:
            del root[key]
            yield Change("script-removed" if key == "/AA" else "catalog-cleaned", "" if key == "/AA" else key[1:])
    names = dictionary(root, "/Names")
    for key in FORBIDDEN_IN_NAMES:
        if key in names:
            del names[key]
            yield Change("script-removed" if key == "/JavaScript" else "catalog-cleaned",
                         "" if key == "/JavaScript" else key[1:])
    start = root.get("/OpenAction")
    if isinstance(start, pikepdf.Dictionary) and not is_allowed(start, 0):
        del root["/OpenAction"]
        yield Change("script-removed")


def is_allowed(action: pikepdf.Object, depth: int) -> bool:
    """Whether an action and all that follow it are ones that PDF/A allows (6.5.1)."""
    if not isinstance(action, pikepdf.Dictionary) or depth > 20:
        return False
    kind = str(action.get("/S"))
    if kind not in ALLOWED_ACTIONS or (kind == "/Named" and str(action.get("/N")) not in PAGE_TURNS):
        return False
    following = action.get("/Next")
    if following is None:
        return True
    return all(is_allowed(each, depth + 1)
               for each in (following if isinstance(following, pikepdf.Array) else [following]))


def without_actions(holder: pikepdf.Object) -> Iterator[Change]:
    """An annotation, field or outline item without what PDF/A forbids it to do."""
    if "/AA" in holder:
        del holder["/AA"]
        yield Change("script-removed")
    action = holder.get("/A")
    if action is not None and (holder.get("/Subtype") == pikepdf.Name.Widget or not is_allowed(action, 0)):
        del holder["/A"]
        yield Change("script-removed")


def settle_annotations(page: pikepdf.Object) -> Iterator[Change]:
    """The annotations of one page."""
    notes = entries(page, "/Annots")
    if len(notes) > MAX_NODES:
        raise PageRefused("drawing-too-complex", f"{len(notes)} annotations")
    kept = []
    for note in notes:
        if not isinstance(note, pikepdf.Dictionary):
            raise PageRefused("pdf-damaged", "annotation")
        kind, flags = str(note.get("/Subtype")), int(note.get("/F", 0))
        if kind not in ALLOWED_NOTES:
            raise PageRefused("annotation-kind", kind.lstrip("/"))
        if flags & HIDDEN and kind not in {"/Widget", "/FileAttachment"}:  # with the latter a file would go
            yield Change("hidden-annotation-removed", kind.lstrip("/"))
            continue
        kept.append(note)
        yield from without_actions(note)
        if kind != "/Popup":
            yield from settle_flags(note, kind, flags)
            check_appearance(note, kind)
    if len(kept) != len(notes):
        page.Annots = pikepdf.Array(kept)


def settle_flags(note: pikepdf.Object, kind: str, flags: int) -> Iterator[Change]:
    """An annotation is seen and printed (6.3.2)."""
    if flags & (INVISIBLE | HIDDEN | NO_VIEW | TOGGLE):
        raise PageRefused("annotation-hidden", kind.lstrip("/"))
    wanted = flags | PRINT | (NO_ZOOM | NO_ROTATE if kind == "/Text" else 0)
    if wanted != flags:
        note.F = wanted
        yield Change("print-flag-set", kind.lstrip("/"))


def check_appearance(note: pikepdf.Object, kind: str) -> None:
    """An annotation carries its own picture; a link may go without, and so may what has no extent (6.3.3)."""
    drawn = note.get("/AP")
    if isinstance(drawn, pikepdf.Dictionary):
        for key in ("/D", "/R"):
            if key in drawn:
                del drawn[key]
        normal = drawn.get("/N")
        is_button = str(note.get("/FT", dictionary(note, "/Parent").get("/FT"))) == "/Btn" and kind == "/Widget"
        if isinstance(normal, pikepdf.Dictionary if is_button else pikepdf.Stream):
            return
    edges = [float(edge) for edge in entries(note, "/Rect")]
    is_empty = len(edges) == 4 and edges[0] == edges[2] and edges[1] == edges[3]
    if drawn is not None or (kind != "/Link" and not is_empty):
        raise PageRefused("form-appearance" if kind == "/Widget" else "annotation-appearance", kind.lstrip("/"))


def settle_form(document: pikepdf.Pdf) -> Iterator[Change]:
    """A form whose fields are drawn; nothing is to be computed or redrawn when it is opened (6.4.1)."""
    form = document.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    if "/XFA" in form:
        raise PageRefused("form-xfa")
    if bool(form.get("/NeedAppearances", False)):
        form.NeedAppearances = False
        yield Change("form-flag-cleared")
    waiting, count = entries(form, "/Fields"), 0
    while waiting:
        field = waiting.pop()
        count += 1
        if count > MAX_NODES:
            raise PageRefused("drawing-too-complex", "fields")
        if isinstance(field, pikepdf.Dictionary):
            yield from without_actions(field)
            waiting += entries(field, "/Kids")


def outline_items(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """The bookmarks, each once."""
    waiting = [dictionary(document.Root, "/Outlines").get("/First")]
    seen: set[tuple[int, int]] = set()
    while waiting:
        item = waiting.pop()
        if not isinstance(item, pikepdf.Dictionary) or item.objgen in seen:
            continue
        seen.add(item.objgen)
        yield item
        waiting += [item.get("/First"), item.get("/Next")]


def settle_layers(document: pikepdf.Pdf) -> Iterator[Change]:
    """Configurations of layers have names of their own, list every layer or none, and follow no event (6.9)."""
    properties = document.Root.get("/OCProperties")
    if not isinstance(properties, pikepdf.Dictionary):
        return
    usual = properties.get("/D")
    if not isinstance(usual, pikepdf.Dictionary):
        raise PageRefused("optional-content", "no default configuration")
    configurations = [usual, *entries(properties, "/Configs")]
    names: set[str] = set()
    for number, each in enumerate(configurations, start=1):
        if "/AS" in each:
            raise PageRefused("optional-content", "layers that depend on printing or viewing")
        name = str(each.get("/Name", ""))
        if not name or name in names:
            each.Name = name = f"Configuration {number}"
            yield Change("layers-described")
        names.add(name)
        if "/Order" in each:
            del each["/Order"]  # only lists the layers in a reader's side bar
            yield Change("layers-described")

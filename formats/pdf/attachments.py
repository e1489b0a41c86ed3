"""The files inside a PDF: found wherever they may be, unpacked within limits, added, and taken out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pikepdf

from formats.attachment_names import bare, is_invoice_name
from formats.errors import LimitExceeded, NotExtractable
from formats.invoice import Attachment
from formats.pdf.document import BROKEN, catalog, dictionary, entries, pdf_date, reason

MAX_ATTACHMENT = 30_000_000
NAME_KEYS = ("/UF", "/F", "/Unix", "/DOS", "/Mac")
"""Where a file specification has its name, and the file itself (ISO 32000-1, 7.11.3 and 7.11.4), best first."""

MAX_NODES = 10_000
"""Nodes of the name tree, entries of /AF, pages and annotations that are looked at."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file specification with a stream, not decoded yet."""

    name: str
    spec: pikepdf.Object
    stream: pikepdf.Object
    relationship: str | None
    mime: str | None
    in_af: bool


def embedded_files(document: pikepdf.Pdf) -> Iterator[EmbeddedFile]:
    """Every embedded file once: the name tree in its order, what only /AF of the catalog lists, what hangs on pages.

    Raises NotExtractable, LimitExceeded.
    """
    root = catalog(document)
    listed = entries(root, "/AF")
    if len(listed) > MAX_NODES:
        raise LimitExceeded(f"/AF has {len(listed)} entries; at most {MAX_NODES} are read")
    in_af = {spec.objgen for spec in listed if isinstance(spec, pikepdf.Object) and spec.is_indirect}
    tree = dictionary(root, "/Names").get("/EmbeddedFiles")
    found = [*((key, spec, False) for key, spec in name_tree(tree)), *(("", spec, True) for spec in listed)]
    seen: set[tuple[int, int]] = set()
    for key, spec, is_listed in [*found, *(("", spec, False) for spec in on_pages(document))]:
        if not isinstance(spec, pikepdf.Dictionary) or (spec.is_indirect and spec.objgen in seen):
            continue
        seen.add(spec.objgen)
        file = embedded_file(key, spec, in_af=is_listed or spec.objgen in in_af)
        if file is not None:
            yield file


def name_tree(tree: pikepdf.Object | None) -> Iterator[tuple[str, pikepdf.Object]]:
    """(key, value) of a name tree, which may be a graph with loops in a hostile file."""
    waiting, count = [tree], 0
    seen: set[tuple[int, int]] = set()
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, pikepdf.Dictionary) or (node.is_indirect and node.objgen in seen):
            continue
        seen.add(node.objgen)
        pairs, kids = entries(node, "/Names"), entries(node, "/Kids")
        count += len(pairs) // 2 + len(kids)
        if count > MAX_NODES:
            raise LimitExceeded(f"the tree of attachments has over {MAX_NODES} entries")
        yield from ((str(key), value) for key, value in zip(pairs[::2], pairs[1::2], strict=False))
        waiting = [*kids, *waiting]


def on_pages(document: pikepdf.Pdf) -> list[pikepdf.Object]:
    """The files of annotations (FileAttachment) and of /AF of pages; none of pages too broken to be walked."""
    found: list[pikepdf.Object] = []
    looked_at = 0
    try:
        for page in islice(document.pages, MAX_NODES):
            found += entries(page.obj, "/AF")
            annotations = entries(page.obj, "/Annots")
            looked_at += len(annotations)
            if looked_at > MAX_NODES:
                break
            found += [note.FS for note in annotations if is_file_note(note)]
    except BROKEN:
        return found
    return found


def is_file_note(note: pikepdf.Object) -> bool:
    """Whether an annotation carries a file."""
    return (isinstance(note, pikepdf.Dictionary) and note.get("/Subtype") == pikepdf.Name.FileAttachment
            and "/FS" in note)


def embedded_file(key: str, spec: pikepdf.Object, *, in_af: bool) -> EmbeddedFile | None:
    """The file behind a file specification; None if it points to a file outside the PDF."""
    streams = dictionary(spec, "/EF")
    stream = next((streams[name] for name in NAME_KEYS if isinstance(streams.get(name), pikepdf.Stream)), None)
    if stream is None:
        return None
    names = [spec.get(name) for name in NAME_KEYS]
    relationship, subtype = spec.get("/AFRelationship"), stream.get("/Subtype")
    return EmbeddedFile(
        name=next((str(name) for name in names if isinstance(name, pikepdf.String)), key),
        spec=spec,
        stream=stream,
        relationship=str(relationship)[1:] if isinstance(relationship, pikepdf.Name) else None,
        mime=str(subtype)[1:] if isinstance(subtype, pikepdf.Name) else None,
        in_af=in_af,
    )


def decoded(file: EmbeddedFile) -> bytes:
    """The bytes of an attachment. Raises NotExtractable, LimitExceeded."""
    filters = file.stream.get("/Filter")
    names = [str(name) for name in (filters if isinstance(filters, pikepdf.Array) else [filters])]
    if "/LZWDecode" in names or "/LZW" in names:  # qpdf has no memory limit for it
        raise NotExtractable("attachment-lzw", repr(file.name))
    try:
        content = file.stream.read_bytes()
    except pikepdf.PdfError as error:
        if "limit exceeded" in str(error):
            raise LimitExceeded(f"attachment {file.name!r} unpacks to more than {MAX_ATTACHMENT} bytes") from error
        raise NotExtractable("attachment-damaged", f"{file.name!r}: {reason(error)}") from error
    if len(content) > MAX_ATTACHMENT:
        raise LimitExceeded(f"attachment {file.name!r} has {len(content)} bytes; at most {MAX_ATTACHMENT} are read")
    return content


def remove_invoices(document: pikepdf.Pdf) -> list[str]:
    """Take out every invoice that is attached under a known name; the names that went."""
    gone = [str(spec.get("/UF", spec.get("/F", ""))) for spec in entries(document.Root, "/AF") if is_invoice_spec(spec)]
    kept = [spec for spec in entries(document.Root, "/AF") if not is_invoice_spec(spec)]
    document.Root.AF = document.make_indirect(pikepdf.Array(kept))
    for name in list(document.attachments):
        if is_invoice_name(name) or is_invoice_name(document.attachments[name].filename):
            gone.append(name)
            del document.attachments[name]
    return sorted(set(gone))


def replace_on_pages(document: pikepdf.Pdf, name: str) -> list[str]:
    """What hangs on pages as an invoice, by annotation or /AF, becomes the file of this name; the names that went."""
    spec, gone = document.attachments[name].obj, []
    for page in document.pages:
        notes = [note for note in entries(page.obj, "/Annots") if is_file_note(note) and is_invoice_spec(note.FS)]
        listed = entries(page.obj, "/AF")
        gone += [*(note.FS for note in notes), *filter(is_invoice_spec, listed)]
        for note in notes:
            note.FS = spec
        if any(map(is_invoice_spec, listed)):
            page.obj.AF = pikepdf.Array([spec if is_invoice_spec(each) else each for each in listed])
    return [str(each.get("/UF", each.get("/F", ""))) for each in gone]


def is_invoice_spec(spec: pikepdf.Object) -> bool:
    """Whether a file specification is an invoice under a known name."""
    file = embedded_file("", spec, in_af=True) if isinstance(spec, pikepdf.Dictionary) else None
    return file is not None and is_invoice_name(file.name)


def named(attachment: Attachment, number: int, document: pikepdf.Pdf) -> Attachment:
    """An attachment under a file name that is not taken yet."""
    name = bare(attachment.filename) or f"document-{number}"
    if name in document.attachments or is_invoice_name(name):
        name = f"{number}-{name}"
    return Attachment(content=attachment.content, mime_code=attachment.mime_code, filename=name)


def attach(document: pikepdf.Pdf, attachment: Attachment, relationship: pikepdf.Name, made_at: datetime) -> None:
    """Attach a file, in the name tree and in /AF of the catalog (ISO 19005-3, 6.8)."""
    name = attachment.filename or "document"
    spec = pikepdf.AttachedFileSpec(
        document, attachment.content, filename=name, description=name, creation_date="",
        mime_type=attachment.mime_code or "application/octet-stream", mod_date=pdf_date(made_at))
    spec.relationship = relationship
    document.attachments[name] = spec

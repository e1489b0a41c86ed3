"""The PDF around an invoice: what is attached to it, and how an XML gets in.

The only module that opens PDFs. qpdf, which does the work, sets no limits by default; they are set here, for
the whole process, on import. Pages are never decoded or drawn. A PDF from outside still belongs into a
workshop process: a decoder without limits (LZW) may sit in the file's own structure.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pikepdf

from formats import xmp
from formats.attachment_names import FACTURX_NAME, NAMES, bare, is_invoice_name, rank
from formats.errors import CannotWrite, LimitExceeded, NotExtractable, NothingInside
from formats.invoice import Attachment

MAX_PDF = 100_000_000
MAX_ATTACHMENT = 30_000_000
MAX_ATTACHMENTS = 100_000_000
"""All attachments together, decoded."""

MAX_NODES = 10_000
"""Nodes of the name tree and entries of /AF that are looked at."""

DECODER_MEMORY = 50_000_000
"""One stage of one decoder, above MAX_ATTACHMENT so that our own limit speaks first where it can."""

pikepdf.settings.set_qpdf_limits(
    flate_max_memory=DECODER_MEMORY, run_length_max_memory=DECODER_MEMORY, dct_max_memory=DECODER_MEMORY,
    png_max_memory=DECODER_MEMORY, tiff_max_memory=DECODER_MEMORY, dct_max_progressive_scans=100,
    max_stream_filters=4, parser_max_container_size=500_000, doc_max_warnings=50,
)

BROKEN = (pikepdf.PdfError, RuntimeError, ValueError)
"""What qpdf raises at a PDF that is broken: QpdfRuntimeError is a RuntimeError, bad text a ValueError."""

CROSS_INDUSTRY = re.compile(rb"<(\w+:)?CrossIndustry(Invoice|Document)\b")
WITHOUT_LINES = frozenset({"minimum", "basicwl"})
"""Profiles that are no whole invoice: their XML is Data beside the page, not an Alternative to it."""

TOOL = "Passerelle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was found in a PDF."""

    xml: bytes
    """As attached, not parsed."""

    filename: str
    """As written in the PDF. Never use it as a path."""

    relationship: str | None
    """AFRelationship: "Alternative", "Data", "Source" ..., or None."""

    others: tuple[Attachment, ...] = ()
    """All other attachments that could be decoded. Their file names are as written in the PDF."""

    remarks: tuple[str, ...] = ()
    """What is odd about the container, each as `code: text`. Codes: name, several, relationship, not-in-af,
    encrypted, damaged, attachment, active-content."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file specification with a stream, not decoded yet."""

    name: str
    stream: pikepdf.Object
    relationship: str | None
    mime: str | None
    in_af: bool


def extract(pdf: bytes) -> Extraction:
    """The invoice XML of a Factur-X, ZUGFeRD or Order-X PDF, and what else is attached.

    The name decides, letter case aside (see NAMES); without a known name, an attachment that begins as a
    Cross Industry document. With several candidates the best name wins, then the first in the file, and a
    remark says so. Not checked: whether the PDF is PDF/A-3, its XMP, whether page and XML agree.

    Raises:
        NothingInside: a sound PDF without an invoice in it.
        NotExtractable: not a PDF, needs a password, broken beyond reading, or the attachment is.
        LimitExceeded: the PDF, an attachment, all of them or the structure is too big.
    """
    with opened(pdf) as document:
        try:
            return extraction(document)
        except BROKEN as error:
            raise NotExtractable(f"the PDF is broken: {reason(error)}") from error


def extraction(document: pikepdf.Pdf) -> Extraction:
    """The invoice among the attachments of an open PDF. Raises as extract."""
    files = list(embedded_files(document))
    candidates = sorted((file for file in files if is_invoice_name(file.name)), key=lambda file: rank(file.name))
    candidates = candidates or [file for file in files if is_cross_industry(file)]
    if not candidates:
        names = ", ".join(repr(file.name) for file in files[:10])
        raise NothingInside(f"no invoice is attached to the PDF; attachments: {names or 'none'}")
    chosen = candidates[0]
    xml = decoded(chosen)
    budget = MAX_ATTACHMENTS - len(xml)
    others, remarks = [], [*remarks_on(document, chosen), *remarks_on_rivals(candidates)]
    for file in files:
        if file is chosen:
            continue
        try:
            content = decoded(file)
        except NotExtractable as error:
            remarks.append(f"attachment: {error}")
            continue
        budget -= len(content)
        if budget < 0:
            raise LimitExceeded(f"the attachments are over {MAX_ATTACHMENTS} bytes together")
        others.append(Attachment(content=content, mime_code=file.mime, filename=file.name))
    return Extraction(xml=xml, filename=chosen.name, relationship=chosen.relationship, others=tuple(others),
                      remarks=tuple(remarks))


def opened(pdf: bytes) -> pikepdf.Pdf:
    """Open a PDF within the limits. Raises NotExtractable, LimitExceeded."""
    if len(pdf) > MAX_PDF:
        raise LimitExceeded(f"a PDF of {len(pdf)} bytes; at most {MAX_PDF} are read")
    if b"%PDF-" not in pdf[:1024]:
        raise NotExtractable("not a PDF")
    try:
        return pikepdf.open(io.BytesIO(pdf))
    except pikepdf.PasswordError as error:
        raise NotExtractable("the PDF is encrypted and needs a password") from error
    except BROKEN as error:
        raise NotExtractable(f"the PDF is broken: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What qpdf says, without its name for the bytes, which differs from run to run."""
    return re.sub(r"(stream )?<_io\.BytesIO object at 0x[0-9a-f]+>[:,]? ?", "", str(error)).strip()


def embedded_files(document: pikepdf.Pdf) -> Iterator[EmbeddedFile]:
    """Every embedded file once: the name tree in its order, then what only /AF of the catalog lists."""
    root = document.trailer.get("/Root")
    if not isinstance(root, pikepdf.Dictionary):
        raise NotExtractable("the PDF is broken: no catalog")
    names = root.get("/Names")
    tree = names.get("/EmbeddedFiles") if isinstance(names, pikepdf.Dictionary) else None
    listed = entries(root, "/AF")
    if len(listed) > MAX_NODES:
        raise LimitExceeded(f"/AF has {len(listed)} entries; at most {MAX_NODES} are read")
    in_af = {spec.objgen for spec in listed if isinstance(spec, pikepdf.Object) and spec.is_indirect}
    seen: set[tuple[int, int]] = set()
    for key, spec in [*name_tree(tree), *(("", spec) for spec in listed)]:
        if not isinstance(spec, pikepdf.Dictionary) or (spec.is_indirect and spec.objgen in seen):
            continue
        seen.add(spec.objgen)
        file = embedded_file(key, spec, in_af=key == "" or spec.objgen in in_af)
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


def entries(node: pikepdf.Object, key: str) -> list[pikepdf.Object]:
    """The array under a key; empty for anything else."""
    value = node.get(key)
    return list(value) if isinstance(value, pikepdf.Array) else []


def embedded_file(key: str, spec: pikepdf.Object, *, in_af: bool) -> EmbeddedFile | None:
    """The file behind a file specification; None if it points to a file outside the PDF."""
    streams = spec.get("/EF")
    if not isinstance(streams, pikepdf.Dictionary):
        return None
    stream = next((streams[name] for name in ("/UF", "/F") if isinstance(streams.get(name), pikepdf.Stream)), None)
    if stream is None:
        return None
    names = [spec.get(name) for name in ("/UF", "/F", "/Unix", "/DOS", "/Mac")]
    relationship, subtype = spec.get("/AFRelationship"), stream.get("/Subtype")
    return EmbeddedFile(
        name=next((str(name) for name in names if isinstance(name, pikepdf.String)), key),
        stream=stream,
        relationship=str(relationship)[1:] if isinstance(relationship, pikepdf.Name) else None,
        mime=str(subtype)[1:] if isinstance(subtype, pikepdf.Name) else None,
        in_af=in_af,
    )


def is_cross_industry(file: EmbeddedFile) -> bool:
    """Whether an attachment with a name of its own begins as a CII or ZUGFeRD 1 document."""
    if not (bare(file.name).lower().endswith(".xml") or (file.mime or "").endswith("xml")):
        return False
    try:
        return CROSS_INDUSTRY.search(decoded(file)[:4000]) is not None
    except NotExtractable:
        return False


def decoded(file: EmbeddedFile) -> bytes:
    """The bytes of an attachment. Raises NotExtractable, LimitExceeded."""
    filters = file.stream.get("/Filter")
    names = [str(name) for name in (filters if isinstance(filters, pikepdf.Array) else [filters])]
    if "/LZWDecode" in names or "/LZW" in names:
        # qpdf has no memory limit for it, and PDF/A forbids it
        raise NotExtractable(f"attachment {file.name!r} is packed with LZW, which PDF/A forbids")
    try:
        content = file.stream.read_bytes()
    except pikepdf.PdfError as error:
        if "limit exceeded" in str(error):
            raise LimitExceeded(f"attachment {file.name!r} unpacks to more than {MAX_ATTACHMENT} bytes") from error
        raise NotExtractable(f"attachment {file.name!r} cannot be unpacked: {reason(error)}") from error
    if len(content) > MAX_ATTACHMENT:
        raise LimitExceeded(f"attachment {file.name!r} has {len(content)} bytes; at most {MAX_ATTACHMENT} are read")
    return content


def remarks_on(document: pikepdf.Pdf, chosen: EmbeddedFile) -> Iterator[str]:
    """What is odd about the container and the chosen attachment."""
    if chosen.name not in NAMES:
        yield f"name: the invoice is attached as {chosen.name!r}, not as {FACTURX_NAME!r}"
    if chosen.relationship not in {"Data", "Source", "Alternative"}:
        yield f"relationship: AFRelationship is {chosen.relationship or 'absent'}, not Data, Source or Alternative"
    if not chosen.in_af:
        yield f"not-in-af: the catalog's /AF does not list {chosen.name!r}"
    if document.is_encrypted:
        yield "encrypted: the PDF is encrypted with an empty password, which PDF/A forbids"
    if warnings := document.get_warnings():
        yield f"damaged: {reason(Exception(warnings[0]))}"
    if is_active(document):
        yield "active-content: the PDF carries actions or scripts that run when it is opened"


def remarks_on_rivals(candidates: list[EmbeddedFile]) -> Iterator[str]:
    """A word on every further candidate: readers may disagree about which one is the invoice."""
    for rival in candidates[1:]:
        yield f"several: {rival.name!r} is also attached; {candidates[0].name!r} is taken"


def is_active(document: pikepdf.Pdf) -> bool:
    """Whether the catalog starts a script or another program. Pages and fields are not searched."""
    names = document.Root.get("/Names")
    action = document.Root.get("/OpenAction")
    kind = action.get("/S") if isinstance(action, pikepdf.Dictionary) else None
    return (
        (isinstance(names, pikepdf.Dictionary) and "/JavaScript" in names)
        or "/AA" in document.Root
        or (kind is not None and kind != pikepdf.Name.GoTo)
    )


def embed(
    pdf: bytes, xml: bytes, *, profile: str, title: str, author: str, subject: str, made_at: datetime,
    lang: str = "fr", attachments: tuple[Attachment, ...] = (),
) -> bytes:
    """A Factur-X: the PDF/A with this XML attached as factur-x.xml. Same arguments, same bytes.

    An invoice that is attached already is replaced; other attachments stay. Document information and XMP are
    replaced by `title`, `author`, `subject` and `made_at` (aware). `profile` is a word of the machine contract.
    Not checked: that the PDF is the PDF/A it claims to be, that page and XML agree, that the XML is of the profile.

    Raises:
        CannotWrite: the PDF is unreadable, encrypted, signed or does not claim PDF/A-1 to -3; the profile has no
            place in Factur-X; a text holds characters that XML cannot.
    """
    if profile not in xmp.LEVELS:
        raise CannotWrite(f"profile {profile!r} has no place in Factur-X")
    try:
        document = opened(pdf)
    except (NotExtractable, LimitExceeded) as error:
        raise CannotWrite(f"nothing can be attached to the page: {error}") from error
    metadata = xmp.Metadata(title=title, author=author, subject=subject, lang=lang, tool=TOOL, made_at=made_at,
                            filename=FACTURX_NAME, level=xmp.LEVELS[profile])
    relationship = pikepdf.Name.Data if profile in WITHOUT_LINES else pikepdf.Name.Alternative
    with document:
        try:
            return embedded(document, xml, relationship, metadata, attachments)
        except BROKEN as error:
            raise CannotWrite(f"nothing can be attached to the page: {reason(error)}") from error


def embedded(document: pikepdf.Pdf, xml: bytes, relationship: pikepdf.Name, metadata: xmp.Metadata,
             attachments: tuple[Attachment, ...]) -> bytes:
    """Change an open PDF and write it. Raises CannotWrite and what qpdf raises."""
    conformance = writable(document)
    remove_invoices(document)
    invoice = Attachment(content=xml, mime_code="text/xml", filename=FACTURX_NAME)
    attach(document, invoice, relationship, metadata.made_at)
    for number, attachment in enumerate(attachments, start=1):
        attach(document, named(attachment, number, document), pikepdf.Name.Supplement, metadata.made_at)
    describe(document, metadata, conformance)
    target = io.BytesIO()
    document.save(target, deterministic_id=True, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return target.getvalue()


def writable(document: pikepdf.Pdf) -> str:
    """The PDF/A level to claim for a PDF that may be changed. Raises CannotWrite."""
    if document.is_encrypted:
        raise CannotWrite("the PDF is encrypted; PDF/A forbids that, and it cannot become a Factur-X")
    form = document.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    if "/Perms" in document.Root or (isinstance(flags, int) and flags & 1):
        raise CannotWrite("the PDF is signed; attaching the invoice would break the signature")
    metadata = document.Root.get("/Metadata")
    claim = xmp.pdfa_claim(metadata.read_bytes()) if isinstance(metadata, pikepdf.Stream) else None
    if claim is None or claim[0] not in {"1", "2", "3"}:
        raise CannotWrite("the PDF does not say that it is PDF/A-1, -2 or -3; only such a page can become a Factur-X")
    return claim[1] if claim[1] in {"A", "U"} else "B"


def remove_invoices(document: pikepdf.Pdf) -> None:
    """Take out every invoice that is attached under a known name."""
    kept = [spec for spec in entries(document.Root, "/AF") if not is_invoice_spec(spec)]
    document.Root.AF = document.make_indirect(pikepdf.Array(kept))
    for name in list(document.attachments):
        if is_invoice_name(name) or is_invoice_name(document.attachments[name].filename):
            del document.attachments[name]


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


def describe(document: pikepdf.Pdf, metadata: xmp.Metadata, conformance: str) -> None:
    """Replace document information and XMP by one and the same description."""
    stream = document.make_stream(xmp.packet(metadata, conformance))
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    document.Root.Metadata = stream
    document.Root.Lang = metadata.lang
    moment = pdf_date(metadata.made_at)
    document.trailer.Info = document.make_indirect(pikepdf.Dictionary(
        Title=metadata.title, Author=metadata.author, Subject=metadata.subject, Creator=metadata.tool,
        Producer=metadata.tool, CreationDate=moment, ModDate=moment))


def pdf_date(moment: datetime) -> str:
    """A time as PDF writes it, in UTC (ISO 32000-1, 7.9.4)."""
    return f"D:{moment.astimezone(UTC):%Y%m%d%H%M%S}+00'00'"

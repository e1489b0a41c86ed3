"""Hostile PDFs, made here: bombs, loops, links to outside, and invoices that are none."""

import io
import zlib
from collections.abc import Callable
from functools import cache

import pikepdf
from attacks import BUYER, DOCTYPES, ENTITIES, MEGA, Aim, Make

Change = Callable[[pikepdf.Pdf, Aim], None]
NAME = "factur-x.xml"
LATER = "/Metadatb"
"""Stands for /Metadata until the file is saved, since saving reads it; of the same length, so the file stays whole."""


def page(aim: Aim, change: Change | None = None, *, xml: bytes | None = None, name: str = NAME) -> bytes:
    """One empty page with an invoice attached, then changed."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 200))
    attached(document, aim.cii if xml is None else xml, name)
    if change is not None:
        change(document, aim)
    return saved(document)


def saved(document: pikepdf.Pdf) -> bytes:
    """The bytes, with every stream as it is."""
    target = io.BytesIO()
    document.save(target, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                  static_id=True)
    return target.getvalue().replace(LATER.encode(), b"/Metadata")


def attached(document: pikepdf.Pdf, content: bytes, name: str) -> pikepdf.AttachedFileSpec:
    """A file in the name tree and in /AF."""
    spec = pikepdf.AttachedFileSpec(document, content, filename=name, mime_type="text/xml")
    spec.relationship = pikepdf.Name.Alternative
    document.attachments[name] = spec
    return spec


@cache
def squeezed(size: int, times: int = 1) -> bytes:
    """So many blanks, deflated so many times."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b" " * MEGA) for _ in range(size // MEGA)) + packer.flush()
    for _ in range(times - 1):
        packed = zlib.compress(packed, 9)
    return packed


def stream(document: pikepdf.Pdf, content: bytes, *filters: str, **keys: object) -> pikepdf.Object:
    """A stream whose bytes are already packed by these filters."""
    made = pikepdf.Stream(document, b"", **keys)
    made.write(content, filter=pikepdf.Array([pikepdf.Name(name) for name in filters]) if filters else None)
    return document.make_indirect(made)


def packed_invoice(content: Callable[[], bytes], *filters: str) -> Make:
    """The attachment's stream replaced by packed bytes, made when they are needed."""

    def change(document: pikepdf.Pdf, _: Aim) -> None:
        tree = document.Root.Names.EmbeddedFiles.Names
        tree[1].EF.F = tree[1].EF.UF = stream(document, content(), *filters)

    return lambda aim: page(aim, change)


def metadata(content: bytes, *filters: str) -> Change:
    """The XMP packet replaced."""

    def change(document: pikepdf.Pdf, _: Aim) -> None:
        document.Root[LATER] = stream(document, content, *filters, Type=pikepdf.Name.Metadata)

    return change


def contents(content: bytes, *filters: str) -> Change:
    """The page's drawing replaced."""

    def change(document: pikepdf.Pdf, _: Aim) -> None:
        document.pages[0].obj.Contents = stream(document, content, *filters)

    return change


def repeated(document: pikepdf.Pdf, _: Aim) -> None:
    """One drawing of 40 MB, a thousand times."""
    one = stream(document, squeezed(40 * MEGA), "/FlateDecode")
    document.pages[0].obj.Contents = pikepdf.Array([one] * 1000)


def action(kind: str) -> Change:
    """An action at opening that leads to the canary."""

    def change(document: pikepdf.Pdf, aim: Aim) -> None:
        file = pikepdf.String(str(aim.canary.file))
        keys = {"JavaScript": {"/JS": f"app.launchURL('{aim.url}')"}, "Launch": {"/F": file},
                "URI": {"/URI": aim.url}, "SubmitForm": {"/F": aim.url}, "ImportData": {"/F": file},
                "GoToR": {"/F": file, "/D": pikepdf.Array([0])}}[kind]
        document.Root.OpenAction = document.make_indirect(pikepdf.Dictionary({"/S": pikepdf.Name("/" + kind), **keys}))

    return change


def outside_stream(document: pikepdf.Pdf, aim: Aim) -> None:
    """An attachment whose bytes are said to be in a file outside (ISO 32000-1, 7.3.8.2)."""
    tree = document.Root.Names.EmbeddedFiles.Names
    tree[1].EF.F = tree[1].EF.UF = stream(document, b"", F=pikepdf.Dictionary(
        Type=pikepdf.Name.Filespec, F=pikepdf.String(str(aim.canary.file))))


def outside_address(document: pikepdf.Pdf, aim: Aim) -> None:
    tree = document.Root.Names.EmbeddedFiles.Names
    tree[1] = document.make_indirect(pikepdf.Dictionary(
        Type=pikepdf.Name.Filespec, FS=pikepdf.Name.URL, F=pikepdf.String(aim.url), UF=pikepdf.String(NAME)))


def page_loop(document: pikepdf.Pdf, _: Aim) -> None:
    document.Root.Pages.Kids.append(document.Root.Pages)


def parent_loop(document: pikepdf.Pdf, _: Aim) -> None:
    document.Root.Pages.Parent = document.Root.Pages


def name_loop(document: pikepdf.Pdf, _: Aim) -> None:
    tree = document.make_indirect(pikepdf.Dictionary())
    tree.Kids = pikepdf.Array([tree, tree])
    document.Root.Names.EmbeddedFiles = tree


def many_attachments(document: pikepdf.Pdf, _: Aim) -> None:
    one = stream(document, b"x")
    specs = [pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F=f"{i}.txt", EF=pikepdf.Dictionary(F=one))
             for i in range(12_000)]
    document.Root.Names.EmbeddedFiles = pikepdf.Dictionary(Names=pikepdf.Array(
        [part for i, spec in enumerate(specs) for part in (f"{i:06}", spec)]))


def deep_array(document: pikepdf.Pdf, _: Aim) -> None:
    document.Root.Evil = pikepdf.Object.parse(b"[" * 400 + b"]" * 400)


def font_loop(document: pikepdf.Pdf, _: Aim) -> None:
    font = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Font))
    font.DescendantFonts = pikepdf.Array([font])
    document.pages[0].obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    document.pages[0].obj.Contents = stream(document, b"BT /F 1 Tf (x) Tj ET")


def odd_fonts(document: pikepdf.Pdf, _: Aim) -> None:
    document.pages[0].obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(A=pikepdf.Array([]), B=1))


def many_pages(document: pikepdf.Pdf, _: Aim) -> None:
    kid = document.pages[0].obj
    document.Root.Pages.Kids = pikepdf.Array([document.make_indirect(pikepdf.Dictionary(kid)) for _ in range(4_000)])
    document.Root.Pages.Count = 4_000


def encrypted(aim: Aim, user: str) -> bytes:
    with pikepdf.open(io.BytesIO(page(aim))) as document:
        target = io.BytesIO()
        document.save(target, encryption=pikepdf.Encryption(user=user, owner="owner"))
        return target.getvalue()


def packet(prolog: str, name: str) -> bytes:
    """An XMP packet with something before its root."""
    return (f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{prolog}<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="">'
            f'<p:part xmlns:p="http://www.aiim.org/pdfa/ns/id/">{name}</p:part></rdf:Description></rdf:RDF>'
            '</x:xmpmeta><?xpacket end="w"?>').encode()


def spoiled(aim: Aim, old: bytes, new: bytes) -> bytes:
    """The good PDF with some bytes replaced, without mending its table of offsets."""
    good = page(aim)
    assert old in good
    return good.replace(old, new)


BOMBS: dict[str, Make] = {
    "attachment-120m": packed_invoice(lambda: squeezed(120 * MEGA), "/FlateDecode"),
    "attachment-twice": packed_invoice(lambda: squeezed(120 * MEGA, 2), "/FlateDecode", "/FlateDecode"),
    "attachment-40m": packed_invoice(lambda: squeezed(40 * MEGA), "/FlateDecode"),
    "attachment-19m": packed_invoice(lambda: squeezed(19 * MEGA), "/FlateDecode"),
    "run-length": packed_invoice(lambda: b"\x81x" * 2 * MEGA, "/RunLengthDecode"),
    "lzw": packed_invoice(lambda: b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "/LZWDecode"),
    "filters-chained": packed_invoice(lambda: b"00>" * 10, *(["/ASCIIHexDecode"] * 200)),
    "filter-unknown": packed_invoice(lambda: b"x", "/NoSuchDecode"),
    "not-deflated": packed_invoice(lambda: b"not deflated", "/FlateDecode"),
    "deflate-cut": packed_invoice(lambda: zlib.compress(b"<a>" * MEGA)[:-20], "/FlateDecode"),
    "image-as-invoice": packed_invoice(lambda: b"\xff\xd8\xff\xe0" + bytes(100), "/DCTDecode"),
    "metadata-120m": lambda a: page(a, metadata(squeezed(120 * MEGA), "/FlateDecode")),
    "metadata-40m": lambda a: page(a, metadata(squeezed(40 * MEGA), "/FlateDecode")),
    "contents-120m": lambda a: page(a, contents(squeezed(120 * MEGA), "/FlateDecode")),
    "contents-many-operators": lambda a: page(a, contents(zlib.compress(b"q Q\n" * 12 * MEGA, 1), "/FlateDecode")),
    "contents-many-operands": lambda a: page(a, contents(zlib.compress(b"1 " * 20 * MEGA + b"Tj", 1), "/FlateDecode")),
    "contents-repeated": lambda a: page(a, repeated),
    "contents-deep": lambda a: page(a, contents(b"[" * MEGA)),
    "contents-long-name": lambda a: page(a, contents(b"/" + b"x" * MEGA + b" cs")),
    "many-attachments": lambda a: page(a, many_attachments),
    "many-pages": lambda a: page(a, many_pages),
    "siblings-inside": lambda a: page(a, xml=a.cii.replace(BUYER, b"<a/>" * 900_000)),
    "106m": lambda a: page(a) + b"%" * 106 * MEGA,
    "size-2-31": lambda a: spoiled(a, b"/Size ", b"/Size 2147483647 % "),
}

LOOPS: dict[str, Make] = {
    "page-loop": lambda a: page(a, page_loop),
    "parent-loop": lambda a: page(a, parent_loop),
    "name-loop": lambda a: page(a, name_loop),
    "font-loop": lambda a: page(a, font_loop),
    "odd-fonts": lambda a: page(a, odd_fonts),
    "deep-array": lambda a: page(a, deep_array),
    "prev-loop": lambda a: spoiled(a, b"trailer <<", b"trailer << /Prev 9 "),
    "length-loop": lambda a: spoiled(a, b"/Length ", b"/Length 3 0 R % "),
    "no-catalog": lambda a: spoiled(a, b"/Root ", b"/Toor "),
    "no-table": lambda a: spoiled(a, b"startxref", b"startxxxx"),
    "objects-unclosed": lambda a: page(a).replace(b"endobj", b"      "),
    "deep-unclosed": lambda _: b"%PDF-1.7\n1 0 obj\n" + b"[" * 300_000,
    "header-only": lambda _: b"%PDF-1.7\n",
    "header-and-nulls": lambda _: b"%PDF-1.7\n" + bytes(MEGA),
    "page-in-invoice": lambda a: page(a, xml=page(a)),
    "xml-with-mark": lambda a: a.with_prolog("<!-- %PDF-1.7 -->"),
    "mark-late": lambda a: a.with_prolog(f"<!-- {' ' * 1100}%PDF-1.7 -->"),
    "json-with-mark": lambda a: a.with_json(number="%PDF-1.7"),
    "pdf-in-front": lambda a: b"\n" * 900 + page(a),
    "pdf-then-xml": lambda a: page(a) + a.ubl,
}

OUTSIDE: dict[str, Make] = {
    **{f"action-{kind.lower()}": (lambda a, kind=kind: page(a, action(kind)))  # type: ignore[misc]
       for kind in ("JavaScript", "Launch", "URI", "SubmitForm", "GoToR", "ImportData")},
    "stream-in-a-file": lambda a: page(a, outside_stream),
    "attachment-by-address": lambda a: page(a, outside_address),
    "name-climbs": lambda a: page(a, name="../../../../../../.." + str(a.canary.file)),
    "name-is-absolute": lambda a: page(a, name=str(a.canary.file)),
    "name-with-newline": lambda a: page(a, name="factur-x.xml\r\nSet-Cookie: x=y"),
    "two-invoices": lambda a: page(a, lambda d, aim: void(attached(d, aim.cii, "ZUGFeRD-invoice.xml"))),
    "two-of-one-name": lambda a: page(a, lambda d, aim: void(attached(d, aim.cii, "Factur-X.XML"))),
    "entity-inside": lambda a: page(a, xml=ENTITIES["entity-file"](a)),
    "laughs-inside": lambda a: page(a, xml=DOCTYPES["billion-laughs"](a)),
    "nothing-inside": lambda a: page(a, lambda d, _: d.attachments.__delitem__(NAME)),
    "text-inside": lambda a: page(a, xml=b"not XML"),
    "empty-inside": lambda a: page(a, xml=b""),
    "json-inside": lambda a: page(a, xml=a.json),
    "entity-in-metadata": lambda a: page(a, metadata(packet(
        f'<!DOCTYPE x [<!ENTITY x SYSTEM "{a.file}">]>', "&x;"))),
    "laughs-in-metadata": lambda a: page(a, metadata(packet(
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY x "&a;&a;">]>', "&x;"))),
    "encrypted": lambda a: encrypted(a, "secret"),
    "encrypted-without-password": lambda a: encrypted(a, ""),
}

CUTS: dict[str, Make] = {
    f"cut-at-{percent}": (lambda a, percent=percent: page(a)[: len(page(a)) * percent // 100])  # type: ignore[misc]
    for percent in range(4, 100, 12)
}

PDF_ATTACKS = {f"pdf-{name}": make for name, make in {**BOMBS, **LOOPS, **OUTSIDE, **CUTS}.items()}


def void(_: object) -> None:
    """For a change that gives something back."""

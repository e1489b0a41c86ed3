"""The data of a PDF as PDF/A wants it packed, and every object that can be reached (ISO 19005-3, 6.1.7, 6.2.8)."""

import base64
from collections.abc import Iterator

import pikepdf

from formats.errors import PageRefused
from formats.pdf.changes import Change

MAX_OBJECTS = 500_000
MAX_UNPACKED = 50_000_000
FORBIDDEN = frozenset({"/Crypt", "/LZW", "/LZWDecode"})


def settle_streams(document: pikepdf.Pdf) -> Iterator[Change]:
    """Put right what is packed wrongly, and take metadata of parts away. Raises PageRefused."""
    for thing in objects(document):
        if "/Metadata" in thing and thing.objgen != document.Root.objgen and is_packet(thing.Metadata):
            del thing["/Metadata"]
            yield Change("metadata-removed")
        if not isinstance(thing, pikepdf.Stream):
            continue
        if "/F" in thing or "/FFilter" in thing or "/FDecodeParms" in thing:
            raise PageRefused("external-stream")
        if set(filters_of(thing)) & FORBIDDEN:
            repack(thing)
            yield Change("lzw-repacked")
        if thing.get("/Subtype") == pikepdf.Name.Image and bool(thing.get("/Interpolate", False)):
            thing.Interpolate = False
            yield Change("interpolation-removed")


def objects(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Every dictionary and stream that can be reached from the catalog, each once. Raises PageRefused over a limit."""
    waiting: list[pikepdf.Object] = [document.Root]
    seen: set[tuple[int, int]] = set()
    count = 0
    while waiting:
        thing = waiting.pop()
        if thing.is_indirect:
            if thing.objgen in seen:
                continue
            seen.add(thing.objgen)
        count += 1
        if count > MAX_OBJECTS:
            raise PageRefused("pdf-too-big", f"more than {MAX_OBJECTS} objects")
        if isinstance(thing, pikepdf.Array):
            waiting += [each for each in thing if is_container(each)]
        else:
            yield thing
            waiting += [each for each in thing.values() if is_container(each)]


def is_container(value: object) -> bool:
    """Whether a value holds others."""
    return isinstance(value, pikepdf.Dictionary | pikepdf.Stream | pikepdf.Array)


def is_packet(value: pikepdf.Object) -> bool:
    """Whether a value is a metadata stream."""
    return isinstance(value, pikepdf.Stream) and value.get("/Type") == pikepdf.Name.Metadata


def filters_of(stream: pikepdf.Object) -> list[str]:
    """The names of a stream's filters, outermost first."""
    given = stream.get("/Filter")
    return [str(each) for each in (given if isinstance(given, pikepdf.Array) else [given] if given is not None else [])]


def repack(stream: pikepdf.Object) -> None:
    """LZW unpacked within a limit; saving packs it anew. Raises PageRefused for what else stands around it."""
    filters, given = filters_of(stream), stream.get("/DecodeParms", pikepdf.Dictionary())
    settings = given if isinstance(given, pikepdf.Array) else [given]
    last = settings[-1] if len(settings) else None
    predicted = isinstance(last, pikepdf.Dictionary) and int(last.get("/Predictor", 1)) != 1
    if filters[-1] not in {"/LZWDecode", "/LZW"} or predicted:
        raise PageRefused("stream-filter", " ".join(name.lstrip("/") for name in filters))
    packed = stream.read_raw_bytes()
    if filters[:-1] in (["/ASCII85Decode"], ["/A85"]):
        packed = base64.a85decode(packed.strip().removesuffix(b"~>"))
    elif filters[:-1]:
        raise PageRefused("stream-filter", " ".join(name.lstrip("/") for name in filters))
    early = int(last.get("/EarlyChange", 1)) if isinstance(last, pikepdf.Dictionary) else 1
    stream.write(unpack_lzw(packed, early))


def unpack_lzw(packed: bytes, early: int = 1) -> bytes:
    """LZW of PDF (ISO 32000-1, 7.4.4), at most MAX_UNPACKED bytes. Raises PageRefused."""
    table: list[bytes] = []
    result, width, previous, bits, held = bytearray(), 9, b"", 0, 0
    for byte in packed:
        bits, held = (bits << 8) | byte, held + 8
        if held < width:
            continue
        held -= width
        code, bits = bits >> held, bits & ((1 << held) - 1)
        if code == 256:
            table, width, previous = [bytes([value]) for value in range(256)] + [b"", b""], 9, b""
            continue
        if code == 257:
            break
        if not table or code > len(table) or (code == len(table) and not previous):
            raise PageRefused("stream-filter", "broken LZW data")
        text = table[code] if code < len(table) else previous + previous[:1]
        result += text
        if len(result) > MAX_UNPACKED:
            raise PageRefused("pdf-too-big", "LZW data")
        if previous and len(table) < 4096:
            table.append(previous + text[:1])
        previous = text
        width = min(12, max(9, (len(table) + early).bit_length()))
    return bytes(result)

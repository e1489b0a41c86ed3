"""A log as the static files of C2SP tlog-tiles: tiles of 256 hashes, bundles of 256 entries, each made when asked for.

    tile/<L>/<N>[.p/<W>]        hashes of level L: node i of level L is the root of entries [i * 256^L, (i + 1) * 256^L)
    tile/entries/<N>[.p/<W>]    entries, each behind its length (16 bits, big-endian)

N is the number of the tile, in groups of three digits, all but the last one behind an `x`: 1234067 is `x001/x234/067`.
With `.p/W` only the first W of its 256 places, while the log does not fill the tile. Source: c2sp.org/tlog-tiles.
"""

import re

from archive.journal import Rows, subtree_root

PLACES = 256
_PATH = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?")


def tile(rows: Rows, size: int, path: str) -> bytes:
    """The file at a path below the log's prefix, under a checkpoint of `size` entries.

    Raises:
        LookupError: no such file, or not under a checkpoint of this size.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise LookupError(path)
    kind, number, partial = found.groups()
    index, width = int(re.sub("[x/]", "", number)), int(partial or PLACES)
    level = 0 if kind == "entries" else int(kind)
    first = index * PLACES
    if number != name_of(index) or width > PLACES - bool(partial) or (first + width) * PLACES**level > size:
        raise LookupError(path)
    if kind == "entries":
        return b"".join(_framed(rows.get(seq).line) for seq in range(first, first + width))
    span = PLACES**level
    return b"".join(subtree_root(rows, node * span, (node + 1) * span) for node in range(first, first + width))


def name_of(index: int) -> str:
    """The number of a tile as it stands in its path."""
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _framed(line: bytes) -> bytes:
    return len(line).to_bytes(2, "big") + line

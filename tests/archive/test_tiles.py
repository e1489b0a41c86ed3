"""Tiles against the definition of a Merkle tree: a reader who has nothing but the files finds the same root."""

import hashlib

import pytest
from archive_log import grown

from archive.exchange.tiles import name_of, tile
from archive.journal import leaf_hash, root

SIZE = 600


def node(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, over hashes of leaves or of perfect subtrees."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + node(hashes[:half]) + node(hashes[half:])).digest()


def hashes(data: bytes) -> list[bytes]:
    return [data[at:at + 32] for at in range(0, len(data), 32)]


def entries(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2:2 + length])
        data = data[2 + length:]
    return found


def test_a_reader_of_the_files_alone_finds_the_root() -> None:
    rows = grown(SIZE)
    full, last = [tile(rows, SIZE, f"tile/0/{name_of(n)}") for n in (0, 1)], tile(rows, SIZE, "tile/0/002.p/88")
    leaves = [one for part in (*full, last) for one in hashes(part)]
    assert (len(leaves), node(leaves)) == (SIZE, root(rows, SIZE))
    bundles = [tile(rows, SIZE, f"tile/entries/{name}") for name in ("000", "001", "002.p/88")]
    lines = [line for bundle in bundles for line in entries(bundle)]
    assert [leaf_hash(line) for line in lines] == leaves
    assert lines == [row.line for row in rows.rows]
    above = hashes(tile(rows, SIZE, "tile/1/000.p/2"))
    assert above == [node(leaves[:256]), node(leaves[256:512])]
    assert node([*above, node(leaves[512:])]) == root(rows, SIZE)
    assert tile(rows, SIZE, "tile/0/002.p/5") == last[:5 * 32]  # of an older checkpoint


@pytest.mark.parametrize("path", [
    "tile/0/002", "tile/0/002.p/89", "tile/0/002.p/0", "tile/0/000.p/256", "tile/0/003.p/1", "tile/1/000",
    "tile/1/000.p/3", "tile/2/000.p/1", "tile/00/000", "tile/0/0", "tile/0/x000/000", "tile/0/000/", "tile/-1/000",
    "tile/entries/002", "tile/63/000.p/1", "tile/0/../000", "tile/0/000.p/01", "checkpoint", "",
])
def test_what_the_log_has_not_or_not_by_that_name_is_absent(path: str) -> None:
    with pytest.raises(LookupError):
        tile(grown(SIZE), SIZE, path)


def test_nothing_beyond_the_checkpoint_is_served() -> None:
    assert len(tile(grown(SIZE), 300, "tile/0/001.p/44")) == 44 * 32
    with pytest.raises(LookupError):
        tile(grown(SIZE), 300, "tile/0/001.p/45")


@pytest.mark.parametrize(("index", "name"), [(0, "000"), (999, "999"), (1000, "x001/000"),
                                             (1234067, "x001/x234/067"), (67, "067")])
def test_numbers_are_named_as_c2sp_has_it(index: int, name: str) -> None:
    assert name_of(index) == name

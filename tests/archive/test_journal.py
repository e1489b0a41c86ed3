"""The Merkle log against published vectors, a second reading of the RFC, and every way to spoil a row."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from archive_log import CALM, MemoryRows, entry_of, grown
from hypothesis import given
from hypothesis import strategies as st

from archive import journal
from archive.errors import BadEntry, BadProof, JournalDamaged
from archive.journal import Entry, ObjectRef, Row
from archive.store import Digest

LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]
"""The eight entries that certificate-transparency implementations test with."""

ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Their roots for 1 to 8 entries."""

PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MOST = 64


def oracle_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it, over all leaves."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = max(1 << i for i in range(32) if 1 << i < len(leaves))
    return hashlib.sha256(b"\x01" + oracle_root(leaves[:split]) + oracle_root(leaves[split:])).digest()


def oracle_path(seq: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as RFC 6962 section 2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    split = max(1 << i for i in range(32) if 1 << i < len(leaves))
    if seq < split:
        return [*oracle_path(seq, leaves[:split]), oracle_root(leaves[split:])]
    return [*oracle_path(seq - split, leaves[split:]), oracle_root(leaves[:split])]


def oracle_proof(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF as RFC 6962 section 2.1.2 writes it."""
    if old == len(leaves):
        return [] if whole else [oracle_root(leaves)]
    split = max(1 << i for i in range(32) if 1 << i < len(leaves))
    if old <= split:
        return [*oracle_proof(old, leaves[:split], whole=whole), oracle_root(leaves[split:])]
    return [*oracle_proof(old - split, leaves[split:], whole=False), oracle_root(leaves[:split])]


@pytest.fixture(scope="module")
def log() -> MemoryRows:
    return grown(MOST)


def of_lines(lines: list[bytes]) -> MemoryRows:
    """A log of arbitrary lines, as the vectors need it: frontiers follow from the leaves."""
    rows = MemoryRows()
    frontier = b""
    for seq, line in enumerate(lines):
        leaf = journal.leaf_hash(line)
        rows.append(Row(seq, line, leaf, frontier))
        frontier = journal._grown(seq, frontier, leaf)
    return rows


def test_published_vectors_of_roots() -> None:
    rows = of_lines(LEAVES)
    assert journal.root(MemoryRows()).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [journal.root(rows, size).hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("seq", "size"), PATHS)
def test_published_vectors_of_inclusion(seq: int, size: int) -> None:
    rows = of_lines(LEAVES)
    path = journal.inclusion_proof(rows, seq, size)
    assert [step.hex() for step in path] == PATHS[seq, size]
    journal.verify_inclusion(rows.get(seq).leaf, seq, size, path, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_published_vectors_of_consistency(old: int, new: int) -> None:
    path = journal.consistency_proof(of_lines(LEAVES), old, new)
    assert [step.hex() for step in path] == CONSISTENCY[old, new]
    journal.verify_consistency(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), path)


def test_every_inclusion_proof_is_that_of_the_rfc_and_proves_only_its_place(log: MemoryRows) -> None:
    leaves = [row.leaf for row in log.rows]
    for size in range(1, MOST + 1):
        root = journal.root(log, size)
        assert root == oracle_root(leaves[:size])
        for seq in range(size):
            path = journal.inclusion_proof(log, seq, size)
            assert list(path) == oracle_path(seq, leaves[:size])
            journal.verify_inclusion(leaves[seq], seq, size, path, root)
            for wrong in (seq - 1, seq + 1, seq ^ 2):
                with pytest.raises(BadProof):
                    journal.verify_inclusion(leaves[seq], wrong, size, path, root)


def test_every_consistency_proof_is_that_of_the_rfc(log: MemoryRows) -> None:
    leaves = [row.leaf for row in log.rows]
    roots = {size: journal.root(log, size) for size in range(1, MOST + 1)}
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            path = journal.consistency_proof(log, old, new)
            assert list(path) == oracle_proof(old, leaves[:new])
            journal.verify_consistency(old, roots[old], new, roots[new], path)
            for spoilt in (path[1:], path[:-1], (*path, leaves[0])):
                if spoilt != path:
                    with pytest.raises(BadProof):
                        journal.verify_consistency(old, roots[old], new, roots[new], spoilt)


@CALM
@given(st.integers(1, MOST), st.data())
def test_a_changed_proof_proves_nothing(size: int, data: st.DataObject) -> None:
    log = grown(MOST)
    seq = data.draw(st.integers(0, size - 1))
    path = list(journal.inclusion_proof(log, seq, size))
    root = bytearray(journal.root(log, size))
    leaf = bytearray(log.get(seq).leaf)
    victim = data.draw(st.sampled_from([root, leaf, *path]))
    if victim is root or victim is leaf:
        victim[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        path[path.index(victim)] = hashlib.sha256(victim).digest()
    with pytest.raises(BadProof):
        journal.verify_inclusion(bytes(leaf), seq, size, path, bytes(root))


@CALM
@given(st.integers(1, MOST), st.integers(1, MOST), st.integers(0, 255))
def test_a_rewritten_log_is_not_consistent(old: int, new: int, flip: int) -> None:
    if old > new:
        old, new = new, old
    log, other = grown(MOST), grown(MOST, salt="other")
    path = journal.consistency_proof(other, old, new)
    with pytest.raises(BadProof):
        journal.verify_consistency(old, journal.root(log, old), new, journal.root(other, new), path)
    spoilt = bytearray(journal.root(log, new))
    spoilt[flip % 32] ^= 1 << flip // 32
    with pytest.raises(BadProof):
        journal.verify_consistency(
            old, journal.root(log, old), new, bytes(spoilt), journal.consistency_proof(log, old, new)
        )


def test_proofs_of_what_is_not_there(log: MemoryRows) -> None:
    for seq, size in ((0, 0), (-1, 5), (5, 5), (0, MOST + 1)):
        with pytest.raises(BadProof):
            journal.inclusion_proof(log, seq, size)
    for old, new in ((0, 5), (6, 5), (1, MOST + 1)):
        with pytest.raises(BadProof):
            journal.consistency_proof(log, old, new)
    with pytest.raises(BadProof):
        journal.verify_consistency(0, b"", 5, journal.root(log, 5), [])
    with pytest.raises(BadProof):
        journal.verify_consistency(5, journal.root(log, 5), 5, journal.root(log, 4), [])
    with pytest.raises(BadProof):
        journal.verify_consistency(3, journal.root(log, 3), 5, journal.root(log, 5), [])


def test_a_big_log_is_proved_with_few_reads() -> None:
    """O(log n) rows for a proof, one for an append."""
    log = grown(20_000)
    log.reads = 0
    root = journal.root(log)
    path = journal.inclusion_proof(log, 12_345, 20_000)
    assert log.reads < 20
    journal.verify_inclusion(log.get(12_345).leaf, 12_345, 20_000, path, root)
    log.reads = 0
    old = journal.root(log, 7_777)
    steps = journal.consistency_proof(log, 7_777, 20_000)
    assert log.reads < 30
    journal.verify_consistency(7_777, old, 20_000, root, steps)
    log.reads = 0
    journal.append(log, entry_of(0))
    assert log.reads == 1


def test_the_line_is_canonical_and_holds_nothing_else() -> None:
    entry = Entry(
        type="submission.accepted", at=datetime(2026, 11, 21, 23, 0, 0, 42, timezone(timedelta(hours=1))),
        subject="inv-1", actor="key:1", outcome="valid", cause="request:9",
        objects=(ObjectRef("original", Digest("ab" * 32), 7),), version="0.1.0", ruleset="en16931@1f",
    )
    assert entry.line(3) == (
        b'{"actor":"key:1","at":"2026-11-21T22:00:00.000042Z","cause":"request:9","objects":[{"role":"original",'
        b'"sha256":"' + b"ab" * 32 + b'","size":7}],"outcome":"valid","seq":3,'
        b'"soft":{"ruleset":"en16931@1f","version":"0.1.0"},"subject":"inv-1","type":"submission.accepted","v":1}'
    )
    assert journal.read_entry(entry.line(3)) == (3, replace(entry, at=entry.at.astimezone(UTC)))


@pytest.mark.parametrize("text", [
    "Jeanne Martin", "jeanne@exemple.fr", "", " ", "12,50 €", "a\nb", "a" * 201, "-x", "é", "\ud800", "a\n",
])
@pytest.mark.parametrize("field", ["type", "subject", "actor", "outcome"])
def test_only_ids_enter_the_journal(field: str, text: str) -> None:
    with pytest.raises(BadEntry):
        replace(entry_of(1), **{field: text}).line(0)


def test_software_is_named_without_blanks() -> None:
    for field in ("version", "ruleset"):
        with pytest.raises(BadEntry, match="software"):
            replace(entry_of(1), **{field: "made by Jeanne"}).line(0)


def test_a_naive_time_or_a_long_entry_is_refused() -> None:
    with pytest.raises(BadEntry, match="zone"):
        replace(entry_of(1), at=datetime(2026, 1, 1)).line(0)  # noqa: DTZ001 - the naive time is the point
    many = tuple(ObjectRef("part", Digest.of(bytes([i])), i) for i in range(60))
    with pytest.raises(BadEntry, match="at most 4096"):
        replace(entry_of(1), objects=many).line(0)


@pytest.mark.parametrize("spoil", [
    lambda line: line + b"\n",
    lambda line: b" " + line,
    lambda line: line.replace(b'"v":1', b'"v":2'),
    lambda line: line.replace(b'"v":1', b'"v":1,"w":1'),
    lambda line: line.replace(b'"seq":0', b'"seq":0.0'),
    lambda line: line.replace(b'"seq":0', b'"seq":true'),
    lambda line: line.replace(b"Z", b"+00:00"),
    lambda _: b"[]",
    lambda _: b"{}",
    lambda _: b"null",
    lambda _: b"\xff",
    lambda _: b"[" * 100_000,
])
def test_a_line_that_we_did_not_write_is_refused(spoil) -> None:
    with pytest.raises(BadEntry):
        journal.read_entry(spoil(entry_of(1).line(0)))


def test_check_recomputes_a_whole_log(log: MemoryRows) -> None:
    assert journal.check([]) == (0, journal.EMPTY_ROOT)
    assert journal.check(log.rows) == (MOST, journal.root(log))


ATTACKS = {
    "line": lambda rows, i: [*rows[:i], replace(rows[i], line=rows[i].line.replace(b"inv-", b"inw-")), *rows[i + 1:]],
    "line and leaf": lambda rows, i: [
        *rows[:i],
        replace(rows[i], line=(line := rows[i].line.replace(b"inv-", b"inw-")), leaf=journal.leaf_hash(line)),
        *rows[i + 1:],
    ],
    "leaf": lambda rows, i: [*rows[:i], replace(rows[i], leaf=bytes(32)), *rows[i + 1:]],
    "frontier": lambda rows, i: [*rows[:i], replace(rows[i], frontier=rows[i].frontier + bytes(32)), *rows[i + 1:]],
    "dropped": lambda rows, i: [*rows[:i], *rows[i + 1:]],
    "dropped and renumbered": lambda rows, i: [*rows[:i], *(replace(r, seq=r.seq - 1) for r in rows[i + 1:])],
    "doubled": lambda rows, i: [*rows[:i + 1], *rows[i:]],
    "swapped": lambda rows, i: [*rows[:i], rows[i + 1], rows[i], *rows[i + 2:]],
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("at", [0, 1, 7, 30, 62])
def test_check_names_the_first_bad_entry(log: MemoryRows, attack: str, at: int) -> None:
    """A line changed together with its leaf hash shows one entry later, where the frontier no longer fits."""
    with pytest.raises(JournalDamaged) as caught:
        journal.check(ATTACKS[attack](log.rows, at))
    assert caught.value.seq in {at, at + 1}


@pytest.mark.parametrize("line", [b"garbage", entry_of(62).line(61)])
def test_check_reads_the_lines_too(log: MemoryRows, line: bytes) -> None:
    """The last entry made again by somebody who knows how leaves are made, but not where it stood."""
    with pytest.raises(JournalDamaged) as caught:
        journal.check([*log.rows[:-1], replace(log.rows[-1], line=line, leaf=journal.leaf_hash(line))])
    assert caught.value.seq == MOST - 1


def test_a_cut_log_is_whole_but_has_another_root(log: MemoryRows) -> None:
    """Only a checkpoint that somebody else holds shows a cut: then the consistency proof is impossible."""
    size, root = journal.check(log.rows[:-1])
    assert (size, root) == (MOST - 1, journal.root(log, MOST - 1))
    with pytest.raises(BadProof):
        journal.consistency_proof(MemoryRows(log.rows[:-1]), MOST, MOST - 1)

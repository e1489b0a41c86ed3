"""The store keeps every acknowledged byte, hands out no wrong one, and says so when the disk fails."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from archive_log import CALM
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import (
    ArchiveError,
    BadDigest,
    DestructionRefused,
    ObjectDamaged,
    ObjectMissing,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from archive.store import Digest
from archive.stores.directory import DirectoryStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "objects")


def place_of(store: DirectoryStore, digest: Digest) -> Path:
    return store._objects / digest.hex[:2] / digest.hex[2:4] / digest.hex


def spoil(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_what_goes_in_comes_out_under_its_hash(store: DirectoryStore, tmp_path: Path) -> None:
    digest = store.put(b"invoice")
    path = tmp_path / "objects" / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex
    assert path.read_bytes() == b"invoice"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert store.get(digest) == b"invoice"
    assert store.meta(digest).size == 7
    assert store.control(digest).algorithm == "sha256"
    assert list(store.list()) == [digest]
    assert store.count() == 1
    assert list((tmp_path / "objects" / "tmp").iterdir()) == []


def test_the_same_bytes_twice_are_one_object_never_written_again(store: DirectoryStore) -> None:
    digest = store.put(b"invoice")
    before = place_of(store, digest).stat()
    assert store.put(b"invoice", expected=digest) == digest
    after = place_of(store, digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert store.count() == 1


def test_an_announced_hash_is_checked(store: DirectoryStore) -> None:
    with pytest.raises(ObjectDamaged):
        store.put(b"invoice", expected=Digest.of(b"other"))
    assert store.count() == 0


@CALM
@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_object_is_never_handed_out(tmp_path_factory, data: bytes, at: int, flip: int) -> None:
    store = DirectoryStore(tmp_path_factory.mktemp("store"))
    digest = store.put(data)
    spoilt = bytearray(data or b"\x00")
    spoilt[at % len(spoilt)] ^= flip
    spoil(place_of(store, digest), bytes(spoilt))
    for use in (store.get, store.control, lambda d: store.put(data, expected=d)):
        with pytest.raises(ObjectDamaged):
            use(digest)
    assert place_of(store, digest).read_bytes() == spoilt


def test_a_truncated_object_is_damaged(store: DirectoryStore) -> None:
    digest = store.put(b"x" * 3_000_000)
    spoil(place_of(store, digest), b"x" * 2_999_999)
    with pytest.raises(ObjectDamaged):
        store.control(digest)


def test_what_is_absent_is_missing(store: DirectoryStore) -> None:
    for use in (store.get, store.control, store.meta, lambda d: store.destroy(d, reason="expired"),
                lambda d: store.hold(d, standing=True), lambda d: store.keep(d, datetime.now(UTC)), store.heal):
        with pytest.raises(ObjectMissing):
            use(Digest("0" * 64))


def test_destruction_needs_a_reason_and_no_hold(store: DirectoryStore) -> None:
    digest = store.put(b"invoice")
    for reason in ("", "  "):
        with pytest.raises(DestructionRefused):
            store.destroy(digest, reason=reason)
    assert store.count() == 1
    store.hold(digest, standing=True)
    with pytest.raises(DestructionRefused, match="hold"):
        store.destroy(digest, reason="kept for ten years, order 17")
    assert store.count() == 1
    store.hold(digest, standing=False)
    store.destroy(digest, reason="kept for ten years, order 17")
    assert store.count() == 0


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "zz" * 32, "ab" * 33, "../" + "a" * 61, "ab" * 32 + "\n"])
def test_a_digest_is_a_digest(text: str) -> None:
    with pytest.raises(BadDigest):
        Digest(text)


def test_the_list_goes_on_behind_any_digest(store: DirectoryStore) -> None:
    kept = sorted(store.put(b"%d" % number) for number in range(300))
    assert list(store.list()) == kept
    for at, digest in enumerate(kept):
        assert list(store.list(after=digest)) == kept[at + 1:]
    assert list(store.list(after=Digest("f" * 64))) == []


def test_what_was_damaged_is_put_aside_and_mended(store: DirectoryStore, tmp_path: Path) -> None:
    digest = store.put(b"invoice")
    assert store.mend(b"invoice") == digest
    assert not (tmp_path / "objects" / "damaged").exists()
    spoil(place_of(store, digest), b"voice")
    with pytest.raises(ObjectDamaged):
        store.heal(digest)
    assert store.mend(b"invoice") == digest
    assert store.get(digest) == b"invoice"
    assert [path.read_bytes() for path in (tmp_path / "objects" / "damaged").iterdir()] == [b"voice"]


def test_foreign_files_are_not_objects(store: DirectoryStore) -> None:
    digest = store.put(b"invoice")
    (place_of(store, digest).parent / "notes.txt").write_text("x")
    assert list(store.list()) == [digest]


def test_many_writers_of_the_same_objects(store: DirectoryStore) -> None:
    documents = [bytes([i]) * 1000 for i in range(20)]
    troubles: list[BaseException] = []

    def write() -> None:
        try:
            for document in random.sample(documents, len(documents)):
                assert store.get(store.put(document)) == document
        except BaseException as error:  # noqa: BLE001 - a thread's error must reach the test
            troubles.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert sorted(store.list()) == sorted(map(Digest.of, documents))


NAMED = {errno.EIO: StoreUnavailable, errno.ENOSPC: StoreFull, errno.EDQUOT: StoreFull, errno.EROFS: StoreReadOnly}


@pytest.mark.parametrize("code", NAMED)
def test_a_put_that_fails_at_any_system_call_leaves_all_or_nothing(
    store: DirectoryStore, monkeypatch, code: int
) -> None:
    """The disk is replaced at the door of the operating system: the n-th call fails, for every n."""
    real = {name: getattr(os, name) for name in ("fsync", "link", "fchmod", "mkdir", "open")}
    failed = points = 0
    while True:
        left = points
        broken = False

        def disturbed(name: str):
            def call(*arguments, **options):
                nonlocal left, broken
                if left == 0 and not broken:
                    broken = True
                    raise OSError(code, name)
                left -= 1
                return real[name](*arguments, **options)
            return call

        for name in real:
            monkeypatch.setattr(os, name, disturbed(name))
        data = f"invoice {points}".encode()
        try:
            digest = store.put(data)
        except StoreUnavailable as error:
            assert type(error) is NAMED[code]  # noqa: PT017 - the other branch is the end of the loop
            failed += 1
        finally:
            monkeypatch.undo()
        assert all(store.control(known) for known in store.list())
        assert store.get(store.put(data)) == data
        if not broken:
            assert store.get(digest) == data
            break
        points += 1
    assert failed >= 7


WRITER = """
import sys
from pathlib import Path
from archive.stores.directory import DirectoryStore
store = DirectoryStore(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    print(store.put(b"%d " % number * 5000), flush=True)
"""


def test_killed_writers_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    acknowledged: set[Digest] = set()
    for attempt in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(attempt * 100_000)], cwd=ROOT, stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            acknowledged.add(Digest(process.stdout.readline().decode().strip()))
            time.sleep(random.Random(attempt).uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            lines = process.stdout.read().decode().split("\n")[:-1]
            acknowledged.update(map(Digest, lines))
        kept = set(store.list())
        assert acknowledged <= kept
        for digest in kept:
            store.control(digest)
    assert len(acknowledged) > 6


def test_every_error_of_the_store_is_an_archive_error() -> None:
    for kind in (BadDigest, ObjectMissing, ObjectDamaged, DestructionRefused):
        assert issubclass(kind, ArchiveError)
        assert kind.code != ArchiveError.code

"""What every store of objects must hold, whoever keeps the bytes: a directory, S3 with Object Lock, two copies."""

import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
import s3_server

from archive.errors import (
    ArchiveError,
    DestructionRefused,
    ObjectDamaged,
    ObjectMissing,
    StoreUnavailable,
)
from archive.store import Digest, Store
from archive.stores.copies import Copies
from archive.stores.directory import DirectoryStore
from archive.stores.opening import open_store
from archive.stores.s3 import S3Store

INVOICE = Digest.of(b"invoice")
NOW = datetime.now(UTC)
Make = Callable[[], Store]


class Memory:
    """archive.stores.s3.Versions without a database."""

    def __init__(self) -> None:
        self.known: dict[Digest, str] = {}

    def find(self, digest: Digest) -> str | None:
        return self.known.get(digest)

    def remember(self, digest: Digest, version: str) -> None:
        self.known[digest] = version


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    with s3_server.s3() as url:
        yield url


@pytest.fixture
def bucket(s3_url: str) -> str:
    """The address of a store of this test's own."""
    return s3_url.replace("paris", uuid.uuid4().hex)


@pytest.fixture
def versions() -> Memory:
    return Memory()


@pytest.fixture
def on_s3(bucket: str, versions: Memory) -> S3Store:
    return S3Store(bucket, versions, lambda: NOW + timedelta(days=30))


@pytest.fixture(params=["directory", "s3", "copies"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "directory":
        return DirectoryStore(tmp_path / "objects")
    on_s3: S3Store = request.getfixturevalue("on_s3")
    return on_s3 if request.param == "s3" else Copies({"main": DirectoryStore(tmp_path / "main"), "copy": on_s3})


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Copies, Path, Path, list[tuple[str, str]]]:
    """Two directories that are copies of each other, and what was told of copies that failed."""
    told: list[tuple[str, str]] = []
    places = {"main": DirectoryStore(tmp_path / "main"), "copy": DirectoryStore(tmp_path / "copy")}
    return (Copies(places, lambda place, _digest, error: told.append((place, error.code))),
            tmp_path / "main", tmp_path / "copy", told)


def path_of(root: Path, digest: Digest) -> Path:
    return root / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex


def spoil(root: Path, digest: Digest, data: bytes = b"other") -> None:
    path = path_of(root, digest)
    path.chmod(0o644)
    path.write_bytes(data)


def key_of(bucket: str, digest: Digest) -> dict[str, str]:
    prefix = bucket.partition("?")[0].rpartition("/")[2]
    return {"Bucket": "evidence", "Key": f"{prefix}/sha256/{digest.hex[:2]}/{digest.hex[2:4]}/{digest.hex}"}


def test_every_verb(store: Store) -> None:
    assert store.put(b"invoice") == INVOICE
    assert store.put(b"invoice", expected=INVOICE) == INVOICE
    other = store.put(b"x" * 3_000_000)
    assert store.get(INVOICE) == b"invoice"
    assert (store.meta(other).size, store.control(other).size) == (3_000_000, 3_000_000)
    assert store.meta(INVOICE).stored_at.tzinfo is not None
    assert list(store.list()) == sorted([INVOICE, other])
    assert list(store.list(after=min(INVOICE, other))) == [max(INVOICE, other)]
    assert store.count() == 2
    assert store.heal(INVOICE) == ()
    store.keep(INVOICE, NOW + timedelta(days=1))
    store.check_writable()


def test_what_is_absent_is_missing(store: Store) -> None:
    for use in (store.get, store.control, store.meta, store.heal, lambda d: store.destroy(d, reason="expired"),
                lambda d: store.hold(d, standing=True), lambda d: store.keep(d, NOW)):
        with pytest.raises(ObjectMissing):
            use(INVOICE)
    with pytest.raises(ObjectDamaged):
        store.put(b"invoice", expected=Digest.of(b"other"))
    assert store.count() == 0


def test_a_hold_forbids_destruction(store: Store) -> None:
    store.put(b"invoice")
    store.hold(INVOICE, standing=True)
    with pytest.raises(DestructionRefused):
        store.destroy(INVOICE, reason="order 17")
    assert store.get(INVOICE) == b"invoice"
    with pytest.raises(DestructionRefused):
        store.destroy(INVOICE, reason=" ")


class TestObjectLock:
    """What only S3 gives, and what its owner may try."""

    def test_a_lock_is_set_made_longer_and_never_shorter(self, on_s3: S3Store, bucket: str, versions: Memory) -> None:
        on_s3.put(b"invoice")
        client = s3_server.client_of(bucket.partition("endpoint=")[2])
        which = {**key_of(bucket, INVOICE), "VersionId": versions.known[INVOICE]}

        def lock() -> tuple[str, datetime]:
            found = client.head_object(**which)
            return found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]

        assert lock()[0] == "COMPLIANCE"
        assert abs(lock()[1] - NOW - timedelta(days=30)) < timedelta(seconds=1)
        on_s3.keep(INVOICE, NOW + timedelta(days=1))
        assert lock()[1] > NOW + timedelta(days=29)
        on_s3.keep(INVOICE, NOW + timedelta(days=3653))
        assert lock()[1] > NOW + timedelta(days=3652)
        with pytest.raises(DestructionRefused):
            on_s3.destroy(INVOICE, reason="too early")
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.delete_object(**which)
        assert on_s3.get(INVOICE) == b"invoice"

    def test_a_version_put_on_top_or_a_mark_of_deletion_changes_nothing(
        self, on_s3: S3Store, bucket: str, versions: Memory
    ) -> None:
        on_s3.put(b"invoice")
        first = versions.known[INVOICE]
        client = s3_server.client_of(bucket.partition("endpoint=")[2])
        of_nobody = key_of(bucket, INVOICE)
        client.put_object(**{**of_nobody, "Key": of_nobody["Key"].replace(INVOICE.hex, "X" * 64)}, Body=b"")
        assert list(on_s3.list()) == [INVOICE]
        client.put_object(**key_of(bucket, INVOICE), Body=b"forged")
        assert (on_s3.get(INVOICE), on_s3.control(INVOICE).version) == (b"invoice", first)
        client.delete_object(**key_of(bucket, INVOICE))
        assert on_s3.get(INVOICE) == b"invoice"
        versions.known.clear()  # the database of yesterday
        assert on_s3.get(INVOICE) == b"invoice"
        assert on_s3.put(b"invoice") == INVOICE

    def test_what_lies_there_already_is_looked_at_and_not_overwritten(
        self, on_s3: S3Store, bucket: str, versions: Memory
    ) -> None:
        client = s3_server.client_of(bucket.partition("endpoint=")[2])
        client.put_object(**key_of(bucket, INVOICE), Body=b"forged")
        with pytest.raises(ObjectDamaged):
            on_s3.put(b"invoice")
        assert client.get_object(**key_of(bucket, INVOICE))["Body"].read() == b"forged"
        on_s3.mend(b"invoice")
        assert on_s3.get(INVOICE) == b"invoice"
        assert versions.known[INVOICE] == on_s3.meta(INVOICE).version

    def test_after_its_lock_an_object_goes(self, bucket: str, versions: Memory) -> None:
        brief = S3Store(bucket, versions, lambda: datetime.now(UTC) + timedelta(seconds=4))
        brief.put(b"invoice")
        with pytest.raises(DestructionRefused):
            brief.destroy(INVOICE, reason="order 17")
        client = s3_server.client_of(bucket.partition("endpoint=")[2])
        until = client.head_object(**key_of(bucket, INVOICE))["ObjectLockRetainUntilDate"]
        time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.01)
        brief.destroy(INVOICE, reason="order 17")
        with pytest.raises(ObjectMissing):
            brief.get(INVOICE)

    def test_a_bucket_without_lock_and_a_server_that_is_not_there_are_refused(self, s3_url: str) -> None:
        endpoint = s3_url.partition("endpoint=")[2]
        s3_server.client_of(endpoint).create_bucket(Bucket="plain")
        for url in (f"s3://plain?endpoint={endpoint}", f"s3://absent?endpoint={endpoint}", "gs://elsewhere"):
            with pytest.raises(StoreUnavailable):
                open_store(url, Memory(), lambda: NOW)

    def test_a_file_address_is_a_folder(self, tmp_path: Path) -> None:
        assert open_store(f"file://{tmp_path}/a%20b", Memory(), lambda: NOW).count() == 0
        assert (tmp_path / "a b" / "sha256").is_dir()


class TestCopies:
    """One good copy is enough."""

    @pytest.mark.parametrize("bad", ["main", "copy"])
    @pytest.mark.parametrize("how", ["spoilt", "gone"])
    def test_it_is_read_and_healed_from_the_good_one(self, pair, bad: str, how: str) -> None:
        store, main, copy, told = pair
        store.put(b"invoice")
        root = main if bad == "main" else copy
        spoil(root, INVOICE) if how == "spoilt" else path_of(root, INVOICE).unlink()
        assert store.get(INVOICE) == b"invoice"
        assert [place for place, _ in told] == (["main"] if bad == "main" else [])
        with pytest.raises((ObjectDamaged, ObjectMissing)):
            store.control(INVOICE)
        assert store.heal(INVOICE) == (bad,)
        assert store.heal(INVOICE) == ()
        assert path_of(main, INVOICE).read_bytes() == path_of(copy, INVOICE).read_bytes() == b"invoice"

    def test_two_bad_copies_are_not_healed(self, pair) -> None:
        store, main, copy, _ = pair
        store.put(b"invoice")
        spoil(main, INVOICE)
        spoil(copy, INVOICE, b"another")
        for use in (store.get, store.control, store.heal):
            with pytest.raises(ObjectDamaged):
                use(INVOICE)
        assert (path_of(main, INVOICE).read_bytes(), path_of(copy, INVOICE).read_bytes()) == (b"other", b"another")

    def test_a_second_place_that_fails_costs_nothing_and_catches_up(self, pair) -> None:
        store, _, copy, told = pair
        copy.rename(copy.with_name("away"))
        store.put(b"invoice")
        assert [place for place, _ in told] == ["copy"]
        copy.with_name("away").rename(copy)
        assert store.heal(INVOICE) == ("copy",)
        assert path_of(copy, INVOICE).read_bytes() == b"invoice"

    def test_a_first_place_that_fails_acknowledges_nothing(self, pair) -> None:
        store, main, copy, _ = pair
        main.rename(main.with_name("away"))
        with pytest.raises(ArchiveError):
            store.put(b"invoice")
        assert not path_of(copy, INVOICE).exists()

    def test_both_are_destroyed_and_a_refusal_can_be_repeated(self, pair) -> None:
        store, main, copy, _ = pair
        store.put(b"invoice")
        (copy / "holds").mkdir()
        (copy / "holds" / INVOICE.hex).touch()
        with pytest.raises(DestructionRefused):
            store.destroy(INVOICE, reason="order 17")
        (copy / "holds" / INVOICE.hex).unlink()
        store.destroy(INVOICE, reason="order 17")
        assert (path_of(main, INVOICE).exists(), path_of(copy, INVOICE).exists()) == (False, False)

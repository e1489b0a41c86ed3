"""A tenant leaves and arrives elsewhere with the same roots, rows and objects; and what goes wrong on the way."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rewriting import TENANT, Clock, House, build
from sqlalchemy import select

from archive.seal import public_pem
from gateway.deps import Deps
from gateway.dossiers.restitution import (
    LEFT_OUT,
    LIST,
    RestitutionFailed,
    hand_out,
    roots_of,
    tables,
    take_in,
    verify_restitution,
)
from gateway.evidence.trust import check_everything
from gateway.tables import Base, Tenant
from gateway.tables_access import User
from gateway.tables_channels import Channel

INVOICES = 4
OTHER = "00000000-0000-4000-8000-00000000ffff"


@pytest.fixture(scope="module")
def handed(tmp_path_factory) -> tuple[House, Path]:
    """A gateway with four invoices, and their restitution."""
    folder = tmp_path_factory.mktemp("restitution")
    house = build(folder / "old", INVOICES, every=2)
    with house.deps() as deps:
        list(hand_out(deps, TENANT, folder / "out"))
    return house, folder / "out"


def rows_of(deps: Deps) -> dict[str, list]:
    with deps.db.reading("*") as session:
        return {table.name: session.execute(select(table).order_by(*table.primary_key.columns)).all()
                for table in tables()}


def test_nothing_differs_after_the_way_out_and_in(handed: tuple[House, Path], tmp_path: Path) -> None:
    old, out = handed
    new = House(tmp_path / "new", Clock(), b"", ())
    with old.deps() as before, new.deps() as after:
        Base.metadata.create_all(after.db.engine)
        list(take_in(after, out))
        assert rows_of(after) == rows_of(before)
        with before.db.reading("*") as here, after.db.reading("*") as there:
            assert roots_of(there, TENANT) == roots_of(here, TENANT) != {}
        assert set(after.store.list()) >= {digest for digest in before.store.list()
                                           if (out / "objects" / digest.hex[:2] / digest.hex).exists()}
        assert check_everything(after).faults == ()  # the former house's keys are kept beside ours
        with pytest.raises(RestitutionFailed, match="here already"):
            list(take_in(after, out))
    assert (tmp_path / "new" / "data" / "keys" / "former" / f"{TENANT}-log-pub.pem").is_file()


def test_interrupted_it_goes_on(handed: tuple[House, Path], tmp_path: Path) -> None:
    old, out = handed
    shutil.copytree(out, tmp_path / "again")
    victims = sorted((tmp_path / "again" / "objects").glob("??/*"))[:3]
    for path in victims:
        path.unlink()
    (tmp_path / "again" / "SHA256SUMS").unlink()
    with pytest.raises(RestitutionFailed):
        verify_restitution(tmp_path / "again")
    with old.deps() as deps:
        list(hand_out(deps, TENANT, tmp_path / "again"))
    assert verify_restitution(tmp_path / "again") == verify_restitution(out)


@pytest.mark.parametrize("victim", ["tables/journal.jsonl", "restitution.json", "objects", "SHA256SUMS", "extra"])
def test_what_was_altered_is_not_taken_in(handed: tuple[House, Path], tmp_path: Path, victim: str) -> None:
    _, out = handed
    shutil.copytree(out, tmp_path / "out")
    path = tmp_path / "out" / victim
    if victim == "objects":
        path = next(path.glob("??/*"))
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b" ")
    new = House(tmp_path / "new", Clock(), b"", ())
    with new.deps() as deps:
        Base.metadata.create_all(deps.db.engine)
        with pytest.raises(RestitutionFailed, match=path.name):
            list(take_in(deps, tmp_path / "out"))
        assert not rows_of(deps)["tenants"]


def signed_anew(out: Path, folder: Path, changes: Mapping[str, Callable[[bytes], bytes]]) -> Path:
    """A copy of a restitution with some files changed, and signed by whoever changed them."""
    shutil.copytree(out, folder)
    key = Ed25519PrivateKey.generate()
    for name, change in {**changes, "seal-pub.pem": lambda _: public_pem(key.public_key())}.items():
        (folder / name).write_bytes(change((folder / name).read_bytes()))
    (folder / LIST).write_text("".join(
        f"{hashlib.sha256((folder / line[66:]).read_bytes()).hexdigest()}  {line[66:]}\n"
        for line in (out / LIST).read_text().splitlines()))
    (folder / f"{LIST}.sig").write_bytes(key.sign((folder / LIST).read_bytes()))
    return folder


def of_another(rows: bytes) -> bytes:
    return rows.replace(TENANT.encode(), OTHER.encode())


@pytest.mark.parametrize(("changes", "named"), [
    ({"tables/submissions.jsonl": of_another}, "submissions: row 1 is not of tenant"),
    ({"tables/tenants.jsonl": of_another}, "tenants: row 1 is not of tenant"),
    ({"restitution.json": lambda told: told.replace(TENANT.encode(), f"../../{TENANT}".encode())}, "is no tenant"),
    ({"restitution.json": lambda told: told.replace(TENANT.encode(), f"{OTHER}-{TENANT}".encode())}, "is no tenant"),
    ({"tables/tenants.jsonl": lambda rows: rows.replace(b'"name"', b'"nom"')}, "tenants: row 1"),
], ids=["row", "tenant", "path", "prefix", "column"])
def test_nothing_comes_in_for_another_tenant(
    handed: tuple[House, Path], tmp_path: Path, changes: Mapping[str, Callable[[bytes], bytes]], named: str,
) -> None:
    """The folder of a tenant that leaves another house was in its hands: its signature says nothing of its rows."""
    folder = signed_anew(handed[1], tmp_path / "out", changes)
    with House(tmp_path / "new", Clock(), b"", ()).deps() as deps:
        Base.metadata.create_all(deps.db.engine)
        with deps.db.transaction(OTHER) as session:
            session.add(Tenant(id=OTHER, name="Voisin", created_at=deps.now()))
        with pytest.raises(RestitutionFailed, match=named):
            list(take_in(deps, folder))
        assert [row.id for row in rows_of(deps)["tenants"]] == [OTHER]
    assert not list((tmp_path / "new").rglob("*log-pub.pem"))


def test_secrets_are_not_taken_in(handed: tuple[House, Path], tmp_path: Path) -> None:
    house = handed[0]
    shutil.copytree(house.folder, tmp_path / "old")
    old = replace(house, folder=tmp_path / "old")
    with old.deps() as deps:
        with deps.db.transaction(TENANT) as session:
            session.add(User(tenant_id=TENANT, id="u", email="a@b.example", name="A", password_hash="$known",
                             roles=["officer"], created_at=deps.now(), disabled_at=None))
            session.add(Channel(tenant_id=TENANT, id="c", name="Comptoir", service="Slack", url=b"sealed elsewhere",
                                to_clients=False, rules=[], cursor=0, created_at=deps.now(), disabled_at=None,
                                removed_at=None, trouble=None))
        list(hand_out(deps, TENANT, tmp_path / "handed"))
    folder = signed_anew(tmp_path / "handed", tmp_path / "out", {
        "tables/users.jsonl": lambda rows: rows.replace(b'"password_hash": "!"', b'"password_hash": "$known"')})
    with House(tmp_path / "new", Clock(), b"", ()).deps() as deps:
        Base.metadata.create_all(deps.db.engine)
        list(take_in(deps, folder))
        rows = rows_of(deps)
    assert ([row.password_hash for row in rows["users"]], [row.url for row in rows["channels"]]) == (["!"], [b""])


def test_half_an_object_is_written_again(handed: tuple[House, Path], tmp_path: Path) -> None:
    old, out = handed
    shutil.copytree(out, tmp_path / "again")
    victim = next((tmp_path / "again" / "objects").glob("??/*"))
    victim.write_bytes(victim.read_bytes()[:7])
    with old.deps() as deps:
        list(hand_out(deps, TENANT, tmp_path / "again"))
    assert verify_restitution(tmp_path / "again") == verify_restitution(out)


def test_every_table_is_decided_upon() -> None:
    names = {table.name for table in Base.metadata.sorted_tables}
    assert names >= LEFT_OUT
    assert {table.name for table in tables()} | LEFT_OUT >= {
        table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.c}

"""A tenant leaves and arrives elsewhere with the same roots, rows and objects; and what goes wrong on the way."""

import shutil
from pathlib import Path

import pytest
from rewriting import TENANT, Clock, House, build
from sqlalchemy import select

from gateway.deps import Deps
from gateway.dossiers.restitution import (
    LEFT_OUT,
    RestitutionFailed,
    hand_out,
    roots_of,
    tables,
    take_in,
    verify_restitution,
)
from gateway.evidence.trust import check_everything
from gateway.tables import Base

INVOICES = 4


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


def test_every_table_is_decided_upon() -> None:
    names = {table.name for table in Base.metadata.sorted_tables}
    assert names >= LEFT_OUT
    assert {table.name for table in tables()} | LEFT_OUT >= {
        table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.c}

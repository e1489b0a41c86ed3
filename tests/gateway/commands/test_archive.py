"""`passerelle archive …` from its arguments to its exit code, on a gateway that was set up."""

import uuid
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway import cli
from gateway.assembly import assembled
from gateway.commands import archive
from gateway.db import EVERY_TENANT
from gateway.evidence.ledger import Kept, log_of
from gateway.evidence.sealing import seal_due
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Seal, Tenant

TENANT = ["--tenant", "Atelier"]


@pytest.fixture
def log(tmp_path: Path, monkeypatch) -> str:
    """A sealed journal of the gateway that the commands find; its name."""
    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    with assembled(Settings()) as deps:
        tenant, kept = str(uuid.uuid4()), Kept("original", deps.store.put(b"invoice").hex, 7)
        with deps.db.transaction(tenant) as session:
            session.add(Tenant(id=tenant, name="Atelier", created_at=deps.now()))
            record(session, tenant, Change(kind="setting", code="looked", actor="key:test", objects=(kept,)),
                   now=deps.now())
        seal_due(deps)
        return log_of(deps.now())


def test_a_checkpoint_is_printed_and_checked_and_the_close_of_the_year_set(log: str, tmp_path: Path, capsys) -> None:
    assert archive.main(["checkpoint", *TENANT, "--log", log]) == 0
    note = tmp_path / "kept.txt"
    note.write_text(capsys.readouterr().out)
    assert archive.main(["check", *TENANT, str(note)]) == 0
    assert "conforme" in capsys.readouterr().out
    note.write_text(note.read_text().replace("\n1\n", "\n9\n"))
    assert archive.main(["check", *TENANT, str(note)]) == 1
    assert "bad-checkpoint" in capsys.readouterr().err
    assert archive.main(["check", *TENANT, str(tmp_path / "absent")]) == 2
    assert archive.main(["checkpoint", "--tenant", "Personne"]) == 2
    capsys.readouterr()
    assert archive.main(["year", *TENANT, "--close", "06-30"]) == 0
    assert capsys.readouterr().out == "06-30\n"
    assert archive.main(["year", *TENANT, "--close", "13-40"]) == 1


def test_a_hash_is_renewed_before_it_falls(log: str, monkeypatch, capsys) -> None:
    assert archive.main(["standing", *TENANT]) == 0
    assert "certificate" in capsys.readouterr().out
    fallen = date(date.today().year - 1, 1, 1)  # noqa: DTZ011 - the commands run by the wall clock
    monkeypatch.setenv("PASSERELLE_ALGORITHM_ENDS", f'{{"sha256": "{fallen}"}}')
    assert archive.main(["standing", *TENANT]) == 1
    said = capsys.readouterr().out
    assert f"TO DO: renewal-due sha256:{log} {fallen}" in said
    assert "new entries still rest on it" in said
    assert archive.main(["renew-hash", *TENANT, "--log", log]) == 0
    assert "sha512" in capsys.readouterr().out


def test_a_log_that_is_not_there_is_neither_renewed_nor_begun(log: str, capsys) -> None:
    assert archive.main(["renew-hash", *TENANT, "--log", "1999"]) == 1
    assert "not-found" in capsys.readouterr().err
    with assembled(Settings()) as deps, deps.db.reading(EVERY_TENANT) as session:
        assert set(session.scalars(select(Seal.log))) == {log}


@pytest.mark.parametrize("argv", [
    ["archive", "standing"], ["key", "create", "--name", "x", "--scope", "validate"], ["serve"], ["migrate"]])
def test_a_database_that_is_away_is_said(monkeypatch, capsys, argv: list[str]) -> None:
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert cli.main(argv) == 2
    assert "passerelle: " in capsys.readouterr().err

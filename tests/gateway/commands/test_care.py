"""A backup is whole, private and taken while the service runs; a restored gateway doubles nothing."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.stores.directory import DirectoryStore
from gateway import outbox
from gateway.alarms.house import BACKED_UP
from gateway.commands import care
from gateway.db import EVERY_TENANT, Database
from gateway.deps import Deps
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything
from gateway.outgoing.deliver import deliver
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Event, Submission
from gateway.worker import relay

HANDLERS = {"deliver": deliver, "remind": lambda *_: None}


@pytest.fixture
def queued(deps: Deps, make_invoice) -> Submission:
    """An accepted invoice that waits, with a sealed journal entry."""
    sha256 = deps.store.put(b"<Invoice/>").hex
    row = make_invoice(transmission="queued", flow_id=None, sha256=sha256, sent_sha256=sha256)
    with deps.db.transaction(row.tenant_id) as session:
        record(session, row.tenant_id, Change(kind="submission", code="accepted", actor="key:test",
                                              submission_id=row.id), now=deps.now())
        outbox.put(session, row.tenant_id, "deliver", row.id, now=deps.now())
    seal_due(deps)
    return row


def settings_at(monkeypatch, data: Path, objects: Path) -> Settings:
    monkeypatch.setenv("PASSERELLE_DATA", str(data))
    monkeypatch.setenv("PASSERELLE_OBJECTS_URL", f"file:{objects}")
    return Settings()


@pytest.mark.usefixtures("platform")
@pytest.mark.sqlite
def test_what_was_sent_after_the_backup_is_not_sent_again(
    deps: Deps, platform, queued: Submission, tmp_path: Path, monkeypatch
) -> None:
    settings_at(monkeypatch, deps.settings.data, tmp_path / "objects")
    kept = tmp_path / "kept.tar"
    assert care.main(["backup", str(kept)]) == 0
    relay(deps, HANDLERS)
    assert len(platform.outgoing(queued.id)) == 1

    settings = settings_at(monkeypatch, tmp_path / "new", tmp_path / "new-objects")
    assert care.main(["restore", str(kept)]) == 0
    db = Database(settings.database)
    restored = replace(deps, settings=settings, db=db, store=DirectoryStore(tmp_path / "new-objects"))
    relay(restored, HANDLERS)
    with db.reading(queued.tenant_id) as session:
        row = session.get_one(Submission, (queued.tenant_id, queued.id))
    assert (row.transmission, len(platform.outgoing(queued.id))) == ("deposited", 1)
    assert check_everything(restored).faults == ()
    db.close()


@pytest.mark.sqlite
def test_a_backup_is_private_and_never_half_written(deps: Deps, queued, tmp_path: Path, monkeypatch) -> None:  # noqa: ARG001  something to keep
    settings_at(monkeypatch, deps.settings.data, tmp_path / "objects")
    kept = tmp_path / "kept.tar"
    kept.write_bytes(b"yesterday's")
    kept.chmod(0o644)
    assert care.main(["backup", str(kept)]) == 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))
    with deps.db.reading(EVERY_TENANT) as session:
        told = session.scalars(select(Event).where(Event.code == BACKED_UP)).one()
    assert told.data == {"size": kept.stat().st_size}
    assert check_everything(deps).faults == ()


def test_there_must_be_something_to_back_up(tmp_path: Path, monkeypatch, capsys) -> None:
    settings_at(monkeypatch, tmp_path / "nowhere", tmp_path / "objects")
    assert care.main(["backup", str(tmp_path / "kept.tar")]) == 2
    assert "n'existe pas" in capsys.readouterr().err
    assert not (tmp_path / "kept.tar").exists()


@pytest.mark.sqlite
def test_nothing_is_restored_over_something(deps: Deps, queued, tmp_path: Path, monkeypatch) -> None:  # noqa: ARG001  something to keep
    settings_at(monkeypatch, deps.settings.data, tmp_path / "objects")
    assert care.main(["backup", str(tmp_path / "kept.tar")]) == 0
    assert care.main(["restore", str(tmp_path / "kept.tar")]) == 1
    settings_at(monkeypatch, tmp_path / "new", tmp_path / "new-objects")
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{deps.settings.data / 'passerelle.sqlite3'}")
    assert care.main(["restore", str(tmp_path / "kept.tar")]) == 1
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}")
    assert care.main(["restore", str(tmp_path / "kept.tar")]) == 0
    assert (tmp_path / "elsewhere.sqlite3").is_file()

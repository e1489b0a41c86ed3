"""A backup of PostgreSQL is whole, and a restored gateway is verified."""

from dataclasses import replace
from pathlib import Path

import pytest
import servers
from sqlalchemy import select

from archive.stores.directory import DirectoryStore
from gateway.commands import care
from gateway.db import Database
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Event


@pytest.mark.usefixtures("postgres")
def test_what_was_kept_comes_back(deps: Deps, tenant: str, postgres: str, tmp_path: Path, monkeypatch) -> None:
    kept = Kept("original", deps.store.put(b"<Invoice/>").hex, 10)
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="submission", code="accepted", actor="key:test", objects=(kept,)),
               now=deps.now())
    seal_due(deps)
    for name, value in (("DATA", deps.settings.data), ("OBJECTS_URL", f"file:{tmp_path / 'objects'}"),
                        ("DATABASE_URL", postgres)):
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    assert care.main(["backup", str(tmp_path / "kept.tar")]) == 0
    assert care.main(["restore", str(tmp_path / "kept.tar")]) == 1  # nothing is restored over something
    with servers.copied(postgres.rpartition("/")[0] + "/template1") as empty:
        for name, value in (("DATA", tmp_path / "new"), ("OBJECTS_URL", f"file:{tmp_path / 'new-objects'}"),
                            ("DATABASE_URL", empty)):
            monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
        assert care.main(["restore", str(tmp_path / "kept.tar")]) == 0
        settings = Settings()
        restored = replace(deps, settings=settings, db=Database(settings.database),
                           store=DirectoryStore(tmp_path / "new-objects"))
        with restored.db.reading(tenant) as session:
            assert {event.code for event in session.scalars(select(Event))} >= {"accepted", "sealed"}
        checked = check_everything(restored)
        assert (checked.faults, checked.seals) == ((), 1)
        restored.db.close()

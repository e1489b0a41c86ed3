"""Regular work over all tenants: what goes wrong with the data of one keeps no other from its turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gateway.alarms import causes
from gateway.db import EVERY_TENANT, Database
from gateway.deps import Deps
from gateway.evidence import renewing, sealing, watch
from gateway.keeping import erasure, holds, retention
from gateway.lifecycle import deadlines
from gateway.reminders import overdue
from gateway.tables import Tenant

WORK = {"retention": retention.count_due, "erase": erasure.erase_old, "alarms": causes.watch,
        "duties": deadlines.tell_deadlines, "late-cases": overdue.tell_late, "watch": watch.watch,
        "seal": sealing.seal_due, "renew-hash": renewing.renew_due, "holds": holds.tell_new}


class Trouble(Exception):
    """What only the data of one tenant meet."""


@pytest.mark.parametrize("name", WORK)
def test_one_tenants_trouble_keeps_no_other_from_its_turn(
    deps: Deps, tenant: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with deps.db.transaction(EVERY_TENANT) as session:
        session.add_all([Tenant(id=one, name=one, created_at=deps.now()) for one in ("!before", "~after")])
    turns: list[str] = []

    def owned(really: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def opened(self: Database, tenant_id: str, *kind: str) -> Iterator[Session]:
            turns.append(tenant_id)
            if tenant_id == "!before":
                raise Trouble
            with really(self, tenant_id, *kind) as session:
                yield session
        return opened

    monkeypatch.setattr(Database, "_owned", owned(Database._owned))
    with pytest.raises(Trouble):
        WORK[name](deps)
    assert turns.index("!before") < turns.index(tenant) < turns.index("~after")

"""An invoice that waits to be sent."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import outbox
from gateway.deps import Deps
from gateway.tables import Submission

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def queued(deps: Deps, make_invoice) -> Callable[..., Submission]:
    """An accepted invoice that waits to be sent."""

    def make(number: str = "F-1", **changes) -> Submission:
        sha256 = deps.store.put(f"<Invoice>{number}</Invoice>".encode()).hex
        row = make_invoice(number=number, transmission="queued", flow_id=None, sha256=sha256, sent_sha256=sha256,
                           **changes)
        with deps.db.transaction(row.tenant_id) as session:
            outbox.put(session, row.tenant_id, "deliver", row.id, now=deps.now())
        return row

    return make

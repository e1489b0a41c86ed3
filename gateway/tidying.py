"""What the machinery no longer needs goes: answered idempotency keys, finished work of the outbox, fetched exports.

Only the memory of machines. Invoices, events, the journal and kept objects follow the law's retention and are none of
this. Work that waits, that a person must decide or that a person gave up stays, and so does finished work about the
same subject as work that waits. A key that is gone may come again: the identity of an invoice, of a payment and of a
status does not rest on it.
"""

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select, tuple_

from gateway.db import EVERY_TENANT, change_rows
from gateway.deps import Deps
from gateway.dossiers.periods import remove_old
from gateway.tables import OutboxEntry
from gateway.tables_access import IdempotencyKey

BATCH = 1000
"""Rows of one transaction, so that nobody waits long for it."""

UNRESOLVED = ("pending", "parked")

log = structlog.get_logger()


def tidy(deps: Deps) -> None:
    """Regular work: forget what is older than the settings say."""
    keys, work, exports = forget_keys(deps), forget_work(deps), remove_old(deps)
    if keys or work or exports:
        log.info("tidied", keys=keys, work=work, exports=exports)


def forget_keys(deps: Deps) -> int:
    """Idempotency keys whose request began more than `keep_keys_days` ago; returns how many went."""
    before = deps.now() - timedelta(days=deps.settings.keep_keys_days)
    return _forget(deps, IdempotencyKey, IdempotencyKey.started_at < before)


def forget_work(deps: Deps) -> int:
    """Entries that are done and were last due more than `keep_work_days` ago; returns how many went."""
    before = deps.now() - timedelta(days=deps.settings.keep_work_days)
    needed = select(OutboxEntry.tenant_id, OutboxEntry.subject_id).where(OutboxEntry.state.in_(UNRESOLVED))
    return _forget(deps, OutboxEntry, OutboxEntry.state == "done", OutboxEntry.due_at < before,
                   tuple_(OutboxEntry.tenant_id, OutboxEntry.subject_id).not_in(needed))


def _forget(deps: Deps, table: type[IdempotencyKey | OutboxEntry], *old: ColumnElement[bool]) -> int:
    """Delete the rows like this, batch by batch; returns how many there were."""
    key = table.__mapper__.primary_key
    batch = select(*key).where(*old).limit(BATCH)
    gone = 0
    while True:
        with deps.db.transaction(EVERY_TENANT) as session:
            count = change_rows(session, delete(table).where(tuple_(*key).in_(batch))
                                .execution_options(synchronize_session=False))
        gone += count
        if count < BATCH:
            return gone

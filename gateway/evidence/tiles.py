"""The log of a tenant as a reader of C2SP tlog-tiles wants it: all under its newest checkpoint, nothing beyond."""

from archive.exchange.tiles import tile
from gateway.deps import Deps
from gateway.evidence.checkpoints import newest
from gateway.evidence.ledger import LogRows
from gateway.problems import not_found


def tile_of(deps: Deps, tenant_id: str, log: str, path: str) -> bytes:
    """A tile or a bundle of entries of one log. Raises Problem 404, also before the first checkpoint."""
    with deps.db.reading(tenant_id) as session:
        seal = newest(session, tenant_id, log)
        if seal is None:
            raise not_found()
        try:
            return tile(LogRows(session, tenant_id, log), seal.size, f"tile/{path}")
        except LookupError as error:
            raise not_found() from error

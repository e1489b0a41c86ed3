"""Fetching the document of an incoming flow: the bytes are kept before anybody reads them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from gateway import circuits, outbox
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.outbox import MOST_ATTEMPTS, Entry, Park, RetryLater
from gateway.platforms.port import Platform, PlatformError, Precondition, Rejected
from gateway.tables import PlatformConnection, SeenFlow
from gateway.vault import VaultError

DOC_TYPES = ("Original", "Converted")
"""What is asked for, in this order, where the connection does not say."""


def handle_fetch(deps: Deps, entry: Entry) -> None:
    """Handle one `fetch` entry: payload {connection_id, flow_id, tracking_id}; safe to run again.

    Raises:
        RetryLater: the platform cannot be reached or is left alone, or its credentials have to be mended first.
        Park: the platform has no document for this flow.
    """
    with deps.db.reading(entry.tenant_id) as session:
        connection = session.get(PlatformConnection, (entry.tenant_id, entry.payload["connection_id"]))
        if connection is None:
            raise Park("no such connection")
        if _flow(session, entry).sha256 is not None:
            return
    try:
        platform = open_connection(deps, connection)
        circuits.admit_work(deps, connection, circuits.FLOWS)
        document = fetch(platform, entry.payload["flow_id"], connection.config.get("documents") or DOC_TYPES)
    except Rejected as error:
        _trouble(deps, entry, "parked", str(error))
        raise Park(str(error)) from error
    except (PlatformError, VaultError) as error:
        _trouble(deps, entry, "parked" if entry.attempts >= MOST_ATTEMPTS else "new", str(error))
        raise RetryLater(str(error)) from error
    circuits.succeeded(deps, connection, circuits.FLOWS)  # a failure may be this document's alone: nobody waits for it
    _keep(deps, entry, document)


def fetch(platform: Platform, flow_id: str, doc_types: Sequence[str] = DOC_TYPES) -> bytes:
    """The first kind of document that there is. Raises what was said of the first kind when there is none.

    One that wants something set up at the platform (Precondition) does not keep the others from being asked for.
    """
    first: Rejected | Precondition | None = None
    for doc_type in doc_types:
        try:
            return platform.fetch(flow_id, doc_type)
        except (Rejected, Precondition) as error:
            first = first or error
    raise first or Rejected("EMPTY_DOCUMENT", f"flow {flow_id} has no document")


def _keep(deps: Deps, entry: Entry, document: bytes) -> None:
    sha256 = deps.store.put(document).hex
    with deps.db.transaction(entry.tenant_id) as session:
        flow = _flow(session, entry)
        if flow.sha256 is None:
            flow.sha256, flow.cause = sha256, None
            payload: dict[str, Any] = {**entry.payload, "sha256": sha256}
            outbox.put(session, entry.tenant_id, "status", entry.subject_id, now=deps.now(), payload=payload)


def _trouble(deps: Deps, entry: Entry, state: str, cause: str) -> None:
    with deps.db.transaction(entry.tenant_id) as session:
        flow = _flow(session, entry)
        flow.state, flow.cause = state, cause


def _flow(session: Session, entry: Entry) -> SeenFlow:
    return session.get_one(SeenFlow, {"tenant_id": entry.tenant_id, "id": entry.payload["flow_id"],
                                      "connection_id": entry.payload["connection_id"]})

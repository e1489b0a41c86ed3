"""Asking every platform for news. Callbacks only make it sooner; this is how nothing is missed.

A walk starts a while before the watermark, since flows may appear late with past dates, and goes by cursor or by
date, as the driver does it. The watermark is the platform's time; it moves to the last flow of a walk that came to its
end, never past a flow that could not be stored, and never past our own present: a flow that is dated ahead hides none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from archive.errors import ArchiveError
from gateway import circuits
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.incoming.flows import INCOMPLETE, LOOK_AGAIN, is_news, known_flows, remember, remember_unreadable
from gateway.incoming.subscribe import subscribe
from gateway.outbox import Entry
from gateway.platforms.port import FlowState, Platform, PlatformError, Rejected, Unavailable, UnreadableFlow
from gateway.tables import PlatformConnection, SeenFlow
from gateway.turns import for_each_tenant
from gateway.vault import VaultError

log = structlog.get_logger()

HINTED_OVERLAP = timedelta(seconds=10)
"""Of a walk that a callback asked for: it only brings news sooner, the regular ones miss nothing."""

OVERLAP = timedelta(minutes=15)
DEEP_OVERLAP = timedelta(hours=12)
"""Of the first walk in every hour: a row that came later than the overlap is found then."""

FIRST_LOOK = timedelta(days=30)
"""How far back a connection that was never polled looks."""

MOST_PAGES = 2000
JUST_BEFORE = timedelta(milliseconds=1)
LOOK_AGAIN_AT_MOST = 50

TOGETHER = 20
"""How many flows are stored in one transaction. It keeps others of the tenant waiting."""

NOT_STORED = (SQLAlchemyError, ArchiveError, OSError, ValueError)


def poll_all(deps: Deps) -> None:
    """Ask every enabled connection of every tenant. Trouble with one is kept in it and stops no other."""
    enabled = select(PlatformConnection).where(PlatformConnection.enabled.is_(True))

    def ask(deps: Deps, tenant_id: str) -> None:
        with deps.db.reading(tenant_id) as session:
            connections = session.scalars(enabled.order_by(PlatformConnection.id)).all()
        for connection in connections:
            poll(deps, connection)

    for_each_tenant(deps, ask, enabled.with_only_columns(PlatformConnection.tenant_id).distinct())


def handle_poll(deps: Deps, entry: Entry) -> None:
    """Handle one `poll` entry (subject: the connection), put by a callback. Trouble waits for the next regular poll."""
    with deps.db.reading(entry.tenant_id) as session:
        connection = session.get(PlatformConnection, (entry.tenant_id, entry.subject_id))
    if connection is not None and connection.enabled:
        poll(deps, connection, hinted=True)


def poll(deps: Deps, connection: PlatformConnection, *, hinted: bool = False) -> None:
    """Walk once from the watermark to the end, storing every flow; not while the platform is left alone.

    `hinted`: a callback asked for it, so that it need not go back far.
    """
    walk = Walk(_not_ahead(deps, connection.watermark))
    trouble = None
    try:
        platform = open_connection(deps, connection)
        if circuits.admit(deps, connection, circuits.FLOWS) is not None:
            return
        with circuits.watched(deps, connection, circuits.FLOWS):
            back = HINTED_OVERLAP if hinted else overlap(connection.polled_at, deps.now())
            _walk(deps, connection, platform, walk, back)
            _look_again(deps, connection, platform)
        _subscribe(deps, connection, platform)
    except (PlatformError, VaultError) as error:
        trouble = str(error)
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id), with_for_update=True)
        if not hinted:
            row.polled_at = deps.now()
        row.trouble = trouble or walk.trouble
        known = [mark for mark in (walk.watermark, row.watermark) if mark is not None]
        row.watermark = _not_ahead(deps, max(known, default=None))


def _subscribe(deps: Deps, connection: PlatformConnection, platform: Platform) -> None:
    """Webhooks only make news come sooner: that there are none yet is no trouble of what works without them."""
    try:
        subscribe(deps, connection, platform)
    except Unavailable as error:
        log.warning("webhook not registered", connection=connection.id, error=str(error))


def _not_ahead(deps: Deps, mark: datetime | None) -> datetime | None:
    return min(mark, deps.now()) if mark is not None else None


def overlap(polled_at: datetime | None, now: datetime) -> timedelta:
    """How far before the watermark a walk starts: the first of every hour goes deeper, to find rows that came late."""
    same_hour = polled_at is not None and polled_at.strftime("%F %H") == now.strftime("%F %H")
    return OVERLAP if same_hour else DEEP_OVERLAP


class Walk:
    """How far one walk came."""

    def __init__(self, start: datetime | None) -> None:
        self.start = start
        self.latest = start
        self.ended = False
        self.unstored: list[FlowState] = []
        self.unreadable: list[UnreadableFlow] = []

    @property
    def watermark(self) -> datetime | None:
        """The time that is certainly behind us: nothing unstored before it."""
        if not self.ended or self.latest is None:
            return self.start
        gaps = [flow.gap_at for flow in self.unreadable if flow.gap_at is not None]
        return min([self.latest, *(at - JUST_BEFORE for at in (*gaps, *(flow.updated_at for flow in self.unstored)))])

    @property
    def trouble(self) -> str | None:
        """What to show when flows could not be stored, or not even read."""
        told = [f"unstored {flow.flow_id}" for flow in self.unstored]
        told += [f"unreadable {flow.flow_id or '(no id)'} : {flow.problem}" for flow in self.unreadable]
        return f"{INCOMPLETE} : {len(told)} flux : {' ; '.join(told[:5])}" if told else None


def _walk(deps: Deps, connection: PlatformConnection, platform: Platform, walk: Walk, back: timedelta) -> None:
    """Every page to the end. Raises PlatformError; what was stored by then stays stored."""
    since = (walk.start or deps.now() - FIRST_LOOK) - back
    cursor: str | None = None
    served: set[str] = set()
    for _ in range(MOST_PAGES):
        page = platform.flows_since(since, cursor)
        _store(deps, connection, page.flows, walk)
        for unreadable in page.unreadable:
            walk.unreadable.append(unreadable)
            remember_unreadable(deps, connection, unreadable)
        if page.next_cursor is None:
            walk.ended = True
            return
        if page.next_cursor in served:
            raise Unavailable("CURSOR_LOOP", "the platform repeats a page that it gave before")
        served.add(page.next_cursor)
        cursor = page.next_cursor
    raise Unavailable("TOO_MANY_PAGES", f"no end after {MOST_PAGES} pages")


def _store(deps: Deps, connection: PlatformConnection, flows: Sequence[FlowState], walk: Walk) -> None:
    """Remember the flows of a page, some together; one that cannot be stored keeps no other from it."""
    with deps.db.reading(connection.tenant_id) as session:
        known = known_flows(session, connection.id, (flow.flow_id for flow in flows))
    if flows:
        latest = max(flow.updated_at for flow in flows)
        walk.latest = latest if walk.latest is None else max(walk.latest, latest)
    news = [flow for flow in flows if is_news(flow, known.get(flow.flow_id))]
    for start in range(0, len(news), TOGETHER):
        some = news[start:start + TOGETHER]
        try:
            remember(deps, connection, *some)
        except NOT_STORED:
            walk.unstored += [flow for flow in some if not _is_stored(deps, connection, flow)]


def _is_stored(deps: Deps, connection: PlatformConnection, flow: FlowState) -> bool:
    """Remember one flow alone; whether that was possible."""
    try:
        remember(deps, connection, flow)
    except NOT_STORED as error:
        log.warning("flow not stored", connection=connection.id, flow=flow.flow_id, error=repr(error))
        return False
    return True


def _look_again(deps: Deps, connection: PlatformConnection, platform: Platform) -> None:
    """Read the state of flows that were listed before we knew they are ours; one that is not shown stops no other."""
    with deps.db.reading(connection.tenant_id) as session:
        flow_ids = session.scalars(
            select(SeenFlow.id).where(SeenFlow.connection_id == connection.id, SeenFlow.state == "new",
                                      SeenFlow.cause == LOOK_AGAIN).limit(LOOK_AGAIN_AT_MOST)
        ).all()
    for flow_id in flow_ids:
        try:
            flow = platform.get_flow(flow_id)
        except Rejected as error:
            _set_aside(deps, connection, flow_id, error)
        else:
            remember(deps, connection, flow)


def _set_aside(deps: Deps, connection: PlatformConnection, flow_id: str, error: Rejected) -> None:
    """It is not asked for any more; its next listing is news all the same."""
    with deps.db.transaction(connection.tenant_id) as session:
        key = {"tenant_id": connection.tenant_id, "id": flow_id, "connection_id": connection.id}
        session.get_one(SeenFlow, key).cause = f"not-shown : {error}"

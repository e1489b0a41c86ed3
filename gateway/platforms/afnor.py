"""Driver for platforms that speak XP Z12-013: flow service and directory service, 1.1 to 1.3.

Paths, fields and limits are those of the 1.3.0 descriptions; answers of older versions are accepted.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from gateway.platforms.answers import (
    Malformed,
    read_flow,
    read_flows,
    read_object,
    read_receipt,
    read_results,
    read_webhook,
)
from gateway.platforms.connection import ConnectionSettings
from gateway.platforms.crowds import read_crowd
from gateway.platforms.directory import AfnorDirectory
from gateway.platforms.link import Effect, Link
from gateway.platforms.lookup import flows_of
from gateway.platforms.port import (
    DirectoryLine,
    DirectoryReply,
    Flow,
    FlowPage,
    FlowState,
    PlatformError,
    Precondition,
    Receipt,
    Rejected,
    Unavailable,
    Unknown,
    UnreadableFlow,
)

PAGE = 100
"""The largest `limit` of a search."""

SMALLEST_FULL_PAGE = 25
"""The default limit. A platform that ignores ours, offers no cursor and states no limit may stop here."""

DATE_CURSOR = "after:"
"""Marks a cursor of ours that continues a search by date."""

THE_BEGINNING = "1970-01-01T00:00:00.000Z"
"""Where a search that names no time begins."""

MAX_PAGES = 50
"""Bound of the loop that looks for one thing."""

ALREADY_THERE = frozenset({"AlreadyExistingFlow", "ALREADY_EXISTING_FLOW", "DUPLICATE_RESOURCE"})
"""Synchronous answers that say the platform has this document already (seen beside a bare 409)."""

T = TypeVar("T")


class AfnorPlatform:
    """A `Platform` over XP Z12-013. Holds a connection pool and a token; safe to use from several threads."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._link = Link(settings)
        self._flows = settings.flow_url.rstrip("/") + "/v1"
        self._directory = AfnorDirectory(self._link, settings.directory_url)
        self._settings = settings
        self._paging = settings.paging
        self._max_document_bytes = settings.max_document_bytes

    def close(self) -> None:
        """Close the connections."""
        self._link.close()

    def send(self, document: bytes, tracking_id: str, flow: Flow) -> Receipt:
        """Deposit once; the fingerprint goes along. Never repeats by itself, except after a refused token.

        A platform that answers "already there" is asked for the tracking id: if that flow is ours, its receipt is
        given; if not, another flow carries the same invoice and Rejected says AlreadyExistingFlow.
        """
        info = {"trackingId": tracking_id, "name": flow.name[:255], "processingRule": flow.processing_rule,
                "flowSyntax": flow.syntax, "sha256": hashlib.sha256(document).hexdigest()}
        if flow.profile is not None:
            info["flowProfile"] = flow.profile
        info = {name: value for name, value in info.items() if name not in self._settings.omitted_fields}
        files = {**described(info, self._settings.multipart),
                 self._settings.file_part: (flow.name[:255], document, flow.media_type)}
        try:
            answer = self._link.call("POST", f"{self._flows}/flows", effect=Effect.DEPOSIT, files=files)
        except Rejected as error:
            if error.code not in ALREADY_THERE and not _answered(error, 409):
                raise
            return self._receipt_of(tracking_id, error)
        return _understood(lambda: read_receipt(answer.body), Unknown)

    def find_flow(self, tracking_id: str) -> FlowState | None:
        """The outgoing flow with this tracking id, or None if the platform certainly has none.

        Where several have it, the first that is not in error. A platform may list a deposit late: leave it time
        after a lost answer before you believe None. Raises Unknown when the platform does not filter by
        tracking id and its list is too long to be read to the end.
        """
        if self._settings.lookup == "query":
            return _best(flows_of(self._link, f"{self._flows}/flows", tracking_id))
        where = {"trackingId": tracking_id, "flowDirection": ["Out"]}
        cursor: str | None = None
        found: list[FlowState] = []
        for _ in range(MAX_PAGES):
            page = self._search(where, cursor)
            if any(flow.gap_at is not None for flow in page.unreadable):
                raise Unknown("SEARCH_STUCK", "the platform's list cannot be read to the end")
            found += [flow for flow in page.flows if flow.tracking_id == tracking_id]
            cursor = page.next_cursor
            if cursor is None or found:
                return _best(found)
        raise Unknown("SEARCH_UNFILTERED", f"no end after {MAX_PAGES} pages in search of {tracking_id}")

    def flows_since(self, updated_after: datetime, cursor: str | None = None,
                    *, flow_types: Sequence[str] = (), direction: str | None = None) -> FlowPage:
        """Flows updated strictly after this time, by date within the page.

        Repeat with `next_cursor` and the same criteria until it is None. A flow that changes meanwhile comes again:
        tell them by (flow_id, updated_at). Rows may appear late with past dates: overlapping is the caller's
        business.
        """
        where: dict[str, object] = {"updatedAfter": _wire_time(updated_after)}
        if flow_types:
            where["flowType"] = list(flow_types)
        if direction is not None:
            where["flowDirection"] = [direction]
        return self._search(where, cursor)

    def get_flow(self, flow_id: str) -> FlowState:
        """One flow's metadata."""
        answer = self._link.call("GET", self._flow_address(flow_id), params={"docType": "Metadata"})
        return _understood(lambda: read_flow(read_object(answer.body)), Unavailable)

    def fetch(self, flow_id: str, doc_type: str = "Original") -> bytes:
        """The document of a flow: Original, Converted or ReadableView. Rejected when there is none."""
        answer = self._link.call("GET", self._flow_address(flow_id), params={"docType": doc_type},
                                 max_bytes=self._max_document_bytes)
        if not answer.body:
            raise Rejected("EMPTY_DOCUMENT", f"flow {flow_id} has no {doc_type}")
        return answer.body

    def directory_lines(self, siren: str) -> tuple[DirectoryLine, ...]:
        """All addressing lines of a SIREN; empty when the directory knows none."""
        lines = self._directory.ask(siren, unit=False).lines
        return tuple({line.addressing_identifier: line for line in lines}.values())

    def ask_directory(self, siren: str) -> DirectoryReply:
        """What the directory says about a SIREN, with its answers as they came."""
        return self._directory.ask(siren)

    def register_webhook(self, callback_url: str) -> tuple[str, bytes]:
        """(webhook id, signing key) of a new webhook for every incoming flow. Two calls make two webhooks."""
        shape = self._settings.webhook_shape
        if shape == "none":
            raise Precondition("NO_WEBHOOKS", "webhooks of this platform are not registered by its interface")
        flat = {"callbackUrl": callback_url, "flowDirection": "In"}
        nested = {"callback": {"url": callback_url}, "metadata": {"flowDirection": "In"}}
        try:
            answer = self._link.call("POST", f"{self._flows}/webhooks", json=nested if shape == "nested" else flat)
        except Rejected as error:
            if shape != "auto" or not (_answered(error, 400) or _answered(error, 422)):
                raise
            answer = self._link.call("POST", f"{self._flows}/webhooks", json=nested)
        return _understood(lambda: read_webhook(answer.body), Unavailable)

    def delete_webhook(self, webhook_id: str) -> None:
        """End a webhook. One that is not there any more is fine."""
        try:
            self._link.call("DELETE", f"{self._flows}/webhooks/{quote(webhook_id, safe='')}")
        except Rejected as error:
            if not _answered(error, 404):
                raise

    def healthcheck(self) -> None:
        """Return when the platform answers."""
        self._link.call("GET", f"{self._flows}/healthcheck")

    def _flow_address(self, flow_id: str) -> str:
        return f"{self._flows}/flows/{quote(flow_id, safe='')}"

    def _receipt_of(self, tracking_id: str, refusal: Rejected) -> Receipt:
        """The receipt of an earlier deposit that a refusal speaks of."""
        try:
            flow = self.find_flow(tracking_id)
        except PlatformError as error:
            raise Unknown("ALREADY_THERE", "the platform says it has this flow, but not which",
                          evidence=refusal.evidence) from error
        if flow is None:
            raise Rejected("AlreadyExistingFlow", refusal.message, evidence=refusal.evidence)
        return Receipt(flow_id=flow.flow_id, submitted_at=flow.submitted_at, raw=flow.raw)

    def _search(self, where: dict[str, Any], cursor: str | None) -> FlowPage:
        """One page, continued by the platform's cursor or by ours."""
        request: dict[str, Any] = {"limit": PAGE, "where": dict(where)}
        passed = Passed.read(cursor)
        if passed is not None:
            request["where"]["updatedAfter"] = passed.after
        elif cursor is not None:
            request["cursor"] = cursor
        answer = self._link.call("POST", f"{self._flows}/flows/search", json=request)
        fields = _understood(lambda: read_object(answer.body), Unavailable)
        results = _understood(lambda: read_results(fields), Unavailable)
        found, unreadable = read_flows(results)
        flows = tuple(flow for flow in found if passed is None or not passed.knows(flow))
        told = [str(row.get("updatedAt") or "") for row in results]
        page = FlowPage(flows=flows, next_cursor=None, unreadable=unreadable, in_order=told == sorted(told))
        following = fields.get("nextCursor")
        if following and self._paging != "date":
            if following == cursor:
                raise Unavailable("CURSOR_LOOP", "the platform answers with the cursor it was given")
            return replace(page, next_cursor=str(following))
        if self._paging == "cursor" or "cursor" in request:
            return page
        if is_full(len(results), fields.get("limit")) and len({_wire_time(flow.updated_at) for flow in found}) == 1:
            return self._crowd(where, page, found[-1].updated_at)
        if is_full(len(results), fields.get("limit")) and not page.in_order:
            return self._span(request["where"], page, found)
        onward = _next_by_date(found, len(results), fields.get("limit"))
        return replace(page, next_cursor=onward)

    def _crowd(self, where: Mapping[str, Any], page: FlowPage, at: datetime) -> FlowPage:
        """A full page of one time, with all others of that time; it goes on after it. A gap is an unreadable flow."""
        millisecond = timedelta(milliseconds=1)
        time = {**where, "updatedAfter": _wire_time(at - millisecond), "updatedBefore": _wire_time(at + millisecond)}

        def search(criteria: Mapping[str, Any]) -> tuple[Sequence[FlowState], bool]:
            flows, _, full = self._part(criteria)
            return flows, full

        crowd = read_crowd(search, time)
        flows = {flow.flow_id: flow for flow in page.flows} | crowd.flows
        last = _wire_time(at)
        gaps = page.unreadable
        if not crowd.whole or not crowd.sure:
            words = "cannot all be read" if not crowd.whole else "were read type by type, unknown types not"
            gaps = (*gaps, UnreadableFlow(flow_id=None, problem=f"SEARCH_STUCK: {len(flows)} flows and more share "
                                          f"the time {last} and {words}", gap_at=None if crowd.whole else at))
        onward = Passed(last, last, ()).write()
        return FlowPage(flows=tuple(sorted(flows.values(), key=lambda flow: flow.updated_at)), next_cursor=onward,
                        unreadable=gaps, in_order=page.in_order)

    def _span(self, where: Mapping[str, Any], page: FlowPage, found: Sequence[FlowState]) -> FlowPage:
        """A full page without order, from which any time may be missing: the first span of it that fits into a page.

        It goes on after that span. A platform that does not narrow leaves a gap, which nobody's mark may pass.
        """
        millisecond = timedelta(milliseconds=1)
        after = datetime.fromisoformat(where.get("updatedAfter", THE_BEGINNING))
        before = max(flow.updated_at for flow in found) + millisecond
        flows, unreadable, full = tuple(found), page.unreadable, True
        while all(after <= flow.updated_at <= before for flow in flows):
            width = (before - after) // 2 // millisecond * millisecond
            if width < 2 * millisecond:
                return self._crowd(where, replace(page, flows=()), after + millisecond)
            before = after + width
            flows, unreadable, full = self._part({**where, "updatedBefore": _wire_time(before)})
            if not full:
                end = _wire_time(before - millisecond)
                return FlowPage(flows=flows, next_cursor=Passed(end, end, ()).write(), unreadable=unreadable,
                                in_order=False)
        gap = UnreadableFlow(flow_id=None, problem="SEARCH_STUCK: a full page without order, and times are not heeded",
                             gap_at=after + millisecond)
        return replace(page, unreadable=(*page.unreadable, gap))

    def _part(self, where: Mapping[str, Any]) -> tuple[tuple[FlowState, ...], tuple[UnreadableFlow, ...], bool]:
        """One search without cursor: flows by date, those that cannot be read, whether the page is full."""
        answer = self._link.call("POST", f"{self._flows}/flows/search", json={"limit": PAGE, "where": where})
        fields = _understood(lambda: read_object(answer.body), Unavailable)
        results = _understood(lambda: read_results(fields), Unavailable)
        return *read_flows(results), is_full(len(results), fields.get("limit"))


def _best(flows: Sequence[FlowState]) -> FlowState | None:
    """Of several deposits with one tracking id the first that is not in error."""
    return min(flows, key=lambda flow: (flow.ack_status == "Error", flow.submitted_at), default=None)


def is_full(count: int, stated_limit: object) -> bool:
    """Whether a page may have left something out."""
    return count >= (stated_limit if isinstance(stated_limit, int) else SMALLEST_FULL_PAGE)


def described(info: Mapping[str, str], dialect: str) -> dict[str, tuple[None, bytes] | tuple[None, bytes, str]]:
    """The parts of a deposit that say its `flowInfo`, in one of the dialects of ConnectionSettings.multipart."""
    if dialect == "bracketed":
        return {f"flowInfo[{name}]": (None, value.encode()) for name, value in info.items()}
    text = json.dumps(info, ensure_ascii=False).encode()
    return {"flowInfo": (None, text) if dialect == "text-part" else (None, text, "application/json")}


@dataclass(frozen=True, slots=True)
class Passed:
    """How far a walk by date has come: our cursor where the platform has none."""

    after: str
    """The time to search from: the last but one that was seen."""

    last: str
    """The last time that was seen; flows that did not fit into the page may share it."""

    flow_ids: tuple[str, ...]
    """The flows that were seen at `last`."""

    def knows(self, flow: FlowState) -> bool:
        """Whether this flow, unchanged, was given before."""
        return flow.flow_id in self.flow_ids and _wire_time(flow.updated_at) == self.last

    def write(self) -> str:
        """As a cursor."""
        return DATE_CURSOR + json.dumps([self.after, self.last, self.flow_ids])

    @staticmethod
    def read(cursor: str | None) -> "Passed | None":
        """From a cursor; None when it is the platform's own."""
        if cursor is None or not cursor.startswith(DATE_CURSOR):
            return None
        after, last, flow_ids = json.loads(cursor.removeprefix(DATE_CURSOR))
        return Passed(after, last, tuple(flow_ids))


def _next_by_date(flows: Sequence[FlowState], count: int, stated_limit: object) -> str | None:
    """Where a search by date goes on after this page of `count` results; None when the page was not full.

    A page that shares one time all through is a crowd, and is read otherwise.
    """
    if not flows or not is_full(count, stated_limit):
        return None
    last = _wire_time(flows[-1].updated_at)
    earlier = [time for flow in flows if (time := _wire_time(flow.updated_at)) < last]
    seen = tuple(flow.flow_id for flow in flows if _wire_time(flow.updated_at) == last)
    return Passed(max(earlier), last, seen).write()


def _answered(error: PlatformError, status: int) -> bool:
    """Whether this HTTP status is behind the error."""
    return error.evidence is not None and error.evidence.startswith(f"HTTP {status} ")


def _wire_time(value: datetime) -> str:
    """UTC with milliseconds and Z, rounded down: the form that working clients use."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _understood(read: Callable[[], T], otherwise: type[PlatformError]) -> T:
    """What `read` gives; a malformed answer becomes the error that fits the call."""
    try:
        return read()
    except Malformed as error:
        raise otherwise("MALFORMED_ANSWER", str(error)) from error

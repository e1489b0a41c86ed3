"""Faults that a test may ask of the sandbox, and the gate in front of it that plays those of the wire."""

import asyncio
import json
import re
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

DocumentType = Literal["Metadata", "Original", "Converted", "ReadableView"]
Garbling = Literal["html", "half", "redirect", "enum"]
"""A page for people; a body that breaks off; another address; a flow type that nobody has heard of."""

HTML = b"<!doctype html><title>Maintenance</title><p>Le service revient bientot.</p>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong. Numbers count down by one each time; the rest stays until it is changed. Not durable."""

    drop_before: int = 0
    """Deposits whose connection is cut before anything is kept."""

    drop_after: int = 0
    """Deposits that are kept, then the connection is cut without an answer."""

    error_after: int = 0
    """Deposits that are kept, then answered with 500."""

    fail: int = 0
    """Requests (tokens included) that are answered with `fail_status` and not looked at."""

    fail_status: int = 503
    fail_code: str = "RESOURCE_ERROR"
    fail_retry_after: str | None = None
    slow_s: float = 0.0
    """Seconds before each answer."""

    page_cap: int | None = None
    """Largest page of a search, whatever `limit` says."""

    cursorless: bool = False
    """As in 1.2: no `nextCursor`, the client walks by date."""

    unsorted: bool = False
    """Pages come newest first."""

    duplicate_callbacks: bool = False
    out_of_order: bool = False
    """Statuses are sent in pairs, the later one first."""

    unsigned_callbacks: bool = False
    wrong_signatures: bool = False
    """Callbacks are signed with another key."""

    disorder_callbacks: bool = False
    """Of the callbacks that are due, the newest goes first."""

    late_s: float = 0.0
    """Every third flow is listed only so many seconds after the time that it then bears."""

    equal_times: int = 1
    """So many flows in a row share one time."""

    clock_ahead_s: float = 0.0
    """The platform's clock is so far before the world's."""

    long_ids: bool = False
    """Identifiers of 64 characters, as 1.3 allows."""

    missing_documents: tuple[DocumentType, ...] = ()
    """Kinds of document that are answered with 404 for every flow."""

    misclassify: bool = False
    """Statuses are listed as invoices, and every deposit is filed as B2BInt."""

    refuse_duplicates: bool = False
    """A file that was deposited before is refused at once with 409, not in the acknowledgement."""

    directory_lies: bool = False
    """A search finds an active line for everybody and calls every line Enabled; one line by its code is true."""

    garble: Garbling | None = None
    """What becomes of every answer but those of the token address."""

    def __post_init__(self) -> None:
        """Refuse what cannot be played. Raises TypeError."""
        if self.garble not in {None, *get_args(Garbling)} or self.equal_times < 1:
            raise TypeError(f"garble {self.garble!r}, equal_times {self.equal_times}")
        if not set(self.missing_documents) <= set(get_args(DocumentType)):
            raise TypeError(f"missing_documents {self.missing_documents}")


class FaultBox:
    """The faults in force, shared between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults = Faults()

    @property
    def now(self) -> Faults:
        """The faults in force."""
        return self._faults

    def change(self, wanted: dict[str, Any]) -> Faults:
        """Replace all faults; what is not named is off. Raises TypeError for a name that is unknown."""
        with self._lock:
            lists = {name: tuple(value) for name, value in wanted.items() if isinstance(value, list)}
            self._faults = Faults(**{**wanted, **lists})
            return self._faults

    def take(self, name: str) -> bool:
        """Whether this counted fault happens now; it then has one time less."""
        with self._lock:
            all_of_them: dict[str, Any] = asdict(self._faults)
            left: int = all_of_them[name]
            if left > 0:
                self._faults = Faults(**{**all_of_them, name: left - 1})
            return left > 0


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which remembers its connections so that one can be cut without an answer."""

    open_transports: dict[tuple[str, int], asyncio.Transport] = {}  # noqa: RUF012  one per process, like the port

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client connects."""
        super().connection_made(transport)
        if self.client is not None:
            self.open_transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """A client is gone."""
        if self.client is not None:
            self.open_transports.pop(self.client, None)
        super().connection_lost(exc)


class Gate:
    """ASGI: plays the faults of the wire in front of the application. `/sandbox/` never has faults."""

    def __init__(self, app: ASGIApp, box: FaultBox) -> None:
        self._app = app
        self._box = box

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or not."""
        if scope["type"] != "http" or scope["path"].startswith("/sandbox/"):
            await self._app(scope, receive, send)
            return
        deposit = scope["method"] == "POST" and scope["path"].endswith("/v1/flows")
        await asyncio.sleep(self._box.now.slow_s)
        if self._box.take("fail"):
            await _refuse(send, self._box.now)
        elif deposit and self._box.take("drop_before"):
            await _cut(scope, receive)
        elif deposit and (self._box.now.drop_after or self._box.now.error_after):
            await self._keep_then_fail(scope, receive, send)
        elif self._box.now.garble is not None and "/v1/" in scope["path"]:
            await self._garble(self._box.now.garble, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _garble(self, how: Garbling, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application do its work, then spoil what it says."""
        answer: list[Message] = []

        async def collect(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, collect)
        body = b"".join(message.get("body", b"") for message in answer[1:])
        status, headers = answer[0]["status"], [(b"content-type", b"application/json")]
        if how == "html":
            headers, body = [(b"content-type", b"text/html")], HTML
        elif how == "redirect":
            status, headers, body = 302, [(b"location", b"https://elsewhere.example/")], b""
        elif how == "enum":
            body = re.sub(rb'"flowType":"(\w+)"', rb'"flowType":"Novel\1"', body)
        headers = [*headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if how == "half" and len(body) > 1:
            await send({"type": "http.response.body", "body": body[:len(body) // 2], "more_body": True})
            await _cut(scope, receive)
        else:
            await send({"type": "http.response.body", "body": body})

    async def _keep_then_fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer; an acceptance is lost, anything else passes."""
        answer: list[Message] = []

        async def collect(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, collect)
        if answer[0]["status"] != 202:
            for message in answer:
                await send(message)
        elif self._box.take("drop_after"):
            await _cut(scope, receive)
        else:
            self._box.take("error_after")
            await _refuse(send, Faults(fail_status=500, fail_code="INTERNAL_ERROR"))


async def _cut(scope: Scope, receive: Receive) -> None:
    """End the connection without a word."""
    CuttableProtocol.open_transports[scope["client"]].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, faults: Faults) -> None:
    headers = [(b"content-type", b"application/json")]
    if faults.fail_retry_after is not None:
        headers.append((b"retry-after", faults.fail_retry_after.encode()))
    body = json.dumps({"errorCode": faults.fail_code, "errorMessage": "A fault that was asked for"}).encode()
    await send({"type": "http.response.start", "status": faults.fail_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

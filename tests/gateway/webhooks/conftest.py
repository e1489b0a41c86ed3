"""A receiver of webhooks as a real HTTP server, which answers as a test tells it."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pytest
from sqlalchemy import select

from gateway.deps import Deps
from gateway.record import Change, record
from gateway.tables import Event, Submission
from gateway.tables_webhooks import WebhookDelivery
from gateway.topics import HANDLERS
from gateway.webhooks import service
from gateway.webhooks.schemas import WebhookIn
from gateway.webhooks.sending import fan_out
from gateway.worker import relay


class Clock(Protocol):
    """A clock that stands still until it is told to move."""

    now: datetime

    def forward(self, **step: float) -> datetime: ...


@dataclass
class Receiver:
    """What arrived, and what is answered: `answers` one by one, then 204."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    refuse_invoice: str | None = None
    """Everything about this invoice is answered 500."""

    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/crochet"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
def receiver(deps: Deps) -> Iterator[Receiver]:
    """A receiver on this machine, which the operator allows."""
    made = Receiver()

    class Door(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = made.answers.pop(0) if made.answers else 204
            if made.refuse_invoice is not None and made.refuse_invoice.encode() in body:
                status = 500
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{made.port}/ailleurs")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.port = server.server_address[1]
    deps.settings.webhook_allow = (f"127.0.0.1:{made.port}",)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Stage:
    """What a test of deliveries plays on."""

    deps: Deps
    tenant: str
    clock: Clock
    receiver: Receiver
    make_invoice: Callable[..., Submission]

    def webhook(self, **wanted: Any) -> tuple[str, str]:
        """(id, secret) of a webhook that leads to the receiver."""
        wish = WebhookIn.model_validate({"url": self.receiver.url, **wanted})
        row, secret = service.create(self.deps, self.tenant, wish, "user:test")
        return row.id, secret

    def happen(self, invoice: Submission, code: str, kind: str = "lifecycle") -> Event:
        """Something happens to an invoice."""
        with self.deps.db.transaction(self.tenant) as session:
            change = Change(kind=kind, code=code, actor="worker", submission_id=invoice.id, reason="Motif secret")
            return record(session, self.tenant, change, now=self.deps.now())

    def work(self) -> None:
        """All that a worker does now."""
        fan_out(self.deps)
        relay(self.deps, HANDLERS, only={"webhook"})

    def states(self) -> list[tuple[str, str]]:
        """(code, state) of each delivery, oldest first."""
        with self.deps.db.reading(self.tenant) as session:
            rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.position)).all()
        return [(row.type.rpartition(".")[2], row.state) for row in rows]

    def told(self, invoice: Submission) -> list[str]:
        """The codes that arrived about an invoice, in order, refused ones too."""
        said = [json.loads(body)["data"] for _, body in self.receiver.got]
        return [data["code"] for data in said if data["invoice"] == invoice.id]


@pytest.fixture
def stage(
    deps: Deps, tenant: str, clock: Clock, receiver: Receiver, make_invoice: Callable[..., Submission]
) -> Stage:
    return Stage(deps, tenant, clock, receiver, make_invoice)

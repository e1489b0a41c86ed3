"""A chat service in a process of its own, and a tenant whose operator allows it."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import select

from gateway.channels import sending
from gateway.channels.schemas import PHONE
from gateway.deps import Deps
from gateway.record import Change, record
from gateway.tables import Event, Submission
from gateway.tables_channels import Channel, ChannelMessage
from gateway.topics import HANDLERS
from gateway.worker import relay


class Clock(Protocol):
    """A clock that stands still until it is told to move."""

    def forward(self, **step: float) -> object: ...


@dataclass(frozen=True)
class Chat:
    """The service: where it is, and what arrived."""

    port: int
    file: Path

    def url(self, path: str) -> str:
        """An apprise URL that leads there."""
        return f"json://127.0.0.1:{self.port}/{path}"

    def got(self, path: str) -> list[dict[str, Any]]:
        """What arrived under a path, oldest first."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [json.loads(one["body"]) for one in map(json.loads, lines) if one["path"].startswith(f"/{path}")]


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    file = tmp_path_factory.mktemp("chat") / "got"
    script = Path(__file__).with_name("chat_server.py")
    process = subprocess.Popen([sys.executable, str(script), str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield Chat(int(process.stdout.readline()), file)
    process.kill()
    process.wait()
    process.stdout.close()


@dataclass
class Stage:
    """What a test of channels plays on."""

    deps: Deps
    tenant: str
    clock: Clock
    chat: Chat
    make_invoice: Callable[..., Submission]

    def channel(self, path: str, *rules: str) -> Channel:
        """A channel that leads to a path of the service, with rules as `event:role`. Set up beside the front door,
        which has a process look at the URL."""
        row = Channel(
            tenant_id=self.tenant, id=str(uuid.uuid4()), name=f"Canal {path}", service="JSON", to_clients=PHONE in path,
            url=self.deps.vault.seal(self.chat.url(path)), rules=list(rules), cursor=0, created_at=self.deps.now(),
            disabled_at=None, removed_at=None, trouble=None)
        with self.deps.db.transaction(self.tenant) as session:
            session.add(row)
        return row

    def happen(self, kind: str, code: str, invoice: Submission | None = None, **data: Any) -> Event:
        """Something happens."""
        with self.deps.db.transaction(self.tenant) as session:
            return record(session, self.tenant, Change(
                kind=kind, code=code, actor="worker", submission_id=invoice.id if invoice else None,
                reason="Motif secret", data=data), now=self.deps.now())

    def work(self) -> None:
        """All that a worker does now."""
        sending.fan_out(self.deps)
        relay(self.deps, HANDLERS, only={sending.TOPIC})

    def log(self, channel: Channel) -> list[tuple[str, str, int]]:
        """(what, where it ended, how often tried) of each message, oldest first."""
        with self.deps.db.reading(self.tenant) as session:
            rows = session.scalars(select(ChannelMessage).where(ChannelMessage.channel_id == channel.id).order_by(
                ChannelMessage.created_at, ChannelMessage.intent)).all()
        return [(row.event, row.state, row.attempts) for row in rows]


@pytest.fixture
def stage(deps: Deps, tenant: str, clock: Clock, chat: Chat, make_invoice: Callable[..., Submission]) -> Stage:
    deps.settings.webhook_allow = (f"127.0.0.1:{chat.port}",)
    return Stage(deps, tenant, clock, chat, make_invoice)

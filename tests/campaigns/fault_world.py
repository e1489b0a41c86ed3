"""The processes of the campaigns: sandbox, proxy, gateway, worker, PostgreSQL, Redis, and a billing system."""

import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
sys.path.insert(0, str(Path(__file__).parent))

import servers
from depositing import deposit
from fault_proxy import Proxy, proxied

from formats.syntax import ubl_syntax_of, write
from gateway.clock import PARIS, wall_clock
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.commands.demo_stage import first_line, free_port, process, set_up, wait_ready

LAUNCHER = Path(__file__).parent / "fault_points.py"
JAILS = Path(__file__).parent / "fault_jail.py"
BILLING = "ABCDEFGHIJKLMNOPQRSTUVWX"
"""Many: one whose request died with its process waits a minute until another process may take that request over."""

BUYERS = ("approve", "reject", "dispute", "reject", "refuse", "reject", "pay-in-two", "reject")
"""Half of the invoices live long, half end at the platform."""


@contextmanager
def ended_politely() -> Iterator[None]:
    """SIGTERM ends the campaign as an error would, with the processes it started."""
    earlier = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@dataclass(frozen=True, slots=True)
class Life:
    """A process of the product, by a descriptor that never means another process."""

    descriptor: int

    def died(self, seconds: float) -> bool:
        """Whether it ended, after waiting at most so long."""
        return bool(select.select([self.descriptor], [], [], seconds)[0])


@dataclass(frozen=True, slots=True)
class World:
    """What runs all the time, and how the processes that are killed are started."""

    folder: Path
    environment: Mapping[str, str]
    url: str
    key: str
    proxy: Proxy
    broker: str | None
    launcher: subprocess.Popen[str]

    @property
    def ledger(self) -> Path:
        """The platform's own file."""
        return self.folder / "sandbox" / "ledger.sqlite3"

    @property
    def roles(self) -> tuple[str, ...]:
        """The processes of the product that can be killed."""
        return ("serve", "worker") if self.broker else ("serve",)


@contextmanager
def world(folder: Path, seed: int, database: str) -> Iterator[World]:
    """Sandbox, proxy, and for `postgres` PostgreSQL and Redis; a gateway is set up and not started."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(process(folder / "sandbox.log", "sandbox", "--port", "0", "--state",
                                              str(folder / "sandbox"), "--speed", "50"))
        ready: dict[str, str] = json.loads(first_line(sandbox, folder / "sandbox.log"))
        platform = urlsplit(ready["base_url"])
        proxy = stack.enter_context(proxied(platform.hostname or "", platform.port or 0, seed))
        port = free_port()
        environment = {
            "PASSERELLE_DATA": str(folder / "data"), "PASSERELLE_PORT": str(port), "PASSERELLE_POLL_SECONDS": "1",
            "PASSERELLE_SEAL_SECONDS": "5", "PASSERELLE_REMIND_SECONDS": "3600", "PASSERELLE_SETTLE_SECONDS": "1",
        }
        broker = None
        if database == "postgres":
            environment["PASSERELLE_DATABASE_URL"] = stack.enter_context(servers.postgres())
            environment["PASSERELLE_BROKER_URL"] = broker = stack.enter_context(servers.broker())
        around = {name: behind(proxy.port, value) if name.endswith("_url") else value for name, value in ready.items()}
        key = set_up(environment, around, "faults@passerelle.example", "un mot de passe assez long")
        launcher = stack.enter_context(launching())
        yield World(folder, environment, f"http://127.0.0.1:{port}", key, proxy, broker, launcher)


@contextmanager
def launching() -> Iterator[subprocess.Popen[str]]:
    """The process that starts the others (fault_points.py), beside the one that their jails come from."""
    with tempfile.TemporaryDirectory(prefix="passerelle-") as name:
        door = str(Path(name) / "jails")
        with (
            subprocess.Popen([sys.executable, str(JAILS), door]) as jails,
            subprocess.Popen([sys.executable, str(LAUNCHER), door], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True) as launcher,
        ):
            try:
                while not Path(door).exists() and jails.poll() is None:
                    time.sleep(0.05)
                yield launcher
            finally:
                launcher.kill()
                jails.kill()


def behind(port: int, url: str) -> str:
    """The same address through the proxy."""
    return urlunsplit(urlsplit(url)._replace(netloc=f"127.0.0.1:{port}"))


def start(of: World, role: str, *, broken: Sequence[str] = (), die: str | None = None, count: int = 1) -> Life:
    """A process of the product, perhaps armed (fault_points.py); the caller ends it."""
    order = {"arguments": [role], "environment": dict(of.environment), "log": str(of.folder / f"{role}.log"),
             "broken": list(broken), "die": die, "count": count}
    if of.launcher.stdin is None or of.launcher.stdout is None:
        raise AssertionError("both pipes were asked for")
    of.launcher.stdin.write(json.dumps(order) + "\n")
    of.launcher.stdin.flush()
    return Life(os.pidfd_open(int(of.launcher.stdout.readline())))


def ready_again(of: World) -> None:
    """Until the gateway answers."""
    with httpx.Client(base_url=of.url, timeout=10, trust_env=False) as client:
        wait_ready(client)


def kill(life: Life) -> None:
    """SIGKILL, to this process and no other; it is dead when this returns."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(life.descriptor, signal.SIGKILL)
    life.died(60)
    os.close(life.descriptor)


@dataclass(slots=True)
class Billing:
    """Billing systems that post what they are allowed to, and repeat until they have an answer."""

    of: World
    seed: int
    allowed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    asked: int = 0
    """How many were allowed so far."""

    ended: threading.Event = field(default_factory=threading.Event)
    accepted: dict[str, str] = field(default_factory=dict)
    accepted_at: dict[str, float] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    today: date = field(default_factory=lambda: wall_clock().astimezone(PARIS).date())
    wrong: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether every invoice that may be posted has been answered."""
        return len(self.accepted) + len(self.wrong) >= self.asked

    def run(self, name: str) -> None:
        """One invoice after another."""
        chance = random.Random(f"{self.seed}{name}")
        headers = {"Authorization": f"Bearer {self.of.key}"}
        position = 0
        with httpx.Client(base_url=self.of.url, headers=headers, timeout=60, trust_env=False) as client:
            while True:
                self.allowed.acquire()
                if self.ended.is_set():
                    return
                position += 1
                made = invoice(f"{name}{self.today:%y%m%d}-{position:05d}", chance.choice(BUYERS), GOODS, self.today)
                self.post(client, made.number or "", write(made, ubl_syntax_of(made)))

    def post(self, client: httpx.Client, number: str, document: bytes) -> None:
        """One invoice, until it is in or wrong."""
        answer = deposit(client, number, document, self.answers)
        if answer.status_code in {200, 202}:
            self.accepted[number] = answer.json()["id"]
            self.accepted_at[number] = time.monotonic()
        else:
            self.wrong.append(f"{number}: {answer.status_code} {answer.text[:500]}")


@contextmanager
def billing(of: World, seed: int, names: str = BILLING) -> Iterator[Billing]:
    """Billing systems, one thread each."""
    systems = Billing(of, seed)
    threads = [threading.Thread(target=systems.run, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    try:
        yield systems
    finally:
        systems.ended.set()
        systems.allowed.release(len(threads))
        for thread in threads:
            thread.join(timeout=5)


def allow(systems: Billing, count: int) -> None:
    """Let so many more invoices be posted."""
    systems.asked += count
    for _ in range(count):
        systems.allowed.release()


def wait_for(systems: Billing, count: int, patience: float = 240) -> None:
    """Until so many are accepted; what is missing then, the check will name."""
    deadline = time.monotonic() + patience
    while len(systems.accepted) + len(systems.wrong) < count and time.monotonic() < deadline:
        time.sleep(0.1)

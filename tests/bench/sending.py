"""How many invoices a second are accepted, sent and acknowledged, and whose processor time that takes.

Real processes: gateway, worker, sandbox platform, billing system, and PostgreSQL where it is installed. Three
stages, one after the other, so that each has its own figures: accepted (no worker runs), sent (the worker starts, until
the platform has all), acknowledged (until every acknowledgement is read). Then the same embedded in one process, all at
once: the rate from the first post to the last acknowledgement.

    python tests/bench/sending.py [--invoices 600] [--connections 4] [--database sqlite]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))

import servers
from processes import family_seconds, processor_seconds

from formats.syntax import ubl_syntax_of, write
from gateway.commands.demo_invoices import SERVICES, invoice, party
from gateway.commands.demo_stage import first_line, free_port, process, set_up, wait_ready

CLIENT = Path(__file__).parent / "http_client.py"
MUTE = "000001131"
"""A buyer of the sandbox whose platform acknowledges and says nothing more."""

NO_WORKER = "memory://"
"""A broker that nobody listens to: the service then has no worker of its own."""

PATIENCE_S = 600.0
QUIET_S = 0.1
"""Processor seconds in two seconds: less is idling."""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--invoices", type=int, default=600)
    options.add_argument("--connections", type=int, default=4)
    options.add_argument("--workshops", type=int, default=2)
    options.add_argument("--database", choices=("sqlite", "postgres"), action="append")
    asked = options.parse_args(argv)
    lacking = servers.missing()
    print(f"{asked.invoices} invoices over {asked.connections} connections on {os.cpu_count()} processors; "
          "processor ms are per invoice", flush=True)
    for database in asked.database or ["sqlite", "postgres"]:
        if database == "postgres" and lacking:
            print(f"postgres: not measured: {lacking}")
            continue
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder) / "apart", database, asked) as run:
            apart(run)
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder) / "together", database, asked) as run:
            together(run)


@dataclass(frozen=True, slots=True)
class Run:
    """One set-up: a sandbox, a database, and a gateway that is set up and not started."""

    asked: argparse.Namespace
    database: str
    folder: Path
    environment: Mapping[str, str]
    url: str
    key: str
    clocks: dict[str, Callable[[], float]]
    """Who uses the processor: name to seconds so far."""


@contextmanager
def stage(folder: Path, database: str, asked: argparse.Namespace) -> Iterator[Run]:
    """Everything that runs beside the gateway."""
    folder.mkdir()
    made = invoice("NUMBER", "approve", SERVICES, date(2026, 11, 20), frame="S1")
    mute = party(MUTE, "Morvan Muet SAS", "2 rue Basse", "58120 Château-Chinon", "compta@morvan.example")
    made = replace(made, buyer=mute)
    (folder / "invoice.xml").write_bytes(write(made, ubl_syntax_of(made)))
    with process(folder / "sandbox.log", "sandbox", "--port", "0", "--state", str(folder / "sandbox"), "--speed",
                 "1000") as sandbox:
        ready = json.loads(first_line(sandbox, folder / "sandbox.log"))
        port = free_port()
        environment = {
            "PASSERELLE_DATA": str(folder / "data"), "PASSERELLE_PORT": str(port), "PASSERELLE_POLL_SECONDS": "1",
            "PASSERELLE_WORKSHOP_WORKERS": str(asked.workshops), "PASSERELLE_SEAL_SECONDS": "3600",
        }
        clocks: dict[str, Callable[[], float]] = {"sandbox": lambda: family_seconds(sandbox.pid)}
        with server(database, environment, clocks):
            key = set_up(environment, ready, "bench@passerelle.example", "mot-de-passe-long")
            yield Run(asked, database, folder, environment, f"http://127.0.0.1:{port}", key, clocks)


@contextmanager
def server(database: str, environment: dict[str, str], clocks: dict[str, Callable[[], float]]) -> Iterator[None]:
    """PostgreSQL, durable, where it is wanted."""
    if database == "sqlite":
        yield
        return
    with servers.postgres_server() as (url, pid):
        environment["PASSERELLE_DATABASE_URL"] = url
        clocks["postgres"] = lambda: family_seconds(pid)
        yield


def apart(run: Run) -> None:
    """The three stages, each alone."""
    environment = {**run.environment, "PASSERELLE_BROKER_URL": NO_WORKER}
    with (
        process(run.folder / "gateway.log", "serve", **environment) as service,
        httpx.Client(base_url=run.url, headers={"Authorization": f"Bearer {run.key}"}, timeout=60,
                     trust_env=False) as client,
    ):
        watch(run, "service", service.pid)
        wait_ready(client)
        quiet(run)
        with measured(run, "accepted") as facts:
            facts.update(post(run))
        with process(run.folder / "worker.log", "worker", **run.environment) as worker:
            watch(run, "worker", worker.pid)
            feed = Feed(client)
            until(lambda: feed.count("sending") > 0)
            with measured(run, "sent"):
                until(lambda: feed.count("deposited") >= run.asked.invoices)
            with measured(run, "acknowledged"):
                until(lambda: feed.count("acknowledged") >= run.asked.invoices)


def together(run: Run) -> None:
    """All at once, embedded; client and gateway share the processors."""
    with (
        process(run.folder / "gateway.log", "serve", **run.environment) as service,
        httpx.Client(base_url=run.url, headers={"Authorization": f"Bearer {run.key}"}, timeout=60,
                     trust_env=False) as client,
    ):
        watch(run, "service", service.pid)
        wait_ready(client)
        quiet(run)
        feed = Feed(client)
        with measured(run, "all at once") as facts:
            facts.update(post(run))
            until(lambda: feed.count("acknowledged") >= run.asked.invoices)


def watch(run: Run, name: str, pid: int) -> None:
    """Count a gateway process and its workshop apart."""
    run.clocks[name] = lambda: processor_seconds(pid)
    run.clocks[f"{name}'s workshop"] = lambda: family_seconds(pid) - processor_seconds(pid)


def quiet(run: Run) -> None:
    """Until the gateway's processes have nothing left to prepare: the workshop in reserve compiles the rules too."""
    before = -1.0
    while (now := sum(clock() for clock in run.clocks.values())) - before > QUIET_S:
        before = now
        time.sleep(2)


@contextmanager
def measured(run: Run, name: str) -> Iterator[dict[str, object]]:
    """One row: what passed, and who used how much."""
    facts: dict[str, object] = {}
    before, started = {who: clock() for who, clock in run.clocks.items()}, time.perf_counter()
    yield facts
    seconds = time.perf_counter() - started
    used = {who: (clock() - before[who]) * 1000 / run.asked.invoices for who, clock in run.clocks.items()}
    used["client"] = float(str(facts.pop("client_ms", 0)))
    told = ", ".join(f"{who} {ms:.1f}" for who, ms in used.items() if ms >= 0.05)
    print(f"{run.database:<9}{name:<13}{run.asked.invoices / seconds:>7.1f}/s | ms: {told}"
          f"{'  ' + str(facts) if facts else ''}", flush=True)


def post(run: Run) -> dict[str, object]:
    """All invoices, from a process of its own; what it says of itself."""
    done = subprocess.run(
        [sys.executable, str(CLIENT), run.url, run.key, str(run.folder / "invoice.xml"), str(run.asked.connections),
         "send", str(run.asked.invoices)], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    if said["failed"]:
        raise SystemExit(f"{len(said['failed'])} refused: {said['failed'][:2]}")
    return {"p50_ms": round(said["p50_ms"]), "p95_ms": round(said["p95_ms"]),
            "client_ms": said["processor_seconds"] * 1000 / run.asked.invoices}


class Feed:
    """The events of all invoices so far, by their code."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._after = 0
        self._seen: dict[str, int] = {}

    def count(self, code: str) -> int:
        """How many events have this code, after reading what is new."""
        while items := self._client.get("/v1/events", params={"after": self._after, "limit": 500}).json()["items"]:
            for item in items:
                self._seen[item["code"]] = self._seen.get(item["code"], 0) + 1
            self._after = items[-1]["position"]
        return self._seen.get(code, 0)


def until(holds: Callable[[], bool]) -> None:
    """Wait, looking now and then."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("no end in sight")
        time.sleep(0.25)


if __name__ == "__main__":
    main(sys.argv[1:])

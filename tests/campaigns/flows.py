"""Ten thousand flows on a platform that caps its pages, lists rows late and lets flows share a time.

    python tests/campaigns/flows.py [--flows 10000] [--invoices 20] [--norm 1.3] [--folder var/campaigns/flows]

Real processes: the sandbox with pages of 25, every third row listed 20 s late with its past date, times shared by 20
flows; a gateway that polls it. Among the flows are the statuses of real invoices. Exit 0: every flow of the platform
was seen, each once, and every status had its effect exactly once. Every run starts anew.
"""

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from sqlalchemy import select

from formats.syntax import ubl_syntax_of, write
from gateway.assembly import assembled
from gateway.clock import PARIS, wall_clock
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.commands.demo_stage import (
    Prepared,
    first_line,
    free_port,
    gateway_client,
    process,
    set_up,
    wait_ready,
)
from gateway.db import EVERY_TENANT
from gateway.settings import Settings
from gateway.tables import Event, PlatformConnection, SeenFlow

FAULTS = {"page_cap": 25, "late_s": 20.0, "equal_times": 20}
CHUNK = 500
PATIENCE_S = 1500.0


def main() -> int:
    """Run the campaign and print its figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--flows", type=int, default=10_000)
    options.add_argument("--invoices", type=int, default=20)
    options.add_argument("--norm", choices=("1.1", "1.2", "1.3"), default="1.3")
    options.add_argument("--poll-seconds", default="3")
    options.add_argument("--folder", type=Path, default=Path("var/campaigns/flows"))
    asked = options.parse_args()
    folder: Path = asked.folder / asked.norm
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with ExitStack() as stack:
        known = stack.enter_context(started_sandbox(folder, asked.norm, asked.poll_seconds))
        stack.enter_context(process(folder / "gateway.log", "serve", **known.environment))
        gateway = stack.enter_context(gateway_client(known))
        platform = stack.enter_context(
            httpx.Client(base_url=known.ready["base_url"] + "/sandbox", timeout=120, trust_env=False))
        wait_ready(gateway)
        platform.put("/faults", json=FAULTS).raise_for_status()
        fill(gateway, platform, asked.flows, asked.invoices)
        faults, figures = settle(known, platform)
    print(f"flows: norm={asked.norm} {figures} faults={len(faults)} seconds={time.monotonic() - started:.0f}")
    for fault in faults[:20]:
        print(f"  {fault}")
    return int(bool(faults))


@contextmanager
def started_sandbox(folder: Path, norm: str, poll_seconds: str) -> Iterator[Prepared]:
    """The sandbox process, and a gateway that is set up against it, as `prepared` has them, with more options."""
    with process(folder / "sandbox.log", "sandbox", "--port", "0", "--state", str(folder / "sandbox"), "--speed", "10",
                 "--norm", norm) as sandbox:
        ready = json.loads(first_line(sandbox, folder / "sandbox.log"))
        port = free_port()
        environment = {"PASSERELLE_DATA": str(folder / "data"), "PASSERELLE_PORT": str(port),
                       "PASSERELLE_POLL_SECONDS": poll_seconds, "PASSERELLE_SETTLE_SECONDS": "1"}
        key = set_up(environment, ready, "flows@passerelle.example", "un mot de passe assez long")
        yield Prepared(ready, environment, f"http://127.0.0.1:{port}", key)


def fill(gateway: httpx.Client, platform: httpx.Client, flows: int, invoices: int) -> None:
    """Flows in chunks, invoices between them, so that their statuses are spread over the list."""
    today = wall_clock().astimezone(PARIS).date()
    chunks = max(1, flows // CHUNK)
    for chunk in range(chunks):
        platform.post("/mail", params={"count": flows // chunks}).raise_for_status()
        for position in range(chunk * invoices // chunks, (chunk + 1) * invoices // chunks):
            made = invoice(f"FLX{today:%y%m%d}-{position:04d}", "approve", GOODS, today)
            gateway.post("/v1/invoices", content=write(made, ubl_syntax_of(made)), headers={
                "Idempotency-Key": f"flows-{position:06d}", "Content-Type": "application/xml"}).raise_for_status()
        print(f"  {(chunk + 1) * (flows // chunks)} flows", file=sys.stderr, flush=True)


def settle(known: Prepared, platform: httpx.Client) -> tuple[list[str], str]:
    """Wait until the platform has nothing planned and everything was seen; then compare the books."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        planned = [act for act in platform.get("/acts").json()["planned"] if act["kind"] != "callback"]
        flows = {flow["flowId"] for flow in platform.get("/flows").json()["flows"]}
        faults, figures = compare(known, platform, flows)
        if (not planned and not faults) or time.monotonic() > deadline:
            return faults, figures
        print(f"  {figures} open={len(faults)}", file=sys.stderr, flush=True)
        time.sleep(10)


def compare(known: Prepared, platform: httpx.Client, flows: set[str]) -> tuple[list[str], str]:
    """(what is wrong, the figures): the platform's flows and statuses against what the gateway kept of them."""
    settings = Settings(data=Path(known.environment["PASSERELLE_DATA"]))
    with assembled(settings) as deps, deps.db.reading(EVERY_TENANT) as session:
        seen = Counter(session.scalars(select(SeenFlow.id)))
        waiting = list(session.scalars(select(SeenFlow.id).where(SeenFlow.state == "new")))
        parked = list(session.scalars(select(SeenFlow.cause).where(SeenFlow.state == "parked")))
        trouble = session.scalars(select(PlatformConnection.trouble)).one()
        told = Counter(session.execute(select(Event.submission_id, Event.code).where(
            Event.kind == "lifecycle", Event.code.in_(("200", "201", "202", "203", "204", "205")))).tuples())
    invoices = platform.get("/invoices").json()["invoices"]
    sent = sum(status["direction"] == "In" for row in invoices for status in row["statuses"])
    faults = [f"not seen: {flow_id}" for flow_id in flows - seen.keys()]
    faults += [f"seen {count} times: {flow_id}" for flow_id, count in seen.items() if count != 1]
    faults += [f"not known to the platform: {flow_id}" for flow_id in seen.keys() - flows]
    faults += [f"waiting: {flow_id}" for flow_id in waiting]
    faults += [f"parked: {cause}" for cause in parked]
    faults += [f"{count} times in effect: {key}" for key, count in told.items() if count != 1]
    faults += [f"{sent} statuses sent, {len(told)} in effect"] if sent != len(told) else []
    faults += [f"trouble: {trouble}"] if trouble else []
    return faults, f"flows={len(flows)} seen={len(seen)} statuses={sent} in_effect={len(told)}"


if __name__ == "__main__":
    sys.exit(main())

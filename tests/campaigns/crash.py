"""kill -9 of the gateway at random moments of one continuing run; then everything must be there, once.

    python tests/campaigns/crash.py [--kills 30] [--seed 1] [--folder var/campaigns/crash]

Prints one line of figures. Exit 0: every accepted invoice is at the platform exactly once and every journal,
seal and object verifies.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from depositing import deposit

from formats.syntax import ubl_syntax_of, write
from gateway.assembly import assembled
from gateway.clock import wall_clock
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.commands.demo_stage import Prepared, gateway_client, prepared, wait_ready
from gateway.deps import PARIS
from gateway.evidence.trust import check_everything
from gateway.settings import Settings


@dataclass(slots=True)
class Billing:
    """A billing system that posts one invoice after another and repeats until it has an answer."""

    known: Prepared
    stop: threading.Event = field(default_factory=threading.Event)
    accepted: dict[str, str] = field(default_factory=dict)
    """Number to id, as answered."""

    answers: Counter[int] = field(default_factory=Counter)

    def run(self, name: str) -> None:
        today = wall_clock().astimezone(PARIS).date()
        with gateway_client(self.known) as client:
            position = 0
            while not self.stop.is_set():
                position += 1
                made = invoice(f"{name}{today:%y%m%d}-{position:05d}", "approve", GOODS, today)
                self.post(client, made.number or "", write(made, ubl_syntax_of(made)))

    def post(self, client: httpx.Client, number: str, document: bytes) -> None:
        """One invoice, until it is in."""
        answer = deposit(client, number, document, self.answers)
        if answer.status_code not in {200, 202}:
            raise AssertionError(f"{number}: {answer.status_code} {answer.text[:1000]}")
        self.accepted[number] = answer.json()["id"]


def main() -> int:
    """Run the campaign and print its figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path, default=Path("var/campaigns/crash"))
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    return campaign(asked.folder, asked.kills, asked.seed)


def campaign(folder: Path, kills: int, seed: int) -> int:
    """Kill, start again, and compare the three books: the client's, the platform's and ours."""
    chance = random.Random(seed)  # noqa: S311 - a seed that can be repeated is the point
    started = time.monotonic()
    with prepared(folder, "crash@passerelle.example", "un mot de passe assez long", speed="50") as known:
        billing = Billing(known)
        threads = [threading.Thread(target=billing.run, args=(name,)) for name in "ABC"]
        for thread in threads:
            thread.start()
        try:
            for count in range(kills):
                with gateway(known, folder / f"gateway-{count:02d}.log"):
                    time.sleep(chance.uniform(0.1, 6.0))
            with gateway(known, folder / "gateway-last.log"):
                billing.stop.set()
                for thread in threads:
                    thread.join(timeout=120)
                faults = compare(known, billing)
        finally:
            billing.stop.set()
        faults += evidence(known)
    print(f"crash: kills={kills} seed={seed} accepted={len(billing.accepted)} answers={dict(billing.answers)} "
          f"faults={len(faults)} seconds={time.monotonic() - started:.0f}")
    for fault in faults:
        print(f"  {fault}")
    return int(bool(faults))


@contextmanager
def gateway(known: Prepared, log: Path) -> Iterator[None]:
    """A gateway that answers, killed with SIGKILL at the end of the block."""
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "gateway.cli", "serve"], stderr=errors,
                                   stdout=subprocess.DEVNULL, env={**os.environ, **known.environment})
    try:
        with gateway_client(known) as client:
            wait_ready(client)
        yield
    finally:
        process.kill()
        process.wait()


def compare(known: Prepared, billing: Billing) -> list[str]:
    """Wait until nothing moves, then hold the client's book against the platform's."""
    deadline = time.monotonic() + 180
    with httpx.Client(base_url=known.ready["base_url"], timeout=60, trust_env=False) as platform:
        while True:
            flows = platform.get("/sandbox/flows").json()["deposits_per_tracking_id"]
            numbers = Counter(row["facts"]["number"] for row in platform.get("/sandbox/invoices").json()["invoices"])
            missing = [number for number, key in billing.accepted.items() if key not in flows]
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    faults = [f"lost: {number}" for number in missing]
    faults += [f"deposited {count} times: {key}" for key, count in flows.items() if count != 1]
    faults += [f"{count} times at the platform: {number}" for number, count in numbers.items() if count != 1]
    faults += [f"never answered but held: {number}" for number in numbers.keys() - billing.accepted.keys()]
    return faults


def evidence(known: Prepared) -> list[str]:
    """Every log, seal and object of the killed gateway."""
    settings = Settings(data=Path(known.environment["PASSERELLE_DATA"]))
    with assembled(settings) as deps:
        return list(check_everything(deps).faults)


if __name__ == "__main__":
    sys.exit(main())

"""How many small invoices a second `POST /v1/validate` answers, and whose processor time that takes.

A real gateway with its sandbox platform, a client in a process of its own; processor time of the service, of its
workshop and of the client apart, per request.

    python tests/bench/service.py [--seconds 15]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from documents import invoice
from processes import children, processor_seconds, resident_bytes

from gateway.commands.demo_stage import Prepared, gateway_client, prepared, process, wait_ready

CLIENT = Path(__file__).parent / "http_client.py"
ROUNDS = ((1, 1), (1, 4), (2, 4), (2, 8))
"""Workers of the workshop, and connections of the client."""


def main(argv: Sequence[str]) -> None:
    """Measure and print, for one worker and for two."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=15)
    asked = options.parse_args(argv)
    print(f"POST /v1/validate on {os.cpu_count()} processors, {asked.seconds:.0f} s each; processor ms are per request")
    print("kind workers connections   per s   p50   p95   p99 ms | service workshop client ms | workshop MB")
    with (
        tempfile.TemporaryDirectory() as folder,
        prepared(Path(folder), "bench@passerelle.example", "mot-de-passe-long") as known,
    ):
        for workers in sorted({workers for workers, _ in ROUNDS}):
            environment = {**known.environment, "PASSERELLE_WORKSHOP_WORKERS": str(workers)}
            log = Path(folder) / "gateway.log"
            with process(log, "serve", **environment) as gateway, gateway_client(known) as client:
                wait_ready(client)
                time.sleep(8)  # the process in reserve gets ready
                for kind in ("ubl", "cii"):
                    file = Path(folder) / f"{kind}.xml"
                    file.write_bytes(invoice(kind, 1))
                    for _, connections in (each for each in ROUNDS if each[0] == workers):
                        one(known, gateway.pid, file, (workers, connections), asked.seconds)


def one(known: Prepared, service: int, file: Path, setting: tuple[int, int], seconds: float) -> None:
    """One row."""
    workshop = children(service)
    before = processor_seconds(service), sum(map(processor_seconds, workshop))
    arguments = (known.url, known.key, str(file), str(setting[1]), "validate", str(seconds))
    done = subprocess.run([sys.executable, str(CLIENT), *arguments], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    after = processor_seconds(service), sum(processor_seconds(each) for each in workshop if each in children(service))
    each = [(later - earlier) * 1000 / said["answers"] for earlier, later in zip(before, after, strict=True)]
    each.append(said["processor_seconds"] * 1000 / said["answers"])
    memory = sum(map(resident_bytes, children(service))) / (1 << 20)
    rate, (p50, p95, p99) = said["answers"] / said["seconds"], (said[f"p{part}_ms"] for part in (50, 95, 99))
    failed = f"FAILED {said['failed'][:5]}" if said["failed"] else ""
    print(
        f"{file.stem:<5}{setting[0]:>7}{setting[1]:>12}{rate:>9.1f}{p50:>6.0f}{p95:>6.0f}{p99:>6.0f}    |"
        f"{each[0]:>8.2f}{each[1]:>9.2f}{each[2]:>7.2f}    |{memory:>10.0f}  {failed}",
        flush=True,
    )



if __name__ == "__main__":
    main(sys.argv[1:])

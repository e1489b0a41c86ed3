"""A billing system in a process of its own: posts invoices that differ in their number, each once.

    python sending_client.py URL KEY FILE COUNT CONNECTIONS     prints one JSON object

FILE holds the invoice with `NUMBER` where its number goes.
"""

import http.client
import itertools
import json
import statistics
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

MARK = b"NUMBER"
QUEUED = 202


def main(url: str, key: str, file: str, count: str, connections: str) -> None:
    """Every connection takes the next number as soon as it has its answer."""
    address, document = urlsplit(url), Path(file).read_bytes()
    numbers = itertools.count()
    taken: list[float] = []
    failed: list[str] = []

    def post() -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        while (position := next(numbers)) < int(count):
            number = f"B-{position:06d}"
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/xml", "Idempotency-Key": number}
            started = time.perf_counter()
            connection.request("POST", "/v1/invoices", document.replace(MARK, number.encode()), headers)
            answer = connection.getresponse()
            body = answer.read()
            taken.append(time.perf_counter() - started)
            if answer.status != QUEUED:
                failed.append(f"{answer.status} {body[:200].decode()}")
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(int(connections))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - started
    ranked = statistics.quantiles(taken, n=100)
    print(json.dumps({"answers": len(taken), "failed": failed, "seconds": passed, "p50_ms": ranked[49] * 1000,
                      "p95_ms": ranked[94] * 1000}))


if __name__ == "__main__":
    main(*sys.argv[1:])

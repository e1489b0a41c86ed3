"""A client of the service in a process of its own, so that its time is counted apart. Prints one JSON object.

    python http_client.py URL KEY FILE CONNECTIONS validate SECONDS     the same file again and again, for so long
    python http_client.py URL KEY FILE CONNECTIONS send COUNT           so many invoices that differ in their number

Every connection asks again as soon as it has its answer. To be sent, FILE holds `NUMBER` where the number goes.
"""

import http.client
import itertools
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

MARK = b"NUMBER"
OK, QUEUED = 200, 202

Asked = tuple[str, bytes, dict[str, str]]
"""Path, body, headers of one request."""


def validating(document: bytes, seconds: str) -> Callable[[], Asked | None]:
    """The next request, until the time is over."""
    end = time.perf_counter() + float(seconds)
    return lambda: ("/v1/validate", document, {}) if time.perf_counter() < end else None


def sending(document: bytes, count: str) -> Callable[[], Asked | None]:
    """The next invoice, until there were so many."""
    numbers = itertools.count()

    def take() -> Asked | None:
        position = next(numbers)
        number = f"B-{position:06d}"
        made = "/v1/invoices", document.replace(MARK, number.encode()), {"Idempotency-Key": number}
        return made if position < int(count) else None

    return take


def is_valid(status: int, body: bytes) -> bool:
    """Whether a document was judged, and found good."""
    return status == OK and json.loads(body).get("verdict") == "valid"


def is_queued(status: int, _: bytes) -> bool:
    """Whether an invoice was accepted."""
    return status == QUEUED


WAYS = {"validate": (validating, is_valid), "send": (sending, is_queued)}


def main(argv: list[str]) -> None:
    """Ask on every connection until there is nothing more to ask."""
    url, key, file, connections, way, most = argv
    address, (requests, is_good) = urlsplit(url), WAYS[way]
    following = requests(Path(file).read_bytes(), most)
    always = {"Authorization": f"Bearer {key}", "Content-Type": "application/xml"}
    taken: list[float] = []
    failed: list[str] = []

    def post() -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        while (asked := following()) is not None:
            path, document, headers = asked
            started = time.perf_counter()
            connection.request("POST", path, document, always | headers)
            answer = connection.getresponse()
            body = answer.read()
            taken.append(time.perf_counter() - started)
            if not is_good(answer.status, body):
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
    print(json.dumps({
        "answers": len(taken), "failed": failed, "seconds": passed, "p50_ms": ranked[49] * 1000,
        "p95_ms": ranked[94] * 1000, "p99_ms": ranked[98] * 1000, "processor_seconds": time.process_time(),
    }))


if __name__ == "__main__":
    main(sys.argv[1:])

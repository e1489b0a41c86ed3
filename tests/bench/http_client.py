"""A client of the service in a process of its own, so that its time is counted apart.

    python http_client.py URL KEY FILE CONNECTIONS SECONDS     prints one JSON object
"""

import http.client
import json
import statistics
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit


def main(url: str, key: str, file: str, connections: str, seconds: str) -> None:
    """Every connection posts the file again as soon as it has its answer."""
    address, document = urlsplit(url), Path(file).read_bytes()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/xml"}
    taken: list[float] = []
    failed: list[int] = []
    end = time.perf_counter() + float(seconds)

    def post() -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        while (started := time.perf_counter()) < end:
            connection.request("POST", "/v1/validate", document, headers)
            answer = connection.getresponse()
            verdict = json.loads(answer.read()).get("verdict") if answer.status == 200 else None
            taken.append(time.perf_counter() - started)
            if verdict != "valid":
                failed.append(answer.status)
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
        "answers": len(taken), "failed": len(failed), "seconds": passed, "p50_ms": ranked[49] * 1000,
        "p95_ms": ranked[94] * 1000, "p99_ms": ranked[98] * 1000, "processor_seconds": time.process_time(),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])

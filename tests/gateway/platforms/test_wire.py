"""What the wire may do between us and a platform, and an answer is still the answer to its question."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.tables import PlatformConnection

sys.path.insert(0, str(Path(__file__).parents[2] / "campaigns"))
from fault_proxy import proxied


def test_an_answer_given_twice_is_not_the_answer_to_the_next_question(
    deps: Deps, platform: Any, connection: PlatformConnection
) -> None:
    """A kept connection would hand each document out under the next flow's name."""
    for number in range(8):
        platform.put(f"flow-{number}", f"document {number}".encode())
    there = urlsplit(platform.url)
    with proxied(there.hostname or "", there.port or 0, 1, {"twice": 1}) as proxy:
        around = f"http://127.0.0.1:{proxy.port}"
        connection.config = {**connection.config, "flow_url": f"{around}/flow-service", "token_url": f"{around}/token"}
        link = open_connection(deps, connection)
        got = [link.fetch(f"flow-{number}") for number in range(8)]
    assert got == [f"document {number}".encode() for number in range(8)]
    assert proxy.fates["twice"] > 8

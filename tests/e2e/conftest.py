"""A running gateway with its sandbox platform, as real processes, shared by the tests of this folder."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.commands.demo_stage import gateway_client, prepared, process, wait_ready

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import attacks.py and canary.py beside them

from running import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The gateway and its sandbox, as an operator sets them up; ended with the session."""
    folder = tmp_path_factory.mktemp("service")
    with (
        prepared(folder, "e2e@passerelle.example", "mot-de-passe-long") as known,
        process(folder / "gateway.log", "serve", **known.environment) as gateway,
        gateway_client(known) as client,
    ):
        wait_ready(client)
        yield Service(client, known.url, known.key, gateway.pid, folder)

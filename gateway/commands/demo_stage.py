"""Real processes for demonstrations and tests: the sandbox platform and a gateway set up against it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.commands.demo_invoices import SELLER, SELLER_SIREN

PATIENCE = 90.0
"""Seconds to wait for one thing before giving up."""

SCOPES = ("invoices:write", "invoices:read", "payments:write", "events:read", "evidence:read", "reminders:read",
          "validate")


class DemoFailed(Exception):
    """Something that should have happened did not; the text says what."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the cases are played against."""

    gateway: httpx.Client
    sandbox: httpx.Client
    folder: Path


@dataclass(frozen=True, slots=True)
class Prepared:
    """A running sandbox, and a gateway that is set up against it but not started."""

    ready: Mapping[str, Any]
    """What the sandbox said of itself: addresses and credentials."""

    environment: Mapping[str, str]
    """Settings of the gateway."""

    url: str
    key: str


@contextmanager
def prepared(folder: Path, email: str, password: str, *, speed: str = "8") -> Iterator[Prepared]:
    """The sandbox process, and a data folder with company, user and key."""
    with process(folder / "sandbox.log", "sandbox", "--port", "0", "--state", str(folder / "sandbox"),
                 "--speed", speed) as sandbox:
        ready = json.loads(first_line(sandbox, folder / "sandbox.log"))
        port = free_port()
        environment = {
            "PASSERELLE_DATA": str(folder / "data"), "PASSERELLE_PORT": str(port), "PASSERELLE_POLL_SECONDS": "0.5",
            "PASSERELLE_SEAL_SECONDS": "5", "PASSERELLE_REMIND_SECONDS": "1", "PASSERELLE_SETTLE_SECONDS": "1",
        }
        key = set_up(environment, ready, email, password)
        yield Prepared(ready, environment, f"http://127.0.0.1:{port}", key)


@contextmanager
def stage(folder: Path, email: str, password: str) -> Iterator[Scene]:
    """Both processes, set up and ready; ended by their ids at the end."""
    with (
        prepared(folder, email, password) as known,
        process(folder / "gateway.log", "serve", **known.environment),
        gateway_client(known) as gateway,
        httpx.Client(base_url=known.ready["base_url"], timeout=60, trust_env=False) as platform,
    ):
        wait_ready(gateway)
        yield Scene(gateway, platform, folder)


def gateway_client(known: Prepared) -> httpx.Client:
    """A program's connection to the gateway."""
    return httpx.Client(base_url=known.url, headers={"Authorization": f"Bearer {known.key}"}, timeout=60,
                        trust_env=False)


def set_up(environment: Mapping[str, str], ready: Mapping[str, Any], email: str, password: str) -> str:
    """The first steps of an operator, by the same commands; returns the API key."""
    address = SELLER.address
    secrets = {"PASSERELLE_CLIENT_SECRET": ready["client_secret"], "PASSERELLE_PASSWORD": password}
    made = run_all(
        {**environment, **secrets},
        ("entity", "add", "--siren", SELLER_SIREN, "--name", SELLER.name or "",
         "--vat-number", SELLER.vat_identifier or "", "--address", address.line_1 or "" if address else "",
         "--postcode", address.post_code or "" if address else "", "--city", address.city or "" if address else "",
         "--contact-name", "Camille Démo", "--contact-email", "compta@atelier-passerelles.example",
         "--platform-name", "Plateforme de démonstration", "--flow-url", ready["flow_url"],
         "--directory-url", ready["directory_url"], "--token-url", ready["token_url"],
         "--client-id", ready["client_id"], "--allow-loopback"),
        ("user", "create", "--email", email, "--name", "Démo",
         *(word for role in ("officer", "credit", "operator", "billing") for word in ("--role", role))),
        ("scenario", "set", "--any-day"),
        ("key", "create", "--name", "démo", *(word for scope in SCOPES for word in ("--scope", scope))),
    ).splitlines()[-1]
    key: str = json.loads(made)["key"]
    return key


def run(environment: Mapping[str, str], *arguments: str) -> str:
    """One command of Passerelle, which must succeed; what it printed."""
    return run_all(environment, arguments)


ONE_BY_ONE = """\
import json, sys
from gateway.cli import main
for words in json.loads(sys.argv[1]):
    if code := main(words):
        sys.exit(code)
"""
"""Most of a command's time is loading: several share one process."""


def run_all(environment: Mapping[str, str], *commands: Sequence[str]) -> str:
    """Commands of Passerelle one after the other, which must all succeed; what they printed."""
    done = subprocess.run([sys.executable, "-c", ONE_BY_ONE, json.dumps(commands)], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        named = ", ".join(" ".join(words[:2]) for words in commands)
        raise DemoFailed(f"passerelle {named}: {done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def process(log: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process of Passerelle in the background, ended when the block ends."""
    with log.open("w", encoding="utf-8") as errors:
        started = subprocess.Popen([sys.executable, "-m", "gateway.cli", *arguments], env={**os.environ, **environment},
                                   stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(timeout=20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
            if started.stdout is not None:
                started.stdout.close()


def first_line(started: subprocess.Popen[str], log: Path) -> str:
    """What the process prints when it is ready."""
    line = started.stdout.readline() if started.stdout else ""
    if not line:
        raise DemoFailed(f"the sandbox did not start, see {log}")
    return line


def wait_ready(gateway: httpx.Client) -> None:
    """Until the service answers that it is ready."""
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:
        with suppress(httpx.TransportError):
            if gateway.get("/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise DemoFailed("the gateway did not become ready")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

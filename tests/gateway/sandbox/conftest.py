"""A sandbox platform as a real process on loopback, for every test that needs an outside."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import Flow
from gateway.platforms.registry import ConnectionSettings, open_platform

ROOT = Path(__file__).parents[3]
INVOICE = ROOT / "tests" / "vectors" / "sandbox" / "invoice.xml"
NS = {"cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
      "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"}
START_SECONDS = 60


class Sandbox:
    """One running sandbox and what a test asks of it outside the norm."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self._options = options
        self.start()

    def start(self) -> None:
        """Start (again) on the same folder, at a port that is free."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.sandbox.server", "--state", str(self.state), *self._options],
            stdout=subprocess.PIPE, cwd=ROOT,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.process.kill()
            pytest.fail("the sandbox did not start")
        self.ready: dict[str, Any] = json.loads(line)
        self.admin = httpx.Client(base_url=self.ready["base_url"] + "/sandbox", trust_env=False, timeout=60)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        self.admin.close()
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def settings(self, **changes: Any) -> ConnectionSettings:
        """How to reach it."""
        names = ("flow_url", "directory_url", "token_url", "client_id", "client_secret")
        return ConnectionSettings(**{**{name: self.ready[name] for name in names}, "allow_loopback": True, **changes})

    def faults(self, **wanted: Any) -> None:
        """Replace the faults in force."""
        self.admin.put("/faults", json=wanted).raise_for_status()

    def run(self) -> int:
        """Let it do everything that is planned, now."""
        done: int = self.admin.post("/run").raise_for_status().json()["done"]
        return done

    def ledger(self) -> dict[str, Any]:
        """Every flow, and deposits per tracking id."""
        answer: dict[str, Any] = self.admin.get("/flows").raise_for_status().json()
        return answer

    def invoice(self, number: str) -> dict[str, Any]:
        """The one invoice with this number."""
        [found] = [item for item in self.admin.get("/invoices").json()["invoices"] if item["number"] == number]
        return dict(found)

    def codes(self, number: str) -> list[str]:
        """The statuses it has sent about an invoice."""
        return [status["code"] for status in self.invoice(number)["statuses"] if status["direction"] == "In"]


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a session; scripts run only on request (`run`)."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), "--speed", "0.001")
    yield sandbox
    sandbox.end()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The shared sandbox without faults."""
    sandbox_process.faults()
    return sandbox_process


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """A sandbox of one's own, with options, that may be killed and started again."""
    started: list[Sandbox] = []

    def start(*options: str) -> Sandbox:
        started.append(Sandbox(tmp_path / f"sandbox-{len(started)}", *options))
        return started[-1]

    yield start
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.end()


@pytest.fixture
def connect() -> Iterator[Callable[..., AfnorPlatform]]:
    """Open the driver to a sandbox, with changed settings; closed at the end."""
    opened: list[AfnorPlatform] = []

    def connect_to(sandbox: Sandbox, **changes: Any) -> AfnorPlatform:
        platform = open_platform(sandbox.settings(**changes))
        assert isinstance(platform, AfnorPlatform)
        opened.append(platform)
        return platform

    yield connect_to
    for platform in opened:
        platform.close()


@pytest.fixture
def platform(sandbox: Sandbox, connect: Callable[..., AfnorPlatform]) -> AfnorPlatform:
    """The driver, connected to the shared sandbox."""
    return connect(sandbox)


@pytest.fixture
def ubl() -> Flow:
    """What is said of the sample invoice at its deposit."""
    return Flow(name="facture.xml", syntax="UBL", profile="CIUS", processing_rule="B2B", media_type="application/xml")


@pytest.fixture(scope="session")
def sample() -> Callable[..., bytes]:
    """The sample invoice under another number, for another buyer."""

    def write(number: str, buyer: str = "000001016", address: str | None = None) -> bytes:
        root = etree.parse(INVOICE).getroot()
        party = "cac:AccountingCustomerParty/cac:Party"
        for path, text in (("cbc:ID", number), (f"{party}/cbc:EndpointID", address or buyer),
                           (f"{party}/cac:PartyLegalEntity/cbc:CompanyID", buyer)):
            node = root.find(path, NS)
            assert node is not None
            node.text = text
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    return write


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait until something is true, at most twenty seconds, and give it."""

    def wait(condition: Callable[[], Any]) -> Any:
        end = time.monotonic() + 20
        while not (value := condition()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)
        return value

    return wait


@pytest.fixture(scope="session")
def start_sandbox() -> Callable[..., Sandbox]:
    """Start one on a folder, with options; whoever starts it ends it."""
    return Sandbox


@pytest.fixture(scope="session")
def openapi_folder() -> Path:
    """The two descriptions of XP Z12-013 1.3.0."""
    folder = Path(os.environ.get("PASSERELLE_OPENAPI", ROOT.parent / "shared" / "openapi"))
    if not folder.is_dir():
        pytest.skip(f"the OpenAPI descriptions are not at {folder} (PASSERELLE_OPENAPI)")
    return folder


@pytest.fixture(scope="session")
def mended(openapi_folder: Path) -> tuple[dict[str, Any], ...]:
    """Flow service and directory service, without what contradicts itself."""
    found = []
    for service in ("Flow_Service", "Directory_Service"):
        [path] = openapi_folder.glob(f"*{service}-1.3.0*.json")
        found.append(json.loads(path.read_text(encoding="utf-8")))
        mend(found[-1])
    return tuple(found)


def mend(description: Any) -> None:
    """Two places where 1.3.0 contradicts itself; each is checked to be still so."""
    schemas = description["components"]["schemas"]
    if "ReasonCode" in schemas:  # "one of" a list of texts and any text: no text of the list can be valid
        schemas["ReasonCode"]["anyOf"] = schemas["ReasonCode"].pop("oneOf")
    else:
        for schema in schemas.values():
            if {"Enabled", "Disabled"} <= set(schema.get("enum", ())):  # 7 characters allowed, values of 8 listed
                assert schema["maxLength"] == 7
                schema["maxLength"] = 8

"""The service on a database, a store and a workshop of its own, with a clock that tests set."""

import asyncio
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine

from archive.stores.directory import DirectoryStore
from gateway import auth
from gateway.auth import Permission, Principal
from gateway.connections import seal_credentials
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.engines import open_engine
from gateway.migrations.upgrade import upgrade
from gateway.problems import install
from gateway.settings import Settings
from gateway.tables import Base, LegalEntity, PlatformConnection, Submission, Tenant
from gateway.tables_access import ApiKey, ConsoleSession, User
from gateway.topics import HANDLERS
from gateway.vault import Vault
from gateway.worker import relay
from validation.workshop import Workshop

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))
sys.path.insert(0, str(Path(__file__).parent))
import servers
from stand_in import StandIn
from status_messages import SELLER_SIREN, status_about

ON_POSTGRES = os.environ.get("PASSERELLE_TEST_DATABASE") == "postgres"
BUYER_SIREN = "000001016"
"""As that of the seller. The buyer approves everything in the sandbox."""


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> datetime:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**step)
        return self.now


class Api:
    """A client of an application in this process; every call has a loop of its own, so threads may call at once."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; `headers` join those of the client."""
        headers = {**self._headers, **options.pop("headers", {})}

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://passerelle.example") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(call())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **options)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    with Workshop() as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what looks into the SQLite file."""
    if ON_POSTGRES:
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(pytest.mark.skip(reason="looks into the file of SQLite"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A PostgreSQL server; the database `passerelle` at this URL has every table and policy, and no rows."""
    reason = servers.missing()
    if reason:
        pytest.skip(reason)
    with servers.postgres(durable=False) as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A new PostgreSQL database when PASSERELLE_TEST_DATABASE says so or a test asks; None is SQLite."""
    if ON_POSTGRES or "postgres" in request.fixturenames:
        with servers.copied(request.getfixturevalue("cluster")) as url:
            yield url
    else:
        yield None


@pytest.fixture
def postgres(database_url: str) -> str:
    """Asked for by tests that run on PostgreSQL in every run; its URL."""
    return database_url


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no rows: copied for each test, which costs a tenth of making it."""
    file = tmp_path_factory.mktemp("blank") / "blank.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def compiled(blank: Path) -> Engine:
    """An engine whose compiled statements the databases of all tests share.

    Each would compile them anew, which was a quarter of the time of these tests.
    """
    engine = open_engine(f"sqlite:///{blank}")
    engine.connect().close()
    engine.dispose()
    return engine


@pytest.fixture
def deps(
    tmp_path: Path, workshop: Workshop, clock: Clock, database_url: str | None, compiled: Engine
) -> Iterator[Deps]:
    settings = Settings(data=tmp_path / "data", settle_seconds=30, database_url=database_url)
    if database_url is None:
        settings.data.mkdir()
        shutil.copyfile(str(compiled.url.database), settings.data / "passerelle.sqlite3")
    db = Database(settings.database)
    if database_url is None:
        db.engine.dialect, db.engine._compiled_cache = compiled.dialect, compiled._compiled_cache
    yield Deps(settings=settings, db=db, store=DirectoryStore(tmp_path / "objects"), workshop=workshop,
               vault=Vault(bytes(32)), bell=Bell(), clock=clock)
    db.close()


@pytest.fixture
def make_tenant(deps: Deps) -> Callable[[str], str]:
    def make(name: str) -> str:
        tenant_id = str(uuid.uuid4())
        with deps.db.transaction(tenant_id) as session:
            session.add(Tenant(id=tenant_id, name=name, created_at=deps.now()))
        return tenant_id

    return make


@pytest.fixture
def tenant(make_tenant: Callable[[str], str]) -> str:
    """The id of the one tenant of most tests."""
    return make_tenant("Atelier des Passerelles")


@pytest.fixture
def connection(deps: Deps, tenant: str) -> PlatformConnection:
    """A connection to a platform that is not there: nothing listens on its port."""
    address = "http://127.0.0.1:9"
    row = PlatformConnection(
        tenant_id=tenant, id=str(uuid.uuid4()), name="PA inventée", driver="afnor",
        config={"flow_url": f"{address}/flow-service", "directory_url": f"{address}/directory-service",
                "token_url": f"{address}/token", "allow_loopback": True},
        credentials=seal_credentials(deps.vault, "client", "secret"), enabled=True, watermark=None, webhook_id="",
        signing_key=None, polled_at=None, trouble=None,
    )
    with deps.db.transaction(tenant) as session:
        session.add(row)
    return row


@pytest.fixture
def entity(deps: Deps, tenant: str, connection: PlatformConnection) -> LegalEntity:
    """A seller, switched on, VAT on receipt for services."""
    row = LegalEntity(
        tenant_id=tenant, id=str(uuid.uuid4()), siren=SELLER_SIREN, name="Atelier des Passerelles SAS",
        address={"line_1": "1 rue Inventée", "post_code": "75001", "city": "Paris", "country": "FR"},
        vat_number="FR16000002006", electronic_address=SELLER_SIREN, vat_regime="normal-monthly",
        vat_on_debits=False, fiscal_year_end="12-31", format="factur-x", connection_id=connection.id, enabled=True,
        contact_name=None, contact_email=None, logo_sha256=None,
    )
    with deps.db.transaction(tenant) as session:
        session.add(row)
    return row


@pytest.fixture
def make_invoice(deps: Deps, tenant: str, entity: LegalEntity) -> Callable[..., Submission]:
    """An accepted and deposited invoice for services, 120 EUR with VAT; keywords change columns."""

    def make(**changes: Any) -> Submission:
        count = uuid.uuid4()
        usual: dict[str, Any] = {
            "tenant_id": tenant, "id": str(count), "received_at": deps.now(), "actor": "key:test",
            "legal_entity_id": entity.id, "connection_id": entity.connection_id, "number": "F-2026-001",
            "issue_date": date(2026, 11, 20), "issue_year": 2026, "type_code": "380", "business_process": "S1",
            "processing_rule": "B2B", "seller_siren": SELLER_SIREN, "seller_name": entity.name,
            "seller_address": SELLER_SIREN, "buyer_siren": BUYER_SIREN, "buyer_name": "Aubrac Approuve SAS",
            "buyer_address": BUYER_SIREN, "buyer_email": "fournisseurs@aubrac.example", "currency": "EUR",
            "total": Decimal("120.00"), "due": Decimal("120.00"), "due_date": date(2026, 12, 20),
            "vat": [{"category": "S", "rate": "20", "taxable": "100.00", "tax": "20.00"}], "vat_due_code": None,
            "preceding": [], "syntax": "ubl-invoice", "profile": "en16931", "verdict": "valid",
            "sha256": count.hex * 2, "sent_sha256": count.hex * 2, "active": True, "replaces": None,
            "transmission": "deposited", "transmission_reason": None, "flow_id": f"flow-{count}", "lifecycle": None,
        }
        row = Submission(**{**usual, **changes})
        with deps.db.transaction(tenant) as session:
            session.add(row)
        return row

    return make


@pytest.fixture
def make_key(deps: Deps) -> Callable[..., str]:
    """A new API key of a tenant, as the text for the Authorization header."""

    def make(tenant_id: str, *scopes: str) -> str:
        prefix, digest, full = auth.new_key()
        with deps.db.transaction(tenant_id) as session:
            session.add(ApiKey(
                tenant_id=tenant_id, id=str(uuid.uuid4()), prefix=prefix, digest=digest, name="test",
                scopes=list(scopes) or [permission.value for permission in auth.Permission],
                created_at=deps.now(), expires_at=None, revoked_at=None, last_used_at=deps.now(),
            ))
        return f"Bearer {full}"

    return make


@pytest.fixture
def browser(deps: Deps, tenant: str) -> Callable[..., dict[str, str]]:
    """The headers of a browser in which a new person with these roles is signed in; its forms carry the token `token`.

    They take away the key that a client carries.
    """

    def sign_in(*roles: str) -> dict[str, str]:
        cookie, now = f"cookie-{'-'.join(roles)}", deps.now()
        with deps.db.transaction(tenant) as session:
            session.add(User(tenant_id=tenant, id=cookie, email=f"{cookie}@atelier.example", name="Test",
                             password_hash="", roles=list(roles), created_at=now, disabled_at=None))
            session.add(ConsoleSession(tenant_id=tenant, id=auth.digest_of(cookie), user_id=cookie, csrf="token",
                                       created_at=now, expires_at=now + auth.SESSION_LENGTH))
        return {"Authorization": "", "Cookie": f"{auth.COOKIE}={cookie}"}

    return sign_in


@pytest.fixture
def serve(deps: Deps, tenant: str, make_key: Callable[..., str]) -> Callable[..., Api]:
    """A client of an application with some routers; it carries a key of `tenant` with every scope."""

    def start(*routers: APIRouter) -> Api:
        app = FastAPI()
        app.state.deps = deps
        install(app)
        for router in routers:
            app.include_router(router)
        return Api(app, {"Authorization": make_key(tenant)})

    return start


@pytest.fixture(scope="session")
def application() -> Callable[[Deps], FastAPI]:
    """The whole application on other Deps: made once, since describing its routes takes longer than most tests."""
    from gateway.app import create_app

    made: list[FastAPI] = []

    def on(deps: Deps) -> FastAPI:
        if not made:
            made.append(create_app(deps))
        made[0].state.deps = deps
        return made[0]

    return on


@pytest.fixture
def client(deps: Deps, tenant: str, make_key: Callable[..., str], application: Callable[[Deps], FastAPI]) -> Api:
    """A client of the whole application, without its worker; it carries a key of `tenant` with every scope."""
    return Api(application(deps), {"Authorization": make_key(tenant)})


@pytest.fixture
def platform(deps: Deps, connection: PlatformConnection, clock: Clock) -> Iterator[StandIn]:
    """A stand-in that `connection` leads to."""
    stand_in = StandIn(lambda: clock.now)
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.config = {"flow_url": f"{stand_in.url}/flow-service", "token_url": f"{stand_in.url}/token",
                      "allow_loopback": True}
        session.flush()
        connection.config = row.config
    yield stand_in
    for link in deps.platforms.values():
        link.close()  # type: ignore[attr-defined]  # the port has no close: who drives a platform need not know
    stand_in.close()


@pytest.fixture
def directory(deps: Deps, connection: PlatformConnection, platform: StandIn) -> StandIn:
    """The stand-in, with a directory that `connection` may ask; the usual buyer is reachable."""
    platform.lines[BUYER_SIREN] = "Enabled"
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.config = {**row.config, "directory_url": f"{platform.url}/directory-service"}
        session.flush()
        connection.config = row.config
    return platform


@pytest.fixture(scope="session")
def make_status() -> Callable[..., bytes]:
    """CDAR bytes about an invoice, by whoever sets such a status; keywords change the message."""
    return status_about


@pytest.fixture
def officer(tenant: str) -> Principal:
    """A compliance officer."""
    return Principal(tenant_id=tenant, actor="user:officer", name="Officier", permissions=frozenset(Permission))


@pytest.fixture
def drain() -> Callable[[Deps], None]:
    """Works off what waits in the outbox."""
    def work(deps: Deps) -> None:
        relay(deps, HANDLERS)

    return work

"""The web application: every route in one list, and the life of the embedded worker around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from gateway import health
from gateway.accounts import routes as accounts
from gateway.bank import routes as bank
from gateway.channels import routes as channels
from gateway.console import pages as console
from gateway.deps import Deps
from gateway.directory import routes as directory
from gateway.dossiers import routes as dossiers
from gateway.evidence import routes as evidence
from gateway.incoming import callbacks
from gateway.intake import Bounded
from gateway.keeping import routes as keeping
from gateway.keeping import safe_routes as safe
from gateway.lifecycle import routes as lifecycle
from gateway.openapi import describe
from gateway.outgoing import routes as outgoing
from gateway.problems import install
from gateway.receivables import claim_routes as claims
from gateway.receivables import figure_routes as figures
from gateway.receivables import routes as receivables
from gateway.reminders import routes as reminders
from gateway.series import routes as series
from gateway.topics import HANDLERS, STRANGERS, ticks
from gateway.webhooks import routes as webhooks
from gateway.worker import Worker

log = structlog.get_logger()
ROUTERS = (health.router, outgoing.router, lifecycle.router, receivables.router, bank.router, claims.router,
           figures.router, reminders.router, dossiers.router, evidence.router, keeping.router, safe.router,
           accounts.router, directory.router, series.router, webhooks.router, channels.router, callbacks.router)


def create_app(deps: Deps, *, with_worker: bool = False) -> FastAPI:
    """The application on these Deps; `with_worker` runs the embedded worker as long as the application lives."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        worker = Worker(deps, HANDLERS, ticks(deps.settings), STRANGERS) if with_worker else None
        if worker is not None:
            worker.start()
        log.info("serving", url=deps.settings.url, data=str(deps.settings.data))
        yield
        if worker is not None:
            worker.stop()

    app = FastAPI(
        title="Passerelle",
        version="1",
        description="Passerelle de facturation électronique française. / Gateway for French e-invoicing.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
    )
    app.state.deps = deps
    app.add_middleware(Bounded)
    install(app)
    for router in ROUTERS:
        app.include_router(router)
    console.install(app)
    describe(app)
    return app

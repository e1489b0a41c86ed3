"""`passerelle serve | worker | migrate`: the processes of the service."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import SQLAlchemyError

from gateway.app import create_app
from gateway.assembly import assembled
from gateway.db import Database
from gateway.doorbell import celery_app, install_relay
from gateway.idempotency import forget_unfinished
from gateway.memory import give_back_large_blocks
from gateway.migrations.policies import grant_to
from gateway.migrations.upgrade import upgrade
from gateway.settings import Settings, UnsafeSetup
from gateway.topics import HANDLERS, STRANGERS, ticks
from gateway.worker import Worker

MOST_CONNECTIONS = 256
"""At once; the next one is answered 503. Each may bring a body of 100 MB, but only who has a key gets that far."""

KEEP_ALIVE_S = 20
"""So long an idle connection stays: longer than usual clients keep one (5 s is what many have), so that it is they who
close it and no request of theirs meets a connection that is just being closed."""


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, one of serve, worker, migrate. Exit 2: no such setting, unsafe set-up, database away."""
    options = argparse.ArgumentParser(prog=f"passerelle {argv[0]}")
    if argv[0] == "serve":
        options.add_argument("--host")
        options.add_argument("--port", type=int)
    if argv[0] == "migrate":
        options.add_argument("--grant-to", metavar="ROLE", help="PostgreSQL role under which the service will run")
    asked = {name: value for name, value in vars(options.parse_args(argv[1:])).items() if value is not None}
    service_role = asked.pop("grant_to", None)
    try:
        settings = Settings(**asked)
    except ValidationError as error:  # a sentence for each, without the value: it may be a secret
        for one in error.errors():
            name = f"PASSERELLE_{str(one['loc'][0]).upper()}" if one["loc"] else "PASSERELLE_…"
            print(f"passerelle: {name} : valeur refusée / value refused. {one['msg']}.", file=sys.stderr)
        return 2
    except SettingsError as error:
        print(f"passerelle: JSON attendu / JSON expected. {error}", file=sys.stderr)
        return 2
    give_back_large_blocks()
    try:
        if argv[0] == "migrate":
            return migrate(settings, service_role)
        return {"serve": serve, "worker": worker}[argv[0]](settings)
    except (UnsafeSetup, SQLAlchemyError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def serve(settings: Settings) -> int:
    """API and console, with the embedded worker unless a broker is set."""
    with assembled(settings, warm=True) as deps:
        embedded = settings.broker_url is None
        if embedded:
            forget_unfinished(deps)
        app = create_app(deps, with_worker=embedded)
        uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False,
                    server_header=False, timeout_graceful_shutdown=10, h11_max_incomplete_event_size=16384,
                    limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S)
    return 0


def worker(settings: Settings) -> int:
    """A worker without a web server, until SIGTERM or SIGINT; with a broker, told by Celery what is new."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with assembled(settings) as deps:  # not warm: it judges status messages now and then, and no invoices
        runner = Worker(deps, HANDLERS, ticks(settings), STRANGERS,
                        idle_seconds=settings.sweep_seconds if settings.broker_url else None)
        runner.start()
        if settings.broker_url:
            app = celery_app(settings.broker_url)
            install_relay(app, deps, HANDLERS, STRANGERS)
            app.worker_main(["worker", "--pool=threads", f"--concurrency={settings.work_threads}",
                             "--without-gossip", "--without-mingle", "--loglevel=WARNING"])
        else:
            ended.wait()
        runner.stop()
    return 0


def migrate(settings: Settings, service_role: str | None) -> int:
    """Upgrade the database and end; with a role, grant it what the service needs and no more."""
    db = Database(settings.database)
    upgrade(db.engine)
    if service_role is not None:
        grant_to(db.engine, service_role)
    db.close()
    return 0

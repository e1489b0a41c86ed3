"""A gateway without its web and its workshop, under a clock that a campaign sets: database, store, keys, authority."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.evidence.stores import open_objects
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Base, Tenant
from gateway.vault import Vault
from validation.workshop import Workshop

TENANT = "00000000-0000-4000-8000-000000000001"


@dataclass
class Clock:
    """A clock that is set."""

    now: datetime

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now

    def forward(self, **step: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**step)


@contextmanager
def gateway(folder: Path, clock: Callable[[], datetime], **settings: object) -> Iterator[Deps]:
    """Silent Deps on a new SQLite database with one tenant; the workshop has no worker, since nothing is read here."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chosen = Settings(data=folder, **settings)
    db = Database(chosen.database)
    Base.metadata.create_all(db.engine)
    with Workshop(0) as workshop:
        deps = Deps(settings=chosen, db=db, store=open_objects(chosen, db, clock), workshop=workshop,
                    vault=Vault(bytes(32)), bell=Bell(), clock=clock)
        with db.transaction(TENANT) as session:
            session.add(Tenant(id=TENANT, name="Atelier des Passerelles", created_at=clock()))
        yield deps
        db.close()


def happen(deps: Deps, code: str = "looked", **more: object) -> None:
    """One state change of nothing in particular."""
    with deps.db.transaction(TENANT) as session:
        record(session, TENANT, Change(kind="setting", code=code, actor="key:test", **more), now=deps.now())

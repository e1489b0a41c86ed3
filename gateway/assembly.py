"""Building Deps from Settings, and giving everything back."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from archive.store import Store
from gateway.clock import wall_clock
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.doorbell import celery_app, ringer
from gateway.evidence.stores import open_objects
from gateway.logs import set_up_logs
from gateway.migrations.policies import check_role
from gateway.migrations.upgrade import upgrade
from gateway.settings import Settings, UnsafeSetup
from gateway.vault import Vault, load_key
from validation.workshop import Workshop


@contextmanager
def assembled(settings: Settings, *, warm: bool = False) -> Iterator[Deps]:
    """The Deps of a process: database upgraded, archive writable, workshop open. All closed at the end.

    `warm` compiles the rule sets at once, for a process that serves.

    Raises:
        UnsafeSetup: the archive cannot be written, a public bind without a secret of its own, or a database role that
            no policy binds.
    """
    set_up_logs(json=settings.log_json)
    check_safe(settings)
    bell = Bell()
    ring = ringer(celery_app(settings.broker_url)) if settings.broker_url else bell.ring
    db = Database(settings.database, after_commit=ring)
    check_role(db.engine)
    upgrade(db.engine)
    workshop = Workshop(settings.workshop_workers, memory_bytes=settings.workshop_bytes,
                        seconds=settings.workshop_seconds, warm=warm, rules=settings.rules)
    try:
        yield Deps(settings=settings, db=db, store=open_objects(settings, db, wall_clock), workshop=workshop,
                   vault=Vault(key_of(settings)), bell=bell)
    finally:
        workshop.close()
        db.close()


def check_safe(settings: Settings) -> None:
    """Refuse an unsafe mix before anything is accepted."""
    public = settings.host not in {"127.0.0.1", "::1", "localhost"}
    if public and settings.secret is None:
        raise UnsafeSetup("PASSERELLE_SECRET must be set before the service listens on a public address")


@contextmanager
def objects_of(settings: Settings) -> Iterator[Store]:
    """The object store alone, for commands that need nothing else of the service.

    Raises:
        UnsafeSetup: it cannot be used.
    """
    db = Database(settings.database)
    try:
        yield open_objects(settings, db, wall_clock)
    finally:
        db.close()


def key_of(settings: Settings) -> bytes:
    """The 32-byte secret in force."""
    if settings.secret is not None:
        return base64.b64decode(settings.secret.get_secret_value())
    return load_key(settings.data)

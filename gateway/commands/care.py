"""`passerelle backup FILE | restore FILE`: database, objects, keys, rule sets and mail spool as one tar.

The database is copied first, then the objects: an object without a row is harmless, a row without its object is
not. The service may run during a backup; a restore wants an empty data folder and an empty database. PostgreSQL is
copied by its own `pg_dump` and `pg_restore`, which must be installed. Objects in S3 stay there, under their lock. The
tar holds secrets: only its owner may read it. `passerelle verify --all` checks what was restored.
Exit codes: 0 done; 1 refused; 2 could not run.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from archive.stores.opening import folder_of
from gateway.alarms.house import BACKED_UP
from gateway.clock import wall_clock
from gateway.db import EVERY_TENANT, Database
from gateway.evidence.stores import main_url
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Tenant

SQLITE, POSTGRES = "passerelle.sqlite3", "passerelle.pgdump"
FOLDERS = ("keys", "tsa", "mail", "objects", "rules")
FILES = ("secret.key",)


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, backup or restore."""
    options = argparse.ArgumentParser(prog=f"passerelle {argv[0]}")
    options.add_argument("file", type=Path)
    target: Path = options.parse_args(argv[1:]).file
    settings = Settings()
    try:
        return backup(settings, target) if argv[0] == "backup" else restore(settings, target)
    except subprocess.CalledProcessError as error:
        print(f"passerelle: {error.cmd[0]}: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        return 2
    except (OSError, tarfile.TarError, sqlite3.Error, SQLAlchemyError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def backup(settings: Settings, target: Path) -> int:
    """Write the tar, first under another name, so that a half-written backup never looks like one."""
    source = sqlite_file(settings)
    if source is not None and not source.is_file():
        print(f"passerelle: {source} n'existe pas / does not exist", file=sys.stderr)
        return 2
    unfinished = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(dir=target.absolute().parent) as folder:
        copy = Path(folder) / (POSTGRES if source is None else SQLITE)
        if source is None:
            postgres(settings, "pg_dump", "--format=custom", "--enable-row-security", f"--file={copy}")
        else:
            with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as kept:
                live.backup(kept)
        with _private(unfinished) as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                tar.add(copy, copy.name)
                add_files(settings, tar)
            file.flush()
            os.fsync(file.fileno())
    unfinished.rename(target)
    journal(settings, target.stat().st_size)
    print(target)
    return 0


def journal(settings: Settings, size: int) -> None:
    """Tell each tenant's journal that everything was backed up: an alarm asks for the next one by it.

    The tar is whole by then: a database that takes no entry now is only told of.
    """
    db = Database(settings.database)
    try:
        for tenant_id in tenants(db):
            with db.transaction(tenant_id) as session:
                record(session, tenant_id, Change(kind="evidence", code=BACKED_UP, actor="operator:cli",
                                                  subject="backup", data={"size": size}), now=wall_clock())
    except SQLAlchemyError as error:
        print(f"passerelle: sauvegarde faite, non journalisée / backed up, not journaled: {error}", file=sys.stderr)
    finally:
        db.close()


def tenants(db: Database) -> list[str]:
    """The ids of all tenants."""
    with db.reading(EVERY_TENANT) as session:
        return list(session.scalars(select(Tenant.id).order_by(Tenant.id)))


def add_files(settings: Settings, tar: tarfile.TarFile) -> None:
    """Everything beside the database that is there."""
    objects = objects_folder(settings)
    for name in FILES:
        if (settings.data / name).exists():
            tar.add(settings.data / name, name)
    for name in FOLDERS:
        place = objects if name == "objects" else settings.data / name
        if place is None:
            print("les objets restent dans S3 / objects stay in S3", file=sys.stderr)
        elif place.exists():
            tar.add(place, name, filter=_no_temporary)


def restore(settings: Settings, source: Path) -> int:
    """Unpack into an empty data folder and an empty database.

    What waited when the backup was made may have been done since: before any of it is sent, the platform is asked
    whether it has it.
    """
    occupied = not_empty(settings)
    if occupied is not None:
        print(f"passerelle: {occupied} n'est pas vide / is not empty", file=sys.stderr)
        return 1
    database = sqlite_file(settings)
    with tarfile.open(source) as tar:
        if (SQLITE if database is not None else POSTGRES) not in tar.getnames():
            print("passerelle: sauvegarde d'un autre moteur / backup of another engine", file=sys.stderr)
            return 1
        settings.data.mkdir(parents=True, exist_ok=True)
        tar.extractall(settings.data, filter="data")
    place = objects_folder(settings)
    if place is not None and place != settings.data / "objects" and (settings.data / "objects").exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(settings.data / "objects", place)
    if database is None:
        postgres(settings, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error",
                 str(settings.data / POSTGRES))
        (settings.data / POSTGRES).unlink()
    elif database != settings.data / SQLITE:
        shutil.move(settings.data / SQLITE, database)
    doubt(settings)
    print(settings.data)
    return 0


def doubt(settings: Settings) -> None:
    """What waited may have been done after the backup: it counts as tried once, with an unknown end."""
    db = Database(settings.database)
    with db.transaction(EVERY_TENANT) as session:
        session.execute(text("UPDATE outbox SET attempts = 1, lease_until = NULL "
                             "WHERE state = 'pending' AND attempts = 0"))
    db.close()


def not_empty(settings: Settings) -> str | None:
    """What a restore would overwrite; None when there is nothing."""
    if settings.data.exists() and any(settings.data.iterdir()):
        return str(settings.data)
    objects = objects_folder(settings)
    if objects is not None and objects.exists() and any(objects.iterdir()):
        return str(objects)
    database = sqlite_file(settings)
    if database is not None:
        return str(database) if database.exists() else None
    db = Database(settings.database)
    with db.engine.connect() as connection:
        tables = connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
    db.close()
    return make_url(settings.database).database if tables else None


def sqlite_file(settings: Settings) -> Path | None:
    """The file of the embedded database; None on PostgreSQL."""
    url = make_url(settings.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def objects_folder(settings: Settings) -> Path | None:
    """The write-once directory; None where objects are in S3."""
    url = main_url(settings)
    return folder_of(url) if url.startswith("file:") else None


def postgres(settings: Settings, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the database as the machinery, which row-level security lets see every row."""
    url = make_url(settings.database)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    subprocess.run([program, *arguments, f"--dbname={plain}"], check=True, capture_output=True,
                   env={**os.environ, **secret, "PGOPTIONS": f"-c passerelle.tenant={EVERY_TENANT}"})


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _no_temporary(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "/tmp/" in f"{member.name}/" else member  # noqa: S108 - the store's own folder

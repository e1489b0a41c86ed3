"""`passerelle backup FILE | restore FILE`: everything embedded (database, objects, keys, mail spool) as one tar.

The database is copied first, then the objects: an object without a row is harmless, a row without its object is
not. The service may run during a backup; a restore wants an empty data folder. With another database engine or
object store, use that engine's own means. The tar holds secrets: only its owner may read it.
Exit codes: 0 done; 1 refused; 2 could not run.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.engine import make_url

from gateway.assembly import objects_folder
from gateway.settings import Settings

DATABASE = "passerelle.sqlite3"
FOLDERS = ("keys", "tsa", "mail", "objects", "rules")
FILES = ("secret.key",)


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, backup or restore."""
    options = argparse.ArgumentParser(prog=f"passerelle {argv[0]}")
    options.add_argument("file", type=Path)
    target: Path = options.parse_args(argv[1:]).file
    settings = Settings()
    if make_url(settings.database).get_backend_name() != "sqlite":
        print("passerelle: backup and restore serve the embedded database only", file=sys.stderr)
        return 2
    try:
        return backup(settings, target) if argv[0] == "backup" else restore(settings, target)
    except (OSError, tarfile.TarError, sqlite3.Error) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def backup(settings: Settings, target: Path) -> int:
    """Write the tar, first under another name, so that a half-written backup never looks like one."""
    source = Path(make_url(settings.database).database or "")
    if not source.is_file():
        print(f"passerelle: {source} n'existe pas / does not exist", file=sys.stderr)
        return 2
    unfinished = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / DATABASE
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as kept:
            live.backup(kept)
        with _private(unfinished) as file, tarfile.open(fileobj=file, mode="w") as tar:
            tar.add(copy, DATABASE)
            for name in FILES:
                if (settings.data / name).exists():
                    tar.add(settings.data / name, name)
            for name in FOLDERS:
                place = objects_folder(settings) if name == "objects" else settings.data / name
                if place.exists():
                    tar.add(place, name, filter=_no_temporary)
    unfinished.rename(target)
    print(target)
    return 0


def restore(settings: Settings, source: Path) -> int:
    """Unpack into an empty data folder. Run `passerelle verify --all` afterwards.

    What waited when the backup was made may have been done since: before any of it is sent, the platform is asked
    whether it has it.
    """
    database = Path(make_url(settings.database).database or "")
    if settings.data.exists() and any(settings.data.iterdir()):
        print(f"passerelle: {settings.data} n'est pas vide / is not empty", file=sys.stderr)
        return 1
    if database.exists():
        print(f"passerelle: {database} existe / exists", file=sys.stderr)
        return 1
    settings.data.mkdir(parents=True, exist_ok=True)
    with tarfile.open(source) as tar:
        tar.extractall(settings.data, filter="data")
    place = objects_folder(settings)
    if place != settings.data / "objects":
        (settings.data / "objects").rename(place)
    if database != settings.data / DATABASE:
        shutil.move(settings.data / DATABASE, database)
    with closing(sqlite3.connect(database)) as restored, restored:
        restored.execute("UPDATE outbox SET attempts = 1, lease_until = NULL WHERE state = 'pending' AND attempts = 0")
    print(settings.data)
    return 0


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _no_temporary(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "/tmp/" in f"{member.name}/" else member  # noqa: S108 - the store's own folder

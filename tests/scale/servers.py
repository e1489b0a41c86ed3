"""PostgreSQL and Redis as child processes of whoever needs them: free loopback port, own folder, ended by id.

Durability against a power cut is switched off where a caller says so: a killed process loses nothing without it, and
tests have no power cuts.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import redis
from psycopg import sql

POSTGRES = Path(next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), "/nowhere"))
REDIS = shutil.which("redis-server")
PATIENCE = 60.0


def missing() -> str | None:
    """Why the servers cannot be started here; None when they can."""
    if not (POSTGRES / "postgres").exists():
        return "PostgreSQL is not installed (deploy/debian-packages.txt)"
    return None if REDIS else "Redis is not installed (deploy/debian-packages.txt)"


@contextmanager
def postgres(*, durable: bool = True) -> Iterator[str]:
    """A cluster of its own; yields the SQLAlchemy URL of database and role `passerelle`, which is no superuser."""
    with postgres_server(durable=durable) as (url, _):
        yield url


@contextmanager
def postgres_server(*, durable: bool = True) -> Iterator[tuple[str, int]]:
    """As `postgres`, with the id of the server's process."""
    with tempfile.TemporaryDirectory(prefix="passerelle-pg-") as name:
        folder, port = Path(name), free_port()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        subprocess.run(as_postgres(str(POSTGRES / "initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8",
                                   "--locale=C.UTF-8", "--no-sync", "-D", str(data)), check=True, capture_output=True)
        relaxed = [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(as_postgres(
                str(POSTGRES / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", name,
                "-c", "max_connections=200", "-c", "shared_buffers=64MB", *relaxed), stdout=log, stderr=log)
        try:
            admin = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
            until_up(lambda: psycopg.connect(admin).close(), psycopg.OperationalError)
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute("CREATE ROLE passerelle LOGIN CREATEDB")
                connection.execute("CREATE DATABASE passerelle OWNER passerelle")
            yield f"postgresql+psycopg://passerelle@127.0.0.1:{port}/passerelle", server.pid
        finally:
            server.terminate()  # SIGTERM through setpriv, which became the server
            with suppress(subprocess.TimeoutExpired):
                server.wait(timeout=2)  # the smart way waits for clients that may be left
            if server.poll() is None:
                subprocess.run(as_postgres(str(POSTGRES / "pg_ctl"), "stop", "-m", "immediate", "-D", str(data)),
                               check=False, capture_output=True)
                server.wait(timeout=20)


@contextmanager
def copied(url: str) -> Iterator[str]:
    """A new database like the one at `url`, removed at the end; yields its URL."""
    there, _, template = url.rpartition("/")
    name = f"copy_{uuid.uuid4().hex[:12]}"
    port = int(there.rpartition(":")[2])
    with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER passerelle").format(
            sql.Identifier(name), sql.Identifier(template)))
        yield f"{there}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def broker() -> Iterator[str]:
    """A Redis that keeps nothing on disk; yields its URL."""
    port = free_port()
    server = subprocess.Popen([str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly",
                               "no", "--dir", tempfile.gettempdir()], stdout=subprocess.DEVNULL)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        with redis.Redis.from_url(url) as client:
            until_up(client.ping, redis.ConnectionError)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def as_postgres(*command: str) -> Sequence[str]:
    """The command as it is, or as the user `postgres` for root, whom the server refuses."""
    if os.getuid() != 0:
        return command
    user = pwd.getpwnam("postgres")
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command)


def until_up(call, error: type[Exception]) -> None:
    """Call until it goes through."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            call()
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

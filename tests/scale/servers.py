"""PostgreSQL, Redis and RabbitMQ as child processes of whoever needs them: free loopback port, own folder, ended by id.

Durability against a power cut is switched off where a caller says so: a killed process loses nothing without it, and
tests have no power cuts.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import kombu
import psycopg
import redis
from psycopg import sql

POSTGRES = Path(next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), "/nowhere"))
REDIS = shutil.which("redis-server")
RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PATIENCE = 180.0
"""RabbitMQ takes five seconds to start on a quiet machine."""


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
def postgres_server(*, durable: bool = True, keep: Path | None = None) -> Iterator[tuple[str, int]]:
    """As `postgres`, with the id of the server's process. With `keep` the cluster stays in that folder."""
    with tempfile.TemporaryDirectory(prefix="passerelle-pg-") as name:
        folder, port = keep or Path(name), free_port()
        folder.mkdir(exist_ok=True)
        if os.getuid() == 0:
            for one in (folder, Path(name)):
                shutil.chown(one, "postgres", "postgres")
        data = folder / "data"
        new = not data.exists()
        if new:
            subprocess.run(as_postgres(
                str(POSTGRES / "initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-sync", "-D", str(data)), check=True, capture_output=True)
        relaxed = [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(as_postgres(
                str(POSTGRES / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", name,
                "-c", "max_connections=200", "-c", "shared_buffers=64MB", *relaxed), stdout=log, stderr=log)
        try:
            admin = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
            until_up(lambda: psycopg.connect(admin).close(), psycopg.OperationalError)
            if new:
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


@contextmanager
def rabbit() -> Iterator[str]:
    """A RabbitMQ with a port mapper of its own; yields its URL. It takes some seconds to start."""
    with tempfile.TemporaryDirectory(prefix="passerelle-mq-") as folder, ExitStack() as stack:
        mapper_port, port = free_port(), free_port()
        mapper = subprocess.Popen(["epmd", "-address", "127.0.0.1", "-port", str(mapper_port)],
                                  env={**os.environ, "HOME": folder})
        stack.callback(ended, mapper)
        environment = {
            "HOME": folder, "ERL_EPMD_PORT": str(mapper_port), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq", "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia", "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_NODENAME": f"passerelle{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }
        with Path(folder, "out").open("wb") as out:
            server = subprocess.Popen([str(RABBIT)], env={**os.environ, **environment}, stdout=out, stderr=out,
                                      start_new_session=True)
        stack.callback(ended, server, group=True)
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        until_up(lambda: kombu.Connection(url, connect_timeout=2).ensure_connection(max_retries=1).close(), Exception)
        yield url


def ended(started: subprocess.Popen[bytes], *, group: bool = False) -> None:
    """SIGTERM to a process that was started here, or to it and its children, then SIGKILL."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(started.pid, sign) if group else started.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=20)
            return


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

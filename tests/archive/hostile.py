"""The answers of a timestamp authority that lies, is broken, or has the wrong papers; and openssl as second judge.

Each is what a real server could send for the request at hand. `reason` is what archive.timestamp must name.
"""

import hashlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import algos, cms, tsp

from gateway.sandbox.authority import POLICY, LocalAuthority, make_identity

HUGE = 50_000_000
DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Cast:
    """Authorities with right and wrong papers, and the time of the play."""

    folder: Path
    now: datetime
    honest: LocalAuthority
    foreign: LocalAuthority
    without_purpose: LocalAuthority
    expired: LocalAuthority
    too_young: LocalAuthority
    earlier: bytes
    """An honest answer to an earlier request about the same message."""


@dataclass(frozen=True)
class Lie:
    """One hostile answer."""

    name: str
    reasons: tuple[str, ...]
    """What archive.timestamp may name it; several where it depends on which of two faults is met first."""

    answer: Callable[[Cast, bytes], bytes]
    whose: str = "honest"
    """The authority whose root is trusted."""

    head: bytes = b"Content-Type: application/timestamp-reply"
    drips: bool = False
    available: bool = True
    """False where the network, not the answer, is at fault: TimestampUnavailable."""


def make_cast(folder: Path, now: datetime, message: bytes) -> Cast:
    """All authorities, made anew."""
    make_identity(folder / "purpose", now, purpose=False)
    make_identity(folder / "expired", now - timedelta(days=60), valid=timedelta(days=30))
    make_identity(folder / "young", now + timedelta(days=60))
    honest = LocalAuthority(folder / "honest", lambda: now)
    return Cast(folder, now, honest, LocalAuthority(folder / "foreign", lambda: now),
                *(LocalAuthority(folder / name, lambda: now) for name in ("purpose", "expired", "young")),
                earlier=honest.stamp(request_for(message, nonce=4711)))


def request_for(message: bytes, nonce: int | None = 7, algorithm: str = "sha256", policy: str | None = None) -> bytes:
    """A TimeStampReq as any client could make it."""
    return bytes(tsp.TimeStampReq({
        "version": "v1",
        "message_imprint": {"hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                            "hashed_message": hashlib.new(algorithm, message).digest()},
        "cert_req": True,
        **({} if nonce is None else {"nonce": nonce}), **({} if policy is None else {"req_policy": policy}),
    }).dump())


def told(authority: LocalAuthority, request: bytes, *, policy: str = POLICY, status: str = "granted",
         algorithm: str | None = None, second: LocalAuthority | None = None) -> bytes:
    """A signed answer in which some things are not as they were asked."""
    asked = tsp.TimeStampReq.load(request)
    imprint = asked["message_imprint"]
    if algorithm is not None:
        imprint = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                   "hashed_message": hashlib.new(algorithm, b"a checkpoint\n").digest()}
    info = tsp.TSTInfo({"version": "v1", "policy": policy, "message_imprint": imprint, "serial_number": 99,
                        "gen_time": authority._clock(), "ordering": False, "nonce": asked["nonce"].native})
    signed = authority._signed(info.dump())
    if second is not None:
        both = [signed["signer_infos"][0], second._signed(info.dump())["signer_infos"][0]]
        signed = cms.SignedData({**{name: signed[name] for name in (
            "version", "digest_algorithms", "encap_content_info", "certificates")}, "signer_infos": both})
    return bytes(tsp.TimeStampResp({
        "status": {"status": status},
        "time_stamp_token": cms.ContentInfo({"content_type": "signed_data", "content": signed}),
    }).dump())


def _about(cast: Cast, request: bytes, message: bytes) -> bytes:
    return cast.honest.stamp(request_for(message, tsp.TimeStampReq.load(request)["nonce"].native))


LIES = (
    Lie("wrong nonce", ("wrong-nonce",), lambda cast, request: cast.honest.stamp(_renonced(request))),
    Lie("wrong imprint", ("wrong-imprint",), lambda cast, request: _about(cast, request, b"another checkpoint\n")),
    Lie("wrong policy", ("wrong-policy",), lambda cast, request: told(cast.honest, request, policy="2.999.666")),
    Lie("wrong purpose", ("wrong-purpose",), lambda cast, request: cast.without_purpose.stamp(request),
        "without_purpose"),
    Lie("expired certificate", ("certificate-expired",), lambda cast, request: cast.expired.stamp(request), "expired"),
    Lie("certificate not yet valid", ("certificate-not-yet-valid",),
        lambda cast, request: cast.too_young.stamp(request), "too_young"),
    Lie("embedded foreign root", ("foreign-authority",), lambda cast, request: cast.foreign.stamp(request)),
    Lie("two signers", ("several-signers",), lambda cast, request: told(cast.honest, request, second=cast.foreign)),
    Lie("granted with changes", ("granted-with-changes",),
        lambda cast, request: told(cast.honest, request, status="granted_with_mods", policy="2.999.666")),
    Lie("rejection", ("rejected",), lambda cast, _: cast.honest.stamp(b"not a request")),
    Lie("truncated", ("not-a-timestamp",), lambda cast, request: cast.honest.stamp(request)[:-7]),
    Lie("huge", ("too-large",), lambda _, __: bytes(HUGE)),
    Lie("slow loris", (), lambda cast, request: cast.honest.stamp(request)[:40], drips=True, available=False),
    Lie("html", ("not-a-timestamp",), lambda _, __: b"<!DOCTYPE html><title>Maintenance</title>",
        head=b"Content-Type: text/html"),
    Lie("replayed", ("wrong-nonce",), lambda cast, _: cast.earlier),
    Lie("sha-1", ("weak-hash",), lambda cast, request: told(cast.honest, request, algorithm="sha1")),
)
"""Replay and SHA-1 are told apart: sixteen."""


def _renonced(request: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(request)
    digest = asked["message_imprint"]["hashed_message"].native
    return bytes(tsp.TimeStampReq({
        "version": "v1", "message_imprint": {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                                             "hashed_message": digest},
        "cert_req": True, "nonce": asked["nonce"].native + 1}).dump())


def openssl_believes(folder: Path, request: bytes, response: bytes, ca: bytes, at: datetime) -> bool:
    """Whether `openssl ts -verify` takes a response for an answer to a request that names our policy."""
    asked = tsp.TimeStampReq.load(request)
    query = tsp.TimeStampReq({"version": "v1", "message_imprint": asked["message_imprint"], "req_policy": POLICY,
                              "nonce": asked["nonce"].native, "cert_req": True}).dump()
    for name, data in (("q", query), ("r", response), ("ca.pem", ca)):
        (folder / name).write_bytes(data)
    return subprocess.run(
        ["openssl", "ts", "-verify", "-queryfile", "q", "-in", "r", "-CAfile", "ca.pem",
         "-attime", str(int(at.timestamp()))], cwd=folder, capture_output=True, check=False,
    ).returncode == 0


@dataclass
class Stage:
    """A server that answers each request with the lie at hand, and remembers both."""

    url: str = ""
    lie: Lie | None = None
    request: bytes = b""
    response: bytes = b""


@contextmanager
def playing(cast: Cast) -> Iterator[Stage]:
    """Serve until the end of the block."""
    stage, ended = Stage(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection = listener.accept()[0]
                    with connection, suppress(OSError):
                        _answer(stage, cast, connection, ended)

        thread = threading.Thread(target=serve)
        thread.start()
        stage.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        try:
            yield stage
        finally:
            ended.set()
            thread.join()


def _answer(stage: Stage, cast: Cast, connection: socket.socket, ended: threading.Event) -> None:
    connection.settimeout(10)
    stage.request = body = _received(connection)
    assert stage.lie is not None
    stage.response = stage.lie.answer(cast, body)
    length = len(stage.response) if not stage.lie.drips else 5000
    start = b"HTTP/1.1 200 OK\r\n" + stage.lie.head + b"\r\nContent-Length: %d\r\n\r\n" % length
    if not stage.lie.drips:
        connection.sendall(start + stage.response)
        return
    connection.sendall(start)
    for at in range(len(stage.response)):
        connection.sendall(stage.response[at:at + 1])
        if ended.wait(DRIP_SECONDS):
            return


def _received(connection: socket.socket) -> bytes:
    """The body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    deadline = time.monotonic() + 10
    while len(body) < length and time.monotonic() < deadline:
        body += connection.recv(65536)
    return body


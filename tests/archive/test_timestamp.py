"""Timestamps: believed by us and by openssl when they are right, by neither when an authority or its network lies."""

import hashlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from archive_log import CALM
from asn1crypto import algos, tsp
from hypothesis import given
from hypothesis import strategies as st

from archive import timestamp
from archive.errors import TimestampRefused, TimestampUnavailable
from archive.timestamp import HttpAuthority
from gateway.sandbox.authority import LocalAuthority, make_identity
from gateway.sandbox.authority_server import server

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MESSAGE = b"a checkpoint\n"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("tsa")


@pytest.fixture(scope="module")
def authority(folder: Path) -> LocalAuthority:
    return LocalAuthority(folder / "honest", lambda: NOW)


@pytest.fixture(scope="module")
def token(authority: LocalAuthority) -> bytes:
    return timestamp.obtain(authority, MESSAGE, authority.ca).response


def request_for(message: bytes, nonce: int | None = 7, algorithm: str = "sha256") -> bytes:
    digest = hashlib.new(algorithm, message).digest()
    return tsp.TimeStampReq({
        "version": "v1",
        "message_imprint": {"hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                            "hashed_message": digest},
        "cert_req": True,
        **({} if nonce is None else {"nonce": nonce}),
    }).dump()


def openssl_believes(folder: Path, response: bytes, message: bytes, ca: bytes, at: datetime = NOW) -> bool:
    for name, data in (("m", message), ("m.tsr", response), ("ca.pem", ca)):
        (folder / name).write_bytes(data)
    return subprocess.run(
        ["openssl", "ts", "-verify", "-data", "m", "-in", "m.tsr", "-CAfile", "ca.pem",
         "-attime", str(int(at.timestamp()))],
        cwd=folder, capture_output=True, check=False,
    ).returncode == 0


@dataclass
class Liar:
    """An authority that answers whatever a test wants, given the request."""

    answer: Callable[[bytes], bytes]

    def stamp(self, request: bytes) -> bytes:
        return self.answer(request)


def test_a_token_says_when_and_by_whom(authority: LocalAuthority, token: bytes) -> None:
    stamp = timestamp.verify(token, MESSAGE, authority.ca)
    assert stamp.at == NOW
    assert stamp.policy == "2.999.3161"
    assert "NOT QUALIFIED" in stamp.authority


@needs_openssl
def test_openssl_believes_it_too(authority: LocalAuthority, token: bytes, tmp_path: Path) -> None:
    assert openssl_believes(tmp_path, token, MESSAGE, authority.ca)
    assert not openssl_believes(tmp_path, token, MESSAGE + b"!", authority.ca)


@needs_openssl
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_local_authority_answers_openssl(authority: LocalAuthority, tmp_path: Path, algorithm: str) -> None:
    (tmp_path / "m").write_bytes(MESSAGE)
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", "m", f"-{algorithm}", "-cert"], cwd=tmp_path, capture_output=True,
        check=True,
    ).stdout
    (tmp_path / "q").write_bytes(query)
    (tmp_path / "r").write_bytes(authority.stamp(query))
    (tmp_path / "ca.pem").write_bytes(authority.ca)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-queryfile", "q", "-in", "r", "-CAfile", "ca.pem",
         "-attime", str(int(NOW.timestamp()))], cwd=tmp_path, capture_output=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert timestamp.verify((tmp_path / "r").read_bytes(), MESSAGE, authority.ca).at == NOW


def test_twenty_new_authorities_are_all_understood(tmp_path: Path) -> None:
    """The verifier wants certificate sets in DER order, which depends on random keys and serial numbers."""
    for number in range(20):
        fresh = LocalAuthority(tmp_path / str(number), lambda: NOW)
        assert timestamp.obtain(fresh, MESSAGE, fresh.ca).stamp.at == NOW


def test_an_authority_keeps_its_identity(folder: Path, authority: LocalAuthority) -> None:
    again = LocalAuthority(folder / "honest", lambda: NOW)
    assert again.ca == authority.ca
    make_identity(folder / "honest", NOW)
    assert (folder / "honest" / "tsa-ca.pem").read_bytes() == authority.ca
    assert (folder / "honest" / "tsa.key").stat().st_mode & 0o077 == 0


def other_nonce(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda _: authority.stamp(request_for(MESSAGE, nonce=12345))


def no_nonce(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda _: authority.stamp(request_for(MESSAGE, nonce=None))


def other_message(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    def answer(request: bytes) -> bytes:
        return authority.stamp(request_for(b"other", nonce=tsp.TimeStampReq.load(request)["nonce"].native))
    return answer


def foreign_root(_: LocalAuthority, foreign: LocalAuthority) -> Callable[[bytes], bytes]:
    """Its own root lies in the token, as in the forgeries that older verifiers believed."""
    return foreign.stamp


def rejection(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda _: authority.stamp(b"not a request")


def truncated(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda request: authority.stamp(request)[:-1]


def followed(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda request: authority.stamp(request) + b"\x00"


def huge(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda request: authority.stamp(request) + bytes(50_000_000)


def html(_: LocalAuthority, __: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda _: b"<!DOCTYPE html><title>Maintenance</title>"


def empty(_: LocalAuthority, __: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda _: b""


def replayed(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    earlier = timestamp.obtain(authority, MESSAGE, authority.ca).response
    return lambda _: earlier


def granted_with_changes(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda request: _with_status(authority.stamp(request), 1)


def waiting(authority: LocalAuthority, _: LocalAuthority) -> Callable[[bytes], bytes]:
    return lambda request: _with_status(authority.stamp(request), 3)


def _with_status(response: bytes, status: int) -> bytes:
    assert response[4:9] == b"\x30\x03\x02\x01\x00"
    return response[:8] + bytes([status]) + response[9:]


LIES = [other_nonce, no_nonce, other_message, foreign_root, rejection, truncated, followed, huge, html, empty,
        replayed, granted_with_changes, waiting]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_is_refused(folder: Path, authority: LocalAuthority, lie) -> None:
    foreign = LocalAuthority(folder / "foreign", lambda: NOW)
    with pytest.raises(TimestampRefused):
        timestamp.obtain(Liar(lie(authority, foreign)), MESSAGE, authority.ca)


@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_weak_hashes_are_not_stamped(authority: LocalAuthority, algorithm: str) -> None:
    with pytest.raises(TimestampRefused):
        timestamp.verify(authority.stamp(request_for(MESSAGE, algorithm=algorithm)), MESSAGE, authority.ca)


def test_a_certificate_without_the_purpose_stamps_nothing(tmp_path: Path) -> None:
    make_identity(tmp_path / "tsa", NOW, purpose=False)
    wrong = LocalAuthority(tmp_path / "tsa", lambda: NOW)
    with pytest.raises(TimestampRefused, match="purpose"):
        timestamp.obtain(wrong, MESSAGE, wrong.ca)


@pytest.mark.parametrize("at", [NOW - timedelta(days=30), NOW + timedelta(days=60)])
def test_a_certificate_stamps_only_while_it_is_valid(tmp_path: Path, at: datetime) -> None:
    make_identity(tmp_path / "tsa", NOW, valid=timedelta(days=30))
    stale = LocalAuthority(tmp_path / "tsa", lambda: at)
    with pytest.raises(TimestampRefused):
        timestamp.obtain(stale, MESSAGE, stale.ca)


def test_a_token_outlives_its_certificate(tmp_path: Path) -> None:
    """A certificate that ran out long before today: judged at the token's time, so this never expires."""
    then = datetime(2015, 5, 5, tzinfo=UTC)
    make_identity(tmp_path / "tsa", then, valid=timedelta(days=30))
    old = LocalAuthority(tmp_path / "tsa", lambda: then)
    assert timestamp.obtain(old, MESSAGE, old.ca).stamp.at == then


def test_a_pinned_signer_must_be_the_one(folder: Path, authority: LocalAuthority, token: bytes) -> None:
    foreign = LocalAuthority(folder / "foreign", lambda: NOW)
    assert foreign.ca
    leaf = (folder / "honest" / "tsa.pem").read_bytes()
    other = (folder / "foreign" / "tsa.pem").read_bytes()
    for ca in (authority.ca + leaf, authority.ca + leaf + other):
        assert timestamp.verify(token, MESSAGE, ca).at == NOW
    for ca, reason in ((authority.ca + other, "foreign-authority"), (leaf, "bad-trust")):
        with pytest.raises(TimestampRefused) as caught:
            timestamp.verify(token, MESSAGE, ca)
        assert caught.value.reason == reason


@pytest.mark.parametrize("ca", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_trust_that_is_no_certificate(token: bytes, ca: bytes) -> None:
    with pytest.raises(TimestampRefused):
        timestamp.verify(token, MESSAGE, ca)


def test_trust_has_one_form(authority: LocalAuthority, token: bytes) -> None:
    for spoilt in (authority.ca + b"\n", b"x\n" + authority.ca, authority.ca.replace(b"\n", b"\r\n")):
        with pytest.raises(TimestampRefused):
            timestamp.verify(token, MESSAGE, spoilt)
        assert timestamp.plain(spoilt) == authority.ca


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_any_bit_of_a_certificate_may_change(authority: LocalAuthority, folder: Path, token: bytes) -> None:
    """The libraries raise many things for a broken certificate; we raise one. A root's own signature proves nothing."""
    for name in ("tsa-ca.pem", "tsa.pem"):
        der = ssl.PEM_cert_to_DER_cert((folder / "honest" / name).read_text())
        for at in range(len(der)):
            spoilt = bytearray(der)
            spoilt[at] ^= 1 << at % 8
            pem = ssl.DER_cert_to_PEM_cert(bytes(spoilt)).encode()
            with suppress(TimestampRefused):
                assert timestamp.verify(token, MESSAGE, authority.ca + timestamp.plain(pem)).at == NOW
            with suppress(TimestampRefused):
                assert timestamp.verify(token, MESSAGE, timestamp.plain(pem)).at == NOW


def test_only_timestamp_requests_reach_the_authority(tmp_path: Path) -> None:
    kind = {"Content-Type": "application/timestamp-query"}
    with serving(tmp_path / "tsa") as url:
        assert httpx.post(url, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
        assert httpx.post(url, content=bytes(70_000), headers=kind).status_code == 413
        assert httpx.get(url).status_code == 501
        assert timestamp_is_rejection(httpx.post(url, content=b"x", headers=kind).content)


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")  # the library's own word on a damaged name
@CALM
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_token_is_refused_or_means_the_same(folder: Path, at: int, flip: int) -> None:
    """A few bytes of a response lie outside its signature; whoever keeps it also keeps its hash (SHA256SUMS)."""
    authority = LocalAuthority(folder / "honest", lambda: NOW)
    token = bytearray(timestamp.obtain(authority, MESSAGE, authority.ca).response)
    token[at % len(token)] ^= flip
    try:
        stamp = timestamp.verify(bytes(token), MESSAGE, authority.ca)
    except TimestampRefused:
        return
    assert stamp.at == NOW


@CALM
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(folder: Path, data: bytes) -> None:
    authority = LocalAuthority(folder / "honest", lambda: NOW)
    with pytest.raises(TimestampRefused):
        timestamp.verify(data, MESSAGE, authority.ca)
    assert timestamp_is_rejection(authority.stamp(data))


def timestamp_is_rejection(response: bytes) -> bool:
    return response.startswith(b"\x30\x09\x30\x07\x02\x01\x02")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    with server("127.0.0.1", 0, folder) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.server_address[1]}/tsr"
        finally:
            door.shutdown()
            thread.join()


@contextmanager
def answering(*pieces: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that reads one request and sends these bytes, piece by piece."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(65536)
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                        time.sleep(pause)
                except OSError:
                    pass  # the client had enough

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            thread.join()


def test_an_authority_over_http(tmp_path: Path) -> None:
    with serving(tmp_path / "tsa") as url:
        ca = (tmp_path / "tsa" / "tsa-ca.pem").read_bytes()
        token = timestamp.obtain(HttpAuthority(url), MESSAGE, ca)
        assert timestamp.verify(token.response, MESSAGE, ca) == token.stamp


REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n"


@pytest.mark.parametrize(("answer", "kind"), [
    (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", TimestampRefused),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", TimestampRefused),
    (REPLY + b"Content-Length: 6\r\n\r\n<html>", TimestampRefused),
    (REPLY + b"Content-Length: 50000000\r\n\r\n" + bytes(200_000), TimestampRefused),
    (REPLY + b"Content-Length: 100\r\n\r\nshort", TimestampUnavailable),
    (REPLY + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", TimestampUnavailable),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", TimestampUnavailable),
    (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", TimestampUnavailable),
    (b"SSH-2.0-OpenSSH\r\n", TimestampUnavailable),
    (b"", TimestampUnavailable),
])
def test_a_server_that_is_no_authority(authority: LocalAuthority, answer: bytes, kind: type[Exception]) -> None:
    with answering(answer) as url, pytest.raises(kind):
        timestamp.obtain(HttpAuthority(url, seconds=4), MESSAGE, authority.ca)


@pytest.mark.parametrize("pieces", [
    (REPLY + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 100),
    (b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 100),
    (*[b"H"] * 100,),
])
def test_a_server_that_drips_is_left(authority: LocalAuthority, pieces: tuple[bytes, ...]) -> None:
    started = time.perf_counter()
    with answering(*pieces, pause=0.05) as url:
        with pytest.raises(TimestampUnavailable):
            timestamp.obtain(HttpAuthority(url, seconds=0.6), MESSAGE, authority.ca)
        assert time.perf_counter() - started < 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "ftp://127.0.0.1/", "http://[::1", "http://"])
def test_nobody_there(authority: LocalAuthority, url: str) -> None:
    with pytest.raises(TimestampUnavailable):
        timestamp.obtain(HttpAuthority(url), MESSAGE, authority.ca)


def test_the_authority_as_a_program(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.sandbox.authority_server", "--state", str(tmp_path / "tsa")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            ca = (tmp_path / "tsa" / "tsa-ca.pem").read_bytes()
            stamp = timestamp.obtain(HttpAuthority(url), MESSAGE, ca).stamp
            assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=1)
        finally:
            process.terminate()

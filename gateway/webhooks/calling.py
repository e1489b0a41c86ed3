"""One HTTP call to a stranger: a checked address, no redirect, no proxy, a deadline, a bounded answer or none."""

import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpcore

from gateway.trust import trust
from gateway.webhooks.address import ForbiddenTarget, check_url, routable

SECONDS = 15.0
"""Longest time for one call up to the status line. Only the resolver, whose time counts, has a limit of its own."""

SOCKET_OPTION = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Unreachable(Exception):
    """No answer; the text says why in a word or two."""


def call(url: str, headers: Mapping[str, str], body: bytes, *, allowed: Sequence[str], seconds: float = SECONDS) -> int:
    """POST `body` to `url`; returns the HTTP status. The answer's body is not read: it concerns nobody here.

    Raises: as `exchange`.
    """
    return exchange("POST", url, headers, body, allowed=allowed, seconds=seconds)[0]


def exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, allowed: Sequence[str],
    seconds: float = SECONDS, most_bytes: int = 0, plain: bool = False,
) -> tuple[int, bytes]:
    """(HTTP status, answer) of one request; of the answer nothing is read where `most_bytes` is 0.

    `plain`: http on port 80 will do, as for what carries a signature of its own.

    Raises:
        ForbiddenTarget: the URL, or an address that its name has now, is not public.
        Unreachable: no connection, a certificate that does not fit, no answer in time or a longer one, not HTTP.
    """
    host, port = check_url(url, allowed, plain=plain)
    backend = _Guarded(host, port, allowed, time.monotonic() + seconds)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    read = bytearray()
    try:
        with (
            httpcore.ConnectionPool(ssl_context=trust(), network_backend=backend) as pool,
            pool.stream(method, url, headers=list(headers.items()), content=body,
                        extensions={"timeout": timeouts}) as answer,
        ):
            for chunk in answer.iter_stream() if most_bytes else ():
                read += chunk
                if len(read) > most_bytes:
                    raise Unreachable(f"over {most_bytes} bytes")
            return answer.status, bytes(read)
    except ForbiddenTarget:
        raise
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
            httpcore.UnsupportedProtocol, OSError, UnicodeError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error


class _Guarded(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever the name says a moment later."""

    def __init__(self, host: str, port: int, allowed: Sequence[str], deadline: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._target = (host, port)
        self._allowed = allowed
        self._deadline = deadline

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that answers."""
        if (host.strip("[]").lower(), port) != self._target:
            raise ForbiddenTarget("Une autre adresse que la sienne. / Another address than its own.")
        trouble: Exception = httpcore.ConnectError(f"no address for {host}")
        for address in routable(host.strip("[]"), port, self._allowed):
            left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
            else:
                return _Bounded(stream, self._deadline)
        raise trouble

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        del timeout, socket_options  # the signature is httpcore's
        raise ForbiddenTarget(f"{path} : une adresse locale. / A local address.")


class _Bounded(httpcore.NetworkStream):
    """A stream that ends at a deadline: a receiver that answers letter by letter holds nobody up."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return self._inner.read(max_bytes, _left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All bytes."""
        self._inner.write(buffer, _left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """End it."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same under TLS; the certificate must be that of the host's name."""
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Bounded(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows about itself."""
        return self._inner.get_extra_info(info)


def _left(deadline: float, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
    """Seconds that remain, at most `timeout`."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("no answer in time")
    return left if timeout is None else min(left, timeout)

"""Authorised HTTP to one platform: token, limits, and the sorting of what can go wrong.

The one question that matters for a deposit is whether the platform may have got it. `Effect` says what the caller
asks of a call; everything that fails after the first byte may have left is Unknown for a deposit and Unavailable
for a question, which can be asked again.

No redirect is followed (the bearer would go along), no proxy or certificate variable of the environment is read,
answers are not decompressed and have a size and a time limit. Safe to use from several threads.
"""

import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import quote_plus

import httpx

from gateway.platforms.answers import Malformed, read_object
from gateway.platforms.circuit import LONGEST_ASKED
from gateway.platforms.classes import ERROR_CLASS, NOTHING_KEPT, Class
from gateway.platforms.connection import ConnectionSettings
from gateway.platforms.port import PlatformError, Precondition, Rejected, Unavailable, Unknown

BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
                  httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""Failures at which no byte of the request can have reached the platform."""

RENEW_BEFORE_S = 30.0
"""A token is renewed this long before it ends, so that it does not end under way."""

DEFAULT_TOKEN_S = 300.0
"""For a token whose lifetime the platform does not say."""

CONTENT_STATUS = frozenset({400, 409, 410, 411, 412, 413, 415, 422})
"""Answers that speak about what was sent. The rest of 4xx speaks about us, our rights or the address."""

ONE_EXCHANGE = httpx.Limits(max_keepalive_connections=0)
"""A connection carries one question: where something between us and a platform gives an answer twice, the second one
would pass for the answer to the next question, and one document for another."""

EVIDENCE_CHARS = 2000


class Effect(Enum):
    """What a call may change at the platform."""

    NONE = "question"
    DEPOSIT = "deposit"
    TOKEN = "token"  # noqa: S105  a kind of call, no secret


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer within the limits."""

    status: int
    headers: httpx.Headers
    body: bytes


class Link:
    """One platform's address book, token and connection pool."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        timeout = httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds)
        headers = {"Accept-Encoding": "identity", **settings.extra_headers}
        if settings.client_auth == "header":
            headers[settings.api_key_header] = settings.client_secret
        if settings.organization_id is not None:
            headers["Organization-Id"] = settings.organization_id
        self._client = httpx.Client(timeout=timeout, headers=headers, follow_redirects=False, trust_env=False,
                                    limits=ONE_EXCHANGE, proxy=settings.proxy,
                                    verify=_trust(settings.ca_file))
        self._lock = Lock()
        self._token = ""
        self._token_ends = float("-inf")

    def close(self) -> None:
        """Close the connections. The link is of no use afterwards."""
        self._client.close()

    def call(self, method: str, url: str, *, effect: Effect = Effect.NONE, max_bytes: int | None = None,
             **content: Any) -> Answer:
        """One authorised request; `content` goes to httpx (`json`, `files`, `params`).

        A refused token is replaced once: the platform that refused it did nothing else.

        Raises:
            Precondition: no token, no right, wrong address.
            Rejected: the platform does not want what was sent.
            Unavailable: nothing happened; later may be better. Also for every lost answer to a question.
            Unknown: the answer to a deposit was lost.
        """
        limit = self._settings.max_json_bytes if max_bytes is None else max_bytes
        content |= {"method": method, "url": url}
        token = self._current_token()
        answer = self._exchange(token, effect, limit, content)
        if answer.status == 401 and token is not None:
            self._forget(token)
            answer = self._exchange(self._current_token(), effect, limit, content)
        if answer.status >= 300:
            raise failure(answer, effect)
        return answer

    def _exchange(self, token: str | None, effect: Effect, limit: int, request: Mapping[str, Any]) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        name = self._settings.request_id_header
        request_id = str(uuid.uuid4())
        if self._settings.request_id == "header":
            headers[name] = request_id
        elif self._settings.request_id == "query":
            request = {**request, "params": {**request.get("params", {}), name: request_id}}
        return self._read(effect, limit, headers=headers, **request)

    def _read(self, effect: Effect, limit: int, **request: Any) -> Answer:
        """Send and read to the end, within the limits."""
        lost = Unknown if effect is Effect.DEPOSIT else Unavailable
        started = time.perf_counter()
        body = bytearray()
        try:
            with self._client.stream(**request) as response:
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > limit:
                        raise _too_large(effect, limit)
                    if time.perf_counter() - started > self._settings.total_seconds:
                        raise lost("TOO_SLOW", f"no complete answer in {self._settings.total_seconds:g} s")
                return Answer(response.status_code, response.headers, bytes(body))
        except BEFORE_SENDING as error:
            raise Unavailable("NOT_CONNECTED", _words(error)) from error
        except httpx.HTTPError as error:
            raise lost("ANSWER_LOST", _words(error)) from error
        except httpx.InvalidURL as error:
            raise Precondition("BAD_URL", _words(error)) from error

    def _current_token(self) -> str | None:
        """The token in force; None where the platform wants a key instead."""
        if self._settings.client_auth == "header":
            return None
        with self._lock:
            if time.monotonic() >= self._token_ends:
                self._token, lifetime = self._request_token()
                self._token_ends = time.monotonic() + lifetime - min(RENEW_BEFORE_S, lifetime / 2)
            return self._token

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._token_ends = float("-inf")

    def _request_token(self) -> tuple[str, float]:
        """(token, lifetime in seconds) by OAuth 2 client credentials (RFC 6749, 4.4)."""
        settings = self._settings
        if settings.token_url is None:
            raise Precondition("NO_TOKEN_URL", "this connection has no token address")
        form = {"grant_type": "client_credentials"}
        if settings.scope is not None:
            form["scope"] = settings.scope
        auth = None
        if settings.client_auth == "basic":
            auth = httpx.BasicAuth(settings.client_id, settings.client_secret)
        elif settings.client_auth == "basic-encoded":
            auth = httpx.BasicAuth(quote_plus(settings.client_id), quote_plus(settings.client_secret))
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        answer = self._read(Effect.TOKEN, settings.max_json_bytes, method="POST", url=settings.token_url, data=form,
                            auth=auth)
        if answer.status != 200:
            raise _token_refused(answer)
        try:
            fields = httpx.Response(200, content=answer.body).json()
            return str(fields["access_token"]), float(fields.get("expires_in") or DEFAULT_TOKEN_S)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Precondition("BAD_TOKEN", "the token address answers, but not with a token") from error


def failure(answer: Answer, effect: Effect) -> PlatformError:
    """The error that an answer of 300 and above stands for."""
    code, message = error_words(answer)
    evidence = f"HTTP {answer.status} {_text(answer.body)}"
    if answer.status in {429, 503}:
        return Unavailable(code, message, evidence=evidence, retry_after_s=retry_after(answer.headers))
    if answer.status in CONTENT_STATUS and effect is Effect.DEPOSIT:
        if code in NOTHING_KEPT:
            return Unavailable(code, message, evidence=evidence, retry_after_s=retry_after(answer.headers))
        if ERROR_CLASS.get(code) is Class.PRECONDITION:
            return Precondition(code, message, evidence=evidence)
    if answer.status in CONTENT_STATUS or (answer.status == 404 and effect is Effect.NONE):
        return Rejected(code, message, evidence=evidence)
    if answer.status >= 500 or answer.status == 408:
        kind = Unknown if effect is Effect.DEPOSIT else Unavailable
        return kind(code, message, evidence=evidence)
    return Precondition(code, message, evidence=evidence)


def error_words(answer: Answer) -> tuple[str, str]:
    """(code, message) of the `Error` object of the norm, or the bare status where there is none."""
    try:
        fields = read_object(answer.body)
    except Malformed:
        fields = {}
    code = fields.get("errorCode") or fields.get("error") or f"HTTP_{answer.status}"
    message = fields.get("errorMessage") or fields.get("details") or fields.get("error_description")
    return str(code), str(message or f"the platform answered {answer.status}")


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that the platform asks for (RFC 9110, 10.2.3), a day at most.

    A date is counted from the platform's own `Date` header.
    """
    value = headers.get("Retry-After", "")
    most = LONGEST_ASKED.total_seconds()
    if value.isascii() and value.isdigit():
        return min(float(value), most)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None
    return min(max(0.0, wait.total_seconds()), most)


def _token_refused(answer: Answer) -> PlatformError:
    code, message = error_words(answer)
    evidence = f"HTTP {answer.status} from the token address"
    if answer.status == 429 or answer.status >= 500:
        return Unavailable(code, message, evidence=evidence, retry_after_s=retry_after(answer.headers))
    return Precondition(code, message, evidence=evidence)


@cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Whom to trust. Reading the authorities takes longer than a request: one for all links."""
    return httpx.create_ssl_context(trust_env=False) if ca_file is None else ssl.create_default_context(cafile=ca_file)


def _too_large(effect: Effect, limit: int) -> PlatformError:
    kinds = {Effect.NONE: Rejected, Effect.DEPOSIT: Unknown, Effect.TOKEN: Precondition}
    return kinds[effect]("ANSWER_TOO_LARGE", f"the answer is larger than {limit} bytes")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _text(body: bytes) -> str:
    return body[:EVIDENCE_CHARS].decode("utf-8", "replace")

"""What must be known to reach one platform: addresses, credentials, and the switches in which platforms differ."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.platforms.port import Precondition

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One legal entity's connection to one platform. Made by the operator, never by a document."""

    driver: str = "afnor"
    """A key of registry.DRIVERS."""

    flow_url: str
    """Base of the flow service, without `/v1`: `https://api.flow.example.org/flow-service`."""

    directory_url: str | None = None
    """Base of the directory service, without `/v1`. None: this platform offers no directory."""

    token_url: str | None
    """None only where `client_auth` is `header`: nobody is asked for a token then."""

    client_id: str
    client_secret: str = field(repr=False)
    client_auth: str = "basic"
    """How the token request names the client: `basic` (header), `basic-encoded` (the same after form encoding, to
    the letter of RFC 6749, 2.3.1) or `body` (form fields). `header`: no token, the secret goes along with every
    request in `api_key_header`."""

    api_key_header: str = "X-API-Key"

    scope: str | None = None
    organization_id: str | None = None
    """Sent as `Organization-Id`: the tenant in a delegation."""

    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Static headers some platforms insist on."""

    request_id: str = "header"
    """Where the `Request-Id` of each attempt goes: `header`, `query` or `none`."""

    request_id_header: str = "Request-Id"
    """Its name, in the header and in the query."""

    multipart: str = "json-part"
    """How a deposit says its `flowInfo`: `json-part` (1.3), `text-part` (a plain form field) or `bracketed` (one form
    field per value, `flowInfo[name]`)."""

    file_part: str = "file"
    """The name of the part that holds the document."""

    omitted_fields: Sequence[str] = ()
    """Names of `flowInfo` that this platform does not take."""

    documents: Sequence[str] = ("Original", "Converted")
    """Kinds of document of an incoming flow, in the order in which they are asked for."""

    webhook_shape: str = "auto"
    """`flat` (1.3), `nested` (1.2), `none` (this platform has no webhooks to register), or `auto`: flat, and nested
    where that is refused."""

    signature: str = "afnor"
    """How a callback is proved: a key of callbacks.VERIFIERS."""

    clock_unit: str = "s"
    """Of the time beside a callback's signature: `s` or `ms`."""

    paging: str = "auto"
    """`cursor` (1.3), `date` (1.2 and older) or `auto`: cursor where offered, else by date."""

    lookup: str = "search"
    """How a deposit is looked up by its tracking id: `search` (the norm) or `query` (`GET /v1/flows?trackingId=`)."""

    allow_loopback: bool = False
    """Lets the three addresses be plain http on this machine, for the sandbox platform."""

    ca_file: str | None = None
    """PEM bundle to trust instead of the public authorities."""

    proxy: str | None = None
    """Proxy URL. Proxy variables of the environment are never read."""

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    """Longest silence, not longest answer; see `total_seconds`."""

    total_seconds: float = 300.0
    """Longest time for one answer, so that a slow drip ends too."""

    max_json_bytes: int = 16 * 1024 * 1024
    max_document_bytes: int = 128 * 1024 * 1024


def check_addresses(settings: ConnectionSettings) -> None:
    """Refuse addresses to which a bearer token should not go.

    https with a host name, no user information, no query, no fragment; http only to this machine and only where
    `allow_loopback` says so. Does NOT resolve names: a name that points into a private network is the operator's
    choice.

    Raises:
        Precondition: INSECURE_URL, with the address.
    """
    for url in (settings.flow_url, settings.directory_url, settings.token_url):
        if url is not None and not _is_safe(url, allow_loopback=settings.allow_loopback):
            raise Precondition("INSECURE_URL", f"{url}: https with a host name is needed "
                               "(plain http only to 127.0.0.1, with allow_loopback)")


def _is_safe(url: str, *, allow_loopback: bool) -> bool:
    """Whether a bearer token may go to this address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        return False
    if host in LOOPBACK_NAMES:
        return allow_loopback and parts.scheme in {"http", "https"}
    return parts.scheme == "https" and not _is_address(host)


def _is_address(host: str) -> bool:
    """Whether the host is a literal address, in any of the spellings that libraries accept."""
    if all(label.isdigit() or label.startswith("0x") for label in host.split(".")):
        return True
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True

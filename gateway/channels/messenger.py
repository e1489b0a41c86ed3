"""The process that sends one message of chat or SMS: the only one that loads apprise, started for one request.

Runs as `python -m gateway.channels.messenger` (see asking.py): a request as JSON comes on standard input, the answer
goes to what was standard output. Loading apprise takes a third of a second and 50 MB, and its many services open
whatever address their URL names; so neither happens in the service. Before anything is sent, the process gives up
writing files, and an audit hook of the interpreter lets no connection through but to public addresses (https), or to
those that the operator named. It looks at the address that is really connected to, whatever its name says.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import apprise
import requests
from requests.adapters import HTTPAdapter

from gateway.webhooks.address import PORTS, is_public, routable
from validation.worker import framed, give_up_rights, next_message

LOCAL: Final = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn",
                "syslog.openlog", "syslog.syslog")
"""What would act on this machine, as the interpreter names it: the hook refuses it altogether."""

READABLE: Final = tuple(str(path) for path in (
    Path(sys.prefix), Path(sys.base_prefix), Path(__file__).resolve().parents[2], "/etc/ssl", "/etc/mime.types",
    "/usr/share", "/dev/null", "/dev/urandom"))
"""Where files may be read: the programs and their data. Some services read keys from any file their URL names."""

AGAIN: Final = frozenset({425, 429, 500, 503})
"""Answers after which nobody has the message and a later try may help."""

NOBODY_KNOWS: Final = frozenset({408, 502, 504})
"""Answers of something in between that waited in vain: what lies behind it may have the message."""


@dataclass(slots=True)
class Witness:
    """What was seen of the exchange, whatever the service's code makes of it."""

    allowed: frozenset[tuple[str, int]]
    forbidden: str | None = None
    tried: bool = False
    """A name was asked for, or a connection opened."""

    opened: bool = False
    """A connection was let through."""

    http: bool = False
    """A request was made by HTTP: of these we see how they end."""

    left: bool = False
    """Bytes of the request at hand left."""

    silent: bool = False
    """A request left and nothing came back."""

    answers: list[int] = field(default_factory=list)
    """HTTP statuses in their order."""

    def hook(self, event: str, given: tuple[Any, ...]) -> None:
        """See sys.addaudithook. Raises PermissionError for what must not be."""
        if event in {"socket.connect", "socket.sendto"}:
            self._check(given[1])
        elif event == "socket.getaddrinfo":
            self.tried = True
        elif event == "http.client.send":
            self.left = True
        elif event in LOCAL or (event == "open" and _is_private(given[0])):
            raise PermissionError(f"{event}: not in this process")

    def _check(self, address: Any) -> None:
        self.tried = True
        if isinstance(address, tuple) and self._may(str(address[0]), int(address[1])):
            self.opened = True
            return
        self.forbidden = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
        raise PermissionError(f"{self.forbidden}: not an address for messages")

    def _may(self, host: str, port: int) -> bool:
        return (host, port) in self.allowed or (port in PORTS and is_public(host))


def _is_private(path: object) -> bool:
    return isinstance(path, str | bytes) and not os.fsdecode(path).startswith(READABLE)


def describe(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a URL leads to: the service, its host where the URL names one; `error` where it is none of apprise's."""
    service = _service(request["url"])
    if service is None:
        return {"error": "unknown"}
    own = any("{host}" in template for template in service.templates)
    host = {"host": service.host, "port": service.port, "secure": bool(service.secure)} if own else {}
    return {"service": str(service.service_name), **host}


def send(request: Mapping[str, Any]) -> dict[str, Any]:
    """Send, once, and say what was seen. `verdict` is sent, forbidden, later, refused or doubt."""
    witness = Witness(frozenset(_addresses(request["allowed"])))
    service = _service(request["url"])
    if service is None:
        return {"verdict": "refused", "answers": []}
    service.retry, service.redirects, service.optional = 0, False, False
    service.request_rate_per_sec = 0
    vars(requests.sessions).update(HTTPAdapter=_watched(witness))  # what every session of theirs is made with
    sys.addaudithook(witness.hook)
    done = service.notify(body=request["body"], title=request["title"])
    return {"verdict": verdict_of(witness, done=done is True), "answers": witness.answers,
            "forbidden": witness.forbidden}


def verdict_of(witness: Witness, *, done: bool) -> str:
    """What became of the message. Sure of nothing where one of several requests went well."""
    if done and witness.opened:
        return "sent"
    if witness.silent or (witness.opened and not witness.http):
        return "doubt"
    if any(200 <= status < 300 for status in witness.answers) or NOBODY_KNOWS & set(witness.answers):
        return "doubt"
    if witness.forbidden is not None:
        return "forbidden"
    if witness.answers:
        return "later" if witness.answers[-1] in AGAIN else "refused"
    return "later" if witness.tried else "refused"


def _watched(witness: Witness) -> type[HTTPAdapter]:
    class Watched(HTTPAdapter):
        """Every request of the service, and what came back."""

        def send(self, *given: Any, **named: Any) -> Any:
            witness.http, witness.left = True, False
            try:
                answer = super().send(*given, **named)
            except requests.RequestException:
                witness.silent = witness.silent or witness.left
                raise
            witness.answers.append(answer.status_code)
            return answer

    return Watched


def _service(url: str) -> Any:
    if not urlsplit(url).scheme:
        return None
    asset = apprise.AppriseAsset(app_id="Passerelle", app_desc="Passerelle", app_url="", secure_logging=True)
    return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


def _addresses(allowed: list[str]) -> list[tuple[str, int]]:
    """The addresses of the `host:port` pairs that the operator named."""
    found = []
    for pair in allowed:
        host, _, port = pair.rpartition(":")
        try:
            found += [(address, int(port)) for address in routable(host.strip("[]"), int(port), (pair,))]
        except (OSError, ValueError):  # a name that is away, for now
            continue
    return found


def main() -> None:
    """Answer one request."""
    answers = give_up_rights()
    socket.setdefaulttimeout(20)
    request = json.loads(next_message(sys.stdin.buffer) or b"")
    said = json.dumps({"describe": describe, "send": send}[request["do"]](request)).encode()
    answers.write(framed(said))
    answers.flush()


if __name__ == "__main__":
    main()

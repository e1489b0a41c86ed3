"""How the service has a message sent: a process for it (messenger.py), started, asked once and ended."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.mail import InDoubt, NotDelivered
from gateway.webhooks.address import check_url
from validation.worker import OverMemory, OverTime, Worker, WorkerDied, framed

MESSENGER: Final = (sys.executable, "-P", "-m", "gateway.channels.messenger")
SECONDS: Final = 45.0
"""Longest time for one message, the start of the process included; well under the lease of the outbox."""

MEMORY: Final = 400 << 20

UNANSWERED: Final = (OverTime, OverMemory, WorkerDied)
"""How the process may end without having said anything."""


class UnknownService(ValueError):
    """A URL that is none of apprise's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: where, and the words. Plain text."""

    url: str
    title: str
    body: str


def service_of(url: str, allowed: Sequence[str]) -> str:
    """The name of the service that a URL leads to, e.g. "Slack". Nothing is connected to.

    Raises:
        UnknownService: apprise knows no such URL.
        ForbiddenTarget: its host is not one for messages: https on 443 or 8443, unless the operator named it.
        One of UNANSWERED: nobody knows; another try may be answered.
    """
    found = _ask({"do": "describe", "url": url})
    if "error" in found:
        raise UnknownService
    if "host" in found:
        host = f"[{found['host']}]" if ":" in found["host"] else found["host"]
        port = f":{found['port']}" if found["port"] else ""
        check_url(f"{'https' if found['secure'] else 'http'}://{host}{port}/", allowed)
    return str(found["service"])


def send(message: Message, allowed: Sequence[str]) -> None:
    """Send once.

    Raises:
        NotDelivered: nobody has it, for certain; permanent where another try would be the same again.
        InDoubt: the service may have it.
    """
    try:
        said = _ask({"do": "send", "url": message.url, "title": message.title, "body": message.body,
                     "allowed": list(allowed)})
    except UNANSWERED as error:
        raise InDoubt(f"Envoi interrompu ({type(error).__name__}). / Interrupted.") from error
    answers = ", ".join(f"HTTP {status}" for status in said["answers"])
    match said["verdict"]:
        case "sent":
            return
        case "doubt":
            raise InDoubt(f"Réponse perdue ou partielle ({answers or 'aucune'}). / Answer lost or partial.")
        case "forbidden":
            raise NotDelivered(f"{said['forbidden']} n'est pas une adresse autorisée. / Not an allowed address.",
                               permanent=True)
        case "later":
            raise NotDelivered(f"Service injoignable pour l'instant ({answers or 'pas de connexion'}). / "
                               "Service not reached.")
    raise NotDelivered(f"Refusé par le service ({answers or 'adresse ou réglage non valable'}). / "
                       "Refused by the service.", permanent=True)


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(request).encode()
    worker = Worker(MESSENGER, {})
    try:
        answer = worker.ask(framed(body), seconds=SECONDS, memory_bytes=MEMORY)
    finally:
        worker.kill()
    said: dict[str, Any] = json.loads(answer)
    return said

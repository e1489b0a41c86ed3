"""Links with which a client answers a letter without an account: signed, for one purpose, for a time, for one address.

A link says which invoice it is about, until when it is good and whom it was written to; the service signs that. It
answers the questions about one invoice and opens nothing else. Whoever forwards it hands on just that.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gateway.deps import Deps
from gateway.reminders.state import Seen
from gateway.vault import Vault

GOOD_DAYS: Final = 10
"""Calendar days after the due date during which a link answers."""

PURPOSE: Final = "reminder-answer"
_FORM: Final = re.compile(r"([0-9a-f-]{36})\.([0-9a-f-]{36})\.(\d{8})\.([0-9a-f]{12})\.([0-9a-f]{40})")

WORDS: Final = {
    "fr": (("right", "Tout est en ordre"), ("missing", "Il manque quelque chose"), ("ready", "Le paiement est prévu"),
           ("other", "Je ne suis pas la bonne personne")),
    "en": (("right", "Everything is right"), ("missing", "Something is missing"), ("ready", "Payment is scheduled"),
           ("other", "I am not the right person")),
}
"""The answers in the order of the letter."""


class Fault(StrEnum):
    """Why a link does not open."""

    FORGED = "forged"
    OLD = "old"
    ELSEWHERE = "elsewhere"
    """It was written to an address that is no longer that of the client."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says, once its signature was found good."""

    tenant_id: str
    submission_id: str
    until: date
    addressee: str

    @property
    def id(self) -> str:
        """What its answer is kept under."""
        return hashlib.sha256(_said(self).encode()).hexdigest()


def token_for(vault: Vault, link: Link) -> str:
    """The text that goes into the address."""
    said = _said(link)
    return f"{said}.{vault.sign(f'{PURPOSE}.{said}')}"


def read_token(vault: Vault, token: str) -> Link | None:
    """What a token says; None for one that this service did not write for this purpose."""
    found = _FORM.fullmatch(token)
    if found is None:
        return None
    said = token.rpartition(".")[0]
    if not hmac.compare_digest(vault.sign(f"{PURPOSE}.{said}"), found[5]):
        return None
    return Link(found[1], found[2], date.fromisoformat(found[3]), found[4])


def fault_of(link: Link | None, addresses: Sequence[str | None], today: date) -> Fault | None:
    """Why a link does not open today; None where it does. `addresses` are those of the client: mail, number."""
    if link is None:
        return Fault.FORGED
    if today > link.until:
        return Fault.OLD
    known = [address for address in addresses if address and hmac.compare_digest(link.addressee, addressee_of(address))]
    return None if known else Fault.ELSEWHERE


def addressee_of(email: str | None) -> str:
    """An address as a link says it: nobody reads it there."""
    return hashlib.sha256((email or "").strip().casefold().encode()).hexdigest()[:12]


def answers_of(deps: Deps, seen: Seen, lang: str) -> tuple[tuple[str, str], ...]:
    """(words, address) of each answer to the letter before the due date."""
    until = (seen.facts.due_date or deps.today()) + timedelta(days=GOOD_DAYS)
    address = link_to(deps, seen, seen.facts.email, until, lang)
    return tuple((words, f"{address}&r={answer}") for answer, words in WORDS[lang])


def link_to(deps: Deps, seen: Seen, address: str | None, until: date, lang: str) -> str:
    """The address of the page that answers about an invoice, for whom it was written to, until a day."""
    link = Link(seen.submission.tenant_id, seen.submission.id, until, addressee_of(address))
    return f"{deps.settings.url}/reponse/{token_for(deps.vault, link)}?lang={lang}"


def _said(link: Link) -> str:
    return f"{link.tenant_id}.{link.submission_id}.{link.until:%Y%m%d}.{link.addressee}"

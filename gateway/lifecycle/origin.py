"""Which platform set a status: the seller's, the buyer's, or one that cannot be told. Pure; reads events.

Platforms sign among themselves with their role only, so a rejection (213) seldom says whose it is. What says it, in
this order: the status itself where only one platform sets it; the number of the platform, where it also set a status
that only one platform sets; and for a 213 that another status of the deposit was told, since the seller's platform
says 200 or 213 and never both. Otherwise nobody is blamed.
"""

from collections.abc import Sequence

from formats.codes import STATUSES
from gateway.lifecycle.guard import DEPOSITED, PLATFORM
from gateway.tables import Event

SELLERS, BUYERS, PORTAL, UNTOLD = "issuer-platform", "recipient-platform", "ppf", "platform"
ONE_OF_TWO = frozenset({SELLERS, BUYERS})


def platform_of(event: Event, events: Sequence[Event]) -> str | None:
    """SELLERS, BUYERS, PORTAL or UNTOLD for a status by a platform; None for everything else.

    `events` are all of the invoice, in any order; what is learned later may turn UNTOLD into an answer.
    """
    if event.kind != "lifecycle" or event.actor != PLATFORM:
        return None
    if _role(event) == "DFH":
        return PORTAL
    own = _set_by(event)
    if own in ONE_OF_TWO:
        return own
    told = [other for other in events if other.kind == "lifecycle" and other.actor == PLATFORM and other is not event]
    number = _number(event)
    same = {_set_by(other) for other in told if number is not None and _number(other) == number} & ONE_OF_TWO
    if len(same) == 1:
        return same.pop()
    if event.code == "213" and any(other.code in DEPOSITED for other in told):
        return BUYERS
    return PORTAL if own == PORTAL else UNTOLD


def _set_by(event: Event) -> str:
    known = STATUSES.get(event.code)
    return known.set_by if known is not None else UNTOLD


def _role(event: Event) -> str | None:
    return (event.data.get("by") or {}).get("role")


def _number(event: Event) -> str | None:
    return (event.data.get("by") or {}).get("siren")

"""Who did it: from the actor of an event to a name that the reader knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from gateway.lifecycle.origin import BUYERS, SELLERS, platform_of
from gateway.tables import Event, PlatformConnection
from gateway.tables_access import ApiKey, User

ISSUERS = {
    "SE": "Le vendeur", "BY": "L'acheteur", "AB": "Le mandataire de l'acheteur", "SR": "Le mandataire du vendeur",
    "DL": "Le factor", "PE": "Le bénéficiaire", "PR": "Le payeur", "II": "L'émetteur", "IV": "Le destinataire",
    "DFH": "Le portail public",
}
"""The roles of UNTDID 3035 that statuses name."""

FIXED = {
    "worker": "Passerelle", "anonymous": "Personne non identifiée", "operator:cli": "Ligne de commande",
    "platform": "Une plateforme", "buyer": "L'acheteur", "seller": "Le vendeur", "other": "Un tiers",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the people, keys and platforms of one tenant."""

    users: Mapping[str, str]
    keys: Mapping[str, str]
    platforms: Mapping[str, str]

    def of(self, actor: str) -> str:
        """The name behind an actor; an unknown one shows itself."""
        kind, _, value = actor.partition(":")
        if actor in FIXED:
            return FIXED[actor]
        known = {"user": self.users, "key": self.keys, "platform": self.platforms}.get(kind, {})
        name = known.get(value)
        if name is None:
            return "Passerelle" if kind == "worker" else actor
        return f"Clé « {name} »" if kind == "key" else name

    def author(self, event: Event, events: Sequence[Event] = ()) -> str:
        """Who made an event happen; of a status that a platform brought, who set it there.

        `events` are all of the same invoice: without them a 213 is by "a platform", whichever it was.
        """
        issuer = event.data.get("by") if event.kind == "lifecycle" else None
        if not isinstance(issuer, dict):
            return self.of(event.actor)
        if issuer.get("role") == "WK":
            return str(issuer.get("name") or self._platform(event, events))
        return str(issuer.get("name") or ISSUERS.get(str(issuer.get("role")), self.of(event.actor)))

    def _platform(self, event: Event, events: Sequence[Event]) -> str:
        """Platforms sign with their role only: which one it was follows from the statuses."""
        which = platform_of(event, events)
        if which == BUYERS:
            return "La plateforme de l'acheteur"
        if which == SELLERS:
            return self.platforms.get(str(event.data.get("connection_id")), "Votre plateforme")
        return "Une plateforme"


def names(session: Session) -> Names:
    """The names of the session's tenant."""
    return Names(
        _pairs(session, select(User.id, User.name)),
        _pairs(session, select(ApiKey.prefix, ApiKey.name)),
        _pairs(session, select(PlatformConnection.id, PlatformConnection.name)),
    )


def _pairs(session: Session, query: Select[str, str]) -> dict[str, str]:
    return {key: name for key, name in session.execute(query)}  # noqa: C416 - dict() takes a result for a mapping


def matching(names_: Names, text: str) -> Iterable[str]:
    """The actors whose name contains this text, whatever the case."""
    wanted = text.casefold()
    for kind, known in (("user", names_.users), ("key", names_.keys), ("platform", names_.platforms)):
        yield from (f"{kind}:{value}" for value, name in known.items() if wanted in name.casefold())
    yield from (actor for actor, name in FIXED.items() if wanted in name.casefold() or wanted == actor)

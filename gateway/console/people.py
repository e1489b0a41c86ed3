"""Who did it: from the actor of an event to a name that the reader knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.tables import ApiKey, Event, PlatformConnection, User

ISSUERS = {
    "SE": "le vendeur", "BY": "l'acheteur", "AB": "le mandataire de l'acheteur", "SR": "le mandataire du vendeur",
    "DL": "le factor", "PE": "le bénéficiaire", "PR": "le payeur", "II": "l'émetteur", "IV": "le destinataire",
    "WK": "la plateforme", "DFH": "le portail public",
}
"""The roles of UNTDID 3035 that statuses name, as their author reads in a sentence."""

FIXED = {"worker": "Passerelle", "anonymous": "Personne non identifiée", "operator:cli": "Ligne de commande"}


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

    def author(self, event: Event) -> str:
        """Who made an event happen; of a status that a platform brought, who set it there."""
        issuer = event.data.get("by") if event.kind == "lifecycle" else None
        if not isinstance(issuer, dict):
            return self.of(event.actor)
        return str(issuer.get("name") or ISSUERS.get(str(issuer.get("role")), self.of(event.actor)))


def names(session: Session) -> Names:
    """The names of the session's tenant."""
    return Names(
        dict(session.execute(select(User.id, User.name)).tuples().all()),
        dict(session.execute(select(ApiKey.prefix, ApiKey.name)).tuples().all()),
        dict(session.execute(select(PlatformConnection.id, PlatformConnection.name)).tuples().all()),
    )


def matching(names_: Names, text: str) -> Iterable[str]:
    """The actors whose name contains this text, whatever the case."""
    wanted = text.casefold()
    for kind, known in (("user", names_.users), ("key", names_.keys), ("platform", names_.platforms)):
        yield from (f"{kind}:{value}" for value, name in known.items() if wanted in name.casefold())
    yield from (actor for actor, name in FIXED.items() if wanted in name.casefold() or wanted == actor)

"""Who proposes and approves destructions: people who say who they are, whatever key or terminal carries the request."""

from gateway.accounts.signin import person_of
from gateway.auth import ROLES, Permission
from gateway.deps import Deps
from gateway.problems import Problem


def acting(deps: Deps, tenant_id: str, email: str, password: str) -> str:
    """The actor of a person of this tenant who may destroy. Raises Problem 401, 403, 429."""
    user = person_of(deps, email, password)
    rights = frozenset().union(*(ROLES.get(role, frozenset()) for role in user.roles))
    if user.tenant_id != tenant_id or Permission.RETENTION_WRITE not in rights:
        raise Problem(403, "forbidden", "Cette personne n'a pas ce droit. / Not allowed to this person.")
    return f"user:{user.id}"

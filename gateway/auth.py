"""Who is asking and what they may do. Deny by default: a route without `requires` answers nobody.

Programs carry an API key (`Authorization: Bearer pas_live_<id>_<secret>`), people a session cookie. The key's
secret has 190 bits, so its SHA-256 is kept and no slow hash is needed.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, cast

from fastapi import Depends, Request, params
from sqlalchemy import Table, bindparam, select

from gateway.db import EVERY_TENANT, Database
from gateway.deps import CurrentDeps, Deps
from gateway.problems import Problem
from gateway.tables_access import ApiKey, ConsoleSession, User


class Permission(StrEnum):
    """What a route may ask for. API keys have these as scopes; roles are sets of them."""

    INVOICES_WRITE = "invoices:write"
    INVOICES_READ = "invoices:read"
    PAYMENTS_WRITE = "payments:write"
    EVENTS_READ = "events:read"
    EVIDENCE_READ = "evidence:read"
    AUDIT_READ = "audit:read"
    RETENTION_WRITE = "retention:write"
    QUEUE_WRITE = "queue:write"
    REMINDERS_READ = "reminders:read"
    REMINDERS_WRITE = "reminders:write"
    SETTINGS_WRITE = "settings:write"
    VALIDATE = "validate"


_EVERYONE = frozenset({Permission.INVOICES_READ, Permission.EVENTS_READ, Permission.VALIDATE})
ROLES: dict[str, frozenset[Permission]] = {
    "officer": _EVERYONE | {Permission.EVIDENCE_READ, Permission.AUDIT_READ, Permission.REMINDERS_READ,
                            Permission.RETENTION_WRITE},
    "credit": _EVERYONE | {Permission.PAYMENTS_WRITE, Permission.REMINDERS_READ, Permission.REMINDERS_WRITE},
    "operator": _EVERYONE | {Permission.QUEUE_WRITE, Permission.SETTINGS_WRITE, Permission.AUDIT_READ},
    "billing": _EVERYONE | {Permission.INVOICES_WRITE, Permission.PAYMENTS_WRITE},
}
ROLE_NAMES: Final = {"officer": "Conformité", "credit": "Recouvrement", "operator": "Exploitation",
                     "billing": "Facturation"}
COOKIE = "passerelle_session"
SESSION_LENGTH = timedelta(hours=10)
_USED_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated program or person."""

    tenant_id: str
    actor: str
    """How the journal names them: `key:<prefix>` or `user:<id>`."""

    name: str
    permissions: frozenset[Permission]
    csrf: str | None = None
    """Forms must carry it; None for programs, whom no browser can trick."""


def requires(permission: Permission) -> Callable[..., Principal]:
    """A dependency that answers the caller, or refuses: 401 unknown, 403 not allowed."""

    def check(request: Request, deps: CurrentDeps) -> Principal:
        principal = caller(request, deps)
        if permission not in principal.permissions:
            raise Problem(403, "forbidden", f"Il faut le droit {permission}. / Needs {permission}.")
        return principal

    check.permission = permission  # type: ignore[attr-defined]  # read by the test that lists every route
    return check


def caller(request: Request, deps: Deps) -> Principal:
    """Who calls the API, whatever he may do. Raises Problem 401 unknown, 403 for a browser session that would act.

    A browser session only reads here: what it changes goes through the forms of the console, with their token.
    """
    principal = find_principal(request, deps)
    if principal is None:
        raise Problem(401, "unauthenticated", "Clé d'API ou session requise. / API key or session required.",
                      headers={"WWW-Authenticate": "Bearer"})
    if principal.csrf is not None and request.method not in {"GET", "HEAD"}:
        raise Problem(403, "forbidden", "Une session lit l'API ; elle n'agit que par la console. / "
                      "A session only reads here.")
    return principal


def find_principal(request: Request, deps: Deps) -> Principal | None:
    """Who sends this request, by key or by cookie; None when nobody we know."""
    header = request.headers.get("authorization", "")
    if header.lower().startswith("bearer "):
        return principal_of_key(deps.db, header[7:].strip(), deps.now())
    cookie = request.cookies.get(COOKIE)
    return principal_of_cookie(deps.db, cookie, deps.now()) if cookie else None


def new_key() -> tuple[str, str, str]:
    """(prefix, digest, full key). The full key is shown once and never kept."""
    prefix = secrets.token_hex(4)
    full = f"pas_live_{prefix}_{secrets.token_urlsafe(24).replace('_', 'x').replace('-', 'y')}"
    return prefix, digest_of(full), full


def digest_of(secret: str) -> str:
    """What is kept of a key or a cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


KEY: Final = select(*cast("Table", ApiKey.__table__).c).where(ApiKey.prefix == bindparam("named"))


def principal_of_key(db: Database, full: str, now: datetime) -> Principal | None:
    """The principal of an API key that exists, is not revoked and not expired."""
    parts = full.split("_")
    if len(parts) != 4:
        return None
    with db.reading(EVERY_TENANT) as session:
        key = session.connection().execute(KEY, {"named": parts[2]}).one_or_none()
    if key is None or not hmac.compare_digest(key.digest, digest_of(full)):
        return None
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    if key.last_used_at is None or now - key.last_used_at > _USED_STEP:
        with db.transaction(key.tenant_id) as session:
            kept = session.get(ApiKey, (key.tenant_id, key.id))
            if kept is not None:
                kept.last_used_at = now
    known = frozenset(Permission(scope) for scope in key.scopes if scope in set(Permission))
    return Principal(tenant_id=key.tenant_id, actor=f"key:{key.prefix}", name=key.name, permissions=known)


def principal_of_cookie(db: Database, cookie: str, now: datetime) -> Principal | None:
    """The principal of a live console session of a user who is not disabled."""
    with db.reading(EVERY_TENANT) as session:
        found = session.execute(
            select(ConsoleSession, User)
            .join(User, (User.tenant_id == ConsoleSession.tenant_id) & (User.id == ConsoleSession.user_id))
            .where(ConsoleSession.id == digest_of(cookie), ConsoleSession.expires_at > now, User.disabled_at.is_(None))
        ).first()
    if found is None:
        return None
    console, user = found
    permissions = frozenset().union(*(ROLES.get(role, frozenset()) for role in user.roles))
    return Principal(tenant_id=user.tenant_id, actor=f"user:{user.id}", name=user.name, permissions=permissions,
                     csrf=console.csrf)


def Requires(permission: Permission) -> params.Depends:  # noqa: N802 - reads as an annotation
    """What a route writes into the annotation of its principal, or into `dependencies` where it needs none."""
    found: params.Depends = Depends(requires(permission))
    return found


Reader = Annotated[Principal, Requires(Permission.INVOICES_READ)]
Writer = Annotated[Principal, Requires(Permission.INVOICES_WRITE)]

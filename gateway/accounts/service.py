"""Tenants, legal entities, platform connections and API keys: created, changed, switched on, revoked.

Every change is journaled with who made it. Secrets are encrypted (credentials) or only their hash is kept (keys).
"""

import base64
import re
import uuid
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from archive.retention import TAX_YEARS
from gateway.accounts.schemas import ConnectionIn, CredentialsIn, EntityChange, EntityIn, check_against_siren
from gateway.auth import Permission, new_key
from gateway.connections import seal_credentials
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.platforms.connection import ConnectionSettings, check_addresses
from gateway.platforms.port import Precondition
from gateway.platforms.registry import DRIVERS
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import LegalEntity, PlatformConnection, Tenant
from gateway.tables_access import ApiKey
from gateway.tables_platforms import ConnectionHealth

Found = TypeVar("Found", LegalEntity, ApiKey, PlatformConnection)


def create_tenant(deps: Deps, name: str, actor: str) -> Tenant:
    """A new, empty tenant."""
    tenant = Tenant(id=str(uuid.uuid4()), name=name.strip(), created_at=deps.now())
    with deps.db.transaction(tenant.id) as session:
        session.add(tenant)
        session.flush()
        change = _setting("tenant-created", f"tenant:{tenant.id}", actor, name=tenant.name)
        record(session, tenant.id, change, now=deps.now())
    return tenant


def find_tenant(deps: Deps, name: str) -> Tenant | None:
    """The oldest tenant of this name, or None. For the command line only: a request never names its tenant."""
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalar(select(Tenant).where(Tenant.name == name).order_by(Tenant.created_at).limit(1))


def set_fiscal_year(deps: Deps, tenant_id: str, close: str, actor: str) -> None:
    """From now on the journal closes each year on this day (MM-DD, a French calendar day). What is written stays.

    Raises:
        Problem: 422 invalid-request for what is no day.
    """
    if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", close):
        raise Problem(422, "invalid-request", "MM-JJ attendu, par exemple 06-30. / MM-DD expected.")
    with deps.db.transaction(tenant_id) as session:
        session.get_one(Tenant, tenant_id).fiscal_year_end = close
        record(session, tenant_id, _setting("fiscal-year-changed", f"tenant:{tenant_id}", actor, close=close),
               now=deps.now())


def set_retention_years(deps: Deps, tenant_id: str, years: int, actor: str) -> None:
    """From now on invoices are kept so long from the close of their fiscal year; what was counted is not shortened.

    Raises:
        Problem: 422 invalid-request under the 6 years of the tax law (LPF, art. L102 B) or over 99.
    """
    if not TAX_YEARS <= years <= 99:
        raise Problem(422, "invalid-request", f"De {TAX_YEARS} à 99 ans. / From {TAX_YEARS} to 99 years.")
    with deps.db.transaction(tenant_id) as session:
        session.get_one(Tenant, tenant_id).retention_years = years
        record(session, tenant_id, _setting("retention-changed", f"tenant:{tenant_id}", actor, years=years),
               now=deps.now())


def create_entity(deps: Deps, tenant_id: str, entity: EntityIn, actor: str) -> LegalEntity:
    """A legal entity, switched off.

    Raises:
        Problem: 409 for a SIREN that the tenant already has, 422 for a foreign connection.
    """
    row = LegalEntity(tenant_id=tenant_id, id=str(uuid.uuid4()), enabled=False, logo_sha256=None,
                      **entity.model_dump())
    row.electronic_address = row.electronic_address or entity.siren
    try:
        with deps.db.transaction(tenant_id) as session:
            _check_connection(session, tenant_id, entity.connection_id)
            session.add(row)
            session.flush()
            change = _setting("entity-created", f"entity:{row.id}", actor, siren=row.siren, name=row.name)
            record(session, tenant_id, change, now=deps.now())
    except IntegrityError as error:
        raise Problem(409, "entity-exists", f"Le SIREN {entity.siren} a déjà une entité. / SIREN already set up.",
                      ) from error
    return row


def change_entity(deps: Deps, tenant_id: str, entity_id: str, change: EntityChange, actor: str) -> LegalEntity:
    """Change the settings of a legal entity; its SIREN stays.

    Raises:
        Problem: 404, or 422 for a VAT number or an address of another SIREN, or for a foreign connection.
    """
    with deps.db.transaction(tenant_id) as session:
        row = _get(session, LegalEntity, tenant_id, entity_id)
        try:
            check_against_siren(row.siren, change)
        except ValueError as error:
            raise Problem(422, "invalid-request", str(error)) from error
        _check_connection(session, tenant_id, change.connection_id)
        values = {**change.model_dump(), "electronic_address": change.electronic_address or row.siren}
        changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
        for name in changed:
            setattr(row, name, values[name])
        if row.enabled and row.connection_id is None:
            raise Problem(409, "entity-not-ready", "Désactivez l'entité avant de retirer sa plateforme. / "
                          "Switch the entity off before you take its platform away.")
        told = _setting("entity-changed", f"entity:{row.id}", actor, siren=row.siren, changed=changed)
        record(session, tenant_id, told, now=deps.now())
    return row


def enable_entity(deps: Deps, tenant_id: str, entity_id: str, actor: str) -> LegalEntity:
    """Switch a legal entity on: from now on it may issue. Raises Problem: 404, or 409 without a platform."""
    with deps.db.transaction(tenant_id) as session:
        row = _get(session, LegalEntity, tenant_id, entity_id)
        if row.connection_id is None:
            raise Problem(409, "entity-not-ready", "Choisissez d'abord une plateforme agréée. / "
                          "Choose a platform first.")
        row.enabled = True
        change = _setting("entity-enabled", f"entity:{row.id}", actor, siren=row.siren)
        record(session, tenant_id, change, now=deps.now())
    return row


def disable_entity(deps: Deps, tenant_id: str, entity_id: str, actor: str) -> LegalEntity:
    """Switch a legal entity off: it issues nothing more; what is under way goes on. Raises Problem: 404."""
    with deps.db.transaction(tenant_id) as session:
        row = _get(session, LegalEntity, tenant_id, entity_id)
        row.enabled = False
        change = _setting("entity-disabled", f"entity:{row.id}", actor, siren=row.siren)
        record(session, tenant_id, change, now=deps.now())
    return row


def list_entities(deps: Deps, tenant_id: str) -> list[LegalEntity]:
    """All legal entities, by name."""
    with deps.db.reading(tenant_id) as session:
        return list(session.scalars(select(LegalEntity).order_by(LegalEntity.name, LegalEntity.siren)))


def create_connection(deps: Deps, tenant_id: str, connection: ConnectionIn, actor: str) -> PlatformConnection:
    """An account at a platform, in use at once. Nothing is called yet.

    Raises:
        Problem: 422 for an unknown driver, or an address to which no secret should go.
    """
    secret = connection.client_secret.get_secret_value()
    try:
        check_addresses(ConnectionSettings(
            driver=connection.driver, flow_url=connection.flow_url, directory_url=connection.directory_url,
            token_url=connection.token_url, client_id=connection.client_id, client_secret=secret,
            allow_loopback=connection.allow_loopback,
        ))
    except Precondition as error:
        raise Problem(422, "insecure-url", f"Adresse refusée. / Address refused. {error.message}") from error
    if connection.driver not in DRIVERS:
        raise Problem(422, "unknown-driver", f"Connecteurs / drivers: {', '.join(sorted(DRIVERS))}.")
    row = PlatformConnection(
        tenant_id=tenant_id, id=str(uuid.uuid4()), name=connection.name, driver=connection.driver,
        config=connection.config(), credentials=seal_credentials(deps.vault, connection.client_id, secret),
        enabled=True, watermark=None, webhook_id=None, signing_key=None, polled_at=None, trouble=None,
    )
    if connection.signing_key is not None:
        key = connection.signing_key.get_secret_value().encode()
        row.signing_key = deps.vault.seal(base64.b64encode(key).decode())
    with deps.db.transaction(tenant_id) as session:
        session.add(row)
        session.flush()
        change = _setting("connection-created", f"connection:{row.id}", actor, name=row.name)
        record(session, tenant_id, change, now=deps.now())
    return row


def change_credentials(
    deps: Deps, tenant_id: str, connection_id: str, given: CredentialsIn, actor: str
) -> PlatformConnection:
    """A new identifier and secret for a connection: all that waits for it goes on with them. Raises Problem: 404."""
    with deps.db.transaction(tenant_id) as session:
        row = _get(session, PlatformConnection, tenant_id, connection_id)
        row.credentials = seal_credentials(deps.vault, given.client_id, given.client_secret.get_secret_value())
        change = _setting("connection-changed", f"connection:{row.id}", actor, name=row.name)
        record(session, tenant_id, change, now=deps.now())
    return row


def list_connections(deps: Deps, tenant_id: str) -> list[PlatformConnection]:
    """All platform connections, by name."""
    with deps.db.reading(tenant_id) as session:
        return list(session.scalars(select(PlatformConnection).order_by(PlatformConnection.name)))


def connection_health(
    deps: Deps, tenant_id: str, connection_id: str
) -> tuple[PlatformConnection, list[ConnectionHealth]]:
    """A connection and how each of its services does. Raises Problem: 404."""
    with deps.db.reading(tenant_id) as session:
        row = session.get(PlatformConnection, (tenant_id, connection_id))
        if row is None:
            raise not_found()
        return row, list(session.scalars(select(ConnectionHealth).where(
            ConnectionHealth.id == connection_id).order_by(ConnectionHealth.service)))


def create_key(deps: Deps, tenant_id: str, name: str, scopes: list[Permission], actor: str) -> str:
    """The full text of a new API key. It is not kept: whoever loses it makes another."""
    prefix, digest, full = new_key()
    row = ApiKey(
        tenant_id=tenant_id, id=str(uuid.uuid4()), prefix=prefix, digest=digest, name=name.strip(),
        scopes=sorted({Permission(scope).value for scope in scopes}), created_at=deps.now(), expires_at=None,
        revoked_at=None, last_used_at=None,
    )
    with deps.db.transaction(tenant_id) as session:
        session.add(row)
        session.flush()
        change = _setting("key-created", f"key:{prefix}", actor, name=row.name, scopes=row.scopes)
        record(session, tenant_id, change, now=deps.now())
    return full


def revoke_key(deps: Deps, tenant_id: str, key_id: str, actor: str) -> None:
    """End a key at once. Revoking again changes nothing. Raises Problem: 404."""
    with deps.db.transaction(tenant_id) as session:
        row = _get(session, ApiKey, tenant_id, key_id)
        if row.revoked_at is None:
            row.revoked_at = deps.now()
            change = _setting("key-revoked", f"key:{row.prefix}", actor, name=row.name)
            record(session, tenant_id, change, now=deps.now())


def list_keys(deps: Deps, tenant_id: str) -> list[ApiKey]:
    """All API keys, newest first, revoked ones too."""
    with deps.db.reading(tenant_id) as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.prefix)))


def _get(session: Session, table: type[Found], tenant_id: str, row_id: str) -> Found:
    found = session.get(table, (tenant_id, row_id))
    if found is None:
        raise not_found()
    return found


def _check_connection(session: Session, tenant_id: str, connection_id: str | None) -> None:
    if connection_id is not None and session.get(PlatformConnection, (tenant_id, connection_id)) is None:
        raise Problem(422, "invalid-request", "Cette connexion n'existe pas. / No such connection.")


def _setting(code: str, subject: str, actor: str, **data: object) -> Change:
    return Change(kind="setting", code=code, actor=actor, subject=subject, data={"subject": subject, **data})

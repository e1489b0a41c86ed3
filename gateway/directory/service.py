"""Looking an address up for a person or a program, and what an entity wants done after each answer."""

from sqlalchemy import select

from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.directory.asking import ask
from gateway.directory.reachability import decide
from gateway.directory.schemas import AnswerOut, Policy
from gateway.platforms.port import Precondition
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import LegalEntity, PlatformConnection
from gateway.vault import VaultError


def look_up(deps: Deps, tenant_id: str, entity_id: str, address: str) -> AnswerOut:
    """Ask the directory of an entity's platform now, whatever was known.

    Raises:
        Problem: 404 for an entity that is not there, 409 connection-not-usable without a usable platform.
    """
    with deps.db.reading(tenant_id) as session:
        entity = session.get(LegalEntity, (tenant_id, entity_id))
        if entity is None:
            raise not_found()
        connection = session.get(PlatformConnection, (tenant_id, entity.connection_id or ""))
    if connection is None:
        raise _unusable("")
    try:
        platform = open_connection(deps, connection)
    except (VaultError, Precondition) as error:
        raise _unusable(str(error)) from error
    known = ask(deps, connection, platform, address, fresh=True)
    return AnswerOut.of(known, decide(entity.reachability, known.finding.reach).value)


def _unusable(why: str) -> Problem:
    return Problem(409, "connection-not-usable", "La plateforme de l'entité n'est pas utilisable. / "
                   f"The platform of this entity cannot be used. {why}".rstrip())


def get_policy(deps: Deps, tenant_id: str, entity_id: str) -> Policy:
    """What is in force for an entity. Raises Problem: 404."""
    with deps.db.reading(tenant_id) as session:
        row = session.get(LegalEntity, (tenant_id, entity_id))
    if row is None:
        raise not_found()
    return Policy.of(row)


def set_policy(deps: Deps, tenant_id: str, entity_id: str, policy: Policy, actor: str) -> Policy:
    """Do this from now on; invoices that wait already are decided anew when their turn comes. Raises Problem: 404."""
    with deps.db.transaction(tenant_id) as session:
        row = session.get(LegalEntity, (tenant_id, entity_id))
        if row is None:
            raise not_found()
        before, row.reachability = Policy.of(row).kept(), policy.kept()
        changed = {name: step for name, step in policy.kept().items() if before[name] != step}
        if changed:
            record(session, tenant_id, Change(
                kind="setting", code="reachability-changed", actor=actor, subject=f"entity:{row.id}",
                data={"subject": f"entity:{row.id}", "siren": row.siren, "changed": changed}), now=deps.now())
    return policy


def entity_of_siren(deps: Deps, tenant_id: str, siren: str) -> str:
    """The id of the entity with this SIREN. Raises Problem: 404."""
    with deps.db.reading(tenant_id) as session:
        found = session.scalar(select(LegalEntity.id).where(LegalEntity.siren == siren))
    if found is None:
        raise not_found()
    return found

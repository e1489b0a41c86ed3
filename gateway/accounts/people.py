"""People of the console: created, given a new password, disabled."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from gateway.accounts.passwords import hash_password
from gateway.accounts.schemas import UserIn
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables_access import ConsoleSession, User


def create_user(  # noqa: PLR0917 - in the order of the command line
    deps: Deps, tenant_id: str, email: str, name: str, password: str, roles: Sequence[str], actor: str
) -> User:
    """A person who may sign in.

    Raises:
        pydantic.ValidationError: no mail address, a password under 12 characters, an unknown role.
        Problem: 409 for an e-mail address that somebody has, here or in another tenant.
    """
    person = UserIn.model_validate({"email": email, "name": name, "password": password, "roles": list(roles)})
    row = User(
        tenant_id=tenant_id, id=str(uuid.uuid4()), email=person.email, name=person.name,
        password_hash=hash_password(person.password.get_secret_value()), roles=sorted(set(person.roles)),
        created_at=deps.now(), disabled_at=None,
    )
    try:
        with deps.db.transaction(tenant_id) as session:
            session.add(row)
            session.flush()
            record(session, tenant_id, _change("user-created", row.id, actor, roles=row.roles), now=deps.now())
    except IntegrityError as error:
        raise Problem(409, "user-exists", "Cette adresse est déjà utilisée. / This address is taken.") from error
    return row


def set_password(deps: Deps, tenant_id: str, user_id: str, password: str, actor: str) -> None:
    """Another password; every open session of the person ends. Raises Problem: 404. The caller checks the length."""
    kept = hash_password(password)
    with deps.db.transaction(tenant_id) as session:
        row = session.get(User, (tenant_id, user_id))
        if row is None:
            raise not_found()
        row.password_hash = kept
        session.execute(delete(ConsoleSession).where(ConsoleSession.user_id == user_id))
        record(session, tenant_id, _change("password-changed", user_id, actor), now=deps.now())


def disable_user(deps: Deps, tenant_id: str, user_id: str, actor: str) -> None:
    """Shut a person out at once. What they did stays theirs. Raises Problem: 404, or 409 for oneself."""
    if actor == f"user:{user_id}":
        raise Problem(409, "own-account", "Un autre opérateur doit désactiver votre compte. / Somebody else must.")
    with deps.db.transaction(tenant_id) as session:
        row = session.get(User, (tenant_id, user_id))
        if row is None:
            raise not_found()
        if row.disabled_at is None:
            row.disabled_at = deps.now()
            session.execute(delete(ConsoleSession).where(ConsoleSession.user_id == user_id))
            record(session, tenant_id, _change("user-disabled", user_id, actor), now=deps.now())


def list_users(deps: Deps, tenant_id: str) -> list[User]:
    """All people of a tenant, by name."""
    with deps.db.reading(tenant_id) as session:
        return list(session.scalars(select(User).order_by(User.name, User.email)))


def _change(code: str, user_id: str, actor: str, **data: object) -> Change:
    subject = f"user:{user_id}"
    return Change(kind="access", code=code, actor=actor, subject=subject, data={"subject": subject, **data})

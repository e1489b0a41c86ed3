"""Signing in and out. Guessing is slowed down per e-mail address, whether we know the address or not."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from gateway.accounts.passwords import LONGEST, is_password
from gateway.auth import SESSION_LENGTH, digest_of
from gateway.db import EVERY_TENANT, change_rows
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.tables_access import ConsoleSession, SignInFailure, User

FREE_FAILURES = 5
"""So many wrong passwords cost nothing; each further one doubles the wait."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `cookie` is the secret of the browser; only its hash is kept."""

    cookie: str
    tenant_id: str
    user_id: str


def sign_in(deps: Deps, email: str, password: str) -> SignedIn:
    """A session for the person with this address and password. Raises as `person_of`."""
    user = person_of(deps, email, password)
    return _open_session(deps, email.strip().lower()[:254], user)


def person_of(deps: Deps, email: str, password: str) -> User:
    """The person with this address and password, who is not disabled.

    The answer and its time are the same for an unknown address and a wrong password. Not limited per network
    address: the server in front of the service does that.

    Raises:
        Problem: 401 sign-in-refused, 429 sign-in-throttled with `Retry-After`.
    """
    email = email.strip().lower()[:254]
    wait = _wait(deps, email)
    if wait > timedelta(0):
        seconds = int(wait.total_seconds()) + 1
        raise Problem(429, "sign-in-throttled", "Trop d'essais : patientez avant de recommencer. / Too many attempts.",
                      headers={"Retry-After": str(seconds)}, seconds=seconds)
    with deps.db.reading(EVERY_TENANT) as session:
        user = session.scalar(select(User).where(User.email == email, User.disabled_at.is_(None)))
    matches = is_password(user.password_hash if user else None, password[:LONGEST])
    if user is None or not matches:
        _remember_failure(deps, email, user)
        raise _refused()
    return user


def sign_out(deps: Deps, tenant_id: str, cookie: str, actor: str) -> None:
    """End the session of this cookie. An ended one changes nothing."""
    with deps.db.transaction(tenant_id) as session:
        if change_rows(session, delete(ConsoleSession).where(ConsoleSession.id == digest_of(cookie))):
            record(session, tenant_id, _access("signed-out", actor, actor), now=deps.now())


def _open_session(deps: Deps, email: str, user: User) -> SignedIn:
    cookie = secrets.token_urlsafe(32)
    actor = f"user:{user.id}"
    now = deps.now()
    with deps.db.transaction(EVERY_TENANT) as session:
        still = session.get(User, (user.tenant_id, user.id), with_for_update=True)
        if still is None or still.disabled_at is not None or still.password_hash != user.password_hash:
            raise _refused()  # disabled, or of another password since it was looked at
        session.execute(delete(SignInFailure).where(SignInFailure.email_sha256 == _digest(email)))
        session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at <= now))
        session.add(ConsoleSession(tenant_id=user.tenant_id, id=digest_of(cookie), user_id=user.id, created_at=now,
                                   csrf=secrets.token_urlsafe(24), expires_at=now + SESSION_LENGTH))
        record(session, user.tenant_id, _access("signed-in", actor, actor), now=now)
    return SignedIn(cookie, user.tenant_id, user.id)


def _refused() -> Problem:
    return Problem(401, "sign-in-refused", "Adresse ou mot de passe incorrect. / Wrong address or password.")


def _remember_failure(deps: Deps, email: str, user: User | None) -> None:
    try:
        _count_failure(deps, email, user)
    except IntegrityError:  # somebody else was the first to fail under this address, at this moment
        _count_failure(deps, email, user)


def _count_failure(deps: Deps, email: str, user: User | None) -> None:
    now, digest = deps.now(), _digest(email)
    with deps.db.transaction(EVERY_TENANT) as session:
        session.execute(delete(SignInFailure).where(SignInFailure.last_at < now - FORGOTTEN_AFTER))
        counted = change_rows(session, update(SignInFailure).where(SignInFailure.email_sha256 == digest).values(
            count=SignInFailure.count + 1, last_at=now))
        if not counted:
            session.add(SignInFailure(email_sha256=digest, count=1, last_at=now))
            session.flush()
        if user is not None:
            record(session, user.tenant_id, _access("sign-in-refused", "anonymous", f"user:{user.id}"), now=now)


def _wait(deps: Deps, email: str) -> timedelta:
    with deps.db.reading(EVERY_TENANT) as session:
        failure = session.get(SignInFailure, _digest(email))
    if failure is None or failure.count < FREE_FAILURES:
        return timedelta(0)
    return _free_again(failure.count, failure.last_at) - deps.now()


def _free_again(count: int, last_at: datetime) -> datetime:
    doublings = min(count - FREE_FAILURES, 10)
    return last_at + min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


def _access(code: str, actor: str, subject: str) -> Change:
    return Change(kind="access", code=code, actor=actor, subject=subject, data={"subject": subject})

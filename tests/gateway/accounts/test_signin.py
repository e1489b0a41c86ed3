"""Signing in: one answer for every failure, slower and slower, and sessions that end."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher, Type
from pydantic import ValidationError
from sqlalchemy import select

from gateway.accounts import passwords, people, signin
from gateway.auth import SESSION_LENGTH, principal_of_cookie
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.tables import Event
from gateway.tables_access import ConsoleSession, SignInFailure, User

MAIL, PASSWORD = "claire@atelier.example", "une passerelle sur la rivière"


AS_INSTALLED = passwords._HASHER


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Passwords are hashed here in a thousandth of the time that they ought to take."""
    passwords._decoy.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield
    passwords._decoy.cache_clear()


def test_a_hash_costs_what_rfc_9106_wants_for_small_memory() -> None:
    used = AS_INSTALLED
    assert (used.type, used.memory_cost, used.time_cost, used.parallelism) == (Type.ID, 64 << 10, 3, 4)
    assert used.verify(used.hash(PASSWORD), PASSWORD)


@pytest.fixture(autouse=True)
def claire(deps: Deps, tenant: str) -> User:
    return people.create_user(deps, tenant, MAIL, "Claire", PASSWORD, ["officer"], "operator:cli")


def refusal(deps: Deps, mail: str, password: str) -> Problem:
    with pytest.raises(Problem) as caught:
        signin.sign_in(deps, mail, password)
    return caught.value


def test_the_right_password_opens_a_session(deps: Deps, claire: User) -> None:
    signed_in = signin.sign_in(deps, f"  {MAIL.upper()} ", PASSWORD)
    principal = principal_of_cookie(deps.db, signed_in.cookie, deps.now())
    assert principal is not None
    assert (principal.name, principal.actor) == ("Claire", f"user:{claire.id}")
    assert principal.csrf


def test_neither_cookie_nor_password_is_kept(deps: Deps, tenant: str, claire: User) -> None:
    cookie = signin.sign_in(deps, MAIL, PASSWORD).cookie
    with deps.db.reading(tenant) as session:
        [row] = session.scalars(select(ConsoleSession))
    assert cookie not in {row.id, row.csrf}
    assert claire.password_hash.startswith("$argon2id$")
    assert PASSWORD not in claire.password_hash


def test_unknown_address_and_wrong_password_answer_alike(deps: Deps, tenant: str) -> None:
    people.create_user(deps, tenant, "parti@atelier.example", "Parti", PASSWORD, ["officer"], "operator:cli")
    with deps.db.transaction(tenant) as session:
        gone = session.scalars(select(User).where(User.name == "Parti")).one()
        gone.disabled_at = deps.now()
    bodies = [refusal(deps, mail, password).body() for mail, password in (
        (MAIL, "mauvais mot de passe"), ("inconnu@atelier.example", PASSWORD), ("parti@atelier.example", PASSWORD),
        (MAIL, ""), ("", ""))]
    assert bodies[0]["status"] == 401
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize("mail", [MAIL, "inconnu@atelier.example"])
def test_guessing_is_slowed_down_for_known_and_unknown_alike(
    deps: Deps, clock: Any, claire: User, mail: str
) -> None:
    for _ in range(signin.FREE_FAILURES):
        assert refusal(deps, mail, "faux").code == "sign-in-refused"
    blocked = refusal(deps, mail, PASSWORD)
    assert (blocked.status, blocked.code) == (429, "sign-in-throttled")
    assert 0 < int(blocked.headers["Retry-After"]) <= 31

    clock.forward(seconds=31)
    assert refusal(deps, mail, "faux").code == "sign-in-refused"
    clock.forward(seconds=31)
    assert refusal(deps, mail, PASSWORD).code == "sign-in-throttled"  # the wait has doubled
    clock.forward(seconds=30)
    if mail == MAIL:
        assert signin.sign_in(deps, mail, PASSWORD).user_id == claire.id


def test_waits_end_and_failures_are_forgotten(deps: Deps, clock: Any) -> None:
    for _ in range(12):
        with pytest.raises(Problem):
            signin.sign_in(deps, MAIL, "faux")
        clock.forward(minutes=16)
    signin.sign_in(deps, MAIL, PASSWORD)
    refusal(deps, "autre@atelier.example", "faux")
    clock.forward(hours=25)
    refusal(deps, MAIL, "faux")
    with deps.db.reading(EVERY_TENANT) as session:
        assert [row.count for row in session.scalars(select(SignInFailure))] == [1]


def test_a_session_ends_by_itself_by_signing_out_and_with_the_account(
    deps: Deps, tenant: str, claire: User
) -> None:
    first, second, third = (signin.sign_in(deps, MAIL, PASSWORD).cookie for _ in range(3))
    signin.sign_out(deps, tenant, first, f"user:{claire.id}")
    assert principal_of_cookie(deps.db, first, deps.now()) is None
    assert principal_of_cookie(deps.db, second, deps.now()) is not None

    people.set_password(deps, tenant, claire.id, "un tout autre mot de passe", "operator:cli")
    assert principal_of_cookie(deps.db, second, deps.now()) is None
    assert principal_of_cookie(deps.db, third, deps.now()) is None

    fourth = signin.sign_in(deps, MAIL, "un tout autre mot de passe").cookie
    assert principal_of_cookie(deps.db, fourth, deps.now() + SESSION_LENGTH) is None
    people.disable_user(deps, tenant, claire.id, "operator:cli")
    assert principal_of_cookie(deps.db, fourth, deps.now()) is None
    assert refusal(deps, MAIL, "un tout autre mot de passe").code == "sign-in-refused"


@pytest.mark.parametrize("change", ["password", "disabled"])
def test_who_is_shut_out_while_signing_in_gets_no_session(
    deps: Deps, tenant: str, claire: User, change: Literal["password", "disabled"]
) -> None:
    done: list[str] = []

    def clock() -> datetime:  # between the look at the password and the session, time is asked for
        if not done:
            done.append(change)
            if change == "password":
                people.set_password(deps, tenant, claire.id, "un autre mot de passe", "operator:cli")
            else:
                people.disable_user(deps, tenant, claire.id, "operator:cli")
        return deps.now()

    assert refusal(replace(deps, clock=clock), MAIL, PASSWORD).code == "sign-in-refused"
    assert done
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalars(select(ConsoleSession)).all() == []


def test_access_is_journaled(deps: Deps, tenant: str, claire: User) -> None:
    refusal(deps, MAIL, "faux")
    cookie = signin.sign_in(deps, MAIL, PASSWORD).cookie
    signin.sign_out(deps, tenant, cookie, f"user:{claire.id}")
    with deps.db.reading(tenant) as session:
        told = [(event.code, event.actor) for event in session.scalars(select(Event).order_by(Event.position))]
    assert told == [("user-created", "operator:cli"), ("sign-in-refused", "anonymous"),
                    ("signed-in", f"user:{claire.id}"), ("signed-out", f"user:{claire.id}")]


@pytest.mark.parametrize("changes", [
    {"email": "sans-arobase"}, {"email": "a@b"}, {"email": "a b@c.example"}, {"password": "court"},
    {"password": "x" * 300}, {"roles": []}, {"roles": ["roi"]}, {"name": " "}])
def test_a_person_needs_address_name_password_and_role(deps: Deps, tenant: str, changes: dict[str, Any]) -> None:
    values = {"email": MAIL, "name": "Claire", "password": PASSWORD, "roles": ["officer"], **changes}
    with pytest.raises(ValidationError):
        people.create_user(deps, tenant, values["email"], values["name"], values["password"], values["roles"], "x:y")


def test_an_address_is_used_once_and_nobody_disables_oneself(deps: Deps, tenant: str, claire: User) -> None:
    with pytest.raises(Problem, match="user-exists"):
        people.create_user(deps, tenant, MAIL, "Bis", PASSWORD, ["credit"], "operator:cli")
    with pytest.raises(Problem, match="own-account"):
        people.disable_user(deps, tenant, claire.id, f"user:{claire.id}")
    with pytest.raises(Problem, match="not-found"):
        people.disable_user(deps, tenant, "personne", "operator:cli")


@pytest.mark.usefixtures("postgres")
def test_guesses_at_once_are_counted_each(deps: Deps) -> None:
    """SQLite has one writer at a time; here two may be the first to fail under an address."""
    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda _: refusal(deps, "inconnu@atelier.example", "faux").status, range(24)))
    with deps.db.reading(EVERY_TENANT) as session:
        [row] = session.scalars(select(SignInFailure))
    assert row.count == answers[401] >= signin.FREE_FAILURES


class Meeting(PasswordHasher):
    """Checks a password once so many are being checked, and knows how many were at most."""

    now = most = 0
    lock = threading.Lock()
    all_here = threading.Barrier(passwords.AT_ONCE)

    def verify(self, *given: Any, **named: Any) -> Literal[True]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.all_here.wait(20)
        with self.lock:
            self.now -= 1
        return super().verify(*given, **named)


def test_few_passwords_are_checked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a lot of memory, and nobody needs to be known to ask for it."""
    meeting = Meeting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", meeting)
    with ThreadPoolExecutor(3 * passwords.AT_ONCE) as pool:
        answers = list(pool.map(lambda _: passwords.is_password(None, "faux"), range(3 * passwords.AT_ONCE)))
    assert not any(answers)
    assert meeting.most == passwords.AT_ONCE

"""The eight verbs over HTTP: allowed, refused, of another tenant; each of them journaled."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from archive.store import Digest
from gateway.auth import Permission
from gateway.deps import Deps
from gateway.keeping import destruction
from gateway.keeping.safe_routes import router
from gateway.tables import JournalEntry

DATA = b"delivery note"
ID = Digest.of(DATA).hex
HERE = "/v1/evidence/objects"
Send = Callable[..., Any]

VERBS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "deposit": ("POST", HERE, {"content": DATA}, 201), "list": ("GET", HERE, {}, 200),
    "count": ("GET", f"{HERE}/count", {}, 200), "metadata": ("GET", f"{HERE}/{ID}", {}, 200),
    "read": ("GET", f"{HERE}/{ID}/content", {}, 200), "control": ("POST", f"{HERE}/{ID}/control", {}, 200),
    "journal": ("GET", f"{HERE}/{ID}/journal", {}, 200),
    "destroy": ("POST", f"{HERE}/{ID}/destroy", {"json": {"reason": "order 17"}}, 204),
}


@pytest.fixture
def send(serve, deps: Deps, tenant: str, clock) -> Send:
    """Calls a verb; the object is there and may go, since its time is over and two persons agreed."""
    client = serve(router)
    client.request("POST", HERE, content=DATA)
    clock.forward(days=11 * 366)
    row = destruction.propose(deps, tenant, "user:first", [f"object:{ID}"], "au terme")
    destruction.approve(deps, tenant, "user:second", row.id)

    def call(verb: str, **headers: str) -> Any:
        method, path, options, _ = VERBS[verb]
        return client.request(method, path, headers=headers, **options)

    return call


def told(deps: Deps, tenant: str) -> list[tuple[str, str]]:
    """(actor, code) of the journal's calls of the safe."""
    with deps.db.reading(tenant) as session:
        rows = session.scalars(select(JournalEntry).where(JournalEntry.subject.startswith("object:"))
                               .order_by(JournalEntry.log, JournalEntry.seq)).all()
    return [(row.actor, row.line.decode().partition('"outcome":"')[2].partition('"')[0]) for row in rows]


def test_each_verb_answers_and_is_journaled(deps: Deps, tenant: str, send: Send) -> None:
    answers = {verb: send(verb) for verb in VERBS}  # destroying comes last
    assert {verb: answer.status_code for verb, answer in answers.items()} == {
        verb: status for verb, (*_, status) in VERBS.items()}
    card = answers["deposit"].json()
    assert (card["id"], card["hash"], card["size"], card["algorithm"]) == (ID, ID, len(DATA), "sha256")
    assert answers["metadata"].json() == answers["control"].json() == card == answers["list"].json()["items"][0]
    assert answers["count"].json() == {"count": 1}
    assert answers["read"].content == DATA
    assert [call["verb"] for call in answers["journal"].json()["items"]] == [
        "deposit", "deposit", "metadata", "read", "control"]
    assert [code for _, code in told(deps, tenant)][1:] == [
        *(f"object.{verb}.done" for verb in VERBS if verb != "destroy"), "object.destroy.ordered",
        "object.destroy.done"]
    assert send("read").status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_right_it_is_refused_and_journaled(
    deps: Deps, tenant: str, make_key, make_tenant, send: Send, verb: str
) -> None:
    key = make_key(tenant, Permission.VALIDATE.value)
    answer = send(verb, Authorization=key)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert told(deps, tenant)[-1] == (f"key:{key.split('_')[2]}", f"object.{verb}.call-refused")
    if verb in {"metadata", "read", "control", "destroy"}:
        other = make_tenant("Autre")
        stranger = send(verb, Authorization=make_key(other))
        assert (stranger.status_code, stranger.json()["code"]) == (404, "not-found")
        assert told(deps, other)[-1][1] == f"object.{verb}.call-refused"


def test_what_is_not_what_was_announced_is_not_kept(serve, deps: Deps) -> None:
    client = serve(router)
    refused = client.request("POST", f"{HERE}?sha256={ID}", content=b"another note")
    assert (refused.status_code, refused.json()["code"]) == (422, "object-damaged")
    assert client.request("POST", HERE, content=b"").status_code == 422
    assert client.request("GET", f"{HERE}/not-a-hash").status_code == 422
    assert deps.store.count() == 0


def test_nothing_goes_before_its_time(serve, deps: Deps) -> None:
    client = serve(router)
    client.request("POST", HERE, content=DATA)
    method, path, options, _ = VERBS["destroy"]
    early = client.request(method, path, **options)
    assert (early.status_code, early.json()["code"]) == (409, "destruction-refused")
    assert deps.store.count() == 1


def test_the_list_is_read_part_by_part(serve) -> None:
    client = serve(router)
    ids = sorted(client.request("POST", HERE, content=f"note {number}".encode()).json()["id"] for number in range(5))
    first = [card["id"] for card in client.request("GET", f"{HERE}?limit=3").json()["items"]]
    rest = [card["id"] for card in client.request("GET", f"{HERE}?after={first[-1]}").json()["items"]]
    assert [*first, *rest] == ids

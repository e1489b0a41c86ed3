"""Callbacks: only genuine ones are heard, and what they say is only a hint to poll."""

import base64
from typing import Any

import pytest
from sqlalchemy import select

from archive.store import Digest
from gateway import circuits
from gateway.deps import Deps
from gateway.incoming.callbacks import LIMIT, router
from gateway.incoming.poll import poll
from gateway.platforms.callbacks import Reading, sign
from gateway.tables import OutboxEntry, PlatformConnection

KEY = b"k" * 32
BODY = b'{"flowId": "in-1"}'


@pytest.fixture
def api(deps: Deps, connection: PlatformConnection, serve: Any) -> Any:
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.signing_key = deps.vault.seal(base64.b64encode(KEY).decode())
    return serve(router)


def call(api: Any, connection_id: str, body: bytes = BODY, **headers: str) -> Any:
    return api.post(f"/callbacks/{connection_id}", content=body, headers={"Authorization": "", **headers})


def signed(now: int, body: bytes = BODY, key: bytes = KEY, reading: Reading = Reading.DIGEST) -> dict[str, str]:
    return {"Afnor-Signature": sign(reading, key, body, now), "Afnor-Signature-Timestamp": str(now)}


def waiting(deps: Deps, connection: PlatformConnection) -> list[OutboxEntry]:
    with deps.db.reading(connection.tenant_id) as session:
        return list(session.scalars(select(OutboxEntry)))


@pytest.mark.parametrize("reading", list(Reading))
def test_a_genuine_callback_asks_for_one_poll(
    deps: Deps, connection: PlatformConnection, api: Any, reading: Reading
) -> None:
    now = int(deps.now().timestamp())
    answers = [call(api, connection.id, **signed(now, reading=reading)) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    [entry] = waiting(deps, connection)
    assert (entry.topic, entry.subject_id) == ("poll", connection.id)
    assert deps.store.get(Digest(entry.payload["sha256"])) == BODY


def test_what_is_not_genuine_changes_nothing(deps: Deps, connection: PlatformConnection, api: Any) -> None:
    now = int(deps.now().timestamp())
    good = signed(now)
    for headers, cause in (
        ({}, "MISSING_SIGNATURE"),
        ({"Afnor-Signature": good["Afnor-Signature"]}, "MISSING_SIGNATURE"),
        ({**good, "Afnor-Signature-Timestamp": "soon"}, "BAD_TIMESTAMP"),
        ({**good, "Afnor-Signature-Timestamp": str(now + 1)}, "BAD_SIGNATURE"),
        (signed(now - 301), "STALE_TIMESTAMP"),
        (signed(now + 301), "STALE_TIMESTAMP"),
        (signed(now, key=b"x" * 32), "BAD_SIGNATURE"),
        (signed(now, body=b"{}"), "BAD_SIGNATURE"),
    ):
        answer = call(api, connection.id, **headers)
        assert (answer.status_code, answer.json()["code"], answer.json()["cause"]) == (
            401, "callback-not-genuine", cause)

    assert waiting(deps, connection) == []
    assert deps.store.count() == 0


def test_a_replay_after_the_window_is_refused(deps: Deps, connection: PlatformConnection, api: Any,
                                              clock: Any) -> None:
    headers = signed(int(deps.now().timestamp()))
    assert call(api, connection.id, **headers).status_code == 200
    clock.forward(seconds=301)
    assert call(api, connection.id, **headers).status_code == 401
    assert len(waiting(deps, connection)) == 1


def test_a_connection_that_is_unknown_off_or_without_key(
    deps: Deps, connection: PlatformConnection, api: Any
) -> None:
    headers = signed(int(deps.now().timestamp()))
    assert call(api, "00000000-0000-0000-0000-000000000000", **headers).status_code == 404
    with deps.db.transaction(connection.tenant_id) as session:
        session.get_one(PlatformConnection, (connection.tenant_id, connection.id)).signing_key = None
    assert call(api, connection.id, **headers).json()["cause"] == "NO_KEY"
    with deps.db.transaction(connection.tenant_id) as session:
        session.get_one(PlatformConnection, (connection.tenant_id, connection.id)).enabled = False
    assert call(api, connection.id, **headers).status_code == 404
    assert waiting(deps, connection) == []


@pytest.mark.parametrize(("body", "status"), [(b"x" * (LIMIT + 1), 413), (b"", 422)], ids=["large", "empty"])
def test_the_body_is_bounded(deps: Deps, connection: PlatformConnection, api: Any, body: bytes, status: int) -> None:
    assert call(api, connection.id, body, **signed(int(deps.now().timestamp()), body)).status_code == status


def test_a_connection_subscribes_once_and_its_key_is_kept_sealed(
    deps: Deps, connection: PlatformConnection, platform: Any, serve: Any
) -> None:
    with deps.db.transaction(connection.tenant_id) as session:
        session.get_one(PlatformConnection, (connection.tenant_id, connection.id)).webhook_id = None
    for _ in range(2):
        with deps.db.reading(connection.tenant_id) as session:
            poll(deps, session.get_one(PlatformConnection, (connection.tenant_id, connection.id)))

    assert platform.webhooks == [f"{deps.settings.url}/callbacks/{connection.id}"]
    with deps.db.reading(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
    assert row.signing_key is not None
    assert platform.webhook_key not in row.signing_key
    headers = signed(int(deps.now().timestamp()), key=platform.webhook_key)
    assert call(serve(router), connection.id, **headers).status_code == 200


@pytest.mark.parametrize(("answer", "asked"), [
    ((501, {"errorCode": "NOT_IMPLEMENTED"}), 1), ((201, {"id": "no webhookId"}), 1), ((500, {}), 7)])
def test_a_platform_that_makes_no_webhook_is_polled_as_before(
    deps: Deps, connection: PlatformConnection, platform: Any, clock: Any, answer: Any, asked: int
) -> None:
    with deps.db.transaction(connection.tenant_id) as session:
        session.get_one(PlatformConnection, (connection.tenant_id, connection.id)).webhook_id = None
    post, made = platform.post, []

    def refuse(path: str, headers: Any, body: bytes) -> Any:
        made.extend([body] if path.endswith("/webhooks") else [])
        return answer if path.endswith("/webhooks") else post(path, headers, body)

    platform.post = refuse
    for _ in range(7):
        clock.forward(minutes=1)
        with deps.db.reading(connection.tenant_id) as session:
            poll(deps, session.get_one(PlatformConnection, (connection.tenant_id, connection.id)))
    with deps.db.reading(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        assert (row.trouble, row.polled_at, len(made)) == (None, clock.now, asked)
        assert circuits.health_of(session, connection, circuits.FLOWS).failures == 0


def test_a_platform_that_proves_nothing_is_heard_only_where_that_was_chosen(
    deps: Deps, connection: PlatformConnection, api: Any
) -> None:
    assert call(api, connection.id).status_code == 401
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.config, row.signing_key = {**row.config, "signature": "none"}, None

    assert [call(api, connection.id, b'{"flowInfo": {}}').status_code for _ in range(3)] == [200] * 3
    assert [entry.topic for entry in waiting(deps, connection)] == ["poll"]

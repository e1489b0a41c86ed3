"""The policy of an entity through API, command and console, and looking an address up by hand."""

import json

import pytest
from sqlalchemy import select

from gateway.commands import directory as command
from gateway.deps import Deps
from gateway.tables import Event, LegalEntity

PATH = "/v1/entities/{}/reachability"
DEFAULT = {"not-yet": "hold", "disabled": "ask", "unknown": "ask", "cannot-tell": "send"}


def test_the_policy_over_the_api(client, deps: Deps, entity: LegalEntity) -> None:
    path = PATH.format(entity.id)
    assert client.get(path).json() == DEFAULT
    changed = client.request("PUT", path, json={**DEFAULT, "unknown": "send"})
    assert changed.json() == {**DEFAULT, "unknown": "send"} == client.get(path).json()
    client.request("PUT", path, json={**DEFAULT, "unknown": "send"})
    with deps.db.reading(entity.tenant_id) as session:
        [event] = session.scalars(select(Event).where(Event.code == "reachability-changed")).all()
    assert event.data["changed"] == {"unknown": "send"}
    assert client.request("PUT", path, json={"unknown": "perhaps"}).status_code == 422
    assert client.request("PUT", path, json={"reachable": "ask"}).status_code == 422
    assert client.get(PATH.format("nobody")).status_code == 404


def test_an_address_is_looked_up_now(client, directory, entity: LegalEntity) -> None:
    path = f"/v1/entities/{entity.id}/directory/000001016"
    answer = client.get(path).json()
    assert (answer["reach"], answer["step"], answer["last_told"]["reach"]) == ("reachable", "send", "reachable")
    directory.directory_says = (500, b"")
    away = client.get(path).json()
    assert (away["reach"], away["step"]) == ("cannot-tell", "send")
    assert away["last_told"]["reach"] == "reachable"  # an outage does not hide the last certain answer
    directory.directory_says = None
    directory.lines = {"000001016_A": "Upcoming"}
    assert client.get(path).json()["others"] == ["000001016_A (à venir)"]


def test_no_platform_no_answer(client, deps: Deps, entity: LegalEntity) -> None:
    with deps.db.transaction(entity.tenant_id) as session:
        session.get_one(LegalEntity, (entity.tenant_id, entity.id)).connection_id = None
    assert client.get(f"/v1/entities/{entity.id}/directory/000001016").json()["code"] == "connection-not-usable"


def test_the_command_shows_and_changes(tmp_path, monkeypatch, capsys) -> None:
    from gateway.accounts.schemas import EntityIn
    from gateway.accounts.service import create_entity, create_tenant
    from gateway.assembly import assembled
    from gateway.settings import Settings

    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    with assembled(Settings()) as deps:
        tenant = create_tenant(deps, "default", "test")
        create_entity(deps, tenant.id, EntityIn(siren="000002006", name="A"), "test")
    siren = ["--siren", "000002006"]
    assert command.main(["policy", *siren]) == 0
    assert json.loads(capsys.readouterr().out) == DEFAULT
    assert command.main(["policy", *siren, "--not-yet", "send"]) == 0
    assert json.loads(capsys.readouterr().out) == {**DEFAULT, "not-yet": "send"}
    assert command.main(["ask", *siren, "000001016"]) == 1
    assert "connection-not-usable" in capsys.readouterr().err
    assert command.main(["policy", "--siren", "000000000"]) == 1
    with pytest.raises(SystemExit):
        command.main(["policy", *siren, "--unknown", "perhaps"])

"""Legal entities, platform connections and keys: what is refused, what is kept, who did it."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from gateway.accounts import service
from gateway.accounts.schemas import ConnectionIn, EntityChange, EntityIn
from gateway.auth import Permission, principal_of_key
from gateway.connections import settings_of
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.tables import Event, JournalEntry, LegalEntity, PlatformConnection
from gateway.tables_access import ApiKey

SIREN, OTHER_SIREN = "000003004", "000004002"


def entity_in(**changes: Any) -> EntityIn:
    return EntityIn.model_validate({"siren": SIREN, "name": "Passerelles du Sud", **changes})


def connection_in(**changes: Any) -> ConnectionIn:
    return ConnectionIn.model_validate({
        "name": "PA inventée", "flow_url": "https://pa.example/flow", "token_url": "https://pa.example/token",
        "client_id": "atelier", "client_secret": "secret-tres-particulier", **changes})


@pytest.mark.parametrize(("field", "value"), [
    ("siren", "000003005"), ("siren", "00000300"), ("siren", "０00003004"),
    ("vat_number", "FR00000003004"), ("vat_number", "FR16000002006"),
    ("electronic_address", "000004002"), ("electronic_address", "bonjour"),
    ("fiscal_year_end", "02-30"), ("fiscal_year_end", "31-12"),
    ("format", "pdf"), ("vat_regime", "autre"), ("contact_email", "sans-arobase"), ("name", "  "),
    ("couleur", "bleu"),
])
def test_a_wrong_setting_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        entity_in(**{field: value})


def test_an_entity_is_off_until_it_is_switched_on(deps: Deps, tenant: str) -> None:
    row = service.create_entity(deps, tenant, entity_in(), "operator:cli")
    assert (row.enabled, row.electronic_address) == (False, SIREN)

    with pytest.raises(Problem, match="entity-not-ready"):
        service.enable_entity(deps, tenant, row.id, "operator:cli")
    connection = service.create_connection(deps, tenant, connection_in(), "operator:cli")
    service.change_entity(deps, tenant, row.id, EntityChange(name="Passerelles du Sud", connection_id=connection.id),
                          "operator:cli")
    assert service.enable_entity(deps, tenant, row.id, "operator:cli").enabled
    with pytest.raises(Problem, match="entity-not-ready"):
        service.change_entity(deps, tenant, row.id, EntityChange(name="Sans plateforme"), "operator:cli")
    assert not service.disable_entity(deps, tenant, row.id, "operator:cli").enabled


def test_a_siren_is_set_up_once_per_tenant(deps: Deps, tenant: str, make_tenant: Callable[[str], str]) -> None:
    service.create_entity(deps, tenant, entity_in(), "operator:cli")
    with pytest.raises(Problem, match="entity-exists"):
        service.create_entity(deps, tenant, entity_in(name="Encore"), "operator:cli")
    service.create_entity(deps, make_tenant("Autre"), entity_in(), "operator:cli")


def test_what_belongs_to_others_looks_absent(deps: Deps, tenant: str, make_tenant: Callable[[str], str]) -> None:
    other = make_tenant("Autre")
    theirs = service.create_entity(deps, other, entity_in(siren=OTHER_SIREN), "operator:cli")
    their_platform = service.create_connection(deps, other, connection_in(), "operator:cli")

    def answer(entity_id: str) -> dict[str, Any]:
        with pytest.raises(Problem) as caught:
            service.disable_entity(deps, tenant, entity_id, "operator:cli")
        return {**caught.value.body(), "status": caught.value.status}

    assert answer(theirs.id) == answer("00000000-0000-0000-0000-000000000000")
    with pytest.raises(Problem, match="invalid-request"):
        service.create_entity(deps, tenant, entity_in(connection_id=their_platform.id), "operator:cli")
    assert service.list_entities(deps, tenant) == []


@pytest.mark.parametrize("url", ["http://pa.example/token", "https://user:pw@pa.example/token", "https://10.0.0.1/token",
                                 "http://127.0.0.1/token", "ftp://pa.example/token", "https://"])
def test_no_secret_goes_to_an_unsafe_address(deps: Deps, tenant: str, url: str) -> None:
    with pytest.raises(Problem, match="insecure-url"):
        service.create_connection(deps, tenant, connection_in(token_url=url), "operator:cli")


def test_credentials_are_encrypted_and_never_told(deps: Deps, tenant: str) -> None:
    row = service.create_connection(deps, tenant, connection_in(), "operator:cli")
    with deps.db.reading(tenant) as session:
        kept = session.get_one(PlatformConnection, (tenant, row.id))
        told = [event.data for event in session.scalars(select(Event))]
    assert b"secret-tres-particulier" not in kept.credentials
    assert "secret" not in str(kept.config)
    assert "secret" not in str(told)
    assert "secret-tres-particulier" in deps.vault.open(kept.credentials)


def test_a_key_opens_until_it_is_revoked_and_is_not_kept(deps: Deps, tenant: str) -> None:
    full = service.create_key(deps, tenant, "ERP", [Permission.INVOICES_READ], "operator:cli")
    principal = principal_of_key(deps.db, full, deps.now())
    assert principal is not None
    assert principal.permissions == {Permission.INVOICES_READ}
    [row] = service.list_keys(deps, tenant)
    assert full not in {row.digest, row.prefix}
    assert full.split("_")[3] not in str({c.name: getattr(row, c.name) for c in ApiKey.__table__.columns})

    service.revoke_key(deps, tenant, row.id, "operator:cli")
    assert principal_of_key(deps.db, full, deps.now()) is None


def test_every_change_is_journaled_with_who_made_it(deps: Deps, tenant: str) -> None:
    connection = service.create_connection(deps, tenant, connection_in(), "user:a")
    entity = service.create_entity(deps, tenant, entity_in(connection_id=connection.id), "user:b")
    service.enable_entity(deps, tenant, entity.id, "user:c")
    service.create_key(deps, tenant, "ERP", [Permission.VALIDATE], "user:d")
    with deps.db.reading(tenant) as session:
        events = [(event.code, event.actor) for event in session.scalars(select(Event).order_by(Event.position))]
        actors = [entry.actor for entry in session.scalars(select(JournalEntry).order_by(JournalEntry.seq))]
    assert events == [("connection-created", "user:a"), ("entity-created", "user:b"), ("entity-enabled", "user:c"),
                      ("key-created", "user:d")]
    assert actors == ["user:a", "user:b", "user:c", "user:d"]


def test_over_http_settings_need_their_scope(tenant: str, client: Any, make_key: Callable[..., str]) -> None:
    weak = {"Authorization": make_key(tenant, "invoices:read")}
    assert client.get("/v1/entities", headers=weak).status_code == 403

    made = client.post("/v1/entities", json={"siren": SIREN, "name": "Passerelles du Sud"})
    assert made.status_code == 201
    assert made.json()["enabled"] is False
    assert client.post("/v1/entities", json={"siren": "123456789", "name": "x"}).status_code == 422
    assert client.post(f"/v1/entities/{made.json()['id']}/enable").json()["code"] == "entity-not-ready"
    assert [one["siren"] for one in client.get("/v1/entities").json()["items"]] == [SIREN]

    key = client.post("/v1/keys", json={"name": "ERP", "scopes": ["invoices:read"]}).json()["key"]
    assert client.get("/v1/invoices", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    shown = client.get("/v1/keys").text
    assert key not in shown
    assert client.post("/v1/keys", json={"name": "ERP", "scopes": ["tout"]}).status_code == 422


def test_a_connection_over_http_shows_no_secret(client: Any) -> None:
    body = {"name": "PA inventée", "flow_url": "https://pa.example/flow", "token_url": "https://pa.example/token",
            "client_id": "atelier", "client_secret": "secret-tres-particulier"}
    made = client.post("/v1/connections", json=body)
    assert made.status_code == 201
    assert "secret-tres-particulier" not in made.text + client.get("/v1/connections").text


def test_the_credentials_of_a_connection_are_changed_by_whoever_has_it(
    deps: Deps, tenant: str, client: Any, make_tenant: Callable[[str], str]
) -> None:
    theirs = service.create_connection(deps, make_tenant("Autre"), connection_in(), "user:z")
    ours = service.create_connection(deps, tenant, connection_in(), "user:a")
    given = {"client_id": "atelier", "client_secret": "un-autre-secret"}
    assert client.request("PUT", f"/v1/connections/{theirs.id}/credentials", json=given).status_code == 404
    assert client.request("PUT", f"/v1/connections/{ours.id}/credentials", json=given).status_code == 200
    with deps.db.reading(tenant) as session:
        row = session.get_one(PlatformConnection, (tenant, ours.id))
        assert session.scalars(select(Event.code).order_by(Event.position)).all()[-1] == "connection-changed"
    assert settings_of(deps.vault, row).client_secret == "un-autre-secret"
    assert b"un-autre-secret" not in row.credentials


def test_the_siren_of_an_entity_stays(deps: Deps, tenant: str) -> None:
    row = service.create_entity(deps, tenant, entity_in(), "operator:cli")
    with pytest.raises(ValidationError):
        EntityChange.model_validate({"name": "Autre", "siren": OTHER_SIREN})
    with pytest.raises(Problem, match="TVA"):
        service.change_entity(deps, tenant, row.id, EntityChange(name="Autre", vat_number="FR16000002006"), "user:a")
    with deps.db.reading(tenant) as session:
        assert session.get_one(LegalEntity, (tenant, row.id)).siren == SIREN

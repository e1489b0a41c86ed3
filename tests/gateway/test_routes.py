"""Deny by default: every route asks for a permission, or is on the short list of public ones."""

import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select

from gateway.app import create_app
from gateway.auth import ROLES, Permission
from gateway.deps import Deps
from gateway.tables import Event

PUBLIC = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    ("POST", "/callbacks/{connection_id}"),
    ("GET", "/connexion"), ("POST", "/connexion"), ("POST", "/deconnexion"),
    ("GET", "/reponse/{token}"), ("POST", "/reponse/{token}"),
}
"""Callbacks and the links in letters carry a signature; the sign-in page has to be reachable."""


def permission_of(route: APIRoute) -> str | None:
    stack = list(route.dependant.dependencies)
    while stack:
        dependency = stack.pop()
        found = getattr(dependency.call, "permission", None)
        if found is not None:
            return str(found)
        stack.extend(dependency.dependencies)
    return None


def routes(deps: Deps) -> list[tuple[str, APIRoute]]:
    """Every route of the application, also of the routers that it includes."""
    found, stack = [], list(create_app(deps).routes)
    while stack:
        route = stack.pop()
        if isinstance(route, APIRoute):
            found += [(method, route) for method in sorted(route.methods)]
        elif (router := getattr(route, "original_router", None)) is not None:
            stack += router.routes
    return found


def test_every_route_asks_for_a_permission(deps: Deps) -> None:
    listed = routes(deps)
    assert len(listed) > 20
    open_routes = {(method, route.path) for method, route in listed if permission_of(route) is None}
    assert open_routes <= PUBLIC


def test_nobody_unknown_gets_in(deps: Deps, client) -> None:
    for method, route in routes(deps):
        if permission_of(route) is None:
            continue
        path = route.path.replace("{", "").replace("}", "")
        answer = client.request(method, path, headers={"Authorization": ""})
        assert answer.status_code in {401, 303}, (method, path, answer.status_code)


@pytest.mark.parametrize("key", ["", "pas_live_x", "pas_live_00000000_" + "a" * 32, "Bearer", "pas_live_%00_x"])
def test_a_wrong_key_opens_nothing(client, key: str) -> None:
    answer = client.get("/v1/invoices", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def asked(route: APIRoute) -> str:
    """A path of this route, of things that are not there."""
    return re.sub(r"{(\w+)(:path)?}", r"\1", route.path.replace("{sha256}", "0" * 64))


def test_no_route_opens_to_roles_without_its_permission(deps: Deps, client, browser) -> None:
    signed_in: dict[tuple[str, ...], dict[str, str]] = {}
    for method, route in routes(deps):
        shut_out = tuple(role for role, permissions in ROLES.items() if permission_of(route) not in permissions)
        if permission_of(route) is None or not shut_out:
            continue
        if shut_out not in signed_in:
            signed_in[shut_out] = browser(*shut_out)
        answer = client.request(method, asked(route), headers=signed_in[shut_out])
        assert answer.status_code == 403, (method, route.path, shut_out)
    assert len(signed_in) > 5


def test_a_scope_opens_its_routes_and_no_others(deps: Deps, client, tenant: str, make_key) -> None:
    only = {scope: {"Authorization": make_key(tenant, scope)} for scope in Permission}
    others = {scope: {"Authorization": make_key(tenant, *(set(Permission) - {scope}))} for scope in Permission}
    for method, route in routes(deps):
        permission = permission_of(route)
        if permission is None or not route.path.startswith("/v1/"):
            continue
        scope, order = Permission(permission), {"reason": "raison"}
        refused = client.request(method, asked(route), headers=others[scope], json=order)
        assert refused.status_code == 403, (method, route.path)
        if method == "GET":
            allowed = client.get(asked(route), headers=only[scope])
            assert allowed.status_code not in {401, 403, 500}, (method, route.path)


def test_no_form_does_anything_without_its_token(deps: Deps, client, tenant: str, browser) -> None:
    headers = browser(*ROLES)
    forms = [route for method, route in routes(deps) if method == "POST" and not route.path.startswith("/v1/")
             and permission_of(route) is not None]
    assert len(forms) > 30
    for route in forms:
        answer = client.post(asked(route), headers=headers, data={"csrf": "other"})
        assert (answer.status_code, "expiré" in answer.text) == (403, True), route.path
    with deps.db.reading(tenant) as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 0


class Chunks(httpx.AsyncByteStream):
    """A body that says nothing of its length."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def test_nobody_unknown_makes_us_read_a_long_body(deps: Deps, client) -> None:
    for method, route in routes(deps):
        read = 0

        def chunks() -> Iterator[bytes]:
            nonlocal read
            while read < 4:
                read += 1
                yield b" " * (1 << 20)

        if method != "GET":
            answer = client.request(method, asked(route), content=Chunks(chunks()),
                                    headers={"Authorization": "", "Content-Type": "application/json"})
            assert answer.status_code in {303, 401, 403, 404, 411, 413}, (method, route.path)
            assert read <= 2, (method, route.path)


@pytest.mark.usefixtures("postgres")
def test_a_text_that_the_database_cannot_keep_is_refused(client, make_invoice) -> None:
    path = f"/v1/invoices/{make_invoice().id}/payments"
    body = {"amount": "1.00", "paid_on": "2026-11-20", "reference": "a\0b"}
    refused = client.post(path, json=body, headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    mended = client.post(path, json={**body, "reference": "ab"}, headers={"Idempotency-Key": "k"})
    assert mended.status_code == 201
    assert client.get("/v1/invoices", params={"number": "\0"}).status_code == 422

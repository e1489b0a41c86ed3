"""Deny by default: every route asks for a permission, or is on the short list of public ones."""

import pytest
from fastapi.routing import APIRoute

from gateway.app import create_app
from gateway.deps import Deps

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

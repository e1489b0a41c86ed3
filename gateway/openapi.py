"""The description of the HTTP interface at /openapi.json: FastAPI's own, with the problems of every operation.

What follows from the shape of an operation is added here; what only one operation answers stands at its route,
as `responses=documented(409)`.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.problems import PROBLEM, documented

BEARER = {"type": "http", "scheme": "bearer", "description": "Clé d'API / API key: pas_live_…"}


def describe(app: FastAPI) -> None:
    """Let `app` describe itself in full; worked out when it is first asked for."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes))
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # the way that FastAPI documents


def completed(description: dict[str, Any]) -> dict[str, Any]:
    """`description` with problems, the bearer key, and the header that is required although its absence has a name."""
    for path, operations in description["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's own form, which is never answered
            for status, response in documented(*problems_of(path, operation)).items():
                operation["responses"].setdefault(str(status), response)
            for parameter in operation.get("parameters", []):
                parameter["required"] |= parameter["name"] == "Idempotency-Key"
            if path.startswith("/v1/"):
                operation["security"] = [{"key": []}]
    components = description.setdefault("components", {})
    components["securitySchemes"] = {"key": BEARER}
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return description


def refuses(operation: dict[str, Any]) -> bool:
    """Whether there is anything in a request that could be wrong."""
    return "requestBody" in operation or bool(operation.get("parameters"))


def problems_of(path: str, operation: dict[str, Any]) -> Iterator[int]:
    """The problems that follow from the shape of an operation."""
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if path.startswith("/v1/"):
        yield from (401, 403)
    if "path" in places:
        yield 404
    if refuses(operation):
        yield 422
    if "Idempotency-Key" in names:
        yield from (400, 409)
    if "requestBody" in operation:
        yield 413
    if "application/pdf" in operation.get("requestBody", {}).get("content", {}):
        yield 415

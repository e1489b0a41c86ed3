"""The described HTTP interface: complete, and true under generated requests.

Seeded and small here; tests/campaigns/fuzz.py runs the same with many more examples (PASSERELLE_FUZZ_EXAMPLES).
"""

import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from formats.syntax import Syntax, write
from gateway.accounts.schemas import EntityIn
from gateway.accounts.service import create_entity, create_key, create_tenant
from gateway.app import create_app
from gateway.assembly import assembled
from gateway.auth import Permission
from gateway.commands.demo_invoices import GOODS, SELLER_SIREN, invoice
from gateway.settings import Settings

pytestmark = pytest.mark.timeout(3600)

EXAMPLES = int(os.environ.get("PASSERELLE_FUZZ_EXAMPLES", "3"))
SEED = int(os.environ.get("PASSERELLE_FUZZ_SEED", "20261123"))
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
          response_headers_conformance, ignored_auth)

MACHINE_CONTRACT = {
    ("post", "/v1/invoices"): {"200", "202", "400", "401", "403", "409", "413", "415", "422", "503"},
    ("get", "/v1/invoices"): {"200", "401", "403", "422"},
    ("get", "/v1/invoices/{submission_id}"): {"200", "401", "403", "404"},
    ("post", "/v1/invoices/{submission_id}/payments"): {"201", "400", "401", "403", "404", "409", "422"},
    ("get", "/v1/events"): {"200", "401", "403", "422"},
    ("get", "/v1/invoices/{submission_id}/dossier"): {"200", "401", "403", "404", "503"},
    ("post", "/v1/validate"): {"200", "401", "403", "413", "415", "422", "503"},
    ("post", "/v1/convert"): {"200", "401", "403", "409", "413", "415", "422"},
    ("post", "/callbacks/{connection_id}"): {"200", "401", "404", "413", "422"},
    ("get", "/healthz"): {"200"},
    ("get", "/readyz"): {"200", "503"},
    ("get", "/metrics"): {"200"},
}
"""What programs rely on: each operation with the answers that it may give."""

INVOICE_FIELDS = {"id", "number", "issue_date", "seller", "buyer", "total", "currency", "verdict", "transmission",
                  "lifecycle", "events", "documents"}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    """The whole application on a data folder of its own, and a key for everything."""
    with assembled(Settings(data=tmp_path_factory.mktemp("openapi"))) as deps:
        tenant = create_tenant(deps, "e2e", "test").id
        create_entity(deps, tenant, EntityIn(siren=SELLER_SIREN, name="Atelier des Passerelles SAS"), "test")
        yield create_app(deps), create_key(deps, tenant, "e2e", list(Permission), "test")


@pytest.fixture(scope="module")
def description(application: tuple[FastAPI, str]) -> dict[str, Any]:
    return application[0].openapi()


@pytest.fixture(scope="module")
def api(application: tuple[FastAPI, str]) -> Any:
    """The description as schemathesis reads it over HTTP."""
    return schemathesis.openapi.from_asgi("/openapi.json", application[0])


def test_generated_requests_get_described_answers(
    api: Any, application: tuple[FastAPI, str], subtests: pytest.Subtests
) -> None:
    for operation in (result.ok() for result in api.get_all_operations()):
        for mode in GenerationMode:
            with subtests.test(operation=operation.label, mode=mode.value):
                explore(operation, mode, {"Authorization": f"Bearer {application[1]}"})


def explore(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """Requests as described, or spoiled on purpose: each answer must be a described one."""

    @seed(SEED)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=list(CHECKS), headers=headers)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["code"]
            assert problem["detail"]

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # there is nothing in such a request that could be spoiled


@pytest.mark.parametrize("operation", MACHINE_CONTRACT, ids=" ".join)
def test_the_machine_contract_is_described(description: dict[str, Any], operation: tuple[str, str]) -> None:
    method, path = operation
    described = description["paths"][path][method]
    assert set(described["responses"]) >= MACHINE_CONTRACT[operation]
    for status, response in described["responses"].items():
        if int(status) >= 400:
            assert set(response["content"]) == {"application/problem+json"}


def test_bodies_headers_and_pages_are_described(description: dict[str, Any]) -> None:
    paths = description["paths"]
    for path in ("/v1/invoices", "/v1/validate", "/v1/convert"):
        bodies = paths[path]["post"]["requestBody"]["content"]
        assert set(bodies) == {"application/xml", "application/pdf", "application/json"}
    for path in ("/v1/invoices", "/v1/invoices/{submission_id}/payments"):
        header = next(p for p in paths[path]["post"]["parameters"] if p["name"] == "Idempotency-Key")
        assert (header["in"], header["required"]) == ("header", True)
    for path in ("/v1/invoices", "/v1/events"):
        assert {"after", "limit"} <= {p["name"] for p in paths[path]["get"]["parameters"]}
    schemas = description["components"]["schemas"]
    assert set(schemas["InvoiceOut"]["properties"]) >= INVOICE_FIELDS
    assert {"id", "verdict", "findings"} <= set(schemas["SubmissionOut"]["properties"])
    assert "next" in schemas["InvoiceListOut"]["properties"]
    assert {"code", "detail"} <= set(schemas["Problem"]["required"])
    assert "HTTPValidationError" not in schemas


def test_everything_under_v1_asks_for_the_key(description: dict[str, Any]) -> None:
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith("/v1/"), path


def test_a_real_invoice_gets_described_answers_too(application: tuple[FastAPI, str]) -> None:
    """Generated bodies are never invoices: the way of a good one is held against the description as well."""
    live = schemathesis.openapi.from_asgi("/openapi.json", application[0])
    headers = {"Authorization": f"Bearer {application[1]}"}
    good = write(invoice("E2E-OPENAPI", "approve", GOODS, date(2026, 11, 20)), Syntax.UBL_INVOICE)
    for path, query, status in (("/v1/validate", {}, 200), ("/v1/convert", {"to": "cii"}, 200),
                                ("/v1/convert", {"to": "json", "strict": "true"}, 200), ("/v1/invoices", {}, 409)):
        operation = live[path]["POST"]
        case = operation.Case(body=good, media_type="application/xml", query=query,
                              headers={"Idempotency-Key": "openapi"})
        answer = case.call(headers=headers)
        assert answer.status_code == status, answer.text
        case.validate_response(answer, checks=list(CHECKS[:5]))

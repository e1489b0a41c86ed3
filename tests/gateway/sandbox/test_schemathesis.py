"""Every operation of both descriptions, called with what schemathesis makes of them: the sandbox's answers conform.

Exceptions, each a slip of the descriptions themselves, are those of `mend` in conftest.py. A few requests per
operation, always the same; `PASSERELLE_EXAMPLES` asks for more.
"""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

EXAMPLES = int(os.environ.get("PASSERELLE_EXAMPLES", "6"))
CONFORMITY = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
              "response_headers_conformance", "response_schema_conformance")
FLOWS = ["POST /v1/flows", "POST /v1/flows/search", "GET /v1/flows/{flowId}", "GET /v1/webhooks",
         "POST /v1/webhooks", "DELETE /v1/webhooks/{webhookUid}", "GET /v1/healthcheck"]
DIRECTORY = ["POST /v1/siren/search", "GET /v1/siren/code-insee:{siren}", "POST /v1/siret/search",
             "GET /v1/siret/code-insee:{siret}", "POST /v1/routing-code/search",
             "GET /v1/routing-code/siret:{siret}/code:{routing-identifier}", "POST /v1/directory-line/search",
             "GET /v1/directory-line/code:{addressing-identifier}", "GET /v1/healthcheck"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, start_sandbox: Any) -> Iterator[Any]:
    """A sandbox that acknowledges nothing meanwhile: webhooks made up by a generator must never be called."""
    started = start_sandbox(tmp_path_factory.mktemp("schemathesis"), "--speed", "0.0001")
    yield started
    started.end()


@pytest.fixture(scope="module")
def services(mended: tuple[dict[str, Any], ...], platform: Any) -> list[Any]:
    load_all_checks()
    made = []
    for description, url in zip(mended, ("flow_url", "directory_url"), strict=True):
        schema = schemathesis.openapi.from_dict({**description, "servers": [{"url": platform.ready[url]}]})
        schema.config.update(base_url=platform.ready[url])
        made.append({operation.ok().label: operation.ok() for operation in schema.get_all_operations()})
    return made


def test_these_are_all_operations(services: list[Any]) -> None:
    assert [sorted(service) for service in services] == [sorted(FLOWS), sorted(DIRECTORY)]


@pytest.mark.parametrize(("service", "label"), [*((0, label) for label in FLOWS), *((1, label) for label in DIRECTORY)])
def test_the_answers_conform(services: list[Any], platform: Any, service: int, label: str) -> None:
    operation = services[service][label]
    form = {"grant_type": "client_credentials"}
    auth = (platform.ready["client_id"], platform.ready["client_secret"])
    answer = httpx.post(platform.ready["token_url"], data=form, auth=auth, trust_env=False)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    checks = CHECKS.get_by_names(CONFORMITY)
    seen: list[int] = []

    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        seen.append(case.call_and_validate(headers=headers, checks=checks).status_code)

    ask()
    assert seen

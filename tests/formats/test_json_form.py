"""Our JSON is strict, and its published schema says the same as its reader."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from invoices import invoices
from jsonschema import Draft202012Validator

from formats.errors import BadValue, LimitExceeded
from formats.invoice import Invoice
from formats.json_form import from_json, read_json, to_json, write_json
from formats.json_schema import FILE, json_schema, schema_text

LINE = {"id": "1", "net_amount": "10.00"}


def test_the_published_schema_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text()


def test_every_term_is_described_with_its_number() -> None:
    schema = json_schema()
    for name, model in {"Invoice": schema, **schema["$defs"]}.items():
        for field, value in model["properties"].items():
            assert name == "Identifier" or value["description"].startswith(("BT-", "BG-", "EXT-")), (name, field)


@settings(
    max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(invoices())
def test_what_is_written_obeys_the_schema(invoice: Invoice) -> None:
    Draft202012Validator(json_schema()).validate(to_json(invoice))


def test_digits_are_kept_as_written() -> None:
    assert json.loads(write_json(from_json({"lines": [{"net_amount": "10.00", "quantity": "1.0"}]}))) == {
        "lines": [{"quantity": "1.0", "net_amount": "10.00"}],
    }


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"numero": "F1"}', "/numero"),
        ('{"number": "F1", "number": "F2"}', "/number"),
        ('{"lines": [{"id": "1", "id": "1"}]}', "/lines/0/id"),
        ('{"number": 1}', "/number"),
        ('{"number": null}', "/number"),
        ('{"number": true}', "/number"),
        ('{"number": " "}', "/number"),
        ('{"number": "a\\u0000"}', "/number"),
        ('{"number": "\\ud800"}', "/number"),
        ('{"lines": {}}', "/lines"),
        ('{"lines": [[]]}', "/lines/0"),
        ('{"lines": [{"net_amount": 10.0}]}', "/lines/0/net_amount"),
        ('{"lines": [{"net_amount": "1e3"}]}', "/lines/0/net_amount"),
        ('{"lines": [{"net_amount": "10,00"}]}', "/lines/0/net_amount"),
        ('{"lines": [{"net_amount": "NaN"}]}', "/lines/0/net_amount"),
        ('{"lines": [{"net_amount": "' + "1" * 65 + '"}]}', "/lines/0/net_amount"),
        ('{"issue_date": "2026-02-30"}', "/issue_date"),
        ('{"issue_date": "20261121"}', "/issue_date"),
        ('{"issue_date": "2026-11-21T00:00:00"}', "/issue_date"),
        ('{"seller": {"electronic_address": {"scheme": "0225"}}}', "/seller/electronic_address/value"),
        ('{"supporting_documents": [{"attachment": {"content": "é"}}]}', "/supporting_documents/0/attachment/content"),
        ('{"supporting_documents": [{"attachment": {"content": ""}}]}', "/supporting_documents/0/attachment/content"),
        ('{"a/b~c": 1}', "/a~1b~0c"),
        ("[]", ""),
        ('"text"', ""),
        ("{} {}", ""),
        ("{'number': 'F1'}", ""),
    ],
)
def test_what_it_does_not_know_it_refuses_with_a_pointer(document: str, pointer: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_json(document.encode("utf-8"))
    assert caught.value.path == pointer
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [{"numero": "F1"}, {"number": 1}, {"number": " "}, {"lines": {}}, {"lines": [[]]},
                                   {"lines": [LINE | {"net_amount": "1e3"}]}, {"issue_date": "20261121"}, []])
def test_the_schema_refuses_what_the_reader_refuses(value: Any) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(value)


@pytest.mark.parametrize(
    "document",
    [b'{"lines":[' + b"[" * 100_000, b"[" + b"1," * 1_000_001 + b"1]", b'{"number":"' + b"x" * 20_000_000 + b'"}'],
    ids=["deep", "many", "large"],
)
def test_limits_have_names(document: bytes) -> None:
    with pytest.raises(LimitExceeded):
        read_json(document)


def test_a_huge_number_costs_nothing() -> None:
    with pytest.raises(BadValue):
        read_json(b'{"number": ' + b"9" * 1_000_000 + b"}")

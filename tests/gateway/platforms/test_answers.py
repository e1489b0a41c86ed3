"""Answers of other versions, and answers that are wrong: read as far as possible, never with a foreign exception."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.platforms.answers import (
    Malformed,
    read_flow,
    read_flows,
    read_line,
    read_object,
    read_receipt,
    read_results,
)
from gateway.platforms.port import FlowState

FLOW = {
    "flowId": "i_123", "submittedAt": "2026-11-02T10:00:00+01:00", "updatedAt": "2026-11-02T09:00:00.250Z",
    "name": "facture.xml", "flowSyntax": "PEPPOL_BIS_3.0", "flowProfile": "CIUS", "processingRule": "B2B",
    "processingRuleSource": "Input", "flowType": "StateInvoice", "flowDirection": "Out", "trackingId": "T1",
    "acknowledgement": {"status": "Error", "details": [
        {"level": "Error", "item": "file", "reasonCode": "SomethingNew", "reasonMessage": "why"}]},
}


def test_unknown_enumeration_values_are_kept_and_times_become_utc() -> None:
    flow = read_flow(FLOW)

    assert (flow.flow_type, flow.syntax) == ("StateInvoice", "PEPPOL_BIS_3.0")
    assert flow.submitted_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert flow.updated_at == datetime(2026, 11, 2, 9, 0, 0, 250_000, tzinfo=UTC)
    assert flow.ack_details[0].reason_code == "SomethingNew"
    assert json.loads(flow.raw) == FLOW


@pytest.mark.parametrize("absent", [
    "updatedAt", "name", "flowSyntax", "processingRule", "flowType", "flowDirection", "trackingId", "acknowledgement",
])
def test_a_field_that_a_version_lacks_is_no_error(absent: str) -> None:
    flow = read_flow({key: value for key, value in FLOW.items() if key != absent})
    assert flow.flow_id == "i_123"


def test_an_acknowledgement_that_is_not_there_is_not_ok() -> None:
    assert read_flow({**FLOW, "acknowledgement": None}).ack_status == "Undefined"


@pytest.mark.parametrize("absent", ["flowId", "submittedAt"])
def test_what_nothing_works_without_is_asked_for(absent: str) -> None:
    with pytest.raises(Malformed, match=absent):
        read_flow({key: value for key, value in FLOW.items() if key != absent})


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
                                "0001-01-01T00:00:00", "9999-12-31T23:59:59.999Z"])
def test_a_time_at_the_end_of_the_calendar_makes_one_flow_unreadable(at: str) -> None:
    """The least time of a platform's language stands for none."""
    flows, unreadable = read_flows([FLOW, {**FLOW, "flowId": "odd", "updatedAt": at}])
    assert ([flow.flow_id for flow in flows], [flow.flow_id for flow in unreadable]) == (["i_123"], ["odd"])


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b'"flow"', b'{"submittedAt": "2026-11-02T10:00:00Z"}',
                                  b'{"flowId": "", "submittedAt": "2026-11-02T10:00:00Z"}', b"\xff\xfe",
                                  b"[" * 100_000])
def test_a_receipt_without_an_identifier_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_receipt(body)


def test_an_empty_body_is_no_result() -> None:
    assert read_results(read_object(b"")) == ()


@pytest.mark.parametrize(("fields", "status"), [
    ({"directoryLineStatus": "Enabled"}, "Enabled"),
    ({"platformStatus": "Enabled"}, "Enabled"),
    ({}, None),
])
def test_a_line_without_status_is_undetermined(fields: dict[str, str], status: str | None) -> None:
    assert read_line({"addressingIdentifier": "000001016", **fields}).status == status


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(list(FLOW)) | st.text(), inner, max_size=5), max_leaves=10)


@given(st.dictionaries(st.sampled_from([*FLOW, "status", "details"]), JSON))
def test_no_json_makes_a_foreign_exception(fields: dict[str, Any]) -> None:
    with suppress(Malformed):
        assert isinstance(read_flow({**FLOW, **fields}), FlowState)

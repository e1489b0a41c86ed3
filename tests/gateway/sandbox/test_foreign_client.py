"""pyfrctc, a client for XP Z12-013 that nobody here wrote, against the sandbox.

It knows one platform by address and reads dates, identifiers and statuses in its own way; only its address book is
changed. It wants https for OAuth, which oauthlib waives for tests.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pyfrctc import pyfrctc

Sample = Callable[..., bytes]
EVER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def session(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    base = sandbox.ready["base_url"]
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(pyfrctc.PLATFORMS, "superpdp", {
        "afnor_base_url": base, "token_url": f"{base}/oauth2/token", "authorize_url": base, "label": "sandbox"})
    opened = pyfrctc.get_session(
        "superpdp", "client_credentials", "test", lambda _: {"access_token": None, "expires_at": None},
        lambda _: None, sandbox.ready["client_id"], sandbox.ready["client_secret"])
    yield opened
    opened.close()


def test_it_sends_an_invoice_and_searches_it(session: Any, sandbox: Any, sample: Sample) -> None:
    document = sample("PYF-1")

    sent = pyfrctc.send_flow_parsed(session, document, "PYF-1.xml", "UBL", "B2B")
    waiting = pyfrctc.search_flows_parsed(session, EVER, "Out", None)
    sandbox.run()
    done = pyfrctc.search_flows_parsed(session, EVER, "Out", "CustomerInvoice")

    assert sent["flowId"] in {flow["flowId"] for flow in waiting if flow["state"] == "sent"}
    assert [flow["name"] for flow in done if flow["flowId"] == sent["flowId"]] == ["PYF-1.xml"]
    assert sent["sha256"] == hashlib.sha256(document).hexdigest()
    assert pyfrctc.get_flow(session, sent["flowId"], "Original") == document
    assert pyfrctc.get_flow_metadata_parsed(session, sent["flowId"])["state"] == "done"


def test_it_reads_the_statuses_that_come_back(session: Any, sandbox: Any, sample: Sample) -> None:
    sent = pyfrctc.send_flow(session, sample("PYF-2", "000001057"), "PYF-2.xml", "UBL", "B2B")
    sandbox.run()
    flows = pyfrctc.search_flows_parsed(session, sent["submittedAt"], "In", "CustomerInvoiceLC")

    read = [pyfrctc.parse_cdar(pyfrctc.get_flow(session, flow["flowId"], "Original")) for flow in flows]
    mine = [status for status in read if status["invoice_number"] == "PYF-2"]

    assert [status["status_code"] for status in mine] == ["200", "201", "202", "203", "204", "210"]
    assert mine[-1]["invoice_issuer"] == {"0002": "000002006"}
    assert mine[-1]["doc_status"][0]["reason_code"] == "TRANSAC_INC"


def test_it_reads_why_a_deposit_failed(session: Any, sandbox: Any) -> None:
    sent = pyfrctc.send_flow(session, b"no invoice", "PYF-3.xml", "UBL", "B2B")
    sandbox.run()
    flow = pyfrctc.get_flow_metadata_parsed(session, sent["flowId"])
    assert flow["state"] == "error"
    assert "InvalidSchema" in flow["ap_error_details"]


def test_it_reads_the_directory(session: Any) -> None:
    lines = pyfrctc.get_directory_lines_parsed(session, "000001164")
    assert {key: value["state"] for key, value in lines.items()} == {
        "000001164": "active", "000001164_00000116400011": "active", "000001164_00000116400011_ACHATS": "active",
        "000001164_COMPTA": "upcoming"}
    assert pyfrctc.get_directory_siren(session, "000001016")["businessName"] == "Aubrac Approuve SAS"
    assert pyfrctc.get_directory_siren(session, "000009118") is False
    assert pyfrctc.get_directory_siret(session, "00000116400011")["siren"] == "000001164"
    assert pyfrctc.healthcheck(session, type="flow")
    assert pyfrctc.healthcheck(session, type="directory")

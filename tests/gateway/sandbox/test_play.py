"""The other side: each behaviour's statuses, what a deposit is refused for, and the user's own statuses."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from formats.invoice import Identifier
from formats.lifecycle import read_status, write_status
from formats.status import (
    REFERENCE_STATUS,
    StatusAmount,
    StatusDetail,
    StatusMessage,
    StatusParty,
    message_id,
    phase_of,
)
from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import Flow
from gateway.sandbox.participants import load_participants
from gateway.sandbox.script import SCRIPTS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Sample = Callable[..., bytes]
CDAR = Flow(name="cdv.xml", syntax="CDAR", profile=None, processing_rule="NotApplicable",
            media_type="application/xml")
BUYERS = {member.behaviour: member.siren for member in load_participants(Path()).members}


@pytest.fixture(scope="session")
def broken_rules() -> Callable[[bytes], list[str]]:
    """What the published CDAR schema and rules say against a message, run directly."""
    spec = importlib.util.find_spec("pyfrctc")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    schema = etree.XMLSchema(file=folder / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    processor = PySaxonProcessor(license=False)
    rules = processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(folder / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"))

    def check(document: bytes) -> list[str]:
        schema.assertValid(etree.fromstring(document))
        svrl = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=document.decode()))
        found = etree.fromstring(svrl.encode()).iterfind(".//{*}failed-assert/{*}text")
        return ["".join(text.itertext()) for text in found]

    return check


def statuses_of(platform: AfnorPlatform, number: str) -> list[tuple[StatusMessage, bytes]]:
    """The statuses about an invoice, as a user gets them."""
    documents, cursor = [], None
    while True:
        page = platform.flows_since(LONG_AGO, cursor, flow_types=("CustomerInvoiceLC",), direction="In")
        documents += [platform.fetch(flow.flow_id) for flow in page.flows if number in flow.name]
        cursor = page.next_cursor
        if cursor is None:
            return [(read_status(document), document) for document in documents]


@pytest.mark.parametrize("behaviour", [name for name in SCRIPTS if name not in {"pending", "reject-once"}])
def test_each_behaviour_sends_its_statuses_by_the_published_rules(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow, behaviour: str,
    broken_rules: Callable[[bytes], list[str]],
) -> None:
    number = f"PLAY-{behaviour}".upper()
    platform.send(sample(number, BUYERS[behaviour]), number, ubl)
    sandbox.run()

    received = statuses_of(platform, number)

    steps = SCRIPTS[behaviour].steps
    expected = [step.code for step in steps if step.awaits is None]
    assert [status.code for status, _ in received] == expected
    assert sandbox.codes(number) == expected
    assert [text for _, document in received for text in broken_rules(document)] == []
    for status, _ in received:
        assert status.invoice_number == number
        assert status.recipients[0].electronic_address == Identifier(value="000002006", scheme="0225")
        if phase_of(status.code) == "305":
            assert (status.issuer.role, status.issuer.identifier) == ("WK", None)
        else:
            assert status.issuer.identifier == Identifier(value=BUYERS[behaviour], scheme="0002")


def test_acknowledgement_and_lifecycle_are_two_things(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    receipt = platform.send(sample("PLAY-ACK", BUYERS["reject"]), "play-ack", ubl)
    before = platform.get_flow(receipt.flow_id)
    sandbox.run()
    after = platform.get_flow(receipt.flow_id)

    assert (before.ack_status, before.flow_type) == ("Pending", "Undefined")
    assert (after.ack_status, after.flow_type) == ("Ok", "CustomerInvoice")
    assert before.updated_at == before.submitted_at < after.updated_at
    assert sandbox.codes("PLAY-ACK") == ["213"]


def test_some_deposits_are_never_acknowledged(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    receipt = platform.send(sample("PLAY-PENDING", BUYERS["pending"]), "play-pending", ubl)
    sandbox.run()
    assert platform.get_flow(receipt.flow_id).ack_status == "Pending"


def test_an_address_decides_before_the_siren(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    platform.send(sample("PLAY-ADR1", "000001164", "000001164_COMPTA"), "play-adr1", ubl)
    platform.send(sample("PLAY-ADR2", "000001164", "000001164_00000116400011_ACHATS"), "play-adr2", ubl)
    platform.send(sample("PLAY-ADR3", "000009118"), "play-adr3", ubl)
    sandbox.run()
    assert sandbox.codes("PLAY-ADR1") == ["200"], "a line that is only Upcoming"
    assert sandbox.codes("PLAY-ADR2")[-1] == "205"
    assert sandbox.codes("PLAY-ADR3") == ["200"], "nobody in the directory"


def ack_of(
    sandbox: Any, platform: AfnorPlatform, document: bytes, tracking_id: str, flow: Flow,
) -> tuple[str, list[str]]:
    """Deposit, let the sandbox judge, and read its acknowledgement."""
    receipt = platform.send(document, tracking_id, flow)
    sandbox.run()
    state = platform.get_flow(receipt.flow_id)
    return state.ack_status, [detail.reason_code for detail in state.ack_details]


def test_what_cannot_be_taken_in_is_refused_with_its_reason(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    document = sample("PLAY-ERR")
    cases = {
        "InvalidSchema": (b"<not xml", ubl),
        "EmptyFlow": (b"", ubl),
        "FlowTypeError": (document, replace(ubl, syntax="CII")),
    }
    for reason, (file, flow) in cases.items():
        assert ack_of(sandbox, platform, file, f"play-err-{reason}", flow) == ("Error", [reason])
    broken = document.replace(b"cbc:IssueDate", b"cbc:IssuedOnDate")
    status, reasons = ack_of(sandbox, platform, broken, "play-err-schema", ubl)
    assert (status, set(reasons)) == ("Error", {"InvalidSchema"})


def test_a_wrong_checksum_is_noticed(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hashlib.sha256", lambda _: type("Digest", (), {"hexdigest": lambda _: "0" * 64})())
    assert ack_of(sandbox, platform, sample("PLAY-SUM"), "play-sum", ubl) == ("Error", ["ChecksumMismatch"])


def test_an_invoice_is_taken_once_a_year_and_again_after_a_rejection(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    first = sample("PLAY-TWICE", BUYERS["reject-once"])
    again = sample("PLAY-TWICE", BUYERS["reject-once"])
    next_year = again.replace(b"2026-11-02", b"2027-01-02")

    assert ack_of(sandbox, platform, first, "play-twice-1", ubl) == ("Ok", [])
    assert ack_of(sandbox, platform, again, "play-twice-2", ubl) == ("Ok", [])
    assert ack_of(sandbox, platform, again, "play-twice-3", ubl) == ("Error", ["AlreadyExistingFlow"])
    assert ack_of(sandbox, platform, next_year, "play-twice-4", ubl) == ("Ok", [])
    codes = [status.code for status, _ in statuses_of(platform, "PLAY-TWICE")]
    assert codes[:2] == ["213", "200"]
    assert codes.count("205") == 2


# --- statuses of ours


SELLER = Identifier(value="000002006", scheme="0002")
SET_AT = datetime(2026, 11, 5, 10, tzinfo=UTC)


def ours(number: str, code: str, **changes: Any) -> bytes:
    message = StatusMessage(
        id=message_id(invoice_number=number, code=code, set_at=SET_AT, invoice_type="380",
                      invoice_date=date(2026, 11, 2)),
        issued_at=SET_AT, set_at=SET_AT, code=code, type_code="23", business_process="REGULATED",
        sender=StatusParty(role="WK"), issuer=StatusParty(role="SE", identifier=SELLER, name="Atelier du Bac SARL"),
        recipients=(StatusParty(role="BY", identifier=Identifier(value=BUYERS["suspend"], scheme="0002"),
                                electronic_address=Identifier(value=BUYERS["suspend"], scheme="0225")),),
        invoice_number=number, invoice_date=date(2026, 11, 2), invoice_type="380", seller=SELLER,
        reference_status=REFERENCE_STATUS.get(code),
    )
    return write_status(replace(message, **changes))


def test_a_suspended_invoice_goes_on_when_the_seller_completes_it(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    platform.send(sample("PLAY-209", BUYERS["suspend"]), "play-209", ubl)
    sandbox.run()
    assert sandbox.codes("PLAY-209")[-1] == "208"

    assert ack_of(sandbox, platform, ours("PLAY-209", "209"), "play-209-cdv", CDAR) == ("Ok", [])

    assert sandbox.codes("PLAY-209")[-1] == "205"
    assert sandbox.invoice("PLAY-209")["statuses"][-2]["direction"] == "Out"


def test_a_payment_received_is_recorded(sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    platform.send(sample("PLAY-212", BUYERS["pay"]), "play-212", ubl)
    sandbox.run()
    [announced] = [status for status, _ in statuses_of(platform, "PLAY-212") if status.code == "211"]
    amount = announced.details[0].amounts[0]
    assert (amount.type_code, amount.amount, amount.currency) == ("MPA", Decimal("120.05"), "EUR")

    cashed = (StatusDetail(amounts=(StatusAmount(type_code="MEN", amount=Decimal("120.05"), currency="EUR",
                                                 vat_rate=Decimal(20)),)),)
    assert ack_of(sandbox, platform, ours("PLAY-212", "212", details=cashed), "play-212-a", CDAR) == ("Ok", [])
    without_rate = (StatusDetail(amounts=(replace(cashed[0].amounts[0], vat_rate=None),)),)
    status, reasons = ack_of(sandbox, platform, ours("PLAY-212", "212", details=without_rate), "play-212-b", CDAR)
    assert (status, set(reasons)) == ("Error", {"InvoiceLCRuleError"})
    assert [item["code"] for item in sandbox.invoice("PLAY-212")["statuses"] if item["direction"] == "Out"] == ["212"]


def test_two_announced_payments_add_up(sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    platform.send(sample("PLAY-HALF", BUYERS["pay-in-two"]), "play-half", ubl)
    sandbox.run()
    announced = [status for status, _ in statuses_of(platform, "PLAY-HALF") if status.code == "211"]
    assert [status.details[0].amounts[0].amount for status in announced] == [Decimal("60.03"), Decimal("60.02")]
    assert len({status.id for status in announced}) == 2


def test_statuses_that_do_not_fit_are_refused(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    platform.send(sample("PLAY-213", BUYERS["reject"]), "play-213", ubl)
    platform.send(sample("PLAY-OWN"), "play-own", ubl)
    sandbox.run()
    cases = {"InvoiceLCStatusError": ours("PLAY-213", "220"), "InvoiceLCInvalidStatus": ours("PLAY-NONE", "220"),
             "InvoiceLCAccessDenied": ours("PLAY-OWN", "205"), "InvalidSchema": b"<a/>"}
    for reason, document in cases.items():
        assert ack_of(sandbox, platform, document, f"play-cdv-{reason}", CDAR) == ("Error", [reason])


def test_a_suppliers_invoice_arrives_and_may_be_refused(sandbox: Any, platform: AfnorPlatform, sample: Sample) -> None:
    document = sample("PLAY-IN")
    answer = sandbox.admin.post("/incoming", params={"syntax": "UBL"}, content=document).raise_for_status()
    page = platform.flows_since(LONG_AGO, direction="In", flow_types=("SupplierInvoice",))
    [flow] = [flow for flow in page.flows if flow.flow_id == answer.json()["flowId"]]
    assert platform.fetch(flow.flow_id) == document

    refused = ours("PLAY-IN", "210", issuer=StatusParty(role="BY", identifier=Identifier(
        value="000001016", scheme="0002")), details=(StatusDetail(reason_code="TRANSAC_INC", comment="Inconnue"),))
    receipt = platform.send(refused, "play-in-210", CDAR)
    sandbox.run()
    state = platform.get_flow(receipt.flow_id)
    assert (state.ack_status, state.flow_type) == ("Ok", "SupplierInvoiceLC")


def test_a_status_can_be_sent_at_once(sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    platform.send(sample("PLAY-NOW", BUYERS["silent"]), "play-now", ubl)
    sandbox.run()
    path = "/invoices/000002006/PLAY-NOW/statuses"
    wrong = sandbox.admin.post(path, json={"code": "207", "reason_code": "NO_SUCH"})
    right = {"code": "207", "reason_code": "QTE_ERR", "comment": "Deux manquent"}
    sandbox.admin.post(path, json=right).raise_for_status()
    assert wrong.status_code == 422
    assert sandbox.codes("PLAY-NOW") == ["200", "201", "202", "203", "207"]


def test_statuses_may_come_out_of_order(sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    sandbox.faults(out_of_order=True)
    platform.send(sample("PLAY-OOO"), "play-ooo", ubl)
    sandbox.run()
    assert sandbox.codes("PLAY-OOO") == ["201", "200", "203", "202", "205", "204"]


def test_the_readable_view_is_a_pdf(platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    receipt = platform.send(sample("PLAY-PDF"), "play-pdf", ubl)
    assert platform.fetch(receipt.flow_id, "ReadableView").startswith(b"%PDF-")

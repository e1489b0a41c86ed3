"""CDAR messages: what we write passes the published schema and rules; what we read, we write again."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from statuses import (
    DETAILS,
    SENT,
    SET_AT,
    every_message,
    message,
    one_action_each,
)

from formats import safexml
from formats.codes import ACTIONS, NEEDS_REASON, PORTAL_REASONS, REASON_LABELS, REASONS, REFUSAL_REASONS_B2G, STATUSES
from formats.errors import BadValue, CannotWrite, MalformedXml, UnknownSyntax
from formats.invoice import Identifier
from formats.lifecycle import read_status, write_status
from formats.status import (
    INVOICE_PROFILE,
    PPF_PROFILE,
    StatusAmount,
    StatusDetail,
    StatusMessage,
    StatusParty,
    stamp,
)
from formats.status_loss import not_carried

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


@pytest.mark.parametrize("code", SENT)
def test_every_status_we_send_passes_schema_and_rules(
    code: str, cdar_schema: etree.XMLSchema, cdar_rules: Callable[[bytes], list[str]],
) -> None:
    document = write_status(message(code))

    cdar_schema.assertValid(etree.fromstring(document))
    assert cdar_rules(document) == []
    assert read_status(document) == message(code)


@pytest.mark.parametrize("code", ["200", "210", "212", "213"])
def test_a_message_to_the_ppf_passes_schema_and_rules(
    code: str, cdar_schema: etree.XMLSchema, cdar_rules: Callable[[bytes], list[str]],
) -> None:
    platform = StatusParty(role="WK", identifier=Identifier(value="0003", scheme="0238"), name="PA inventée")
    ppf = StatusParty(role="DFH", identifier=Identifier(value="0000", scheme="0238"), name="PPF")
    to_ppf = replace(message(code), profile=PPF_PROFILE, reference_type=PPF_PROFILE, business_process=None,
                     sender=platform, recipients=(ppf,))

    document = write_status(to_ppf)

    cdar_schema.assertValid(etree.fromstring(document))
    assert cdar_rules(document) == []
    assert read_status(document) == to_ppf


def test_the_rules_are_heard(cdar_rules: Callable[[bytes], list[str]]) -> None:
    without_reason = replace(message("210"), details=())

    assert len(cdar_rules(write_status(without_reason))) == 1


def leaves(root: etree._Element) -> list[tuple[str, str]]:
    """Every text and attribute of a message with its place, blanks trimmed."""
    tree = root.getroottree()
    found = []
    for node in root.iter(etree.Element):
        place = tree.getelementpath(node)
        found += [(f"{place}@{name}", value) for name, value in node.attrib.items()]
        if (node.text or "").strip():
            found.append((place, (node.text or "").strip()))
    return sorted(found)


@pytest.mark.corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "phive-france-cdar").rglob("*.xml")) or [None], ids=str)
def test_published_examples_come_back_whole(path: Path | None) -> None:
    if path is None:
        pytest.skip("the shared corpus is absent")
    document = path.read_bytes()

    read = read_status(document)
    written = write_status(read)

    assert read_status(written) == read
    assert leaves(safexml.parse(written)) == leaves(safexml.parse(document))
    assert not_carried(document) == ()


def changed(code: str, path: str, text: str | None) -> bytes:
    """A message with one element given another text, or removed."""
    root = etree.fromstring(write_status(message(code)))
    node = root.xpath(path, namespaces=dict(root.nsmap))[0]
    if text is None:
        node.getparent().remove(node)
    else:
        node.text = text
    return etree.tostring(root)


@pytest.mark.parametrize(("path", "text", "term"), [
    ("//rsm:ExchangedDocument/ram:ID", None, "MDT-4"),
    ("//rsm:ExchangedDocument/ram:ID", "  ", "MDT-4"),
    ("//rsm:ExchangedDocumentContext", None, "MDT-3"),
    ("//rsm:ExchangedDocument/ram:IssueDateTime", None, "MDT-8"),
    ("//rsm:ExchangedDocument/ram:IssueDateTime/*", "20261341000000", "MDT-8"),
    ("//rsm:ExchangedDocument/ram:IssueDateTime/*", "2026112109300", "MDT-8"),
    ("//rsm:ExchangedDocument/ram:IssueDateTime/*", "٢٠٢٦١١٢١٠٩٣٠٠٥", "MDT-8"),
    ("//ram:SenderTradeParty", None, "MDT-21"),
    ("//ram:SenderTradeParty/ram:RoleCode", None, "MDT-21"),
    ("//rsm:ExchangedDocument/ram:IssuerTradeParty", None, "MDT-40"),
    ("//ram:RecipientTradeParty/ram:RoleCode", "", "MDT-59"),
    ("//rsm:AcknowledgementDocument/ram:TypeCode", None, "MDT-77"),
    ("//rsm:AcknowledgementDocument/ram:IssueDateTime", None, "MDT-78"),
    ("//ram:ReceiptDateTime/*", "hier", "MDT-95"),
    ("//ram:FormattedIssueDateTime/*", "20260231", "MDT-100"),
    ("//ram:ProcessConditionCode", None, "MDT-105"),
    ("//ram:SpecifiedDocumentCharacteristic/ram:TypeCode", None, "MDT-207"),
    ("//ram:ValueAmount", "120,00", "MDT-215"),
    ("//ram:ValueAmount", "1e3", "MDT-215"),
    ("//ram:ValueAmount", "NaN", "MDT-215"),
    ("//ram:ValuePercent", "20 %", "MDT-224"),
    ("//ram:ReferenceReferencedDocument", None, "MDT-87"),
    ("//rsm:ExchangedDocument", None, "MDT-4"),
])
def test_a_missing_or_bad_part_is_named_by_its_term(path: str, text: str | None, term: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_status(changed("212", path, text))

    assert caught.value.term == term
    assert caught.value.path.startswith("/rsm:CrossDomainAcknowledgementAndResponse")


@pytest.mark.parametrize(("path", "field"), [
    ("//ram:IssuerAssignedID", "invoice_number"),
    ("//ram:FormattedIssueDateTime", "invoice_date"),
    ("//ram:ReceiptDateTime", "received_at"),
    ("//ram:ProcessCondition", "label"),
    ("//ram:ReferenceReferencedDocument/ram:IssuerTradeParty", "seller"),
    ("//ram:ReferenceReferencedDocument/ram:StatusCode", "reference_status"),
    ("//ram:BusinessProcessSpecifiedDocumentContextParameter", "business_process"),
])
def test_an_optional_part_may_be_absent(path: str, field: str) -> None:
    assert read_status(changed("212", path, None)) == replace(message("212"), **{field: None})


def test_unknown_codes_are_kept() -> None:
    odd = replace(message("210"), code="777", type_code="99", reference_status="1", sender=StatusParty(role="XYZ"),
                  details=(StatusDetail(reason_code="NOUVEAU_MOTIF", action_code="???"),))

    assert read_status(write_status(odd)) == odd


@pytest.mark.parametrize("repeated", ["//rsm:AcknowledgementDocument", "//ram:ReferenceReferencedDocument"])
def test_a_message_about_several_invoices_is_refused(repeated: str) -> None:
    root = etree.fromstring(write_status(message("205")))
    node = root.xpath(repeated, namespaces=dict(root.nsmap))[0]
    node.addnext(etree.fromstring(etree.tostring(node)))

    with pytest.raises(UnknownSyntax, match="several objects"):
        read_status(etree.tostring(root))


def test_other_documents_are_refused() -> None:
    with pytest.raises(UnknownSyntax, match="Invoice"):
        read_status(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>')
    with pytest.raises(MalformedXml):
        read_status(b"not xml")


@pytest.mark.parametrize(("written", "moment"), [
    ("20261121103005", datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)),
    ("202611211030", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
    ("20261121", datetime(2026, 11, 21, tzinfo=UTC)),
    ("2026-11-21T10:30:05+01:00", datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)),
    ("2026-11-21T10:30:05Z", datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)),
    ("2026-11-21T10:30:05", datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)),
])
def test_times_of_every_form_become_utc(written: str, moment: datetime) -> None:
    document = changed("205", "//rsm:AcknowledgementDocument/ram:IssueDateTime/*", written)

    assert read_status(document).set_at == moment


def test_several_notes_become_one_comment() -> None:
    root = etree.fromstring(write_status(message("210")))
    note = root.xpath("//ram:IncludedNote", namespaces=dict(root.nsmap))[0]
    note.addnext(etree.fromstring(etree.tostring(note)))

    read = read_status(etree.tostring(root))

    assert read.details[0].comment == "\n".join([str(DETAILS["210"][0].comment)] * 2)


def test_what_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(CannotWrite, match="F-2026-001"):
        write_status(replace(message("210"), details=(StatusDetail(comment="a\x00b"),)))
    with pytest.raises(CannotWrite, match="time zone"):
        write_status(replace(message("210"), set_at=SET_AT.replace(tzinfo=None)))


def test_the_id_names_invoice_status_and_time() -> None:
    assert message("205").id == "F-2026-001_205_20261121093005#380_20261101"
    assert message("205").profile == INVOICE_PROFILE
    assert stamp(datetime(2026, 7, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == "20260630230000"


TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).map(
    str.strip).filter(bool)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis wants naive bounds
    lambda moment: moment.replace(microsecond=0))
DAYS = st.dates(date(1900, 1, 1), date(2999, 1, 1))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-10**12, max_value=10**12)
IDENTIFIERS = st.builds(Identifier, value=TEXT, scheme=st.none() | TEXT)
PARTIES = st.builds(StatusParty, role=TEXT, identifier=st.none() | IDENTIFIERS, name=st.none() | TEXT,
                    electronic_address=st.none() | IDENTIFIERS)
AMOUNTS = st.builds(StatusAmount, type_code=TEXT, amount=NUMBERS, currency=st.none() | TEXT,
                    vat_rate=st.none() | NUMBERS, on=st.none() | DAYS, term=st.none() | TEXT, name=st.none() | TEXT,
                    location=st.none() | TEXT, changed=st.none() | st.booleans(), value=st.none() | TEXT)
DETAIL = st.builds(StatusDetail, **dict.fromkeys(
    ("reason_code", "reason", "action_code", "action", "comment", "rule", "subject"), st.none() | TEXT),
    amounts=st.lists(AMOUNTS, max_size=3).map(tuple))
MESSAGES = st.builds(
    StatusMessage, id=TEXT, issued_at=MOMENTS, set_at=MOMENTS, code=TEXT, label=st.none() | TEXT, type_code=TEXT,
    business_process=st.none() | TEXT, sender=PARTIES, issuer=PARTIES,
    recipients=st.lists(PARTIES, max_size=3).map(tuple), invoice_number=st.none() | TEXT,
    invoice_date=st.none() | DAYS, invoice_type=st.none() | TEXT, received_at=st.none() | MOMENTS,
    reference_status=st.none() | TEXT, seller=st.none() | IDENTIFIERS, details=st.lists(DETAIL, max_size=3).map(tuple),
    name=st.none() | TEXT, profile=TEXT, reference_type=st.none() | TEXT)


@given(MESSAGES)
def test_written_then_read_is_the_same(anything: StatusMessage) -> None:
    assert read_status(write_status(anything)) == anything


# --- every status with every reason and every action that the rules allow

def test_every_status_with_every_reason_passes_schema_and_rules(
    cdar_schema: etree.XMLSchema, cdar_rules: Callable[[bytes], list[str]],
) -> None:
    wrong: dict[tuple[str, str | None, str | None], list[str]] = {}
    told = list(one_action_each(every_message()))
    for one in told:
        document = write_status(one)
        detail = one.details[0] if one.details else StatusDetail()
        problems = [*cdar_rules(document)]
        if not cdar_schema.validate(etree.fromstring(document)):
            problems.append(str(cdar_schema.error_log.last_error))
        if read_status(document) != one or not_carried(document):
            problems.append("differs when read again")
        if problems:
            wrong[one.code, detail.reason_code, detail.action_code] = problems

    assert wrong == {}
    assert {one.code for one in told} == set(STATUSES)
    assert {detail.action_code for one in told for detail in one.details} == {None, *ACTIONS}
    assert len(told) == (sum(map(len, REASONS.values())) + len(REFUSAL_REASONS_B2G)
                         + len(set(STATUSES) - NEEDS_REASON))


def test_a_reason_of_another_status_is_heard(cdar_rules: Callable[[bytes], list[str]]) -> None:
    for code in NEEDS_REASON:
        foreign = next(reason for reason in sorted(REASON_LABELS) if reason not in REASONS[code])
        odd = replace(next(one for one in every_message() if one.code == code),
                      details=(StatusDetail(reason_code=foreign),))
        assert cdar_rules(write_status(odd)), (code, foreign)


@pytest.mark.parametrize("code", sorted(PORTAL_REASONS))
def test_answers_of_the_portal_come_back_whole(code: str, cdar_schema: etree.XMLSchema) -> None:
    for reason in PORTAL_REASONS[code]:
        told = replace(message(code), details=(StatusDetail(reason_code=reason, rule="G7.44", subject="MDT-105"),),
                       invoice_number=None, invoice_date=None, seller=None, invoice_type=None,
                       issuer=StatusParty(role="DFH", identifier=Identifier(value="0000", scheme="0238"), name="PPF"))
        document = write_status(told)

        cdar_schema.assertValid(etree.fromstring(document))
        assert (read_status(document), not_carried(document)) == (told, ())
        assert REASON_LABELS[reason].fr


def test_what_has_no_place_in_the_model_is_named() -> None:
    root = etree.fromstring(write_status(message("212")))
    ram = root.nsmap["ram"]
    seller = root.xpath("//ram:ReferenceReferencedDocument/ram:IssuerTradeParty", namespaces=dict(root.nsmap))[0]
    etree.SubElement(seller, f"{{{ram}}}RoleCode").text = "SE"
    root.find(".//{*}ValueAmount").set("currencyCodeListVersionID", "2026")

    found = not_carried(etree.tostring(root))

    assert [place.rpartition("ReferenceReferencedDocument/")[2] for place in found] == [
        "ram:IssuerTradeParty/ram:RoleCode",
        "ram:SpecifiedDocumentStatus/ram:SpecifiedDocumentCharacteristic/ram:ValueAmount/@currencyCodeListVersionID"]


def test_other_forms_of_times_and_of_notes_leave_nothing_behind() -> None:
    root = etree.fromstring(changed("210", "//rsm:AcknowledgementDocument/ram:IssueDateTime/*", "202611210930"))
    note = root.xpath("//ram:IncludedNote", namespaces=dict(root.nsmap))[0]
    note.addnext(etree.fromstring(etree.tostring(note)))

    assert not_carried(etree.tostring(root)) == ()

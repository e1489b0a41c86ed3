"""An invoice in another syntax over HTTP: the bytes, what they lost, and every refusal."""

import hashlib
import json
from datetime import date

import pytest

from formats.json_form import write_json
from formats.opening import open_document
from formats.syntax import Syntax, read, read_tree, write
from gateway.commands.demo_invoices import GOODS, invoice

TODAY = date(2026, 11, 23)
INVOICE = invoice("F-7", "approve", GOODS, TODAY)
UBL = write(INVOICE, Syntax.UBL_INVOICE)
pytestmark = pytest.mark.usefixtures("entity")


@pytest.fixture
def where(client) -> str:
    """The address of the documents of an invoice that was posted as UBL."""
    answer = client.post("/v1/invoices", content=UBL,
                         headers={"Idempotency-Key": "rendition-1", "Content-Type": "application/xml"})
    assert answer.status_code == 202, answer.text
    return f"/v1/invoices/{answer.json()['id']}/documents"


def test_the_same_syntax_is_the_same_bytes(client, where: str) -> None:
    answer = client.get(f"{where}/ubl")

    assert answer.content == UBL
    assert answer.headers["etag"] == f'"{hashlib.sha256(UBL).hexdigest()}"'
    assert answer.headers["x-passerelle-not-carried"] == "0"
    assert client.get(f"{where}/ubl", params={"report": True}).json()["unchanged"] is True


@pytest.mark.parametrize(("syntax", "media_type"), [
    ("cii", "application/xml"), ("json", "application/json"), ("factur-x", "application/pdf"),
])
def test_another_syntax_is_the_same_invoice(client, where: str, syntax: str, media_type: str) -> None:
    answer = client.get(f"{where}/{syntax}", headers={"Accept": f"{media_type}, text/html;q=0.5"})

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    opened = open_document(answer.content)
    assert (read_tree(opened.root) if opened.root is not None else read(answer.content)).invoice == INVOICE


def test_what_the_caller_has_is_not_sent_again(client, where: str) -> None:
    first = client.get(f"{where}/cii")
    again = client.get(f"{where}/cii", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{where}/cii", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_loss_report_is_where_the_link_says(client, where: str) -> None:
    answer = client.get(f"{where}/cii", params={"profile": "basicwl"})
    assert answer.headers["link"].startswith('<?report=true>; rel="describedby"')
    report = client.get(f"{where}/cii", params={"profile": "basicwl", "report": True}).json()

    assert len(report["not_carried"]) == int(answer.headers["x-passerelle-not-carried"]) > 0
    assert {one["reason"] for one in report["not_carried"]} == {"not-in-profile"}
    assert all(one["target"] for one in report["carried"])


@pytest.mark.parametrize(("name", "options", "headers", "status", "code"), [
    ("edifact", {}, {}, 404, "not-found"),
    ("f" * 64, {}, {}, 404, "not-found"),
    ("cii", {}, {"Accept": "application/pdf"}, 406, "not-acceptable"),
    ("cii", {}, {"Accept": "application/*, application/xml;q=0"}, 406, "not-acceptable"),
    ("cii", {"profile": "basicwl", "strict": True}, {}, 409, "conversion-loses"),
    ("ubl", {"profile": "minimum"}, {}, 422, "cannot-write"),
    ("cii", {"profile": "best"}, {}, 422, "cannot-write"),
])
def test_every_refusal_has_its_name(
    *, client, where: str, name: str, options: dict[str, object], headers: dict[str, str], status: int, code: str,
) -> None:
    answer = client.get(f"{where}/{name}", params=options, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_invoice_s_documents_are_not_found(client, where: str) -> None:
    assert client.get(f"{where.replace('/v1/invoices/', '/v1/invoices/x')}/cii").status_code == 404


def test_posted_json_is_given_back_as_it_came_and_the_pdf_that_was_sent_as_it_went(client) -> None:
    posted = write_json(INVOICE)
    answer = client.post("/v1/invoices", content=posted,
                         headers={"Idempotency-Key": "rendition-2", "Content-Type": "application/json"})
    where = f"/v1/invoices/{answer.json()['id']}"
    kept = {one["role"]: one for one in client.get(where).json()["documents"]}

    assert client.get(f"{where}/documents/json").content == posted
    sent = kept["sent"]
    assert client.get(f"{where}/documents/{sent['syntax']}").content == client.get(sent["href"]).content


def test_convert_gives_the_report_instead_when_asked(client) -> None:
    answer = client.post("/v1/convert", params={"to": "json", "report": True}, content=UBL,
                         headers={"Content-Type": "application/xml"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["not_carried"] == []
    assert answer.json()["carried"][0].keys() == {"location", "term", "target"}


def test_the_losses_in_the_header_are_whole_however_long_they_are(client) -> None:
    longest = "".join(f'<cbc:ExtraText{number}>{"é" * 200}</cbc:ExtraText{number}>' for number in range(20)).encode()
    odd = UBL.replace(b"</cbc:CustomizationID>", b"</cbc:CustomizationID>" + longest, 1)
    answer = client.post("/v1/convert", params={"to": "json"}, content=odd, headers={"Content-Type": "application/xml"})

    assert answer.headers["X-Passerelle-Not-Carried"] == "20"
    first = json.loads(answer.headers["X-Passerelle-Loss"])
    assert 0 < len(first) < 20
    assert {each["reason"] for each in first} == {"unknown-element"}


def test_the_annex_takes_along_what_has_no_place_and_brings_it_home(client) -> None:
    odd = UBL.replace(b"<cbc:IssueDate>", b"<cbc:UUID>=1+1</cbc:UUID><cbc:IssueDate>", 1)
    posted = client.post("/v1/invoices", content=odd, headers={"Idempotency-Key": "rendition-3",
                                                               "Content-Type": "application/xml"})
    where, asked = f"/v1/invoices/{posted.json()['id']}/documents", {"annex": True, "strict": True}
    assert client.get(f"{where}/cii", params={"strict": True}).status_code == 409
    there = client.get(f"{where}/cii", params=asked)
    assert (there.status_code, there.headers["x-passerelle-not-carried"]) == (200, "0")
    report = client.get(f"{where}/cii", params=asked | {"report": True}).json()
    back = client.post("/v1/convert", params={"to": "ubl", "annex": True}, content=there.content,
                       headers={"Content-Type": "application/xml"})

    assert [one["reason"] for one in report["annexed"]] == ["no-term"]
    assert b"<cbc:UUID>=1+1</cbc:UUID>" in back.content
    assert read(back.content).invoice == INVOICE

"""POST /v1/validate: the same verdict as JSON, as a page or as a PDF, with corrections on demand; nothing is kept."""

from datetime import date

import pytest
from sqlalchemy import func, select

from formats.syntax import Syntax, write
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.tables import Document

TODAY = date(2026, 11, 23)
pytestmark = pytest.mark.usefixtures("entity")


@pytest.fixture
def wrong() -> bytes:
    document = write(invoice("V-1", "approve", GOODS[:1], TODAY), Syntax.UBL_INVOICE)
    return document.replace(b">FR<", b">fr<", 1)


def ask(client, document: bytes, accept: str, **params: str):
    headers = {"Content-Type": "application/xml", "Accept": accept}
    return client.post("/v1/validate", content=document, headers=headers, params=params)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", "application/json, text/html"])
def test_json_is_what_programs_get(client, wrong: bytes, accept: str) -> None:
    answer = ask(client, wrong, accept)
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "invalid"
    assert answer.json()["problems"][0]["rules"] == ["BR-CL-14"]
    assert "patches" not in answer.json()


def test_a_page_for_people(client, wrong: bytes) -> None:
    answer = ask(client, wrong, "text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "non conforme" in answer.text
    assert "BR-CL-14" in answer.text
    assert "<script" not in answer.text
    assert "Validation report" in ask(client, wrong, "text/html", lang="en").text


def test_a_pdf_for_the_file(client, wrong: bytes) -> None:
    answer = ask(client, wrong, "application/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.")


def test_corrections_on_demand_and_nothing_kept(client, deps: Deps, wrong: bytes) -> None:
    patches = ask(client, wrong, "application/json", propose="true").json()["patches"]
    assert [(edit["old"], edit["new"]) for edit in patches[0]["edits"]] == [("fr", "FR")]
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 0
    assert deps.store.count() == 0

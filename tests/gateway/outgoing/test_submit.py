"""The answers to first, repeated, changed and concurrent posts (design, section 4)."""

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from archive.store import Digest
from archive.stores.directory import DirectoryStore
from formats.json_form import write_json
from formats.syntax import Syntax, ubl_syntax_of, write
from gateway.accounts.service import disable_entity
from gateway.commands.demo_invoices import GOODS, invoice, spoiled
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.tables import Document, JournalEntry, LegalEntity, OutboxEntry, Submission
from validation.workshop import Workshop

TODAY = date(2026, 11, 23)
pytestmark = pytest.mark.usefixtures("entity")


def post(client, document: bytes, key: str, media_type: str = "application/xml"):
    return client.post("/v1/invoices", content=document, headers={"Idempotency-Key": key, "Content-Type": media_type})


@pytest.fixture(scope="module")
def document() -> bytes:
    made = invoice("F-1", "approve", GOODS, TODAY)
    return write(made, ubl_syntax_of(made))


@pytest.fixture(scope="module")
def other() -> bytes:
    made = invoice("F-1", "approve", GOODS[:1], TODAY)
    return write(made, ubl_syntax_of(made))


def count(deps: Deps, table: type) -> int:
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_valid_invoice_is_accepted_kept_and_queued(client, deps: Deps, document: bytes) -> None:
    answer = post(client, document, "k1")

    assert answer.status_code == 202, answer.text
    assert answer.json()["verdict"] == "valid"
    shown = client.get(f"/v1/invoices/{answer.json()['id']}").json()
    assert shown["number"] == "F-1"
    assert shown["transmission"]["state"] == "queued"
    assert [e["code"] for e in shown["events"]] == ["accepted"]
    original = next(d for d in shown["documents"] if d["role"] == "original")
    assert deps.store.get(Digest(original["sha256"])) == document
    assert client.get(original["href"]).content == document
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalars(select(OutboxEntry.topic)).all() == ["deliver"]


def test_no_key_is_refused(client, document: bytes) -> None:
    answer = client.post("/v1/invoices", content=document, headers={"Content-Type": "application/xml"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_same_key_and_body_get_the_first_answer(client, deps: Deps, document: bytes) -> None:
    first = post(client, document, "k1")
    entries = count(deps, JournalEntry)
    again = post(client, document, "k1")
    assert (again.status_code, again.json()) == (202, first.json())
    assert count(deps, JournalEntry) == entries
    assert count(deps, Submission) == 1


def test_the_same_key_with_another_body_is_refused(client, document: bytes, other: bytes) -> None:
    post(client, document, "k1")
    answer = post(client, other, "k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


def test_the_same_invoice_under_another_key_is_the_same_submission(client, document: bytes) -> None:
    first = post(client, document, "k1")
    again = post(client, document, "k2")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_the_same_number_with_other_bytes_is_a_conflict(client, document: bytes, other: bytes) -> None:
    first = post(client, document, "k1")
    answer = post(client, other, "k2")
    assert (answer.status_code, answer.json()["code"]) == (409, "invoice-already-exists")
    assert answer.json()["existing"] == first.json()["id"]
    assert answer.json()["existing_sha256"] == Digest.of(document).hex
    assert answer.json()["received_sha256"] == Digest.of(other).hex


def test_after_our_refusal_a_mended_invoice_replaces_it(client, document: bytes) -> None:
    refused = post(client, write(spoiled(invoice("F-1", "approve", GOODS, TODAY)), Syntax.CII), "k1")
    assert refused.status_code == 422
    mended = post(client, document, "k2")
    assert mended.status_code == 202
    assert client.get(f"/v1/invoices/{mended.json()['id']}").json()["replaces"] == refused.json()["id"]


def test_an_invalid_invoice_is_refused_with_every_finding_and_recorded(client, deps: Deps) -> None:
    answer = post(client, write(spoiled(invoice("F-2", "approve", GOODS, TODAY)), Syntax.CII), "k1")

    assert (answer.status_code, answer.json()["code"]) == (422, "invoice-refused")
    rules = {finding["rule"] for finding in answer.json()["findings"]}
    assert any(rule.startswith("BR-FR-05") for rule in rules)
    assert any("CO-15" in rule for rule in rules)
    shown = client.get(f"/v1/invoices/{answer.json()['id']}").json()
    assert shown["transmission"]["state"] == "refused"
    assert [e["code"] for e in shown["events"]] == ["refused"]
    assert count(deps, OutboxEntry) == 0
    again = post(client, write(spoiled(invoice("F-2", "approve", GOODS, TODAY)), Syntax.CII), "k1")
    assert (again.status_code, again.json()) == (422, answer.json())


def test_twenty_at_once_make_one_invoice(client, deps: Deps, document: bytes) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: post(client, document, f"k{n % 4}"), range(20)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 202, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency-in-progress"}
    assert len({a.json()["id"] for a in answers if a.status_code in {200, 202}}) == 1
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 1
        assert session.scalar(select(func.count()).select_from(OutboxEntry)) == 1


def test_json_is_written_once_and_kept_beside_the_invoice(client, deps: Deps) -> None:
    body = write_json(invoice("F-3", "approve", GOODS, TODAY))
    answer = post(client, body, "k1", "application/json")
    assert answer.status_code == 202, answer.text
    documents = client.get(f"/v1/invoices/{answer.json()['id']}").json()["documents"]
    roles = {d["role"]: d for d in documents}
    assert roles["original"]["syntax"] == "json"
    assert roles["sent"]["syntax"] == "factur-x"
    assert deps.store.get(Digest(roles["original"]["sha256"])) == body
    assert deps.store.get(Digest(roles["sent"]["sha256"])).startswith(b"%PDF-")


def test_a_seller_who_is_not_ours_is_refused(client) -> None:
    made = invoice("F-4", "approve", GOODS, TODAY)
    stranger = replace(made, seller=made.buyer, buyer=made.seller)
    answer = post(client, write(stranger, Syntax.CII), "k1")
    assert (answer.status_code, answer.json()["code"]) == (403, "seller-not-yours")


def test_an_entity_that_is_off_sends_nothing(
    client, deps: Deps, entity: LegalEntity, document: bytes
) -> None:
    disable_entity(deps, entity.tenant_id, entity.id, "test")
    answer = post(client, document, "k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "entity-not-enabled")


def test_another_tenant_sees_nothing(client, make_tenant, make_key, document: bytes) -> None:
    mine = post(client, document, "k1").json()["id"]
    as_stranger = {"Authorization": make_key(make_tenant("Autre"))}
    foreign = client.get(f"/v1/invoices/{mine}", headers=as_stranger)
    absent = client.get("/v1/invoices/00000000-0000-0000-0000-000000000000", headers=as_stranger)
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()
    assert client.get("/v1/invoices", headers=as_stranger).json()["items"] == []
    dossier = client.get(f"/v1/invoices/{mine}/dossier", headers=as_stranger)
    assert (dossier.status_code, dossier.json()) == (404, absent.json())
    digest = Digest.of(document).hex
    assert client.get(f"/v1/invoices/{mine}/documents/{digest}", headers=as_stranger).status_code == 404


def test_a_media_type_we_do_not_read_is_named(client, document: bytes) -> None:
    answer = post(client, document, "k1", "text/html")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_too_large_a_body_is_refused_before_it_is_read(client) -> None:
    answer = post(client, b" " * ((20 << 20) + 1), "k1")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_lists_are_paged(client) -> None:
    ids = []
    for position in range(5):
        made = invoice(f"L-{position}", "approve", GOODS[:1], TODAY)
        ids.append(post(client, write(made, Syntax.CII), f"k{position}").json()["id"])
    first = client.get("/v1/invoices", params={"limit": 3}).json()
    rest = client.get("/v1/invoices", params={"limit": 3, "after": first["next"]}).json()
    assert sorted(row["id"] for row in first["items"] + rest["items"]) == sorted(ids)
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)


def test_validate_and_convert_keep_nothing(client, deps: Deps, document: bytes) -> None:
    report = client.post("/v1/validate", content=document, headers={"Content-Type": "application/xml"})
    assert (report.status_code, report.json()["verdict"]) == (200, "valid")
    converted = client.post("/v1/convert", params={"to": "json"}, content=document,
                            headers={"Content-Type": "application/xml"})
    assert converted.status_code == 200
    assert Decimal(json.loads(converted.content)["totals"]["with_vat"]) > 0
    assert count(deps, Document) == 0
    assert deps.store.count() == 0


def test_json_that_comes_again_is_not_written_again(client, deps: Deps) -> None:
    body = write_json(invoice("F-5", "approve", GOODS, TODAY))
    first = post(client, body, "k1", "application/json")
    for key in ("k2", "k3"):
        again = post(client, body, key, "application/json")
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    other = post(client, write_json(invoice("F-5", "approve", GOODS[:1], TODAY)), "k4", "application/json")
    assert (other.status_code, other.json()["code"]) == (409, "invoice-already-exists")
    written = [digest for digest in deps.store.list() if deps.store.get(digest).startswith(b"%PDF-")]
    assert len(written) == 1  # no invoice lies about that nobody has


def test_what_no_worker_gets_through_is_refused_once(client, deps: Deps, document: bytes) -> None:
    with Workshop(seconds=0.0) as hurried:
        client._app.state.deps = replace(deps, workshop=hurried)
        answer = post(client, document, "k1")
        assert (answer.status_code, answer.json()["code"]) == (422, "document-not-checkable"), answer.text
        assert [finding["rule"] for finding in answer.json()["findings"]] == ["PAS-ENGINE-POISON"]
    again = post(client, document, "k1")  # the workshop is gone: the answer is remembered
    assert again.json() == answer.json()
    client._app.state.deps = deps
    assert post(client, document, "k2").status_code == 202


def test_readiness_needs_database_and_archive(client, deps: Deps, tmp_path) -> None:
    assert client.get("/readyz").status_code == 200
    store = DirectoryStore(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    client._app.state.deps = replace(deps, store=store)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert str(tmp_path) not in answer.text
    assert "passerelle_outbox_late_seconds 0.0" in client.get("/metrics").text

"""The look of a legal entity: read in the workshop, kept, drawn on the invoices that the gateway writes."""

import struct
import zlib
from datetime import date

import pytest
from sqlalchemy import select

from formats.json_form import write_json
from gateway.accounts.appearance import appearance_of
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.tables import Event, JournalEntry, LegalEntity

LOOK = {"accent": "#ffcc00", "footer": "Atelier inventé · 12 rue des Exemples", "payment_code": False, "language": "en"}


def png(width: int = 8, height: int = 8) -> bytes:
    """A small green picture."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x0f\x5c\x4b" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sent(client) -> bytes:
    """The PDF that is written from our JSON."""
    plain = write_json(invoice("F-LOGO", "approve", GOODS, date(2026, 11, 23)))
    posted = client.post("/v1/invoices", content=plain,
                         headers={"Idempotency-Key": "the-look", "Content-Type": "application/json"})
    assert posted.status_code == 202, posted.text
    documents = client.get(f"/v1/invoices/{posted.json()['id']}").json()["documents"]
    return client.get(next(d["href"] for d in documents if d["role"] == "sent")).content


def test_a_logo_is_drawn(client, entity) -> None:
    answer = client.request("PUT", f"/v1/entities/{entity.id}/logo", content=png())
    assert answer.status_code == 200, answer.text
    pdf = sent(client)
    assert b"/Subtype /Image" in pdf or b"/Subtype/Image" in pdf


@pytest.mark.parametrize("picture", [b"GIF89a", b"\x89PNG\r\n\x1a\nbroken", b"<svg", b"%PDF-1.7", b"x" * 999_999])
def test_what_is_no_picture_is_refused(client, entity, picture: bytes) -> None:
    answer = client.request("PUT", f"/v1/entities/{entity.id}/logo", content=picture)
    assert (answer.status_code, answer.json()["code"]) == (422, "logo-unreadable")


def test_a_logo_can_be_taken_away(client, entity) -> None:
    client.request("PUT", f"/v1/entities/{entity.id}/logo", content=png())
    assert client.get(f"/v1/entities/{entity.id}/appearance").json()["logo_sha256"] is not None
    assert client.request("DELETE", f"/v1/entities/{entity.id}/logo").status_code == 200
    assert client.get(f"/v1/entities/{entity.id}/appearance").json()["logo_sha256"] is None


@pytest.mark.parametrize("path", ["logo", "appearance"])
def test_a_foreign_entity_is_an_absent_one(client, path: str) -> None:
    body = {"content": png()} if path == "logo" else {"json": {}}
    answer = client.request("PUT", f"/v1/entities/absent/{path}", **body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_look_is_kept_told_and_carried_to_the_drawing(client, entity, deps, tenant) -> None:
    ours = client.get(f"/v1/entities/{entity.id}/appearance").json()
    assert (ours["accent"], ours["language"], ours["remarks"]) == ("#0b5563", "fr", [])

    answer = client.request("PUT", f"/v1/entities/{entity.id}/appearance", json=LOOK)

    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in LOOK} == LOOK
    assert [one["code"] for one in answer.json()["remarks"]] == ["accent-darkened"]
    with deps.db.reading(tenant) as session:
        row = session.get(LegalEntity, (tenant, entity.id))
        event = session.scalar(select(Event).where(Event.code == "appearance-changed"))
        entry = session.scalar(select(JournalEntry).where(JournalEntry.subject == f"entity:{entity.id}"))
    assert (appearance_of(deps.store, row).footer, appearance_of(deps.store, row).payment_code) == (
        LOOK["footer"], False)
    assert event.data["changed"] == ["accent", "footer", "language", "payment_code"]
    assert entry is not None
    assert b"/Lang(en)" in sent(client).replace(b" ", b"")


@pytest.mark.parametrize("wrong", [{"accent": "red"}, {"footer": "x" * 501}, {"language": "de"}, {"font": "Comic"}])
def test_a_wrong_look_is_refused(client, entity, wrong: dict[str, str]) -> None:
    answer = client.request("PUT", f"/v1/entities/{entity.id}/appearance", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def test_the_preview_is_a_pdf(client, entity) -> None:
    answer = client.get(f"/v1/entities/{entity.id}/appearance/preview")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.7")

"""The logo: read in the workshop, kept, drawn on the invoices that the gateway writes."""

import struct
import zlib
from datetime import date

import pytest

from formats.json_form import write_json
from gateway.commands.demo_invoices import GOODS, invoice


def png(width: int = 8, height: int = 8) -> bytes:
    """A small green picture."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x0f\x5c\x4b" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_logo_is_drawn(client, entity) -> None:
    answer = client.request("PUT", f"/v1/entities/{entity.id}/logo", content=png())
    assert answer.status_code == 200, answer.text
    plain = write_json(invoice("F-LOGO", "approve", GOODS, date(2026, 11, 23)))
    posted = client.post("/v1/invoices", content=plain,
                         headers={"Idempotency-Key": "logo", "Content-Type": "application/json"})
    assert posted.status_code == 202, posted.text
    documents = client.get(f"/v1/invoices/{posted.json()['id']}").json()["documents"]
    sent = client.get(next(d["href"] for d in documents if d["role"] == "sent")).content
    assert b"/Subtype /Image" in sent or b"/Subtype/Image" in sent


@pytest.mark.parametrize("picture", [b"GIF89a", b"\x89PNG\r\n\x1a\nbroken", b"<svg", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(client, entity, picture: bytes) -> None:
    answer = client.request("PUT", f"/v1/entities/{entity.id}/logo", content=picture)
    assert (answer.status_code, answer.json()["code"]) == (422, "logo-unreadable")


def test_a_foreign_entity_is_an_absent_one(client) -> None:
    answer = client.request("PUT", "/v1/entities/absent/logo", content=png())
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")

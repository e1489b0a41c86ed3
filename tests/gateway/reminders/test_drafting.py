"""What goes with a letter: the invoice as a PDF, the account of the invoice itself, the buyer's language."""

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from archive.store import Digest
from formats.invoice import Address, Invoice, Party, PaymentInstructions
from formats.syntax import Syntax, write
from gateway.accounts.appearance import appearance_of
from gateway.reminders.letters.drafting import account_of, language_of
from gateway.reminders.letters.enclosing import MOST_BYTES
from gateway.reminders.letters.texting import draft_text
from gateway.reminders.state import look
from gateway.tables import Document, LegalEntity, Submission

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def with_pdf(play: "Play", content: bytes) -> None:
    """The invoice was sent as this PDF."""
    sha256 = play.deps.store.put(content).hex
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        session.add(Document(
            tenant_id=play.invoice.tenant_id, id=str(uuid.uuid4()), submission_id=play.invoice.id, role="original",
            syntax="factur-x", media_type="application/pdf", name="facture.pdf", sha256=sha256, size=len(content),
            at=play.deps.now(),
        ))


def with_document(play: "Play", **changes: Any) -> None:
    """The invoice says something else."""
    document = write(replace(play.document, **changes), Syntax.UBL_INVOICE)
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        row = session.get_one(Submission, (play.invoice.tenant_id, play.invoice.id))
        row.sha256 = row.sent_sha256 = play.deps.store.put(document).hex


def attachments(play: "Play") -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_content()) for part in play.mails()[-1].iter_attachments()]


def test_an_invoice_without_a_pdf_is_drawn(play: "Play") -> None:
    play.on("2026-03-23")
    play.remind()
    ((name, content),) = attachments(play)
    assert name == "FA-2026-0042-facture.pdf"
    assert content.startswith(b"%PDF-")
    assert "La facture est jointe à ce message." in play.text()


def test_a_drawn_invoice_looks_as_its_seller_wants(play: "Play") -> None:
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        entity = session.get_one(LegalEntity, (play.invoice.tenant_id, play.invoice.legal_entity_id))
        entity.appearance = {"accent": "#204060", "footer": "Atelier au capital imaginaire"}
    play.on("2026-03-23")
    play.remind()
    ((_, content),) = attachments(play)
    document = play.deps.store.get(Digest(play.invoice.sha256))
    look = appearance_of(play.deps.store, entity)
    assert content == play.deps.workshop.render(document, lang="fr", appearance=look)
    assert content != play.deps.workshop.render(document, lang="fr")


def test_the_pdf_that_was_sent_goes_as_it_is(play: "Play") -> None:
    with_pdf(play, b"%PDF-1.7 what the seller sent")
    play.on("2026-03-23")
    play.remind()
    assert attachments(play) == [("FA-2026-0042-facture.pdf", b"%PDF-1.7 what the seller sent")]


def test_a_large_pdf_stays_at_home_and_the_decision_says_so(play: "Play") -> None:
    with_pdf(play, b"%PDF" + bytes(MOST_BYTES))
    play.on("2026-03-23")
    play.remind()
    assert attachments(play) == []
    assert "La facture est jointe" not in play.text()
    assert "Non jointe à ce message : FA-2026-0042. Nous vous l'enverrons sur simple demande." in play.text()
    assert "trop volumineux" in play.decisions()[0].facts["not_attached"]


def test_other_open_invoices_go_along_while_there_is_room_and_the_rest_is_named(play: "Play") -> None:
    with_pdf(play, b"%PDF" + bytes(MOST_BYTES - 200_000))
    play.another("FA-3", "2026-06-30", "70.00")
    play.another("FA-4", "2026-07-30", "70.00", transmission="queued")
    large = play.another("FA-5", "2026-08-30", "70.00")
    play.invoice, lead = large, play.invoice
    with_pdf(play, b"%PDF" + bytes(200_000))
    play.invoice = lead
    play.on("2026-03-23")
    play.remind()
    assert [name for name, _ in attachments(play)] == ["FA-2026-0042-facture.pdf", "FA-3-facture.pdf"]
    assert "Non jointes à ce message : FA-4, FA-5. Nous vous les enverrons sur simple demande." in play.text()
    told = play.decisions()[0].facts
    assert told["attached"] == "FA-2026-0042-facture.pdf, FA-3-facture.pdf"
    assert told["not_attached"] == "FA-4 : pas encore déposée; FA-5 : 200004 octets : trop volumineux"


def test_an_invoice_that_cannot_be_drawn_is_reminded_without_it(play: "Play") -> None:
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        row = session.get_one(Submission, (play.invoice.tenant_id, play.invoice.id))
        row.sha256 = row.sent_sha256 = play.deps.store.put(b"no invoice at all").hex
    play.on("2026-03-23")
    play.remind()
    assert play.told() == [("sent", "due", "friendly")]
    assert attachments(play) == []
    assert play.decisions()[0].facts["not_attached"]


def test_thanks_go_without_attachment_and_account(play: "Play") -> None:
    play.on("2026-03-23")
    play.pay("1200.00")
    play.remind()
    assert attachments(play) == []
    assert "IBAN" not in play.text()


def test_thanks_for_an_invoice_without_due_date_are_written(play: "Play") -> None:
    play.invoice = play.another("FA-2", "2026-03-13", "1200.00", due_date=None)
    play.pay("1200.00")
    play.remind()
    assert play.told() == [("sent", "thanks", "thanks")]
    assert "La facture FA-2" in play.text()


def test_the_account_and_notes_come_from_the_invoice(play: "Play") -> None:
    for day in ("2026-03-23", "2026-04-02", "2026-04-07", "2026-04-13"):
        play.on(day)
        play.remind()
    text = play.text()
    assert "IBAN : FR76 0000 0000 0000 0000 0000 097" in text
    assert "Référence à rappeler : RF-42" in text
    assert "« Taux de refinancement de la BCE majoré de 10 points. »" in text
    assert "« Indemnité forfaitaire de 40 EUR. »" in text
    assert "IBAN" in play.text("html")


@pytest.mark.parametrize("code", ["226", "227"])
def test_another_account_was_announced(play: "Play", code: str) -> None:
    play.status("200")
    play.status(code)
    play.on("2026-03-23")
    play.remind()
    assert "IBAN" not in play.text()


def test_a_buyer_abroad_reads_english(play: "Play") -> None:
    with_document(play, buyer=Party(name="Imagined Ltd", address=Address(country="IE")))
    play.on("2026-03-23")
    play.remind()
    assert "Unless we are mistaken" in play.text()
    assert play.mails()[0]["Content-Language"] == "en"


def test_a_text_to_a_buyer_abroad_is_in_english_too(play: "Play") -> None:
    buyer = replace(play.document.buyer, address=Address(country="DE"))
    play.document = replace(play.document, buyer=buyer)
    invoice = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    with play.deps.db.reading(invoice.tenant_id) as session:
        seen = look(session, invoice.tenant_id, invoice.id, play.deps.today())
    assert seen is not None
    text = draft_text(play.deps, (seen,)).content.decode()
    assert text.startswith("Atelier Imaginaire: invoice FA-2, due 13 Mar 2026, open €50.00.")
    assert text.endswith("?lang=en")


def test_language_and_account_of_an_empty_invoice() -> None:
    assert language_of(Invoice()) == "fr"
    assert language_of(Invoice(buyer=Party(address=Address(country="BE")))) == "fr"
    assert language_of(Invoice(buyer=Party(address=Address(country="DE")))) == "en"
    assert account_of(Invoice()) is None
    assert account_of(Invoice(payment=PaymentInstructions(means_code="30"))) is None


def test_a_direct_debit_names_no_account(play: "Play") -> None:
    payment = replace(play.document.payment, means_code="59")
    assert account_of(play.document) is not None
    assert account_of(replace(play.document, payment=payment)) is None


def test_nothing_tells_whether_a_mail_was_opened(play: "Play") -> None:
    """No picture from afar, no link but those that answer, no wish for a receipt."""
    play.on("2026-03-09")
    play.remind()
    mail, html = play.mails()[-1], play.text("html")
    assert all(where.startswith("cid:") for where in re.findall(r"(?:src|background)\s*=\s*[\"']?([^\"'\s>]+)", html))
    assert not re.search(r"url\(|@import|<(?:iframe|object|script|link)\b", html)
    assert {urlsplit(link).path.split("/")[1] for link in re.findall(r"href=[\"']([^\"']+)", html)
            if link.startswith("http")} <= {"reponse"}
    assert not {"disposition-notification-to", "return-receipt-to"} & {name.lower() for name in mail}

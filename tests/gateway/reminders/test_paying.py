"""The payment code of mails and letters, read by an independent decoder and held against EPC069-12 by hand."""

import email
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, cast

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from archive.store import Digest
from formats.rendering.payment_code import NoCode
from gateway.bank.matching import Money, OpenItem, book_of, find
from gateway.record import Change, record
from gateway.reminders.cases import cases, close_case
from gateway.reminders.letters.bills import NO_CODE, Account, Bill, remittances
from gateway.reminders.people import save_scenario
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.tables import Document

if TYPE_CHECKING:
    from gateway.auth import Principal
    from tests.gateway.reminders.conftest import Play

IBAN = "FR7600000000000000000000097"
HERE = Account(number=IBAN, holder="Atelier Imaginaire SARL", bic="XXXXFRPP")
THERE = Account(number="FR7200000000010000000000057", holder="Affactureur Inventé")


def bill(number: str, due: Decimal | str, account: Account | None = HERE, reference: str | None = None) -> Bill:
    return Bill(id=number, number=number, issue_date=date(2026, 2, 11), due_date=date(2026, 3, 13), due=Decimal(due),
                account=account, reference=reference)


def decoded(picture: bytes) -> list[str]:
    """The lines of the one QR code of a picture, as the decoder reads them."""
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    assert code.format == zxingcpp.BarcodeFormat.QRCode
    assert code.ec_level == "M"
    return code.text.split("\n")


def codes_of(mail: EmailMessage) -> list[bytes]:
    """The pictures that the HTML of a mail shows, each referred to by its content id."""
    related = cast("EmailMessage", mail.get_body(("related",)))
    html = cast("EmailMessage", related.get_body(("html",))).get_content()
    pictures = list(related.iter_attachments())
    for picture in pictures:
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert html.count("<img") == len(pictures)
    return [picture.get_content() for picture in pictures]


def test_a_mail_shows_the_code_of_what_is_left_today(play: "Play") -> None:
    play.on("2026-03-23")
    play.pay("200.50")
    play.remind()
    (picture,) = codes_of(play.mails()[0])
    assert decoded(picture) == ["BCD", "002", "1", "SCT", "XXXXFRPP", "Atelier Imaginaire SARL", IBAN, "EUR999.50", "",
                                "", "RF-42"]
    (facts,) = play.decisions()[0].facts["to_pay"]
    assert facts == {"amount": "999.50", "currency": "EUR", "reference": "RF-42", "invoices": ["FA-2026-0042"],
                     "no_code": None, "why": None}


def test_one_code_pays_all_that_the_mail_asks_for_and_nothing_else(play: "Play") -> None:
    play.another("FA-2", "2026-03-12", "50.25")
    play.another("FA-3", "2026-06-30", "70.00")
    disputed = play.another("FA-5", "2026-03-13", "90.00")
    with play.deps.db.transaction(disputed.tenant_id) as session:
        record(session, disputed.tenant_id, Change(kind="lifecycle", code="207", actor="buyer",
                                                   submission_id=disputed.id), now=play.deps.now())
    play.on("2026-03-23")
    play.work()
    (mail,) = play.mails()
    (picture,) = codes_of(mail)
    assert decoded(picture)[7:] == ["EUR1250.25", "", "", "FA-2, FA-2026-0042"]
    assert "FA-3 | 30/06/2026 | à échoir | 70,00 €" in play.text()
    assert "FA-5 | 13/03/2026" in play.text()


def test_plain_text_alone_is_enough_to_pay(play: "Play") -> None:
    play.another("FA-2", "2026-03-12", "50.00")
    play.on("2026-03-23")
    play.work()
    block = play.text().replace("\r\n", "\n").partition("Pour payer par virement :\n\n")[2].partition("\n\n")[0]
    assert block.splitlines() == [
        "  Bénéficiaire : Atelier Imaginaire SARL", "  IBAN : FR76 0000 0000 0000 0000 0000 097", "  BIC : XXXXFRPP",
        "  Montant à virer : 1 250,00 €", "  Référence à rappeler : FA-2, FA-2026-0042"]


@pytest.mark.skipif(which("pdftoppm") is None, reason="needs poppler")
def test_a_phone_reads_the_code_from_the_pages_of_letter_and_notice(play: "Play", principal: "Principal") -> None:
    stages = [{**stage, "offset": 10 if stage["key"] == "letter" else 60} for stage in to_json(DEFAULT)["stages"]
              if stage["key"] in {"letter", "notice"}]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "lettres", "stages": stages})
    play.another("FA-2", "2026-03-12", "50.00")
    play.on("2026-03-23")
    play.work()
    play.pay("200.00")
    play.on("2026-05-12")
    play.work()
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        asked = cases(session, kinds=("approval",))
    for case, _ in asked:
        close_case(play.deps, principal, case.id, "granted", "À envoyer")
    play.work()
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Document).where(Document.role == "reminder")).all()
    papers = {row.name: row.sha256 for row in rows}
    amounts = {"lettre": "EUR1250.00", "mise-en-demeure": "EUR1050.00"}
    assert len(papers) == 4
    for name, sha256 in papers.items():
        page = subprocess.run(["pdftoppm", "-r", "110", "-png", "-singlefile", "-"], capture_output=True, check=True,
                              input=play.deps.store.get(Digest(sha256))).stdout
        amount = amounts[name.removeprefix("FA-2026-0042-").removeprefix("FA-2-").removesuffix(".pdf")]
        assert decoded(page) == ["BCD", "002", "1", "SCT", "XXXXFRPP", "Atelier Imaginaire SARL", IBAN, amount, "",
                                 "", "FA-2, FA-2026-0042"]


@pytest.mark.parametrize(("changes", "reason"), [
    ({"account": None}, NoCode.NO_IBAN), ({"account": replace(HERE, number="FR7600000000000000000000098")},
                                          NoCode.NO_IBAN),
    ({"account": replace(HERE, means="42")}, NoCode.NOT_A_TRANSFER), ({"account": replace(HERE, bic="X")}, NoCode.BIC),
    ({"account": replace(HERE, holder="x" * 71)}, NoCode.NAME), ({"reference": "x" * 141}, NoCode.REFERENCE),
    ({"due": "1000000000.00"}, NoCode.AMOUNT), ({"due": "0.005"}, NoCode.AMOUNT),
])
def test_without_a_code_the_record_says_why(changes: dict[str, Any], reason: NoCode) -> None:
    (one,) = remittances([bill("FA-1", **{"due": "10.00", **changes})], "EUR")
    assert one.code is reason
    assert one.to_json()["why"] == NO_CODE[reason]


def test_every_reason_that_a_letter_may_have_is_in_words() -> None:
    assert set(NoCode) - set(NO_CODE) == {NoCode.CREDIT_NOTE}, "a credit note is never reminded"


@given(st.lists(st.tuples(st.text("AF-/0123456789", min_size=1, max_size=40), st.decimals(-5, 600_000_000, places=2),
                          st.sampled_from([HERE, THERE, None])), max_size=40))
def test_the_transfers_pay_everything_that_is_asked_for_once(asked: list[tuple[str, Decimal, Account | None]]) -> None:
    bills = [bill(f"{place}:{number}", due, account)
             for place, (number, due, account) in enumerate(asked)]
    found = remittances(bills, "EUR")
    owed = [one for one in bills if one.balance > 0]
    assert sorted(one.id for part in found for one in part.bills) == sorted(one.id for one in owed)
    for part in found:
        assert {one.account for one in part.bills} == {part.account}
        assert part.amount == sum(one.balance for one in part.bills)
        assert len(part.reference) <= 140
        assert all(one.number in part.reference.split(", ") for one in part.bills)
        if part.account is not None:
            assert isinstance(part.code, str)
            assert part.code.split("\n")[5:8] == [part.account.holder, part.account.number, f"EUR{part.amount:.2f}"]


def test_one_transfer_for_one_account_while_the_reference_names_all() -> None:
    many = [bill(f"FA-2026-{number:04}", "10.00") for number in range(23)]
    first, second, third = remittances(many, "EUR")
    assert [(len(one.bills), len(one.reference), str(one.amount)) for one in (first, second, third)] == [
        (10, 138, "100.00"), (10, 138, "100.00"), (3, 40, "30.00")]
    apart = remittances([bill("A", "1.00"), bill("B", "2.00", THERE), bill("C", "4.00")], "EUR")
    assert [(one.reference, str(one.amount)) for one in apart] == [("A, C", "5.00"), ("B", "2.00")]


def test_the_bank_finds_every_invoice_that_a_transfer_of_ours_names() -> None:
    asked = [bill(f"FA-2026-{number:04}", f"{number}.10") for number in range(1, 24)]
    open_ = [OpenItem(id=one.id, number=one.number, client="a", name="Mairie Inventée", currency="EUR",
                      balance=one.balance, due_date=one.due_date) for one in [*asked, bill("FA-2026-9999", "55.00")]]
    for one in remittances(asked, "EUR"):
        came = Money(amount=one.amount, currency="EUR", texts=(one.reference,), name=None, iban=None)
        proposal = find(came, book_of(open_, {})).proposals[0]
        assert {(item.id, amount) for item, amount in proposal.parts} == {(bill.id, bill.balance) for bill in one.bills}
        assert proposal.left == 0


def test_another_currency_has_its_account_and_no_code() -> None:
    (one,) = remittances([bill("FA-1", "10.00")], "USD")
    assert (one.code, one.account) == (NoCode.CURRENCY, HERE)


@dataclass
class Postman:
    """An SMTP server in a process of its own, which keeps what it takes as a Maildir."""

    port: int
    maildir: Path

    def taken(self) -> list[EmailMessage]:
        files = sorted((self.maildir / "new").iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [cast("EmailMessage", email.message_from_bytes(file.read_bytes(), policy=default)) for file in files]


@pytest.fixture
def postman(tmp_path: Path) -> Iterator[Postman]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c",
               "aiosmtpd.handlers.Mailbox", str(tmp_path / "box")]
    with subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore"}) as server:
        for _ in range(600):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None
            time.sleep(0.05)
        yield Postman(port, tmp_path / "box")
        server.terminate()


def test_a_mail_through_a_server_of_its_own_is_readable_and_enough_to_pay(play: "Play", postman: Postman) -> None:
    settings = play.deps.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{postman.port}"})
    play.deps = replace(play.deps, settings=settings)
    play.another("FA-2", "2026-03-12", "50.00")
    play.another("FA-3", "2026-06-30", "70.00")
    play.on("2026-03-23")
    play.work()
    (mail,) = postman.taken()
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf", "application/pdf", "application/pdf"]
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "FA-2-facture.pdf", "FA-2026-0042-facture.pdf", "FA-3-facture.pdf"]
    assert all(part.get_content().startswith(b"%PDF-") for part in mail.iter_attachments())
    assert decoded(codes_of(mail)[0])[6:] == [IBAN, "EUR1250.00", "", "", "FA-2, FA-2026-0042"]
    text = cast("EmailMessage", mail.get_body(("plain",))).get_content().replace("\u202f", " ").replace("\xa0", " ")
    for said in ("IBAN : FR76 0000 0000 0000 0000 0000 097", "Montant à virer : 1 250,00 €",
                 "Référence à rappeler : FA-2, FA-2026-0042", "FA-3 | 30/06/2026 | à échoir | 70,00 €"):
        assert said in text
    assert (mail["From"], mail["To"]) == ("Atelier Imaginaire <relances@passerelle.example>", "compta@mairie.example")

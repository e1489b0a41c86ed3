"""One mail as bytes, and the spool that takes an intent once."""

import email
import string
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.policy import default
from email.utils import getaddresses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.mail import Attachment, Mail, compose, deliver, spool_path
from gateway.reminders.decide import ADDRESS
from gateway.settings import Settings

MAIL = Mail(
    sender="relances@passerelle.example", sender_name="Atelier « Été », SARL", recipient="compta@client.example",
    reply_to="claire@atelier.example", subject="Échéance du 13 mars : 1 234,56 €", text="Bonjour,\n\nÀ bientôt.\n",
    html="<p>À bientôt.</p>", lang="fr", message_id="<relance.0@passerelle.example>",
    at=datetime(2026, 3, 13, 9, tzinfo=UTC), references=("<relance.1@x.example>", "<relance.2@x.example>"),
    attachments=(Attachment(name="FA-1-facture.pdf", media_type="application/pdf", content=b"%PDF-1.7\n"),),
)


def test_a_mail_reads_back_as_it_was_meant() -> None:
    content = compose(MAIL)
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    mail = email.message_from_bytes(content, policy=default)
    assert mail["From"].addresses[0].display_name == "Atelier « Été », SARL"
    assert mail["Subject"] == MAIL.subject
    assert mail["Date"].datetime == MAIL.at
    assert mail["References"] == "<relance.1@x.example> <relance.2@x.example>"
    assert mail["In-Reply-To"] == "<relance.2@x.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == MAIL.text
    (pdf,) = mail.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("FA-1-facture.pdf", b"%PDF-1.7\n")


def test_pictures_go_with_the_html_and_files_with_the_mail() -> None:
    codes = tuple(Attachment(name=f"{name}.png", media_type="image/png", content=name.encode(), shown_as=f"{name}@x")
                  for name in ("one", "two"))
    mail = email.message_from_bytes(compose(replace(MAIL, attachments=(*codes, *MAIL.attachments))), policy=default)
    related = mail.get_body(("related",))
    assert related.get_body(("html",)).get_content().strip() == MAIL.html
    assert [(part["Content-ID"], part.get_content(), part.get_content_disposition())
            for part in related.iter_attachments()] == [
        ("<one@x>", b"one", "inline"), ("<two@x>", b"two", "inline")]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["FA-1-facture.pdf"]


@given(st.text(max_size=200), st.text(max_size=100), st.text(max_size=300))
def test_no_text_becomes_a_header(subject: str, name: str, text: str) -> None:
    hostile = replace(MAIL, subject=f"{subject}\r\nBcc: victim@x.example", sender_name=f"{name}\nX-Evil: 1",
                      text=f"{text}\r\n", html=f"<p>{text}</p>")
    mail = email.message_from_bytes(compose(hostile), policy=default)
    assert sorted(mail.keys()) == sorted(email.message_from_bytes(compose(MAIL), policy=default).keys())
    assert [address.addr_spec for address in mail["To"].addresses] == ["compta@client.example"]


@pytest.mark.parametrize("name", [
    "Plain, Very Long Company Name Without Accents But With Commas, And Dots. And More",
    "Établissements Durand, Martin & Fils SARL (Lyon) ; comptabilité clients, relances", "é" * 70, "Court, et simple",
])
def test_a_long_name_stays_the_name_of_one_address(name: str) -> None:
    header = str(email.message_from_bytes(compose(replace(MAIL, sender_name=name)))["From"])
    ((shown, address),) = getaddresses([header])
    assert (str(make_header(decode_header(shown))), address) == (name, MAIL.sender)


@pytest.mark.parametrize("count", [1, 12])
def test_the_thread_is_named_in_plain_letters_however_long_the_domain(count: int) -> None:
    domain = "relances.comptabilite-fournisseurs.groupe-dupont-international.example"
    earlier = tuple(f"<relance.{number:032x}@{domain}>" for number in range(count))
    mail = email.message_from_bytes(compose(replace(MAIL, message_id=f"<relance.0@{domain}>", references=earlier)))
    assert mail["Message-ID"].strip() == f"<relance.0@{domain}>"
    assert mail["References"].split() == list(earlier)
    assert mail["In-Reply-To"].strip() == earlier[-1]


@pytest.mark.parametrize("address", ["", "nobody", "a@b.example\r\nBcc: c@d.example", "a b@c.example", "a@b@c.example"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own, several texts
        compose(replace(MAIL, recipient=address))


@pytest.mark.parametrize("sender", ["Relances <relances@x.example>", "relances", "été@x.example", "a@x.example\n"])
def test_a_sender_that_is_no_address_is_refused_before_anything_is_to_be_sent(sender: str) -> None:
    with pytest.raises(ValidationError, match="mail_from"):
        Settings(mail_from=sender)


def test_the_spool_takes_an_intent_once(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    for content in (b"first", b"second"):
        deliver(settings, content, message_id="<one@x.example>", sender="a@x.example", recipient="b@x.example")
    path = spool_path(settings, "<one@x.example>")
    assert path == tmp_path / "mail" / "one@x.example.eml"
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


ATOMS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=8)
LABELS = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=8)
ADDRESSES = st.builds(lambda local, domain: f"{'.'.join(local)}@{'.'.join(domain)}", st.lists(ATOMS, max_size=3),
                      st.lists(LABELS, max_size=3)).filter(ADDRESS.fullmatch)


@given(ADDRESSES)
def test_every_address_that_a_decision_lets_through_can_be_written_to(address: str) -> None:
    mail = email.message_from_bytes(compose(replace(MAIL, recipient=address)), policy=default)
    assert [found.addr_spec for found in mail["To"].addresses] == [address]

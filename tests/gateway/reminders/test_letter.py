"""What the letters say."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reminders.letters.bills import Account, Bill
from gateway.reminders.letters.letter import LANGUAGES, Letter, OpenItem
from gateway.reminders.letters.writing import words_of as words_of_letter
from gateway.reminders.letters.writing import write
from gateway.reminders.scenario import THANKS, TONES

ACCOUNT = Account(number="FR7600000000000000000000097", bic="XXXXFRPP", holder="Atelier Imaginaire SARL")
BILL = Bill(id="one", number="FA-2026-0042", issue_date=date(2026, 2, 11), due_date=date(2026, 3, 13),
            due=Decimal("1234.56"), account=ACCOUNT, reference="RF-42")
SECOND = Bill(id="two", number="FA-2026-0050", issue_date=date(2026, 2, 20), due_date=date(2026, 3, 20),
              due=Decimal("100.00"), account=ACCOUNT)
LETTER = Letter(
    tone="friendly", lang="fr", bills=(BILL,), today=date(2026, 4, 13), currency="EUR",
    signature=("Claire Morel", "Atelier Imaginaire", "claire@atelier.example"), reminded=True, professional=True,
    late_interest="Taux de la BCE majoré de 10 points.", indemnity=None, attached=("FA-2026-0042",),
)
EVERY = list(product([*TONES, THANKS], LANGUAGES))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def words_of(html: str) -> str:
    """The text of an HTML mail, title and styles left out."""
    body = html[html.index("<body"):]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize(("tone", "lang"), EVERY)
def test_every_letter_says_what_it_is_about(tone: str, lang: str) -> None:
    bill = replace(BILL, paid=BILL.due if tone == THANKS else Decimal(0))
    written = write(replace(LETTER, tone=tone, lang=lang, bills=(bill,)))
    assert "FA-2026-0042" in written.subject
    assert "\n" not in written.subject
    text = plain(written.text)
    assert "Claire Morel" in text
    assert "claire@atelier.example" in text
    assert ("1 234,56 €" if lang == "fr" else "€1,234.56") in text
    assert ("13 mars 2026" if lang == "fr" else "13 March 2026") in text
    if tone != THANKS:
        assert "FR76 0000 0000 0000 0000 0000 097" in text
        assert "RF-42" in text
    assert "{{" not in text
    assert "None" not in text


@pytest.mark.parametrize(("tone", "lang"), EVERY)
def test_both_forms_say_the_same(tone: str, lang: str) -> None:
    written = write(replace(LETTER, tone=tone, lang=lang, bills=(replace(BILL, paid=Decimal(100)),)))
    html = words_of(written.html)
    paragraphs = [block for block in written.text.split("\n\n") if not block.startswith("  ")]
    assert len(paragraphs) >= 5
    for paragraph in paragraphs:
        assert " ".join(paragraph.split()).rstrip(" :") in html, "titles have no colon there"


def test_only_the_later_ones_speak_of_money_on_top() -> None:
    speaking = [tone for tone in TONES if "40 €" in plain(write(replace(LETTER, tone=tone)).text)]
    assert speaking == ["penalties", "service", "last", "notice"]


def test_penalties_quote_the_invoice_and_make_up_no_rate() -> None:
    quoted = plain(write(replace(LETTER, tone="penalties")).text)
    assert "« Taux de la BCE majoré de 10 points. »" in quoted
    bare = plain(write(replace(LETTER, tone="penalties", late_interest=None)).text)
    assert "%" not in bare
    assert "BCE" not in bare
    assert "points" not in bare


def test_a_consumer_owes_no_indemnity() -> None:
    for tone in TONES:
        assert "40" not in write(replace(LETTER, tone=tone, professional=False,
                                             bills=(replace(BILL, number="FA-1"),))).text


def test_no_word_of_blame() -> None:
    for tone, lang in EVERY:
        text = plain(write(replace(LETTER, tone=tone, lang=lang)).text).lower()
        for word in ("malgré", "négligence", "mauvaise foi", "inacceptable", "refusez", "despite", "fail", "unaccept"):
            assert word not in text, (tone, lang)


def test_an_answer_is_asked_for_on_a_working_day() -> None:
    letter = replace(LETTER, tone="formal", today=date(2026, 4, 24))  # eight days later is Saturday 2 May
    assert "avant le 4 mai 2026" in plain(write(letter).text)


def test_on_the_due_date_it_is_due_today() -> None:
    letter = replace(LETTER, tone="due", today=date(2026, 3, 13))
    assert "arrive à échéance aujourd'hui" in write(letter).text
    assert "est arrivée à échéance le 13 mars 2026" in plain(write(replace(letter, today=date(2026, 3, 16))).text)


@pytest.mark.parametrize(("tone", "lang"), EVERY)
def test_a_letter_about_several_invoices_names_each_and_the_sum(tone: str, lang: str) -> None:
    paid = tone == THANKS
    bills = tuple(replace(bill, paid=bill.due if paid else Decimal(0)) for bill in (BILL, SECOND))
    written = write(replace(LETTER, tone=tone, lang=lang, bills=bills))
    text = plain(written.text)
    assert ("FA-2026-0042 et 1 autre" if lang == "fr" else "FA-2026-0042 and 1 other") in written.subject
    assert ("Factures concernées :" if lang == "fr" else "The invoices:") in text
    for number in ("FA-2026-0042", "FA-2026-0050"):
        assert f"  {number} | " in text
        assert f">{number}<" in written.html
    assert (("1 334,56 €" if lang == "fr" else "€1,334.56") in text) is not paid
    assert ("FA-2026-0042, FA-2026-0050" in text) is not paid
    assert "None" not in text + written.html
    if "40" in text and not paid:
        assert re.search("40 € (par facture|pour)|pour chaque facture|€40 per invoice|for each invoice", text) or (
            tone in {"before", "due", "friendly", "formal"})


def test_what_else_is_open_is_listed_and_not_asked_for() -> None:
    items = (OpenItem(id="one", number="FA-2026-0042", due_date=BILL.due_date, balance=BILL.due),
             OpenItem(id="six", number="FA-6", due_date=date(2026, 4, 1), balance=Decimal(70), disputed=True),
             OpenItem(id="sev", number="FA-7", due_date=date(2026, 6, 1), balance=Decimal(30)),
             OpenItem(id="cre", number="AV-1", due_date=None, balance=Decimal(-5)))
    letter = replace(LETTER, open_items=items)
    text = plain(write(letter).text)
    listed = text.partition("Vos autres factures ouvertes :")[2]
    assert listed.split("\n\n")[1].splitlines() == [
        "  FA-6 | 01/04/2026 | en cours d'examen | 70,00 €", "  FA-7 | 01/06/2026 | à échoir | 30,00 €",
        "  AV-1 | avoir | -5,00 €", "  Total ouvert, tout compris : 1 329,56 €"]
    assert [(one.amount, one.reference) for one in letter.remittances] == [(BILL.due, "RF-42")]


def test_own_words_as_browsers_send_them_are_paragraphs_on_one_line() -> None:
    letter = replace(LETTER, subject="Facture {{ numero }}", text="Bonjour,\r\n\r\nune ligne\r\net une autre.\r\n")
    assert words_of_letter(letter) == ("Facture FA-2026-0042", ["Bonjour,", "une ligne et une autre."])


def test_what_could_not_be_attached_is_named() -> None:
    assert "Non jointe à ce message : FA-9." in plain(write(replace(LETTER, missing=("FA-9",))).text)
    assert "Non jointes à ce message : FA-9, FA-10." in plain(write(replace(LETTER, missing=("FA-9", "FA-10"))).html)
    crowd = tuple(f"F{number}" for number in range(22))
    assert "F18, F19 et 2 autres." in plain(write(replace(LETTER, missing=crowd)).text)


@given(st.text(max_size=60).map(lambda text: f"F{text}"), st.text(max_size=600))
def test_what_others_wrote_cannot_change_the_form(number: str, note: str) -> None:
    bill = replace(BILL, number=number, reference=None)
    written = write(replace(LETTER, tone="penalties", bills=(bill,), late_interest=note, indemnity=note))
    usual = write(replace(LETTER, tone="penalties", indemnity="x"))
    for tag in ("<p", "<tr", "<td", "<div", "<img", "<a", "<script"):
        assert written.html.count(tag) == usual.html.count(tag)
    assert len(written.subject.splitlines()) == 1

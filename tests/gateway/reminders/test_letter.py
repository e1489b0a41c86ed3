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

from gateway.reminders.letters.letter import LANGUAGES, Account, Letter, write
from gateway.reminders.scenario import THANKS, TONES

LETTER = Letter(
    tone="friendly", lang="fr", number="FA-2026-0042", issue_date=date(2026, 2, 11), due_date=date(2026, 3, 13),
    today=date(2026, 4, 13), currency="EUR", due=Decimal("1234.56"), paid=Decimal(0), credited=Decimal(0),
    signature=("Claire Morel", "Atelier Imaginaire", "claire@atelier.example"), reminded=True, professional=True,
    account=Account(number="FR7600000000000000000000097", bic="XXXXFRPP"), reference="RF-42",
    late_interest="Taux de la BCE majoré de 10 points.", indemnity=None, attached=True,
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
    letter = replace(LETTER, tone=tone, lang=lang, paid=LETTER.due if tone == THANKS else Decimal(0))
    written = write(letter)
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
    written = write(replace(LETTER, tone=tone, lang=lang, paid=Decimal(100)))
    html = words_of(written.html)
    paragraphs = [block for block in written.text.split("\n\n") if not block.startswith("  ")]
    assert len(paragraphs) >= 5
    for paragraph in paragraphs:
        assert " ".join(paragraph.split()) in html


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
        assert "40" not in write(replace(LETTER, tone=tone, professional=False, number="FA-1")).text


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


@given(st.text(min_size=1, max_size=60), st.text(max_size=600))
def test_what_others_wrote_cannot_change_the_form(number: str, note: str) -> None:
    written = write(replace(LETTER, tone="penalties", number=number, late_interest=note, indemnity=note))
    usual = write(replace(LETTER, tone="penalties", indemnity="x"))
    assert written.html.count("<") == usual.html.count("<")
    assert len(written.subject.splitlines()) == 1

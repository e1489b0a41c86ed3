"""The words of a reminder: subject, plain text and HTML from one text per tone and language.

A text is a template whose first line is the subject and whose blocks, parted by empty lines, are the paragraphs;
both forms of the mail are made of the same paragraphs, so that they cannot differ.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.reminders.reasons import amount_words
from gateway.reminders.working import next_working

LANGUAGES: Final = ("fr", "en")
REPLY_DAYS: Final = 8
"""Days that a letter gives for an answer, where it names a day."""

QUOTE: Final = 400
"""Longest quotation of an invoice note, in characters."""

_FOLDER: Final = Path(__file__).parent / "templates"
_PLAIN: Final = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=False,  # noqa: S701 - plain text
                            trim_blocks=True, lstrip_blocks=True)
_TEXT: Final = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - paragraphs; the HTML layout escapes them
_HTML: Final = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True,
                           trim_blocks=True, lstrip_blocks=True)

_LABELS: Final = {
    "fr": {"number": "Facture", "issued": "Date", "due_date": "Échéance", "late": "Retard", "amount": "Montant",
           "paid": "Déjà reçu", "credited": "Avoirs", "balance": "Reste à payer", "account": "IBAN", "bic": "BIC",
           "holder": "Titulaire", "reference": "Référence à rappeler", "colon": " :", "closing": "Cordialement,",
           "attached": "La facture est jointe à ce message.", "days": "{} jours", "day": "1 jour"},
    "en": {"number": "Invoice", "issued": "Date", "due_date": "Due date", "late": "Late by", "amount": "Amount",
           "paid": "Received so far", "credited": "Credit notes", "balance": "Balance due", "account": "IBAN",
           "bic": "BIC", "holder": "Account holder", "reference": "Reference to quote", "colon": ":",
           "closing": "Kind regards,", "attached": "The invoice is attached to this message.", "days": "{} days",
           "day": "1 day"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where to pay: BG-17."""

    number: str
    """BT-84."""

    bic: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter tells. Amounts in `currency`."""

    tone: str
    lang: str
    """One of LANGUAGES."""

    number: str
    issue_date: date | None
    due_date: date | None
    today: date
    currency: str
    due: Decimal
    paid: Decimal
    credited: Decimal
    signature: tuple[str, ...]
    """Who writes: person, company, address for questions."""

    reminded: bool
    """Whether a letter about this invoice went out after the due date."""

    professional: bool
    """The 40 euro indemnity is owed between professionals only (D441-5)."""

    account: Account | None = None
    reference: str | None = None
    """BT-83."""

    late_interest: str | None = None
    """The PMD note of the invoice. No rate is ever made up here."""

    indemnity: str | None = None
    """The PMT note of the invoice."""

    attached: bool = False

    @property
    def balance(self) -> Decimal:
        """What is left to pay."""
        return self.due - self.paid - self.credited

    @property
    def days_late(self) -> int:
        """Calendar days since the due date; 0 on it and before."""
        return max(0, (self.today - self.due_date).days) if self.due_date is not None else 0


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words."""

    subject: str
    text: str
    html: str


def write(letter: Letter) -> Written:
    """The letter as subject, plain text and HTML."""
    words = _LABELS[letter.lang]
    told = _TEXT.get_template(f"{letter.lang}/{letter.tone}.txt").render(_values(letter))
    subject, *paragraphs = [_spaced(block, letter.lang) for block in re.split(r"\n\s*\n", told.strip())]
    content = {
        "lang": letter.lang, "subject": subject, "paragraphs": paragraphs, "rows": _rows(letter),
        "colon": words["colon"], "closing": words["closing"], "signature": letter.signature,
        "attached": words["attached"] if letter.attached else "",
    }
    return Written(subject, _PLAIN.get_template("layout.txt").render(content),
                   _HTML.get_template("layout.html").render(content))


def _values(letter: Letter) -> dict[str, object]:
    return {
        "number": " ".join(letter.number.split()),
        "issue_date": _day(letter.issue_date, letter.lang),
        "due_date": _day(letter.due_date, letter.lang),
        "reply_by": _day(next_working(letter.today + timedelta(days=REPLY_DAYS)), letter.lang),
        "days_late": letter.days_late,
        "late": _late(letter),
        "balance": amount_words(letter.balance, letter.currency, letter.lang),
        "paid": amount_words(letter.paid, letter.currency, letter.lang),
        "partly": letter.paid > 0,
        "reminded": letter.reminded,
        "professional": letter.professional,
        "late_interest": _quoted(letter.late_interest),
        "indemnity": _quoted(letter.indemnity),
    }


def _rows(letter: Letter) -> list[tuple[str, str]]:
    """The facts under the text. Thanks need no bank details."""
    words = _LABELS[letter.lang]
    money = {"amount": letter.due, "paid": letter.paid, "credited": letter.credited, "balance": letter.balance}
    rows = [(words["number"], letter.number), (words["issued"], _day(letter.issue_date, letter.lang)),
            (words["due_date"], _day(letter.due_date, letter.lang))]
    if letter.days_late and letter.tone != "thanks":
        rows.append((words["late"], _late(letter)))
    rows += [(words[key], amount_words(amount, letter.currency, letter.lang)) for key, amount in money.items()
             if amount > 0 or (key == "balance" and letter.tone != "thanks")]
    if letter.tone != "thanks":
        if letter.account is not None:
            rows += [(words["account"], _in_fours(letter.account.number))]
            rows += [(words["bic"], letter.account.bic)] if letter.account.bic else []
            rows += [(words["holder"], letter.account.holder)] if letter.account.holder else []
        rows.append((words["reference"], letter.reference or letter.number))
    return [(label, value) for label, value in rows if value]


def _late(letter: Letter) -> str:
    words = _LABELS[letter.lang]
    return words["day"] if letter.days_late == 1 else words["days"].format(letter.days_late)


def _day(day: date | None, lang: str) -> str:
    return "" if day is None else format_date(day, "d MMMM y", locale=lang)


def _quoted(note: str | None) -> str | None:
    """An invoice note as a quotation on one line; None for an empty one."""
    text = " ".join((note or "").split())
    return (text if len(text) <= QUOTE else f"{text[:QUOTE]}…") or None


def _in_fours(account: str) -> str:
    plain = "".join(account.split())
    return " ".join(plain[start:start + 4] for start in range(0, len(plain), 4))


def _spaced(block: str, lang: str) -> str:
    """One line, with the no-break spaces that French punctuation wants."""
    line = " ".join(block.split(" ")).replace("\n", " ").strip()
    line = re.sub(r" {2,}", " ", line)
    if lang == "fr":
        line = re.sub(r" ([:;!?»])", "\u00a0\\1", line).replace("« ", "«\u00a0")
    return line

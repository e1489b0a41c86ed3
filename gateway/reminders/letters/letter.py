"""The words of a reminder: subject, plain text and HTML from one text per tone and language.

A text is a template whose first line is the subject and whose blocks, parted by empty lines, are the paragraphs;
both forms of the mail are made of the same paragraphs, so that they cannot differ.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.reminders.letters.texts import filled
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
           "formal_closing": "Veuillez agréer, Madame, Monsieur, l'expression de nos salutations distinguées.",
           "attached": "La facture est jointe à ce message.", "days": "{} jours", "day": "1 jour",
           "all_attached": "Les factures sont jointes à ce message.", "open": "Toutes vos factures ouvertes",
           "total": "Total", "disputed": "en cours d'examen", "not_due": "à échoir",
           "answer": "Répondez d'un clic, sans compte ni mot de passe"},
    "en": {"number": "Invoice", "issued": "Date", "due_date": "Due date", "late": "Late by", "amount": "Amount",
           "paid": "Received so far", "credited": "Credit notes", "balance": "Balance due", "account": "IBAN",
           "bic": "BIC", "holder": "Account holder", "reference": "Reference to quote", "colon": ":",
           "closing": "Kind regards,", "formal_closing": "Yours faithfully,",
           "attached": "The invoice is attached to this message.", "days": "{} days", "day": "1 day",
           "all_attached": "The invoices are attached to this message.",
           "open": "All your open invoices", "total": "Total", "disputed": "under review", "not_due": "not yet due",
           "answer": "Answer with one click, no account needed"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where to pay: BG-17."""

    number: str
    """BT-84."""

    bic: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """One of the client's open invoices or credits, in the currency of the letter."""

    number: str
    due_date: date | None
    balance: Decimal
    """Negative for a credit of the client."""

    disputed: bool = False


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

    attached: int = 0
    """How many invoices go with it."""

    client: str = ""
    company: str = ""
    open_items: tuple[OpenItem, ...] = ()
    """Everything that the client owes the seller, the reminded invoices too; none where it is that one alone."""

    answers: tuple[tuple[str, str], ...] = ()
    """(words, address) of the answers that take one click."""

    approved_on: date | None = None
    """The day on which the buyer approved it (205)."""

    subject: str = ""
    text: str = ""
    """Words of the scenario in place of those of the tone; see texts.py."""

    @property
    def total(self) -> Decimal:
        """The balance of everything open."""
        return sum((item.balance for item in self.open_items), Decimal(0)) if self.open_items else self.balance

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
    subject, paragraphs = words_of(letter)
    content = {
        "lang": letter.lang, "subject": subject, "paragraphs": paragraphs, "rows": rows_of(letter),
        "colon": words["colon"], "closing": words["closing"], "signature": letter.signature,
        "attached": words["all_attached" if letter.attached > 1 else "attached"] if letter.attached else "",
        "open_title": words["open"], "open_rows": open_rows(letter), "answer_title": words["answer"],
        "answers": letter.answers,
    }
    return Written(subject, _PLAIN.get_template("layout.txt").render(content),
                   _HTML.get_template("layout.html").render(content))


def words_of(letter: Letter) -> tuple[str, list[str]]:
    """Subject and paragraphs, of the scenario's own text where there is one."""
    values = _values(letter)
    if letter.text:
        fields = _fields(letter, values)
        blocks = [filled(letter.subject or letter.number, fields), *re.split(r"\n\s*\n", filled(letter.text, fields))]
    else:
        told = _TEXT.get_template(f"{letter.lang}/{letter.tone}.txt").render(values)
        blocks = re.split(r"\n\s*\n", told.strip())
        if letter.subject:
            blocks[0] = filled(letter.subject, _fields(letter, values))
    subject, *paragraphs = [_spaced(block, letter.lang) for block in blocks]
    return subject, [paragraph for paragraph in paragraphs if paragraph]


def _fields(letter: Letter, values: dict[str, object]) -> dict[str, str]:
    """What the fields of texts.py stand for."""
    found = {
        "numero": values["number"], "date_facture": values["issue_date"], "echeance": values["due_date"],
        "retard": values["late"], "solde": values["balance"], "recu": values["paid"],
        "total_ouvert": amount_words(letter.total, letter.currency, letter.lang),
        "repondre_avant": values["reply_by"], "client": letter.client, "societe": letter.company,
        "contact": letter.signature[0] if letter.signature else "",
    }
    return {name: str(value) for name, value in found.items()}


def headings(lang: str) -> Mapping[str, str]:
    """The fixed words around a letter."""
    return _LABELS[lang]


def open_rows(letter: Letter) -> list[tuple[str, str, str, str]]:
    """(number, due date, lateness, balance) of everything open, and the total; nothing where it is one invoice."""
    if len(letter.open_items) < 2:
        return []
    words = _LABELS[letter.lang]
    rows = [(item.number, _day(item.due_date, letter.lang), _state(item, letter),
             amount_words(item.balance, letter.currency, letter.lang)) for item in letter.open_items]
    return [*rows, (words["total"], "", "", amount_words(letter.total, letter.currency, letter.lang))]


def _state(item: OpenItem, letter: Letter) -> str:
    words = _LABELS[letter.lang]
    if item.disputed:
        return words["disputed"]
    if item.balance < 0 or item.due_date is None:
        return ""
    return _days((letter.today - item.due_date).days, letter.lang) if item.due_date < letter.today else words["not_due"]


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
        "approved_on": _day(letter.approved_on, letter.lang),
        "others": max(0, len(letter.open_items) - 1),
    }


def rows_of(letter: Letter) -> list[tuple[str, str]]:
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
    return _days(letter.days_late, letter.lang)


def _days(count: int, lang: str) -> str:
    words = _LABELS[lang]
    return words["day"] if count == 1 else words["days"].format(count)


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

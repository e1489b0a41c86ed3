"""The words of a reminder: subject, plain text and HTML from one text per tone and language.

A text is a template whose first line is the subject and whose blocks, parted by empty lines, are the paragraphs;
both forms of the mail are made of the same paragraphs, so that they cannot differ.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Final

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from formats.rendering.payment_code import NoCode
from gateway.reminders.letters.bills import Bill
from gateway.reminders.letters.letter import Letter, OpenItem
from gateway.reminders.letters.texts import filled
from gateway.reminders.reasons import amount_words
from gateway.reminders.scenario import THANKS
from gateway.reminders.working import next_working

REPLY_DAYS: Final = 8
"""Days that a letter gives for an answer, where it names a day."""

MOST_NAMED: Final = 20
"""Invoices without their PDF that a mail names; of more it says how many."""

QUOTE: Final = 400
"""Longest quotation of an invoice note, in characters."""

_FOLDER: Final = Path(__file__).parent / "templates"
_TEXTS: Final = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=select_autoescape())
"""Escapes what ends in .html: the paragraphs are plain text, which the HTML layout escapes once."""

_LAYOUTS: Final = _TEXTS.overlay(trim_blocks=True, lstrip_blocks=True)

_LABELS: Final = {
    "fr": {"number": "Facture", "issued": "Date", "due_date": "Échéance", "late": "Retard", "amount": "Montant",
           "paid": "Déjà reçu", "credited": "Avoirs", "balance": "Reste à payer", "account": "IBAN", "bic": "BIC",
           "holder": "Bénéficiaire", "reference": "Référence à rappeler", "colon": " :", "closing": "Cordialement,",
           "formal_closing": "Veuillez agréer, Madame, Monsieur, l'expression de nos salutations distinguées.",
           "attached": "La facture est jointe à ce message.", "days": "{} jours", "day": "1 jour",
           "all_attached": "Les factures sont jointes à ce message.",
           "state": "État", "left": "Solde",
           "missing": "Non jointe à ce message : {}. Nous vous l'enverrons sur simple demande.",
           "all_missing": "Non jointes à ce message : {}. Nous vous les enverrons sur simple demande.",
           "asked": "Factures concernées", "open": "Vos autres factures ouvertes", "sum": "Total à régler",
           "total": "Total ouvert, tout compris", "settled": "soldée", "disputed": "en cours d'examen",
           "not_due": "à échoir", "credit": "avoir", "pay": "Pour payer par virement", "to_pay": "Montant à virer",
           "scan": "À scanner avec l'application de votre banque", "code": "Code QR de virement SEPA",
           "answer": "Répondez d'un clic, sans compte ni mot de passe", "and_one": " et 1 autre",
           "and_more": " et {} autres"},
    "en": {"number": "Invoice", "issued": "Date", "due_date": "Due date", "late": "Late by", "amount": "Amount",
           "paid": "Received so far", "credited": "Credit notes", "balance": "Balance due", "account": "IBAN",
           "bic": "BIC", "holder": "Beneficiary", "reference": "Reference to quote", "colon": ":",
           "closing": "Kind regards,", "formal_closing": "Yours faithfully,",
           "attached": "The invoice is attached to this message.", "days": "{} days", "day": "1 day",
           "all_attached": "The invoices are attached to this message.",
           "state": "State", "left": "Balance",
           "missing": "Not attached to this message: {}. We will send it on request.",
           "all_missing": "Not attached to this message: {}. We will send them on request.",
           "asked": "The invoices", "open": "Your other open invoices", "sum": "Total to pay",
           "total": "Total open, all included", "settled": "settled", "disputed": "under review",
           "not_due": "not yet due", "credit": "credit note", "pay": "To pay by bank transfer",
           "to_pay": "Amount to transfer", "scan": "Scan it with your banking app",
           "code": "QR code for a SEPA credit transfer", "answer": "Answer with one click, no account needed",
           "and_one": " and 1 other", "and_more": " and {} others"},
}

Row = tuple[str, str, str, str]
"""Number, due date, lateness or state, amount."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Invoices as a table; nothing is shown of one without rows."""

    title: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    total: tuple[str, ...] = ()
    """Words and amount."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Pay:
    """How one transfer is shown: what to copy, and what to scan."""

    title: str
    rows: tuple[tuple[str, str], ...]
    code: str | None
    """The text of the QR code."""

    code_alt: str
    scan: str


def write(letter: Letter, pictures: Sequence[str | None] = ()) -> Written:
    """The letter as subject, plain text and HTML.

    `pictures`: for each of its transfers the content id of its payment code; None where there is none.
    """
    words = _LABELS[letter.lang]
    subject, paragraphs = words_of(letter)
    content = {
        "lang": letter.lang, "subject": subject, "paragraphs": paragraphs, "rows": rows_of(letter),
        "colon": words["colon"], "closing": words["closing"], "signature": letter.signature,
        "enclosed": enclosed(letter), "pays": list(zip_longest(pay_blocks(letter), pictures)),
        "asked": asdict(asked_list(letter)), "open": asdict(open_list(letter)), "answer_title": words["answer"],
        "answers": letter.answers,
    }
    return Written(subject, _LAYOUTS.get_template("layout.txt").render(content),
                   _LAYOUTS.get_template("layout.html").render(content))


def page_texts(letter: Letter) -> dict[str, object]:
    """What the letter on paper says, ready to print: see validation/faces/letter_pages.py."""
    words = _LABELS[letter.lang]
    subject, paragraphs = words_of(letter)
    return {
        "lang": letter.lang, "day": letter.today.isoformat(), "subject": subject, "paragraphs": paragraphs,
        "rows": rows_of(letter), "before": [asdict(found) for found in (asked_list(letter),) if found.rows],
        "pays": [asdict(block) for block in pay_blocks(letter)],
        "after": [asdict(found) for found in (open_list(letter),) if found.rows],
        "closing": words["formal_closing"], "signature": list(letter.signature),
    }


def words_of(letter: Letter) -> tuple[str, list[str]]:
    """Subject and paragraphs, of the scenario's own text where there is one."""
    values = _values(letter)
    if letter.text:
        fields = _fields(letter, values)
        blocks = [filled(letter.subject or letter.lead.number, fields),
                  *re.split(r"\n\s*\n", filled(letter.text, fields))]
    else:
        told = _TEXTS.get_template(f"{letter.lang}/{letter.tone}.txt").render(values)
        blocks = re.split(r"\n\s*\n", told.strip())
        if letter.subject:
            blocks[0] = filled(letter.subject, _fields(letter, values))
    subject, *paragraphs = [_spaced(block, letter.lang) for block in blocks]
    return subject, [paragraph for paragraph in paragraphs if paragraph]


def _fields(letter: Letter, values: Mapping[str, object]) -> dict[str, str]:
    """What the fields of texts.py stand for."""
    found = {
        "numero": values["number"], "date_facture": values["issue_date"], "echeance": values["due_date"],
        "retard": values["late"], "solde": values["balance"], "recu": values["paid"], "total": values["asked"],
        "factures": ", ".join(" ".join(bill.number.split()) for bill in letter.bills),
        "total_ouvert": amount_words(letter.total, letter.currency, letter.lang),
        "repondre_avant": values["reply_by"], "client": letter.client, "societe": letter.company,
        "contact": letter.signature[0] if letter.signature else "",
    }
    return {name: str(value) for name, value in found.items()}


def asked_list(letter: Letter) -> Listed:
    """Each invoice of the letter and their sum, where there are several."""
    if len(letter.bills) < 2:
        return Listed()
    words, thanks = _LABELS[letter.lang], letter.tone == THANKS
    keys = ("number", "due_date", "state", "paid") if thanks else ("number", "due_date", "late", "left")
    rows = tuple((bill.number, _short_day(bill.due_date, letter.lang),
                  words["settled"] if thanks else _state(bill, letter),
                  _money(bill.paid if thanks else bill.balance, letter)) for bill in letter.bills)
    total = () if thanks else (words["sum"], _money(letter.asked, letter))
    return Listed(words["asked"], tuple(words[key] for key in keys), rows, total)


def open_list(letter: Letter) -> Listed:
    """What else the client has open, also what is not due or under review, and the total of the account."""
    if not letter.others:
        return Listed()
    words = _LABELS[letter.lang]
    rows = tuple((item.number, _short_day(item.due_date, letter.lang),
                  words["disputed"] if item.disputed else _state(item, letter), _money(item.balance, letter))
                 for item in letter.others)
    return Listed(words["open"], tuple(words[key] for key in ("number", "due_date", "state", "left")), rows,
                  (words["total"], _money(letter.total, letter)))


def pay_blocks(letter: Letter) -> list[Pay]:
    """What to copy into a transfer, one block for each; without an account there is a reference at most."""
    words, found = _LABELS[letter.lang], letter.remittances
    blocks = []
    for place, one in enumerate(found, start=1):
        account, code = one.account, one.code
        title = "" if account is None else words["pay"] if len(found) == 1 else f"{words['pay']} ({place}/{len(found)})"
        rows = [] if account is None else [
            (words["holder"], account.holder), (words["account"], _in_fours(account.number)),
            (words["bic"], account.bic or ""), (words["to_pay"], _money(one.amount, letter))]
        rows = [(label, value) for label, value in (*rows, (words["reference"], one.reference)) if value]
        alt = f"{words['code']}{words['colon']} {_money(one.amount, letter)}, {one.reference}"
        blocks.append(Pay(title, tuple(rows), None if isinstance(code, NoCode) else code, alt, words["scan"]))
    return blocks


def enclosed(letter: Letter) -> str:
    """What goes with a mail, and what of it could not."""
    words, said = _LABELS[letter.lang], []
    if letter.attached:
        said.append(words["all_attached" if len(letter.attached) > 1 else "attached"])
    if letter.missing:
        more = len(letter.missing) - MOST_NAMED
        named = ", ".join(letter.missing[:MOST_NAMED]) + (_more(more, letter.lang) if more > 0 else "")
        said.append(words["all_missing" if len(letter.missing) > 1 else "missing"].format(named))
    return _spaced(" ".join(said), letter.lang)


def _state(item: OpenItem | Bill, letter: Letter) -> str:
    words = _LABELS[letter.lang]
    if item.balance < 0:
        return words["credit"]
    if item.due_date is None:
        return ""
    return _days((letter.today - item.due_date).days, letter.lang) if item.due_date < letter.today else words["not_due"]


def _values(letter: Letter) -> dict[str, object]:
    lead, count = letter.lead, len(letter.bills)
    paid = sum((bill.paid for bill in letter.bills), Decimal(0))
    return {
        "number": " ".join(lead.number.split()),
        "several": count > 1,
        "count": count,
        "more": _more(count - 1, letter.lang) if count > 1 else "",
        "issue_date": _day(lead.issue_date, letter.lang),
        "due_date": _day(lead.due_date, letter.lang),
        "reply_by": _day(next_working(letter.today + timedelta(days=REPLY_DAYS)), letter.lang),
        "days_late": letter.days_late,
        "late": _days(letter.days_late, letter.lang),
        "balance": _money(lead.balance, letter),
        "asked": _money(letter.asked, letter),
        "paid": _money(paid, letter),
        "partly": paid > 0,
        "reminded": letter.reminded,
        "professional": letter.professional,
        "late_interest": _quoted(letter.late_interest),
        "indemnity": _quoted(letter.indemnity),
        "approved_on": _day(letter.approved_on, letter.lang) if count == 1 else "",
    }


def rows_of(letter: Letter) -> list[tuple[str, str]]:
    """The facts of the one invoice under the text; nothing where there are several."""
    if len(letter.bills) > 1:
        return []
    words, bill, thanks = _LABELS[letter.lang], letter.lead, letter.tone == THANKS
    money = {"amount": bill.due, "paid": bill.paid, "credited": bill.credited, "balance": bill.balance}
    rows = [(words["number"], bill.number), (words["issued"], _day(bill.issue_date, letter.lang)),
            (words["due_date"], _day(bill.due_date, letter.lang)),
            (words["late"], _days(letter.days_late, letter.lang) if letter.days_late and not thanks else "")]
    rows += [(words[key], _money(amount, letter)) for key, amount in money.items()
             if amount > 0 or (key == "balance" and not thanks)]
    return [(label, value) for label, value in rows if value]


def _money(amount: Decimal, letter: Letter) -> str:
    return amount_words(amount, letter.currency, letter.lang)


def _days(count: int, lang: str) -> str:
    words = _LABELS[lang]
    return words["day"] if count == 1 else words["days"].format(count)


def _day(day: date | None, lang: str) -> str:
    return "" if day is None else format_date(day, "d MMMM y", locale=lang)


def _more(count: int, lang: str) -> str:
    return _LABELS[lang]["and_one"] if count == 1 else _LABELS[lang]["and_more"].format(count)


def _short_day(day: date | None, lang: str) -> str:
    """As `_day`, in a table that a phone shows."""
    return "" if day is None else format_date(day, "dd/MM/y" if lang == "fr" else "d MMM y", locale=lang)


def _quoted(note: str | None) -> str | None:
    """An invoice note as a quotation on one line; None for an empty one."""
    text = " ".join((note or "").split())
    return (text if len(text) <= QUOTE else f"{text[:QUOTE]}…") or None


def _in_fours(account: str) -> str:
    plain = "".join(account.split())
    return " ".join(plain[start:start + 4] for start in range(0, len(plain), 4))


def _spaced(block: str, lang: str) -> str:
    """One line, with the no-break spaces that French punctuation wants."""
    line = re.sub(r"[ \t\r\n]+", " ", block).strip()  # browsers end the lines of a text with both
    if lang == "fr":
        line = re.sub(r" ([:;!?»])", "\u00a0\\1", line).replace("« ", "«\u00a0")
    return line

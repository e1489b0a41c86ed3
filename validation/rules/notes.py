"""The texts that French law wants in notes: what they say, and the traps of writing their code.

BR-FR-05 and BR-FR-06 count the markers PMT, PMD and AAB; nobody but these rules reads the words.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from formats.codes import CREDIT_TYPES, NOTE_SUBJECTS, REQUIRED_NOTES
from formats.invoice import Invoice, Note
from validation.findings import Severity
from validation.rules.own import CONSUMER_TREATMENTS, OwnRule, Said, said, treatment_of

PLACEHOLDER: Final = re.compile(
    r"[\W_]*|n\W?[ac]\W?|nr|tbd|todo|x+|test|null|none|vide|empty|string|lorem.*", re.IGNORECASE | re.DOTALL
)
"""A text that says nothing."""

ABSENCE: Final = re.compile(r"(néant|neant|aucune?|sans|sans objet|non)\W*", re.IGNORECASE)
"""Says that there is none: an answer for a discount (AAB), not for penalties and indemnity that the law imposes."""

NOT_APPLICABLE: Final = re.compile(r"n\W?a\W*|none\W*", re.IGNORECASE)
"""An answer too where there can be neither penalties nor indemnity, and BR-FR-05 wants the mention all the same."""

INDEMNITY: Final = re.compile(r"40|quarante|forty", re.IGNORECASE)
PENALTY: Final = re.compile(r"p[ée]nalit|int[ée]r[êe]ts? de retard|penalt|late interest", re.IGNORECASE)
RECOVERY: Final = re.compile(r"indemnit|recouvrement|recovery", re.IGNORECASE)
A_RATE: Final = re.compile(r"\d|taux|rate|BCE|ECB|l[ée]gal", re.IGNORECASE)
BY_REFERENCE: Final = re.compile(r"fois|times|BCE|ECB|major|points|mois|mensuel|month", re.IGNORECASE)
"""A rate given by reference or by the month: its figure is no yearly rate."""

DISCOUNT: Final = re.compile(
    r"escompte|discount|anticip|early|comptant|\d|pas |aucun|sans|n[ée]ant|\bno\b|\bnon\b|none|nil", re.IGNORECASE
)
PER_CENT: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*(?:%|pour ?cent)")
MARKER: Final = re.compile(r"#\w{2,4}#")
ALMOST: Final = re.compile(rf"[#\s]*({'|'.join(NOTE_SUBJECTS)})\s*[#:]", re.IGNORECASE)
"""A marker written otherwise than #PMT#."""


def empty_mention(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMT, PMD and AAB say something."""
    for note in invoice.notes:
        if note.subject_code in REQUIRED_NOTES and _says_nothing(note, invoice):
            label = NOTE_SUBJECTS[note.subject_code]
            yield said(
                f"La mention {note.subject_code} ({label.fr}) est vide ou ne dit rien : « {note.text or ''} ».",
                f"Mention {note.subject_code} ({label.en}) is empty or says nothing: {note.text or ''!r}.",
                "BT-22", "BT-21", value=note.text, code=note.subject_code,
            )


def indemnity_amount(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMT names the 40 euros. A warning: the words are free."""
    for note in _spoken(invoice, "PMT") if _may_be_owed(invoice) else ():
        if not INDEMNITY.search(note.text or "") and not _swapped(invoice):
            yield said(
                "La mention PMT ne cite pas l'indemnité forfaitaire de 40 €.",
                "Mention PMT does not name the fixed indemnity of 40 EUR.",
                "BT-22", value=note.text, code="PMT", expected="40 EUR",
            )


def penalty_rate(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMD names a rate, in figures or by reference (legal rate, ECB). A warning: the words are free."""
    for note in _spoken(invoice, "PMD") if _may_be_owed(invoice) else ():
        if not A_RATE.search(note.text or ""):
            yield said(
                "La mention PMD ne cite aucun taux de pénalité.",
                "Mention PMD names no penalty rate.",
                "BT-22", value=note.text, code="PMD",
            )


def discount_text(invoice: Invoice, _: date) -> Iterator[Said]:
    """AAB speaks of a discount or of its absence. A warning: the words are free."""
    for note in _spoken(invoice, "AAB"):
        if not DISCOUNT.search(note.text or ""):
            yield said(
                "La mention AAB ne parle ni d'un escompte ni de son absence.",
                "Mention AAB speaks neither of a discount nor of its absence.",
                "BT-22", value=note.text, code="AAB",
            )


def swapped_mentions(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMT is about the indemnity and PMD about the penalties, not the other way round."""
    if _swapped(invoice):
        note = _spoken(invoice, "PMT")[0]
        yield said(
            "Les mentions PMT et PMD sont interverties : PMT parle de pénalités, PMD de l'indemnité.",
            "Mentions PMT and PMD are swapped: PMT speaks of penalties, PMD of the indemnity.",
            "BT-21", "BT-22", value="PMT", text=note.text,
        )


def penalty_below_the_floor(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """A yearly penalty rate in figures is not below three times the legal interest rate, as last known."""
    issued = invoice.issue_date or as_of
    known = [(since, rate) for since, rate in legal_rates() if since <= issued]
    for note in _spoken(invoice, "PMD") if known and _may_be_owed(invoice) else ():
        rates = [Decimal(found.replace(",", ".")) for found in PER_CENT.findall(note.text or "")]
        since, legal = known[-1]
        if rates and max(rates) < 3 * legal and not BY_REFERENCE.search(note.text or ""):
            yield said(
                f"Pénalités de {max(rates)} % : moins de trois fois le taux légal, soit {3 * legal} % "
                f"(taux au {since}).",
                f"Penalties of {max(rates)} %: less than three times the legal rate, {3 * legal} % (rate of {since}).",
                "BT-22", value=note.text, declared=max(rates), floor=3 * legal, since=str(since),
            )


def marker_inside(invoice: Invoice, _: date) -> Iterator[Said]:
    """No note has a second marker in its text: UBL rules join all notes and would read it as a note of its own."""
    for note in invoice.notes:
        found = MARKER.search(note.text or "")
        if found is not None and not (note.subject_code is None and found.start() == 0):
            yield said(
                f"Le texte d'une note contient le marqueur {found[0]} : chaque mention va dans sa propre note.",
                f"The text of a note contains the marker {found[0]}: each mention goes into a note of its own.",
                "BT-22", value=note.text, marker=found[0],
            )


def marker_misspelt(invoice: Invoice, _: date) -> Iterator[Said]:
    """A marker is written so that it is read: #PMT# in UBL, the code alone in CII and JSON."""
    for note in invoice.notes:
        code, text = note.subject_code, note.text or ""
        other_case = code is not None and code not in NOTE_SUBJECTS and code.strip().upper() in NOTE_SUBJECTS
        found = ALMOST.match(text) if code is None else None
        if other_case or found is not None:
            right = (found[1] if found is not None else (code or "").strip()).upper()
            written = found[0] if found is not None else code
            yield said(
                f"« {written} » n'est pas lu comme la mention {right}.",
                f"{written!r} is not read as mention {right}.",
                "BT-22" if found is not None else "BT-21", value=text if found is not None else code, expected=right,
            )


@cache
def legal_rates() -> tuple[tuple[date, Decimal], ...]:
    """Each first day of a half-year with the legal interest rate for professionals, in percent, oldest first."""
    table = tomllib.loads(resources.files("validation.rules").joinpath("legal_rates.toml").read_text("utf-8"))
    return tuple(sorted((row["from"], Decimal(row["rate"])) for row in table["rate"]))


def _spoken(invoice: Invoice, code: str) -> list[Note]:
    """The notes with this code that say something: PAS-FR-01 speaks of the others."""
    return [note for note in invoice.notes if note.subject_code == code and not _says_nothing(note, invoice)]


def _may_be_owed(invoice: Invoice) -> bool:
    """Whether penalties and indemnity can be: no consumer owes them (C. com. L441-10), and a credit note is no debt."""
    return invoice.type_code not in CREDIT_TYPES and treatment_of(invoice) not in CONSUMER_TREATMENTS


def _swapped(invoice: Invoice) -> bool:
    indemnity = " ".join(note.text or "" for note in _spoken(invoice, "PMT"))
    penalties = " ".join(note.text or "" for note in _spoken(invoice, "PMD"))
    about_penalties = PENALTY.search(indemnity) and not RECOVERY.search(indemnity)
    about_recovery = RECOVERY.search(penalties) and not PENALTY.search(penalties)
    return bool(about_penalties and about_recovery)


def _says_nothing(note: Note, invoice: Invoice) -> bool:
    text = (note.text or "").strip()
    empty = PLACEHOLDER.fullmatch(text) is not None
    if note.subject_code == "AAB":
        return empty
    if _may_be_owed(invoice):
        return empty or ABSENCE.fullmatch(text) is not None
    return empty and NOT_APPLICABLE.fullmatch(text) is None


RULES: Final = (
    OwnRule("PAS-FR-01", Severity.ERROR, empty_mention, "C. com. art. L441-9, I ; BR-FR-05"),
    OwnRule("PAS-FR-02", Severity.WARNING, indemnity_amount, "C. com. art. L441-9, I et D441-5"),
    OwnRule("PAS-FR-03", Severity.WARNING, penalty_rate, "C. com. art. L441-9, I et L441-10, II"),
    OwnRule("PAS-FR-10", Severity.WARNING, discount_text, "C. com. art. L441-9, I"),
    OwnRule("PAS-FR-11", Severity.WARNING, swapped_mentions, "C. com. art. L441-9, I ; UNTDID 4451"),
    OwnRule("PAS-FR-12", Severity.WARNING, penalty_below_the_floor, "C. com. art. L441-10, II"),
    OwnRule("PAS-NOTE-01", Severity.WARNING, marker_inside, "FNFE, BR-FR-05, BR-FR-06 et BR-FR-20 (UBL)"),
    OwnRule("PAS-NOTE-02", Severity.WARNING, marker_misspelt, "FNFE, BR-FR-05 ; UNTDID 4451"),
)

"""What a form says when something in it is wrong: one French sentence per field; how an amount is typed."""

from pydantic import ValidationError

from gateway.accounts.passwords import LONGEST, SHORTEST
from gateway.console.words import french
from gateway.problems import Problem

SENTENCES = {
    "missing": "Ce champ est obligatoire.",
    "string_too_short": "Au moins {min_length} caractères.",
    "string_too_long": "Au plus {max_length} caractères.",
    "too_short": "Choisissez-en au moins un.",
    "string_pattern_mismatch": "La forme n'est pas la bonne.",
    "literal_error": "Choisissez une des valeurs proposées.",
    "enum": "Choisissez une des valeurs proposées.",
    "date_from_datetime_parsing": "Indiquez une date.",
    "date_parsing": "Indiquez une date.",
    "date_from_datetime_inexact": "Indiquez une date.",
}
FIELDS = {
    "amount": "Montant avec deux décimales au plus, par exemple 1 234,56.",
    "password": f"De {SHORTEST} à {LONGEST} caractères.",
    "client_secret": "De 1 à 2000 caractères.",
}
"""Fields for which a sentence of their own says more."""


def errors_of(error: ValidationError) -> dict[str, str]:
    """Field name to sentence; what concerns the whole form stands under the empty name."""
    found: dict[str, str] = {}
    for one in error.errors():
        field = ".".join(str(part) for part in one["loc"])
        found.setdefault(field, _sentence(field, one["type"], str(one["msg"]), one.get("ctx") or {}))
    return found


def told(problem: Problem) -> str:
    """What a problem says to the reader of a form, in French."""
    return french(problem.detail)


def plain_amount(text: str) -> str:
    """`1 234,5` as a program writes it: blanks and the euro sign go, the comma becomes a point."""
    bare = text.replace("€", "").replace(",", ".")
    return "".join(bare.split())


def _sentence(field: str, kind: str, message: str, context: dict[str, object]) -> str:
    name = field.rpartition(".")[2]
    if name in FIELDS:
        return FIELDS[name]
    if kind == "string_too_short" and context.get("min_length") == 1:
        return SENTENCES["missing"]
    if kind in SENTENCES:
        return SENTENCES[kind].format(**context)
    return french(message.removeprefix("Value error, "))

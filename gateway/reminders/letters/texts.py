"""The fields that a person may write into the texts of a scenario: `{{ numero }}` and its like, and nothing else.

No template language: a text is filled in by replacing names, so that nobody can write a loop, read a file or reach
an object through a text of the console.
"""

import re
from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "numero": "numéro de la facture",
    "date_facture": "date de la facture",
    "echeance": "date d'échéance",
    "retard": "retard, par exemple « 12 jours »",
    "solde": "reste à payer de la facture",
    "factures": "numéros de toutes les factures du message",
    "total": "reste à payer de toutes les factures du message",
    "recu": "ce qui a déjà été reçu pour les factures du message",
    "total_ouvert": "total de toutes les factures ouvertes du client",
    "repondre_avant": "jour ouvré avant lequel une réponse est attendue",
    "client": "nom du client",
    "societe": "votre société",
    "contact": "la personne qui signe",
}
"""Field to what it stands for, in French."""

_FIELD: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LOOSE: Final = re.compile(r"\{[{%#].*?(?:[}%#]\}|$)|[}%#]\}", re.DOTALL)


def unknown_fields(text: str) -> list[str]:
    """What stands in braces and is no field, in the order of the text; empty when all is well."""
    named = [name for name in _FIELD.findall(text) if name not in FIELDS]
    return named + [found.strip() for found in _LOOSE.findall(_FIELD.sub("", text))]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in; a value is never looked at for fields again."""
    return _FIELD.sub(lambda found: values[found[1]], text)

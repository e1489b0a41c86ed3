"""What every rule of our own is: an id, a weight, and a function over the model.

A rule speaks only where it is sure of the defect that it names; where it can only suspect one it is a warning, and
where it only reminds it is information. Title, cause and remedy of each are in explain/own.toml.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from formats.invoice import Invoice, Party
from validation.findings import Severity, Text


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a rule found in an invoice."""

    message: Text
    terms: tuple[str, ...]
    """The terms concerned; the first is where to look."""

    value: str | None = None
    """The text at the first term, as the document writes it; None where something is absent."""


@dataclass(frozen=True, slots=True)
class OwnRule:
    """One rule. The function gets the invoice and the day as of which it is judged."""

    id: str
    severity: Severity
    check: Callable[[Invoice, date], Iterator[Said]]


@dataclass(frozen=True, slots=True)
class Role:
    """A party of the invoice with the terms it has there."""

    fr: str
    en: str
    party: Party
    identifiers: str
    registration: str
    vat: str
    address: str
    """The electronic address; empty where the role has none."""


SIREN: Final = "0002"
SIRET: Final = "0009"


def roles(invoice: Invoice) -> Iterator[Role]:
    """The parties that are there, in the order of the model."""
    yield Role("Vendeur", "Seller", invoice.seller, "BT-29", "BT-30", "BT-31", "BT-34")
    yield Role("Acheteur", "Buyer", invoice.buyer, "BT-46", "BT-47", "BT-48", "BT-49")
    if invoice.payee is not None:
        yield Role("Bénéficiaire", "Payee", invoice.payee, "BT-60", "BT-61", "", "")
    if invoice.tax_representative is not None:
        yield Role("Représentant fiscal", "Tax representative", invoice.tax_representative, "", "", "BT-63", "")

"""What every rule of our own is: an id, a weight, a source, and a function over the model.

A rule speaks only where it is sure of the defect that it names; where it can only suspect one it is a warning, and
where it only reminds it is information. Only what the law forbids without exception, or a platform refuses, is an
error. Title, cause and remedy of each are in explain/pas-*.toml, a document that makes it speak in the test vectors.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from formats.invoice import Delivery, Identifier, Invoice, Line, Party
from validation.findings import Severity, Text
from validation.rules.territories import OVERSEAS

SIREN: Final = "0002"
SIRET: Final = "0009"
CONSUMER_TREATMENTS: Final = frozenset({"B2C", "B2CINT"})
"""BAR notes of an invoice to somebody who is no business."""

DECREE: Final = "CGI ann. II art. 242 nonies A, I (décret 2022-1299)"
"""What brought the mentions of 2026."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a rule found in an invoice."""

    message: Text
    terms: tuple[str, ...]
    """The terms concerned; the first is where to look."""

    value: str | None = None
    """The text at the first term, as the document writes it; None where something is absent."""

    line: int | None = None
    """The position of the invoice line concerned, from 0; None where it is about the whole."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Figures of the finding, text to text. `declared` and `computed` are the two sides of a sum, `convention` the
    way of rounding that explains the declared one, `proposed` what the first term should say where that is certain."""


@dataclass(frozen=True, slots=True)
class OwnRule:
    """One rule. The function gets the invoice and the day as of which it is judged."""

    id: str
    severity: Severity
    check: Callable[[Invoice, date], Iterator[Said]]
    source: str
    """The article, or the section of a norm or specification, that it follows."""


THIRD_PARTIES: Final = (
    ("Agent du vendeur", "Seller's agent", "sales_agent", "EXT-FR-FE-BG-03", "EXT-FR-FE-69", "EXT-FR-FE-75"),
    ("Agent de l'acheteur", "Buyer's agent", "buyer_agent", "EXT-FR-FE-BG-01", "EXT-FR-FE-06", "EXT-FR-FE-12"),
    ("Payeur", "Payer", "payer", "EXT-FR-FE-BG-02", "EXT-FR-FE-46", "EXT-FR-FE-52"),
    ("Facturant", "Invoicer", "invoicer", "EXT-FR-FE-BG-05", "EXT-FR-FE-115", "EXT-FR-FE-121"),
    ("Facturé", "Invoicee", "invoicee", "EXT-FR-FE-BG-04", "EXT-FR-FE-92", "EXT-FR-FE-98"),
)
"""The parties of EXTENDED-CTC-FR: words, field, group, identifiers, electronic address."""


def said(
    fr: str, en: str, *terms: str, value: str | None = None, line: int | None = None, **values: str | Decimal | None
) -> Said:
    """A Said from its parts; figures become plain text, absent ones are left out."""
    figures = {name: plain(each) for name, each in values.items() if each is not None}
    return Said(Text(fr, en), terms, value, line, figures)


def plain(value: str | Decimal) -> str:
    """A figure as an invoice writes it, never with an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else value


def bare(text: str) -> str:
    """Without blanks: how an identifier is grouped is mostly not what a rule is about."""
    return "".join(text.split())


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

    def coded(self) -> Iterator[tuple[str, Identifier]]:
        """Every identifier of the party with a scheme, each with its term."""
        registration, address = self.party.legal_registration, self.party.electronic_address
        yield from ((self.identifiers, identifier) for identifier in self.party.identifiers if identifier.scheme)
        if registration is not None and registration.scheme:
            yield self.registration, registration
        if address is not None and address.scheme:
            yield self.address, address


def roles(invoice: Invoice) -> Iterator[Role]:
    """The parties that are there, in the order of the model."""
    yield Role("Vendeur", "Seller", invoice.seller, "BT-29", "BT-30", "BT-31", "BT-34")
    yield Role("Acheteur", "Buyer", invoice.buyer, "BT-46", "BT-47", "BT-48", "BT-49")
    if invoice.payee is not None:
        yield Role(
            "Bénéficiaire", "Payee", invoice.payee, "BT-60", "BT-61", "EXT-BG-10 vat_identifier", "EXT-FR-FE-29"
        )
    if invoice.tax_representative is not None:
        yield Role("Représentant fiscal", "Tax representative", invoice.tax_representative, "", "", "BT-63", "")
    for fr, en, field_name, group, identifiers, address in THIRD_PARTIES:
        party = getattr(invoice, field_name)
        if party is not None:
            registration, vat = f"{group} legal_registration", f"{group} vat_identifier"
            yield Role(fr, en, party, identifiers, registration, vat, address)
    for line in invoice.lines:
        if line.seller is not None:
            group = "EXT-FR-FE-BG-12"
            yield Role(
                f"Vendeur de la ligne {line.id}", f"Seller of line {line.id}", line.seller, f"{group} identifiers",
                "EXT-FR-FE-167", f"{group} vat_identifier", f"{group} electronic_address",
            )


def details(invoice: Invoice) -> Iterator[tuple[int, Line]]:
    """The lines that count, each with its position from 0: not the headings (GROUP) and remarks (INFORMATION)."""
    for position, line in enumerate(invoice.lines):
        if line.subtype in {None, "DETAIL"}:
            yield position, line


def deliveries(invoice: Invoice) -> Iterator[tuple[int | None, Delivery]]:
    """That of the whole, with None, then those of lines (EXT-FR-FE-BG-10), each with the position of its line."""
    if invoice.delivery is not None:
        yield None, invoice.delivery
    yield from ((position, line.delivery) for position, line in enumerate(invoice.lines) if line.delivery is not None)


def treatment_of(invoice: Invoice) -> str | None:
    """B2B, B2C ...: the text of the BAR note."""
    return next((note.text.strip() for note in invoice.notes if note.subject_code == "BAR" and note.text), None)


def country_of(party: Party) -> str | None:
    """BT-40 or BT-55."""
    return party.address.country if party.address is not None else None


def is_french(party: Party) -> bool:
    """Established in France as far as the invoice says: by its country; overseas or without one, by a SIREN."""
    country = country_of(party)
    return country == "FR" or (party.siren is not None and country in {None} | OVERSEAS)

"""An invoice that meets every rule, and how to break it.

Names are made up; the SIRENs have a right check digit and were computed, not looked up: 9000000xx with the Luhn key.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from formats.invoice import (
    Address,
    Identifier,
    Invoice,
    Item,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Price,
    Totals,
    VatBreakdown,
)
from formats.syntax import Syntax, write

AS_OF = date(2026, 11, 21)
SELLER, BUYER = "900000019", "900000027"


def french_vat(siren: str) -> str:
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"


def party(name: str, siren: str, street: str) -> Party:
    return Party(
        name=name,
        legal_registration=Identifier(value=siren, scheme="0002"),
        vat_identifier=french_vat(siren),
        electronic_address=Identifier(value=siren, scheme="0225"),
        address=Address(line_1=street, city="Villefictive", post_code="99990", country="FR"),
    )


INVOICE = Invoice(
    number="ESSAI-2026-001",
    issue_date=date(2026, 11, 3),
    type_code="380",
    currency="EUR",
    due_date=date(2026, 12, 3),
    business_process="S1",
    specification_identifier="urn:cen.eu:en16931:2017",
    notes=(
        Note(subject_code="PMT", text="Indemnité forfaitaire pour frais de recouvrement : 40 €."),
        Note(subject_code="PMD", text="Pénalités de retard au taux de 12 % l'an."),
        Note(subject_code="AAB", text="Pas d'escompte pour paiement anticipé."),
        Note(subject_code="BAR", text="B2B"),
    ),
    seller=party("Atelier Imaginaire", SELLER, "1 rue du Modèle"),
    buyer=party("Comptoir Inventé", BUYER, "2 rue de l'Exemple"),
    payment=PaymentInstructions(means_code="10"),
    totals=Totals(
        lines_net=Decimal("100.00"),
        without_vat=Decimal("100.00"),
        vat=Decimal("20.00"),
        with_vat=Decimal("120.00"),
        due=Decimal("120.00"),
    ),
    vat_breakdown=(
        VatBreakdown(taxable_amount=Decimal("100.00"), tax_amount=Decimal("20.00"), category="S", rate=Decimal(20)),
    ),
    lines=(
        Line(
            id="1",
            quantity=Decimal(2),
            unit="HUR",
            net_amount=Decimal("100.00"),
            price=Price(net=Decimal(50)),
            vat_category="S",
            vat_rate=Decimal(20),
            item=Item(name="Conseil"),
        ),
    ),
)

UBL = write(INVOICE, Syntax.UBL_INVOICE)
CII = write(INVOICE, Syntax.CII)
JSON = write(INVOICE, Syntax.JSON)


def many_lines(count: int, **changes: object) -> Invoice:
    """As many lines as asked for, the changes made to each."""
    lines = tuple(replace(INVOICE.lines[0], id=str(number), **changes) for number in range(1, count + 1))  # type: ignore[arg-type]
    return replace(INVOICE, lines=lines)

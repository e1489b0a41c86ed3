"""The invoices of the demonstration, written for it. Dates are relative to the day on which it runs.

The companies do not exist: their SIRENs begin with 00000, far below every number the register ever gave, and
have a right check digit; the IBAN belongs to bank 00000. Buyers are participants of the sandbox platform, whose
behaviour (approve, dispute, refuse ...) decides the life of the invoice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from formats.invoice import (
    Address,
    Contact,
    CreditTransfer,
    Delivery,
    Identifier,
    Invoice,
    Item,
    Line,
    Note,
    Party,
    PaymentInstructions,
    PrecedingInvoice,
    Price,
    Totals,
    VatBreakdown,
)

CENT = Decimal("0.01")
SELLER_SIREN = "000002006"
CIUS = "urn:cen.eu:en16931:2017"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One line: what, how many, in which unit, at which price, under which VAT rate."""

    name: str
    quantity: str
    price: str
    unit: str = "C62"
    rate: str = "20.00"


def vat_number(siren: str) -> str:
    """The French VAT number of a SIREN, with its numeric key."""
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def party(siren: str, name: str, street: str, town: str, email: str) -> Party:
    """A French company with everything that the rules ask for; `town` is post code and city."""
    post_code, city = town.split(" ", 1)
    return Party(
        name=name,
        legal_registration=Identifier(value=siren, scheme="0002"),
        vat_identifier=vat_number(siren),
        electronic_address=Identifier(value=siren, scheme="0225"),
        address=Address(line_1=street, city=city, post_code=post_code, country="FR"),
        contact=Contact(name="Service comptabilité", telephone="+33 1 99 00 00 00", email=email),
    )


SELLER = replace(
    party(SELLER_SIREN, "Atelier des Passerelles SAS", "12 rue de l'Exemple", "75011 Paris",
          "compta@atelier-passerelles.example"),
    additional_legal_information="SAS au capital de 50 000 EUR, RCS Paris 000 002 006",
)
BUYERS = {
    "approve": party("000001016", "Aubrac Approuve SAS", "3 place du Marché", "12210 Laguiole",
                     "fournisseurs@aubrac.example"),
    "pay-in-two": party("000001032", "Camargue Deux Fois SAS", "8 quai du Rhône", "13200 Arles",
                        "compta@camargue.example"),
    "dispute": party("000001040", "Dordogne Litige SARL", "21 avenue de la Rivière", "24000 Périgueux",
                     "achats@dordogne.example"),
    "refuse": party("000001057", "Estérel Refus SAS", "5 boulevard de la Mer", "83700 Saint-Raphaël",
                    "factures@esterel.example"),
    "reject": party("000001065", "Forez Rejet SAS", "14 rue des Forges", "42600 Montbrison",
                    "compta@forez.example"),
}
IBAN = "FR7600000000000000000000097"
PMT = "Indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 EUR."
PMD = "Pénalités de retard : trois fois le taux d'intérêt légal, exigibles sans rappel."
AAB = "Pas d'escompte pour paiement anticipé."
GOODS = (Sold(name="Passerelle en chêne, 2 m", quantity="4", price="310.00"),
         Sold(name="Garde-corps acier", quantity="8", price="42.50"))
SERVICES = (Sold(name="Étude de structure", quantity="14.5", price="95.00", unit="HUR"),
            Sold(name="Formation à la pose", quantity="1", price="480.00", rate="10.00"))


def invoice(
    number: str,
    buyer: str,
    sold: Sequence[Sold],
    issued: date,
    *,
    due: date | None = None,
    frame: str = "B1",
    type_code: str = "380",
    preceding: PrecedingInvoice | None = None,
    currency: str = "EUR",
    euro_rate: Decimal = Decimal(1),
) -> Invoice:
    """A French B2B invoice whose totals meet. `euro_rate`: EUR for one unit of `currency`, for BT-111."""
    lines = tuple(line(str(position), one) for position, one in enumerate(sold, 1))
    breakdown = tuple(vat_row(rate, lines) for rate in sorted({one.vat_rate or Decimal(0) for one in lines}))
    net = sum((one.net_amount or Decimal(0) for one in lines), Decimal("0.00"))
    vat = sum((row.tax_amount or Decimal(0) for row in breakdown), Decimal("0.00"))
    foreign = currency != "EUR"
    return Invoice(
        number=number, issue_date=issued, type_code=type_code, currency=currency,
        vat_currency="EUR" if foreign else None,
        due_date=due or issued + timedelta(days=30),
        payment_terms="Paiement à 30 jours, date de facture.",
        purchase_order_reference=f"BC-{number[-4:]}",
        notes=(Note(subject_code="PMT", text=PMT), Note(subject_code="PMD", text=PMD),
               Note(subject_code="AAB", text=AAB), Note(subject_code="BAR", text="B2B")),
        business_process=frame, specification_identifier=CIUS,
        preceding_invoices=(preceding,) if preceding else (),
        seller=SELLER, buyer=BUYERS[buyer],
        delivery=Delivery(actual_date=issued, address=BUYERS[buyer].address),
        payment=PaymentInstructions(means_code="30", remittance_information=number,
                                    credit_transfers=(CreditTransfer(account=IBAN, account_name=SELLER.name),)),
        totals=Totals(lines_net=net, without_vat=net, vat=vat, with_vat=net + vat, due=net + vat,
                      vat_in_accounting_currency=rounded(vat * euro_rate) if foreign else None),
        vat_breakdown=breakdown, lines=lines,
    )


def line(line_id: str, sold: Sold) -> Line:
    """One line with its net amount."""
    quantity, price = Decimal(sold.quantity), Decimal(sold.price)
    return Line(id=line_id, quantity=quantity, unit=sold.unit, net_amount=rounded(quantity * price),
                price=Price(net=price), vat_category="S", vat_rate=Decimal(sold.rate), item=Item(name=sold.name))


def vat_row(rate: Decimal, lines: Sequence[Line]) -> VatBreakdown:
    """The VAT of all lines under one rate."""
    base = sum((one.net_amount or Decimal(0) for one in lines if one.vat_rate == rate), Decimal("0.00"))
    return VatBreakdown(taxable_amount=base, tax_amount=rounded(base * rate / 100), category="S", rate=rate)


def rounded(amount: Decimal) -> Decimal:
    """To the cent, half up, as French invoices do."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def spoiled(good: Invoice) -> Invoice:
    """The same invoice with three faults: a total that does not meet, no PMT note, a wrong SIREN of the buyer."""
    return replace(
        good,
        notes=good.notes[1:],
        buyer=replace(good.buyer, legal_registration=Identifier(value="000001017", scheme="0002")),
        totals=replace(good.totals, with_vat=(good.totals.with_vat or Decimal(0)) + 10),
    )

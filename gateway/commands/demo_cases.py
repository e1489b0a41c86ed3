"""The cases of the demonstration: what is posted, what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from formats.conversion import convert
from formats.invoice import Invoice, PrecedingInvoice
from formats.json_form import write_json
from formats.syntax import Syntax, ubl_syntax_of, write
from gateway.commands.demo_invoices import GOODS, SERVICES, Sold, invoice, spoiled

Maker = Callable[[Invoice, datetime], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One invoice and its expected life."""

    title: str
    number: str
    media_type: str
    document: bytes
    status: int = 202
    lifecycle: str | None = "205"
    """The last status to wait for; None: nothing is sent."""

    payments: tuple[str, ...] = ()
    """Amounts to record, as the bank statement would show them."""

    cashed: int = 0
    """How many 212 must reach the platform."""

    reminded: bool = False
    """A reminder must go out, then the payment of the whole and a thank-you."""


def ubl(made: Invoice, _: datetime) -> bytes:
    """As UBL, Invoice or CreditNote by its type."""
    return write(made, ubl_syntax_of(made))


def cii(made: Invoice, _: datetime) -> bytes:
    """As CII D22B."""
    return write(made, Syntax.CII)


def factur_x(made: Invoice, at: datetime) -> bytes:
    """As a Factur-X PDF, drawn from the data."""
    return convert(write(made, Syntax.CII), "factur-x", made_at=at).document


def our_json(made: Invoice, _: datetime) -> bytes:
    """As our JSON: the gateway writes the invoice from it."""
    return write_json(made)


MEDIA_TYPES: dict[Maker, str] = {factur_x: "application/pdf", our_json: "application/json"}


def cases(today: date, at: datetime) -> tuple[Case, ...]:
    """All cases, in the order in which they are posted. Numbers carry the day, so that runs do not meet."""
    day = f"{today:%y%m%d}"

    def number(position: int) -> str:
        return f"P{day}-{position:02d}"

    def case(title: str, made: Invoice, maker: Maker, **expected: object) -> Case:
        media_type = MEDIA_TYPES.get(maker, "application/xml")
        return Case(title=title, number=made.number or "", media_type=media_type, document=maker(made, at),
                    **expected)  # type: ignore[arg-type]  # the fields are Case's own

    first = invoice(number(1), "approve", GOODS, today)
    earlier = PrecedingInvoice(number=first.number, issue_date=today)
    corrected = replace(invoice(number(6), "approve", GOODS[:1], today, type_code="384", preceding=earlier))
    dollars = invoice(number(7), "approve", (Sold(name="Licence annuelle", quantity="1", price="1250.00"),), today,
                      currency="USD", euro_rate=Decimal("0.92"))
    two_parts = invoice(number(12), "pay-in-two", SERVICES, today, frame="S1")
    half = ((two_parts.totals.due or Decimal(0)) / 2).quantize(Decimal("0.01"))
    rest = (two_parts.totals.due or Decimal(0)) - half
    overdue = invoice(number(13), "approve", GOODS, today - timedelta(days=42), due=today - timedelta(days=12))
    return (
        case("UBL", first, ubl),
        case("CII", invoice(number(2), "approve", GOODS, today), cii),
        case("Factur-X (PDF)", invoice(number(3), "approve", GOODS, today), factur_x),
        case("JSON, écrite en Factur-X par la passerelle", invoice(number(4), "approve", GOODS, today), our_json),
        case("Avoir", invoice(number(5), "approve", GOODS[1:], today, type_code="381", preceding=earlier), ubl),
        case("Facture rectificative", corrected, cii),
        case("En USD, TVA en EUR", dollars, ubl),
        case("Invalide : refusée avec chaque anomalie, jamais envoyée",
             spoiled(invoice(number(8), "approve", GOODS, today)), cii, status=422, lifecycle=None),
        case("Rejetée par la plateforme (213)", invoice(number(9), "reject", GOODS, today), ubl, lifecycle="213"),
        case("Refusée par l'acheteur (210)", invoice(number(10), "refuse", GOODS, today), cii, lifecycle="210"),
        case("En litige (207), puis approuvée", invoice(number(11), "dispute", GOODS, today), ubl),
        case("Services payés en deux fois : 211 de l'acheteur, deux encaissements, deux 212", two_parts, cii,
             lifecycle="211", payments=(format(half, "f"), format(rest, "f")), cashed=2),
        case("Échue : relancée, puis payée", overdue, ubl, reminded=True),
    )

"""How values read on a French page: `1 234,56 €`, `21 nov. 2026`, `14:02`. Hours are those of Paris."""

from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Final

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, get_currency_precision

from gateway.clock import PARIS

NOTHING = "—"
WIDE: Final = Context(prec=200)
"""For amounts of more digits than sense: a refused invoice may say anything."""


def amount(value: Decimal | None, currency: str | None = "EUR") -> str:
    """Money with its currency; the scale of the currency, never rounded away: more digits stay visible."""
    if value is None:
        return NOTHING
    with localcontext(WIDE):
        usual = value == round(value, get_currency_precision(currency or "EUR"))
        return str(format_currency(value, currency or "EUR", locale="fr_FR", currency_digits=usual,
                                   decimal_quantization=usual))


def money(text: str, currency: str | None) -> str:
    """An amount that JSON carries as text; a text that is none shows itself."""
    try:
        return amount(Decimal(text), currency)
    except InvalidOperation:
        return text


def number(value: int | Decimal | None) -> str:
    """A count with thin spaces between thousands."""
    return NOTHING if value is None else str(format_decimal(value, locale="fr_FR"))


def day(value: date | None) -> str:
    """`21 nov. 2026`; a time is taken as its day in Paris."""
    if value is None:
        return NOTHING
    return str(format_date(local(value) if isinstance(value, datetime) else value, "d MMM y", locale="fr_FR"))


def hour(value: datetime) -> str:
    """`14:02:09` in Paris."""
    return str(format_datetime(local(value), "HH:mm:ss", locale="fr_FR"))


def moment(value: datetime | None) -> str:
    """`21 nov. 2026, 14:02` in Paris."""
    return NOTHING if value is None else str(format_datetime(local(value), "d MMM y, HH:mm", locale="fr_FR"))


def zoned(value: datetime) -> str:
    """The same moment to the second in UTC, for whoever compares with another system."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(value: datetime | None, now: datetime) -> str:
    """`il y a 3 heures`, `dans 2 jours`, `à l'instant`."""
    if value is None:
        return NOTHING
    if abs(value - now) < timedelta(seconds=30):
        return "à l'instant"
    return str(format_timedelta(value - now, granularity="minute", threshold=1.2, add_direction=True, locale="fr_FR"))


def lateness(due: date | None, today: date) -> str:
    """`12 j de retard`, `aujourd'hui`, `dans 5 j`; nothing without a due date."""
    if due is None:
        return ""
    days = (today - due).days
    if days > 0:
        return f"{days} j de retard"
    return "aujourd'hui" if days == 0 else f"dans {-days} j"


def size(octets: int) -> str:
    """`12,4 ko`."""
    if octets < 1000:
        return f"{octets} octets"
    unit, factor = ("ko", 1000) if octets < 1_000_000 else ("Mo", 1_000_000)
    return f"{format_decimal(round(Decimal(octets) / factor, 1), locale='fr_FR')} {unit}"


def count(value: int, one: str, many: str | None = None) -> str:
    """`0 facture`, `1 facture`, `2 factures`: the French plural begins at two."""
    return f"{number(value)} {one if value < 2 else many or one + 's'}"


def local(value: datetime) -> datetime:
    """The same moment on a clock in Paris."""
    return value.astimezone(PARIS)

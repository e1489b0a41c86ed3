"""Numbers, dates and identifiers as a French or English reader expects them. Digits are never lost or rounded."""

from datetime import date
from decimal import Decimal

NO_BREAK = "\u00a0"
"""Between thousands, before € and %, inside identifiers. The narrow one (U+202F) is too narrow in Source Sans."""

MINUS = "\u2212"
MONTHS = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}


def number(value: Decimal, lang: str, *, places: int = 0) -> str:
    """A number with grouped thousands, trailing zeros only up to `places`, and a real minus sign."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return str(value)
    plain = format(value.copy_abs(), "f")
    whole, _, fraction = plain.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    thousands, point = (NO_BREAK, ",") if lang == "fr" else (",", ".")
    text = f"{int(whole):,}".replace(",", thousands) + (point + fraction if fraction else "")
    return MINUS + text if sign and any(digits) else text


def amount(value: Decimal | None, lang: str) -> str:
    """An amount without its currency, at least two decimals; empty for None."""
    return "" if value is None else number(value, lang, places=2)


def money(value: Decimal | None, currency: str | None, lang: str) -> str:
    """An amount with its currency: the sign for EUR, the code for any other; empty for None."""
    if value is None:
        return ""
    text = amount(value, lang)
    if currency == "EUR" and lang == "en":
        return f"{MINUS}€{text[1:]}" if text.startswith(MINUS) else f"€{text}"
    if currency == "EUR":
        return f"{text}{NO_BREAK}€"
    return f"{text}{NO_BREAK}{currency}" if currency else text


def percent(value: Decimal | None, lang: str) -> str:
    """A rate in percent; empty for None."""
    if value is None:
        return ""
    return number(value, lang) + (f"{NO_BREAK}%" if lang == "fr" else "%")


def long_date(value: date | None, lang: str) -> str:
    """21 novembre 2026; empty for None."""
    if value is None:
        return ""
    day = "1er" if lang == "fr" and value.day == 1 else str(value.day)
    return NO_BREAK.join((day, MONTHS[lang][value.month - 1], f"{value.year:04}"))


def short_date(value: date | None, lang: str) -> str:
    """21/11/2026 in French, 21 Nov 2026 in English; empty for None."""
    if value is None:
        return ""
    if lang == "fr":
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    return NO_BREAK.join((str(value.day), MONTHS["en"][value.month - 1][:3], f"{value.year:04}"))


def span(start: date | None, end: date | None, lang: str) -> str:
    """From one day to another, either of which may be open."""
    return f"{short_date(start, lang) or '…'} – {short_date(end, lang) or '…'}"


def in_groups(text: str, *sizes: int) -> str:
    """An identifier in groups of these sizes (the last one repeats) if it is plain letters and digits."""
    compact = "".join(text.split())
    if not (compact.isascii() and compact.isalnum()):
        return text
    groups, place, step = [], 0, 0
    while place < len(compact):
        size = sizes[min(step, len(sizes) - 1)]
        groups.append(compact[place:place + size])
        place, step = place + size, step + 1
    return NO_BREAK.join(groups)


def siren(text: str) -> str:
    """999 999 907."""
    return in_groups(text, 3)


def siret(text: str) -> str:
    """999 999 907 00010."""
    return in_groups(text, 3, 3, 3, 5)


def iban(text: str) -> str:
    """In groups of four."""
    return in_groups(text, 4)

"""SIREN, SIRET, VAT numbers, IBAN and French addressing lines. python-stdnum does the check digits.

Strict on form: no blanks, no dots, no lower case. What a document writes is judged as it is written.
"""

import re
from dataclasses import dataclass

from stdnum import iban, luhn
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.fr import tva

LA_POSTE = "356000000"
"""SIREN of La Poste. Its establishments outgrew the Luhn key; INSEE lets their digits sum to a multiple of 5."""

SIREN_SCHEME = "0002"
SIRET_SCHEME = "0009"
FRENCH_ADDRESS_SCHEME = "0225"

_SUFFIX = re.compile(r"[A-Za-z0-9_.\-]{1,100}")
_ROUTING = re.compile(r"[A-Za-z0-9_\-]{1,100}")


def _digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def is_siren(text: str) -> bool:
    """Nine digits with a right Luhn key. Not whether INSEE ever gave it out."""
    return _digits(text, 9) and luhn.is_valid(text)


def is_siret(text: str) -> bool:
    """Fourteen digits whose first nine are a SIREN, with a right key.

    Source: INSEE. Luhn over the whole; for La Poste the plain sum of the digits is a multiple of five instead
    (its head office 35600000000048 satisfies Luhn and is accepted as well).
    """
    if not _digits(text, 14) or not is_siren(text[:9]):
        return False
    return luhn.is_valid(text) or (text[:9] == LA_POSTE and sum(map(int, text)) % 5 == 0)


def is_french_vat_number(text: str) -> bool:
    """FR, a key of two characters, a SIREN; the key is checked (also the newer keys with a letter).

    Not whether the number is registered. Source: CGI ann. II art. 242 nonies A for the shape; the numeric key
    is (12 + 3 x (SIREN mod 97)) mod 97.
    """
    if not re.fullmatch(r"FR[0-9A-HJ-NP-Z]{2}[0-9]{9}", text):
        return False
    return bool(tva.is_valid(text))


def siren_of_vat_number(text: str) -> str | None:
    """The SIREN inside a French VAT number, or None if `text` does not have its shape. No key is checked."""
    found = re.fullmatch(r"FR[0-9A-Z]{2}([0-9]{9})", text)
    return found[1] if found else None


def is_vat_number(text: str) -> bool:
    """A VAT number of an EU member state with its country prefix (EL for Greece, XI for Northern Ireland).

    Shape and key where the state has one. Numbers from elsewhere are never valid here.
    """
    if text.startswith("FR"):
        return is_french_vat_number(text)
    if not text.isascii() or text != text.strip().upper():
        return False
    try:
        return bool(eu_vat.validate(text) == text)
    except ValidationError:
        return False


def is_iban(text: str) -> bool:
    """An IBAN without blanks: length and structure of its country, and the key modulo 97."""
    if not text.isascii() or not text.isalnum() or text != text.upper():
        return False
    try:
        return bool(iban.validate(text, check_country=False) == text)
    except ValidationError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressLine:
    """A French electronic address (scheme 0225), taken apart."""

    siren: str
    siret: str | None = None
    routing_code: str | None = None
    suffix: str | None = None


def parse_address_line(text: str) -> AddressLine | None:
    """`SIREN`, `SIREN_SIRET`, `SIREN_SIRET_ROUTINGCODE` or `SIREN_SUFFIX`; None if it is none of them.

    At most 125 characters. A second part of 14 digits that begins with the SIREN is a SIRET. Check digits are
    not checked here (see `is_siren`, `is_siret`), nor whether the directory knows the line.
    Source: DGFiP specifications 3.5, rules G1.91 to G1.95, G1.115.
    """
    siren, separator, rest = text.partition("_")
    if len(text) > 125 or not _digits(siren, 9):
        return None
    if not separator:
        return AddressLine(siren=siren)
    siret, separator, routing_code = rest.partition("_")
    if _digits(siret, 14) and siret.startswith(siren):
        if not separator:
            return AddressLine(siren=siren, siret=siret)
        if _ROUTING.fullmatch(routing_code):
            return AddressLine(siren=siren, siret=siret, routing_code=routing_code)
        return None
    return AddressLine(siren=siren, suffix=rest) if _SUFFIX.fullmatch(rest) else None

"""Identifier schemes (ISO 6523 ICD and EAS) whose values carry a check digit, and the function that knows it.

Source: the ICD list of ISO 6523 and the EAS list of the Connecting Europe Facility; python-stdnum for the digits. Only
schemes whose issuers all use the check digit: a right value must never be called wrong.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stdnum import ean
from stdnum.au import abn
from stdnum.be import vat as belgian
from stdnum.ch import uid
from stdnum.de import leitweg
from stdnum.dk import cvr
from stdnum.fi import ytunnus
from stdnum.is_ import kennitala
from stdnum.it import iva
from stdnum.lt import pvm
from stdnum.no import orgnr
from stdnum.se import orgnr as swedish

from formats.identifiers import is_iban, is_vat_number


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme: what its values are called, and how one is told from a mistake."""

    fr: str
    en: str
    is_valid: Callable[[str], bool]


def _digits(length: int) -> Callable[[str], bool]:
    return lambda text: len(text) == length and text.isascii() and text.isdigit()


def is_gln(text: str) -> bool:
    """Thirteen digits with the check digit of GS1."""
    return _digits(13)(text) and bool(ean.is_valid(text))


def is_gtin(text: str) -> bool:
    """8, 12, 13 or 14 digits with the check digit of GS1."""
    return text.isascii() and text.isdigit() and len(text) in {8, 12, 13, 14} and bool(ean.is_valid(text))


def _prefixed(country: str) -> Callable[[str], bool]:
    return lambda text: text.startswith(country) and is_vat_number(text)


def is_email(text: str) -> bool:
    """Something, one @, something with a dot; nothing more is certain of an address."""
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None


SIREN_SCHEMES: Final = frozenset({"0002", "0231"})
"""Checked by PAS-ID-01."""

SCHEMES: Final[Mapping[str, Scheme]] = {
    "0007": Scheme("numéro d'organisation suédois", "Swedish organisation number", swedish.is_valid),
    "0060": Scheme("numéro DUNS", "DUNS number", _digits(9)),
    "0151": Scheme("ABN australien", "Australian ABN", abn.is_valid),
    "0183": Scheme("IDE suisse", "Swiss UID", uid.is_valid),
    "0184": Scheme("numéro CVR danois", "Danish CVR number", lambda text: bool(cvr.is_valid(text.removeprefix("DK")))),
    "0192": Scheme("numéro d'organisation norvégien", "Norwegian organisation number", orgnr.is_valid),
    "0196": Scheme("kennitala islandaise", "Icelandic kennitala", kennitala.is_valid),
    "0200": Scheme("numéro lituanien", "Lithuanian number", lambda text: _digits(9)(text) or bool(pvm.is_valid(text))),
    "0204": Scheme("Leitweg-ID allemande", "German Leitweg-ID", leitweg.is_valid),
    "0208": Scheme("numéro d'entreprise belge", "Belgian enterprise number", belgian.is_valid),
    "0211": Scheme("partita IVA italienne", "Italian partita IVA", lambda text: bool(iva.is_valid(text))),
    "0212": Scheme("Y-tunnus finlandais", "Finnish business ID", ytunnus.is_valid),
    "0223": Scheme("numéro de TVA de l'Union", "EU VAT number", is_vat_number),
    "9906": Scheme("partita IVA italienne", "Italian VAT number", _prefixed("IT")),
    "9914": Scheme("numéro de TVA autrichien", "Austrian VAT number", _prefixed("AT")),
    "9918": Scheme("IBAN", "IBAN", is_iban),
    "9920": Scheme("numéro de TVA espagnol", "Spanish VAT number", _prefixed("ES")),
    "9925": Scheme("numéro de TVA belge", "Belgian VAT number", _prefixed("BE")),
    "9930": Scheme("numéro de TVA allemand", "German VAT number", _prefixed("DE")),
    "9938": Scheme("numéro de TVA luxembourgeois", "Luxembourg VAT number", _prefixed("LU")),
    "9944": Scheme("numéro de TVA néerlandais", "Dutch VAT number", _prefixed("NL")),
    "9957": Scheme("numéro de TVA français", "French VAT number", _prefixed("FR")),
    "EM": Scheme("adresse de courriel", "e-mail address", is_email),
}
"""What PAS-ID-11 checks. SIREN, SIRET, GLN and the French address have rules of their own."""


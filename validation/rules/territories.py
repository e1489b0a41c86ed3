"""Countries and parts of countries as VAT and the post see them. Data, and two questions to it.

Source: directive 2006/112, art. 5 to 7; CGI art. 294 for the overseas departments; ISO 3166-1; Universal Postal Union
for the countries without post codes.
"""

from collections.abc import Mapping
from typing import Final

from formats.invoice import Address

EU_PREFIXES: Final = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
        "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
    }
)
"""Prefixes of VAT numbers in the Union beside FR; EL is Greece, XI Northern Ireland."""

EU_COUNTRIES: Final = (EU_PREFIXES - {"EL", "XI"}) | {"FR", "GR", "MC"}
"""Where goods do not leave the Union for VAT; Monaco counts as France."""

OVERSEAS: Final = frozenset({"GP", "MQ", "GF", "RE", "YT", "BL", "MF", "PM"})
"""Codes of their own for parts of France whose people are at home in France; the Pacific ones are abroad for VAT."""

_OUTSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "FR": ("97", "98"),
    "ES": ("35", "38", "51", "52"),
    "IT": ("23041",),
    "DE": ("27498", "78266"),
    "FI": ("22",),
    "GR": ("63086",),
}
"""Beginnings of post codes in member states where their VAT does not apply: overseas departments, Canary Islands,
Ceuta, Melilla, Livigno, Heligoland, Büsingen, Åland, Mount Athos."""

_MONACO: Final = "980"

_WITHOUT_POST_CODES: Final = frozenset(
    {
        "AE", "AG", "AO", "AW", "BF", "BI", "BJ", "BO", "BS", "BW", "BZ", "CD", "CF", "CG", "CI", "CK", "CM", "DJ",
        "DM", "ER", "FJ", "GA", "GD", "GH", "GM", "GQ", "GY", "HK", "IE", "KI", "KM", "KN", "KP", "LY", "ML", "MO",
        "MR", "MW", "NR", "NU", "PA", "QA", "RW", "SB", "SC", "SL", "SR", "ST", "SY", "TD", "TG", "TK", "TL", "TO",
        "TT", "TV", "UG", "VU", "WS", "YE", "ZW",
    }
)
"""IE has codes that few people write."""


def in_vat_territory(address: Address) -> bool:
    """Whether goods at this address are inside the Union for VAT, as far as country and post code tell."""
    code = (address.post_code or "").strip()
    outside = code.startswith(_OUTSIDE.get(address.country or "", ())) and not code.startswith(_MONACO)
    return address.country in EU_COUNTRIES and not (code and outside)


def has_post_codes(country: str | None) -> bool:
    """Whether an address there has one; an unknown country may."""
    return country not in _WITHOUT_POST_CODES

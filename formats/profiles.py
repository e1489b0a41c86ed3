"""Profiles: what BT-24 says, and which business terms each profile carries."""

from enum import StrEnum

EN16931 = "urn:cen.eu:en16931:2017"
_COMPLIANT = EN16931 + "#compliant#"
_CONFORMANT = EN16931 + "#conformant#"


class Profile(StrEnum):
    """The profiles of the machine contract."""

    MINIMUM = "minimum"
    BASIC_WL = "basicwl"
    BASIC = "basic"
    EN16931 = "en16931"
    EXTENDED = "extended"
    EXTENDED_CTC_FR = "extended-ctc-fr"
    CIUS = "cius"
    UNKNOWN = "unknown"


IDENTIFIERS = {
    Profile.MINIMUM: "urn:factur-x.eu:1p0:minimum",
    Profile.BASIC_WL: "urn:factur-x.eu:1p0:basicwl",
    Profile.BASIC: _COMPLIANT + "urn:factur-x.eu:1p0:basic",
    Profile.EN16931: EN16931,
    Profile.EXTENDED: _CONFORMANT + "urn:factur-x.eu:1p0:extended",
    Profile.EXTENDED_CTC_FR: _CONFORMANT + "urn.cpro.gouv.fr:1p0:extended-ctc-fr",
}
"""The BT-24 that a document of a profile carries. Source: Factur-X 1.09; FNFE rules 1.4.0."""

_LEGACY = {
    "urn:zugferd.de:2p0:minimum": Profile.MINIMUM,
    "urn:zugferd.de:2p0:basicwl": Profile.BASIC_WL,
    _COMPLIANT + "urn:zugferd.de:2p0:basic": Profile.BASIC,
    _CONFORMANT + "urn:zugferd.de:2p0:extended": Profile.EXTENDED,
    # Written by early Factur-X 1.0 software.
    "urn:factur-x.eu:1p0:basic": Profile.BASIC,
    "urn:factur-x.eu:1p0:extended": Profile.EXTENDED,
    "urn:cen.eu:en16931:2017:compliant:factur-x.eu:1p0:basic": Profile.BASIC,
    "urn:cen.eu:en16931:2017:conformant:factur-x.eu:1p0:extended": Profile.EXTENDED,
}
_KNOWN = {identifier: profile for profile, identifier in IDENTIFIERS.items()} | _LEGACY


def profile_of(specification_identifier: str | None) -> Profile:
    """The profile that BT-24 names. `cius` is any national usage specification; absent or foreign is `unknown`."""
    if specification_identifier is None:
        return Profile.UNKNOWN
    text = specification_identifier.strip()
    if text in _KNOWN:
        return _KNOWN[text]
    return Profile.CIUS if text.startswith(_COMPLIANT) else Profile.UNKNOWN


def _terms(*parts: int | tuple[int, int]) -> frozenset[str]:
    """BT numbers; a pair is a range with both ends."""
    numbers = [(part, part) if isinstance(part, int) else part for part in parts]
    return frozenset(f"BT-{number}" for first, last in numbers for number in range(first, last + 1))


# Source: the contexts of the Factur-X 1.09 schemas and rules of each profile.
_MINIMUM = _terms((1, 3), 5, 10, 13, 23, 24, 27, 30, 31, 32, 40, 44, 47, 109, 110, 112, 115)
_BASIC_WL = _MINIMUM | _terms(
    6, 8, 9, 12, 16, (19, 22), 25, 26, 28, 29, 34, (35, 39), 45, 46, 48, (49, 55), (59, 81), 83, 84, (89, 108),
    111, 113, (116, 121), (162, 165),
)
_BASIC = _BASIC_WL | _terms((126, 127), (129, 131), (134, 153), 157)

CARRIED: dict[Profile, frozenset[str]] = {
    Profile.MINIMUM: _MINIMUM,
    Profile.BASIC_WL: _BASIC_WL,
    Profile.BASIC: _BASIC,
}
"""The terms that a narrow profile carries; the other profiles carry all terms of EN 16931."""


EXTENSIBLE = frozenset({Profile.EXTENDED, Profile.EXTENDED_CTC_FR, Profile.UNKNOWN})
"""The profiles that have a place for terms beyond EN 16931 (EXT-FR-FE-...)."""


_SINGLE = frozenset({"BT-127 notes", "BT-128", "BT-18"})
ONCE: dict[Profile, frozenset[str]] = {
    Profile.BASIC: _SINGLE,
    Profile.EN16931: _SINGLE,
    Profile.CIUS: _SINGLE,
    Profile.EXTENDED: frozenset({"EXT-FR-FE-136 preceding_invoices"}),
}
"""Groups of which the model has a list, for EXTENDED-CTC-FR, and a document of these profiles one at most."""


def carries(profile: Profile, term: str) -> bool:
    """Whether documents of `profile` have a place for a business term such as "BT-131" or "BT-158-1"."""
    if term.startswith("EXT-"):
        return profile in EXTENSIBLE
    terms = CARRIED.get(profile)
    return terms is None or "-".join(term.split("-")[:2]) in terms

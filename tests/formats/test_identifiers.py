"""Check digits and shapes. The numbers are made up, or published as examples, or La Poste's own."""

import pytest

from formats.identifiers import (
    AddressLine,
    is_french_vat_number,
    is_iban,
    is_siren,
    is_siret,
    is_vat_number,
    parse_address_line,
    siren_of_vat_number,
)


@pytest.mark.parametrize(
    ("text", "valid"),
    [("123456782", True), ("356000000", True), ("123456789", False), ("12345678", False), ("1234567820", False),
     ("123 456 782", False), ("12345678a", False), ("", False), ("١٢٣٤٥٦٧٨٢", False)],
)
def test_siren(text: str, valid: bool) -> None:  # noqa: FBT001  # a parametrised expectation
    assert is_siren(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("12345678200010", True), ("12345678200011", False), ("12345678900010", False), ("1234567820001", False),
        ("35600000000048", True),  # La Poste's head office satisfies Luhn
        ("35600000049837", True),  # an office of La Poste does not: its digits sum to 45
        ("35600000049838", False),
        ("12345678200099", False),  # the exception is La Poste's alone
    ],
)
def test_siret(text: str, valid: bool) -> None:  # noqa: FBT001  # as above
    assert is_siret(text) is valid


def test_french_vat_number() -> None:
    key = (12 + 3 * (123456782 % 97)) % 97
    assert is_french_vat_number(f"FR{key:02d}123456782")
    assert is_vat_number(f"FR{key:02d}123456782")
    assert not is_french_vat_number(f"FR{(key + 1) % 97:02d}123456782")
    assert not is_french_vat_number(f"FR{key:02d} 123456782")
    assert not is_french_vat_number(f"fr{key:02d}123456782")
    assert siren_of_vat_number("FRXX123456782") == "123456782"
    assert siren_of_vat_number("DE136695976") is None


@pytest.mark.parametrize(
    ("text", "valid"),
    [("DE136695976", True), ("DE136695977", False), ("ATU13585627", True), ("US123456789", False), ("", False),
     ("DE 136695976", False), ("de136695976", False)],
)
def test_vat_number_of_a_member_state(text: str, valid: bool) -> None:  # noqa: FBT001  # as above
    assert is_vat_number(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [("FR7630006000011234567890189", True), ("DE89370400440532013000", True), ("FR7630006000011234567890188", False),
     ("FR76 3000 6000 0112 3456 7890 189", False), ("fr7630006000011234567890189", False), ("x", False), ("", False)],
)
def test_iban(text: str, valid: bool) -> None:  # noqa: FBT001  # as above
    assert is_iban(text) is valid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456782", AddressLine(siren="123456782")),
        ("123456782_12345678200010", AddressLine(siren="123456782", siret="12345678200010")),
        ("123456782_12345678200010_SERVICE-1",
         AddressLine(siren="123456782", siret="12345678200010", routing_code="SERVICE-1")),
        ("123456782_factures.fr", AddressLine(siren="123456782", suffix="factures.fr")),
        ("123456782_98765432100010", AddressLine(siren="123456782", suffix="98765432100010")),
        ("123456782_12345678200010_A.B", None),
        ("123456782_", None),
        ("123456782-x", None),
        ("123456782_a+b", None),
        ("12345678", None),
        ("123456782_" + "x" * 101, None),
        ("", None),
    ],
)
def test_address_line(text: str, expected: AddressLine | None) -> None:
    assert parse_address_line(text) == expected

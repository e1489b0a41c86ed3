"""Our own rules about identifiers, dates, addresses and amounts: what must be true of any invoice, by any law."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from formats.amounts import rounded
from formats.identifiers import (
    FRENCH_ADDRESS_SCHEME,
    is_french_vat_number,
    is_iban,
    is_siren,
    is_siret,
    parse_address_line,
    siren_of_vat_number,
)
from formats.invoice import Invoice, Line
from validation.findings import Severity, Text
from validation.rules.own import SIREN, SIRET, OwnRule, Said, roles

CENT: Final = Decimal("0.01")
PORTAL_NUMBER_LENGTH: Final = 20
PORTAL_LIMIT_ENDS: Final = date(2027, 1, 1)
"""Source: limitation annexes of the public portal (2026-07): 20 characters "until Dec 2026"."""


def siren_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A SIREN (scheme 0002) has nine digits and a right check digit. Source: INSEE. Not whether it was given out."""
    for role in roles(invoice):
        registration = role.party.legal_registration
        if registration is not None and registration.scheme == SIREN and not is_siren(_bare(registration.value)):
            yield _wrong("SIREN", role.fr, role.en, registration.value, role.registration)


def siret_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A SIRET (scheme 0009) has a right check digit. Beyond BR-FR-09, which tests the digits and the SIREN in front.

    Source: INSEE, Luhn with the exception of La Poste.
    """
    for role in roles(invoice):
        for identifier in role.party.identifiers:
            if identifier.scheme == SIRET and not is_siret(_bare(identifier.value)):
                yield _wrong("SIRET", role.fr, role.en, identifier.value, role.identifiers)


def french_vat_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French VAT number has a right key. Source: CGI ann. II art. 242 nonies A for the shape."""
    for role in roles(invoice):
        number = role.party.vat_identifier
        if number is not None and number.startswith("FR") and not is_french_vat_number(_bare(number)):
            yield _wrong("numéro de TVA français / French VAT number", role.fr, role.en, number, role.vat)


def vat_number_of_another(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French VAT number contains the SIREN of its party.

    A warning: the members of a single taxable person share one.
    """
    for role in roles(invoice):
        number, siren = role.party.vat_identifier, role.party.siren
        inside = siren_of_vat_number(_bare(number)) if number is not None else None
        if number is not None and inside is not None and siren is not None and inside != _bare(siren):
            yield Said(
                Text(
                    fr=f"{role.fr} : le numéro de TVA {number} contient le SIREN {inside}, pas {siren}.",
                    en=f"{role.en}: VAT number {number} contains SIREN {inside}, not {siren}.",
                ),
                (role.vat, role.registration),
                number,
            )


def iban_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """An account that begins like an IBAN has its length and key. A warning: national account numbers are allowed."""
    transfers = invoice.payment.credit_transfers if invoice.payment is not None else ()
    for transfer in transfers:
        account = _bare(transfer.account or "")
        if account[:2].isalpha() and account[2:4].isdigit() and not is_iban(account.upper()):
            yield Said(
                Text(
                    fr=f"Le compte {account} ressemble à un IBAN, mais sa longueur ou sa clé est fausse.",
                    en=f"Account {account} looks like an IBAN, but its length or its key is wrong.",
                ),
                ("BT-84",),
                transfer.account,
            )


def address_line(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French electronic address (scheme 0225) is a SIREN, then a SIRET, routing code or suffix.

    Source: DGFiP specifications 3.5, rules G1.91 to G1.95 and G1.115. Not whether the directory knows it.
    """
    for role in roles(invoice):
        address = role.party.electronic_address
        if not role.address or address is None or address.scheme != FRENCH_ADDRESS_SCHEME:
            continue
        line = parse_address_line(address.value)
        if line is None or not is_siren(line.siren) or (line.siret is not None and not is_siret(line.siret)):
            yield Said(
                Text(
                    fr=f"{role.fr} : l'adresse électronique {address.value} n'est pas une ligne d'adressage française.",
                    en=f"{role.en}: electronic address {address.value} is no French addressing line.",
                ),
                (role.address,),
                address.value,
            )


def invoiced_to_itself(invoice: Invoice, _: date) -> Iterator[Said]:
    """Seller and buyer are not the same company."""
    siren = invoice.seller.siren
    if siren is not None and siren == invoice.buyer.siren:
        yield Said(
            Text(
                fr=f"Vendeur et acheteur ont le même SIREN {siren}.",
                en=f"Seller and buyer have the same SIREN {siren}.",
            ),
            ("BT-47", "BT-30"),
            siren,
        )


def issued_in_the_future(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """The issue date is not after the day as of which the invoice is judged. Source: DGFiP rule G1.07."""
    if invoice.issue_date is not None and invoice.issue_date > as_of:
        yield Said(
            Text(
                fr=f"Date d'émission {invoice.issue_date} postérieure au {as_of}.",
                en=f"Issue date {invoice.issue_date} is after {as_of}.",
            ),
            ("BT-2",),
        )


def line_ids_unique(invoice: Invoice, _: date) -> Iterator[Said]:
    """No two lines have the same identifier. Sub-lines of the French extension are not known to the model."""
    for identifier, count in Counter(line.id for line in invoice.lines if line.id is not None).items():
        if count > 1:
            yield Said(
                Text(
                    fr=f"{count} lignes portent l'identifiant « {identifier} ».",
                    en=f"{count} lines have the identifier {identifier!r}.",
                ),
                ("BT-126",),
                identifier,
            )


def line_amounts(invoice: Invoice, _: date) -> Iterator[Said]:
    """Quantity times net price, less allowances, plus charges, gives the net amount of the line, to one cent.

    EN 16931 describes the sum in BT-131 and no published rule tests it. A warning: prices may have been rounded.
    """
    for line in invoice.lines:
        expected = _expected(line)
        if expected is not None and line.net_amount is not None and abs(expected - line.net_amount) > CENT:
            yield Said(
                Text(
                    fr=f"Ligne {line.id} : {line.net_amount} déclaré, {rounded(expected)} calculé.",
                    en=f"Line {line.id}: {line.net_amount} stated, {rounded(expected)} computed.",
                ),
                ("BT-131", "BT-129", "BT-146"),
                str(line.net_amount),
            )


def number_for_the_portal(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """Until the end of 2026 the public portal takes invoice numbers of at most 20 characters. Information."""
    number = invoice.number or ""
    if invoice.seller.siren is not None and len(number) > PORTAL_NUMBER_LENGTH and as_of < PORTAL_LIMIT_ENDS:
        yield Said(
            Text(
                fr=f"Le numéro {number} a {len(number)} caractères ; le portail public en accepte 20 jusqu'à fin 2026.",
                en=f"Number {number} has {len(number)} characters; the public portal takes 20 until the end of 2026.",
            ),
            ("BT-1",),
            number,
        )


def _bare(text: str) -> str:
    """Without blanks: how an identifier is grouped is not what these rules are about."""
    return "".join(text.split())


def _expected(line: Line) -> Decimal | None:
    """What BT-131 should be, or None where a part is absent."""
    price = line.price
    if line.quantity is None or price is None or price.net is None or price.base_quantity == 0:
        return None
    parts = [*(-(a.amount or Decimal(0)) for a in line.allowances), *((c.amount or Decimal(0)) for c in line.charges)]
    return line.quantity * price.net / (price.base_quantity or Decimal(1)) + sum(parts, Decimal(0))


def _wrong(what: str, fr: str, en: str, value: str, term: str) -> Said:
    french, _, english = what.partition(" / ")
    return Said(
        Text(
            fr=f"{fr} : « {value} » n'est pas un {french} (chiffres ou clé de contrôle faux).",
            en=f"{en}: {value!r} is no {english or french} (wrong digits or check key).",
        ),
        (term,),
        value,
    )


RULES: Final = (
    OwnRule("PAS-ID-01", Severity.ERROR, siren_key),
    OwnRule("PAS-ID-02", Severity.ERROR, siret_key),
    OwnRule("PAS-ID-03", Severity.ERROR, french_vat_key),
    OwnRule("PAS-ID-04", Severity.WARNING, vat_number_of_another),
    OwnRule("PAS-ID-05", Severity.WARNING, iban_key),
    OwnRule("PAS-ID-06", Severity.WARNING, address_line),
    OwnRule("PAS-ID-07", Severity.WARNING, invoiced_to_itself),
    OwnRule("PAS-DATE-02", Severity.WARNING, issued_in_the_future),
    OwnRule("PAS-LINE-01", Severity.WARNING, line_ids_unique),
    OwnRule("PAS-LINE-02", Severity.WARNING, line_amounts),
    OwnRule("PAS-NUM-01", Severity.INFO, number_for_the_portal),
)

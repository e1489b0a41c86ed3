"""Numbers that carry their own proof: SIREN, SIRET, VAT numbers, IBAN, BIC, GLN, electronic addresses.

No register is asked: a number that passes here may still belong to nobody.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from stdnum import bic
from stdnum.eu import at_02

from formats.identifiers import (
    FRENCH_ADDRESS_SCHEME,
    is_french_vat_number,
    is_iban,
    is_siren,
    is_siret,
    is_vat_number,
    parse_address_line,
    siren_of_vat_number,
)
from formats.invoice import Identifier, Invoice
from validation.findings import Severity, Text
from validation.rules.own import SIREN, SIRET, OwnRule, Said, bare, deliveries, is_french, roles, said
from validation.rules.schemes import SCHEMES, is_gln, is_gtin
from validation.rules.territories import EU_PREFIXES

GLN: Final = "0088"
GTIN: Final = "0160"
SINGLE_TAXABLE_PERSON: Final = "0231"


def siren_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A SIREN (schemes 0002 and 0231) has nine digits and a right check digit. Not whether it was given out.

    An error on an invoice from France: the directory cannot know the number, so no platform can pass the invoice on.
    """
    if is_french(invoice.seller):
        yield from _impossible_sirens(invoice)


def siren_key_abroad(invoice: Invoice, _: date) -> Iterator[Said]:
    """As PAS-ID-01 on an invoice that no French platform has to pass on: a warning."""
    if not is_french(invoice.seller):
        yield from _impossible_sirens(invoice)


def _impossible_sirens(invoice: Invoice) -> Iterator[Said]:
    for role in roles(invoice):
        for term, identifier in role.coded():
            if identifier.scheme in {SIREN, SINGLE_TAXABLE_PERSON} and not is_siren(bare(identifier.value)):
                yield _wrong(Text("SIREN", "SIREN"), Text(role.fr, role.en), identifier.value, term)


def siret_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A SIRET (scheme 0009) has a right check digit. Beyond BR-FR-09, which tests the digits and the SIREN in front."""
    places = [(role.fr, role.en, term, each) for role in roles(invoice) for term, each in role.coded()]
    for fr, en, term, identifier in [*places, *_location(invoice)]:
        if identifier.scheme == SIRET and not is_siret(bare(identifier.value)):
            yield _wrong(Text("SIRET", "SIRET"), Text(fr, en), identifier.value, term)


def french_vat_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French VAT number has a right key."""
    for role in roles(invoice):
        number = role.party.vat_identifier
        if number is not None and number.startswith("FR") and not is_french_vat_number(bare(number)):
            siren = bare(number)[4:]
            right = f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}" if is_siren(siren) else None
            names = Text("numéro de TVA français", "French VAT number")
            yield _wrong(names, Text(role.fr, role.en), number, role.vat, right)


def vat_number_of_another(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French VAT number contains the SIREN of its party.

    A warning: the members of a single taxable person share one.
    """
    for role in roles(invoice):
        number, siren = role.party.vat_identifier, role.party.siren
        inside = siren_of_vat_number(bare(number)) if number is not None else None
        if number is not None and inside is not None and siren is not None and inside != bare(siren):
            yield said(
                f"{role.fr} : le numéro de TVA {number} contient le SIREN {inside}, pas {siren}.",
                f"{role.en}: VAT number {number} contains SIREN {inside}, not {siren}.",
                role.vat, role.registration, value=number, declared=inside, expected=bare(siren),
            )


def iban_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """An account that begins like an IBAN has its length and key. A warning: national account numbers are allowed."""
    payment = invoice.payment
    accounts = [("BT-84", transfer.account) for transfer in payment.credit_transfers] if payment is not None else []
    if payment is not None and payment.direct_debit is not None:
        accounts.append(("BT-91", payment.direct_debit.debited_account))
    for term, written in accounts:
        account = bare(written or "")
        if account[:2].isalpha() and account[2:4].isdigit() and not is_iban(account.upper()):
            yield said(
                f"Le compte {account} ressemble à un IBAN, mais sa longueur ou sa clé est fausse.",
                f"Account {account} looks like an IBAN, but its length or its key is wrong.",
                term, value=written,
            )


def address_line(invoice: Invoice, _: date) -> Iterator[Said]:
    """A French electronic address (scheme 0225) is a SIREN, then a SIRET, routing code or suffix.

    Not whether the directory knows it.
    """
    for role in roles(invoice):
        address = role.party.electronic_address
        if not role.address or address is None or address.scheme != FRENCH_ADDRESS_SCHEME:
            continue
        line = parse_address_line(address.value)
        if line is None or not is_siren(line.siren) or (line.siret is not None and not is_siret(line.siret)):
            yield said(
                f"{role.fr} : l'adresse électronique {address.value} n'est pas une ligne d'adressage française.",
                f"{role.en}: electronic address {address.value} is no French addressing line.",
                role.address, value=address.value,
            )


def invoiced_to_itself(invoice: Invoice, _: date) -> Iterator[Said]:
    """Seller and buyer are not the same company."""
    seller, buyer = invoice.seller, invoice.buyer
    if seller.siren is not None and seller.siren == buyer.siren:
        yield said(
            f"Vendeur et acheteur ont le même SIREN {seller.siren}.",
            f"Seller and buyer have the same SIREN {seller.siren}.",
            "BT-47", "BT-30", value=buyer.siren,
        )
    elif seller.vat_identifier is not None and seller.vat_identifier == buyer.vat_identifier:
        yield said(
            f"Vendeur et acheteur ont le même numéro de TVA {seller.vat_identifier}.",
            f"Seller and buyer have the same VAT number {seller.vat_identifier}.",
            "BT-48", "BT-31", value=buyer.vat_identifier,
        )


def foreign_vat_number(invoice: Invoice, _: date) -> Iterator[Said]:
    """A VAT number of another member state has the shape and the key of that state.

    A warning: states change their numbers, and no list says when. Not whether VIES knows it.
    """
    for role in roles(invoice):
        number = role.party.vat_identifier
        if number is not None and number[:2] in EU_PREFIXES and not is_vat_number(bare(number)):
            state = number[:2]
            names = Text(f"numéro de TVA de l'État {state}", f"VAT number of {state}")
            yield _wrong(names, Text(role.fr, role.en), number, role.vat)


def bic_shape(invoice: Invoice, _: date) -> Iterator[Said]:
    """A payment service provider (BT-86) is a BIC of 8 or 11 characters."""
    for transfer in invoice.payment.credit_transfers if invoice.payment is not None else ():
        code = transfer.service_provider
        if code is not None and not (code.isascii() and bic.is_valid(bare(code))):
            yield said(
                f"« {code} » n'est pas un BIC : quatre lettres, un pays, puis deux ou cinq caractères.",
                f"{code!r} is no BIC: four letters, a country, then two or five characters.",
                "BT-86", value=code,
            )


def gln_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A GLN (scheme 0088) has thirteen digits and a right check digit."""
    places = [(role.fr, role.en, term, each) for role in roles(invoice) for term, each in role.coded()]
    for fr, en, term, identifier in [*places, *_location(invoice)]:
        if identifier.scheme == GLN and not is_gln(bare(identifier.value)):
            yield _wrong(Text("GLN", "GLN"), Text(fr, en), identifier.value, term)


def scheme_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A value under another scheme whose check digit we know is right."""
    for role in roles(invoice):
        for term, identifier in role.coded():
            scheme = SCHEMES.get(identifier.scheme or "")
            if scheme is not None and not (identifier.value.isascii() and scheme.is_valid(bare(identifier.value))):
                yield _wrong(Text(scheme.fr, scheme.en), Text(role.fr, role.en), identifier.value, term)


def gtin_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A standard item identifier with scheme 0160 is a GTIN with a right check digit."""
    for position, line in enumerate(invoice.lines):
        identifier = line.item.standard_identifier if line.item is not None else None
        if identifier is not None and identifier.scheme == GTIN and not is_gtin(bare(identifier.value)):
            yield said(
                f"Ligne {line.id} : « {identifier.value} » n'est pas un GTIN (longueur ou clé fausse).",
                f"Line {line.id}: {identifier.value!r} is no GTIN (wrong length or check digit).",
                "BT-157", value=identifier.value, line=position,
            )


def address_of_another(invoice: Invoice, _: date) -> Iterator[Said]:
    """The French electronic address of a party begins with the SIREN of that party.

    A warning: BR-FR-21 and BR-FR-22 demand it of the recipient only; elsewhere an agent may hold the mailbox.
    """
    for role in roles(invoice):
        address, siren = role.party.electronic_address, role.party.siren
        if address is None or address.scheme != FRENCH_ADDRESS_SCHEME or siren is None:
            continue
        line = parse_address_line(address.value)
        if line is not None and line.siren != bare(siren):
            yield said(
                f"{role.fr} : l'adresse électronique {address.value} est celle du SIREN {line.siren}, pas de {siren}.",
                f"{role.en}: electronic address {address.value} is that of SIREN {line.siren}, not of {siren}.",
                role.address, role.registration, value=address.value, declared=line.siren, expected=bare(siren),
            )


def creditor_key(invoice: Invoice, _: date) -> Iterator[Said]:
    """A SEPA creditor identifier (BT-90) has a right key."""
    debit = invoice.payment.direct_debit if invoice.payment is not None else None
    creditor = debit.creditor if debit is not None else None
    if creditor is not None and not (creditor.isascii() and at_02.is_valid(bare(creditor))):
        yield said(
            f"« {creditor} » n'est pas un identifiant créancier SEPA (clé fausse).",
            f"{creditor!r} is no SEPA creditor identifier (wrong key).",
            "BT-90", value=creditor,
        )


def _location(invoice: Invoice) -> list[tuple[str, str, str, Identifier]]:
    return [
        ("Lieu de livraison", "Deliver-to location", "BT-71" if line is None else "EXT-FR-FE-146", delivery.location)
        for line, delivery in deliveries(invoice) if delivery.location is not None
    ]


def _wrong(what: Text, who: Text, value: str, term: str, proposed: str | None = None) -> Said:
    return said(
        f"{who.fr} : « {value} » n'est pas un {what.fr} (chiffres ou clé de contrôle faux).",
        f"{who.en}: {value!r} is no {what.en} (wrong digits or check key).",
        term, value=value, proposed=proposed,
    )


RULES: Final = (
    OwnRule("PAS-ID-01", Severity.ERROR, siren_key, "INSEE, clé de Luhn ; DGFiP, annexe 7, G1.63"),
    OwnRule("PAS-ID-02", Severity.WARNING, siret_key, "INSEE, clé de Luhn (La Poste : somme multiple de 5)"),
    OwnRule("PAS-ID-03", Severity.WARNING, french_vat_key, "CGI ann. II art. 242 nonies A, I-2° ; CGI art. 286 ter"),
    OwnRule("PAS-ID-04", Severity.WARNING, vat_number_of_another, "CGI art. 286 ter ; art. 256 C"),
    OwnRule("PAS-ID-05", Severity.WARNING, iban_key, "ISO 13616"),
    OwnRule("PAS-ID-06", Severity.WARNING, address_line, "DGFiP, annexe 7, G1.91 à G1.95 et G1.115"),
    OwnRule("PAS-ID-07", Severity.WARNING, invoiced_to_itself, "CGI art. 289, I-1"),
    OwnRule("PAS-ID-08", Severity.WARNING, foreign_vat_number, "Directive 2006/112/CE, art. 215"),
    OwnRule("PAS-ID-09", Severity.WARNING, bic_shape, "ISO 9362"),
    OwnRule("PAS-ID-10", Severity.WARNING, gln_key, "GS1 General Specifications, 7.9 ; ISO 6523 ICD 0088"),
    OwnRule("PAS-ID-11", Severity.WARNING, scheme_key, "ISO 6523 ICD ; liste EAS"),
    OwnRule("PAS-ID-12", Severity.WARNING, gtin_key, "GS1 General Specifications, 7.9 ; ISO 6523 ICD 0160"),
    OwnRule("PAS-ID-13", Severity.WARNING, address_of_another, "DGFiP, annexe 7, G1.91"),
    OwnRule("PAS-ID-14", Severity.WARNING, creditor_key, "EPC262-08, identifiant créancier SEPA"),
    OwnRule("PAS-ID-15", Severity.WARNING, siren_key_abroad, "INSEE, clé de Luhn"),
)

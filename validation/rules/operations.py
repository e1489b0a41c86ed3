"""What was sold, where it went and when VAT falls due: the mentions that French law added in 2026."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from formats.codes import FRAMES, PREPAYMENT_TYPES
from formats.invoice import Invoice, Line
from formats.profiles import Profile, profile_of
from validation.findings import Severity
from validation.rules.own import DECREE, OwnRule, Said, deliveries, details, said
from validation.rules.territories import has_post_codes

TIME_UNITS: Final = frozenset({"SEC", "MIN", "HUR", "LH", "DAY", "E49", "WEE", "MON", "QAN", "ANN"})
"""Units of UN/ECE Recommendation 20 that measure time: services. QAN is a quarter, E49 a working day, LH an hour of
labour."""

WEIGHT_AND_VOLUME: Final = frozenset({"KGM", "GRM", "TNE", "DTN", "LTR", "HLT", "MLT", "CLT", "STN", "LBR"})
"""Units that measure weight or volume: goods. Surfaces are left out: they are cleaned and painted too."""

GTIN: Final = "0160"
ON_DEBITS: Final = re.compile(
    r"d['’ ]?apr[eè]s les d[eé]bits|option pour les d[eé]bits|\b(?:TVA|taxe)\b[^.;\n]{0,40}\bsur (?:les )?d[eé]bits"
    r"|VAT on debits", re.IGNORECASE,
)
NOT_ON_DEBITS: Final = re.compile(r"\b(?:pas|sans|absence|non|not|no)\b[^.,;\n]{0,40}d[eé]bits", re.IGNORECASE)
"""The option is named because it was not taken."""

LINE_PLACE: Final = ("EXT-FR-FE-BG-10 party_name", "EXT-FR-FE-146", "EXT-FR-FE-BG-10")
"""What BT-70, BT-71 and BG-15 are of a line that is delivered elsewhere."""

LINE_ADDRESS: Final = ("EXT-FR-FE-BG-10 city", "EXT-FR-FE-BG-10 country", "EXT-FR-FE-BG-10")
ISSUE, DELIVERY, PAYMENT = "3", "35", "432"
"""BT-8 in the words of UNTDID 2005."""


def supply_date(invoice: Invoice, _: date) -> Iterator[Said]:
    """The date or period of supply is given where it is known and differs. Information: nobody else can know."""
    told = any(delivery.actual_date for _, delivery in deliveries(invoice))
    told = told or invoice.invoicing_period is not None or any(line.period for line in invoice.lines)
    if profile_of(invoice.specification_identifier) is not Profile.MINIMUM and not told:
        yield said(
            "Ni date de livraison ni période : obligatoires si elles diffèrent de l'émission.",
            "Neither a delivery date nor a period: mandatory where they differ from the issue date.",
            "BT-72", "BG-14",
        )


def destination_without_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """Goods that go to a named place or person have the address of it."""
    for line, delivery in deliveries(invoice):
        named = delivery.party_name or (delivery.location.value if delivery.location is not None else None)
        if delivery.address is not None or named is None:
            continue
        party, location, place = ("BT-70", "BT-71", "BG-15") if line is None else LINE_PLACE
        yield said(
            f"Livraison à « {named} » sans adresse : obligatoire si elle diffère de celle du client.",
            f"Delivery to {named!r} without an address: mandatory where it differs from the buyer's.",
            party if delivery.party_name else location, place, value=named, line=line,
        )


def destination_incomplete(invoice: Invoice, _: date) -> Iterator[Said]:
    """A delivery address has street, town, post code and country, as the public portal wants them from 2027."""
    for line, delivery in deliveries(invoice):
        address = delivery.address
        if address is None:
            continue
        values = {"BT-75": address.line_1, "BT-77": address.city, "BT-78": address.post_code, "BT-80": address.country}
        missing = [term for term, value in values.items()
                   if not value and (term != "BT-78" or has_post_codes(address.country))]
        if missing:
            number = invoice.lines[line].id if line is not None else None
            fr, en = (f" (ligne {number})", f" (line {number})") if number is not None else ("", "")
            yield said(
                f"Adresse de livraison incomplète{fr} : {', '.join(missing)} absent(s).",
                f"Incomplete delivery address{en}: {', '.join(missing)} absent.",
                *((*missing, "BG-15") if line is None else LINE_ADDRESS), line=line, missing=", ".join(missing),
            )


def goods_without_destination(invoice: Invoice, _: date) -> Iterator[Said]:
    """A reminder where goods are sold (frames B and M) and nothing is said of where they went."""
    known = any(each.address or each.party_name or each.location for _, each in deliveries(invoice))
    if _category(invoice) in {"B", "M"} and not known:
        yield said(
            "Vente de biens sans adresse de livraison (BG-15) : obligatoire si elle diffère de celle du client.",
            "Goods sold without a delivery address (BG-15): mandatory where it differs from the buyer's.",
            "BG-15", "BT-23", declared=invoice.business_process,
        )


def services_frame_with_goods(invoice: Invoice, _: date) -> Iterator[Said]:
    """Frame S is for services: no line is weighed, has a GTIN or an origin."""
    lines = [(position, line, sign) for position, line in details(invoice) if (sign := _sign_of_goods(line))]
    if _category(invoice) == "S" and lines:
        position, line, sign = lines[0]
        yield said(
            f"Cadre {invoice.business_process} (services), mais la ligne {line.id} est un bien ({sign}).",
            f"Frame {invoice.business_process} (services), but line {line.id} is goods ({sign}).",
            "BT-23", "BT-130", value=invoice.business_process, declared=invoice.business_process,
            expected=_frame(invoice, "B" if len(lines) == len(list(details(invoice))) else "M"), line=position,
            sign=sign,
        )


def goods_frame_with_services(invoice: Invoice, _day: date) -> Iterator[Said]:
    """Frame B is for goods: not all of its lines are counted in time."""
    units = [line.unit for _, line in details(invoice)]
    if _category(invoice) == "B" and units and all(unit in TIME_UNITS for unit in units):
        unit = units[0]
        yield said(
            f"Cadre {invoice.business_process} (biens), mais toutes les lignes sont comptées en temps ({unit}).",
            f"Frame {invoice.business_process} (goods), but all lines are counted in time ({unit}).",
            "BT-23", "BT-130", value=invoice.business_process, declared=invoice.business_process,
            expected=_frame(invoice, "S"),
        )


def mixed_frame_of_one_kind(invoice: Invoice, _day: date) -> Iterator[Said]:
    """Frame M is for goods and services: not all lines are certainly the same. Information."""
    lines = [line for _, line in details(invoice)]
    if _category(invoice) != "M" or not lines:
        return
    goods = all(_sign_of_goods(line) for line in lines)
    services = all(line.unit in TIME_UNITS for line in lines)
    if goods or services:
        kind = ("biens", "goods", "B") if goods else ("services", "services", "S")
        yield said(
            f"Cadre {invoice.business_process} (mixte), mais toutes les lignes sont des {kind[0]}.",
            f"Frame {invoice.business_process} (mixed), but all lines are {kind[1]}.",
            "BT-23", value=invoice.business_process, declared=invoice.business_process,
            expected=_frame(invoice, kind[2]),
        )


def debits_not_coded(invoice: Invoice, _: date) -> Iterator[Said]:
    """Whoever writes that VAT is paid on debits says so in BT-8 too, which is what the tax office reads.

    Not for goods (frame B): the option is about services, and the words are printed on every invoice.
    """
    if _category(invoice) == "B":
        return
    texts = [note.text or "" for note in invoice.notes] + [invoice.payment_terms or ""]
    written = next((text for text in texts if ON_DEBITS.search(text) and not NOT_ON_DEBITS.search(text)), None)
    if written is not None and invoice.tax_point_date is None and invoice.tax_point_date_code != ISSUE:
        yield said(
            f"L'option pour les débits est écrite, mais BT-8 vaut {invoice.tax_point_date_code or 'rien'}.",
            f"The option for debits is written, but BT-8 is {invoice.tax_point_date_code or 'absent'}.",
            "BT-8", "BT-22", value=invoice.tax_point_date_code, declared=invoice.tax_point_date_code, expected=ISSUE,
        )


def payment_basis_for_goods(invoice: Invoice, _: date) -> Iterator[Said]:
    """VAT on goods falls due on delivery, not on payment, a prepayment apart."""
    prepaid = invoice.type_code in PREPAYMENT_TYPES
    if _category(invoice) == "B" and invoice.tax_point_date_code == PAYMENT and not prepaid:
        yield said(
            f"Cadre {invoice.business_process} (biens) avec TVA exigible à l'encaissement (BT-8 = {PAYMENT}).",
            f"Frame {invoice.business_process} (goods) with VAT due on payment (BT-8 = {PAYMENT}).",
            "BT-8", "BT-23", declared=PAYMENT, expected=DELIVERY,
        )


def _category(invoice: Invoice) -> str:
    """B goods, S services, M both, or nothing where BT-23 is not a French frame."""
    frame = invoice.business_process or ""
    return frame[0] if re.fullmatch(r"[BSM][1-9]", frame) else ""


def _frame(invoice: Invoice, category: str) -> str | None:
    """The same frame for another category; None where there is none: only services have a 3, 5 and 6, and M no 7."""
    frame = category + (invoice.business_process or "")[1:]
    return frame if frame in FRAMES else None


def _sign_of_goods(line: Line) -> str | None:
    item = line.item
    if line.unit in WEIGHT_AND_VOLUME:
        return f"BT-130 {line.unit}"
    if item is not None and item.standard_identifier is not None and item.standard_identifier.scheme == GTIN:
        return f"BT-157 {item.standard_identifier.value}"
    return f"BT-159 {item.origin_country}" if item is not None and item.origin_country is not None else None


RULES: Final = (
    OwnRule("PAS-FR-09", Severity.INFO, supply_date, "CGI ann. II art. 242 nonies A, I-10° ; DGFiP, annexe 7, G1.39"),
    OwnRule("PAS-FR-19", Severity.WARNING, destination_without_address, DECREE),
    OwnRule("PAS-FR-20", Severity.WARNING, destination_incomplete, "DGFiP, flux 1 cible, BT-75, BT-77, BT-78, BT-80"),
    OwnRule("PAS-FR-21", Severity.INFO, goods_without_destination, DECREE),
    OwnRule("PAS-FR-22", Severity.WARNING, services_frame_with_goods, DECREE),
    OwnRule("PAS-FR-23", Severity.WARNING, goods_frame_with_services, DECREE),
    OwnRule("PAS-FR-24", Severity.INFO, mixed_frame_of_one_kind, DECREE),
    OwnRule("PAS-FR-25", Severity.WARNING, debits_not_coded, "CGI art. 269, 2-c ; DGFiP, annexe 7, G1.43"),
    OwnRule("PAS-FR-26", Severity.WARNING, payment_basis_for_goods, "CGI art. 269, 2-a"),
)

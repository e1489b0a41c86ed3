"""Who is on the invoice: everybody's name, address and identifiers."""

from formats.invoice import Address, Contact, Delivery, Invoice, Party
from formats.rendering.phrases import Json, country, filled, identifier, joined, word


def parties(invoice: Invoice, lang: str) -> list[Json]:
    """Everybody named, with the side of the page: sellers left, buyers and where it went right."""
    others = [
        ("tax_representative", "left", invoice.tax_representative),
        ("payee", "right", invoice.payee),
    ]
    return [
        party("seller", "left", invoice.seller, lang),
        party("buyer", "right", invoice.buyer, lang),
        *([delivery(invoice.delivery, lang)] if is_told(invoice.delivery) else []),
        *(party(role, side, one, lang) for role, side, one in others if one is not None),
    ]


def party(role: str, side: str, one: Party, lang: str) -> Json:
    """A party with its address and everything that identifies it."""
    electronic = one.electronic_address
    return {
        "role": word(role, lang),
        "side": side,
        "name": one.name or one.trading_name or "",
        "lines": address(one.address, lang),
        "pairs": filled([
            (word("trading_name", lang), one.trading_name if one.trading_name != one.name else None),
            *([identifier(one.legal_registration, "registration", lang)] if one.legal_registration else []),
            *(identifier(one_id, "identifier", lang) for one_id in one.identifiers),
            (word("vat_number", lang), one.vat_identifier),
            (word("tax_number", lang), one.tax_registration),
            (word("electronic_address", lang), joined(
                electronic.value, None if electronic.scheme == "0225" else electronic.scheme) if electronic else None),
            (word("contact", lang), contact(one.contact)),
        ]),
        "note": one.additional_legal_information or "",
    }


def is_told(where: Delivery | None) -> bool:
    """Whether a delivery says more than the date, which stands in the head."""
    return where is not None and (where.party_name, where.location, where.address) != (None, None, None)


def delivery(where: Delivery | None, lang: str) -> Json:
    """Where the goods went."""
    where = where or Delivery()
    place = [identifier(where.location, "delivery_place", lang)] if where.location else []
    return {"role": word("delivery", lang), "side": "right", "name": where.party_name or "",
            "lines": address(where.address, lang), "pairs": filled(place), "note": ""}


def address(where: Address | None, lang: str) -> list[str]:
    """An address in postal order; the country by name."""
    if where is None:
        return []
    city = joined(where.post_code, where.city, by=" ")
    lines = (where.line_1, where.line_2, where.line_3, city, where.country_subdivision, country(where.country, lang))
    return [text for text in lines if text]


def contact(who: Contact | None) -> str:
    """Whom to ask, and how."""
    return joined(who.name, who.telephone, who.email) if who else ""

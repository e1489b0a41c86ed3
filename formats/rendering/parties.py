"""Who is on the invoice: everybody's name, address and identifiers."""

from dataclasses import replace

from formats.codes import ROLES
from formats.invoice import Address, Contact, Delivery, DeliveryTerms, Identifier, Invoice, Party
from formats.rendering.phrases import Json, Pair, coded, country, filled, identifier, joined, word


def parties(invoice: Invoice, lang: str) -> list[Json]:
    """Who stands below the head: what identifies the buyer, where it went, and everybody else named."""
    roles = ("payee", "tax_representative", "payer", "invoicee", "invoicer", "buyer_agent", "sales_agent")
    others = [(role, getattr(invoice, role)) for role in roles]
    buyer = party("buyer", replace(invoice.buyer, name=None, address=None), lang)
    return [
        *([buyer] if buyer["pairs"] or buyer["note"] else []),
        *([delivery(invoice.delivery, lang)] if is_told(invoice.delivery) else []),
        *(party(role, one, lang) for role, one in others if one is not None),
    ]


def recipient(buyer: Party, lang: str) -> Json:
    """The buyer in the window of the envelope: name and address, nothing else."""
    return {"name": buyer.name or buyer.trading_name or "", "lines": address(buyer.address, lang)}


def party(role: str, one: Party, lang: str) -> Json:
    """A party with its address and everything that identifies it."""
    return {
        "role": word(role, lang),
        "name": one.name or "",
        "lines": address(one.address, lang),
        "pairs": identification(one, lang),
        "note": one.additional_legal_information or "",
    }


def identification(one: Party, lang: str) -> list[Pair]:
    """Everything that identifies a party, and whom to ask there."""
    return filled([
        (word("trading_name", lang), one.trading_name if one.trading_name != one.name else None),
        *([identifier(one.legal_registration, "registration", lang)] if one.legal_registration else []),
        *(identifier(one_id, "identifier", lang) for one_id in one.identifiers),
        (word("vat_number", lang), one.vat_identifier),
        (word("tax_number", lang), joined(one.tax_registration, one.tax_registration_scheme)),
        endpoint(one.electronic_address, lang),
        *contact(one.contact, lang),
        (word("department", lang), one.department),
        (word("role", lang), one.role_code and coded(ROLES, one.role_code, lang)),
    ])


def endpoint(where: Identifier | None, lang: str) -> tuple[str, str | None]:
    """An electronic address with its scheme."""
    return word("electronic_address", lang), joined(where.value, where.scheme) if where else None


def delivery_terms(terms: DeliveryTerms | None) -> str:
    """The Incoterm and its place."""
    return joined(terms.code, terms.location, by=" ") if terms else ""


def is_told(where: Delivery | None) -> bool:
    """Whether a delivery says more than the date, which stands in the head."""
    return where is not None and where != Delivery(actual_date=where.actual_date)


def delivery(where: Delivery | None, lang: str) -> Json:
    """Where the goods went, and whom to ask there."""
    where = where or Delivery()
    return {"role": word("delivery", lang), "name": where.party_name or "",
            "lines": address(where.address, lang), "pairs": place(where, lang), "note": ""}


def place(where: Delivery, lang: str) -> list[Pair]:
    """What identifies the place of a delivery, and whom to ask there."""
    return filled([
        *([identifier(where.location, "delivery_place", lang)] if where.location else []),
        endpoint(where.electronic_address, lang), *contact(where.contact, lang)])


def address(where: Address | None, lang: str) -> list[str]:
    """An address in postal order; the country by name."""
    if where is None:
        return []
    city = joined(where.post_code, where.city, by=" ")
    lines = (where.line_1, where.line_2, where.line_3, city, where.country_subdivision, country(where.country, lang))
    return [text for text in lines if text]


def contact(who: Contact | None, lang: str) -> list[tuple[str, str | None]]:
    """Whom to ask, and how."""
    if who is None:
        return []
    return [(word("contact", lang), who.name), (word("telephone", lang), who.telephone),
            (word("email", lang), who.email)]

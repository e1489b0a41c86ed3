"""What a path cannot say: a read and write pair per term, each with its reason. At most 20, else the table is wrong."""

import re
from typing import Any

from lxml import etree

from formats.invoice import Identifier, Note
from formats.paths import Node, Scope, clark, compile_path, ensure, existing, put, select
from formats.rows import Column, Kind, Quirk
from formats.values import parse_decimal, read_value, write_value

SEPA = "SEPA"
NO_ORDER = "NA"
"""What stands in UBL for the mandatory order number when only the seller's own order is known."""
NO_DISCOUNT = "0.0"
"""What stands in UBL for the mandatory discount when only the gross price is known: a zero that nobody writes."""

_IBAN_SHAPE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}")
"""The shape alone: an IBAN with a wrong key or with blanks is still written as one, and a rule may say so."""
_ANY_TEXT = re.compile(r".*", re.DOTALL)
_CODED = re.compile(r"#([A-Za-z0-9]{3})#\s*(.*)", re.DOTALL)
_SHIP_TO_ID = compile_path("ram:ShipToTradeParty/ram:ID")
_SHIP_TO_GLOBAL = compile_path("ram:ShipToTradeParty/ram:GlobalID")
_PERSON = compile_path("ram:PersonName")
_DEPARTMENT = compile_path("ram:DepartmentName")
_NET_QUANTITY = compile_path("ram:NetPriceProductTradePrice/ram:BasisQuantity")
_GROSS_PRICE = compile_path("ram:GrossPriceProductTradePrice")
_GROSS_QUANTITY = compile_path("ram:GrossPriceProductTradePrice/ram:BasisQuantity")
_UBL_DISCOUNT = compile_path("cac:AllowanceCharge[cbc:ChargeIndicator='false']/cbc:Amount")
_UBL_GROSS = compile_path("cac:AllowanceCharge[cbc:ChargeIndicator='false']/cbc:BaseAmount")
_SELLER_IDS = compile_path("cac:AccountingSupplierParty/cac:Party/cac:PartyIdentification/cbc:ID[@schemeID='SEPA']")
_SELLER = compile_path("cac:AccountingSupplierParty/cac:Party")
_PAYEE_IDS = compile_path("cac:PayeeParty/cac:PartyIdentification/cbc:ID[@schemeID='SEPA']")


def _first(nodes: list[Node], term: str) -> str | None:
    """The first text, claimed; equal ones say nothing new and are claimed with it."""
    texts = [node.text for node in nodes if node.text]
    for node in nodes:
        if texts and node.text == texts[0]:
            node.claim(term)
    return texts[0] if texts else None


# --- Notes, UBL --------------------------------------------------------------------------------------------


def _read_notes(root: Node, scope: Scope, term: str) -> tuple[Note, ...]:
    """`#CODE#text` as the French rules read it; a note without a code has no subject."""
    notes = []
    for node in select(root, compile_path("cbc:Note"), scope, term):
        coded = _CODED.fullmatch(node.claim(term))
        if coded is not None:
            notes.append(Note(subject_code=coded[1], text=coded[2] or None))
        elif node.text:
            notes.append(Note(text=node.text))
    return tuple(notes)


def _write_notes(root: etree._Element, notes: tuple[Note, ...], scope: Scope) -> None:
    """In order. But no note without a code may follow the treatment (BAR): it would be read as part of it."""
    treatment = next((place for place, note in enumerate(notes) if note.subject_code == "BAR"), len(notes))
    if any(note.subject_code is None for note in notes[treatment:]):
        notes = tuple(sorted(notes, key=lambda note: note.subject_code == "BAR"))
    for note in notes:
        prefix = f"#{note.subject_code}#" if note.subject_code is not None else ""
        put(etree.SubElement(root, clark("cbc:Note")), prefix + (note.text or ""), scope)


NOTES = Quirk(_read_notes, _write_notes, "UBL has no element for the subject code: it is written into the text")


# --- Party identifiers -------------------------------------------------------------------------------------


def _read_ubl_ids(party: Node, scope: Scope, term: str) -> tuple[Identifier, ...]:
    nodes = select(party, compile_path("cac:PartyIdentification/cbc:ID"), scope, term)
    kept = [node for node in nodes if node.attributes.get("schemeID") != SEPA]
    kept.sort(key=lambda node: "schemeID" in node.attributes)  # as CII has them: those without a scheme come first
    return tuple(value for node in kept if (value := read_value(node, Kind.IDENTIFIER, Column.UBL, scope, term)))


def _write_ubl_ids(party: etree._Element, identifiers: tuple[Identifier, ...], scope: Scope) -> None:
    for identifier in identifiers:
        holder = etree.SubElement(etree.SubElement(party, clark("cac:PartyIdentification")), clark("cbc:ID"))
        write_value(holder, identifier, Kind.IDENTIFIER, Column.UBL, scope)


UBL_PARTY_IDS = Quirk(_read_ubl_ids, _write_ubl_ids, "the SEPA creditor (BT-90) sits among them and is another term")


def _read_cii_ids(party: Node, scope: Scope, term: str) -> tuple[Identifier, ...]:
    nodes = [*party.children.get(clark("ram:ID"), ()), *party.children.get(clark("ram:GlobalID"), ())]
    return tuple(value for node in nodes if (value := read_value(node, Kind.IDENTIFIER, Column.CII, scope, term)))


def _write_cii_ids(party: etree._Element, identifiers: tuple[Identifier, ...], scope: Scope) -> None:
    for identifier in identifiers:
        name = "ram:ID" if identifier.scheme is None else "ram:GlobalID"
        write_value(etree.SubElement(party, clark(name)), identifier, Kind.IDENTIFIER, Column.CII, scope)


CII_PARTY_IDS = Quirk(_read_cii_ids, _write_cii_ids, "ram:GlobalID with a scheme, ram:ID without: two elements")


def _read_location(delivery: Node, scope: Scope, term: str) -> Identifier | None:
    for path in (_SHIP_TO_GLOBAL, _SHIP_TO_ID):
        for node in select(delivery, path, scope, term):
            if node.text:
                return Identifier(value=node.claim(term), scheme=node.claim_attribute("schemeID", term))
    return None


def _write_location(delivery: etree._Element, identifier: Identifier, scope: Scope) -> None:
    path = _SHIP_TO_ID if identifier.scheme is None else _SHIP_TO_GLOBAL
    write_value(ensure(delivery, path, scope), identifier, Kind.IDENTIFIER, Column.CII, scope)


CII_LOCATION_ID = Quirk(_read_location, _write_location, "as the party identifiers, but one only")


# --- Payment -----------------------------------------------------------------------------------------------


def _read_creditor(root: Node, scope: Scope, term: str) -> str | None:
    payee = select(root, _PAYEE_IDS, scope, term)
    return _first([*payee, *select(root, _SELLER_IDS, scope, term)], term)


def _write_creditor(root: etree._Element, creditor: str, scope: Scope) -> None:
    """On the payee if there is one, else on the seller, as EN 16931 binds it."""
    payee = root.find(clark("cac:PayeeParty"))
    party = ensure(root, _SELLER, scope) if payee is None else payee
    holder = etree.SubElement(etree.SubElement(party, clark("cac:PartyIdentification")), clark("cbc:ID"))
    write_value(holder, Identifier(value=creditor, scheme=SEPA), Kind.IDENTIFIER, Column.UBL, scope)


CREDITOR = Quirk(_read_creditor, _write_creditor, "BT-90 is a party identifier with scheme SEPA, of payee or seller")


def _account(name: str, *, shape: re.Pattern[str], reason: str) -> Quirk:
    iban, proprietary = (compile_path(f"{name}/{leaf}") for leaf in ("ram:IBANID", "ram:ProprietaryID"))

    def read(means: Node, scope: Scope, term: str) -> str | None:
        return _first([*select(means, iban, scope, term), *select(means, proprietary, scope, term)], term)

    def write(means: etree._Element, account: str, scope: Scope) -> None:
        put(ensure(means, iban if shape.fullmatch(account) else proprietary, scope), account, scope)

    return Quirk(read, write, reason)


CREDIT_ACCOUNT = _account(
    "ram:PayeePartyCreditorFinancialAccount", shape=_IBAN_SHAPE,
    reason="an IBAN and another account are two elements",
)
DEBIT_ACCOUNT = _account(
    "ram:SpecifiedTradeSettlementPaymentMeans/ram:PayerPartyDebtorFinancialAccount", shape=_ANY_TEXT,
    reason="read like CREDIT_ACCOUNT, but EN 16931 binds BT-91 to the IBAN element alone",
)


# --- Single terms ------------------------------------------------------------------------------------------

_UBL_WORDS = {"5": "3", "29": "35", "72": "432"}
_CII_WORDS = {ubl: cii for cii, ubl in _UBL_WORDS.items()}
_SETTLEMENT = compile_path("rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement")
_DUE = compile_path("ram:ApplicableTradeTax[ram:TypeCode='VAT']/ram:DueDateTypeCode")


def _read_due_code(root: Node, scope: Scope, term: str) -> str | None:
    settlements = select(root, _SETTLEMENT, scope, term)
    code = _first([node for settlement in settlements for node in select(settlement, _DUE, scope, term)], term)
    return _UBL_WORDS.get(code, code) if code is not None else None


def _write_due_code(root: etree._Element, code: str, scope: Scope) -> None:
    put(ensure(ensure(root, _SETTLEMENT, scope), _DUE, scope), _CII_WORDS.get(code, code), scope)


DUE_CODE = Quirk(_read_due_code, _write_due_code, "UBL uses UNTDID 2005 (3 35 432), CII UNTDID 2475 (5 29 72)")


def _or_filler(path: str, beside: tuple[str, ...], reason: str) -> Quirk:
    """A text that the schema demands as soon as one of `beside` is there; then NO_ORDER stands in its place."""
    place, others = compile_path(path), tuple(compile_path(other) for other in beside)

    def read(node: Node, scope: Scope, term: str) -> str | None:
        text = _first(select(node, place, scope, term), term)
        return None if text == NO_ORDER and any(select(node, other, scope, term) for other in others) else text

    def write(element: etree._Element, text: str, scope: Scope) -> None:
        put(ensure(element, place, scope), text, scope)

    return Quirk(read, write, reason)


_ORDER_LINE = "cac:OrderLineReference/"
_LINE_ORDER = _ORDER_LINE + "cac:OrderReference/"
_DESPATCH_LINE = "cac:DespatchLineReference/"
ORDER = _or_filler(
    "cac:OrderReference/cbc:ID", ("cac:OrderReference/cbc:SalesOrderID", "cac:OrderReference/cbc:IssueDate"),
    "BT-14 alone needs an order number in UBL; its filler is not a BT-13",
)
ORDER_LINE = _or_filler(
    _ORDER_LINE + "cbc:LineID", (_LINE_ORDER + "cbc:ID", _ORDER_LINE + "cbc:SalesOrderLineID"),
    "as ORDER: the order of a line needs the number of its line",
)
LINE_ORDER = _or_filler(
    f"cac:OrderLineReference[cbc:LineID!=''|'{NO_ORDER}']/cac:OrderReference/cbc:ID",
    (_LINE_ORDER + "cbc:SalesOrderID", _LINE_ORDER + "cbc:IssueDate"),
    "as ORDER, for the order of a line",
)
DESPATCH_LINE = _or_filler(
    _DESPATCH_LINE + "cbc:LineID", (_DESPATCH_LINE + "cac:DocumentReference/cbc:ID",),
    "as ORDER_LINE, for the despatch advice of a line",
)
ATTRIBUTE_NAME = _or_filler("cbc:Name", ("cbc:NameCode",), "an attribute with a code alone needs a name in UBL")

_LOCAL_NUMBER = frozenset({"TAX", "FC", "LOC"})
"""Words for a tax register that say no more than that it is not VAT; the first is the one that is written."""
_LOCAL_SCHEME = compile_path("cac:PartyTaxScheme[cac:TaxScheme/cbc:ID!='VAT']/cac:TaxScheme/cbc:ID")


def _read_tax_scheme(party: Node, scope: Scope, term: str) -> str | None:
    text = _first(select(party, _LOCAL_SCHEME, scope, term), term)
    return None if text is None or text.upper() in _LOCAL_NUMBER else text


def _write_tax_scheme(party: etree._Element, name: str, scope: Scope) -> None:
    for scheme in existing(party, _LOCAL_SCHEME, scope):
        put(scheme, name, scope)


TAX_SCHEME = Quirk(_read_tax_scheme, _write_tax_scheme, "most names of the scheme of BT-32 only say: not VAT")


def _read_contact_name(contact: Node, scope: Scope, term: str) -> str | None:
    for path in (_PERSON, _DEPARTMENT):
        if text := _first(select(contact, path, scope, term), term):
            return text
    return None


def _write_contact_name(contact: etree._Element, name: str, scope: Scope) -> None:
    put(ensure(contact, _PERSON, scope), name, scope)


CONTACT_NAME = Quirk(_read_contact_name, _write_contact_name, "a person or, without one, a department: two elements")


_CONTACT_PERSON = compile_path("ram:DefinedTradeContact/ram:PersonName")
_CONTACT_DEPARTMENT = compile_path("ram:DefinedTradeContact/ram:DepartmentName")


def _read_department(party: Node, scope: Scope, term: str) -> str | None:
    if not any(node.text for node in select(party, _CONTACT_PERSON, scope, term)):
        return None
    return _first(select(party, _CONTACT_DEPARTMENT, scope, term), term)


def _write_department(party: etree._Element, name: str, scope: Scope) -> None:
    if existing(party, _CONTACT_PERSON, scope):
        put(ensure(party, _CONTACT_DEPARTMENT, scope), name, scope)


DEPARTMENT = Quirk(_read_department, _write_department, "a department alone is the name of the contact: CONTACT_NAME")


# --- Prices ------------------------------------------------------------------------------------------------


def _stated_quantities(agreement: Node, scope: Scope, term: str) -> list[Node]:
    """Of the net price, else of the gross price; then those that say the same again."""
    net = select(agreement, _NET_QUANTITY, scope, term)
    nodes = [*net, *select(agreement, _GROSS_QUANTITY, scope, term)]
    return [node for node in nodes if (node.text, node.attributes) == (nodes[0].text, nodes[0].attributes)]


def _read_quantity(agreement: Node, scope: Scope, term: str) -> Any:
    nodes = _stated_quantities(agreement, scope, term)
    values = [read_value(node, Kind.DECIMAL, Column.CII, scope, term) for node in nodes]
    return values[0] if values else None


def _quantities(agreement: etree._Element, scope: Scope) -> list[etree._Element]:
    """Of the net price, and of the gross price where there is one: they are per the same quantity."""
    holders = [ensure(agreement, _NET_QUANTITY, scope)]
    if agreement.find(_GROSS_PRICE.steps[0].tag) is not None:
        holders.append(ensure(agreement, _GROSS_QUANTITY, scope))
    return holders


def _write_quantity(agreement: etree._Element, quantity: Any, scope: Scope) -> None:
    for holder in _quantities(agreement, scope):
        write_value(holder, quantity, Kind.DECIMAL, Column.CII, scope)


BASE_QUANTITY = Quirk(_read_quantity, _write_quantity, "stated on the net or on the gross price, or on both")


def _read_unit(agreement: Node, scope: Scope, term: str) -> str | None:
    units = [node.claim_attribute("unitCode", term) for node in _stated_quantities(agreement, scope, term)]
    return units[0] if units else None


def _write_unit(agreement: etree._Element, unit: str, scope: Scope) -> None:
    for holder in _quantities(agreement, scope):
        holder.set("unitCode", unit)


BASE_UNIT = Quirk(_read_unit, _write_unit, "as BASE_QUANTITY")


def _read_discount(price: Node, scope: Scope, term: str) -> Any:
    """"0.0" beside a gross price is the filler of `_write_gross`; "0" and "0.00" are a discount of zero."""
    for node in select(price, _UBL_DISCOUNT, scope, term):
        value = read_value(node, Kind.AMOUNT, Column.UBL, scope, term)
        return None if node.text == NO_DISCOUNT and select(price, _UBL_GROSS, scope, term) else value
    return None


def _write_discount(price: etree._Element, discount: Any, scope: Scope) -> None:
    write_value(ensure(price, _UBL_DISCOUNT, scope), discount, Kind.AMOUNT, Column.UBL, scope)


DISCOUNT = Quirk(_read_discount, _write_discount, "BT-148 alone needs a discount in UBL; its filler is not a BT-147")


def _read_gross(price: Node, scope: Scope, term: str) -> Any:
    for node in select(price, _UBL_GROSS, scope, term):
        return read_value(node, Kind.AMOUNT, Column.UBL, scope, term)
    return None


def _write_gross(price: etree._Element, gross: Any, scope: Scope) -> None:
    write_value(ensure(price, _UBL_GROSS, scope), gross, Kind.AMOUNT, Column.UBL, scope)
    amount = ensure(price, _UBL_DISCOUNT, scope)
    if amount.text is None:
        write_value(amount, parse_decimal(NO_DISCOUNT), Kind.AMOUNT, Column.UBL, scope)
        scope.fillers[amount] = NO_DISCOUNT


GROSS = Quirk(_read_gross, _write_gross, "as DISCOUNT")

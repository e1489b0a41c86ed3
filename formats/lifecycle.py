"""Lifecycle messages (CDAR D22B): bytes <-> StatusMessage, as plain pairs of a read and a write function.

Reading is lenient: unknown codes stay as they come, optional parts become None, surrounding blanks go. What
the message cannot be without is asked for by its MDT number. Not checked here: the published CDAR rules, the
code lists, the order of statuses. One message speaks about one invoice: a message about several is refused.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from lxml import etree

from formats import safexml
from formats.errors import BadValue, CannotWrite, UnknownSyntax
from formats.invoice import Identifier
from formats.status import StatusAmount, StatusDetail, StatusMessage, StatusParty, stamp

UNECE = "urn:un:unece:uncefact:data:standard:"
NS = {
    "rsm": UNECE + "CrossDomainAcknowledgementAndResponse:100",
    "ram": UNECE + "ReusableAggregateBusinessInformationEntity:100",
    "qdt": UNECE + "QualifiedDataType:100",
    "udt": UNECE + "UnqualifiedDataType:100",
}
PREFIXES = {uri: prefix for prefix, uri in NS.items()}
ROOT = etree.QName(NS["rsm"], "CrossDomainAcknowledgementAndResponse").text

SIREN = "0002"
DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
TIME_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
VALUES = ("ram:Value", "ram:ValueCode", "ram:ValueMeasure", "ram:ValueQuantity", "ram:ValueNumeric")
INNER_TEXT = etree.XPath("string()")


def read_status(document: bytes) -> StatusMessage:
    """Read one CDAR message.

    Raises:
        MalformedXml, ForbiddenDoctype, LimitExceeded: see safexml.
        UnknownSyntax: not a CDAR message, or one about several objects.
        BadValue: a part the message cannot be without is absent or empty, or a text is no date or number.
    """
    return read_status_tree(safexml.parse(document))


def read_status_tree(root: etree._Element) -> StatusMessage:
    """Read one CDAR message that is parsed already. Raises UnknownSyntax and BadValue, as read_status."""
    if root.tag != ROOT:
        raise UnknownSyntax(f"not a CDAR message: the root element is {location(root)[1:]}")
    header = one(root, "rsm:ExchangedDocument")
    acknowledgement = one(root, "rsm:AcknowledgementDocument")
    reference = one(acknowledgement, "ram:ReferenceReferencedDocument")
    context = "rsm:ExchangedDocumentContext/ram:{}SpecifiedDocumentContextParameter/ram:ID"
    return StatusMessage(
        business_process=text(root, context.format("BusinessProcess")),
        profile=needed(root, context.format("Guideline"), "MDT-3"),
        id=needed(header, "ram:ID", "MDT-4"),
        name=text(header, "ram:Name"),
        issued_at=moment_needed(header, "ram:IssueDateTime", "MDT-8"),
        sender=read_party(header, "ram:SenderTradeParty", "MDT-21"),
        issuer=read_party(header, "ram:IssuerTradeParty", "MDT-40"),
        recipients=tuple(party(node, "MDT-59") for node in header.iterfind("ram:RecipientTradeParty", NS)),
        type_code=needed(acknowledgement, "ram:TypeCode", "MDT-77"),
        set_at=moment_needed(acknowledgement, "ram:IssueDateTime", "MDT-78"),
        invoice_number=text(reference, "ram:IssuerAssignedID"),
        reference_status=text(reference, "ram:StatusCode"),
        invoice_type=text(reference, "ram:TypeCode"),
        received_at=moment(reference, "ram:ReceiptDateTime", "MDT-95"),
        reference_type=text(reference, "ram:ReferenceTypeCode"),
        invoice_date=day(reference, "ram:FormattedIssueDateTime", "MDT-100"),
        code=needed(reference, "ram:ProcessConditionCode", "MDT-105"),
        label=text(reference, "ram:ProcessCondition"),
        seller=identifier(reference.find("ram:IssuerTradeParty", NS)),
        details=tuple(read_detail(node) for node in reference.iterfind("ram:SpecifiedDocumentStatus", NS)),
    )


def write_status(message: StatusMessage) -> bytes:
    """Write one CDAR message as UTF-8. Passes the XSD and, if the message keeps the rules, the published rules.

    Details are numbered (MDT-124-2) in their order. Nothing is filled in: not even the label.

    Raises:
        CannotWrite: a time without zone, or a text with characters that XML cannot hold.
    """
    try:
        root = etree.Element(ROOT, nsmap=NS)
        write_context(root, message)
        write_header(root, message)
        write_acknowledgement(root, message)
    except ValueError as error:
        raise CannotWrite(f"status {message.code} of invoice {message.invoice_number}: {error}") from error
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def write_context(root: etree._Element, message: StatusMessage) -> None:
    """MDG-2 and MDG-3."""
    context = add(root, "rsm:ExchangedDocumentContext")
    if message.business_process is not None:
        process = add(context, "ram:BusinessProcessSpecifiedDocumentContextParameter")
        add(process, "ram:ID", message.business_process)
    guideline = add(context, "ram:GuidelineSpecifiedDocumentContextParameter")
    add(guideline, "ram:ID", message.profile)


def write_header(root: etree._Element, message: StatusMessage) -> None:
    """The message itself: MDT-4 to MDT-73."""
    header = add(root, "rsm:ExchangedDocument")
    add(header, "ram:ID", message.id)
    add_text(header, "ram:Name", message.name)
    add_moment(header, "ram:IssueDateTime", message.issued_at)
    write_party(header, "ram:SenderTradeParty", message.sender)
    write_party(header, "ram:IssuerTradeParty", message.issuer)
    for recipient in message.recipients:
        write_party(header, "ram:RecipientTradeParty", recipient)


def write_acknowledgement(root: etree._Element, message: StatusMessage) -> None:
    """The status and the invoice it is about: MDT-74 to MDT-224."""
    acknowledgement = add(root, "rsm:AcknowledgementDocument")
    add(add(acknowledgement, "ram:MultipleReferencesIndicator"), "udt:Indicator", "false")
    add(acknowledgement, "ram:TypeCode", message.type_code)
    add_moment(acknowledgement, "ram:IssueDateTime", message.set_at)
    reference = add(acknowledgement, "ram:ReferenceReferencedDocument")
    add_text(reference, "ram:IssuerAssignedID", message.invoice_number)
    add_text(reference, "ram:StatusCode", message.reference_status)
    add_text(reference, "ram:TypeCode", message.invoice_type)
    add_moment(reference, "ram:ReceiptDateTime", message.received_at)
    add_text(reference, "ram:ReferenceTypeCode", message.reference_type)
    if message.invoice_date is not None:
        issued = add(reference, "ram:FormattedIssueDateTime")
        add(issued, "qdt:DateTimeString", f"{message.invoice_date:%Y%m%d}").set("format", "102")
    add(reference, "ram:ProcessConditionCode", message.code)
    add_text(reference, "ram:ProcessCondition", message.label)
    if message.seller is not None:
        add_identifier(add(reference, "ram:IssuerTradeParty"), "ram:GlobalID", message.seller)
    for number, detail in enumerate(message.details, start=1):
        write_detail(add(reference, "ram:SpecifiedDocumentStatus"), detail, number)


# --- parties: MDG-9, MDG-16, MDG-23


def read_party(header: etree._Element, path: str, role_term: str) -> StatusParty:
    """The party at this path, which must be there."""
    node = header.find(path, NS)
    if node is None:
        raise BadValue(role_term, f"{location(header)}/{path}", "", "present")
    return party(node, role_term)


def party(node: etree._Element, role_term: str) -> StatusParty:
    """A sender, issuer or recipient."""
    return StatusParty(
        role=needed(node, "ram:RoleCode", role_term),
        identifier=identifier(node),
        name=text(node, "ram:Name"),
        electronic_address=identifier_at(node.find("ram:URIUniversalCommunication/ram:URIID", NS)),
    )


def write_party(header: etree._Element, name: str, value: StatusParty) -> None:
    """A sender, issuer or recipient, in the order of the schema."""
    node = add(header, name)
    add_identifier(node, "ram:GlobalID", value.identifier)
    add_text(node, "ram:Name", value.name)
    add(node, "ram:RoleCode", value.role)
    if value.electronic_address is not None:
        add_identifier(add(node, "ram:URIUniversalCommunication"), "ram:URIID", value.electronic_address)


def identifier(party_node: etree._Element | None) -> Identifier | None:
    """The SIREN of a party if it has one, else its first global identifier, else its first local one."""
    if party_node is None:
        return None
    nodes = [*party_node.iterfind("ram:GlobalID", NS), *party_node.iterfind("ram:ID", NS)]
    found = [value for node in nodes if (value := identifier_at(node)) is not None]
    return next((value for value in found if value.scheme == SIREN), found[0] if found else None)


def identifier_at(node: etree._Element | None) -> Identifier | None:
    """An identifier with its scheme; None for an absent or empty element."""
    value = content(node)
    return None if node is None or value is None else Identifier(value=value, scheme=node.get("schemeID"))


# --- details: MDG-37 and MDG-43


def read_detail(node: etree._Element) -> StatusDetail:
    """One reason. Its number (MDT-124-2) is its place."""
    return StatusDetail(
        reason_code=text(node, "ram:ReasonCode"),
        reason=text(node, "ram:Reason"),
        action_code=text(node, "ram:RequestedActionCode"),
        action=text(node, "ram:RequestedAction"),
        rule=text(node, "ram:IncludedNote/ram:ContentCode"),
        comment=text(node, "ram:IncludedNote/ram:Content"),
        subject=text(node, "ram:IncludedNote/ram:SubjectCode"),
        amounts=tuple(read_amount(child) for child in node.iterfind("ram:SpecifiedDocumentCharacteristic", NS)),
    )


def write_detail(node: etree._Element, detail: StatusDetail, number: int) -> None:
    """One reason, with its number."""
    add_text(node, "ram:ReasonCode", detail.reason_code)
    add_text(node, "ram:Reason", detail.reason)
    add_text(node, "ram:RequestedActionCode", detail.action_code)
    add_text(node, "ram:RequestedAction", detail.action)
    add(node, "ram:SequenceNumeric", str(number))
    if (detail.rule, detail.comment, detail.subject) != (None, None, None):
        note = add(node, "ram:IncludedNote")
        add_text(note, "ram:ContentCode", detail.rule)
        add_text(note, "ram:Content", detail.comment)
        add_text(note, "ram:SubjectCode", detail.subject)
    for amount in detail.amounts:
        write_amount(add(node, "ram:SpecifiedDocumentCharacteristic"), amount)


def read_amount(node: etree._Element) -> StatusAmount:
    """One characteristic."""
    amount = node.find("ram:ValueAmount", NS)
    changed = text(node, "ram:ValueChangedIndicator/*")
    return StatusAmount(
        type_code=needed(node, "ram:TypeCode", "MDT-207"),
        amount=decimal(node, "ram:ValueAmount", "MDT-215"),
        currency=None if amount is None else amount.get("currencyID"),
        vat_rate=decimal(node, "ram:ValuePercent", "MDT-224"),
        on=day(node, "ram:ValueDateTime", "MDT-219"),
        term=text(node, "ram:ID"),
        name=text(node, "ram:Name"),
        location=text(node, "ram:Location"),
        changed=None if changed is None else changed in {"true", "1"},
        value=next((value for path in VALUES if (value := text(node, path)) is not None), None),
    )


def write_amount(node: etree._Element, amount: StatusAmount) -> None:
    """One characteristic, in the order of the schema. A currency without an amount is not written."""
    add_text(node, "ram:ID", amount.term)
    add(node, "ram:TypeCode", amount.type_code)
    if amount.changed is not None:
        indicator = add(node, "ram:ValueChangedIndicator")
        add(indicator, "udt:IndicatorString", "true" if amount.changed else "false")
    add_text(node, "ram:Name", amount.name)
    add_text(node, "ram:Location", amount.location)
    add_text(node, "ram:Value", amount.value)
    if amount.amount is not None:
        money = add(node, "ram:ValueAmount", format(amount.amount, "f"))
        if amount.currency is not None:
            money.set("currencyID", amount.currency)
    if amount.on is not None:
        on = add(node, "ram:ValueDateTime")
        add(on, "udt:DateTimeString", f"{amount.on:%Y%m%d}").set("format", "102")
    if amount.vat_rate is not None:
        add(node, "ram:ValuePercent", format(amount.vat_rate, "f"))


# --- values


def one(parent: etree._Element, path: str) -> etree._Element:
    """The only element at this path."""
    found = parent.findall(path, NS)
    if not found:
        raise BadValue("MDT-87" if "Reference" in path else "MDT-4", f"{location(parent)}/{path}", "", "present")
    if len(found) > 1:
        raise UnknownSyntax(f"a CDAR message about several objects: {len(found)} {path} in {location(parent)}")
    return found[0]


def content(node: etree._Element | None) -> str | None:
    """The text of an element without the blanks around it; None for an absent or empty one."""
    return None if node is None else str(INNER_TEXT(node)).strip() or None


def texts(node: etree._Element, path: str) -> Iterator[str]:
    """The texts that are not empty at this path."""
    return (value for child in node.iterfind(path, NS) if (value := content(child)) is not None)


def text(node: etree._Element, path: str) -> str | None:
    """The text at this path; several are joined by line breaks, since reasons and notes may repeat."""
    return "\n".join(texts(node, path)) or None


def needed(node: etree._Element, path: str, term: str) -> str:
    """The text at this path, which must not be empty."""
    value = text(node, path)
    if value is None:
        raise BadValue(term, f"{location(node)}/{path}", "", "present")
    return value


def decimal(node: etree._Element, path: str, term: str) -> Decimal | None:
    """An XML Schema decimal: no exponent, no comma."""
    value = text(node, path)
    if value is not None and not DECIMAL.fullmatch(value):
        raise BadValue(term, f"{location(node)}/{path}", value, "a decimal number")
    return None if value is None else Decimal(value)


def moment(node: etree._Element, path: str, term: str) -> datetime | None:
    """A time in format 204 (also 203, 102, or xsd:dateTime), as UTC; a time without zone is taken as UTC."""
    value = text(node, path + "/*")
    if value is None:
        return None
    try:
        if value.isascii() and value.isdigit() and len(value) in TIME_FORMATS:
            return datetime.strptime(value, TIME_FORMATS[len(value)]).replace(tzinfo=UTC)
        when = datetime.fromisoformat(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(term, f"{location(node)}/{path}", value, "a time YYYYMMDDhhmmss") from None


def moment_needed(node: etree._Element, path: str, term: str) -> datetime:
    """A time that must be there."""
    value = moment(node, path, term)
    if value is None:
        raise BadValue(term, f"{location(node)}/{path}", "", "present")
    return value


def day(node: etree._Element, path: str, term: str) -> date | None:
    """The day at this path; a time of day, if any, is dropped."""
    value = moment(node, path, term)
    return None if value is None else value.date()


def location(node: etree._Element) -> str:
    """The path of an element in the prefixes of the machine contract, without positions."""
    steps = [etree.QName(step) for step in [*reversed(list(node.iterancestors())), node]]
    return "".join(f"/{PREFIXES.get(step.namespace or '', '?')}:{step.localname}" for step in steps)


def add(parent: etree._Element, name: str, value: str | None = None) -> etree._Element:
    """A new last child, with a text. Raises ValueError for a text that XML cannot hold."""
    prefix, _, local = name.partition(":")
    child = etree.SubElement(parent, etree.QName(NS[prefix], local))
    child.text = value
    return child


def add_text(parent: etree._Element, name: str, value: str | None) -> None:
    """A new last child, if there is something to say."""
    if value is not None:
        add(parent, name, value)


def add_moment(parent: etree._Element, name: str, value: datetime | None) -> None:
    """A time in format 204, UTC."""
    if value is not None:
        add(add(parent, name), "udt:DateTimeString", stamp(value)).set("format", "204")


def add_identifier(parent: etree._Element, name: str, value: Identifier | None) -> None:
    """An identifier with its scheme."""
    if value is not None:
        child = add(parent, name, value.value)
        if value.scheme is not None:
            child.set("schemeID", value.scheme)

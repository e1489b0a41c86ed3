"""Bank statements as banks write them, in four versions of CAMT.053: made here, with invented accounts and names."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

ACCOUNT = "FR7600000000010000000000148"
VERSIONS = ("001.02", "001.04", "001.08", "001.13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One transaction."""

    amount: str
    text: str = ""
    structured: str | None = None
    end_to_end: str | None = None
    name: str | None = "Aubrac Approuve"
    iban: str | None = "FR7600000000020000000000245"
    reference: str | None = None
    returned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of one or several parts; its amount is their sum unless it says otherwise."""

    parts: tuple[Part, ...]
    reference: str | None = "auto"
    """AcctSvcrRef; `auto` is made from the content."""

    sign: str = "CRDT"
    currency: str = "EUR"
    booked: str = "2026-11-20"
    value: str | None = "2026-11-20"
    status: str = "BOOK"
    reversal: bool = False
    amount: str | None = None
    told: bool = True
    """Whether the parts stand in the file with their amounts."""


def paid(amount: str, text: str = "", **more: object) -> Entry:
    """An entry of one transaction; keywords of both classes."""
    of_part = {name: more.pop(name) for name in list(more) if name in Part.__slots__ and name not in {
        "reference", "amount"}}
    return Entry(parts=(Part(amount=amount, text=text, **of_part),), **more)  # type: ignore[arg-type]  # many types


def statement(
    *entries: Entry, version: str = "001.08", id: str = "STMT-1", account: str = ACCOUNT,  # noqa: A002 - CAMT's name
    opening: str | None = "1000.00", closing: str | None = None, page: str | None = None,
) -> bytes:
    """One file with one statement, valid under the published schema of its version."""
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.{version}"
    root = etree.Element(f"{{{space}}}Document", nsmap={None: space})
    message = add(root, "BkToCstmrStmt")
    header = add(message, "GrpHdr")
    add(header, "MsgId", f"MSG-{id}")
    add(header, "CreDtTm", "2026-11-21T06:00:00")
    body = add(message, "Stmt")
    add(body, "Id", id)
    if page is not None:
        place = add(body, "StmtPgntn")
        add(place, "PgNb", page)
        add(place, "LastPgInd", "false")
    add(body, "CreDtTm", "2026-11-21T06:00:00")
    add(add(add(body, "Acct"), "Id"), "IBAN", account)
    booked = [entry for entry in entries if entry.status == "BOOK"]
    if opening is not None:
        total = sum((amount_of(one) * (1 if one.sign == "CRDT" else -1) for one in booked), Decimal(opening))
        balance(body, "OPBD", opening)
        balance(body, "CLBD", closing or str(total))
    for number, one in enumerate(entries):
        write_entry(body, one, number, version=version)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def amount_of(entry: Entry) -> Decimal:
    return Decimal(entry.amount) if entry.amount else sum((Decimal(part.amount) for part in entry.parts), Decimal(0))


def add(node: etree._Element, name: str, text: str | None = None) -> etree._Element:
    made = etree.SubElement(node, f"{{{etree.QName(node).namespace}}}{name}")
    made.text = text
    return made


def money(node: etree._Element, name: str, amount: str | Decimal, currency: str = "EUR") -> None:
    add(node, name, str(amount)).set("Ccy", currency)


def balance(body: etree._Element, kind: str, amount: str) -> None:
    node = add(body, "Bal")
    add(add(add(node, "Tp"), "CdOrPrtry"), "Cd", kind)
    money(node, "Amt", amount.lstrip("-"))
    add(node, "CdtDbtInd", "DBIT" if amount.startswith("-") else "CRDT")
    add(add(node, "Dt"), "Dt", date(2026, 11, 20).isoformat())


def write_entry(body: etree._Element, entry: Entry, number: int, *, version: str) -> None:
    node = add(body, "Ntry")
    money(node, "Amt", amount_of(entry), entry.currency)
    add(node, "CdtDbtInd", entry.sign)
    if entry.reversal:
        add(node, "RvslInd", "true")
    if version >= "001.08":
        add(add(node, "Sts"), "Cd", entry.status)
    else:
        add(node, "Sts", entry.status)
    add(add(node, "BookgDt"), "Dt", entry.booked)
    if entry.value:
        add(add(node, "ValDt"), "Dt", entry.value)
    if entry.reference is not None:
        add(node, "AcctSvcrRef", f"BANK-{entry.booked}-{number}" if entry.reference == "auto" else entry.reference)
    code = add(add(node, "BkTxCd"), "Domn")
    add(code, "Cd", "PMNT")
    family = add(code, "Fmly")
    add(family, "Cd", "RCDT")
    add(family, "SubFmlyCd", "ESCT")
    details = add(node, "NtryDtls")
    if len(entry.parts) > 1 or not entry.told:
        add(add(details, "Btch"), "NbOfTxs", str(len(entry.parts)))
    for part in entry.parts if entry.told else ():
        write_part(details, entry, part, version=version)


def write_part(details: etree._Element, entry: Entry, part: Part, *, version: str) -> None:
    node = add(details, "TxDtls")
    references = add(node, "Refs")
    if part.reference is not None:
        add(references, "AcctSvcrRef", part.reference)
    add(references, "EndToEndId", part.end_to_end or "NOTPROVIDED")
    if version >= "001.04":
        money(node, "Amt", part.amount, entry.currency)
        add(node, "CdtDbtInd", entry.sign)
    else:
        money(add(add(node, "AmtDtls"), "TxAmt"), "Amt", part.amount, entry.currency)
    side = "Dbtr" if entry.sign == "CRDT" else "Cdtr"
    if part.name or part.iban:
        parties = add(node, "RltdPties")
        if part.name:
            party = add(parties, side)
            add(add(party, "Pty") if version >= "001.08" else party, "Nm", part.name)
        if part.iban:
            add(add(add(parties, f"{side}Acct"), "Id"), "IBAN", part.iban)
    if part.text or part.structured:
        remittance = add(node, "RmtInf")
        if part.text:
            add(remittance, "Ustrd", part.text)
        if part.structured:
            reference = add(add(remittance, "Strd"), "CdtrRefInf")
            add(add(add(reference, "Tp"), "CdOrPrtry"), "Cd", "SCOR")
            add(reference, "Ref", part.structured)
    if part.returned:
        add(add(add(node, "RtrInf"), "Rsn"), "Cd", "AC04")

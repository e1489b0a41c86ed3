"""CAMT.053 (ISO 20022, bank to customer statement) -> BankStatements. Read with the one hardened parser.

Versions 001.02 to 001.13 say what is read here in the same places but for two: the status (`Sts`, later `Sts/Cd`) and
the party (`Dbtr/Nm`, later `Dbtr/Pty/Nm`). Structure is asked for where the content cannot be read without it; the
published schemas are not applied, since statements that leave out what no reader needs are common and must not be lost.
Nothing is guessed: what is missing is refused by its name.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

from formats import safexml
from formats.bank import BankStatements, Movement, Statement
from formats.errors import BadValue, UnknownSyntax

FAMILY = "urn:iso:std:iso:20022:tech:xsd:"
VERSIONS = frozenset(f"camt.053.001.{number:02}" for number in range(2, 14))
OTHERS = {
    "camt.052": "an interim report: its movements are not final, and the statement tells them again",
    "camt.054": "a notification: the statement tells its movements again",
    "pain.": "an order to the bank: it says what is wanted, not what happened",
}
"""What people take for a statement."""

AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{0,5})?|\.[0-9]{1,5}")
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*|Z|[+-][0-9]{2}:[0-9]{2})?")
NO_REFERENCE = frozenset({"", "NOTPROVIDED", "NOT PROVIDED", "NONREF", "NONE"})
MOST_TEXT = 2000
BOOKED = "BOOK"


def read_bank_file(document: bytes) -> BankStatements:
    """Read one CAMT.053 file.

    Raises:
        MalformedXml, ForbiddenDoctype, LimitExceeded: see safexml.
        UnknownSyntax: another kind of document, or another version; the text names it.
        BadValue: an account, amount, currency, direction or date is missing or is none.
    """
    root = safexml.parse(document)
    version = _version(root)
    space = f"{{{FAMILY}{version}}}"
    message = root.find(f"{space}BkToCstmrStmt")
    if message is None:
        raise UnknownSyntax(f"{version} without a statement (BkToCstmrStmt)")
    found = _Reader(space)
    return BankStatements(
        version=version, message_id=found.text(message, "GrpHdr/MsgId") or "",
        statements=tuple(found.statement(node, found.text(message, "GrpHdr/MsgPgntn/PgNb"))
                         for node in message.iterfind(f"{space}Stmt")),
    )


def _version(root: etree._Element) -> str:
    name = etree.QName(root)
    version = (name.namespace or "").removeprefix(FAMILY)
    if name.localname != "Document" or version not in VERSIONS:
        shown = version if (name.namespace or "").startswith(FAMILY) else str(root.tag)
        what = next((f", {words}" for kind, words in OTHERS.items() if version.startswith(kind)), "")
        raise UnknownSyntax(f"not a CAMT.053 of the versions 001.02 to 001.13 but {shown[:120]}{what}")
    return version


class _Reader:
    """The steps down one document, in its namespace."""

    def __init__(self, space: str) -> None:
        self._space = space

    def path(self, steps: str) -> str:
        """`a/b` as lxml wants it."""
        return "/".join(self._space + step for step in steps.split("/"))

    def all(self, node: etree._Element, steps: str) -> Iterator[etree._Element]:
        """Every element at this place."""
        return node.iterfind(self.path(steps))

    def text(self, node: etree._Element, *places: str) -> str | None:
        """The first text that is not blank among these places."""
        for steps in places:
            text = " ".join((node.findtext(self.path(steps)) or "").split())
            if text:
                return text[:MOST_TEXT]
        return None

    def reference(self, node: etree._Element, *places: str) -> str | None:
        """As `text`, but for the words that banks write where there is none, also for who paid and from where."""
        found = (self.text(node, steps) for steps in places)
        return next((text for text in found if text and text.upper() not in NO_REFERENCE), None)

    def day(self, node: etree._Element, steps: str) -> date | None:
        """A date, or the date of a time as the bank wrote it; None where there is none."""
        text = self.text(node, f"{steps}/Dt", f"{steps}/DtTm")
        if text is None:
            return None
        matched = DAY.fullmatch(text)
        try:
            return date.fromisoformat(matched[1] if matched else "")
        except ValueError:
            raise BadValue(steps, _place(node), text, "a date") from None

    def amount(self, node: etree._Element, steps: str = "Amt") -> tuple[Decimal, str]:
        """An amount without sign, and its currency."""
        found = node.find(self.path(steps))
        text = "" if found is None else (found.text or "").strip()
        if found is None or not AMOUNT.fullmatch(text):
            raise BadValue("Amt", _place(node), text[:40], "an amount")
        currency = found.get("Ccy", "")
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise BadValue("Amt/@Ccy", _place(node), currency[:40], "a currency")
        return Decimal(text), currency

    def sign(self, node: etree._Element) -> Decimal:
        """1 for money that came in, -1 for money that went."""
        word = self.text(node, "CdtDbtInd")
        if word not in {"CRDT", "DBIT"}:
            raise BadValue("CdtDbtInd", _place(node), (word or "")[:40], "CRDT or DBIT")
        return Decimal(1 if word == "CRDT" else -1)

    def statement(self, node: etree._Element, page: str | None) -> Statement:
        """One Stmt, of the message's page."""
        account = self.text(node, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
        if account is None:
            raise BadValue("Acct/Id", _place(node), "", "an account")
        entries = list(self.all(node, "Ntry"))
        booked = [entry for entry in entries if (self.text(entry, "Sts/Cd", "Sts") or BOOKED) == BOOKED]
        parts = [self.movements(entry) for entry in booked]
        return Statement(
            id=self.text(node, "Id") or "", sequence=self.text(node, "ElctrncSeqNb", "LglSeqNb"),
            page=self.text(node, "StmtPgntn/PgNb") or page, account=account.replace(" ", ""),
            currency=self.text(node, "Acct/Ccy"), movements=tuple(one for movements, _ in parts for one in movements),
            pending=len(entries) - len(booked),
            opening=self.balance(node, "OPBD", "PRCD"), closing=self.balance(node, "CLBD"),
            unsplit=sum(not split for _, split in parts),
        )

    def balance(self, node: etree._Element, *kinds: str) -> Decimal | None:
        """The balance of the first of these kinds that there is once."""
        for kind in kinds:
            found = [one for one in self.all(node, "Bal") if self.text(one, "Tp/CdOrPrtry/Cd") == kind]
            if len(found) == 1:
                return self.amount(found[0])[0] * self.sign(found[0])
        return None

    def movements(self, entry: etree._Element) -> tuple[tuple[Movement, ...], bool]:
        """What one entry says, in parts where they add up to it; and whether nothing remained unsplit."""
        details = list(self.all(entry, "NtryDtls/TxDtls"))
        announced = sum(int(text) for one in self.all(entry, "NtryDtls/Btch")
                        if (text := self.text(one, "NbOfTxs") or "").isdecimal())
        whole = self.amount(entry)[0]
        if len(details) > 1 and announced in {0, len(details)}:
            amounts = [self.part(entry, detail) for detail in details]
            if sum((part for part in amounts if part is not None), Decimal(0)) == whole and None not in amounts:
                return tuple(self.movement(entry, detail, part) for detail, part in zip(details, amounts, strict=True)
                             if part is not None), True
        single = len(details) == 1 and announced <= 1
        return (self.movement(entry, details[0] if single else None, whole, several=not single),), (
            single or (not details and announced <= 1))

    def part(self, entry: etree._Element, detail: etree._Element) -> Decimal | None:
        """What a transaction adds to its entry, in the entry's currency; None where it does not say so."""
        currency, same = self.amount(entry)[1], self.text(detail, "CdtDbtInd") in {None, self.text(entry, "CdtDbtInd")}
        for steps in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
            if detail.find(self.path(steps)) is not None:
                amount, of = self.amount(detail, steps)
                if of == currency:
                    return amount if same else -amount
        return None

    def movement(
        self, entry: etree._Element, detail: etree._Element | None, amount: Decimal, *, several: bool = True
    ) -> Movement:
        """One movement: the whole entry, or the part of one transaction."""
        sign = self.sign(entry)
        booked, value = self.day(entry, "BookgDt"), self.day(entry, "ValDt")
        if booked is None and value is None:
            raise BadValue("BookgDt", _place(entry), "", "a date")
        told = entry if detail is None else detail
        bank = self.reference(entry, "AcctSvcrRef")
        own = None if detail is None else self.reference(detail, "Refs/AcctSvcrRef")
        side = "Dbtr" if sign * amount > 0 else "Cdtr"
        reversal = (self.text(entry, "RvslInd") or "false") in {"true", "1"}
        return Movement(
            amount=sign * amount, currency=self.amount(entry)[1], booked_on=booked or value or date.min,
            value_on=value or booked or date.min,
            returned=reversal or told.find(self.path("RtrInf")) is not None,
            reference=own or (None if several and detail is not None else bank), batch_reference=bank,
            entry_reference=self.reference(entry, "NtryRef"),
            end_to_end=self.reference(told, "Refs/EndToEndId"),
            transaction=self.reference(told, "Refs/TxId", "Refs/InstrId", "Refs/MsgId"),
            name=self.reference(told, f"RltdPties/{side}/Pty/Nm", f"RltdPties/{side}/Nm",
                                f"RltdPties/Ultmt{side}/Pty/Nm", f"RltdPties/Ultmt{side}/Nm"),
            iban=_compact(self.reference(told, f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id")),
            remittance=self.remittance(told),
            creditor_reference=self.reference(told, "RmtInf/Strd/CdtrRefInf/Ref"),
            information=self.text(told, "AddtlTxInf") or self.text(entry, "AddtlNtryInf"),
        )

    def remittance(self, told: etree._Element) -> str:
        """What the payer wrote: every unstructured line, then the numbers of the documents that it refers to."""
        lines = [node.text or "" for node in self.all(told, "RmtInf/Ustrd")]
        lines += [node.text or "" for node in self.all(told, "RmtInf/Strd/RfrdDocInf/Nb")]
        lines += [node.text or "" for node in self.all(told, "RmtInf/Strd/AddtlRmtInf")]
        return " ".join(" ".join(lines).split())[:MOST_TEXT]


def _compact(text: str | None) -> str | None:
    return text.replace(" ", "") if text else None


def _place(node: etree._Element) -> str:
    """Where something is missing: the path in the document, and the line."""
    names = [etree.QName(one).localname for one in (*reversed(list(node.iterancestors())), node)]
    return f"/{'/'.join(names)}, line {node.sourceline}"

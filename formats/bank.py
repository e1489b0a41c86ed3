"""What a bank says happened on accounts: the part of CAMT.053 by which money is matched to invoices. Pure data.

Element names of ISO 20022 stand in the docstrings. Amounts are signed: above zero came in. Written by camt.py.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One booked entry (Ntry), or one transaction (TxDtls) of an entry that says what each of its parts is."""

    amount: Decimal
    """Amt with the sign of CdtDbtInd: CRDT above zero, DBIT below, for reversals too."""

    currency: str
    booked_on: date
    """BookgDt, else ValDt."""

    value_on: date
    """ValDt, else BookgDt."""

    returned: bool = False
    """RvslInd, or RtrInf: it takes back an earlier movement."""

    reference: str | None = None
    """AcctSvcrRef of the transaction, else of an entry that has only one: the bank's own name for it."""

    batch_reference: str | None = None
    """AcctSvcrRef of the entry that a transaction is part of."""

    entry_reference: str | None = None
    """NtryRef: unique in one statement at most."""

    end_to_end: str | None = None
    """EndToEndId, as the payer gave it; without NOTPROVIDED."""

    transaction: str | None = None
    """TxId, else InstrId, else MsgId of the order."""

    name: str | None = None
    """Nm of the debtor of what came in, of the creditor of what went out."""

    iban: str | None = None
    """IBAN, else other id, of the same party."""

    remittance: str = ""
    """Ustrd of all parts, and the numbers of the documents that Strd refers to, one after another."""

    creditor_reference: str | None = None
    """CdtrRefInf/Ref, as SCOR (ISO 11649) or of another kind."""

    information: str | None = None
    """AddtlTxInf, else AddtlNtryInf: the bank's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement (Stmt) of one account."""

    id: str
    account: str
    """IBAN, else Othr/Id."""

    currency: str | None
    movements: tuple[Movement, ...]
    sequence: str | None = None
    """ElctrncSeqNb, else LglSeqNb."""

    page: str | None = None
    """PgNb of the statement, else of the message: the pages of one statement may share its id."""

    pending: int = 0
    """Entries that are only announced (PDNG, INFO, FUTR): nothing is taken of them."""

    opening: Decimal | None = None
    """OPBD, else PRCD."""

    closing: Decimal | None = None
    """CLBD."""

    unsplit: int = 0
    """Entries of several transactions whose amounts are not told, or do not add up: each is one movement."""

    @property
    def difference(self) -> Decimal | None:
        """Closing balance less opening balance and movements; None where one of the balances is missing."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - sum((one.amount for one in self.movements), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatements:
    """One file."""

    version: str
    """`camt.053.001.08` and the like."""

    message_id: str
    statements: tuple[Statement, ...]

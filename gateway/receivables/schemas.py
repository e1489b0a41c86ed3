"""What goes over the wire about payments. Amounts are decimals as text."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.receivables.balance import Balance
from gateway.tables import Payment

MoneyText = Annotated[str, Field(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,2})?$", examples=["1200.00", "-50.00"])]


class PaymentIn(BaseModel):
    """Money received for an invoice, or a reversal of it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    amount: MoneyText
    """With VAT, in the invoice currency; negative takes back what was recorded."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Must be that of the invoice; may be left out."""

    paid_on: date
    """The day the money came in, French calendar."""

    method: Annotated[str, Field(max_length=60)] | None = None
    reference: Annotated[str, Field(max_length=140)] | None = None

    @property
    def value(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class BalanceOut(Out):
    """What is due, what came in, what credit notes took off, what is left; open, partial, paid or overpaid."""

    due: str
    paid: str
    credited: str
    outstanding: str
    state: str
    currency: str | None


class VatStatusOut(Out):
    """The 212 of a payment: `queued`, `sent`; `held`, `refused`, `given-up` or `not-due` with the reason."""

    state: str
    reason: str | None


class PaymentOut(Out):
    """One payment."""

    id: str
    amount: str
    currency: str
    paid_on: date
    method: str | None
    reference: str | None
    recorded_at: datetime
    actor: str


class PaymentRecordedOut(PaymentOut):
    """The answer to a recorded payment: with the balance right after it."""

    balance: BalanceOut
    vat_status: VatStatusOut


class ListedPaymentOut(PaymentOut):
    """A payment with what became of its 212."""

    vat_status: VatStatusOut


class ReconciliationOut(Out):
    """The ledger beside the statuses 212: what their sum should be, what it is, and whether the two are the same."""

    to_tell: str
    told: str
    meets: bool


class PaymentListOut(Out):
    """Every payment of an invoice, in the order of recording, the balance after them, and what the State knows."""

    items: list[ListedPaymentOut]
    balance: BalanceOut
    reconciliation: ReconciliationOut


def payment_out(row: Payment) -> PaymentOut:
    """A stored payment as it is shown."""
    return PaymentOut(
        id=row.id, amount=format(row.amount, "f"), currency=row.currency, paid_on=row.paid_on, method=row.method,
        reference=row.reference, recorded_at=row.recorded_at, actor=row.actor,
    )


def balance_out(balance: Balance, currency: str | None) -> BalanceOut:
    """A balance as it is shown."""
    return BalanceOut(
        due=format(balance.due, "f"), paid=format(balance.paid, "f"),
        credited=format(balance.credited, "f"), outstanding=format(balance.outstanding, "f"),
        state=balance.settlement.value, currency=currency,
    )

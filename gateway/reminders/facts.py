"""What a reminder decision rests on: the state of one invoice on one day, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Status:
    """A lifecycle status of the invoice."""

    code: str
    """MDT-105, e.g. "207"."""

    on: date
    """The day on which it was set, in France; never after the day on which we learned it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A hold that a person set and nobody has lifted, or a case of the client that is open."""

    kind: str
    """promise, plan, dispute, insolvency, manual; missing or contact for an open case."""

    reason: str
    until: date | None = None
    """Last day of the hold; None: until it is lifted."""

    def covers(self, day: date) -> bool:
        """Whether the hold is in force on a day."""
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A stage that went out, or is going out, or may have gone out."""

    stage: str
    offset: int | None
    """Days from the due date that the stage had then; None for thanks."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person said about a stage that wants one."""

    stage: str
    granted: bool
    balance: Decimal
    """What was owed then: a higher balance wants a new approval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Money on the bank account that probably pays an invoice, and that no person has confirmed or set aside."""

    movement: str
    """Its id in the bank room."""

    on: date
    """The day on which it was booked."""

    amount: Decimal
    currency: str
    number: str
    """The invoice that it probably pays: this one, or another one that a letter about this one would name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One invoice as it stands. Amounts are in `currency`."""

    number: str
    due_date: date | None
    """BT-9."""

    received_on: date
    """The day on which the invoice was given to us."""

    currency: str
    due: Decimal
    """BT-115: what was to be paid when the invoice was issued."""

    paid: Decimal = Decimal(0)
    """Sum of the payments recorded, less reversals."""

    unrecorded: bool | None = None
    """Whether a 212 tells of money that was never recorded here; None: not known (a 212 is in euro)."""

    credited: Decimal = Decimal(0)
    """Sum of the credit notes that name this invoice and no other."""

    paid_known_on: date | None = None
    """The day on which we learned of the latest payment."""

    shared_credit: str | None = None
    """Number of a credit note that names several invoices, or is in another currency: nobody said how it counts."""

    paid_before: str | None = None
    """Number of an invoice that this one replaces and on which there is money: nobody said whether it counts here."""

    corrected_by: str | None = None
    """Number of a corrected invoice that replaces this one."""

    credit_note: bool = False
    already_paid: bool = False
    """By its billing frame (B2, S2, M2)."""

    active: bool = True
    """False once the submission was refused, rejected or replaced."""

    transmission: str = "deposited"
    entity_enabled: bool = True
    email: str | None = None
    phone: str | None = None
    """A number for SMS that a person settled."""

    by_sms: bool = False
    """What goes by mail goes to that number instead."""

    texting: bool = True
    """There is a channel for SMS to clients."""

    refused_addresses: tuple[str, ...] = ()
    """Addresses that a mail server refused for good."""

    statuses: tuple[Status, ...] = ()
    """In the order in which they were set, doubles included."""

    waits: tuple[Wait, ...] = ()
    sent: tuple[Sent, ...] = ()
    approvals: tuple[Approval, ...] = ()
    pending: Pending | None = None
    watched: bool = False
    """A person approves whatever goes to this client after the due date."""

    region: str | None = None
    """Where the client has further public holidays; None: as the scenario says."""

    @property
    def balance(self) -> Decimal:
        """What is still to be paid."""
        return self.due - self.paid - self.credited

    def to_json(self) -> dict[str, Any]:
        """For the decision's record: everything that it rests on, so that anybody can decide again (`from_json`)."""
        return {
            "number": self.number, "due_date": _text(self.due_date), "received_on": _text(self.received_on),
            "currency": self.currency, "due": format(self.due, "f"), "paid": format(self.paid, "f"),
            "credited": format(self.credited, "f"), "balance": format(self.balance, "f"),
            "unrecorded": self.unrecorded,
            "paid_known_on": _text(self.paid_known_on), "shared_credit": self.shared_credit,
            "paid_before": self.paid_before, "corrected_by": self.corrected_by,
            "credit_note": self.credit_note, "already_paid": self.already_paid,
            "active": self.active, "transmission": self.transmission, "entity_enabled": self.entity_enabled,
            "email": self.email, "phone": self.phone, "by_sms": self.by_sms, "texting": self.texting,
            "refused_addresses": list(self.refused_addresses), "watched": self.watched,
            "region": self.region, "pending": None if self.pending is None else {
                "movement": self.pending.movement, "on": self.pending.on.isoformat(),
                "amount": format(self.pending.amount, "f"), "currency": self.pending.currency,
                "number": self.pending.number},
            "statuses": [{"code": status.code, "on": status.on.isoformat()} for status in self.statuses],
            "holds": [{"kind": wait.kind, "reason": wait.reason, "until": _text(wait.until)} for wait in self.waits],
            "sent": [{"stage": sent.stage, "offset": sent.offset, "on": sent.on.isoformat()} for sent in self.sent],
            "approvals": [{"stage": one.stage, "granted": one.granted, "balance": format(one.balance, "f")}
                          for one in self.approvals],
        }


PLAIN = ("number", "currency", "shared_credit", "corrected_by", "credit_note", "already_paid", "active", "transmission",
         "entity_enabled", "email", "watched", "region")
"""Fields that JSON has as they are."""


def from_json(told: Mapping[str, Any]) -> Facts:
    """The facts of a record. Raises KeyError for a record of before everything was kept."""
    plain: dict[str, Any] = {name: told[name] for name in PLAIN}
    return Facts(
        **plain, paid_before=told.get("paid_before"), unrecorded=told.get("unrecorded"),
        phone=told.get("phone"), by_sms=told.get("by_sms", False), texting=told.get("texting", True),
        due_date=_day(told["due_date"]), paid_known_on=_day(told["paid_known_on"]), due=Decimal(told["due"]),
        paid=Decimal(told["paid"]), credited=Decimal(told["credited"]),
        received_on=date.fromisoformat(told["received_on"]),
        refused_addresses=tuple(told["refused_addresses"]),
        pending=_pending(told.get("pending")),
        statuses=tuple(Status(one["code"], date.fromisoformat(one["on"])) for one in told["statuses"]),
        waits=tuple(Wait(kind=one["kind"], reason=one["reason"], until=_day(one["until"])) for one in told["holds"]),
        sent=tuple(Sent(stage=one["stage"], offset=one["offset"], on=date.fromisoformat(one["on"]))
                   for one in told["sent"]),
        approvals=tuple(Approval(stage=one["stage"], granted=one["granted"], balance=Decimal(one["balance"]))
                        for one in told["approvals"]),
    )


def _pending(told: Mapping[str, str] | None) -> Pending | None:
    return None if told is None else Pending(
        movement=told["movement"], on=date.fromisoformat(told["on"]), amount=Decimal(told["amount"]),
        currency=told["currency"], number=told["number"])


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

"""What goes over the wire about invoices, as the machine contract has it."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from formats.codes import STATUSES
from gateway.outgoing.paths import Path, path_of, standing_of
from gateway.tables import Document, Event, Submission


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class Asking(BaseModel):
    """What may be asked of a document beside its name; without effect where it is named by its hash."""

    profile: str | None = None
    lang: Literal["fr", "en"] | None = None
    strict: bool = False
    report: bool = False
    annex: bool = False


class SubmissionOut(Out):
    """The answer to a posted invoice."""

    id: str
    verdict: str
    findings: list[dict[str, Any]]


class TransmissionOut(Out):
    """Where the invoice is on its way to the platform; says nothing about what the buyer does with it."""

    state: str
    reason: str | None


class LifecycleOut(Out):
    """The latest status that counts (CDAR code and French label); null before the first."""

    code: str | None
    label: str | None


class EventOut(Out):
    """One thing that happened, with our clock and the platform's."""

    at: datetime
    platform_at: datetime | None
    kind: str
    code: str
    actor: str
    reason: str | None


class DocumentOut(Out):
    """One kept object."""

    role: str
    syntax: str | None
    sha256: str
    href: str


class InvoiceRowOut(Out):
    """An invoice in a list."""

    id: str
    number: str | None
    issue_date: date | None
    seller: str | None
    buyer: str | None
    total: str | None
    currency: str | None
    verdict: str
    transmission: TransmissionOut
    lifecycle: LifecycleOut


class AdviceOut(Out):
    """What to do, in words."""

    fr: str
    en: str


class PathOut(Out):
    """What is possible with an invoice now."""

    code: str
    locked: bool
    """These bytes and this number are, or may be, at the platform."""

    number: Literal["same", "new"] | None
    """Under which number a corrected invoice may be sent."""

    actions: list[str]
    """Of retry, send-anyway, close (POST .../decision) and resend (POST .../resend)."""

    advice: AdviceOut


class DecisionIn(BaseModel):
    """What a person decides about an invoice that waits."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["retry", "send-anyway", "close"]
    reason: str = Field(default="", max_length=500)
    """Kept with the decision; `close` and `send-anyway` need one."""


class InvoiceOut(InvoiceRowOut):
    """One invoice with its events and documents."""

    replaces: str | None
    path: PathOut
    events: list[EventOut]
    documents: list[DocumentOut]


class InvoiceListOut(Out):
    """A page of invoices, oldest first; `next` is the `after` of the following page, null at the end."""

    items: list[InvoiceRowOut]
    next: str | None


def row_out(row: Submission) -> dict[str, Any]:
    """The fields that list and detail share."""
    return {
        "id": row.id,
        "number": row.number,
        "issue_date": row.issue_date,
        "seller": row.seller_name,
        "buyer": row.buyer_name,
        "total": format(row.total, "f") if row.total is not None else None,
        "currency": row.currency,
        "verdict": row.verdict,
        "transmission": {"state": row.transmission, "reason": row.transmission_reason},
        "lifecycle": {"code": row.lifecycle, "label": label_of(row.lifecycle)},
    }


def path_out(path: Path) -> PathOut:
    """What is possible, over the wire."""
    return PathOut(code=path.code, locked=path.locked, number=path.number, actions=list(path.actions),
                   advice=AdviceOut(fr=path.fr, en=path.en))


def label_of(code: str | None) -> str | None:
    """The French label of a status; None without one or for a code nobody knows."""
    status = STATUSES.get(code or "")
    return status.label.fr if status is not None else None


def invoice_out(row: Submission, events: list[Event], documents: list[Document]) -> InvoiceOut:
    """The whole answer about one invoice."""
    return InvoiceOut(
        **row_out(row),
        replaces=row.replaces,
        path=path_out(path_of(standing_of(row, events))),
        events=[EventOut(at=e.at, platform_at=e.platform_at, kind=e.kind, code=e.code, actor=e.actor,
                         reason=e.reason) for e in events],
        documents=[DocumentOut(role=d.role, syntax=d.syntax, sha256=d.sha256,
                               href=f"/v1/invoices/{row.id}/documents/{d.sha256}") for d in documents],
    )

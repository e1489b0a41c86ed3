"""What a person settles about one client: its scenario, its contact, its language, whether anything goes to it."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.cases import end
from gateway.reminders.decide import ADDRESS
from gateway.reminders.state import key_of
from gateway.reminders.working import is_region
from gateway.tables import Submission
from gateway.tables_reminders import Case, ReminderClient

ABOUT_ADDRESS = ("contact", "bounce")
"""Cases that another address answers."""


CHANGED: Final = "client-changed"
PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}")
"""A number of E.164: country and subscriber, at most fifteen digits."""


class ClientIn(BaseModel):
    """What is settled about a client; what is left out is as the invoice says."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    segment: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    email: Annotated[str, Field(max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=30)] | None = None
    """For SMS, with its country: +33612345678. A French number may begin with 0."""

    by_sms: bool = False
    """What goes by mail goes to that number instead."""

    contact: Annotated[str, Field(max_length=140)] | None = None
    lang: Literal["fr", "en"] | None = None
    region: Annotated[str, Field(max_length=8)] | None = None
    watched: bool = False
    mine: bool = False
    """Whoever settles this takes the client's cases."""

    hold: Literal["insolvency", "plan", "dispute", "manual"] | None = None
    hold_reason: Annotated[str, Field(max_length=2000)] | None = None
    hold_until: date | None = None

    @field_validator("email")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value and not ADDRESS.fullmatch(value):
            raise ValueError("Cette adresse n'est pas valable.")
        return value or None

    @field_validator("phone")
    @classmethod
    def _is_number(cls, value: str | None) -> str | None:
        number = re.sub(r"[\s().-]", "", value or "")
        number = f"+33{number[1:]}" if re.fullmatch(r"0[1-9][0-9]{8}", number) else number
        if number and not PHONE.fullmatch(number):
            raise ValueError("Ce numéro n'est pas valable : +33612345678.")
        return number or None

    @field_validator("region")
    @classmethod
    def _is_region(cls, value: str | None) -> str | None:
        if not is_region(value or None):
            raise ValueError("Cette région n'est pas connue.")
        return value or None


def set_client(
    deps: Deps, principal: Principal, submission_id: str, wanted: ClientIn, seen: datetime | None = None
) -> ReminderClient:
    """Settle what concerns the client of an invoice.

    Problems: not-found; 422 hold-without-reason, until-in-past (a new hold); 409 client-changed.
    Every open invoice of the client is decided again. `seen`: `changed_at` of what the person looked at, where that
    is to be in force still: what a colleague settled meanwhile is not undone unseen.
    """
    if wanted.hold is not None and not wanted.hold_reason:
        raise Problem(422, "hold-without-reason", "Indiquez pourquoi rien ne doit partir. / Say why nothing may go.")
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        submission = session.get(Submission, (tenant_id, submission_id))
        if submission is None:
            raise not_found()
        row = session.get(ReminderClient, (tenant_id, key_of(submission))) or new_client(submission)
        if seen is not None and row.changed_at != seen:
            raise Problem(409, CHANGED, "Les réglages de ce client ont changé entre-temps. / "
                          "The settings of this client changed meanwhile.")
        held = wanted.hold, wanted.hold_until
        if all(held) and held != (row.hold, row.hold_until) and (wanted.hold_until or date.max) < deps.today():
            raise Problem(422, "until-in-past", "La date de fin est passée. / The last day is in the past.")
        moved = wanted.email is not None and wanted.email != row.email
        for name, value in wanted.model_dump(exclude={"mine"}).items():
            setattr(row, name, value)
        kept = row.owner if row.owner != principal.actor else None
        row.owner = principal.actor if wanted.mine else kept
        row.changed_at, row.actor = now, principal.actor
        session.add(row)
        if moved:
            _answer_address(session, row, principal.actor, deps)
        record(session, tenant_id, Change(
            kind="setting", code="reminder-client", actor=principal.actor, submission_id=submission_id,
            data={"segment": row.segment, "watched": row.watched, "hold": row.hold, "address": moved},
            then=tuple(Work(topic="remind", subject_id=one) for one in _open_invoices(session, submission)),
        ), now=now)
    return row


def accept_contact(deps: Deps, principal: Principal, case_id: str) -> ReminderClient:
    """Use the address that somebody proposed by a link, after a person checked it. Problems: not-found; 409."""
    with deps.db.reading(principal.tenant_id) as session:
        case = session.get(Case, (principal.tenant_id, case_id))
        if case is None:
            raise not_found()
        if not case.active or case.kind != "contact" or not case.proposal:
            raise Problem(409, "nothing-proposed", "Aucune adresse n'est proposée. / No address is proposed.")
        submission = session.get_one(Submission, (principal.tenant_id, case.submission_id))
        known = session.get(ReminderClient, (principal.tenant_id, key_of(submission)))
    known = known or new_client(submission)
    settled = settled_of(known, principal.actor).model_copy(update={"email": case.proposal})
    return set_client(deps, principal, submission.id, settled, known.changed_at)


def settled_of(client: ReminderClient, actor: str) -> ClientIn:
    """What is settled about a client, as somebody would settle it again."""
    told = {name: getattr(client, name) for name in ClientIn.model_fields if name != "mine"}
    return ClientIn.model_construct(**told, mine=client.owner == actor)


def client_of_invoice(session: Session, submission: Submission) -> ReminderClient:
    """What is settled about the client of an invoice; an empty row, which nobody keeps, where nothing is."""
    return session.get(ReminderClient, (submission.tenant_id, key_of(submission))) or new_client(submission)


def segments(session: Session) -> Sequence[str]:
    """The segments that clients are in."""
    return session.scalars(select(ReminderClient.segment).where(ReminderClient.segment != "").distinct().order_by(
        ReminderClient.segment)).all()


def new_client(submission: Submission) -> ReminderClient:
    """A client about whom nothing is settled yet."""
    return ReminderClient(
        tenant_id=submission.tenant_id, key=key_of(submission), name=submission.buyer_name or "", segment="",
        email=None, phone=None, by_sms=False, contact=None, lang=None, region=None, watched=False, hold=None,
        hold_reason=None, hold_until=None, owner=None, changed_at=submission.received_at, actor="")


def _answer_address(session: Session, client: ReminderClient, actor: str, deps: Deps) -> None:
    for case in session.scalars(select(Case).where(
            Case.client == client.key, Case.active.is_(True), Case.kind.in_(ABOUT_ADDRESS))):
        end(session, case, "done", "Une autre adresse a été vérifiée et enregistrée.", actor=actor, now=deps.now())


def _open_invoices(session: Session, submission: Submission) -> list[str]:
    same = (Submission.buyer_siren == submission.buyer_siren if submission.buyer_siren
            else Submission.buyer_name == submission.buyer_name)
    rows = session.scalars(select(Submission).where(same, Submission.active.is_(True))).all()
    return [row.id for row in rows if key_of(row) == key_of(submission)]

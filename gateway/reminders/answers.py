"""What a client answers by the link of a letter, and what follows. The link is all that it takes: no account.

One link answers once. Nothing that a stranger could write changes an address, an amount or a status: "not me" and a
promise for a far day open a case, and a person decides.
"""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.cases import open_case
from gateway.reminders.decide import ADDRESS
from gateway.reminders.letters.links import Fault, Link, fault_of, read_token
from gateway.reminders.reasons import day_words
from gateway.reminders.state import Seen, look
from gateway.reminders.working import next_working
from gateway.tables import Tenant
from gateway.tables_reminders import Hold, ReminderAnswer

NEAR_DAYS: Final = 10
"""Days after the due date up to which an announced payment is simply waited for."""

CLIENT: Final = "client:link"
"""The actor: whoever holds the link."""


class AnswerIn(BaseModel):
    """What the page sends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    answer: Literal["right", "missing", "ready", "other"]
    paid_on: date | None = None
    """With `ready`: when the payment leaves."""

    remark: Annotated[str, Field(max_length=1000)] = ""
    email: Annotated[str, Field(max_length=254)] = ""
    """With `other`: who is the right person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page of a link shows: of the invoice no more than this."""

    fault: Fault | None
    seller: str = ""
    number: str = ""
    due_date: date | None = None
    balance: Decimal = Decimal(0)
    currency: str = "EUR"
    given: str | None = None
    """What was answered by this link already."""

    closed: bool = False
    """Nothing is owed any more."""


def question_of(deps: Deps, token: str) -> Question:
    """What a link opens today: a clear answer for one that is forged, old, or was written to somebody else."""
    link = read_token(deps.vault, token)
    seen = _seen(deps, link) if link is not None else None
    addresses = (seen.facts.email, seen.facts.phone) if seen is not None else ()
    fault = fault_of(link if seen is not None else None, addresses, deps.today())
    if link is None or seen is None or fault is not None:
        return Question(fault=fault or Fault.FORGED)
    with deps.db.reading(link.tenant_id) as session:
        given = session.get(ReminderAnswer, (link.tenant_id, link.id))
    return _question(seen, given.answer if given is not None else None)


def answer(deps: Deps, token: str, said: AnswerIn) -> Question:
    """Take an answer, once; a second one by the same link changes nothing and shows the first."""
    link = read_token(deps.vault, token)
    asked = question_of(deps, token)
    if link is None or asked.fault is not None or asked.given is not None or asked.closed:
        return asked
    now = deps.now()
    with deps.db.transaction(link.tenant_id) as session:
        lock_tenant(session, link.tenant_id)
        seen = look(session, link.tenant_id, link.submission_id, deps.today())
        given = session.get(ReminderAnswer, (link.tenant_id, link.id))
        if seen is None or given is not None:
            return _question(seen, given.answer) if seen is not None and given is not None else asked
        session.add(ReminderAnswer(
            tenant_id=link.tenant_id, id=link.id, submission_id=link.submission_id, at=now, answer=said.answer,
            words={"paid_on": said.paid_on.isoformat() if said.paid_on else None, "remark": said.remark,
                   "email": said.email},
        ))
        record(session, link.tenant_id, Change(
            kind="reminder", code="answered", actor=CLIENT, submission_id=link.submission_id,
            reason=_told(said), data={"answer": said.answer, "link": link.id},
            then=(Work(topic="remind", subject_id=link.submission_id),),
        ), now=now)
        _follow(deps, session, seen, said)
    return _question(seen, said.answer)


def _follow(deps: Deps, session: Session, seen: Seen, said: AnswerIn) -> None:
    """What an answer causes, in the transaction that keeps it."""
    now, today = deps.now(), deps.today()
    if said.answer == "missing":
        open_case(session, seen.submission, "missing", said.remark or "Le client n'a pas précisé ce qui manque.",
                  seen=seen, now=now, today=today, actor=CLIENT)
    elif said.answer == "other":
        right = said.email if ADDRESS.fullmatch(said.email) else None
        open_case(session, seen.submission, "contact", said.remark or "Il n'a pas précisé qui l'est.",
                  seen=seen, now=now, today=today, proposal=right, actor=CLIENT)
    elif said.answer == "ready" and said.paid_on is not None and said.paid_on >= today:
        reason = f"Paiement annoncé par le client pour le {day_words(said.paid_on)}."
        last_near = (seen.facts.due_date or today) + timedelta(days=NEAR_DAYS)
        if said.paid_on > last_near:
            open_case(session, seen.submission, "promise", reason, seen=seen, now=now, today=today, actor=CLIENT,
                      proposal=said.paid_on.isoformat())
            return
        until = next_working(said.paid_on + timedelta(days=1), seen.facts.region or seen.scenario.region)
        session.add(Hold(tenant_id=seen.submission.tenant_id, id=str(uuid.uuid4()), submission_id=seen.submission.id,
                         kind="promise", reason=reason, until=until, created_at=now, actor=CLIENT, lifted_at=None))


def _seen(deps: Deps, link: Link) -> Seen | None:
    with deps.db.reading(link.tenant_id) as session:
        if session.get(Tenant, link.tenant_id) is None:
            return None
        return look(session, link.tenant_id, link.submission_id, deps.today())


def _question(seen: Seen, given: str | None) -> Question:
    return Question(
        fault=None, seller=(seen.entity.name if seen.entity else seen.submission.seller_name) or "",
        number=seen.facts.number, due_date=seen.facts.due_date, balance=seen.facts.balance,
        currency=seen.facts.currency, given=given, closed=seen.facts.balance <= 0 or not seen.facts.active,
    )


def _told(said: AnswerIn) -> str:
    """What the timeline says."""
    return {"right": "Le client dit que tout est en ordre.", "missing": "Le client dit qu'il manque quelque chose.",
            "ready": "Le client dit que le paiement est prévu.",
            "other": "Le destinataire dit ne pas être la bonne personne."}[said.answer]

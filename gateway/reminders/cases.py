"""Cases: what a person has to deal with about an invoice, with its clock and its owner.

A status that stops reminders opens one (207 and its like), so does a stage that no machine does (a call, a letter), a
letter that came back, an answer of the client. A case is opened once for each cause and closes with its cause, or by
the person who dealt with it.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.clock import day_in_france
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.decide import OPENS, TO_CONFIRM, Decision, Outcome, open_questions, stop_of
from gateway.reminders.reasons import amount_words, title_of
from gateway.reminders.schemas import CaseOut, case_out
from gateway.reminders.state import Seen, key_of, look_again
from gateway.reminders.working import working_days_after
from gateway.tables import Submission
from gateway.tables_reminders import Case
from gateway.tables_reminders import Decision as DecisionRow


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of case."""

    title: str
    days: int
    """Working days within which it wants an answer."""

    advice: str


KINDS: Final[Mapping[str, Kind]] = {
    "206": Kind("Approuvée partiellement", 5,
                "Voyez la part contestée avec le client : un avoir peut-être ; une approbation (205) lèvera l'arrêt."),
    "207": Kind("Litige", 5, "Répondez au motif du litige ; les relances sont arrêtées jusque-là."),
    "208": Kind("Suspendue", 3, "Envoyez ce qui manque, puis le statut « Complétée » (209)."),
    "210": Kind("Refusée par l'acheteur", 5, "Un avoir interne ou une facture rectificative s'impose."),
    "213": Kind("Rejetée par une plateforme", 2, "Corrigez la facture et envoyez-la de nouveau."),
    "missing": Kind("Pièce demandée par le client", 2, "Envoyez ce qui manque, puis fermez : les relances reprennent."),
    "contact": Kind("Contact à vérifier", 2, "Vérifiez auprès du client avant d'accepter la nouvelle adresse."),
    "bounce": Kind("Courriel revenu", 2, "Trouvez une autre adresse ; rien ne part à celle-ci."),
    "promise": Kind("Date de paiement à confirmer", 2, "Le client annonce une date lointaine : acceptez ou appelez."),
    "payment": Kind("Paiement à confirmer", 1,
                    "Confirmez ou écartez le mouvement, page Banque : jusque-là, rien ne part à ce client."),
    "approval": Kind("Accord demandé", 2, "Accordez ou refusez cette étape."),
    "call": Kind("Appel à passer", 1, "Appelez, notez la réponse, et fermez."),
    "letter": Kind("Lettre à poster", 2, "Imprimez la lettre jointe à la facture et postez-la."),
    "notice": Kind("Mise en demeure à envoyer", 2, "Imprimez-la et envoyez-la en recommandé avec avis de réception."),
    "handover": Kind("Dossier à remettre", 5, "Remettez le fichier joint à la facture à votre agence de recouvrement."),
}
"""The three-digit ones are statuses of the invoice's life; the others come from the scenario or from the client."""

ENDS: Final = frozenset({"210", "213"})
STOPPING: Final = OPENS | ENDS
"""Statuses that stop reminders and open a case."""

TO_BE_PAID: Final = "payment"
"""Kind of a case about a movement of the bank account; its `stage` is the movement's id."""

ANSWERED: Final = "answered"
"""Outcome of a case whose cause went away by itself."""

FOR_MONEY: Final = ("missing", "contact", "bounce", "promise", "approval", "call", "letter", "notice", "handover",
                    *sorted(OPENS))
"""Kinds that lose their point once nothing is owed."""

JOINT: Final = ("call", "letter", "notice", "handover")
"""Tasks that may be about several invoices of a client."""

WAIT: Final = " — Attendez : "
"""In the reason of such a task, before what speaks against it since it was opened."""

OUTDATED: Final = "le document joint ne dit plus ce qui est dû"


def open_case(
    session: Session, submission: Submission, kind: str, reason: str, *, now: datetime, today: date, stage: str = "",
    seen: Seen | None = None, beside: Sequence[Seen] = (), proposal: str | None = None, actor: str = "worker",
    among: Sequence[Case] | None = None,
) -> Case:
    """The open case of that cause, opened if there is none. In the caller's transaction, under the tenant's lock.

    `beside`: the further invoices of a task about several. `among`: all cases of the invoice, where they were read.
    """
    if among is None:
        among = session.scalars(select(Case).where(Case.submission_id == submission.id, Case.active.is_(True))).all()
    known = next((case for case in among if case.active and (case.kind, case.stage) == (kind, stage)), None)
    if known is not None:
        return known
    client = seen.client if seen is not None else None
    region = (client.region if client is not None else None) or (seen.scenario.region if seen is not None else None)
    case = Case(
        tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, client=key_of(submission),
        kind=kind, stage=stage, reason=reason, opened_at=now, owner=client.owner if client is not None else None,
        balance=seen.facts.balance if seen is not None else submission.due or submission.total or Decimal(0),
        due_on=working_days_after(today, KINDS[kind].days, region), active=True, outcome=None, closed_at=None,
        closed_by=None, resolution=None, proposal=proposal, beside=[],
    )
    session.add(case)
    if seen is not None and beside:
        _put(case, [seen, *beside], today, reason)
    _tell(session, case, "case-opened", actor=actor, reason=f"{KINDS[kind].title} : {case.reason}", now=now)
    return case


@dataclass(frozen=True, slots=True)
class Known:
    """The cases of some invoices, and what is asked about the money for them, as one transaction knows them."""

    cases: Sequence[Case]
    joint: Sequence[Case]
    """The open tasks of the clients of these invoices."""

    asked: set[str]
    """Movements of the bank account about which a person was asked, for whichever invoice."""

    def of(self, submission_id: str) -> Sequence[Case]:
        """Those of an invoice, one that came to it within the transaction too."""
        return [case for case in self.cases if case.submission_id == submission_id]

    def tasks(self, submission_id: str) -> Sequence[Case]:
        """The open tasks that are about an invoice, be it beside others."""
        return [case for case in self.joint if case.active and submission_id in (case.submission_id, *case.beside)]


def known_cases(session: Session, ones: Sequence[Seen]) -> Known:
    """For `keep_pace` about these invoices, a few hundred at most. Under the tenant's lock."""
    cases = session.scalars(select(Case).where(Case.submission_id.in_([one.submission.id for one in ones]))).all()
    joint = session.scalars(select(Case).where(
        Case.client.in_(sorted({key_of(one.submission) for one in ones})), Case.kind.in_(JOINT),
        Case.active.is_(True)).order_by(Case.id)).all()
    movements = {one.facts.pending.movement for one in ones if one.facts.pending is not None}
    return Known(cases, joint, set(session.scalars(select(Case.stage).where(
        Case.kind == TO_BE_PAID, Case.stage.in_(sorted(movements)), Case.active.is_(True)))) if movements else set())


def keep_pace(session: Session, seen: Seen, known: Known, *, now: datetime, today: date) -> None:
    """Open the case of a status that stops the invoice, close those whose cause is gone, say on tasks what stops them.

    In the transaction that keeps what was decided, under the tenant's lock. `known`: see `known_cases`.
    """
    codes = {status.code for status in open_questions(seen.facts)}
    codes |= {status.code for status in seen.facts.statuses if status.code in ENDS}
    cases = known.of(seen.submission.id)
    paid, stop = seen.facts.balance <= 0, stop_of(seen.facts, seen.scenario, today)
    ended = stop if stop is not None and stop.outcome is Outcome.SKIPPED else None
    over = paid or ended is not None
    for code in sorted(codes & (STOPPING if ended is None else ENDS)):
        said = max(status.on for status in seen.facts.statuses if status.code == code)
        if not any(case.kind == code and day_in_france(case.opened_at) >= said and (
                over or case.outcome != ANSWERED) for case in cases):  # asked again: another case, the same day too
            open_case(session, seen.submission, code, seen.decision.reason, seen=seen, now=now, today=today,
                      among=cases)
    if over:
        _take_out(session, seen, known, now=now, today=today)
    for case in cases:
        if case.active and ((case.kind in OPENS and case.kind not in codes) or (
                over and case.kind in FOR_MONEY and case.submission_id == seen.submission.id)):
            why = ("La facture est soldée." if paid else ended.reason if ended is not None else
                   "L'acheteur a répondu : le statut qui l'avait ouvert est levé.")
            end(session, case, ANSWERED, why, actor="worker", now=now)
        elif case.active and case.kind == "approval" and _is_moot(case, seen.decision):
            end(session, case, ANSWERED, "Cette étape ne demande plus d'accord.", actor="worker", now=now)
    bring_up(session, seen, known, now=now, today=today)
    _keep_to_money(session, seen, cases, known.asked, now=now, today=today)
    if seen.decision.code.startswith("approval-"):
        open_case(session, seen.submission, "approval", seen.decision.reason, stage=seen.decision.stage or "",
                  seen=seen, now=now, today=today, among=cases)
    if seen.decision.code == "refused-address" and not paid:  # thanks are worth no search for an address
        open_case(session, seen.submission, "bounce", seen.decision.reason, seen=seen, now=now, today=today,
                  among=cases)


def _is_moot(case: Case, decision: Decision) -> bool:
    """Whether nobody needs an approval any more: a letter goes without, or another stage asks for one."""
    return decision.outcome is Outcome.SENT or (
        decision.code.startswith("approval-") and decision.stage != case.stage)


def _keep_to_money(
    session: Session, seen: Seen, cases: Sequence[Case], asked: set[str], *, now: datetime, today: date
) -> None:
    """Ask a person about the money that stops this invoice's letters, once for all of them; close what is over."""
    money = seen.facts.pending
    for case in cases:
        if case.active and case.kind == TO_BE_PAID and (money is None or case.stage != money.movement):
            end(session, case, ANSWERED, "Ce mouvement n'attend plus de réponse.", actor="worker", now=now)
            asked.discard(case.stage)
    if money is not None and seen.decision.code == TO_CONFIRM and money.movement not in asked:
        asked.add(money.movement)
        open_case(session, seen.submission, TO_BE_PAID, seen.decision.reason, stage=money.movement, seen=seen, now=now,
                  today=today, among=cases)


def _take_out(session: Session, seen: Seen, known: Known, *, now: datetime, today: date) -> None:
    """A task about several invoices goes on about those that are still owed."""
    for case in known.tasks(seen.submission.id):
        if case.beside:
            left = [one for one in (case.submission_id, *case.beside) if one != seen.submission.id]
            _put(case, look_again(session, left, today), today)
            _tell_changed(session, case, now=now)


def bring_up(session: Session, seen: Seen, known: Known, *, now: datetime, today: date) -> None:
    """Whoever is about to call or to post reads what is owed by now, and what speaks against it; in the transaction."""
    for case in known.tasks(seen.submission.id):
        if _says(case, seen, today):
            continue
        about, before = look_again(session, [case.submission_id, *case.beside], today), case.reason
        if case.balance != sum((one.facts.balance for one in about), Decimal(0)):
            _put(case, about, today)
        else:
            case.reason = case.reason.partition(WAIT)[0] + _stops(case, about, today)
        if case.reason != before:
            _tell_changed(session, case, now=now)


def _says(case: Case, seen: Seen, today: date) -> bool:
    """Whether a task tells already how this invoice stands: then nothing else of it need be read."""
    left, _, stops = case.reason.partition(WAIT)
    stop, told = stop_of(seen.facts, seen.scenario, today), stops.split(", ")
    if _owed(seen) not in left if case.beside else case.balance != seen.facts.balance:
        return False
    return _stop_words(seen, stop) in told if stop is not None else not any(
        words.startswith(f"{seen.facts.number} (") for words in told)


def _stops(case: Case, about: Sequence[Seen], today: date) -> str:
    """What speaks against asking for these invoices, in few words, and none that a person wrote; may be empty."""
    stops = [_stop_words(one, stop) for one in about
             if (stop := stop_of(one.facts, one.scenario, today)) is not None]
    if any(row.sha256 and _differs(row, one, about) for row, one in _made_for(case, about)):
        stops.append(OUTDATED)
    return WAIT + ", ".join(stops) if stops else ""


def _made_for(case: Case, about: Sequence[Seen]) -> list[tuple[DecisionRow, Seen]]:
    """The decisions that prepared a task."""
    return [(row, one) for one in about for row in one.rows
            if (row.channel, row.stage, row.outcome) == (case.kind, case.stage, "sent")]


def _differs(row: DecisionRow, seen: Seen, about: Sequence[Seen]) -> bool:
    """Whether the paper of a decision asks for another amount, or for other invoices."""
    numbers = {one.facts.number for one in about}
    return Decimal(row.facts.get("balance", seen.facts.balance)) != seen.facts.balance or (
        {*row.facts.get("together", numbers)} != numbers)


def _stop_words(seen: Seen, stop: Decision) -> str:
    return f"{seen.facts.number} ({title_of(stop.code)})"


def _owed(seen: Seen) -> str:
    return f"{seen.facts.number} ({amount_words(seen.facts.balance, seen.facts.currency)})"


def _put(case: Case, about: Sequence[Seen], today: date, why: str = "") -> None:
    """Make a task one about these invoices; the first leads. `why`: what there is to say besides."""
    case.submission_id, *case.beside = [one.submission.id for one in about]
    case.balance = sum((one.facts.balance for one in about), Decimal(0))
    left = ", ".join(map(_owed, about))
    why = why or next((row.facts["not_prepared"] for row, _ in _made_for(case, about)
                       if row.facts.get("not_prepared")), "")
    case.reason = f"{why} Reste à payer : {left}".strip() + _stops(case, about, today)


def wait_for_others(session: Session, seen: Seen, today: date) -> bool:
    """Whether a person has yet to approve the same stage of other invoices of the client, asked as early as this one.

    So that what is approved one after the other leaves in one letter. A question whose day has passed holds up nothing.
    """
    ours = session.scalars(select(Case).where(
        Case.submission_id == seen.submission.id, Case.kind == "approval", Case.stage == (seen.decision.stage or ""),
        Case.outcome == "granted")).all()
    asked = select(Case.id).where(
        Case.client == key_of(seen.submission), Case.kind == "approval", Case.stage == (seen.decision.stage or ""),
        Case.active.is_(True), Case.due_on >= today)
    return any(session.scalars(asked.where(Case.opened_at <= case.closed_at).limit(1)).all() for case in ours)


def end(session: Session, case: Case, outcome: str, resolution: str, *, actor: str, now: datetime) -> None:
    """Close an open case. In the caller's transaction."""
    case.active, case.outcome, case.resolution = None, outcome, resolution
    case.closed_at, case.closed_by = now, actor
    _tell(session, case, "case-closed", actor=actor, reason=f"{KINDS[case.kind].title} : {resolution}", now=now,
          then=() if actor == "worker" else tuple(
              Work(topic="remind", subject_id=one) for one in (case.submission_id, *case.beside)))


def close_case(deps: Deps, principal: Principal, case_id: str, outcome: str, resolution: str) -> Case:
    """What a person did about a case: done; granted or declined for an approval.

    Problems: not-found; 409 case-closed; 422 bad-outcome.
    """
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        case = _open(session, tenant_id, case_id)
        if (outcome in {"granted", "declined"}) != (case.kind == "approval") or (
                outcome not in {"granted", "declined", "done"}):
            raise Problem(422, "bad-outcome", "Un accord s'accorde ou se refuse ; les autres cas se ferment. / "
                          "An approval is granted or declined; other cases are done.")
        end(session, case, outcome, resolution, actor=principal.actor, now=now)
    return case


def take_case(deps: Deps, principal: Principal, case_id: str) -> Case:
    """Make the person the owner of a case. Problems: not-found; 409 case-closed."""
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        case = _open(session, tenant_id, case_id)
        case.owner = principal.actor
        _tell(session, case, "case-taken", actor=principal.actor, reason=KINDS[case.kind].title, now=now)
    return case


def cases(
    session: Session, *, only_open: bool = True, kinds: Sequence[str] = (), most: int = 500, after: Case | None = None
) -> list[tuple[Case, Submission]]:
    """(case, invoice), the most urgent first; closed ones the newest first. Those that come after a case."""
    query = select(Case, Submission).join(
        Submission, (Submission.tenant_id == Case.tenant_id) & (Submission.id == Case.submission_id))
    query = (query.where(Case.active.is_(True)).order_by(Case.due_on, Case.opened_at, Case.id) if only_open
             else query.where(Case.active.is_(None)).order_by(Case.closed_at.desc(), Case.id.desc()))
    if after is not None:
        query = query.where(
            tuple_(Case.due_on, Case.opened_at, Case.id) > (after.due_on, after.opened_at, after.id) if only_open
            else tuple_(Case.closed_at, Case.id) < (after.closed_at, after.id))
    if kinds:
        query = query.where(Case.kind.in_(kinds))
    return [(case, submission) for case, submission in session.execute(query.limit(most))]


def cases_page(session: Session, tenant_id: str, *, closed: bool, after: str, limit: int
               ) -> tuple[list[CaseOut], str | None]:
    """So many cases as they are shown, from behind the case `after` on; the last one's id where there are more.

    Problem: 422 bad-cursor.
    """
    place = session.get(Case, (tenant_id, after)) if after else None
    if after and (place is None or (closed and place.active)):
        raise Problem(422, "bad-cursor", "Cette suite n'existe pas. / No such place to go on from.")
    found = cases(session, only_open=not closed, most=limit + 1, after=place)
    shown = [case_out(case, submission) for case, submission in found[:limit]]
    return shown, shown[-1].id if len(found) > limit else None


def case_of(session: Session, tenant_id: str, case_id: str) -> CaseOut:
    """One case as it is shown. Raises the not-found problem."""
    case = session.get(Case, (tenant_id, case_id))
    if case is None:
        raise not_found()
    return case_out(case, session.get_one(Submission, (tenant_id, case.submission_id)))


def _open(session: Session, tenant_id: str, case_id: str) -> Case:
    case = session.get(Case, (tenant_id, case_id))
    if case is None:
        raise not_found()
    if not case.active:
        raise Problem(409, "case-closed", "Ce cas est déjà fermé. / This case is closed.")
    return case


def _tell_changed(session: Session, case: Case, *, now: datetime) -> None:
    _tell(session, case, "case-changed", actor="worker", reason=f"{KINDS[case.kind].title} : {case.reason}", now=now)


def _tell(
    session: Session, case: Case, code: str, *, actor: str, reason: str, now: datetime, then: tuple[Work, ...] = ()
) -> None:
    record(session, case.tenant_id, Change(
        kind="reminder", code=code, actor=actor, submission_id=case.submission_id, reason=reason, then=then,
        data={"case": case.id, "kind": case.kind, "stage": case.stage, "due_on": case.due_on.isoformat(),
              "outcome": case.outcome},
    ), now=now)

"""What a credit controller does today: calls, approvals, letters, addresses, cases whose time is up, doubts. Reads."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.bank.waiting import DOUBTFUL, OPEN, undecided
from gateway.clock import day_in_france
from gateway.console.people import Names
from gateway.console.sheets import Column, Kind, Line, Sheet
from gateway.reminders.cases import KINDS, STOPPING, cases
from gateway.tables import Submission
from gateway.tables_receivables import BankMovement
from gateway.tables_reminders import Case, Decision

TIME_UP, BANK, IN_DOUBT = "time-up", "bank", "in-doubt"
TASKS: Mapping[str, str] = {
    TIME_UP: "Délai dépassé", "call": "Appels", "approval": "Accords", "bounce": "Courriels revenus",
    "contact": "Contacts", "missing": "Pièces", "promise": "Promesses", "payment": "Paiements à confirmer",
    "letter": "Lettres", "notice": "Mises en demeure", "handover": "Dossiers à remettre", BANK: "Banque",
    IN_DOUBT: "Envois incertains",
}
"""What tasks may be narrowed to; the first is any case whose day is past."""

FOR = {"": "Tout le monde", "moi": "Moi", "personne": "Personne encore"}
MOST = 5_000
"""So many cases are read, the most urgent ones; so many doubts about letters and about movements."""

COLUMNS = (
    Column("tache", "Tâche"), Column("facture", "Facture"), Column("client", "Client"), Column("pourquoi", "Pourquoi"),
    Column("avant", "À faire avant le", Kind.DAY), Column("retard", "Jours de retard", Kind.NUMBER),
    Column("devise", "Devise", Kind.CURRENCY), Column("montant", "Montant", Kind.AMOUNT), Column("charge", "Chargé"),
)
CASES = (
    Column("cas", "Cas"), Column("facture", "Facture"), Column("client", "Client"), Column("pourquoi", "Pourquoi"),
    Column("ouvert", "Ouvert le", Kind.DAY), Column("avant", "À traiter avant le", Kind.DAY),
    Column("devise", "Devise", Kind.CURRENCY), Column("montant", "Montant", Kind.AMOUNT), Column("charge", "Chargé"),
    Column("propose", "Proposé par le client"),
)
CLOSED = (*CASES, Column("ferme", "Fermé le", Kind.DAY), Column("par", "Par"), Column("comment", "Comment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do."""

    kind: str
    """A key of TASKS, or of KINDS for a case whose time is up."""

    title: str
    number: str | None
    client: str | None
    reason: str
    due_on: date
    amount: Decimal | None
    currency: str
    owner: str | None
    href: str

    def late(self, today: date) -> int:
        """Days since it should have been done; 0 while there is time."""
        return max(0, (today - self.due_on).days)


def tasks(session: Session, today: date, *, bank: bool) -> tuple[list[Task], bool]:
    """What is to be done on a day, the most urgent first, and whether there is more than that.

    `bank`: whether the reader may see the bank account.
    """
    known, doubts = cases(session, most=MOST + 1), _doubts(session)
    movements = undecided(session, DOUBTFUL, most=MOST + 1) if bank else ()
    found = [*_of_cases(known[:MOST], today), *_in_doubt(doubts[:MOST]), *_to_tell_apart(movements[:MOST]),
             *(_to_match(session) if bank else ())]
    found.sort(key=lambda task: (task.due_on, task.title, task.number or ""))
    return found, max(len(known), len(doubts), len(movements)) > MOST


def wanted(found: Sequence[Task], today: date, kind: str, whose: str, actor: str) -> list[Task]:
    """Those of a kind (a key of TASKS) and of somebody (a key of FOR)."""
    return [task for task in found if is_of(task, kind, today)
            and (not whose or (task.owner is None if whose == "personne" else task.owner == actor))]


def is_of(task: Task, kind: str, today: date) -> bool:
    """Whether it belongs to a key of TASKS, or to all (an empty one)."""
    return not kind or (task.late(today) > 0 if kind == TIME_UP else task.kind == kind)


def tallies(found: Sequence[Task], today: date) -> Mapping[str, int]:
    """How many there are of each kind that has any."""
    counted = Counter(task.kind for task in found)
    counted[TIME_UP] = sum(task.late(today) > 0 for task in found)
    return {kind: counted[kind] for kind in TASKS if counted[kind]}


def tasks_sheet(found: Sequence[Task], today: date, names: Names) -> Sheet:
    """Tasks as a list."""
    return Sheet(name=f"taches-{today}", columns=COLUMNS, lines=[Line((
        task.title, task.number, task.client, task.reason, task.due_on, task.late(today) or None, task.currency,
        task.amount, names.of(task.owner) if task.owner else "personne"), task.href) for task in found])


def cases_sheet(rows: Sequence[tuple[Case, Submission]], today: date, names: Names, *, closed: bool) -> Sheet:
    """Cases as a list, as their page has them."""
    lines = []
    for case, invoice in rows:
        told = (KINDS[case.kind].title, invoice.number, invoice.buyer_name, case.reason,
                day_in_france(case.opened_at), case.due_on, invoice.currency or "EUR", case.balance,
                names.of(case.owner) if case.owner else "personne", case.proposal)
        end = day_in_france(case.closed_at) if case.closed_at is not None else None
        lines.append(Line((*told, end, names.of(case.closed_by or ""), case.resolution) if closed else told))
    return Sheet(name=f"cas-{'fermes' if closed else 'ouverts'}-{today}", columns=CLOSED if closed else CASES,
                 lines=lines)


def _of_cases(known: Iterable[tuple[Case, Submission]], today: date) -> Iterator[Task]:
    """Open cases; one about a status of the invoice only once its day has come."""
    for case, invoice in known:
        if case.kind not in STOPPING or case.due_on <= today:
            yield Task(kind=case.kind, title=KINDS[case.kind].title, number=invoice.number,
                       client=invoice.buyer_name, reason=case.reason, due_on=case.due_on, amount=case.balance,
                       currency=invoice.currency or "EUR", owner=case.owner,
                       href=f"/relances/cas?genre={case.kind}#cas-{case.id}")


def _doubts(session: Session) -> list[tuple[Decision, Submission]]:
    """Letters in doubt with their invoices, the oldest first."""
    query = select(Decision, Submission).join(
        Submission, (Submission.tenant_id == Decision.tenant_id) & (Submission.id == Decision.submission_id)).where(
        Decision.outcome == "unknown").order_by(Decision.at, Decision.id).limit(MOST + 1)
    return [(decision, invoice) for decision, invoice in session.execute(query)]


def _in_doubt(doubts: Iterable[tuple[Decision, Submission]]) -> Iterator[Task]:
    """Mails of which nobody knows whether they went out."""
    for decision, invoice in doubts:
        yield Task(kind=IN_DOUBT, title="Relance partie ou non", number=invoice.number,
                   client=invoice.buyer_name, reason=_whether(decision.recipient),
                   due_on=day_in_france(decision.at), amount=Decimal(decision.facts.get("balance", "0")),
                   currency=invoice.currency or "EUR", owner=None, href=f"/factures/{invoice.id}#relances")


def _whether(recipient: str | None) -> str:
    """What is asked about a letter in doubt; whom it went to may have been erased since."""
    return f"À {recipient} : dites si elle est arrivée." if recipient else "Dites si elle est arrivée."


def _to_tell_apart(movements: Iterable[BankMovement]) -> Iterator[Task]:
    """Movements of which a person must say whether they were told before."""
    for row in movements:
        yield Task(kind=BANK, title="Mouvement bancaire à trancher", number=None, client=row.name, amount=row.amount,
                   reason="Un autre relevé dit le même : est-ce le même ?", due_on=row.booked_on,
                   currency=row.currency, owner=None, href=f"/banque?etat={DOUBTFUL}#mouvements")


def _to_match(session: Session) -> Iterator[Task]:
    """The movements to be matched, as one task."""
    count, oldest = session.execute(select(func.count(), func.min(BankMovement.booked_on)).where(
        BankMovement.state == OPEN)).one()
    if count:
        yield Task(kind=BANK, title="Mouvements bancaires à rapprocher", number=None, client=None,
                   reason=f"{count} en attente.", due_on=oldest, amount=None, currency="EUR", owner=None,
                   href="/banque")

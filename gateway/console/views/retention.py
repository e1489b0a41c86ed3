"""The page on which holds are set and lifted, and destructions proposed, approved by a second person, or declined."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from archive.store import Digest
from gateway.auth import Permission
from gateway.console import people, queries
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.keeping import destruction, holds, retention
from gateway.problems import Problem, not_found
from gateway.tables import Submission, Tenant
from gateway.tables_retention import Destruction, DestructionItem

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.AUDIT_READ)]
Acting = Annotated[Act, Does(Permission.RETENTION_WRITE)]
HERE = "/journal/conservation"
SHOWN = 100


@router.get(HERE)
def show(visit: Reading, facture: str = "") -> Response:
    """What is past its time, holds, destructions. `facture`: an invoice to hold."""
    return _draw(visit, values={"invoice": _typed(visit, facture[:255])})


@router.post(f"{HERE}/gels")
def set_hold(act: Acting) -> Response:
    """Put an invoice, by its number or id, or everything under hold."""
    values = {name: act.text(name) for name in ("on", "invoice", "reason")}

    def do() -> object:
        subject = "all" if values["on"] == "all" else _find(act, values["invoice"])
        return holds.set_hold(act.deps, act.principal.tenant_id, act.principal.actor, subject, values["reason"])

    return _after(act, do, "gel", values)


@router.post(f"{HERE}/gels/{{hold_id}}/lever")
def lift_hold(act: Acting, hold_id: str) -> Response:
    """Lift a hold."""
    return _after(act, lambda: holds.lift_hold(act.deps, act.principal.tenant_id, hold_id, act.principal.actor,
                                               act.text("reason")), "leve")


@router.post(f"{HERE}/destructions")
def propose(act: Acting) -> Response:
    """Propose to destroy what is ticked."""
    values = {"why": act.text("why")}
    return _after(act, lambda: destruction.propose(act.deps, act.principal.tenant_id, act.principal.actor,
                                                   act.texts("subject"), values["why"]), "propose", values)


@router.post(f"{HERE}/destructions/{{destruction_id}}/approuver")
def approve(act: Acting, destruction_id: str) -> Response:
    """Approve, as the second person."""
    return _after(act, lambda: destruction.approve(act.deps, act.principal.tenant_id, act.principal.actor,
                                                   destruction_id), "approuve")


@router.post(f"{HERE}/destructions/{{destruction_id}}/ecarter")
def decline(act: Acting, destruction_id: str) -> Response:
    """Decline."""
    return _after(act, lambda: destruction.decline(act.deps, act.principal.tenant_id, act.principal.actor,
                                                   destruction_id, act.text("reason")), "ecarte")


@router.get(f"{HERE}/destructions/{{destruction_id}}/certificat")
def show_certificate(visit: Reading, destruction_id: str) -> Response:
    """The signed text."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        row = destruction.get_destruction(session, visit.principal.tenant_id, destruction_id)
    if row.certificate is None:
        raise not_found()
    return Response(visit.deps.store.get(Digest(row.certificate)), media_type="text/plain; charset=utf-8",
                    headers={"Content-Disposition": f'inline; filename="certificat-{destruction_id[:8]}.txt"'})


def _after(act: Act, do: Callable[[], object], done: str, values: dict[str, str] | None = None) -> Response:
    """Do it and show the page again, with what is wrong where it was refused."""
    try:
        do()
    except Problem as problem:
        return _draw(act.visit, values=values or {}, errors={"": told(problem)}, status=problem.status)
    return go(HERE, done)


def _draw(
    visit: Visit, *, values: dict[str, str], errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    tenant_id = visit.principal.tenant_id
    held, proposed = holds.holds(visit.deps, tenant_id), destruction.destructions(visit.deps, tenant_id, limit=SHOWN)
    with visit.deps.db.reading(tenant_id) as session:
        under_way = set(session.scalars(select(DestructionItem.subject).where(DestructionItem.destruction_id.in_(
            select(Destruction.id).where(Destruction.state.in_((destruction.PROPOSED, destruction.APPROVED)))))))
        due = [row for row in retention.due(session, tenant_id, visit.deps.today(), limit=SHOWN + len(under_way))
               if row.submission_id not in under_way][:SHOWN]
        statements = [(file, until) for file, until in retention.due_statements(
            session, tenant_id, visit.deps.today())[:SHOWN] if f"{retention.OBJECT}{file.sha256}" not in under_way]
        counts = Counter(dict(session.execute(
            select(DestructionItem.destruction_id, func.count()).group_by(DestructionItem.destruction_id).where(
                DestructionItem.destruction_id.in_([row.id for row in proposed]))).all()))
        invoices = queries.by_id(session, [*(row.submission_id for row in due), *(hold.subject for hold in held)])
        names, tenant = people.names(session), session.get_one(Tenant, tenant_id)
    return visit.draw("conservation.html", status=status, due=due, statements=statements, holds=held,
                      destructions=proposed, counts=counts, invoices=invoices, names=names, tenant=tenant,
                      values=values, errors=errors or {})


def _find(act: Act, what: str) -> str:
    """The id of the invoice that was named. Raises Problem 404, 409."""
    with act.deps.db.reading(act.principal.tenant_id) as session:
        return holds.invoice_called(session, act.principal.tenant_id, what)


def _typed(visit: Visit, what: str) -> str:
    """What names an invoice in the form: its number, or its id where another invoice has the same number."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        row = session.get(Submission, (visit.principal.tenant_id, what))
        number = row.number if row is not None else None
        alike = session.scalars(select(Submission.id).where(Submission.number == number).limit(2)).all()
    return number if number and len(alike) == 1 else what

"""HTTP of retention: until when, holds, destructions by two persons, erasure.

A key may set and lift holds. Who proposes or approves a destruction must be a person and says so with address and
password, whichever key carries the request.
"""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.keeping import destruction, erasure, holds, retention
from gateway.keeping.persons import acting
from gateway.keeping.schemas import (
    ApprovalIn,
    DestructionOut,
    Destructions,
    Due,
    ErasureIn,
    ErasureOut,
    HoldIn,
    HoldOut,
    Holds,
    ProposalIn,
    ReasonIn,
    RefusalIn,
    RetentionOut,
    StatementDue,
    hold_out,
)
from gateway.problems import documented, not_found
from gateway.tables import Submission

router = APIRouter(prefix="/v1", tags=["retention"])
Auditor = Annotated[Principal, Requires(Permission.AUDIT_READ)]
Keeper = Annotated[Principal, Requires(Permission.RETENTION_WRITE)]
REFUSED = documented(404, 409, 422, 429)


@router.get("/invoices/{submission_id}/retention", responses=documented(404))
def get_retention(submission_id: str, principal: Auditor, deps: CurrentDeps) -> RetentionOut:
    """Until when an invoice is kept with all its objects, what holds it, or under which destruction it went."""
    with deps.db.reading(principal.tenant_id) as session:
        return told(session, principal.tenant_id, submission_id)


@router.get("/evidence/due")
def list_due(principal: Auditor, deps: CurrentDeps) -> Due:
    """Up to 1000 invoices, and the statements of the bank, that may be proposed for destruction: over, and not held."""
    with deps.db.reading(principal.tenant_id) as session:
        rows = retention.due(session, principal.tenant_id, deps.today(), limit=1000)
        statements = retention.due_statements(session, principal.tenant_id, deps.today())
        return Due(items=[told(session, principal.tenant_id, row.submission_id) for row in rows], statements=[
            StatementDue(subject=f"{retention.OBJECT}{file.sha256}", name=file.name, received_at=file.received_at,
                         until=until) for file, until in statements])


@router.get("/evidence/holds")
def list_holds(principal: Auditor, deps: CurrentDeps) -> Holds:
    """Every legal hold."""
    return Holds(items=[hold_out(row) for row in holds.holds(deps, principal.tenant_id)])


@router.post("/evidence/holds", status_code=201, responses=documented(404, 422))
def set_hold(wanted: HoldIn, principal: Keeper, deps: CurrentDeps) -> HoldOut:
    """Put an invoice, an object or everything under legal hold."""
    return hold_out(holds.set_hold(deps, principal.tenant_id, principal.actor, wanted.subject, wanted.reason))


@router.post("/evidence/holds/{hold_id}/lift", responses=documented(404, 422))
def lift_hold(hold_id: str, why: ReasonIn, principal: Keeper, deps: CurrentDeps) -> HoldOut:
    """Lift a hold."""
    return hold_out(holds.lift_hold(deps, principal.tenant_id, hold_id, principal.actor, why.reason))


@router.get("/evidence/destructions")
def list_destructions(principal: Auditor, deps: CurrentDeps) -> Destructions:
    """The newest destructions."""
    return Destructions(items=[DestructionOut.model_validate(row)
                               for row in destruction.destructions(deps, principal.tenant_id)])


@router.post("/evidence/destructions", status_code=201, responses=REFUSED)
def propose_destruction(wanted: ProposalIn, principal: Keeper, deps: CurrentDeps) -> DestructionOut:
    """Propose to destroy what is past its retention. Nothing happens until a second person approves."""
    actor = acting(deps, principal.tenant_id, wanted.person.email, wanted.person.password)
    return DestructionOut.model_validate(
        destruction.propose(deps, principal.tenant_id, actor, wanted.subjects, wanted.reason))


@router.post("/evidence/destructions/{destruction_id}/approve", responses=REFUSED)
def approve_destruction(
    destruction_id: str, wanted: ApprovalIn, principal: Keeper, deps: CurrentDeps
) -> DestructionOut:
    """Approve as the second person; the work begins."""
    actor = acting(deps, principal.tenant_id, wanted.person.email, wanted.person.password)
    return DestructionOut.model_validate(destruction.approve(deps, principal.tenant_id, actor, destruction_id))


@router.post("/evidence/destructions/{destruction_id}/decline", responses=REFUSED)
def decline_destruction(destruction_id: str, wanted: RefusalIn, principal: Keeper, deps: CurrentDeps) -> DestructionOut:
    """Decline a proposal."""
    actor = acting(deps, principal.tenant_id, wanted.person.email, wanted.person.password)
    return DestructionOut.model_validate(
        destruction.decline(deps, principal.tenant_id, actor, destruction_id, wanted.reason))


@router.get("/evidence/destructions/{destruction_id}/certificate", response_class=Response,
            responses={200: {"content": {"text/plain": {}}}, **documented(404)})
def get_certificate(destruction_id: str, principal: Auditor, deps: CurrentDeps) -> Response:
    """The signed certificate of a destruction that is done."""
    note = destruction.certificate_of(deps, principal.tenant_id, destruction_id)
    return Response(note, media_type="text/plain; charset=utf-8")


@router.post("/evidence/erasures", responses=documented(422))
def erase_contact(wanted: ErasureIn, principal: Keeper, deps: CurrentDeps) -> ErasureOut:
    """Erase an e-mail address wherever no duty keeps it."""
    return ErasureOut(erased=erasure.erase_contact(deps, principal.tenant_id, principal.actor, wanted.email))


def told(session: Session, tenant_id: str, submission_id: str) -> RetentionOut:
    """The retention of an invoice as it is shown. Raises Problem 404."""
    submission = session.get(Submission, (tenant_id, submission_id))
    if submission is None:
        raise not_found()
    kept = retention.reckoned(session, submission)
    standing = retention.standing(session, tenant_id, {submission_id})
    return RetentionOut(invoice=submission_id, until=kept.until, rule=kept.rule, destroyed_at=kept.destroyed_at,
                        destruction=kept.destruction_id, holds=[hold_out(one) for one in standing])

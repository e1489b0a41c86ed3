"""What a person says of a movement: which invoices and claims it pays, that it pays none, that it was told before.

Everything of one answer is one transaction: the payments through the ledger (with their 212 where VAT falls due), the
allocations, and what the journal says. No movement is ever allocated beyond its amount.
"""

import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.bank.proposals import allocations_of, left_of, movement, movement_of
from gateway.bank.schemas import AllocationIn, MovementDecisionIn, MovementOut, PartIn
from gateway.deps import Deps
from gateway.idempotency import Answer, fingerprint_of, once, remember
from gateway.problems import Problem
from gateway.receivables.account import CREDITS
from gateway.receivables.analysis import FIRST_DAY
from gateway.receivables.claims import ClaimMoney, enter_claim_payment
from gateway.receivables.entering import Entry, balance_on, earliest, enter, invoice_of
from gateway.receivables.schemas import PaymentIn
from gateway.record import Change, lock_tenant, record
from gateway.tables_receivables import BankAllocation, BankMovement

MOVES = {
    ("open", "aside"): "aside", ("aside", "reopen"): "open", ("doubtful", "same"): "repeated",
    ("doubtful", "another"): "open", ("repeated", "reopen"): "open",
}
"""State and answer to the next state."""


@dataclass(frozen=True, slots=True)
class Order:
    """By whom, as of which day and under which id a part is entered."""

    actor: str
    on: date
    id: str
    overpayment: bool


def allocate(deps: Deps, principal: Principal, movement_id: str, wanted: AllocationIn, key: str) -> Answer:
    """Record what a movement pays; returns (HTTP status, body). Repeating key and body gives the first answer.

    Problems: 404; 409 movement-not-open; 422 allocation-wrong-sign, allocation-too-large,
    overpayment-needs-confirmation, and those of `entering.enter` and `claims.enter_claim_payment`.
    """
    fingerprint = fingerprint_of(b"POST allocation", movement_id.encode(), wanted.model_dump_json().encode())
    return once(deps, principal.tenant_id, key, fingerprint,
                lambda: _allocate(deps, principal, movement_id, wanted, key))


def decide(deps: Deps, principal: Principal, movement_id: str, wanted: MovementDecisionIn) -> MovementOut:
    """Set a movement aside, open it again, or say whether a doubtful one is new.

    Problems: 404; 409 movement-decided where its state does not allow the answer.
    """
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)
        row = movement_of(session, principal.tenant_id, movement_id)
        state = MOVES.get((row.state, wanted.action))
        if state is None or (wanted.action == "aside" and allocations_of(session, row.id)):
            raise Problem(409, "movement-decided", "L'état de ce mouvement ne permet pas cette réponse. / "
                          "Not possible in the present state of this movement.", state=row.state)
        row.state, row.decided_at, row.decided_by, row.decided_reason = (
            state, deps.now(), principal.actor, wanted.reason)
        record(session, principal.tenant_id, Change(
            kind="payment", code=f"bank-{wanted.action}", actor=principal.actor, subject=f"bank:{row.id}",
            reason=wanted.reason, data={"movement": row.id, "state": state}), now=deps.now())
    return movement(deps, principal.tenant_id, movement_id)


def _allocate(deps: Deps, principal: Principal, movement_id: str, wanted: AllocationIn, key: str) -> Answer:
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)  # two persons at once: no movement beyond its amount
        row = movement_of(session, principal.tenant_id, movement_id)
        before = allocations_of(session, row.id)
        left = _check(row, left_of(row, before), wanted)
        on = row.value_on if FIRST_DAY <= row.value_on <= deps.today() else row.booked_on  # some fill in 0001-01-01
        for number, part in enumerate(wanted.parts, start=len(before)):
            _enter(deps, session, row, part, Order(
                principal.actor, on, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.key}/{number}")),
                overpayment=wanted.overpayment))
        row.state = "matched" if left == 0 else "open"
        row.decided_at, row.decided_by = deps.now(), principal.actor
        record(session, principal.tenant_id, Change(
            kind="payment", code="bank-matched", actor=principal.actor, subject=f"bank:{row.id}",
            data={"movement": row.id, "left": format(left, "f"), "parts": [
                {"invoice": part.invoice_id, "amount": part.amount} for part in wanted.parts]}), now=deps.now())
        session.flush()
        answer = 200, {"id": row.id, "state": row.state, "left": format(left, "f"),
                       "payments": [one.payment_id for one in allocations_of(session, row.id)[len(before):]]}
        remember(session, principal.tenant_id, key, answer)
    return answer


def _check(row: BankMovement, left: Decimal, wanted: AllocationIn) -> Decimal:
    """What is left after the allocation. Raises the problem that forbids it."""
    if row.state != "open":
        raise Problem(409, "movement-not-open", "Ce mouvement n'attend plus de rapprochement. / Nothing waits here.",
                      state=row.state)
    side = 1 if row.amount > 0 else -1
    if any(part.value * side <= 0 for part in wanted.parts):
        raise Problem(422, "allocation-wrong-sign", "Une entrée d'argent paie, un retour reprend : le signe des parts "
                      "suit celui du mouvement. / Parts have the sign of the movement.")
    after = left - sum((part.value for part in wanted.parts), Decimal(0))
    if after * side < 0:
        raise Problem(422, "allocation-too-large", f"Il ne reste que {left} {row.currency} à répartir. / "
                      f"Only {left} {row.currency} is left.", left=format(left, "f"))
    return after


def _enter(deps: Deps, session: Session, row: BankMovement, part: PartIn, order: Order) -> None:
    submission = invoice_of(session, row.tenant_id, part.invoice_id)
    reference = (row.end_to_end or row.reference or row.remittance)[:140] or None
    if part.claim_id is not None:
        enter_claim_payment(deps, session, part.claim_id, ClaimMoney(
            id=order.id, submission_id=submission.id, amount=part.value, currency=row.currency, paid_on=order.on,
            reference=reference, actor=order.actor))
    else:
        amount = -part.value if submission.type_code in CREDITS else part.value  # what is paid back settles a credit
        open_now = balance_on(session, submission, None).outstanding
        if amount > max(Decimal(0), open_now) and not order.overpayment:
            raise Problem(422, "overpayment-needs-confirmation", f"La facture {submission.number} n'est ouverte que de "
                          f"{open_now} {submission.currency} : confirmez le trop-perçu. / Only {open_now} is open: "
                          "confirm the overpayment.", invoice=submission.id, open=format(open_now, "f"))
        enter(deps, session, submission, Entry(id=order.id, actor=order.actor, payment=PaymentIn(
            amount=format(amount, "f"), currency=row.currency, method="virement",
            paid_on=earliest(session, submission, amount, order.on),  # banks may date a return before what it returns
            reference=reference)))
    session.add(BankAllocation(
        tenant_id=row.tenant_id, id=order.id, movement_id=row.id, submission_id=submission.id, claim_id=part.claim_id,
        payment_id=order.id, amount=part.value, at=deps.now(), actor=order.actor))

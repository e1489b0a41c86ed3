"""Claims for lateness: made, paid and given up, each once and each with its entry in the journal.

Neither the forty euro nor interest is a payment for the supply: no VAT, no 212, and nothing of the invoice's balance.
"""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.journal import canonical
from gateway.auth import Principal
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.idempotency import Answer, fingerprint_of, once, remember
from gateway.problems import Problem, not_found
from gateway.receivables.claim_schemas import (
    ClaimIn,
    ClaimListOut,
    ClaimOut,
    ClaimPaymentIn,
    InterestOut,
    SegmentOut,
    claim_out,
)
from gateway.receivables.claiming import FEE, INDEMNITY, INTEREST, ClaimState, claims_on, states_of
from gateway.receivables.entering import check_year, invoice_of
from gateway.receivables.interest import LAW
from gateway.receivables.penalties import INDEMNITY as FORTY
from gateway.receivables.penalties import Interest, interest_of, was_late
from gateway.record import Change, lock_tenant, record
from gateway.tables import Document, Submission
from gateway.tables_receivables import Claim, ClaimPayment

CLAIMED = "claimed"
INDEMNITY_LAW = "C. com. art. L441-10, II et D441-5"
SAID = {INDEMNITY: "Indemnité forfaitaire de recouvrement", INTEREST: "Intérêts de retard", FEE: "Frais"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMoney:
    """Money for a claim on an invoice, below zero to take it back."""

    id: str
    submission_id: str
    amount: Decimal
    currency: str
    paid_on: date
    reference: str | None
    actor: str


def claim(deps: Deps, principal: Principal, submission_id: str, wanted: ClaimIn, key: str) -> Answer:
    """Make a claim; returns (HTTP status, body). Repeating key and body gives the first answer.

    Problems: 404; 409 claim-exists; 422 fee-incomplete, nothing-to-claim and those of `penalties`.
    """
    fingerprint = fingerprint_of(b"POST claims", submission_id.encode(), wanted.model_dump_json().encode())

    def make() -> Answer:
        with deps.db.transaction(principal.tenant_id) as session:
            lock_tenant(session, principal.tenant_id)  # two at once: one indemnity
            submission = invoice_of(session, principal.tenant_id, submission_id)
            row = _made(deps, session, submission, wanted, key)
            row.actor = principal.actor
            if session.scalar(select(Claim).where(Claim.once == row.once)) is not None:
                raise Problem(409, "claim-exists", "Cette créance est déjà réclamée. / Claimed already.")
            session.add(row)
            _tell(deps, session, row, CLAIMED, f"{SAID[row.kind]} : {row.amount} {row.currency}")
            session.flush()
            [state] = states_of(session, [row], date.max)
            answer = 201, claim_out(state).model_dump(mode="json")
            remember(session, principal.tenant_id, key, answer)
        return answer

    return once(deps, principal.tenant_id, key, fingerprint, make)


def list_claims(deps: Deps, tenant_id: str, submission_id: str) -> ClaimListOut:
    """The claims on an invoice, and what could be claimed today. Problem 404."""
    today = deps.today()
    with deps.db.reading(tenant_id) as session:
        submission = invoice_of(session, tenant_id, submission_id)
        states = claims_on(session, submission_id, today)
        interest, trouble, late = None, None, False
        try:
            late = was_late(session, submission, today)
            interest = interest_out(submission, interest_of(session, submission, today))
        except Problem as problem:
            trouble = problem.detail
    due = late and not any(state.row.kind == INDEMNITY for state in states)
    return ClaimListOut(items=[claim_out(state) for state in states], indemnity_due=due, interest=interest,
                        trouble=trouble)


def interest_statement(deps: Deps, tenant_id: str, submission_id: str, until: date | None) -> InterestOut:
    """The interest of an invoice up to a day, today where none is named. Problems: 404 and those of `penalties`."""
    with deps.db.reading(tenant_id) as session:
        submission = invoice_of(session, tenant_id, submission_id)
        return interest_out(submission, interest_of(session, submission, until or deps.today()))


def waive(deps: Deps, principal: Principal, claim_id: str, reason: str) -> ClaimOut:
    """Give up what is left of a claim, also what a payment taken back left again. Problems: 404; 409 nothing-left."""
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)
        row = _claim_of(session, principal.tenant_id, claim_id)
        [state] = states_of(session, [row], date.max)
        if state.outstanding <= 0:
            raise Problem(409, "nothing-left", "Il ne reste rien de cette créance. / Nothing is left of this claim.")
        row.waived, row.waived_at, row.waived_by, row.waived_reason = (
            (row.waived or Decimal(0)) + state.outstanding, row.waived_at or deps.now(), principal.actor, reason)
        _tell(deps, session, row, "claim-waived", reason, actor=principal.actor)
        session.flush()
        return claim_out(states_of(session, [row], date.max)[0])


def pay(deps: Deps, principal: Principal, claim_id: str, wanted: ClaimPaymentIn, key: str) -> Answer:
    """Record money for a claim; returns (HTTP status, body). Problems: 404 and those of `enter_claim_payment`."""
    fingerprint = fingerprint_of(b"POST claim payment", claim_id.encode(), wanted.model_dump_json().encode())

    def enter() -> Answer:
        with deps.db.transaction(principal.tenant_id) as session:
            lock_tenant(session, principal.tenant_id)
            row = _claim_of(session, principal.tenant_id, claim_id)
            enter_claim_payment(deps, session, row.id, ClaimMoney(
                id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal.tenant_id}/claim/{key}")),
                submission_id=row.submission_id, amount=Decimal(wanted.amount), currency=row.currency,
                paid_on=wanted.paid_on, reference=wanted.reference, actor=principal.actor))
            session.flush()
            answer = 201, claim_out(states_of(session, [row], date.max)[0]).model_dump(mode="json")
            remember(session, principal.tenant_id, key, answer)
        return answer

    return once(deps, principal.tenant_id, key, fingerprint, enter)


def enter_claim_payment(deps: Deps, session: Session, claim_id: str, money: ClaimMoney) -> None:
    """Add money for a claim to the caller's transaction, which holds the tenant's lock.

    Problems: 404 where the invoice has no such claim; 422 amount-zero, currency-mismatch, paid-in-future,
    paid-too-early, claim-overpaid, reversal-too-large; 409 payment-already-recorded.
    """
    tenant_id = session.info["tenant"]
    row = _claim_of(session, tenant_id, claim_id)
    if row.submission_id != money.submission_id:
        raise not_found()
    if session.get(ClaimPayment, (tenant_id, money.id)) is not None:
        raise Problem(409, "payment-already-recorded", "Ce paiement est déjà enregistré. / Recorded already.")
    _check(states_of(session, [row], date.max)[0], money, deps.today())
    session.add(ClaimPayment(
        tenant_id=tenant_id, id=money.id, claim_id=row.id, amount=money.amount, currency=money.currency,
        paid_on=money.paid_on, reference=money.reference, recorded_at=deps.now(), actor=money.actor))
    _tell(deps, session, row, "claim-paid", f"{SAID[row.kind]} : {money.amount} {money.currency} reçus",
          actor=money.actor)


def interest_out(submission: Submission, interest: Interest) -> InterestOut:
    """Interest as it is shown."""
    return InterestOut(
        invoice_id=submission.id, number=submission.number or "", currency=submission.currency or "EUR", law=LAW,
        due_date=interest.due_date, until=interest.until,
        segments=[SegmentOut.model_validate(part.to_json()) for part in interest.segments],
        total=format(interest.total, "f"), claimed=format(interest.claimed, "f"),
        to_claim=format(interest.to_claim, "f"),
    )


def _check(state: ClaimState, money: ClaimMoney, today: date) -> None:
    if money.amount == 0:
        raise Problem(422, "amount-zero", "Le montant ne peut pas être nul. / The amount cannot be zero.")
    if money.currency != state.row.currency:
        raise Problem(422, "currency-mismatch", f"La créance est en {state.row.currency}. / The claim is in "
                      f"{state.row.currency}.", currency=state.row.currency)
    if money.paid_on > today:
        raise Problem(422, "paid-in-future", "La date de paiement est dans le futur. / Paid on a day to come.")
    check_year(money.paid_on)
    if money.amount > max(Decimal(0), state.outstanding):
        raise Problem(422, "claim-overpaid", f"Il ne reste que {state.outstanding} de cette créance. / Only "
                      f"{state.outstanding} is left.", outstanding=format(state.outstanding, "f"))
    if state.paid + money.amount < 0:
        raise Problem(422, "reversal-too-large", f"Seuls {state.paid} ont été encaissés. / Only {state.paid} received.")


def _made(deps: Deps, session: Session, submission: Submission, wanted: ClaimIn, key: str) -> Claim:
    """The claim that is wanted, not added yet."""
    now, today = deps.now(), deps.today()
    row = Claim(tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, kind=wanted.kind,
                claimed_on=today, created_at=now, first_day=None, last_day=None, currency="EUR")
    if wanted.kind == INDEMNITY:
        if not was_late(session, submission, today):
            raise Problem(422, "nothing-late", "La facture a été payée à temps. / The invoice was paid in time.")
        row.amount, row.once, row.basis = FORTY, f"indemnity:{submission.id}", {"law": INDEMNITY_LAW}
    elif wanted.kind == INTEREST:
        found = interest_of(session, submission, min(wanted.until or today, today))
        if found.to_claim <= 0:
            raise Problem(422, "nothing-to-claim", "Aucun intérêt de plus à réclamer. / No more interest to claim.")
        row.amount, row.currency = found.to_claim, submission.currency or "EUR"
        row.first_day, row.last_day = found.due_date + timedelta(days=1), found.until
        row.once = f"interest:{submission.id}:{found.until.isoformat()}"
        row.basis = {"law": LAW, "segments": [part.to_json() for part in found.segments],
                     "total": format(found.total, "f"), "claimed_before": format(found.claimed, "f")}
    else:
        if wanted.amount is None or wanted.reason is None or Decimal(wanted.amount) == 0:
            raise Problem(422, "fee-incomplete", "Des frais ont un montant et une raison. / A fee has an amount and a "
                          "reason.")
        row.amount, row.currency = Decimal(wanted.amount), submission.currency or "EUR"
        row.once, row.basis = f"fee:{uuid.uuid5(uuid.NAMESPACE_URL, key)}", {"reason": wanted.reason}
    return row


def _claim_of(session: Session, tenant_id: str, claim_id: str) -> Claim:
    row = session.get(Claim, (tenant_id, claim_id))
    if row is None:
        raise not_found()
    return row


def _tell(deps: Deps, session: Session, row: Claim, code: str, reason: str, *, actor: str | None = None) -> None:
    record(session, row.tenant_id, Change(
        kind="payment", code=code, actor=actor or row.actor, submission_id=row.submission_id, reason=reason,
        data={"claim": row.id, "kind": row.kind}, objects=(_keep(deps, session, row),) if code == CLAIMED else (),
    ), now=deps.now())


def _keep(deps: Deps, session: Session, row: Claim) -> Kept:
    """The claim as an object and document of the invoice, so that the journal proves what was claimed and why."""
    data = canonical({"claim": row.id, "invoice": row.submission_id, "kind": row.kind, "currency": row.currency,
                      "amount": format(row.amount, "f"), "claimed_on": row.claimed_on.isoformat(), "basis": row.basis})
    kept = Kept("claim", deps.store.put(data).hex, len(data))
    session.add(Document(
        tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.submission_id, role=kept.role, syntax=None,
        media_type="application/json", name=f"creance-{row.id}.json", sha256=kept.sha256, size=kept.size,
        at=row.created_at))
    return kept

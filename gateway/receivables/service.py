"""Payments over HTTP: recorded once per key, listed with what is due and what the tax office was told."""

import uuid
from datetime import date

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.idempotency import Answer, fingerprint_of, once, remember
from gateway.receivables.entering import Entry, balance_on, enter, invoice_of, payments_of
from gateway.receivables.reconciling import reconcile
from gateway.receivables.schemas import (
    ListedPaymentOut,
    PaymentIn,
    PaymentListOut,
    ReconciliationOut,
    VatStatusOut,
    balance_out,
    payment_out,
)
from gateway.record import lock_tenant


def record_payment(deps: Deps, principal: Principal, submission_id: str, payment: PaymentIn, key: str) -> Answer:
    """Record one payment or reversal; returns (HTTP status, body).

    Repeating key and body gives the first answer. Problems: 404 and those of `entering.enter`.
    """
    fingerprint = fingerprint_of(b"POST payments", submission_id.encode(), payment.model_dump_json().encode())
    return once(deps, principal.tenant_id, key, fingerprint,
                lambda: _record(deps, principal, submission_id, payment, key))


def list_payments(deps: Deps, tenant_id: str, submission_id: str, on: date | None) -> PaymentListOut:
    """Every payment of an invoice, and what is due at the end of the day `on`, or after all. Raises not-found."""
    with deps.db.reading(tenant_id) as session:
        submission = invoice_of(session, tenant_id, submission_id)
        payments = payments_of(session, submission_id)
        found = reconcile(session, submission, payments)
        balance = balance_on(session, submission, on)
    items = [ListedPaymentOut(**payment_out(row).model_dump(), vat_status=VatStatusOut(
        state=found.by_payment[row.id].state, reason=found.by_payment[row.id].reason)) for row in payments]
    return PaymentListOut(
        items=items, balance=balance_out(balance, submission.currency),
        reconciliation=ReconciliationOut(to_tell=format(found.to_tell, "f"), told=format(found.told, "f"),
                                         meets=found.meets),
    )


def _record(deps: Deps, principal: Principal, submission_id: str, payment: PaymentIn, key: str) -> Answer:
    payment_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal.tenant_id}/{key}"))
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)  # two payments at once: sums stay true
        submission = invoice_of(session, principal.tenant_id, submission_id)
        recorded = enter(deps, session, submission, Entry(id=payment_id, actor=principal.actor, payment=payment))
        answer = 201, recorded
        remember(session, principal.tenant_id, key, answer)
    return answer

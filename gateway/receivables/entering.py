"""A payment enters the ledger: once, in the caller's transaction, and told to the tax office where VAT falls due."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.journal import canonical
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.lifecycle.history import state_of
from gateway.problems import Problem, not_found
from gateway.receivables.account import CREDITS
from gateway.receivables.analysis import FIRST_DAY
from gateway.receivables.balance import Balance, Settlement
from gateway.receivables.documents import ENDED, netted_all
from gateway.receivables.schemas import PaymentIn, PaymentRecordedOut, VatStatusOut, balance_out, payment_out
from gateway.receivables.vat import is_due_on_receipt, split_next, stated_amount
from gateway.record import Change, Work, record
from gateway.tables import Document, Event, LegalEntity, Payment, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One payment to record. Repeating the id is refused: it is the same payment."""

    id: str
    actor: str
    payment: PaymentIn


def invoice_of(session: Session, tenant_id: str, submission_id: str) -> Submission:
    """The invoice with this id. Raises not-found."""
    submission = session.get(Submission, (tenant_id, submission_id))
    if submission is None:
        raise not_found()
    return submission


def enter(deps: Deps, session: Session, submission: Submission, entry: Entry) -> dict[str, Any]:
    """Add a payment or reversal to the caller's transaction, which holds the tenant's lock; returns what is answered.

    Problems: 422 currency-mismatch, amount-zero, reversal-too-large, reversal-too-early, paid-too-early or
    paid-in-future, 409 invoice-not-payable or payment-already-recorded. Overpayment is accepted and named.
    """
    payment = entry.payment
    if session.get(Payment, (submission.tenant_id, entry.id)) is not None:  # its key was forgotten since
        raise Problem(409, "payment-already-recorded", "Ce paiement est déjà enregistré ; un autre paiement veut "
                      "une autre clé. / Recorded already; another payment wants another key.", payment=entry.id)
    balance = _check(session, submission, payment, deps.today())
    now = deps.now()
    row = Payment(
        tenant_id=submission.tenant_id, id=entry.id, submission_id=submission.id, amount=payment.value,
        currency=submission.currency or "EUR", paid_on=payment.paid_on, method=payment.method,
        reference=payment.reference, recorded_at=now, actor=entry.actor,
    )
    session.add(row)
    kept = _keep(deps, session, row)
    vat_status, work = _tax_status(session, submission, row)
    recorded = PaymentRecordedOut(
        **payment_out(row).model_dump(), balance=balance_out(balance, submission.currency), vat_status=vat_status,
    ).model_dump(mode="json")
    record(session, submission.tenant_id, Change(
        kind="payment", code="received" if row.amount > 0 else "reversed", actor=entry.actor,
        submission_id=submission.id, reason=_words(row, balance), objects=(kept,),
        data={"payment": row.id, "amount": recorded["amount"], "currency": row.currency,
              "paid_on": recorded["paid_on"], "balance": recorded["balance"],
              **({"status_at": work.payload["set_at"]} if work else {})},
        then=(*((work,) if work else ()), Work(topic="remind", subject_id=submission.id)),
    ), now=now)
    return recorded


def payments_of(session: Session, submission_id: str) -> Sequence[Payment]:
    """The payments of an invoice, in the order of recording."""
    return session.scalars(
        select(Payment).where(Payment.submission_id == submission_id).order_by(Payment.recorded_at, Payment.id)
    ).all()


def check_year(paid_on: date) -> None:
    """A day of another century is a slip of the pen, which the tax office would be told. Problem 422 paid-too-early."""
    if paid_on < FIRST_DAY:
        raise Problem(422, "paid-too-early", f"La date de paiement est avant {FIRST_DAY.year} : vérifiez l'année. / "
                      f"Paid before {FIRST_DAY.year}: check the year.")


def earliest(session: Session, submission: Submission, amount: Decimal, on: date) -> date:
    """The first day from `on` that an amount may have: money that is taken back is so once it has come in."""
    if amount * _side(submission) >= 0:
        return on
    payments = payments_of(session, submission.id)
    days = sorted({on, *(one.paid_on for one in payments if one.paid_on > on)})
    lacking = [day for day in days if _lacks(submission, amount, sum(
        (one.amount for one in payments if one.paid_on <= day), amount))]
    return next((day for day in days if not lacking or day > lacking[-1]), on)


def balance_on(session: Session, submission: Submission, on: date | None) -> Balance:
    """The balance of a document at the end of a day, or of all days: credit notes that name an invoice are off it.

    A credit note itself is seen alone: what it gives, and what of that was paid back.
    """
    return netted_all(session, [submission], on or date.max)[submission.id].balance


def _keep(deps: Deps, session: Session, payment: Payment) -> Kept:
    """The payment as an object of its own, so that the journal proves its amount; a document of the invoice."""
    data = canonical({
        "payment": payment.id, "invoice": payment.submission_id, "amount": format(payment.amount, "f"),
        "currency": payment.currency, "paid_on": payment.paid_on.isoformat(), "method": payment.method,
        "reference": payment.reference, "recorded_at": payment.recorded_at.isoformat(), "actor": payment.actor,
    })
    kept = Kept("payment", deps.store.put(data).hex, len(data))
    session.add(Document(
        tenant_id=payment.tenant_id, id=str(uuid.uuid4()), submission_id=payment.submission_id, role=kept.role,
        syntax=None, media_type="application/json", name=f"paiement-{payment.id}.json", sha256=kept.sha256,
        size=kept.size, at=payment.recorded_at,
    ))
    return kept


def _check(session: Session, submission: Submission, payment: PaymentIn, today: date) -> Balance:
    """The balance after the payment, or the problem that forbids it."""
    if payment.value == 0:
        raise Problem(422, "amount-zero", "Le montant ne peut pas être nul. / The amount cannot be zero.")
    if payment.currency is not None and payment.currency != submission.currency:
        raise Problem(422, "currency-mismatch", f"La facture est en {submission.currency}, le paiement en "
                      f"{payment.currency}. / Invoice and payment have different currencies.",
                      currency=submission.currency)
    if payment.paid_on > today:
        raise Problem(422, "paid-in-future", "La date de paiement est dans le futur. / Paid on a day to come.")
    check_year(payment.paid_on)
    before = balance_on(session, submission, None)
    after = replace(before, paid=before.paid + payment.value)
    if _lacks(submission, payment.value, after.paid):
        raise Problem(422, "reversal-too-large",
                      f"Seuls {before.paid} ont été encaissés. / Only {before.paid} was received.",
                      received=format(before.paid, "f"))
    if (first := earliest(session, submission, payment.value, payment.paid_on)) > payment.paid_on:
        raise Problem(422, "reversal-too-early", f"L'argent repris n'était pas encore encaissé ce jour-là : datez la "
                      f"reprise du {first:%d/%m/%Y} au plus tôt. / The money had not come in by then: "
                      f"{first.isoformat()} at the earliest.", earliest=first.isoformat())
    ended = state_of(session, submission).ended
    if payment.value * _side(submission) > 0 and (ended in ENDED or submission.active is not True):
        raise Problem(409, "invoice-not-payable", f"La facture est refusée, rejetée ou annulée ({ended or 'refus'}) : "
                      "rien n'est dû. / The invoice was refused, rejected or cancelled: nothing is due.",
                      lifecycle=ended)
    return after


def _side(submission: Submission) -> int:
    """-1 for an invoice below zero, which the seller pays: its payments are below zero too."""
    stated = submission.total if submission.due is None else submission.due
    return -1 if stated is not None and stated < 0 and submission.type_code not in CREDITS else 1


def _lacks(submission: Submission, amount: Decimal, received: Decimal) -> bool:
    """Whether an amount takes back more than there is, where it leaves so much."""
    return amount * _side(submission) < 0 and received * _side(submission) < 0


def _tax_status(session: Session, submission: Submission, payment: Payment) -> tuple[VatStatusOut, Work | None]:
    """Whether a 212 is due for this payment, and the work that sends it."""
    entity = session.get(LegalEntity, (submission.tenant_id, submission.legal_entity_id or ""))
    if entity is None or not is_due_on_receipt(
        type_code=submission.type_code, business_process=submission.business_process, vat=submission.vat,
        vat_on_debits=entity.vat_on_debits, vat_regime=entity.vat_regime,
        processing_rule=submission.processing_rule,
    ):
        return VatStatusOut(state="not-due", reason="La TVA n'est pas exigible à l'encaissement. / "
                            "VAT is not due on receipt."), None
    amount = stated_amount(payment.amount, submission.type_code)
    earlier = [stated_amount(one.amount, submission.type_code) for one in payments_of(session, submission.id)
               if one.id != payment.id]
    parts = split_next(amount, earlier, submission.vat)
    payload: dict[str, Any] = {
        "code": "212",
        "id": payment.id,
        "set_at": _own_second(session, submission, payment.recorded_at).isoformat(),
        "actor": payment.actor,
        "currency": payment.currency,
        "amounts": [{"type": "MEN", "amount": format(part, "f"), "rate": format(rate, "f"),
                     "on": payment.paid_on.isoformat()} for rate, part in parts],
        "comment": _comment(amount, payment, side=_side(submission)),
    }
    work = Work(topic="send-status", subject_id=submission.id, payload=payload)
    if payment.currency != "EUR":
        return VatStatusOut(state="held", reason="Une 212 est en euros ; le cours doit être décidé. / "
                            "A 212 is in euro; somebody must decide the rate."), work
    return VatStatusOut(state="queued", reason=None), work


def _own_second(session: Session, submission: Submission, now: datetime) -> datetime:
    """A second that no other 212 of this invoice has: times of statuses have no fractions, and name the message."""
    taken = [event.data["status_at"] for event in session.scalars(
        select(Event).where(Event.submission_id == submission.id, Event.kind == "payment")
    ) if "status_at" in event.data]
    second = now.replace(microsecond=0)
    if not taken:
        return second
    return max(second, datetime.fromisoformat(max(taken)) + timedelta(seconds=1))


def _comment(amount: Decimal, payment: Payment, *, side: int) -> str | None:
    """The words that a negative amount must come with (P1.17)."""
    if amount > 0:
        return None
    cause = "Remboursement" if side < 0 else "Annulation d'un encaissement" if payment.amount < 0 else (
        "Remboursement d'un avoir")
    return f"{cause} du {payment.paid_on:%d/%m/%Y}."


def _words(payment: Payment, balance: Balance) -> str:
    """What the timeline says."""
    verb = "Encaissement" if payment.amount > 0 else (
        "Remboursement" if balance.due < 0 else "Annulation d'encaissement")
    told = f"{verb} de {abs(payment.amount)} {payment.currency}"
    if balance.settlement is Settlement.OVERPAID:
        return f"{told} ; trop-perçu de {abs(balance.outstanding)} {payment.currency}."
    return f"{told} ; reste dû {balance.outstanding} {payment.currency}."

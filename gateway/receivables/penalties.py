"""What lateness costs on one invoice, as of a day: the interest with its steps, and whether the forty euro are owed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from gateway.problems import Problem
from gateway.receivables.account import client_of
from gateway.receivables.claiming import INTEREST, claims_on
from gateway.receivables.documents import received_of
from gateway.receivables.interest import Debt, Segment, Terms, segments, total
from gateway.receivables.open_items import item_of
from gateway.receivables.rates import RateMissing, rates_of
from gateway.tables import Submission
from gateway.tables_receivables import PenaltyTerms
from gateway.tables_reminders import ReminderClient

BETWEEN_PROFESSIONALS = "B2B"
"""Processing rule of invoices between companies in France: the only ones that C. com. L441-10 is applied to here.

Consumers owe neither; for public buyers and abroad other texts apply (eight points; the law of the contract).
"""

SEGMENT = "segment:"
"""Before the name of a segment, where the terms name rates of single clients and of segments."""

INDEMNITY = Decimal("40.00")
"""C. com. D441-5. Once for each late invoice, in euro."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """The interest of one invoice up to a day."""

    due_date: date
    until: date
    segments: tuple[Segment, ...]
    claimed: Decimal
    """What was claimed before, also what was given up of it: that does not come back."""

    @property
    def total(self) -> Decimal:
        """The sum of the rounded segments."""
        return total(self.segments)

    @property
    def to_claim(self) -> Decimal:
        """What was not claimed yet; 0 where a payment that became known later makes earlier claims too high."""
        return max(Decimal(0), self.total - self.claimed)


def interest_of(session: Session, submission: Submission, until: date) -> Interest:
    """The interest of an invoice from the day after its due date to `until`, on what was owed each day.

    What credit notes took off was not owed from the start. Problems: 422 penalties-not-applicable, nothing-late,
    rate-missing (`half_year` names it).
    """
    debt = debt_of(session, submission, until)
    try:
        parts = segments(debt, until, terms_of(session, submission), rates_of(session))
    except RateMissing as missing:
        raise Problem(422, "rate-missing", f"Aucun taux n'est connu pour {missing.half_year} : ajoutez-le avec sa "
                      f"source. / No rate is known for {missing.half_year}: add it with its source.",
                      half_year=missing.half_year) from missing
    claimed = sum((claim.row.amount for claim in claims_on(session, submission.id, date.max)
                   if claim.row.kind == INTEREST), Decimal(0))
    return Interest(due_date=debt.due_date, until=until, segments=parts, claimed=claimed)


def debt_of(session: Session, submission: Submission, until: date) -> Debt:
    """What was to be paid of an invoice and what was, less what was paid back on its credit notes.

    What a credit note says it gave back already (BT-113) was an over-payment, which bears no interest. Problems: 422
    penalties-not-applicable, nothing-late.
    """
    item = item_of(session, submission, until)
    if submission.processing_rule != BETWEEN_PROFESSIONALS or item is None or item.document.is_credit:
        raise Problem(422, "penalties-not-applicable", "Pénalités et indemnité de L441-10 : seulement entre "
                      "professionnels en France. / Only for invoices between companies in France.",
                      processing_rule=submission.processing_rule)
    if submission.due_date is None or until <= submission.due_date:
        raise Problem(422, "nothing-late", "Rien n'est en retard. / Nothing is late.")
    unsure = {one.id for one in item.unsure}
    credits_ = [one.id for one in item.followers if one.is_credit and one.id not in unsure]
    money = [(one.on, one.amount if one.document == submission.id else -one.amount)  # paid back: owed from then on
             for one in received_of(session, [submission.id, *credits_]) if one.on <= until]
    return Debt(item.stated - item.ended - item.credited, submission.due_date, money)


def was_late(session: Session, submission: Submission, until: date) -> bool:
    """Whether something was still owed at the end of the due date: then the forty euro are owed. Problems as above."""
    debt = debt_of(session, submission, until)
    return debt.owed > sum((amount for on, amount in debt.payments if on <= debt.due_date), Decimal(0))


def terms_of(session: Session, submission: Submission) -> Terms:
    """What the seller agreed with this client, else with its segment, else with all, else what the law says."""
    row = session.get(PenaltyTerms, (submission.tenant_id, submission.legal_entity_id or ""))
    if row is None:
        return Terms()
    client = client_of(submission.buyer_siren, submission.buyer_name)
    settled = session.get(ReminderClient, (submission.tenant_id, client.key))
    segment = f"{SEGMENT}{settled.segment}" if settled is not None and settled.segment else ""
    agreed = row.clients.get(submission.buyer_siren or "") or row.clients.get(segment)
    return Terms(rate=Decimal(agreed) if agreed is not None else row.rate, day_count=row.day_count)

"""Invoices that were accepted with their documents, and what reminders said of them."""

from collections.abc import Callable

import pytest

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.record import Change, record
from gateway.tables import Document, Submission
from gateway.tables_receivables import Claim
from gateway.tables_reminders import Case, ReminderAnswer, ReminderClient


@pytest.fixture
def archived(deps: Deps, tenant: str, make_invoice: Callable[..., Submission]) -> Callable[..., Submission]:
    """An invoice that was accepted with its document; `said` is the reason of its event."""

    def make(said: str = "Mme Canari a signé", content: bytes = b"", **changes: object) -> Submission:
        submission = make_invoice(**changes)
        data = content or f"<Invoice>{submission.id}</Invoice>".encode()
        kept = Kept("original", deps.store.put(data).hex, len(data))
        with deps.db.transaction(tenant) as session:
            session.add(Document(tenant_id=tenant, id=f"d-{submission.id}", submission_id=submission.id,
                                 role="original", syntax="ubl-invoice", media_type="application/xml",
                                 name="Canari.xml", sha256=kept.sha256, size=kept.size, at=deps.now()))
            record(session, tenant, Change(kind="submission", code="accepted", actor="key:test", reason=said,
                                           submission_id=submission.id, objects=(kept,)), now=deps.now())
        return submission

    return make


@pytest.fixture
def reminded(deps: Deps) -> Callable[[Submission], None]:
    """What reminders know of the people of an invoice."""

    def make(invoice: Submission) -> None:
        with deps.db.transaction(invoice.tenant_id) as session:
            session.add(ReminderClient(
                tenant_id=invoice.tenant_id, key=invoice.buyer_siren or "", name="Oiseaux", segment="", watched=False,
                email="Canari@oiseaux.example", contact="Mme Canari", changed_at=deps.now(), actor="user:first"))
            session.add(Case(
                tenant_id=invoice.tenant_id, id="case", submission_id=invoice.id, client=invoice.buyer_siren,
                kind="contact", stage="", reason="Mme Canari", balance=1, opened_at=deps.now(), due_on=deps.today(),
                active=True, proposal="canari@oiseaux.example"))
            session.add(ReminderAnswer(
                tenant_id=invoice.tenant_id, id="answer", submission_id=invoice.id, at=deps.now(), answer="not-me",
                words={"email": "canari@oiseaux.example"}))
            session.add(Claim(
                tenant_id=invoice.tenant_id, id="claim", submission_id=invoice.id, kind="fee", once="fee", amount=1,
                currency="EUR", claimed_on=deps.today(), basis={"reason": "huissier chez Mme Canari"},
                created_at=deps.now(), actor="user:first"))

    return make

"""An invoice with its document in the store, seen on days that tests choose, and the mail that leaves."""

import email
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from formats.invoice import (
    Address,
    Contact,
    CreditTransfer,
    Invoice,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Totals,
)
from formats.syntax import Syntax, write
from gateway.auth import Permission, Principal
from gateway.deps import Deps
from gateway.outbox import Entry
from gateway.record import Change, record
from gateway.reminders.nightly import tick
from gateway.reminders.service import handle_remind
from gateway.tables import Event, LegalEntity, Payment, Submission
from gateway.tables_reminders import Decision
from gateway.worker import relay

sys.path.insert(0, str(Path(__file__).parent))

DUE = date(2026, 3, 13)
"""A Friday."""

SENDERS = {"200": "platform", "213": "platform",
           **dict.fromkeys(("209", "212", "220", "224", "225", "226", "227", "228"), "seller")}
"""Who sets a status; the buyer sets the others."""

INVOICE = Invoice(
    number="FA-2026-0042", issue_date=date(2026, 2, 11), type_code="380", currency="EUR", due_date=DUE,
    specification_identifier="urn:cen.eu:en16931:2017",
    notes=(Note(subject_code="PMD", text="Taux de refinancement de la BCE majoré de 10 points."),
           Note(subject_code="PMT", text="Indemnité forfaitaire de 40 EUR."),
           Note(subject_code="AAB", text="Pas d'escompte.")),
    seller=Party(name="Atelier Imaginaire SARL", address=Address(country="FR")),
    buyer=Party(name="Mairie Inventée", address=Address(country="FR"), contact=Contact(email="compta@mairie.example")),
    payment=PaymentInstructions(means_code="30", remittance_information="RF-42", credit_transfers=(
        CreditTransfer(account="FR7600000000000000000000097", service_provider="XXXXFRPP"),)),
    lines=(Line(id="1", net_amount=Decimal("1000.00")),),
    totals=Totals(with_vat=Decimal("1200.00"), due=Decimal("1200.00")),
)


def entry_of(submission: Submission) -> Entry:
    return Entry(tenant_id=submission.tenant_id, id=str(uuid.uuid4()), topic="remind", subject_id=submission.id,
                 payload={}, attempts=1, claims=1)


@dataclass(kw_only=True)
class Play:
    """One seller, the invoice at hand, and what can happen around it."""

    deps: Deps
    clock: Any
    make: Callable[..., Submission]
    invoice: Submission
    document: Invoice = INVOICE

    def another(self, number: str, due_on: str, amount: str, **changes: Any) -> Submission:
        """One more invoice of the usual client."""
        document = replace(self.document, number=number, due_date=date.fromisoformat(due_on),
                           totals=Totals(with_vat=Decimal(amount), due=Decimal(amount)))
        return keep(self.deps, self.make, document, **changes)

    def on(self, day: str) -> None:
        """Make it nine in the morning, UTC, of a day."""
        self.clock.now = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=9)

    def remind(self) -> None:
        """Handle one `remind` entry of the invoice."""
        handle_remind(self.deps, entry_of(self.invoice))

    def work(self) -> None:
        """A regular turn, and what it puts into the queue."""
        tick(self.deps)
        relay(self.deps, {"remind": handle_remind})

    def pay(self, amount: str) -> None:
        """Record money, as receivables would."""
        with self.deps.db.transaction(self.invoice.tenant_id) as session:
            session.add(Payment(
                tenant_id=self.invoice.tenant_id, id=str(uuid.uuid4()), submission_id=self.invoice.id,
                amount=Decimal(amount), currency="EUR", paid_on=self.deps.today(), method=None, reference=None,
                recorded_at=self.deps.now(), actor="key:test",
            ))

    def status(self, code: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Record a lifecycle status, as the lifecycle would; by whom it comes from, unless by somebody else."""
        with self.deps.db.transaction(self.invoice.tenant_id) as session:
            record(session, self.invoice.tenant_id, Change(
                kind="lifecycle", code=code, actor=by or SENDERS.get(code, "buyer"), submission_id=self.invoice.id,
                platform_at=at,
            ), now=self.deps.now())

    def decisions(self) -> list[Decision]:
        """Decisions kept about the invoice, oldest first."""
        with self.deps.db.reading(self.invoice.tenant_id) as session:
            rows = session.scalars(select(Decision).where(Decision.submission_id == self.invoice.id)).all()
        return sorted(rows, key=lambda row: row.facts["n"])

    def told(self) -> list[tuple[str, str, str]]:
        """(outcome, code, stage) of the decisions."""
        return [(row.outcome, row.facts["code"], row.stage) for row in self.decisions()]

    def events(self) -> list[str]:
        """The codes of the invoice's reminder events."""
        with self.deps.db.reading(self.invoice.tenant_id) as session:
            return list(session.scalars(select(Event.code).where(Event.kind == "reminder").order_by(Event.position)))

    def mails(self) -> list[EmailMessage]:
        """The mails in the spool, as their reader sees them, in the order of their dates."""
        files = [file.read_bytes() for file in (self.deps.settings.data / "mail").glob("*.eml")]
        found = [cast("EmailMessage", email.message_from_bytes(file, policy=default)) for file in files]
        return sorted(found, key=lambda mail: mail["Date"].datetime)

    def text(self, form: str = "plain") -> str:
        """What the latest mail says, with ordinary blanks."""
        body = self.mails()[-1].get_body((form,))
        assert body is not None
        return str(body.get_content()).replace("\u00a0", " ").replace("\u202f", " ")


def keep(deps: Deps, make_invoice: Callable[..., Submission], document: Invoice, **changes: Any) -> Submission:
    """A submission whose bytes are in the store."""
    sha256 = deps.store.put(write(document, Syntax.UBL_INVOICE)).hex
    return make_invoice(**{
        "number": document.number, "issue_date": document.issue_date, "due_date": document.due_date,
        "total": document.totals.with_vat, "due": document.totals.due, "sha256": sha256, "sent_sha256": sha256,
        "buyer_email": "compta@mairie.example", **changes,
    })


@pytest.fixture
def play(deps: Deps, clock: Any, entity: LegalEntity, make_invoice: Callable[..., Submission]) -> Play:
    """An invoice of 1200 EUR, deposited on 11 February and due on Friday 13 March 2026."""
    clock.now = datetime(2026, 2, 11, 9, tzinfo=UTC)
    with deps.db.transaction(entity.tenant_id) as session:
        row = session.get_one(LegalEntity, (entity.tenant_id, entity.id))
        row.name, row.contact_name, row.contact_email = "Atelier Imaginaire", "Claire Morel", "claire@atelier.example"
    return Play(deps=deps, clock=clock, make=make_invoice, invoice=keep(deps, make_invoice, INVOICE))


@pytest.fixture
def principal(play: Play) -> Principal:
    """A credit controller."""
    return Principal(tenant_id=play.invoice.tenant_id, actor="user:claire", name="Claire Morel",
                     permissions=frozenset(Permission))

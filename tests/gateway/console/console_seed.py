"""A tenant with about thirty invoices in many states, so that every page has something to show.

Everything goes through the services or `record`, at the times the story tells, on a clock that the caller lends.
`python tests/gateway/console/console_seed.py FOLDER PORT` serves it on 127.0.0.1 for a look, until interrupted.
"""

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn
from console_story import BUYERS, SELLER, Case, cases, report_of, siren
from sqlalchemy import delete
from sqlalchemy.orm import Session

from archive.stores.directory import DirectoryStore
from formats.codes import REASON_LABELS
from gateway.accounts.people import create_user
from gateway.accounts.schemas import ConnectionIn, EntityIn
from gateway.accounts.service import create_connection, create_entity, create_key, create_tenant, enable_entity
from gateway.app import create_app
from gateway.auth import Permission, Principal
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.evidence.ledger import Kept, log_of
from gateway.evidence.sealing import seal_log
from gateway.receivables.schemas import PaymentIn
from gateway.receivables.service import record_payment
from gateway.record import Change, record
from gateway.reminders.people import add_hold
from gateway.reminders.schemas import HoldIn
from gateway.settings import Settings
from gateway.tables import Base, Document, OutboxEntry, PlatformConnection, SeenFlow, Submission
from gateway.tables_receivables import LedgerLine, LedgerMark, LedgerSpell
from gateway.tables_reminders import Decision
from gateway.vault import Vault
from validation.workshop import Workshop

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PASSWORD = "une passerelle sur la rivière"
"""Of every person here."""

PEOPLE = {
    "officer": ("claire@atelier.example", "Claire Vasseur"), "credit": ("hugo@atelier.example", "Hugo Lenoir"),
    "operator": ("ines@atelier.example", "Inès Marchand"), "billing": ("paul@atelier.example", "Paul Roy"),
}
EVERYONE = ("tous@atelier.example", "Camille Tous")


class Clock:
    """A clock that the story sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Seeded:
    """What a test needs to know of it."""

    tenant_id: str
    other_tenant_id: str
    invoices: dict[str, str]
    """Number to id."""

    foreign_invoice: str


class Story:
    """Tells the cases to a tenant, each step at its time."""

    def __init__(self, deps: Deps, clock: Clock, tenant_id: str, entity_id: str, connection_id: str) -> None:
        self.deps, self.clock, self.tenant_id = deps, clock, tenant_id
        self.entity_id, self.connection_id = entity_id, connection_id
        self.ids: dict[str, str] = {}
        self.credit = Principal(tenant_id=tenant_id, actor="", name="", permissions=frozenset(Permission))

    def tell(self, key_prefix: str, credit_actor: str) -> None:
        """Everything in the order in which it happened."""
        self.credit = replace(self.credit, actor=credit_actor)
        moments: list[tuple[datetime, Callable[[], None]]] = []
        for n, case in enumerate(cases()):
            start = datetime(case.day.year, case.day.month, case.day.day, 6, 12, 7 + n, tzinfo=UTC)
            moments.append((start, lambda case=case: self.receive(case, f"key:{key_prefix}")))
            for days, step in case.steps:
                at = start + timedelta(days=days)
                if at < NOW:
                    moments.append((at, lambda case=case, step=step: self.step(case, step)))
        for at, act in sorted(moments, key=lambda moment: moment[0]):
            self.clock.now = at
            act()

    def receive(self, case: Case, actor: str) -> None:
        """The invoice comes in, is checked and kept."""
        name, buyer_siren = BUYERS[case.buyer]
        report = report_of(case)
        original = self.keep("original", f"<facture>{case.number}</facture>".encode())
        kept_report = self.keep("report", json.dumps(report.to_json()).encode())
        row = Submission(**{
            "tenant_id": self.tenant_id, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, case.number)),
            "received_at": self.clock.now, "actor": actor, "legal_entity_id": self.entity_id,
            "connection_id": self.connection_id, "number": case.number, "issue_date": case.day, "issue_year": 2026,
            "type_code": "380", "business_process": "S1", "processing_rule": "B2B", "seller_siren": SELLER,
            "seller_name": "Atelier des Passerelles SAS", "seller_address": SELLER, "buyer_siren": buyer_siren,
            "buyer_name": name, "buyer_address": buyer_siren, "buyer_email": "comptabilite@client.example",
            "currency": "EUR", "total": Decimal(case.total), "due": Decimal(case.total),
            "due_date": case.day + timedelta(days=case.due_in), "vat_due_code": None, "preceding": [],
            "vat": [{"category": "S", "rate": "20", "taxable": "0", "tax": "0"}], "syntax": "cii",
            "profile": "en16931", "verdict": report.verdict.value, "sha256": original.sha256,
            "sent_sha256": original.sha256, "active": True, "replaces": None, "transmission": "queued",
            "transmission_reason": None, "flow_id": None, "lifecycle": None, **(case.changes or {}),
        })
        self.ids[case.number] = row.id
        with self.deps.db.transaction(self.tenant_id) as session:
            session.add(row)
            session.flush()
            for kept, media_type in ((original, "application/xml"), (kept_report, "application/json")):
                self.attach(session, row.id, kept, media_type)
            record(session, self.tenant_id, Change(
                kind="submission", code="refused" if row.active is None else "accepted", actor=actor,
                submission_id=row.id, reason=row.transmission_reason, objects=(original, kept_report)),
                now=self.clock.now)

    def step(self, case: Case, step: tuple[Any, ...]) -> None:
        """One thing that happens to a received invoice."""
        verb = step[0]
        if verb == "pay":
            record_payment(self.deps, self.credit, self.ids[case.number], PaymentIn(
                amount=step[1], paid_on=self.clock.now.date(), method="virement",
                reference=f"VIR {case.number[-4:]}"), f"seed-{case.number}-{self.clock.now}")
        elif verb == "hold":
            add_hold(self.deps, self.credit, self.ids[case.number], HoldIn(
                kind="promise", reason="Virement annoncé au téléphone pour la fin du mois.", until=date(2026, 11, 30)))
        elif verb == "remind":
            self.remind(case, step[1])
        elif verb in {"transmission", "park", "unknown"}:
            self.transmit(case, step)
        else:
            self.status(case, *step)

    def transmit(self, case: Case, step: tuple[Any, ...]) -> None:
        """Deposited, parked, or nobody knows."""
        code = {"park": "parked", "unknown": "unknown"}.get(step[0], step[-1])
        platform = f"platform:{self.connection_id}" if code == "deposited" else "worker"
        receipt = self.keep("receipt", f'{{"flowId": "{case.number}"}}'.encode())
        with self.deps.db.transaction(self.tenant_id) as session:
            row = session.get_one(Submission, (self.tenant_id, self.ids[case.number]))
            row.transmission, row.transmission_reason = code, step[1] if code != "deposited" else None
            if code == "deposited":
                self.attach(session, row.id, receipt, "application/json")
            if code == "parked":
                session.add(self.parked("deliver", row.id, step[1]))
            record(session, self.tenant_id, Change(
                kind="transmission", code=code, actor=platform, submission_id=row.id, reason=row.transmission_reason,
                platform_at=self.clock.now - timedelta(seconds=3) if code == "deposited" else None,
                objects=(receipt,) if code == "deposited" else ()), now=self.clock.now)

    def status(self, case: Case, code: str, reason: str | None = None, comment: str | None = None) -> None:
        """A lifecycle status comes in."""
        buyer = code in {"204", "205", "207", "208", "210", "211"}
        issuer = {"role": "BY", "name": BUYERS[case.buyer][0]} if buyer else {"role": "WK"}
        kept = self.keep("status", f"<statut>{case.number} {code}</statut>".encode())
        with self.deps.db.transaction(self.tenant_id) as session:
            row = session.get_one(Submission, (self.tenant_id, self.ids[case.number]))
            row.lifecycle = code
            self.attach(session, row.id, kept, "application/xml")
            record(session, self.tenant_id, Change(
                kind="lifecycle", code=code, actor="buyer" if buyer else "platform", submission_id=row.id,
                reason=f"{reason} : {REASON_LABELS[reason].fr} ({comment})" if reason else None, objects=(kept,),
                platform_at=self.clock.now - timedelta(minutes=14),
                data={"message": f"{case.number}_{code}", "by": issuer, "details": [],
                      "connection_id": self.connection_id}), now=self.clock.now)

    def remind(self, case: Case, stage: str) -> None:
        """A letter went out."""
        kept = self.keep("reminder", f"Relance {stage} pour {case.number}".encode())
        reason = "Échue, non réglée, aucun litige."
        with self.deps.db.transaction(self.tenant_id) as session:
            row = session.get_one(Submission, (self.tenant_id, self.ids[case.number]))
            session.add(Decision(
                tenant_id=self.tenant_id, id=str(uuid.uuid4()), submission_id=row.id, intent=f"{row.id}:{stage}",
                stage=stage, at=self.clock.now, outcome="sent", reason=reason, scenario="relances-v1",
                facts={"code": "due", "offset": {"due": 0, "friendly": 10, "formal": 20, "penalties": 30}.get(stage)},
                channel="spool", recipient=row.buyer_email, sha256=kept.sha256))
            self.attach(session, row.id, kept, "message/rfc822")
            record(session, self.tenant_id, Change(
                kind="reminder", code="sent", actor="worker", submission_id=row.id, objects=(kept,),
                reason=f"Facture {row.number} ; à {row.buyer_email}"), now=self.clock.now)

    def keep(self, role: str, data: bytes) -> Kept:
        """Bytes into the store."""
        return Kept(role, self.deps.store.put(data).hex, len(data))

    def attach(self, session: Any, submission_id: str, kept: Kept, media_type: str) -> None:
        """A document row."""
        session.add(Document(
            tenant_id=self.tenant_id, id=str(uuid.uuid4()), submission_id=submission_id, role=kept.role,
            syntax="cii", media_type=media_type, name=f"{kept.role}.{media_type.rpartition('/')[2]}",
            sha256=kept.sha256, size=kept.size, at=self.clock.now))

    def parked(self, topic: str, subject: str, reason: str) -> OutboxEntry:
        """Work that waits for a person."""
        return OutboxEntry(tenant_id=self.tenant_id, id=str(uuid.uuid4()), topic=topic, subject_id=subject, payload={},
                           created_at=self.clock.now, due_at=self.clock.now, lease_until=None, attempts=4,
                           state="parked", reason=reason)


def fill(deps: Deps, clock: Clock) -> Seeded:
    """Tell the whole story to an empty database; the clock stands at NOW afterwards."""
    clock.now = NOW - timedelta(days=90)
    tenant = create_tenant(deps, "Atelier des Passerelles", "operator:cli")
    everybody = create_user(deps, tenant.id, *EVERYONE, PASSWORD, list(PEOPLE), "operator:cli")
    people = {role: create_user(deps, tenant.id, email, name, PASSWORD, [role], f"user:{everybody.id}")
              for role, (email, name) in PEOPLE.items()}
    connection = create_connection(deps, tenant.id, connection_in("PA Rivière"), f"user:{people['operator'].id}")
    entity = create_entity(deps, tenant.id, EntityIn.model_validate({
        "siren": SELLER, "name": "Atelier des Passerelles SAS", "connection_id": connection.id,
        "address": {"line_1": "12 quai Inventé", "post_code": "38000", "city": "Pontville"},
        "contact_name": "Hugo Lenoir", "contact_email": "hugo@atelier.example"}), f"user:{people['operator'].id}")
    create_entity(deps, tenant.id, EntityIn.model_validate({
        "siren": siren(201), "name": "Atelier des Passerelles Services"}), f"user:{people['operator'].id}")
    enable_entity(deps, tenant.id, entity.id, f"user:{people['operator'].id}")
    key = create_key(deps, tenant.id, "ERP Atelier", [Permission.INVOICES_WRITE, Permission.INVOICES_READ],
                     f"user:{people['operator'].id}")
    story = Story(deps, clock, tenant.id, entity.id, connection.id)
    story.tell(key.split("_")[2], f"user:{people['credit'].id}")
    clock.now = NOW - timedelta(minutes=12)
    finish(deps, story)
    clock.now = NOW
    other, foreign = stranger(deps)
    return Seeded(tenant.id, other, story.ids, foreign)


def finish(deps: Deps, story: Story) -> None:
    """Queue, flows, health, and a seal over most of the journal."""
    seal_log(deps, story.tenant_id, log_of(story.clock.now))
    with deps.db.transaction(story.tenant_id) as session:
        connection = session.get_one(PlatformConnection, (story.tenant_id, story.connection_id))
        connection.polled_at = NOW - timedelta(seconds=40)
        session.add(story.parked("mail", story.ids["F-2026-0415"], "550 boîte inconnue : comptabilite@client.example"))
        for number in ("F-2026-0452", "F-2026-0453"):
            session.add(OutboxEntry(
                tenant_id=story.tenant_id, id=str(uuid.uuid4()), topic="deliver", subject_id=story.ids[number],
                payload={}, created_at=NOW - timedelta(minutes=2), due_at=NOW, lease_until=None, attempts=0,
                state="pending", reason=None))
        session.add(SeenFlow(
            tenant_id=story.tenant_id, id="7f0c2a1e-flux", connection_id=story.connection_id,
            flow_type="CustomerInvoiceLC", first_seen_at=NOW - timedelta(hours=5), updated_at=NOW - timedelta(hours=5),
            state="parked", cause="Aucune facture F-2025-9981 de ce vendeur.", submission_id=None, sha256=None))
        record(session, story.tenant_id, Change(kind="transmission", code="queued", actor="worker",
                                                submission_id=story.ids["F-2026-0453"]), now=story.clock.now)


def stranger(deps: Deps) -> tuple[str, str]:
    """Another tenant with one invoice, which nobody of the first may see."""
    other = create_tenant(deps, "Voisins SARL", "operator:cli")
    connection = create_connection(deps, other.id, connection_in("PA d'à côté"), "operator:cli")
    entity = create_entity(deps, other.id, EntityIn.model_validate({
        "siren": siren(300), "name": "Voisins SARL", "connection_id": connection.id}), "operator:cli")
    story = Story(deps, Clock(NOW), other.id, entity.id, connection.id)
    story.receive(Case("V-1", date(2026, 11, 20), "10.00", 0, ()), "operator:cli")
    return other.id, story.ids["V-1"]


def connection_in(name: str) -> ConnectionIn:
    """A platform at which nothing listens."""
    return ConnectionIn.model_validate({
        "name": name, "flow_url": "http://127.0.0.1:9/flow-service", "token_url": "http://127.0.0.1:9/token",
        "client_id": "atelier", "client_secret": "un-secret-invente", "allow_loopback": True})


def forget_lines(session: Session) -> None:
    """Have the ledger made again: rows that come and go without an event are none that its lines follow."""
    for table in (LedgerLine, LedgerSpell, LedgerMark):
        session.execute(delete(table))


@contextmanager
def seeded(folder: Path, workshop: Workshop) -> Iterator[tuple[Deps, Seeded]]:
    """Deps on a fresh folder, with the whole story in it."""
    clock = Clock(NOW)
    db = Database(f"sqlite:///{folder / 'console.sqlite3'}")
    Base.metadata.create_all(db.engine)
    deps = Deps(settings=Settings(data=folder), db=db, store=DirectoryStore(folder / "objects"), workshop=workshop,
                vault=Vault(bytes(32)), bell=Bell(), clock=clock)
    yield deps, fill(deps, clock)
    db.close()


if __name__ == "__main__":
    with Workshop() as shop, seeded(Path(sys.argv[1]), shop) as (made, _):
        uvicorn.run(create_app(made), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")

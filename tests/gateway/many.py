"""Many invoices with a life, written through `record` without a platform: for exports and restitutions."""

import json
import random
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.record import Change, record
from gateway.tables import Document, Payment, Submission

REPORT = json.dumps({"verdict": "valid", "findings": [], "layers": [
    {"layer": "xsd", "outcome": "passed", "rule_set": "UBL 2.1", "version": "2.1", "sha256": "ab" * 32}]}).encode()


def make_invoices(deps: Deps, tenant: str, numbers: Sequence[int], *, at_once: int = 50) -> list[str]:
    """Invoices `F-<number>`, sent, approved and paid: six journal entries each. Their ids."""
    ids = []
    for first in range(0, len(numbers), at_once):
        with deps.db.transaction(tenant) as session:
            ids += [_one(deps, session, tenant, number) for number in numbers[first:first + at_once]]
    return ids


def _one(deps: Deps, session, tenant: str, number: int) -> str:
    chance = random.Random(f"{tenant} {number}")
    invoice, now = str(uuid.UUID(int=chance.getrandbits(128))), deps.now()
    document = f"<Invoice>{number} {'x' * chance.randrange(200, 2000)}</Invoice>".encode()
    original = deps.store.put(document).hex
    session.add(Submission(
        tenant_id=tenant, id=invoice, received_at=now, actor="key:test", legal_entity_id=None, connection_id=None,
        number=f"F-{number}", issue_date=date(2026, 1, 1) + timedelta(days=number % 300), issue_year=2026,
        type_code="380", business_process="S1", processing_rule="B2B", seller_siren="000002006", seller_name="Vendeur",
        seller_address="000002006", buyer_siren="000001016", buyer_name="Acheteur", buyer_address="000001016",
        buyer_email=None, currency="EUR", total=Decimal("120.00"), due=Decimal("120.00"), due_date=None, vat=[],
        vat_due_code=None, preceding=[], linked={"BT-13": f"C-{number}", "BT-72": "2026-01-01"}, syntax="ubl-invoice",
        profile="en16931", verdict="valid", sha256=original, sent_sha256=original, active=True, replaces=None,
        transmission="deposited", transmission_reason=None, flow_id=f"flow-{number}", lifecycle="212",
    ))
    payment = Payment(tenant_id=tenant, id=str(uuid.UUID(int=chance.getrandbits(128))), submission_id=invoice,
                      amount=Decimal("120.00"), currency="EUR", paid_on=date(2026, 11, 1), method=None, reference=None,
                      recorded_at=now, actor="key:test")
    session.add(payment)
    for kind, code, role, name, data in (
        ("submission", "accepted", "original", "facture.xml", document),
        ("submission", "checked", "report", "rapport.json", REPORT),
        ("transmission", "deposited", "receipt", "recepisse.json", f'{{"flow":{number}}}'.encode()),
        ("lifecycle", "205", "status", "statut-205.xml", f"<CDAR>205 {number}</CDAR>".encode()),
        ("payment", "received", "payment", f"paiement-{payment.id}.json", f'{{"payment":"{payment.id}"}}'.encode()),
        ("lifecycle", "212", "status", "statut-212.xml", f"<CDAR>212 {number}</CDAR>".encode()),
    ):
        kept = Kept(role, deps.store.put(data).hex, len(data))
        session.add(Document(tenant_id=tenant, id=str(uuid.UUID(int=chance.getrandbits(128))), submission_id=invoice,
                             role=role, syntax=None, media_type="application/xml", name=name, sha256=kept.sha256,
                             size=kept.size, at=now))
        record(session, tenant, Change(kind=kind, code=code, actor="key:test", submission_id=invoice, objects=(kept,),
                                       reason=f"invoice {number}"), now=now)
    return invoice

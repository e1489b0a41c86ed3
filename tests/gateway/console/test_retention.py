"""The page of retention: a hold set and lifted, a destruction proposed by one person and approved by another."""

import html
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.console.views import retention as retention_page
from gateway.deps import Deps
from gateway.keeping import retention
from gateway.tables import Submission
from gateway.tables_archive import KeptObject
from gateway.tables_receivables import BankFile
from gateway.tables_retention import Destruction, LegalHold, Retention
from gateway.topics import HANDLERS
from gateway.worker import relay

HERE = "/journal/conservation"


def send(person: Any, path: str, **fields: str) -> Any:
    return person.post(path, data={"csrf": person.token(HERE), **fields})


def test_a_hold_is_set_and_lifted(seeded_deps: Deps, story: Any, signed_in: Callable[[str], Any]) -> None:
    officer = signed_in("officer")
    page = send(officer, f"{HERE}/gels", on="invoice", invoice="F-2026-0415", reason="Contrôle <fiscal>")
    assert page.status_code == 200
    assert "Contrôle &lt;fiscal&gt;" in page.text
    with seeded_deps.db.reading(story.tenant_id) as session:
        hold = session.scalars(select(LegalHold).where(LegalHold.reason == "Contrôle <fiscal>")).one()
    invoice = officer.get(f"/factures/{hold.subject}").text
    assert "Sous gel" in invoice
    assert "À conserver jusqu'au" in html.unescape(invoice)
    assert send(officer, f"{HERE}/gels/{hold.id}/lever", reason="clos").status_code == 200
    assert "Sous gel" not in officer.get(f"/factures/{hold.subject}").text
    page = send(officer, f"{HERE}/gels", on="invoice", invoice="nowhere", reason="x")
    assert page.status_code == 404
    assert "Aucune facture ne porte ce numéro" in page.text


def test_the_hold_is_on_the_invoice_whose_page_it_was_asked_from(
    seeded_deps: Deps, story: Any, signed_in: Callable[[str], Any]
) -> None:
    officer = signed_in("officer")
    with seeded_deps.db.transaction(story.tenant_id) as session:  # numbers begin again each year
        older, newer = session.scalars(select(Submission).where(Submission.number.is_not(None))
                                       .order_by(Submission.received_at).limit(2)).all()
        before = newer.number, newer.active
        newer.number, newer.active = older.number, None
    page = html.unescape(officer.get(f"/factures/{older.id}").text)
    link = re.search(rf'href="({HERE}[^"#]*)#gels"', page)
    assert link is not None
    asked = re.search(r'name="invoice"[^>]*value="([^"]*)"', html.unescape(officer.get(link[1]).text))
    assert asked is not None
    for _ in range(2):  # a double click
        assert send(officer, f"{HERE}/gels", on="invoice", invoice=asked[1], reason="litige n° 7").status_code == 200
    page = send(officer, f"{HERE}/gels", on="invoice", invoice=str(older.number), reason="litige n° 8")
    assert page.status_code == 409
    assert "Plusieurs factures portent ce numéro" in page.text
    with seeded_deps.db.transaction(story.tenant_id) as session:
        found = session.scalars(select(LegalHold).where(LegalHold.reason.startswith("litige n°"))).all()
        kept = session.get_one(Submission, (story.tenant_id, newer.id))
        kept.number, kept.active = before
    assert [row.subject for row in found] == [older.id]
    assert send(officer, f"{HERE}/gels/{found[0].id}/lever", reason="clos").status_code == 200


def test_two_persons_destroy(
    seeded_deps: Deps, story: Any, signed_in: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    officer, both = signed_in("officer"), signed_in("tous")
    tenant_id = story.tenant_id
    retention.count_due(seeded_deps)
    with seeded_deps.db.transaction(tenant_id) as session:
        chosen = session.scalar(select(Submission.id).where(Submission.number == "F-2026-0415"))
        session.execute(update(Retention).where(Retention.submission_id == chosen).values(until=date(2026, 1, 1)))
        now = seeded_deps.now()
        session.add(BankFile(tenant_id=tenant_id, id="old", sha256="0" * 64, size=1, name="relevé <ancien>.xml",
                             version="camt.053.001.08", message_id="M", received_at=now, actor="x", added=0, repeated=0,
                             remarks=[], kept_until=date(2026, 1, 1)))
        session.add(KeptObject(tenant_id=tenant_id, sha256="0" * 64, algorithm="sha256", size=1, depositor="x",
                               deposited_at=now, destroyed_at=None))
    monkeypatch.setattr(retention, "retain_until", lambda *_: date(2026, 1, 1))
    assert "Relevé bancaire relevé &lt;ancien&gt;.xml" in officer.get(HERE).text
    page = send(officer, f"{HERE}/destructions", subject=chosen, why="dix ans ont passé")
    assert "une autre personne approuve" in page.text
    with seeded_deps.db.reading(tenant_id) as session:
        row = session.scalars(select(Destruction).where(Destruction.reason == "dix ans ont passé")).one()
    assert send(officer, f"{HERE}/destructions/{row.id}/approuver").status_code == 403
    assert "Approuver et détruire" in both.get(HERE).text
    assert send(both, f"{HERE}/destructions/{row.id}/ecarter", reason="à revoir").status_code == 200
    assert re.search(r"Écartée.*à revoir", both.get(HERE).text, re.DOTALL)
    relay(seeded_deps, HANDLERS)


def test_what_is_proposed_hides_nothing_that_is_due_behind_it(
    seeded_deps: Deps, story: Any, signed_in: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = signed_in("officer")
    retention.count_due(seeded_deps)
    with seeded_deps.db.transaction(story.tenant_id) as session:
        old = session.scalars(select(Submission).where(Submission.number.in_(("F-2026-0418", "F-2026-0421")))
                              .order_by(Submission.id)).all()
        before = dict(session.execute(select(Retention.submission_id, Retention.until)).all())
        session.execute(update(Retention).where(Retention.submission_id.in_([one.id for one in old])).values(
            until=date(2025, 1, 1)))
    monkeypatch.setattr(retention, "retain_until", lambda *_: date(2025, 1, 1))
    monkeypatch.setattr(retention_page, "SHOWN", 1)
    assert f'value="{old[0].id}"' in officer.get(HERE).text
    send(officer, f"{HERE}/destructions", subject=old[0].id, why="onze ans ont passé")
    assert f'value="{old[1].id}"' in officer.get(HERE).text
    with seeded_deps.db.transaction(story.tenant_id) as session:
        row = session.scalars(select(Destruction).where(Destruction.reason == "onze ans ont passé")).one()
        for one in old:
            session.get_one(Retention, (story.tenant_id, one.id)).until = before[one.id]
    send(officer, f"{HERE}/destructions/{row.id}/ecarter", reason="essai")


@pytest.mark.parametrize("role", ["credit", "billing"])
def test_others_do_not_see_it(signed_in: Callable[[str], Any], role: str) -> None:
    assert signed_in(role).get(HERE).status_code == 403

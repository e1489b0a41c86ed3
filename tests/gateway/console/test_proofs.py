"""The officer's pages: kept searches, pages of the journal, who looked, checks, seals, exports, alarms."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.store import Digest
from archive.stores.safe import Verb
from gateway.alarms.sounding import clear, sound
from gateway.clock import PARIS
from gateway.console import audit, finding, people, searching, words
from gateway.deps import Deps
from gateway.jobs import handle_job
from gateway.searchable import asked_words, words_of
from gateway.tables import Document, Event, Submission
from gateway.tables_care import Job
from gateway.tables_retention import Retention
from gateway.topics import HANDLERS
from gateway.worker import relay


def numbers(page: str) -> list[int]:
    """The entries on a page of the journal, as they stand."""
    return [int(found) for found in re.findall(r'href="/journal/2026/(\d+)"', page)]


def test_the_pages_of_the_journal_are_its_entries_once_each_in_order(visitor: Any) -> None:
    shown: list[int] = []
    path = "/journal?au=2026-11-22"
    while path:
        page = visitor.get(path).text
        shown += numbers(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    newer = re.search(r'rel="prev" href="([^"]+)"', page)
    assert newer is not None
    back = numbers(visitor.get(newer[1].replace("&amp;", "&")).text)
    assert len(shown) > 100
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == len(shown)
    last_page = len(numbers(page))
    assert back == shown[-last_page - len(back):-last_page]


@pytest.mark.parametrize(("asked", "number"), [
    ("f-2026-0415", "F-2026-0415"), ("0415", "F-2026-0415"), ("trois ponts", "F-2026-0415"),
    ("Hotel des Tro", "F-2026-0415"), ("deux palettes", "F-2026-0421"), ("quantite erron", "F-2026-0421"),
])
def test_words_are_found_without_accents_and_by_their_beginning(
    seeded_deps: Deps, story: Any, asked: str, number: str
) -> None:
    with seeded_deps.db.reading(story.tenant_id) as session:
        found = audit.search(session, searching.Search(q=asked), people.names(session), per_page=500)
    assert number in {line.invoice.number for line in found.rows if line.invoice is not None}


@pytest.mark.parametrize("asked", ["Voisins", "V-1", "zzz", "'; --", "%", "___", "É" * 300])
def test_what_is_not_ours_or_nowhere_is_not_found(seeded_deps: Deps, story: Any, asked: str) -> None:
    with seeded_deps.db.reading(story.tenant_id) as session:
        found = audit.search(session, searching.Search(q=asked), people.names(session))
    assert found.rows == []


def plainly(session: Session, asked: searching.Search, names: people.Names) -> list[int]:
    """The positions of all events that match, newest first, by looking at every one but those of what was destroyed."""
    invoices = {row.id: row for row in session.scalars(select(Submission))}
    *whole, last = asked_words(asked.q)
    actors = {*people.matching(names, asked.actor), asked.actor}

    def has_all(words: set[str]) -> bool:
        return words.issuperset(whole) and any(word.startswith(last) for word in words)

    def matches(event: Event) -> bool:
        about = invoices.get(event.submission_id or "")
        of_invoice = words_of(about.number, about.seller_name, about.buyer_name, about.seller_siren,
                              about.buyer_siren) if about else set()
        day = event.at.astimezone(PARIS).date()
        return ((has_all(of_invoice) or has_all(words_of(event.reason)))
                and asked.kind in {"", event.kind} and (not asked.actor or event.actor in actors)
                and (asked.since or day) <= day <= (asked.until or day))

    gone = destroyed(session)
    return [event.position for event in session.scalars(select(Event).order_by(Event.position.desc()))
            if event.submission_id not in gone and matches(event)]


def destroyed(session: Session) -> set[str]:
    """Invoices that no word finds any more: another test may have destroyed one."""
    return set(session.scalars(select(Retention.submission_id).where(Retention.destroyed_at.is_not(None))))


def paged(session: Session, asked: searching.Search, names: people.Names) -> list[int]:
    """The same by the search, all pages downwards; the way back up must show the same."""
    pages = [audit.search(session, asked, names, per_page=30)]
    while pages[-1].older is not None:
        pages.append(audit.search(session, replace(asked, before=pages[-1].older), names, per_page=30))
    up = [pages[-1]]
    while up[-1].newer is not None:
        up.append(audit.search(session, replace(asked, later=up[-1].newer), names, per_page=30))
    down = [line.event for page in pages for line in page.rows]
    assert {line.event.position for page in up for line in page.rows} == {event.position for event in down}
    gone = destroyed(session)
    return [event.position for event in down if event.submission_id not in gone]


WORDS = ("Atelier", "atelier portes", "trois ponts", "facture", "deux palettes", "comptabilite@cl", "f-2026",
         "2026 trois", "000002006")
BESIDE: tuple[dict[str, Any], ...] = (
    {"kind": "submission"}, {"actor": "o"}, {"since": date(2026, 8, 26), "until": date(2026, 9, 20)})
SIZES = {"few": (500, 2000, 1024), "many": (1, 2000, 1024), "many and far": (1, 1, 2), "narrow": (500, 1, 2)}


@pytest.mark.parametrize("size", SIZES)
def test_every_way_of_searching_finds_what_looking_at_all_events_finds(
    seeded_deps: Deps, story: Any, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    """Few are sorted; of many the lists are read along, the newest looked at, or the invoices asked for their next."""
    few, near, window = SIZES[size]
    for name, value in (("FEW", few), ("NEAR", near), ("FAR", near), ("WINDOW", window)):
        monkeypatch.setattr(finding, name, value)
    if size == "narrow":  # no criterion counts as rare
        monkeypatch.setattr(searching, "COUNTED", 1)
    hits = 0
    with seeded_deps.db.reading(story.tenant_id) as session:
        names = people.names(session)
        for asked in (searching.Search(q=q, **criteria) for number, q in enumerate(WORDS)
                      for criteria in ({}, BESIDE[number % 3])):
            expected = plainly(session, asked, names)
            assert paged(session, asked, names) == expected, asked
            hits += bool(expected)
    assert hits >= 12


def test_a_search_is_kept_for_its_person_alone(signed_in: Callable[[str], Any]) -> None:
    officer, operator = signed_in("officer"), signed_in("operator")
    sent = officer.post("/journal/recherches", data={
        "csrf": officer.token("/journal?statut=207"), "nom": "Litiges", "recherche": "statut=207&page=3&x=y"})
    assert "La recherche est gardée" in sent.text
    assert 'href="/journal?statut=207" aria-current="true">Litiges' in sent.text
    assert "Litiges" not in operator.get("/journal").text
    kept = re.search(r'action="(/journal/recherches/[^"]+/oublier)"', sent.text)
    assert kept is not None
    operator.post(kept[1], data={"csrf": operator.token("/journal?statut=207")})
    assert "Litiges" in officer.get("/journal").text
    officer.post(kept[1], data={"csrf": officer.token("/journal")})
    assert "Litiges" not in officer.get("/journal").text


def test_who_looked_at_an_invoice_is_told(signed_in: Callable[[str], Any], story: Any) -> None:
    officer, billing = signed_in("officer"), signed_in("billing")
    seen, other = story.invoices["F-2026-0424"], story.invoices["F-2026-0446"]
    billing.get(f"/factures/{seen}")
    billing.get(f"/factures/{other}")
    page = officer.get(f"/journal/acces?facture={seen}").text
    assert page.count("Paul Roy") >= 1
    assert "F-2026-0446" not in page
    mine = officer.get("/journal/acces?qui=Paul").text
    assert {"F-2026-0424", "F-2026-0446"} <= set(re.findall(r"F-2026-\d{4}", mine))
    assert officer.get(f"/journal/acces?facture={story.foreign_invoice}").status_code == 404
    assert billing.get(f"/journal/acces?facture={seen}").status_code == 403


def run_job(deps: Deps) -> None:
    relay(deps, {"job": handle_job}, only=("job",))


def test_an_invoice_is_checked_now_and_the_result_stays(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice = story.invoices["F-2026-0412"]
    form = {"csrf": visitor.token(f"/factures/{invoice}"), "facture": invoice}
    first = visitor.post("/journal/controles", data=form)
    again = visitor.post("/journal/controles", data=form)
    assert first.url == again.url
    assert 'http-equiv="refresh"' in first.text
    run_job(seeded_deps)
    result = visitor.get(str(first.url)).text
    assert 'http-equiv="refresh"' not in result
    assert "Tout est intact" in result
    assert result.count("vérifiés") >= 3
    assert "Everything is intact" in result


def test_a_check_names_what_is_damaged_and_rings(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice = story.invoices["F-2026-0413"]
    with seeded_deps.db.reading(story.tenant_id) as session:
        document = session.scalars(select(Document).where(
            Document.submission_id == invoice, Document.role == "reminder")).first()
        event = session.scalars(select(Event).where(Event.submission_id == invoice)).first()
    assert document is not None
    assert event is not None
    place = next(seeded_deps.settings.data.rglob(document.sha256))
    kept, mode = place.read_bytes(), place.stat().st_mode
    place.chmod(0o600)
    place.write_bytes(kept[:-1] + b"?")
    with seeded_deps.db.transaction(story.tenant_id) as session:
        session.get_one(Event, (story.tenant_id, event.id)).actor = "user:x"
    try:
        path = visitor.post("/journal/controles", data={
            "csrf": visitor.token(f"/factures/{invoice}"), "facture": invoice}).url
        run_job(seeded_deps)
        result = visitor.get(str(path)).text
        assert "Une anomalie a été trouvée" in result
        assert document.name in result
        assert "ne dit pas ce qu&#39;elle prouve" in result
        assert "Un contrôle a trouvé une anomalie" in visitor.get("/alarmes").text
    finally:
        place.write_bytes(kept)
        place.chmod(mode)
        with seeded_deps.db.transaction(story.tenant_id) as session:
            session.get_one(Event, (story.tenant_id, event.id)).actor = event.actor
        clear(seeded_deps, story.tenant_id, "check-failed", invoice)
    assert seeded_deps.store.get(Digest(document.sha256)) == kept


def test_everything_is_checked_with_progress(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    path = visitor.post("/journal/controles", data={"csrf": visitor.token("/journal/controles"), "facture": ""}).url
    run_job(seeded_deps)
    result = visitor.get(str(path)).text
    assert "Contrôle de tout le compte" in result
    assert "anomalie a été trouvée" not in result
    with seeded_deps.db.reading(story.tenant_id) as session:
        job = session.scalars(select(Job).where(Job.subject == "")).one()
    assert job.state == "done"
    assert job.done == job.total > 100
    assert visitor.get("/journal/controles/nowhere").status_code == 404


def test_the_health_of_the_seals_is_told(visitor: Any) -> None:
    page = visitor.get("/journal/scellements").text
    assert "autorité locale d&#39;essai, non qualifiée" in page or "autorité locale d'essai, non qualifiée" in page
    assert "Dernier scellement" in page
    assert "Prochain renouvellement" in page


@pytest.fixture
def ringing(seeded_deps: Deps, story: Any) -> Iterator[None]:
    sound(seeded_deps, story.tenant_id, "store-full", "main", {"free_bytes": 0, "error": "<b>plein</b>"})
    yield
    clear(seeded_deps, story.tenant_id, "store-full", "main")


@pytest.mark.usefixtures("ringing")
def test_an_alarm_is_shown_taken_and_ends(signed_in: Callable[[str], Any], seeded_deps: Deps, story: Any) -> None:
    officer = signed_in("officer")
    assert "1 alarme à acquitter" in officer.get("/").text
    page = officer.get("/alarmes").text
    assert "Stockage des preuves plein" in page
    assert "&lt;b&gt;plein" in page
    action = re.search(r'action="(/alarmes/[^"]+/acquitter)"', page)
    assert action is not None
    taken = officer.post(action[1], data={"csrf": officer.token("/alarmes")}).text
    assert "Acquittée par Claire Vasseur" in taken
    assert "alarme à acquitter" not in officer.get("/").text
    clear(seeded_deps, story.tenant_id, "store-full", "main")
    assert "Aucune alarme" in officer.get("/alarmes").text
    assert signed_in("billing").get("/alarmes").status_code == 403


def test_a_period_is_exported_from_the_page(visitor: Any, seeded_deps: Deps) -> None:
    csrf = visitor.token("/journal/exports")
    refused = visitor.post("/journal/exports", data={"csrf": csrf, "from": "2026-11-16", "to": "2026-11-01"})
    assert refused.status_code == 422
    assert "La fin précède le début" in refused.text
    page = visitor.post("/journal/exports", data={"csrf": csrf, "from": "2026-11-16", "to": "2026-11-17"}).text
    assert 'http-equiv="refresh"' in page
    relay(seeded_deps, {"export": HANDLERS["export"]}, only=("export",))
    page = visitor.get("/journal/exports").text
    link = re.search(r'href="(/journal/exports/[^"]+/fichier)"', page)
    assert link is not None, page
    answer = visitor.get(link[1])
    assert answer.headers["content-type"] == "application/x-tar"
    assert len(answer.content) > 10_000


def literals(node: ast.expr | None) -> list[str]:
    """The texts that an expression may be, where it says them itself."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def test_everything_that_is_recorded_has_its_words() -> None:
    """Wherever a change says its kind and code as texts; the safe's and the exports' are made from parts."""
    told = {("access", f"object.{verb}.done") for verb in Verb} | {("setting", "gap-explained")}
    for module in (Path(__file__).parents[3] / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Change":
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                told |= {(kind, code) for kind in literals(given.get("kind")) for code in literals(given.get("code"))}
    assert len(told) > 40
    assert sorted(told - words.EVENTS.keys()) == []

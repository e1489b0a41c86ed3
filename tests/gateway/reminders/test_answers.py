"""Answers by link: the page needs no account; a link that is forged, old, forwarded or used gets a clear answer."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.console.views.answers import router
from gateway.reminders.cases import close_case
from gateway.reminders.clients import ClientIn, accept_contact, set_client
from gateway.tables_reminders import Case, Hold, ReminderAnswer

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play

LINK = re.compile(r"http://127\.0\.0\.1:8080(/reponse/[^\s&?]+)\?lang=fr&r=(\w+)")


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(router)


@pytest.fixture
def links(play: "Play") -> dict[str, str]:
    """The answers of the letter before the due date, by what they say."""
    play.on("2026-03-09")
    play.remind()
    return {answer: path for path, answer in LINK.findall(play.text())}


def cases_of(play: "Play") -> list[tuple[str, bool, str | None]]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Case).order_by(Case.opened_at, Case.kind)).all()
    return [(row.kind, row.active is True, row.proposal) for row in rows]


def test_the_letter_has_one_link_for_each_answer(links: dict[str, str], play: "Play") -> None:
    assert sorted(links) == ["missing", "other", "ready", "right"]
    assert len(set(links.values())) == 1
    assert 'href="http://127.0.0.1:8080/reponse/' in play.text("html")


def test_opening_a_link_answers_nothing_and_shows_one_invoice(play: "Play", api: Any, links: dict[str, str]) -> None:
    page = api.get(links["right"], headers={"Authorization": ""})
    assert page.status_code == 200
    assert "FA-2026-0042" in page.text
    assert "Tout est en ordre" in page.text
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        assert session.scalars(select(ReminderAnswer)).all() == []


def test_a_link_answers_once(play: "Play", api: Any, links: dict[str, str]) -> None:
    first = api.post(links["right"], data={"answer": "right"}, headers={"Authorization": ""})
    second = api.post(links["right"], data={"answer": "missing"})
    for page in (first, second):
        assert page.status_code == 200
        assert "Votre réponse est enregistrée" in page.text
        assert "Tout est en ordre" in page.text
    assert cases_of(play) == []
    assert play.events()[-1] == "answered"


def test_what_is_missing_opens_a_case_and_stops_until_it_is_closed(
    play: "Play", api: Any, links: dict[str, str], principal: Any
) -> None:
    api.post(links["missing"], data={"answer": "missing", "remark": "Le bon de commande 12"})
    play.on("2026-03-13")
    play.work()
    assert play.told()[-1] == ("held", "hold-missing", "due")
    assert "Le bon de commande 12" in play.decisions()[-1].reason
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        case = session.scalars(select(Case)).one()
    assert case.due_on.isoformat() == "2026-03-11", "two working days after Monday the ninth"
    close_case(play.deps, principal, case.id, "done", "Envoyé par courriel")
    play.work()
    assert play.told()[-1] == ("sent", "due", "due")


@pytest.mark.parametrize(("day", "holds", "cases"), [
    ("2026-03-20", ["2026-03-23"], []), ("2026-05-20", [], [("promise", True, "2026-05-20")])])
def test_a_payment_that_is_announced(
    play: "Play", api: Any, links: dict[str, str], *, day: str, holds: list[str], cases: list[Any]
) -> None:
    api.post(links["ready"], data={"answer": "ready", "paid_on": day})
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        kept = session.scalars(select(Hold)).all()
    assert [hold.until.isoformat() for hold in kept if hold.until] == holds
    assert cases_of(play) == cases


def test_not_me_changes_the_contact_only_after_a_check(
    play: "Play", api: Any, links: dict[str, str], principal: Any
) -> None:
    api.post(links["other"], data={"answer": "other", "email": "Lea@client.example"})
    assert cases_of(play) == [("contact", True, "Lea@client.example")]
    play.on("2026-03-13")
    play.work()
    assert play.told()[-1] == ("held", "hold-contact", "due")
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        case = session.scalars(select(Case)).one()
    accept_contact(play.deps, principal, case.id)
    play.work()
    assert play.mails()[-1]["To"] == "Lea@client.example"
    assert cases_of(play) == [("contact", False, "Lea@client.example")]


def test_bad_links_are_told_apart(play: "Play", api: Any, links: dict[str, str], principal: Any) -> None:
    good = links["right"]
    forged = api.get(good[:-1] + ("0" if good[-1] != "0" else "1"))
    other = api.post("/reponse/" + good.split("/")[-1].replace(play.invoice.id, str(play.invoice.tenant_id)),
                     data={"answer": "right"})
    assert (forged.status_code, other.status_code) == (404, 404)
    assert "pas valable" in forged.text
    set_client(play.deps, principal, play.invoice.id, ClientIn(email="new@client.example"))
    elsewhere = api.post(good, data={"answer": "right"})
    assert (elsewhere.status_code, "a été remplacé" in elsewhere.text) == (410, True)
    play.on("2026-03-24")
    old = api.post(good, data={"answer": "right"})
    assert (old.status_code, "a expiré" in old.text) == (410, True)
    assert "FA-2026-0042" not in forged.text + other.text + elsewhere.text + old.text
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        assert session.scalars(select(ReminderAnswer)).all() == []


def test_a_settled_invoice_asks_nothing(play: "Play", api: Any, links: dict[str, str]) -> None:
    play.pay("1200.00")
    page = api.post(links["ready"], data={"answer": "ready"})
    assert "Cette facture est réglée" in page.text
    assert "answered" not in play.events()


@pytest.mark.parametrize("said", [{"answer": "maybe"}, {"answer": "ready", "paid_on": "soon"},
                                  {"answer": "missing", "remark": "x" * 1001}, {}])
def test_an_answer_that_is_none_is_asked_again(api: Any, links: dict[str, str], said: dict[str, str]) -> None:
    assert api.post(links["right"], data=said).status_code == 422


def test_each_invoice_of_a_mail_has_links_of_its_own(play: "Play", api: Any) -> None:
    second = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-09")
    play.work()
    (mail,) = play.mails()
    text = play.text()
    assert mail["Subject"].endswith("échéance le 13 mars 2026")
    assert all(f"sans compte ni mot de passe ({number})" in text for number in ("FA-2", "FA-2026-0042"))
    paths = {path for path, _ in LINK.findall(text)}
    assert len(paths) == 2
    for path in paths:
        assert api.post(path, data={"answer": "right"}).status_code == 200
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        answered = {row.submission_id for row in session.scalars(select(ReminderAnswer))}
    assert answered == {play.invoice.id, second.id}

"""Replaying invoices under other rules, on its pages: choose, watch, read what would change."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.deps import Deps
from gateway.jobs import handle_job
from gateway.replay.service import Wanted
from gateway.tables import Submission
from gateway.worker import relay

VECTORS = Path(__file__).parents[2] / "vectors" / "validation"
PAGE = "/regles/rejeux"
OCTOBER = {"du": "2026-10-01", "au": "2026-10-31"}


def ask(visitor: Any, **values: str) -> Any:
    return visitor.post(PAGE, data={"csrf": visitor.token(PAGE), **OCTOBER, **values})


def key_of(visitor: Any, rule_set: str) -> str:
    found = re.search(rf'<option value="({rule_set}@[^"]+)"', visitor.get(PAGE).text)
    assert found is not None
    return found[1]


@pytest.fixture
def taken(seeded_deps: Deps, story: Any) -> Iterator[str]:
    """One more invoice of October, which the rules of its day let pass; its id."""
    document = (VECTORS / "small-cii.xml").read_bytes()
    sha256 = seeded_deps.store.put(document).hex
    with seeded_deps.db.transaction(story.tenant_id) as session:
        other = session.get_one(Submission, (story.tenant_id, story.invoices["F-2026-0415"]))
        values = {column.key: getattr(other, column.key) for column in Submission.__mapper__.columns}
        changed = {"id": "replayed", "number": "F-2026-0999", "received_at": datetime(2026, 10, 15, 8, tzinfo=UTC),
                   "verdict": "valid", "sha256": sha256, "sent_sha256": sha256, "flow_id": None, "replaces": None}
        session.add(Submission(**{**values, **changed}))
    yield "replayed"
    with seeded_deps.db.transaction(story.tenant_id) as session:
        session.delete(session.get_one(Submission, (story.tenant_id, "replayed")))


def test_what_another_set_would_change_is_shown_by_verdict_rule_and_invoice(
    visitor: Any, seeded_deps: Deps, taken: str
) -> None:
    key = key_of(visitor, "facturx-minimum")
    first, again = ask(visitor, jeu=key), ask(visitor, jeu=key)
    assert first.url == again.url
    assert 'http-equiv="refresh"' in first.text
    assert "En file d" in visitor.get(PAGE).text
    relay(seeded_deps, {"job": handle_job}, only=("job",))
    result = visitor.get(str(first.url)).text
    assert 'http-equiv="refresh"' not in result
    assert re.search(r"1 facture changerait sur \d\d\.", result)
    assert re.search(r"1 of \d\d invoices would change", result)
    assert re.findall(r'<h3><a href="/factures/([^"]+)">', result) == [taken]
    assert "<span>Conforme</span>" in result
    assert result.count("Non conforme") > 1
    rule = re.search(r'<li>\+ <a href="(/regles/[^"]+)">', result)
    assert rule is not None
    assert visitor.get(rule[1]).status_code == 200
    assert "1 facture changerait sur" in visitor.get(PAGE).text


def test_another_day_is_enough_and_what_could_not_be_judged_is_said(
    visitor: Any, seeded_deps: Deps, taken: str  # noqa: ARG001 - it is among those of October
) -> None:
    path = ask(visitor, date="2020-01-01").url
    relay(seeded_deps, {"job": handle_job}, only=("job",))
    result = visitor.get(str(path)).text
    assert "1 facture n&#39;a pas pu être jugée" in result
    assert "<li>F-2026-0999</li>" in result


@pytest.mark.parametrize(("values", "sentence"), [
    ({}, "Choisissez un jeu de règles ou une date."),
    ({"jeu": "rien@0"}, "pas connu"),
    ({"date": "2026-12-01", "du": "2026-11-02", "au": "2026-11-01"}, "après le dernier"),
])
def test_a_form_that_asks_for_nothing_says_what_is_wrong(visitor: Any, values: dict[str, str], sentence: str) -> None:
    answer = ask(visitor, **values)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_only_those_who_may_read_the_journal_replay(signed_in: Callable[[str], Any]) -> None:
    assert signed_in("billing").get(PAGE).status_code == 403
    assert PAGE not in signed_in("billing").get("/regles").text
    assert signed_in("operator").get(PAGE).status_code == 200
    assert PAGE in signed_in("operator").get("/regles").text
    assert signed_in("operator").get(f"{PAGE}/nothing").status_code == 404


def test_a_replay_is_kept_as_it_was_asked_for() -> None:
    for wanted in (Wanted("a@b&c=d", date(2026, 12, 1), date(2026, 10, 1), date(2026, 10, 31)),
                   Wanted("", None, date(2026, 10, 1), date(2026, 10, 1))):
        assert Wanted.of_text(wanted.to_text()) == wanted

"""Scenarios as data."""

import json
from typing import Any

import pytest

from gateway.reminders.letters.texts import FIELDS, filled, unknown_fields
from gateway.reminders.scenario import DEFAULT, BadScenario, checked, parse, to_json


def stage(**changes: Any) -> dict[str, Any]:
    return {"key": "one", "offset": 1, "tone": "friendly", "fr": "Un", "en": "One", **changes}


def test_the_built_in_scenario() -> None:
    assert [(stage.offset, stage.tone, stage.channel) for stage in DEFAULT.stages] == [
        (-5, "before", "mail"), (0, "due", "mail"), (10, "friendly", "mail"), (20, "formal", "mail"),
        (25, "formal", "call"), (30, "penalties", "mail"), (40, "service", "mail"), (50, "last", "letter"),
        (60, "notice", "notice"), (90, "notice", "handover")]
    assert DEFAULT.name == "relances-v2"
    assert checked(to_json(DEFAULT)) == DEFAULT


def test_a_scenario_survives_json() -> None:
    assert parse(json.loads(json.dumps(to_json(DEFAULT)))) == DEFAULT


@pytest.mark.parametrize("definition", [
    {},
    {"name": "x", "stages": []},
    {"name": "x", "stages": [stage(), stage(key="one", offset=5)]},
    {"name": "x", "stages": [stage(offset=5), stage(key="two", offset=5)]},
    {"name": "x", "stages": [stage(offset=5), stage(key="two", offset=3)]},
    {"name": "x", "stages": [stage(tone="formal"), stage(key="two", offset=9)]},
    {"name": "x", "stages": [stage(tone="before")]},
    {"name": "x", "stages": [stage(offset=-3)]},
    {"name": "x", "stages": [stage(tone="angry")]},
    {"name": "x", "stages": [stage(key="thanks")]},
    {"name": "x", "stages": [stage(key="A/B")]},
    {"name": "x", "stages": [stage(offset="soon")]},
    {"name": "x", "stages": [stage(colour="red")]},
    {"name": "x", "stages": [stage()], "colour": "red"},
    {"name": "x", "stages": [stage()], "gap_days": -1},
    {"name": "x", "stages": [stage()], "hours": [19, 8]},
    {"name": "x", "stages": [stage()], "smallest": "-1"},
    {"name": "x", "stages": [stage()], "region": "nowhere"},
    {"name": "x", "stages": "none"},
    {"name": "x", "stages": [stage(channel="pigeon")]},
    {"name": "x", "stages": [stage(channel="notice")]},
    {"name": "x", "stages": [stage(tone="notice")]},
    {"name": "x", "stages": [stage()], "smallest": "10", "largest": "5"},
])
def test_what_is_no_scenario_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(BadScenario):
        parse(definition)


@pytest.mark.parametrize(("text", "named"), [
    ("Bonjour {{ montant }}", "montant"), ("{{numero}} {{ x.y }}", "x.y"), ("{% for a in b %}", "{% for a in b %}"),
    ("{# note #}", "{# note #}"), ("{{ numero", "{{ numero"), ("numero }}", "}}"), ("{{ }}", ""),
])
def test_an_unknown_field_is_refused_by_name(text: str, named: str) -> None:
    assert unknown_fields(text) == [named]
    with pytest.raises(BadScenario, match="Un"):
        parse({"name": "x", "stages": [stage(text_fr=text)]})


def test_fields_are_filled_once() -> None:
    values = dict.fromkeys(FIELDS, "") | {"numero": "{{ solde }}", "solde": "12 €"}
    assert filled("Facture {{numero}} : {{ solde }}", values) == "Facture {{ solde }} : 12 €"
    assert unknown_fields("Facture {{numero}} : {{ solde }} {une accolade}") == []


def test_stages_that_overlap_are_refused_by_name() -> None:
    close = {"name": "x", "gap_days": 3, "stages": [stage(), stage(key="two", offset=3, fr="Deux")]}
    assert len(parse(close).stages) == 2, "an old version stays readable"
    with pytest.raises(BadScenario, match="« Un » et « Deux » se chevauchent"):
        checked(close)

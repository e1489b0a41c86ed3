"""Scenarios as data."""

import json
from typing import Any

import pytest

from gateway.reminders.scenario import DEFAULT, BadScenario, parse, to_json


def stage(**changes: Any) -> dict[str, Any]:
    return {"key": "one", "offset": 1, "tone": "friendly", "fr": "Un", "en": "One", **changes}


def test_the_built_in_scenario() -> None:
    assert [(stage.offset, stage.tone) for stage in DEFAULT.stages] == [
        (-5, "before"), (0, "due"), (10, "friendly"), (20, "formal"), (30, "penalties"), (40, "last")]
    assert DEFAULT.name == "relances-v1"


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
])
def test_what_is_no_scenario_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(BadScenario):
        parse(definition)

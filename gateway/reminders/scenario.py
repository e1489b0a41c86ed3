"""A reminder scenario: which mail goes out how many days from the due date. Data, without behaviour."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from gateway.reminders.working import closed_days

Tone = Literal["before", "due", "friendly", "formal", "penalties", "last"]
"""The letters there are. `thanks` is a letter of its own and belongs to no day."""

TONES: Final[tuple[Tone, ...]] = ("before", "due", "friendly", "formal", "penalties", "last")
"""In rising order."""

THANKS: Final = "thanks"
"""The stage of the letter that follows full payment."""

Days = Annotated[int, Field(ge=0, le=366)]
Hour = Annotated[int, Field(ge=0, le=24)]


class BadScenario(ValueError):
    """A definition that makes no scenario; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One mail of a scenario."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    """Unique in the scenario; part of the intent that keeps a stage from going out twice."""

    offset: Annotated[int, Field(ge=-90, le=366)]
    """Calendar days from the due date: negative before it."""

    tone: Tone
    fr: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The stages in rising order of offset, and the limits around them."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """With its version, e.g. "relances-v1": kept with every decision."""

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=40)]
    gap_days: Days = 3
    """Calendar days that lie at least between two mails about the same invoice."""

    pause_days: Days = 3
    """Working days during which a 211 keeps the scenario silent."""

    thanks_days: Days | None = 10
    """A payment that is known for longer than this gets no thanks; None: never say thanks."""

    smallest: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    """Balances below this are not reminded, in the currency of the invoice."""

    working_days_only: bool = True
    """Letters leave on working days during `hours`; False: at any time."""

    hours: tuple[Hour, Hour] = (8, 19)
    """First hour and the hour from which it is too late, in France."""

    region: str | None = None
    """Where the account has further public holidays, e.g. "6AE" (Alsace); see working.py."""


_FORM: Final[TypeAdapter[Scenario]] = TypeAdapter(Scenario)
_FIELDS: Final = {Scenario: set(Scenario.__dataclass_fields__), Stage: set(Stage.__dataclass_fields__)}


def parse(definition: Mapping[str, Any]) -> Scenario:
    """A scenario from a TOML or JSON object.

    Raises:
        BadScenario: unknown or missing field, wrong type or range, two stages with one key, offsets or tones that
            do not rise.
    """
    try:
        scenario = _FORM.validate_python(dict(definition))
    except ValidationError as error:
        raise BadScenario(str(error)) from error
    unknown = set(definition) - _FIELDS[Scenario]
    for stage in definition["stages"]:
        unknown |= set(stage) - _FIELDS[Stage]
    if unknown:
        raise BadScenario(f"unknown field {min(unknown)!r}")
    _check(scenario)
    return scenario


def to_json(scenario: Scenario) -> dict[str, Any]:
    """The object that `parse` reads back."""
    made: dict[str, Any] = _FORM.dump_python(scenario, mode="json")
    return made


def _check(scenario: Scenario) -> None:
    keys = [stage.key for stage in scenario.stages]
    offsets = [stage.offset for stage in scenario.stages]
    heights = [TONES.index(stage.tone) for stage in scenario.stages]
    if len(keys) != len(set(keys)) or THANKS in keys:
        raise BadScenario("every stage needs a key of its own, and 'thanks' is taken")
    if scenario.hours[0] >= scenario.hours[1]:
        raise BadScenario("the hours must leave some time for letters")
    if offsets != sorted(set(offsets)):
        raise BadScenario("the offsets of the stages must rise")
    if heights != sorted(heights):
        raise BadScenario("the tone must not fall from one stage to the next")
    try:
        closed_days(2026, scenario.region)
    except NotImplementedError as error:
        raise BadScenario(f"unknown region {scenario.region!r}") from error
    if any((stage.tone == "before") != (stage.offset < 0) for stage in scenario.stages):
        raise BadScenario("the tone 'before' belongs to the days before the due date, and only it")


DEFAULT: Final = parse(tomllib.loads((Path(__file__).parent / "relances-v1.toml").read_text(encoding="utf-8")))
"""The built-in scenario."""

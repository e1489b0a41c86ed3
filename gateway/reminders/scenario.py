"""A reminder scenario: what goes out how many days from the due date, by which way. Data, without behaviour."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from gateway.reminders.letters.texts import unknown_fields
from gateway.reminders.working import is_region

Tone = Literal["before", "due", "friendly", "formal", "penalties", "service", "last", "notice"]
"""The words there are. `thanks` is a letter of its own and belongs to no day."""

TONES: Final[tuple[Tone, ...]] = ("before", "due", "friendly", "formal", "penalties", "service", "last", "notice")
"""In rising order."""

Channel = Literal["mail", "sms", "call", "letter", "notice", "handover"]
"""By mail; by SMS; a call that a person makes; a letter to print; a formal notice to register; a file for an agency."""

CHANNELS: Final[tuple[Channel, ...]] = ("mail", "sms", "call", "letter", "notice", "handover")
SMS: Final = "sms"
BY_HAND: Final = frozenset({"notice", "handover"})
"""Ways that no machine takes alone: a person approves them first, whatever the amount."""

COURTESY: Final = frozenset({"before", "due"})
"""Words that make sense only around the due date: too late, they are passed over."""

THANKS: Final = "thanks"
"""The stage of the letter that follows full payment."""

Days = Annotated[int, Field(ge=0, le=366)]
Hour = Annotated[int, Field(ge=0, le=24)]
Label = Annotated[str, Field(min_length=1, max_length=80)]
Subject = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=4000)]


class BadScenario(ValueError):
    """A definition that makes no scenario; the message says where, in French and English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of a scenario."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    """Unique in the scenario; part of the intent that keeps a stage from going out twice."""

    offset: Annotated[int, Field(ge=-90, le=366)]
    """Calendar days from the due date: negative before it."""

    tone: Tone
    fr: Label
    en: Label
    channel: Channel = "mail"
    approval: bool = False
    """A person approves it before it goes out."""

    subject_fr: Subject = ""
    text_fr: Text = ""
    """Own words, with fields as in texts.py; empty for those of the tone."""

    subject_en: Subject = ""
    text_en: Text = ""

    @property
    def needs_person(self) -> bool:
        """Whether somebody must approve it, whatever the amount."""
        return self.approval or self.channel in BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The stages in rising order of offset, and the limits around them."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """With its version, e.g. "relances-v2": kept with every decision."""

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=40)]
    gap_days: Days = 3
    """Calendar days that lie at least between two stages about the same invoice."""

    pause_days: Days = 3
    """Working days during which a 211 keeps the scenario silent."""

    thanks_days: Days | None = 10
    """A payment that is known for longer than this gets no thanks; None: never say thanks."""

    smallest: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    """Balances below this are not reminded, in the currency of the invoice."""

    largest: Annotated[Decimal, Field(gt=0)] | None = None
    """From this balance on, a person approves every stage after the due date; None: no such limit."""

    working_days_only: bool = True
    """Letters leave on working days; False: on any day."""

    hours: tuple[Hour, Hour] = (8, 19)
    """First hour and the hour from which it is too late, in France."""

    region: str | None = None
    """Where the account has further public holidays, e.g. "6AE" (Alsace); see working.py."""


_FORM: Final[TypeAdapter[Scenario]] = TypeAdapter(Scenario)
_FRENCH: Final[Mapping[str, str]] = {
    "name": "Nom", "stages": "Étapes", "gap_days": "Jours au moins entre deux étapes",
    "pause_days": "Jours ouvrés d'attente après « paiement transmis » (211)",
    "thanks_days": "Remercier pendant combien de jours", "smallest": "Ne pas relancer sous",
    "largest": "Demander l'accord d'une personne à partir de", "hours": "Heures d'envoi",
    "working_days_only": "Seulement les jours ouvrés", "region": "Jours fériés supplémentaires", "key": "Identifiant",
    "offset": "Jour", "tone": "Ton", "fr": "Nom", "en": "Nom en anglais", "channel": "Voie", "approval": "Accord",
    "subject_fr": "Objet en français", "text_fr": "Texte en français", "subject_en": "Objet en anglais",
    "text_en": "Texte en anglais",
}
"""Fields as the form of the console names them."""

_FIELDS: Final = {Scenario: set(Scenario.__dataclass_fields__), Stage: set(Stage.__dataclass_fields__)}


def parse(definition: Mapping[str, Any]) -> Scenario:
    """A scenario from a TOML or JSON object.

    Raises:
        BadScenario: unknown or missing field, wrong type or range, two stages with one key or one day, offsets or
            tones that do not rise, a text with a field that nobody fills.
    """
    try:
        scenario = _FORM.validate_python(dict(definition))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadScenario(f"{_where(definition, first['loc'])} : valeur refusée. / {where}: {first['msg']}.") from error
    unknown = set(definition) - _FIELDS[Scenario]
    for stage in definition["stages"]:
        unknown |= set(stage) - _FIELDS[Stage]
    if unknown:
        raise BadScenario(f"Le champ {min(unknown)} n'existe pas. / Unknown field {min(unknown)}.")
    _check_limits(scenario)
    _check_ladder(scenario)
    for stage in scenario.stages:
        _check_stage(stage)
    return scenario


def checked(definition: Mapping[str, Any]) -> Scenario:
    """As `parse`, for a version that somebody wants to put in force: stages that come too close are refused as well.

    Raises:
        BadScenario: as for `parse`, or two stages closer than `gap_days`, of which the second could never keep its day.
    """
    scenario = parse(definition)
    for one, other in pairwise(scenario.stages):
        if one.offset >= 0 and other.offset - one.offset < scenario.gap_days:
            raise BadScenario(f"Les étapes « {one.fr} » et « {other.fr} » se chevauchent : moins de "
                              f"{scenario.gap_days} jours les séparent. / Stages {one.key} and {other.key} overlap: "
                              f"less than {scenario.gap_days} days apart.")
    return scenario


def to_json(scenario: Scenario) -> dict[str, Any]:
    """The object that `parse` reads back."""
    made: dict[str, Any] = _FORM.dump_python(scenario, mode="json")
    return made


def _where(definition: Mapping[str, Any], loc: Sequence[int | str]) -> str:
    """The field of an error in French, as the form of the console names it."""
    told = [_FRENCH.get(str(part), str(part)) for part in loc]
    if len(loc) < 3 or loc[0] != "stages":
        return told[0]
    name = definition["stages"][loc[1]].get("fr")
    return f"Étape « {name or int(loc[1]) + 1} », {told[2].lower()}"


def _check_limits(scenario: Scenario) -> None:
    if scenario.hours[0] >= scenario.hours[1]:
        raise BadScenario("Les heures d'envoi ne laissent aucune plage. / The hours must leave some time for letters.")
    if scenario.largest is not None and scenario.largest <= scenario.smallest:
        raise BadScenario("Le seuil d'approbation est sous le seuil de relance. / `largest` is below `smallest`.")
    if not is_region(scenario.region):
        raise BadScenario(f"La région {scenario.region} n'est pas connue. / Unknown region {scenario.region}.")


def _check_ladder(scenario: Scenario) -> None:
    keys = Counter(stage.key for stage in scenario.stages)
    twice = next((key for key, times in keys.items() if times > 1 or key == THANKS), None)
    if twice is not None:
        raise BadScenario(f"L'identifiant d'étape {twice} est déjà pris. / The stage key {twice} is taken.")
    for one, other in pairwise(scenario.stages):
        if one.offset == other.offset:
            raise BadScenario(f"Les étapes « {one.fr} » et « {other.fr} » tombent le même jour ({one.offset}). / "
                              f"Stages {one.key} and {other.key} overlap on day {one.offset}.")
        if one.offset > other.offset:
            raise BadScenario(f"L'étape « {other.fr} » vient avant « {one.fr} » : rangez-les par jour. / "
                              f"The offsets must rise: {other.key} comes before {one.key}.")
        if TONES.index(one.tone) > TONES.index(other.tone):
            raise BadScenario(f"Le ton redescend à l'étape « {other.fr} ». / The tone falls at stage {other.key}.")


def _check_stage(stage: Stage) -> None:
    if (stage.tone == "before") != (stage.offset < 0):
        raise BadScenario(f"Étape « {stage.fr} » : le ton « avant l'échéance » va avec les jours négatifs, et eux "
                          f"seuls. / Stage {stage.key}: the tone 'before' belongs to the days before the due date.")
    if (stage.tone == "notice") != (stage.channel in BY_HAND):
        raise BadScenario(f"Étape « {stage.fr} » : le ton « mise en demeure » va avec la mise en demeure et la remise "
                          f"du dossier, et eux seuls. / Stage {stage.key}: the tone 'notice' belongs to notices.")
    for name in ("subject_fr", "text_fr", "subject_en", "text_en"):
        for field in unknown_fields(getattr(stage, name)):
            raise BadScenario(f"Étape « {stage.fr} » : le champ {{{{ {field} }}}} n'existe pas. / "
                              f"Stage {stage.key}: unknown field {field} in {name}.")


def _built_in(name: str) -> Scenario:
    return parse(tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")))


DEFAULT: Final = _built_in("relances-v2")
"""The built-in scenario."""

FORMER: Final = _built_in("relances-v1")
"""The built-in scenario of before: decisions name it, so it can still be tried."""

BUILT_IN: Final = {scenario.name: scenario for scenario in (DEFAULT, FORMER)}

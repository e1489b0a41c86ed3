"""The form of a scenario: one row of fields per stage, without JavaScript. A cleared name takes a stage out."""

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.console.forms import plain_amount
from gateway.console.page import Act
from gateway.reminders.scenario import Scenario, Stage, to_json

MOST_STAGES: Final = 40
"""As many as a scenario may have: a row that the form left out would be gone from the next version."""

SPARE: Final = 2
"""Empty rows below the stages that there are."""

TEXTS: Final = ("key", "offset", "channel", "tone", "fr", "en", "subject_fr", "text_fr", "subject_en", "text_en")
LIMITS: Final = ("name", "gap_days", "pause_days", "thanks_days", "smallest", "largest", "region", "first_hour",
                 "last_hour")

SEEN: Final = "vue"
"""The field that names the version which was in force when the form was opened."""

AMOUNTS: Final = frozenset({"smallest", "largest"})
TONE_NAMES: Final[Mapping[str, str]] = {
    "before": "Avant l'échéance", "due": "À l'échéance", "friendly": "Amical", "formal": "Ferme",
    "penalties": "Pénalités annoncées", "service": "Suspension annoncée", "last": "Dernière relance",
    "notice": "Mise en demeure",
}
CHANNEL_NAMES: Final[Mapping[str, str]] = {
    "mail": "Courriel", "sms": "SMS", "call": "Appel (tâche)", "letter": "Lettre à poster",
    "notice": "Mise en demeure (recommandé)", "handover": "Dossier pour recouvrement",
}


def values_of(scenario: Scenario) -> dict[str, Any]:
    """The values of the form for a scenario as it is."""
    told = to_json(scenario)
    limits: dict[str, Any] = {
        name: "" if told.get(name) is None else str(told[name]) for name in LIMITS if name in told}
    name = re.sub(r"( \[[a-z0-9-]*\])?, version \d+$", "", scenario.name)
    return {**limits, "name": name, "first_hour": str(scenario.hours[0]), "last_hour": str(scenario.hours[1]),
            "working_days_only": scenario.working_days_only,
            "stages": [*map(_row, scenario.stages), *(_empty() for _ in range(SPARE))][:MOST_STAGES]}


def read_form(act: Act) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the definition that was asked for, the values to show again)."""
    rows = [{**{name: act.text(f"s{n}.{name}") for name in TEXTS}, "approval": act.text(f"s{n}.approval") == "oui"}
            for n in range(MOST_STAGES)]
    values: dict[str, Any] = {name: act.text(name) for name in LIMITS}
    values["working_days_only"] = act.text("working_days_only") == "oui"
    values[SEEN] = act.text(SEEN)
    filled = [row for row in rows if row["fr"] or row["key"] or row["offset"]]
    values["stages"] = [*filled, *(_empty() for _ in range(SPARE))][:MOST_STAGES]
    limits = {name: plain_amount(values[name]) if name in AMOUNTS else values[name] for name in LIMITS
              if name not in {"first_hour", "last_hour"}}
    definition: dict[str, Any] = {name: value or None for name, value in limits.items() if name in {
        "thanks_days", "largest", "region"}}
    definition |= {name: value for name, value in limits.items() if name not in definition and value}
    definition["hours"] = [values["first_hour"] or "8", values["last_hour"] or "19"]
    definition["working_days_only"] = values["working_days_only"]
    definition["stages"] = sorted((_stage(row) for row in rows if row["fr"]), key=_offset)
    return definition, values


def fields_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What a browser sends of a form with these values, by the names of its fields: for a page that carries them on."""
    fields = {name: values.get(name, "") for name in (*LIMITS, SEEN)}
    fields |= {f"s{n}.{name}": row[name] for n, row in enumerate(values["stages"]) for name in TEXTS}
    ticks = {f"s{n}.approval": row["approval"] for n, row in enumerate(values["stages"])}
    ticks["working_days_only"] = values["working_days_only"]
    return {name: str(value) for name, value in fields.items()} | {name: "oui" for name, on in ticks.items() if on}


def _stage(row: Mapping[str, Any]) -> dict[str, Any]:
    key = row["key"] or re.sub(r"[^a-z0-9]+", "-", row["fr"].casefold()).strip("-")[:40]
    key = key or f"etape-{_offset(row)}"  # a name without a Latin letter
    return {**row, "key": key, "en": row["en"] or row["fr"]}


def _offset(stage: Mapping[str, Any]) -> int:
    return int(stage["offset"]) if re.fullmatch(r"-?\d{1,4}", stage["offset"]) else 0


def _row(stage: Stage) -> dict[str, Any]:
    return {**{name: getattr(stage, name) for name in TEXTS}, "approval": stage.approval}


def _empty() -> dict[str, Any]:
    return {**dict.fromkeys(TEXTS, ""), "channel": "mail", "tone": "friendly", "approval": False}

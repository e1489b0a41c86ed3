"""What each rule set of the supply is as of a day: in force, coming, superseded or past."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from schematron.rule_set import OPTIONAL
from schematron.supply import RuleSet, RuleSetError, check, choose, optional_sets, rule_sets

PROFILES: Final = ("minimum", "basicwl", "basic", "en16931", "extended", "extended-ctc-fr", "cius", "unknown")


@dataclass(frozen=True, slots=True)
class Listed:
    """One rule set as of a day."""

    rule_set: RuleSet
    state: str
    """in-force (it decides for some documents), coming, superseded, past, or optional (not there)."""

    fault: str | None
    """What is wrong with its files."""

    def to_json(self) -> dict[str, Any]:
        """What a person chooses by."""
        start, end = self.rule_set.start, self.rule_set.end
        return {
            "id": self.rule_set.id,
            "key": self.rule_set.key,
            "layer": self.rule_set.layer,
            "version": self.rule_set.version,
            "state": self.state,
            "origin": self.rule_set.origin,
            "from": start.isoformat() if start else None,
            "until": end.isoformat() if end else None,
        }


def listed(on: date) -> list[Listed]:
    """Every set of the supply as of a day, then those that could be added. Files are compared with their hashes."""
    known = rule_sets()
    there = {each.id for each in known}
    missing = [Listed(each, OPTIONAL, None) for each in optional_sets() if each.id not in there]
    return [*(Listed(each, state_of(each, on), fault_of(each)) for each in known), *missing]


def state_of(rule_set: RuleSet, on: date) -> str:
    """What a set is on a day."""
    if rule_set.start is not None and on < rule_set.start:
        return "coming"
    if not rule_set.in_force(on):
        return "past"
    return "in-force" if any(_decides(rule_set, syntax, on) for syntax in rule_set.syntaxes) else "superseded"


def _decides(rule_set: RuleSet, syntax: str, on: date) -> bool:
    for profile in PROFILES:
        try:
            if choose(rule_set.layer, syntax, profile, on) is rule_set:
                return True
        except RuleSetError:  # nothing at all is in force for this profile
            continue
    return False


def fault_of(rule_set: RuleSet) -> str | None:
    """What is wrong with the files of a set; None if nothing is."""
    try:
        check(rule_set)
    except RuleSetError as error:
        return str(error)
    return None

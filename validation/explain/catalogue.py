"""What a rule means, why it fires and what to do: title, cause and remedy in French and English, as data."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from validation.findings import Text

FILES: Final = ("own.toml", "france.toml", "en16931.toml", "lifecycle.toml")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one rule, or of a family of rules whose ids begin with the same words."""

    rule: str
    title: Text
    cause: Text
    remedy: Text
    terms: tuple[str, ...] = ()
    """Where the published text names none."""


@cache
def explanations() -> Mapping[str, Explanation]:
    """Every explanation by rule id or by the beginning of the ids of a family."""
    folder = resources.files("validation.explain")
    entries = [entry for name in FILES for entry in tomllib.loads(folder.joinpath(name).read_text("utf-8")).items()]
    return {rule: _explanation(rule, entry) for rule, entry in entries}


def find_explanation(*rules: str) -> Explanation | None:
    """The explanation of a rule by one of its ids.

    The whole id is looked up first, then its beginnings: BR-FR-09_BT-29 is explained by BR-FR-09, UBL-CR-014 by
    UBL-CR.
    """
    known = explanations()
    for rule in rules:
        for name in _beginnings(rule):
            if name in known:
                return known[name]
    return None


def _beginnings(rule: str) -> Iterator[str]:
    while rule:
        yield rule
        rule = rule[: max(rule.rfind("_"), rule.rfind("-"), 0)]


def _explanation(rule: str, entry: Mapping[str, Sequence[str]]) -> Explanation:
    title, cause, remedy = (Text(fr, en) for fr, en in zip(entry["fr"], entry["en"], strict=True))
    return Explanation(rule, title, cause, remedy, tuple(entry.get("terms", ())))

"""What a rule means, why it fires and what to do: title, cause and remedy in French and English, as data."""

import tomllib
from collections.abc import Mapping
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
    """Every explanation by rule id."""
    folder = resources.files("validation.explain")
    entries = [entry for name in FILES for entry in tomllib.loads(folder.joinpath(name).read_text("utf-8")).items()]
    return {
        rule: Explanation(
            rule,
            title=Text(**entry["title"]),
            cause=Text(**entry["cause"]),
            remedy=Text(**entry["remedy"]),
            terms=tuple(entry.get("terms", ())),
        )
        for rule, entry in entries
    }


def find_explanation(*rules: str) -> Explanation | None:
    """The explanation of a rule by one of its ids.

    The whole id is looked up first, then the part before its first underscore: BR-FR-09 explains BR-FR-09_BT-29.
    """
    known = explanations()
    for rule in rules:
        for name in (rule, rule.partition("_")[0]):
            if name in known:
                return known[name]
    return None

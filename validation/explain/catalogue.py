"""What a rule means, why it fires and what to do: title, cause and remedy in French and English, as data.

A rule is explained by its own entry, else by the family that its id or its published words belong to, else by the
entry for the beginning of its id. Files whose name begins with `pas-` hold our own rules.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from validation.explain.data import data
from validation.explain.filling import About, fill
from validation.findings import Finding, Text

FILES: Final = ("own.toml", "france.toml", "en16931.toml", "lifecycle.toml", "ereporting.toml")
TERM: Final = re.compile(r"\b(?:BT|BG|MDT|MDG|EXT-FR-FE-BG|EXT-FR-FE|TT|TG)-\d+[a-z]?(?:-\d+)?(?![\w-])")
IN_NAME: Final = re.compile(r"(?:BT|BG|MDT|MDG|EXT-FR-FE-BG|EXT-FR-FE)-\d+")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one rule."""

    rule: str
    """The entry that it comes from: a rule id, the beginning of one, or the pattern of a family."""

    title: Text
    cause: Text
    remedy: Text
    terms: tuple[str, ...] = ()
    """The terms to look at, the one to change first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An explanation whose places are not filled in yet."""

    name: str
    fr: tuple[str, ...]
    en: tuple[str, ...]
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """An entry for every rule whose id or words match."""

    entry: Entry
    id: re.Pattern[str] | None
    text: re.Pattern[str] | None


@cache
def entries() -> Mapping[str, Entry]:
    """Every entry by rule id or by the beginning of the ids of a family."""
    own = sorted(path.name for path in resources.files("validation.explain").iterdir() if path.name.startswith("pas-"))
    return {rule: _entry(rule, entry) for name in (*FILES, *own) for rule, entry in data(name).items()}


@cache
def families() -> tuple[Family, ...]:
    """The families, in the order in which they are tried."""
    return tuple(_family(entry) for entry in data("families.toml")["family"])


def find_explanation(*rules: str, text: str = "", context: str = "", syntax: str | None = None) -> Explanation | None:
    """The explanation of a rule by its ids, the most telling first, its published words and where it looks.

    With the syntax of a document the places in the words are those of that syntax only. None for an unknown rule.
    """
    return _explain(rules, text, context, syntax)


def explained(finding: Finding) -> Finding:
    """A finding of our own with title, cause and remedy of its rule."""
    explanation = find_explanation(finding.rule)
    if explanation is None:
        return finding
    return replace(finding, title=explanation.title, cause=explanation.cause, remedy=explanation.remedy)


@lru_cache(maxsize=8192)
def _explain(names: tuple[str, ...], text: str, context: str, syntax: str | None) -> Explanation | None:
    entry, groups = _look_up(names, text)
    if entry is None:
        return None
    about = About(names, text, context, syntax, _terms(names, text, entry))
    texts = [fill(words, about, groups, language) for language, words in enumerate((entry.fr, entry.en))]
    title, cause, remedy = (Text(fr, en) for fr, en in zip(*texts, strict=True))
    return Explanation(entry.name, title, cause, remedy, about.terms)


def _look_up(names: Sequence[str], text: str) -> tuple[Entry | None, Mapping[str, str | None]]:
    known = entries()
    if exact := max((name for name in names if name in known), key=len, default=None):
        return known[exact], {}
    for name in names:
        for family in families():
            if family.id is not None and (found := family.id.search(name)):
                return family.entry, found.groupdict()
    for family in families():
        if family.text is not None and (found := family.text.search(text)):
            return family.entry, found.groupdict()
    beginnings = (beginning for name in names for beginning in _beginnings(name))
    return next(((known[beginning], {}) for beginning in beginnings if beginning in known), (None, {}))


def _terms(names: Sequence[str], text: str, entry: Entry) -> tuple[str, ...]:
    """The terms of an id that names some, else those that we hold for it, else those of the words."""
    listed = next((tuple(data("rule-terms.toml")[name]) for name in names if name in data("rule-terms.toml")), ())
    named = tuple(dict.fromkeys(term for name in names for term in IN_NAME.findall(name)))
    return listed or named or entry.terms or tuple(dict.fromkeys(TERM.findall(text)))


def _beginnings(rule: str) -> Iterator[str]:
    while rule := rule[: max(rule.rfind("_"), rule.rfind("-"), rule.rfind("#"), 0)]:
        yield rule


def _entry(rule: str, entry: Mapping[str, Any]) -> Entry:
    return Entry(rule, tuple(entry["fr"]), tuple(entry["en"]), tuple(entry.get("terms", ())))


def _family(entry: Mapping[str, Any]) -> Family:
    id_, text = entry.get("id"), entry.get("text")
    return Family(_entry(str(id_ or text), entry), re.compile(id_) if id_ else None, re.compile(text) if text else None)

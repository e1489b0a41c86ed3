"""What a rule set is, and how it is written down: an entry of the manifest, or a file beside an added set."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "package"
ADDED: Final = "added"
KEPT: Final = "kept"
OPTIONAL: Final = "optional"
FILES: Final = "files"
"""Where a written-down entry names its files: path from the root to SHA-256."""


class RuleSetError(Exception):
    """A rule set that cannot be used. The text names it."""


class RuleSetMissing(RuleSetError):
    """No rule set of this id, none in force, or its files are not installed."""


class RuleSetAltered(RuleSetError):
    """The installed files are not the ones the manifest was written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Our word on a known defect of published rules."""

    rules: tuple[str, ...]
    """Ids of the rules; a `*` at the end stands for any ending."""

    unless: tuple[str, ...] = ()
    """Ids that it does not speak of."""

    unless_aliased: bool = False
    """Nor of any rule that the set gives an alias."""

    text: str
    """What we hold, for people, in French."""

    profiles: tuple[str, ...] = ()
    """The profiles in which it applies; empty means all."""

    syntaxes: tuple[str, ...] = ()
    """The syntaxes in which it applies; empty means all of the set."""

    since: str = ""
    """The first version of the set that has the defect; empty where it is not known."""

    until: str = ""
    """The last version that has it; empty: it is still there."""

    source: str = ""
    """Where the defect, or our reading of the law, can be looked up."""

    text_en: str
    """The same in English."""

    blocks: bool = False
    """Whether a finding of this rule still makes a document invalid."""

    def speaks_of(self, rule: str, syntax: str, profile: str) -> bool:
        """Whether it is about findings of this rule in such a document. Knows nothing of aliases."""
        named = any(rule == each or (each.endswith("*") and rule.startswith(each[:-1])) for each in self.rules)
        fits = syntax in (self.syntaxes or (syntax,)) and profile in (self.profiles or (profile,))
        return named and fits and rule not in self.unless


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """One published rule set: a compiled Schematron or a schema."""

    id: str
    layer: str
    """The layer that it decides: xsd, en16931, extended, br-fr, cdar or flux10."""

    syntaxes: tuple[str, ...]
    """The syntaxes whose documents it can judge, in the words of the machine contract."""

    profiles: tuple[str, ...] = ()
    """The profiles it decides for; empty: every profile that no other set of its layer and syntax names."""

    version: str
    """As its own files say; `unknown` where they say nothing."""

    start: date | None
    """First day in force; None means that no start is known and any day will do."""

    end: date | None
    """Last day in force."""

    package: str = ""
    """Name of the distribution that carries it; empty for a set that came as a file."""

    path: str
    """Entry file, from the root of the installed packages, or from `root`."""

    root: Path | None = None
    """Folder that holds the files of an added or kept set; None: they are in the package."""

    origin: str = PACKAGE
    """`package`; `added`, by an operator; `kept`, since it decided a verdict when it was what the package carried;
    `optional`, described here and not there."""

    supersedes: tuple[str, ...] = ()
    """Ids of sets that do not decide where this one can."""

    sha256: str
    """Of the entry file."""

    companions: tuple[str, ...] = ()
    """Glob patterns of the other files it needs."""

    companions_sha256: str | None = None
    """Of the list `<sha256>  <path>` of the companions, sorted by path, one a line."""

    licence: str
    source: str
    """Who publishes it."""

    language: str = "en"
    """The language its messages are written in."""

    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rule id to other ids of the same rule."""

    rulings: tuple[Ruling, ...] = ()

    @property
    def key(self) -> str:
        """Id and beginning of the hash: names these very files."""
        return f"{self.id}@{self.sha256[:12]}"

    @property
    def edition(self) -> str:
        """Id and version, for people."""
        return self.id if self.version == "unknown" else f"{self.id} {self.version}"

    def find_ruling(self, rule: str, syntax: str, profile: str) -> Ruling | None:
        """The first ruling on findings of this rule in documents of this syntax and profile."""
        aliased = rule in self.aliases
        fitting = (each for each in self.rulings if each.speaks_of(rule, syntax, profile))
        return next((each for each in fitting if not (aliased and each.unless_aliased)), None)

    def in_force(self, on: date) -> bool:
        """Whether the set may decide a verdict as of `on`."""
        return (self.start is None or self.start <= on) and (self.end is None or on <= self.end)


def from_entry(entry: Mapping[str, Any]) -> RuleSet:
    """The rule set that an entry of the manifest describes, or one that `described` wrote down.

    Raises:
        TypeError, ValueError: a field is unknown, missing or no date.
    """
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    plain.pop(FILES, None)
    rulings: tuple[dict[str, Any], ...] = plain.pop("ruling", ())
    aliases: dict[str, list[str]] = plain.pop("aliases", {})
    for bound in ("start", "end"):
        if isinstance(plain.get(bound), str):
            plain[bound] = date.fromisoformat(plain[bound])
    return RuleSet(
        aliases={rule: tuple(others) for rule, others in aliases.items()},
        rulings=tuple(_ruling(each) for each in rulings),
        **{"start": None, "end": None, **plain},
    )


def described(rule_set: RuleSet, files: Mapping[str, bytes]) -> bytes:
    """The entry of a set as JSON, for `from_entry`, with the hash of each file. Where they lie is not part of it."""
    entry = asdict(rule_set)
    entry[FILES] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    entry.pop("root")
    entry["ruling"] = entry.pop("rulings")
    for bound in ("start", "end"):
        entry[bound] = entry[bound].isoformat() if entry[bound] else None
    return json.dumps(entry, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _ruling(entry: Mapping[str, Any]) -> Ruling:
    lists = {name: tuple(entry.get(name, ())) for name in ("rules", "unless", "profiles", "syntaxes")}
    return Ruling(**{**entry, **lists})

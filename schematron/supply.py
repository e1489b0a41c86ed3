"""Find the published rule sets that the manifest names, and hand them out only if they are unaltered.

The manifest is the one place that says which rule sets exist, which layer they decide, since when they are in
force and where their files come from. Nothing here knows what a rule means.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

MANIFEST = "manifest.toml"


class RuleSetError(Exception):
    """A rule set that cannot be used. The text names it."""


class RuleSetMissing(RuleSetError):
    """No rule set of this id, none in force, or its files are not installed."""


class RuleSetAltered(RuleSetError):
    """The installed files are not the ones the manifest was written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Our word on a known defect of one published rule."""

    rule: str
    """Id of the rule."""

    text: str
    """What we hold, for people."""

    profiles: tuple[str, ...] = ()
    """The profiles in which it applies; empty means all."""

    blocks: bool = False
    """Whether a finding of this rule still makes a document invalid."""


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

    package: str
    """Name of the distribution that carries it."""

    path: str
    """Entry file, from the root of the installed packages."""

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
    def edition(self) -> str:
        """Id and version, for people."""
        return self.id if self.version == "unknown" else f"{self.id} {self.version}"

    def in_force(self, on: date) -> bool:
        """Whether the set may decide a verdict as of `on`."""
        return (self.start is None or self.start <= on) and (self.end is None or on <= self.end)


@cache
def rule_sets() -> tuple[RuleSet, ...]:
    """Every rule set of the manifest, in its order. Files are not looked at."""
    manifest = tomllib.loads(resources.files("schematron").joinpath(MANIFEST).read_text("utf-8"))
    return tuple(_rule_set(entry) for entry in manifest["rule_set"])


def get_rule_set(identifier: str) -> RuleSet:
    """The rule set of this id.

    Raises:
        RuleSetMissing: the manifest has no such id.
    """
    for rule_set in rule_sets():
        if rule_set.id == identifier:
            return rule_set
    raise RuleSetMissing(f"no rule set {identifier!r} in the manifest")


def choose(layer: str, syntax: str, profile: str, on: date) -> RuleSet:
    """The rule set that decides a layer for documents of this syntax and profile, as of a day.

    Raises:
        RuleSetMissing: none is in force that day; the text names the nearest.
    """
    able = [each for each in rule_sets() if each.layer == layer and syntax in each.syntaxes]
    fitting = [each for each in able if profile in each.profiles] or [each for each in able if not each.profiles]
    for rule_set in fitting:
        if rule_set.in_force(on):
            return rule_set
    if not fitting:
        raise RuleSetMissing(f"no rule set for layer {layer}, syntax {syntax}, profile {profile}")
    nearest = min(fitting, key=lambda each: _distance(each, on))
    bounds = f"from {nearest.start or 'ever'} until {nearest.end or 'further notice'}"
    raise RuleSetMissing(f"nothing in force for layer {layer} on {on}; the nearest is {nearest.edition}, {bounds}")


def entry_path(rule_set: RuleSet) -> Path:
    """Where the entry file is installed. Not checked; see `check`.

    Raises:
        RuleSetMissing: the package, or the file in it, is not installed.
    """
    try:
        located = metadata.distribution(rule_set.package).locate_file(rule_set.path)
    except metadata.PackageNotFoundError as missing:
        raise RuleSetMissing(f"{rule_set.id}: package {rule_set.package} is not installed") from missing
    path = Path(str(located))
    if not path.is_file():
        raise RuleSetMissing(f"{rule_set.id}: {rule_set.package} carries no file {rule_set.path}")
    return path


def companion_paths(rule_set: RuleSet) -> tuple[Path, ...]:
    """The other files of the set, sorted. Their content is not checked."""
    root = _root(rule_set)
    return tuple(sorted({path for pattern in rule_set.companions for path in root.glob(pattern)}))


def check(rule_set: RuleSet) -> Path:
    """The entry file, after every file of the set has been compared with the manifest.

    Raises:
        RuleSetMissing: something is not installed.
        RuleSetAltered: a hash differs.
    """
    path = entry_path(rule_set)
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if actual != rule_set.sha256:
        raise RuleSetAltered(f"{rule_set.id}: {rule_set.path} has sha256 {actual}, not {rule_set.sha256}")
    if rule_set.companions:
        listed = companions_digest(rule_set)
        if listed != rule_set.companions_sha256:
            raise RuleSetAltered(f"{rule_set.id}: its companion files give {listed}, not {rule_set.companions_sha256}")
    return path


def companions_digest(rule_set: RuleSet) -> str:
    """SHA-256 of the list of the companions, in the words of `sha256sum`."""
    root = _root(rule_set)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n"
        for path in companion_paths(rule_set)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _distance(rule_set: RuleSet, on: date) -> int:
    """Days between a day and the time in which a set was or will be in force."""
    before = (rule_set.start - on).days if rule_set.start is not None else 0
    after = (on - rule_set.end).days if rule_set.end is not None else 0
    return max(before, after, 0)


def _root(rule_set: RuleSet) -> Path:
    path = entry_path(rule_set)
    return path.parents[len(Path(rule_set.path).parts) - 1]


def _rule_set(entry: dict[str, Any]) -> RuleSet:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    rulings: tuple[dict[str, Any], ...] = plain.pop("ruling", ())
    aliases: dict[str, list[str]] = plain.pop("aliases", {})
    return RuleSet(
        aliases={rule: tuple(others) for rule, others in aliases.items()},
        rulings=tuple(Ruling(**{**ruling, "profiles": tuple(ruling.get("profiles", ()))}) for ruling in rulings),
        **{"start": None, "end": None, **plain},
    )

"""Find the published rule sets that the manifest names, and hand them out only if they are unaltered.

The manifest is the one place that says which rule sets exist, which layer they decide, since when they are in
force and where their files come from. A folder named by the environment (see `FOLDER`) may hold more: sets that an
operator added, and former editions that decided verdicts. Nothing here knows what a rule means.
"""

import hashlib
import os
import tomllib
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from schematron.kept import DESCRIPTION, read_folder, stamp_of
from schematron.rule_set import (
    ADDED,
    KEPT,
    OPTIONAL,
    PACKAGE,
    RuleSet,
    RuleSetAltered,
    RuleSetError,
    RuleSetMissing,
    Ruling,
    described,
    from_entry,
)

__all__ = ["RuleSet", "RuleSetAltered", "RuleSetError", "RuleSetMissing", "Ruling"]

MANIFEST: Final = "manifest.toml"
FOLDER: Final = "PASSERELLE_RULES"
"""Environment variable: the folder of added and kept sets. A workshop hands it to its jails."""


def rule_sets() -> tuple[RuleSet, ...]:
    """Every rule set: those of the manifest in its order, then those of the folder. Files are not looked at.

    A set of the manifest that was kept when it decided a verdict is read from there.
    """
    if not (folder := os.environ.get(FOLDER)):
        return _manifest()
    return _with_folder(Path(folder), stamp_of(Path(folder)))


def optional_sets() -> tuple[RuleSet, ...]:
    """The sets that the manifest describes and no package carries: `rules add` knows them by their hash."""
    return tuple(from_entry({**entry, "origin": OPTIONAL}) for entry in _entries("optional"))


def get_rule_set(name: str) -> RuleSet:
    """The rule set of this id, or of `id@version` or `id@<beginning of the hash>` where there are several editions.

    An id alone means the edition of the manifest or the added one, else the newest that was kept.

    Raises:
        RuleSetMissing: there is no such set.
    """
    identifier, _, edition = name.partition("@")
    found = [
        each
        for each in rule_sets()
        if each.id == identifier and (not edition or each.version == edition or each.sha256.startswith(edition))
    ]
    if not found:
        raise RuleSetMissing(f"no rule set {name!r} in the manifest")
    return max(found, key=lambda each: (each.origin != KEPT, each.start or date.min))


def choose(layer: str, syntax: str, profile: str, on: date) -> RuleSet:
    """The rule set that decides a layer for documents of this syntax and profile, as of a day.

    A set for this very profile before one for all; then the one that came into force last; then an added one.

    Raises:
        RuleSetMissing: none is in force that day; the text names the nearest.
    """
    able = [each for each in rule_sets() if each.layer == layer and syntax in each.syntaxes]
    exact = [each for each in able if profile in each.profiles and (each.origin == PACKAGE or each.in_force(on))]
    fitting = exact or [each for each in able if not each.profiles]
    in_force = [each for each in fitting if each.in_force(on)]
    outdone = {identifier for each in in_force for identifier in each.supersedes}
    if in_force:
        deciding = [each for each in in_force if each.id not in outdone] or in_force
        return max(deciding, key=lambda each: (each.start or date.min, each.origin == ADDED))
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
    if rule_set.root is not None:
        return _in_folder(rule_set, rule_set.root)
    # By its module and not by its metadata: what reads those takes longer to load than all the rest here.
    spec = find_spec(Path(rule_set.path).parts[0])
    if spec is None or spec.origin is None:
        raise RuleSetMissing(f"{rule_set.id}: package {rule_set.package} is not installed")
    path = Path(spec.origin).parents[1] / rule_set.path
    if not path.is_file():
        raise RuleSetMissing(f"{rule_set.id}: {rule_set.package} carries no file {rule_set.path}")
    return path


def companion_paths(rule_set: RuleSet) -> tuple[Path, ...]:
    """The other files of the set, sorted. Their content is not checked."""
    root = root_of(rule_set)
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
    root = root_of(rule_set)
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


def root_of(rule_set: RuleSet) -> Path:
    """The folder that the paths of a set start from. Raises RuleSetMissing."""
    path = entry_path(rule_set)
    return path.parents[len(Path(rule_set.path).parts) - 1]


def files_of(rule_set: RuleSet) -> dict[str, bytes]:
    """Every file of a set by its path from the root, unaltered. Raises RuleSetMissing, RuleSetAltered."""
    entry, root = check(rule_set), root_of(rule_set)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in (entry, *companion_paths(rule_set))}


def bundle(rule_set: RuleSet) -> dict[str, bytes]:
    """What the folder of a kept set holds: its files and its description. Raises RuleSetMissing, RuleSetAltered."""
    files = files_of(rule_set)
    return {DESCRIPTION: described(replace(rule_set, origin=KEPT), files), **files}


def _in_folder(rule_set: RuleSet, root: Path) -> Path:
    path = root / rule_set.path
    if not path.is_file():
        raise RuleSetMissing(f"{rule_set.id}: {root} holds no file {rule_set.path}")
    return path


@lru_cache(maxsize=4)
def _with_folder(folder: Path, _stamp: int) -> tuple[RuleSet, ...]:
    held = {each.key: each for each in read_folder(folder)}
    named = tuple(replace(each, root=held[each.key].root) if each.key in held else each for each in _manifest())
    return (*named, *(each for key, each in held.items() if key not in {known.key for known in named}))


@cache
def _manifest() -> tuple[RuleSet, ...]:
    return tuple(map(from_entry, _entries("rule_set")))


def _entries(name: str) -> list[dict[str, Any]]:
    manifest = tomllib.loads(resources.files("schematron").joinpath(MANIFEST).read_text("utf-8"))
    entries: list[dict[str, Any]] = manifest.get(name, [])
    return entries

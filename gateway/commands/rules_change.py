"""`passerelle rules add FILE` and `rules remove ID`: the operator's own rule sets, beside those of the packages.

What is added is pinned by its hash, prepared and compiled once before it is taken, and then kept twice: in the object
store, as everything that decides verdicts, and in the folder where the rule supply looks. A running gateway sees it
with its next document. Nothing that may have decided a verdict is ever deleted: `remove` sets its last day.
"""

import argparse
import fcntl
import hashlib
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from archive.store import Digest, Store
from gateway.assembly import check_safe, objects_of
from gateway.clock import day_in_france, wall_clock
from gateway.evidence.rule_sets import install, mark_changed, stage
from gateway.settings import Settings
from schematron.kept import DESCRIPTION
from schematron.official import HashDiffers, Official, Unusable, open_download
from schematron.rule_set import ADDED, FILES, KEPT, RuleSet, RuleSetAltered, RuleSetError, described, from_entry
from schematron.supply import files_of, get_rule_set, optional_sets, rule_sets
from validation.packs import APPLICABLE
from validation.stylesheet import compile_rules

LAYERS: Final = frozenset({"en16931", "extended", "br-fr", "cdar", "flux10"})
"""The layers that a Schematron can decide."""

LOCK: Final = ".adding"
"""Name of the file that whoever adds a set holds; no set has a name that begins with a dot."""

LONGEST_ENTRY: Final = 1 << 20
"""Bytes of an entry that is looked for in the object store."""


class AlreadyThere(Unusable):
    """A rule set of this id exists."""

    code = "id-exists"


class NotSaid(Unusable):
    """Neither the download nor the options say what is needed."""

    code = "not-said"


class NotCompilable(Unusable):
    """The engine refuses the stylesheet."""

    code = "not-compilable"


class NotAdded(Unusable):
    """Only what was added can be removed."""

    code = "not-added"


def add(settings: Settings, options: argparse.Namespace) -> int:
    """Make a rule set of a download. Prints its key; raises Unusable where it is refused."""
    known = optional_sets()
    announced = {options.sha256} if options.sha256 else {each.sha256 for each in known}
    official = open_download(options.file, member=options.member, sha256=announced)
    if options.sha256 and official.sha256 != options.sha256:
        raise HashDiffers(f"{official.name} has sha256 {official.sha256}, not {options.sha256}")
    model = get_rule_set(options.replaces) if options.replaces else None
    model = model or next((each for each in known if each.sha256 == official.sha256), None)
    rule_set = described_by(official, model, options, today=day_in_france(wall_clock()))
    refuse_taken(rule_set)
    files = {rule_set.path: official.stylesheet, **official.code_lists}
    files[DESCRIPTION] = described(rule_set, files)
    prepared = try_out(rule_set, files)
    check_safe(settings)
    with objects_of(settings) as store, alone(settings.rules):
        refuse_taken(rule_set)  # somebody may have been faster
        install(store, settings.rules, rule_set.key, files)
    form = "préparé / prepared" if prepared else "forme publiée, plus lente / published form, slower"
    print(f"{rule_set.key}  {rule_set.layer}  {rule_set.version}  {rule_set.start or '-'}  {form}")
    return 0


def refuse_taken(rule_set: RuleSet) -> None:
    """Raises AlreadyThere where a set of this id decides, or this very one was kept."""
    if any(each.id == rule_set.id and (each.origin != KEPT or each.key == rule_set.key) for each in rule_sets()):
        raise AlreadyThere(f"there is a rule set {rule_set.id!r}; choose another name with --id")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While nobody else adds to the folder: of two files under one id that come at once, the second is refused.

    The lock is the kernel's, so that a command that was killed leaves none behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def described_by(official: Official, model: RuleSet | None, options: argparse.Namespace, *, today: date) -> RuleSet:
    """The entry of a new set: what the options say, else what the model has, else what the stylesheet tells."""
    layer = options.layer or (model.layer if model else official.layer)
    syntaxes = tuple(options.syntax or (model.syntaxes if model else official.syntaxes))
    if layer is None:
        raise NotSaid("which layer does it decide? --layer en16931, extended, br-fr, cdar or flux10")
    if not syntaxes or (unknown := set(syntaxes) - set(APPLICABLE)):
        raise NotSaid(f"which syntaxes is it for? --syntax {', '.join(APPLICABLE)}"
                      + (f"; not {', '.join(sorted(unknown))}" if syntaxes else ""))
    replacing = bool(options.replaces)
    version = options.version or official.version
    start = options.start or (model.start if model and not replacing else None) or today
    if options.end is not None and options.end < start:
        raise NotSaid(f"--until {options.end} is before --from {start}")
    name = options.id or (f"{model.id}-{start}" if model and replacing else model.id if model else None)
    companions = tuple(sorted(official.code_lists))
    return RuleSet(
        id=_name(name or Path(official.name).stem),
        layer=layer,
        syntaxes=syntaxes,
        profiles=tuple(options.profile or (model.profiles if model else ())),
        version=version,
        start=start,
        end=options.end,
        path=official.name,
        sha256=official.sha256,
        companions=companions,
        companions_sha256=_digest_of(official.code_lists) if companions else None,
        licence=options.licence or (model.licence if model else "not stated"),
        source=options.source or (model.source if model else "not stated"),
        language=options.language or (model.language if model else "en"),
        aliases=model.aliases if model else {},
        rulings=model.rulings if model else (),
        supersedes=model.supersedes if model else (),
        origin=ADDED,
    )


def try_out(rule_set: RuleSet, files: Mapping[str, bytes]) -> bool:
    """Check, prepare and compile a set in a place of its own; whether its fast form works.

    Raises:
        NotCompilable: the engine refuses it.
    """
    logging.getLogger("validation.stylesheet").setLevel(logging.ERROR)  # the form is told in the answer
    with tempfile.TemporaryDirectory() as place:
        root = stage(Path(place), files)
        try:
            return compile_rules(replace(rule_set, root=root)).prepared
        except RuleSetAltered:
            raise
        except (RuleSetError, ValueError) as error:
            raise NotCompilable(str(error)) from error


def remove(settings: Settings, options: argparse.Namespace) -> int:
    """Set the last day of an added set; raises NotAdded for another. Its files stay, for the verdicts it decided."""
    rule_set = get_rule_set(options.id)
    if rule_set.origin != ADDED or rule_set.root is None:
        raise NotAdded(f"{rule_set.id} was not added by `rules add`: what packages carry is fixed by the manifest")
    end = options.end or day_in_france(wall_clock()) - timedelta(days=1)
    content = described(replace(rule_set, end=end), files_of(rule_set))
    with objects_of(settings) as store:
        store.put(content)
    handle, name = tempfile.mkstemp(prefix=".entry-", dir=rule_set.root)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).rename(rule_set.root / DESCRIPTION)
    mark_changed(rule_set.root.parent)
    print(f"{rule_set.key}  → {end}")
    return 0


def restore(settings: Settings, _: argparse.Namespace) -> int:
    """Bring back into the folder what the object store holds of added and kept sets; prints their keys.

    Of an added set whose last day was set several times the store holds each word: the earliest last day counts.
    """
    with objects_of(settings) as store, alone(settings.rules):
        for key, (content, names) in described_in(store).items():
            if not (settings.rules / key).is_dir():
                files = {name: store.get(Digest(sha256)) for name, sha256 in names.items()}
                install(store, settings.rules, key, {**files, DESCRIPTION: content})
                print(key)
    return 0


def described_in(store: Store) -> dict[str, tuple[bytes, dict[str, str]]]:
    """By key, the description of each set that a store holds, and the hashes of its files by name."""
    found: dict[str, tuple[RuleSet, bytes, dict[str, str]]] = {}
    for digest in store.list():
        content = store.get(digest) if store.meta(digest).size <= LONGEST_ENTRY else b""
        try:
            entry = json.loads(content) if content.startswith(b"{") else {}
            rule_set, names = from_entry(entry), entry[FILES]
        except (ValueError, TypeError, KeyError, AttributeError):  # something else that begins like one
            continue
        before = found.get(rule_set.key)
        if before is None or (rule_set.end or date.max) < (before[0].end or date.max):
            found[rule_set.key] = rule_set, content, names
    return {key: (content, names) for key, (_, content, names) in found.items()}


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    if not name:
        raise NotSaid("a name made of letters and digits: --id")
    return name


def _digest_of(files: Mapping[str, Any]) -> str:
    """As `supply.companions_digest`, of files that are not yet in their place."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()

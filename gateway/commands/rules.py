"""`passerelle rules list | add FILE | remove ID | restore | replay`: the rule sets, and what another would change.

Runs in a process of its own and imports the rule supply directly. `list` needs no database and no server.
Exit codes: 0 done, all is well; 1 a file is missing or altered, an addition is refused, or a replay differs; 2 could
not run, or wrong options.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from archive.errors import ArchiveError
from gateway.clock import day_in_france, wall_clock
from gateway.commands import rules_change, rules_replay
from gateway.settings import Settings, UnsafeSetup
from schematron.official import Unusable
from schematron.rule_set import ADDED, KEPT, OPTIONAL
from schematron.supply import RuleSetError
from validation.packs import LAYERS
from validation.standing import PROFILES, Listed, listed

STATES: Final = {
    "in-force": "en vigueur",
    "coming": "à venir",
    "superseded": "remplacé",
    "past": "passé",
    "optional": "facultatif",
}
ORIGINS: Final = {ADDED: "ajouté", KEPT: "conservé", OPTIONAL: "à ajouter"}


def main(argv: Sequence[str]) -> int:
    """Run one action; see the module for the exit codes."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as end:
        return 0 if end.code in {0, None} else 2
    try:
        settings = Settings()
        return ACTIONS[options.action](settings, options)
    except Unusable as refusal:
        print(f"{refusal.code}: {refusal}", file=sys.stderr)
        return 1
    except (RuleSetError, UnsafeSetup, ValidationError, SQLAlchemyError, ArchiveError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The options of all actions."""
    made = argparse.ArgumentParser(prog="passerelle rules")
    actions = made.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="Tous les jeux / every set")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.add_argument("--as-of", type=date.fromisoformat, default=None, metavar="DATE")
    adding = actions.add_parser("add", help="Un téléchargement officiel devient un jeu / a download becomes a set")
    adding.add_argument("file", type=Path, metavar="FILE", help="XSLT, ZIP or folder")
    adding.add_argument("--member", metavar="NAME", help="which file of a ZIP or folder")
    adding.add_argument("--sha256", type=str.lower, metavar="HEX", help="what the stylesheet must have")
    adding.add_argument("--replaces", metavar="ID", help="layer, syntaxes, profiles, rulings and aliases of this set")
    adding.add_argument("--layer", choices=[layer for layer in LAYERS if layer in rules_change.LAYERS])
    adding.add_argument("--syntax", action="append", metavar="NAME")
    adding.add_argument("--profile", action="append", choices=PROFILES, metavar="NAME")
    for name in ("--id", "--version", "--licence", "--source"):
        adding.add_argument(name)
    adding.add_argument("--language", choices=("fr", "en"))
    adding.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DATE", help="default: today")
    adding.add_argument("--until", dest="end", type=date.fromisoformat, metavar="DATE")
    removing = actions.add_parser("remove", help="Ne décide plus / decides no more")
    removing.add_argument("id", metavar="ID")
    removing.add_argument("--until", dest="end", type=date.fromisoformat, metavar="DATE", help="default: yesterday")
    actions.add_parser("restore", help="Depuis les objets conservés / from the objects that are kept")
    rules_replay.add_options(actions.add_parser("replay", help="Ce qu'un autre jeu changerait / what would change"))
    return made


def list_sets(_: Settings, options: argparse.Namespace) -> int:
    """Print every set; 0 if all are there and unaltered, else 1."""
    on = options.as_of or day_in_france(wall_clock())
    found = listed(on)
    for line in as_json(found) if options.format == "json" else as_text(found):
        print(line)
    return 1 if any(each.fault for each in found) else 0


def as_json(found: Sequence[Listed]) -> Iterator[str]:
    """One object per line."""
    for each in found:
        rule_set = each.rule_set
        yield json.dumps(
            {
                **each.to_json(),
                "syntaxes": rule_set.syntaxes,
                "profiles": rule_set.profiles,
                "package": rule_set.package or None,
                "path": rule_set.path,
                "sha256": rule_set.sha256,
                "licence": rule_set.licence,
                "source": rule_set.source,
                "aliases": rule_set.aliases,
                "rulings": [asdict(ruling) for ruling in rule_set.rulings],
                "fault": each.fault,
            },
            ensure_ascii=False,
        )


def as_text(found: Sequence[Listed]) -> Iterator[str]:
    """A table, with the faults below it."""
    for each in found:
        rule_set = each.rule_set
        mark = "!!" if each.fault else "--" if each.state == "optional" else "ok"
        since = rule_set.start.isoformat() if rule_set.start else "-"
        until = f"→ {rule_set.end.isoformat()}" if rule_set.end else ""
        words = ", ".join(filter(None, (STATES[each.state], ORIGINS.get(rule_set.origin), until)))
        yield (
            f"{mark}  {rule_set.layer:<8} {rule_set.id:<22} {rule_set.version:<9} {since:<11} "
            f"{rule_set.sha256[:12]}  {words}"
        )
    yield from (f"{each.fault}" for each in found if each.fault)


ACTIONS: Final = {
    "list": list_sets,
    "add": rules_change.add,
    "remove": rules_change.remove,
    "restore": rules_change.restore,
    "replay": rules_replay.replay,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`passerelle rules list`: which rule sets there are, and whether their files are the ones the manifest was made for.

Runs in a process of its own and imports the rule supply directly. Adding sets and replaying old verdicts come later.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from schematron.supply import RuleSet, RuleSetError, check, rule_sets


def main(argv: Sequence[str]) -> int:
    """List the rule sets; 0 if all are there and unaltered, 1 if one is not, 2 for wrong options."""
    parser = argparse.ArgumentParser(prog="passerelle rules")
    parser.add_argument("action", choices=("list",))
    parser.add_argument("--format", choices=("text", "json"), default="text")
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:
        return 0 if end.code in {0, None} else 2
    states = [(rule_set, state(rule_set)) for rule_set in rule_sets()]
    for line in as_json(states) if options.format == "json" else as_text(states):
        print(line)
    return 1 if any(fault for _, fault in states) else 0


def state(rule_set: RuleSet) -> str | None:
    """What is wrong with the files of a set; None if nothing is."""
    try:
        check(rule_set)
    except RuleSetError as error:
        return str(error)
    return None


def as_json(states: Sequence[tuple[RuleSet, str | None]]) -> Iterator[str]:
    """One object per line."""
    for rule_set, fault in states:
        yield json.dumps(
            {
                "id": rule_set.id,
                "layer": rule_set.layer,
                "version": rule_set.version,
                "from": rule_set.start.isoformat() if rule_set.start else None,
                "until": rule_set.end.isoformat() if rule_set.end else None,
                "package": rule_set.package,
                "path": rule_set.path,
                "sha256": rule_set.sha256,
                "licence": rule_set.licence,
                "fault": fault,
            },
            ensure_ascii=False,
        )


def as_text(states: Sequence[tuple[RuleSet, str | None]]) -> Iterator[str]:
    """A table, with the faults below it."""
    for rule_set, fault in states:
        since = rule_set.start.isoformat() if rule_set.start else "-"
        mark = "!!" if fault else "ok"
        yield f"{mark}  {rule_set.layer:<9} {rule_set.id:<22} {rule_set.version:<10} {since:<11} {rule_set.sha256[:12]}"
    yield from (f"{fault}" for _, fault in states if fault)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

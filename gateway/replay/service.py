"""A replay that a person asks for in the console: which rules, which days, and what would change."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from gateway.deps import Deps
from gateway.evidence.checking import Tell
from gateway.problems import Problem
from gateway.replay.changes import invoices, judge, period, summary

SHOWN: Final = 500
"""So many invoices that would change are kept with their findings; the figures count all of them."""

FINDINGS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rules, and which invoices: those received in these days, both included."""

    rules: str
    """Key of a rule set, in place of the one that decides its layer; empty where only the day differs."""

    as_of: date | None
    """The rules in force on this day; None: on the day of each invoice."""

    first: date
    last: date

    def to_text(self) -> str:
        """As a job keeps it."""
        asked = {"rules": self.rules, "as-of": self.as_of.isoformat() if self.as_of else "",
                 "from": self.first.isoformat(), "to": self.last.isoformat()}
        return urlencode({name: value for name, value in asked.items() if value})

    @classmethod
    def of_text(cls, text: str) -> "Wanted":
        """What `to_text` wrote."""
        asked = dict(parse_qsl(text))
        as_of = asked.get("as-of")
        return cls(asked.get("rules", ""), date.fromisoformat(as_of) if as_of else None,
                   date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"]))


def wanted(
    deps: Deps, *, rules: str, as_of: date | None, first: date | None, last: date | None
) -> Wanted:
    """What was asked for, with last month where no day is named.

    Problems: 422 nothing differs from what decided (`nothing-to-replay`), an unknown rule set (`unknown-rule-set`), or
    days in the wrong order (`bad-period`).
    """
    begins, ends = period(first, last, deps.today())
    if not rules and as_of is None:
        raise Problem(422, "nothing-to-replay", "Choisissez un jeu de règles ou une date. / Name a set or a day.")
    if rules and rules not in {each["key"] for each in usable(deps)}:
        raise Problem(422, "unknown-rule-set", "Ce jeu de règles n'est pas connu. / Unknown rule set.")
    if begins > ends:
        raise Problem(422, "bad-period", "Le premier jour vient après le dernier. / The days are in the wrong order.")
    return Wanted(rules, as_of, begins, ends)


def usable(deps: Deps) -> list[dict[str, Any]]:
    """The rule sets that could be tried today (validation.standing), those that do not decide yet or no more first."""
    known = [each for each in deps.workshop.rule_sets(as_of=deps.today()) if each["state"] != "optional"]
    return sorted(known, key=lambda each: (each["state"] == "in-force", each["layer"], each["id"]))


def replayed(deps: Deps, tenant_id: str, asked: Wanted, tell: Tell) -> dict[str, Any]:
    """The figures, and the first invoices that would change. One after the other: others need the workshop too."""
    with deps.db.reading(tenant_id) as session:
        pasts = invoices(session, asked.first, asked.last)
    rules = (asked.rules,) if asked.rules else ()
    changes = []
    for count, past in enumerate(pasts):
        tell("Nouvelle lecture des factures", count, len(pasts))
        changes.append(judge(deps.store, deps.workshop, past, as_of=asked.as_of, rules=rules))
    differing = [change.to_json() for change in changes if not change.is_none][:SHOWN]
    for each in differing:
        each["more"] = sum(max(len(each[side]) - FINDINGS_SHOWN, 0) for side in ("gained", "lost"))
        each["gained"], each["lost"] = each["gained"][:FINDINGS_SHOWN], each["lost"][:FINDINGS_SHOWN]
    return {**summary(changes, asked.first, asked.last), "changes": differing,
            "unjudged": [change.past.number or change.past.id for change in changes if not change.is_judged][:SHOWN]}

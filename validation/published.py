"""From what a published rule said to a finding: severity, terms, other names, explanation, our ruling."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from schematron.supply import RuleSet
from validation.explain.catalogue import explained, find_explanation
from validation.explain.places import bare
from validation.findings import Finding, Severity, Text
from validation.stylesheet import BRACKETED_CODE, Fired

TERM: Final = re.compile(r"\b(?:BT|BG|MDT|MDG|EXT-FR-FE|EXT-FR-FE-BG|TT|TG)-\d+[a-z]?(?:-\d+)?\b")
FRENCH_FAMILY: Final = re.compile(r"\[(BR-FR-[A-Z0-9-]*\d)(?=[/\]])")
CURRENT_VALUE: Final = re.compile(r"Valeurs? actuelles?[^:]*: *[\"«] ?(.*?) ?[\"»](?=[.,\s]|$)")
FLAGS: Final[Mapping[str, Severity]] = {
    "warning": Severity.WARNING,
    "information": Severity.INFO,
    "info": Severity.INFO,
}
"""Any other flag, or none, is fatal."""


def finding_of(fired: Fired, rule_set: RuleSet, profile: str, syntax: str = "") -> Finding:
    """The finding that a published rule makes.

    Its words stay in the language they are written in; the other language has our title of the rule where there is
    one, else the published words too.
    """
    aliases = aliases_of(fired, rule_set)
    explanation = find_explanation(  # aliases first, the text knows its rule better: two published ids are wrong
        *aliases, fired.rule, text=CURRENT_VALUE.sub("", fired.text), context=bare(fired.place.path), syntax=syntax
    )
    title = explanation.title if explanation else Text(fr=fired.text, en=fired.text)
    french = rule_set.language == "fr"
    ruling = rule_set.find_ruling(fired.rule, syntax, profile)
    return Finding(
        rule=fired.rule,
        severity=FLAGS.get(fired.flag or "", Severity.FATAL),
        layer=rule_set.layer,
        message=Text(fr=fired.text if french else title.fr, en=title.en if french else fired.text),
        terms=terms_of(fired) or (explanation.terms if explanation else ()),
        aliases=aliases,
        location=fired.place.path or None,
        line=fired.place.line,
        title=explanation.title if explanation else None,
        cause=explanation.cause if explanation else None,
        remedy=explanation.remedy if explanation else None,
        values=values_of(fired.text),
        ruling=f"{ruling.text} / {ruling.text_en}" if ruling else None,
        blocks=ruling.blocks if ruling else True,
    )


def advised(finding: Finding) -> Finding:
    """A finding of the schema with cause and remedy of its kind; its own words stay its title."""
    told = explained(finding)
    return replace(told, title=None)


def aliases_of(fired: Fired, rule_set: RuleSet) -> tuple[str, ...]:
    """Other ids of the same rule: the one at the head of its text, and those of the manifest."""
    heads = [found.group(1) for pattern in (BRACKETED_CODE, FRENCH_FAMILY) if (found := pattern.match(fired.text))]
    others = (*heads, *rule_set.aliases.get(fired.rule, ()))
    return tuple(dict.fromkeys(other for other in others if other != fired.rule))


def terms_of(fired: Fired) -> tuple[str, ...]:
    """The business terms that the id and the text mention, in the order of mention."""
    return tuple(dict.fromkeys(TERM.findall(f"{fired.rule.replace('_', ' ')} {fired.text}")))


def values_of(text: str) -> dict[str, str]:
    """What the document says, where a French message quotes it."""
    found = CURRENT_VALUE.search(text)
    return {"value": found.group(1)} if found else {}

"""A jail for a verdict that somebody waits for: as `validation.jail`, but with a process beside it, if it may have two.

As soon as the first document is there, the largest rule set that it probably needs compiles in that process, while
this one loads the rest. A wrong guess costs time and nothing else. Started as `python -m validation.cold` by a
command that validates.
"""

import gc
import importlib
import os
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from schematron import supply
from validation import stylesheet
from validation.requests import next_request
from validation.worker import give_up_rights

JAIL: Final = "validation.jail"
VERDICTS: Final = frozenset({"judge", "inspect"})
"""Requests for a verdict."""

LAYER: Final = "en16931"
PROFILE: Final = "en16931"
SIGNS: Final[Mapping[bytes, str]] = {
    b"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "ubl-invoice",
    b"urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "ubl-credit-note",
    b"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "cii",
}
"""What stands near the beginning of a document of a syntax, as a rule."""

ANOTHER: Final = b"extended"
"""What stands there if another layer replaces the one that is guessed."""

BEGINNING: Final = 4096
"""Bytes that are looked at."""


def guessed(document: bytes, as_of: date, rules: tuple[str, ...], layers: tuple[str, ...], **_: Any) -> str | None:
    """The key of the rule set of EN 16931 that a document probably needs; None where it is not clear at once."""
    beginning = document[:BEGINNING]
    syntax = next((syntax for sign, syntax in SIGNS.items() if sign in beginning), None)
    if syntax is None or rules or layers or ANOTHER in beginning:
        return None
    try:
        return supply.choose(LAYER, syntax, PROFILE, as_of).key
    except supply.RuleSetMissing:
        return None


def main() -> None:
    """Give up rights, read the first request, let its rule set compile, load the jail, serve."""
    gc.disable()  # whatever is loaded now stays
    answers = give_up_rights()
    first = next_request(sys.stdin.buffer)
    if first is not None and first[0] in VERDICTS and len(os.sched_getaffinity(0)) > 1:
        key = guessed(**first[1])
        if key is not None:
            stylesheet.compile_beside(key, hidden=(sys.stdin.fileno(), answers.fileno()))
    importlib.import_module(JAIL).serve(sys.stdin.buffer, answers, eager=False, first=first)


if __name__ == "__main__":
    main()

"""No error of ours on an invoice that the published rules accept, unless vectors/validation/defended.toml says why.

`make campaign-own_rules` counts every rule over the whole corpus; here only what an error of ours refuses is looked at.
A rule with aliases stands in for published rules of a set that did not run, and refuses what they refuse.
"""

import tomllib
from pathlib import Path

import pytest
from own_vectors import FOLDER
from samples import AS_OF

from formats.errors import FormatError
from formats.opening import Opened, open_document
from validation.document import read_document
from validation.findings import Severity
from validation.packs import OWN_LAYERS
from validation.rules import registry
from validation.rules.own import OwnRule
from validation.run import Options, validate

ERRORS = [rule for rule in registry.RULES if rule.severity is Severity.ERROR and not getattr(rule, "aliases", ())]
INVOICES = {"ubl-invoice", "ubl-credit-note", "cii", "factur-x"}


def refused(opened: Opened) -> set[str]:
    """The ids of our blocking rules that speak."""
    document = read_document(opened)
    if document.invoice is None:
        return set()
    found = set()
    for rule in ERRORS:
        said = rule.check(document.invoice, AS_OF) if isinstance(rule, OwnRule) else rule.check(document)
        if next(iter(said), None) is not None:
            found.add(rule.id)
    return found


@pytest.mark.timeout(120)
def test_our_errors_on_accepted_documents_are_defended(corpus: Path) -> None:
    defended = tomllib.loads((FOLDER / "defended.toml").read_text("utf-8"))
    looked_at, undefended, used = 0, [], set()
    for path in sorted(corpus.rglob("*")):
        name = str(path.relative_to(corpus))
        if path.suffix.lower() not in {".xml", ".pdf"} or name.startswith(("bad-", "cen-unit", "phive-france-cdar")):
            continue
        try:
            opened = open_document(path.read_bytes())
        except FormatError:
            continue
        if opened.syntax.value not in INVOICES:
            continue
        looked_at += 1
        if not refused(opened):
            continue
        report = validate(path.read_bytes(), Options(AS_OF))
        if any(f.severity.blocks and f.blocks for f in report.findings if f.layer not in OWN_LAYERS):
            continue
        for rule in {f.rule for f in report.findings if f.severity is Severity.ERROR} & {rule.id for rule in ERRORS}:
            used.add((name, rule))
            if rule not in defended.get(name, {}):
                undefended.append((name, rule))
    assert looked_at > 500
    assert undefended == []
    assert used == {(name, rule) for name, reasons in defended.items() for rule in reasons}

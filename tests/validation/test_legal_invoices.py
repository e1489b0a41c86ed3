"""Invoices that look odd and are legal: not one of our rules may speak of them."""

import tomllib

import pytest
from own_vectors import FOLDER, Vector
from samples import AS_OF

from validation.rules import registry
from validation.run import Options, validate

RULES = {rule.id for rule in registry.RULES}
LEGAL = [
    pytest.param(Vector(change.get("rule", ""), "legal", change), id=name)
    for name, change in tomllib.loads((FOLDER / "legal.toml").read_text("utf-8")).items()
]


@pytest.mark.parametrize("vector", LEGAL)
def test_nothing_of_ours_speaks_of_a_legal_invoice(vector: Vector) -> None:
    for syntax in vector.syntaxes:
        report = validate(vector.document(syntax), Options(AS_OF, layers=("mentions", "business")))
        spoken = [(finding.rule, finding.message.fr) for finding in report.findings if finding.rule in RULES]
        assert spoken == [], syntax

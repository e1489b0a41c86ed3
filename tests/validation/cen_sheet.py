"""CEN's own rules for CII, where `make oracles` has fetched them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from schematron import supply
from validation import stylesheet

ORACLE = Path(__file__).parents[2] / "oracles" / "cen"


@cache
def compiled() -> stylesheet.Compiled:
    """The set that the manifest calls optional, compiled from where it was fetched to; skips where it was not."""
    (described,) = (each for each in supply.optional_sets() if each.id == "en16931-cii")
    if not (ORACLE / described.path).is_file():
        pytest.skip("no oracles/cen: run `make oracles`")
    return stylesheet.compile_rules(replace(described, root=ORACLE))

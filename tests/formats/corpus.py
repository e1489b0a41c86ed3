"""The shared corpus, where it is present."""

import csv
import os
from functools import cache
from pathlib import Path

import pytest

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every corpus file with one of these suffixes outside the folders of bad and of partial ones."""
    found = (path for path in sorted(CORPUS.rglob("*")) if path.suffix in suffixes)
    return tuple(path for path in found if not path.relative_to(CORPUS).parts[0].startswith(("bad-", "cen-unit")))


@cache
def pairs() -> tuple[dict[str, str], ...]:
    """The rows of pairs.tsv."""
    if not CORPUS.is_dir():
        return ()
    with (CORPUS / "pairs.tsv").open(encoding="utf-8", newline="") as table:
        return tuple(csv.DictReader(table, delimiter="\t"))

"""Every UBL, CII and CDAR file of the corpus, also inside PDFs: our findings against the published stylesheets.

Resumable: what is done is kept in var/campaigns/rules.jsonl beside the project's files and not done again, unless a
rule set, a package or the preparation has changed. Prints each difference and the figures; exits 1 on a difference.
`--all-sets` runs every rule set of the syntax, not only the two layers that decide.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))

from lxml import etree
from published_oracle import ENGINE_ERROR, of_report, run_published

from formats.errors import FormatError
from formats.opening import Opened, open_document
from schematron import guards, prepare, supply
from validation import packs, stylesheet
from validation.run import Options, validate

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", ROOT.parent / "shared" / "corpus"))
STATE = ROOT / "var" / "campaigns" / "rules.jsonl"
AS_OF = date(2026, 11, 21)
JUDGED = {"ubl-invoice", "ubl-credit-note", "cii", "factur-x", "cdar"}


def main(argv: list[str]) -> int:
    every_set = "--all-sets" in argv
    if not CORPUS.is_dir():
        print(f"no corpus at {CORPUS}: nothing done")
        return 0
    done = load_state()
    figures: Counter[str] = Counter()
    started = time.perf_counter()
    STATE.parent.mkdir(parents=True, exist_ok=True)
    with STATE.open("a") as state:
        for name, document, opened in documents():
            for rule_set in sets(opened, every_set=every_set):
                key = f"{edition()} {rule_set.sha256[:12]} {hashlib.sha256(document).hexdigest()[:24]}"
                if key not in done:
                    done[key] = compare(name, document, opened, rule_set)
                    print(json.dumps({"key": key, "outcome": done[key]}), file=state, flush=True)
                figures[done[key]] += 1
                figures["pairs"] += 1
                figures[f"pairs {rule_set.id}"] += 1
            figures["documents"] += 1
    for label, count in sorted(figures.items()):
        print(f"{label:<32} {count}")
    print(f"{'seconds':<32} {time.perf_counter() - started:.1f}")
    return 1 if figures["different"] else 0


def documents() -> Iterator[tuple[str, bytes, Opened]]:
    """Every file of the corpus outside bad-* that holds something the rules judge."""
    for path in sorted(CORPUS.rglob("*")):
        inside = path.relative_to(CORPUS)
        if path.suffix.lower() not in {".xml", ".pdf"} or inside.parts[0].startswith("bad-"):
            continue
        document = path.read_bytes()
        try:
            opened = open_document(document)
        except FormatError:
            continue
        if opened.syntax.value in JUDGED:
            yield str(inside), document, opened


def sets(opened: Opened, *, every_set: bool) -> Iterator[supply.RuleSet]:
    """The sets of the layers en16931 and br-fr (cdar for a lifecycle message), or all that can judge the syntax."""
    syntax, profile = opened.syntax.value, opened.profile.value
    if every_set:
        yield from (each for each in supply.rule_sets() if syntax in each.syntaxes and each.layer != "xsd")
        return
    for layer in ("cdar",) if syntax == "cdar" else ("en16931", "br-fr"):
        yield supply.choose(layer, syntax, profile, AS_OF)


def compare(name: str, document: bytes, opened: Opened, rule_set: supply.RuleSet) -> str:
    """`equal`, `equal engine error` or `different`; prints the difference."""
    options = Options(AS_OF, rules=(rule_set.id,), layers=(rule_set.layer,), max_findings=0)
    ours = of_report(validate(document, options).to_json(), rule_set.layer, rule_set.language)
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(opened.payload if opened.attachment is not None else document)
        file.flush()
        theirs = run_published(rule_set.id, Path(file.name))
    if ours == theirs:
        return "equal engine error" if ours == ENGINE_ERROR else "equal"
    print(f"DIFFERENT {rule_set.id} {name}")
    for label, mine, other in (("only ours", ours, theirs), ("only published", theirs, ours)):
        print(f"  {label}: {extra(mine, other)}")
    return "different"


def extra(mine: list[Any] | str, other: list[Any] | str) -> object:
    if isinstance(mine, str) or isinstance(other, str):
        return mine if isinstance(mine, str) else f"{len(mine)} findings"
    return list((Counter(mine) - Counter(other)).items())[:5]


def load_state() -> dict[str, str]:
    if not STATE.is_file():
        return {}
    entries = [json.loads(line) for line in STATE.read_text().splitlines() if line]
    return {entry["key"]: entry["outcome"] for entry in entries if entry["outcome"] != "different"}


def edition() -> str:
    """Changes when the code that must be equal changes, or the engine."""
    files = [prepare.__file__, guards.__file__, stylesheet.__file__, packs.__file__]
    text = b"".join(Path(file).read_bytes() for file in files) + etree.LXML_VERSION.__repr__().encode()
    return hashlib.sha256(text).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

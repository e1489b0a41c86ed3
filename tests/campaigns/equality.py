"""Prepared rules against published ones on documents changed at random: 20,000 of them, each with every rule set of its
syntax. Compared are rule, flag, location and text of all findings, in their order, and whether the engine stopped.

Resumable: blocks that are done are kept in var/campaigns/equality.jsonl and not done again, unless the preparation, a
rule set or an engine has changed. Prints each difference, the figures by rule set, and exits 1 on a difference.

    python tests/campaigns/equality.py [--mutants 20000] [--seed 20261122] [--jobs 2]
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))

from lxml import etree
from mutants import Origin, mutant, origins
from published_oracle import ENGINE_ERROR, fired_by_published, fired_by_us

from formats.errors import FormatError
from formats.opening import open_document
from formats.safexml import parse
from schematron import guards, prepare, supply
from validation import stylesheet

STATE = ROOT / "var" / "campaigns" / "equality.jsonl"
CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", ROOT.parent / "shared" / "corpus"))
BLOCK = 50
LARGEST = 20_000
"""Bytes of a file of the corpus that is changed: the published forms are slow on larger ones."""

FROM_CORPUS = 60


def main(argv: list[str]) -> int:
    options = parsed(argv)
    blocks = range(0, options.mutants, BLOCK)
    key = f"{edition()} {options.seed}"
    done = {entry["block"]: entry for entry in load_state() if entry["key"] == key}
    STATE.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    left = [block for block in blocks if block not in done]
    print(f"{len(done)} blocks of {BLOCK} were done before, {len(left)} are left", flush=True)
    with STATE.open("a") as state, ProcessPoolExecutor(options.jobs, initializer=silence) as processes:
        running = [processes.submit(compare_block, options.seed, block) for block in left]
        for number, future in enumerate(as_completed(running), 1):
            entry = {"key": key, **future.result()}
            done[entry["block"]] = entry
            print(json.dumps(entry), file=state, flush=True)
            for line in entry["differences"]:
                print(line, flush=True)
            if number % 10 == 0:
                passed = time.perf_counter() - started
                print(f"{len(done) * BLOCK} of {options.mutants} mutants, {passed:.0f} s", file=sys.stderr, flush=True)
    return summary([done[block] for block in blocks if block in done], options.seed, time.perf_counter() - started)


def parsed(argv: list[str]) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mutants", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=20261122)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return options.parse_args(argv)


def silence() -> None:
    """What the engine prints about its errors goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@cache
def among() -> list[Origin]:
    """Ours, and small files of the corpus of every folder where there is one."""
    found: list[Origin] = []
    files = sorted(CORPUS.rglob("*.xml"), key=lambda file: hashlib.sha256(file.name.encode()).digest())
    for file in files if CORPUS.is_dir() else ():
        inside = file.relative_to(CORPUS)
        if inside.parts[0].startswith(("bad-", "non-", "cen-unit")) or file.stat().st_size > LARGEST:
            continue
        document = file.read_bytes()
        try:
            syntax = open_document(document).syntax.value
        except FormatError:
            continue
        if len(found) < FROM_CORPUS and sets(syntax):
            found.append(Origin(str(inside), syntax, document))
    return origins() + found


def sets(syntax: str) -> list[supply.RuleSet]:
    return [each for each in supply.rule_sets() if syntax in each.syntaxes and each.layer != "xsd"]


def compare_block(seed: int, block: int) -> dict[str, object]:
    """Fifty mutants with every set of their syntax: counts, and a line for each difference."""
    counts: Counter[str] = Counter()
    differences: list[str] = []
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        for number in range(block, block + BLOCK):
            changed = mutant(seed, number, among())
            Path(file.name).write_bytes(changed.document)
            root = parse(changed.document)
            for rule_set in sets(changed.syntax):
                ours = fired_by_us(stylesheet.compiled(rule_set.id), root)
                theirs = fired_by_published(rule_set.id, Path(file.name))
                counts[rule_set.id] += 1
                counts["engine errors"] += theirs == ENGINE_ERROR
                counts["findings"] += len(theirs) if theirs != ENGINE_ERROR else 0
                if ours != theirs:
                    only = [
                        mine if ENGINE_ERROR in (mine, other) else list((Counter(mine) - Counter(other)).items())[:3]
                        for mine, other in ((ours, theirs), (theirs, ours))
                    ]
                    differences.append(f"DIFFERENT {rule_set.id} {changed.name}: only ours {only[0]}; theirs {only[1]}")
    return {"block": block, "counts": dict(counts), "differences": differences}


def summary(entries: list[dict[str, object]], seed: int, seconds: float) -> int:
    counts: Counter[str] = Counter()
    differences = 0
    for entry in entries:
        counts.update(entry["counts"])  # type: ignore[arg-type] # as compare_block made it
        differences += len(entry["differences"])  # type: ignore[arg-type] # as above
    pairs = sum(count for name, count in counts.items() if name not in {"engine errors", "findings"})
    for name, count in sorted(counts.items()):
        print(f"{name:<24} {count}")
    print(
        f"seed {seed}: {len(entries) * BLOCK} mutants of {len(among())} documents, {pairs} pairs, "
        f"{differences} differences, {seconds:.0f} s in this run"
    )
    return 1 if differences else 0


def load_state() -> list[dict[str, object]]:
    return [json.loads(line) for line in STATE.read_text().splitlines() if line] if STATE.is_file() else []


def edition() -> str:
    """Changes when the code that must be equal changes, or a rule set, the mutants or an engine."""
    files = [prepare.__file__, guards.__file__, stylesheet.__file__, sys.modules["mutants"].__file__ or "", __file__]
    text = b"".join(Path(file).read_bytes() for file in files)
    engines = f"{etree.LXML_VERSION} {version('saxonche')} {[each.sha256 for each in supply.rule_sets()]}"
    return hashlib.sha256(text + engines.encode()).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

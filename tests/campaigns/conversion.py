"""Every whole invoice of the corpus to the other syntax and back (`make campaign-conversion`).

For each that is valid against its schema and reads without a bad value: is the model the same there and back, is the
output valid against the schema, has it no blocking finding where the source has none, and which texts has no term
taken? With the annex: is each of those back in its place, and all else as without? Those that are not are listed, with
the reason, in tests/vectors/conversion/annex.tsv. Prints what is not listed there and in exceptions.tsv, then the
figures; exits 1 if anything is unlisted. `--unclaimed` also prints the texts without a term, most frequent first.
Takes about a minute and keeps nothing.
"""

import re
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "formats"))

from corpus import CORPUS
from there_and_back import examine, exceptions, sources

from formats.profiles import Profile

NORM = {Profile.BASIC_WL, Profile.BASIC, Profile.EN16931, Profile.CIUS}
"""The profiles in which every text should have a term: the others are extensions, or older than the norm."""

STRAYS = ROOT / "tests" / "vectors" / "conversion" / "annex.tsv"
"""Place, how many, reason."""


def listed_strays() -> dict[str, int]:
    """Texts that the annex does not bring home, by place, of all the corpus."""
    rows = [line.split("\t") for line in STRAYS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {where: int(count) for where, count, _ in rows}


def main(argv: list[str]) -> int:
    """Run it and print the figures."""
    if not CORPUS.is_dir():
        print(f"no corpus at {CORPUS}: nothing done")
        return 0
    started = time.perf_counter()
    figures: Counter[str] = Counter()
    unclaimed: Counter[str] = Counter()
    strays: Counter[str] = Counter()
    unlisted = 0
    for path in sources():
        seen = examine(path)
        figures["invoices"] += 1
        for whose in ("", *([", EN 16931 and its CIUS"] if seen.profile in NORM else [])):
            figures[f"texts claimed{whose}"] += seen.claimed
            figures[f"texts without a term{whose}"] += len(seen.unclaimed)
            figures[f"texts home with the annex{whose}"] += seen.home
        unclaimed.update(re.sub(r"\[\d+\]", "", text) for text in seen.unclaimed)
        strays.update(re.sub(r"\[\d+\]", "", where) for where in seen.stray)
        if seen.skipped:
            figures[f"skipped: {seen.skipped}"] += 1
            continue
        figures["there and back"] += 1
        figures["source without a blocking finding"] += seen.clean
        for kind in {kind for kind, _ in seen.problems}:
            listed = (seen.path, kind) in exceptions() or kind == "filler"
            figures[f"{kind} differs ({'listed' if listed else 'UNLISTED'})"] += 1
            if not listed:
                unlisted += 1
                print(f"{seen.path}\t{kind}\t{' '.join(what for one, what in seen.problems if one == kind)[:200]}")
    for where in strays.keys() | listed_strays().keys():
        if strays[where] != listed_strays().get(where, 0):
            unlisted += 1
            print(f"{where}\tannex\t{strays[where]} not home, {listed_strays().get(where, 0)} listed")
    for label, count in sorted(figures.items()):
        print(f"{label:<60} {count}")
    for which in ("", ", EN 16931 and its CIUS"):
        claimed, others = figures[f"texts claimed{which}"], figures[f"texts without a term{which}"]
        home = figures[f"texts home with the annex{which}"]
        print(f"{f'claimed{which}':<60} {100 * claimed / max(claimed + others, 1):.3f} %")
        share = 100 * (claimed + home) / max(claimed + others, 1)
        print(f"{f'claimed or home with the annex{which}':<60} {share:.3f} %")
    print(f"{'seconds':<60} {time.perf_counter() - started:.1f}")
    for where, count in unclaimed.most_common(80) if "--unclaimed" in argv else ():
        print(count, where)
    return 1 if unlisted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

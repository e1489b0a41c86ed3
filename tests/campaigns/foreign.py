"""Every whole invoice of the corpus through foreign converters, and the models compared (`make campaign-foreign`).

phax (cii2ubl, ubl2cii), the converter of the factur-x package, and Mustang-CLI. Needs Java and `make oracles`. Prints
the differences by class and term, then the figures; exits 1 if one is of no known class
(tests/vectors/conversion/foreign.toml). Takes about three minutes and keeps nothing.
"""

import logging
import sys
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "formats"), str(ROOT / "tests" / "conformance")]

from corpus import CORPUS
from foreign import JARS, MUSTANG, class_of, compare, convert_all, convert_with_facturx, way_of
from there_and_back import sources


def main() -> int:
    """Run it and print the figures."""
    if not CORPUS.is_dir() or not JARS.is_dir():
        print(f"no corpus at {CORPUS}, or no converters at {JARS} (make oracles): nothing done")
        return 0
    figures: Counter[str] = Counter()
    differences: Counter[tuple[str, str, str]] = Counter()
    logging.disable()  # the factur-x package tells of every term
    with tempfile.TemporaryDirectory() as folder:
        answers = chain(convert_all(sources(), Path(folder)), convert_all(sources(), Path(folder), MUSTANG),
                        convert_with_facturx(sources()))
        for answer in answers:
            found, way = compare(answer), way_of(answer.direction)
            if isinstance(found, str):
                figures[f"{way}: {found}"] += 1
                continue
            known = {difference: class_of(answer.direction, difference) for difference in found}
            figures[f"{way}: compared"] += 1
            figures[f"{way}: the same model, digits aside"] += all(one.startswith("digits ") for one in found)
            figures.update({f"{way}: with {one or 'UNKNOWN'}" for one in known.values()})
            differences.update((way, known[one] or "UNKNOWN", one) for one in found)
    for (way, name, one), count in sorted(differences.items(), key=lambda one: (one[0][:2], -one[1])):
        print(f"{count:>5} {way} {name}: {one}")
    for label, count in sorted(figures.items()):
        print(f"{label:<60} {count}")
    return 1 if any(name == "UNKNOWN" for _, name, _ in differences) else 0


if __name__ == "__main__":
    sys.exit(main())

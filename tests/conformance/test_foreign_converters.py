"""Our conversions against those of phax: every difference between the two models is of a known class.

What our output says is what the source says (proved elsewhere), so a difference is theirs, or a place that we do not
read. All of the corpus, with the figures: `make campaign-foreign`.
"""

import random
import shutil
from pathlib import Path

import pytest
from corpus import needs_corpus
from foreign import JARS, class_of, compare, convert_all
from there_and_back import sources

pytestmark = [
    pytest.mark.java,
    needs_corpus,
    pytest.mark.skipif(
        shutil.which("java") is None or not JARS.is_dir(), reason="the converters of phax are absent: make oracles",
    ),
]


def test_every_difference_is_of_a_known_class(tmp_path: Path) -> None:
    chosen = random.Random(20261122).sample(sources(), 60)  # noqa: S311 - a sample, not a secret
    unknown, compared = set(), 0
    for answer in convert_all(chosen, tmp_path):
        found = compare(answer)
        if not isinstance(found, str):
            compared += 1
            unknown |= {(answer.direction, difference) for difference in found
                        if class_of(answer.direction, difference) is None}

    assert compared > 50
    assert unknown == set()

"""Our conversions against those of phax and of the factur-x package: every difference is of a known class.

What our output says is what the source says (proved elsewhere), so a difference is theirs, or a place that we do not
read. All of the corpus, and Mustang, with the figures: `make campaign-foreign`.
"""

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from corpus import needs_corpus
from foreign import JARS, Answer, class_of, compare, convert_all, convert_with_facturx
from there_and_back import sources

SEED = 20261122
needs_java = pytest.mark.skipif(
    shutil.which("java") is None or not JARS.is_dir(), reason="the foreign converters are absent: make oracles",
)
pytestmark = needs_corpus


def judged(answers: Iterable[Answer]) -> tuple[int, set[tuple[str, str]]]:
    """How many were compared, and the differences of no known class."""
    unknown, compared = set(), 0
    for answer in answers:
        found = compare(answer)
        if not isinstance(found, str):
            compared += 1
            unknown |= {(answer.direction, difference) for difference in found
                        if class_of(answer.direction, difference) is None}
    return compared, unknown


def chosen(count: int) -> list[Path]:
    return random.Random(SEED).sample(sources(), count)


@pytest.mark.java
@needs_java
def test_every_difference_is_of_a_known_class(tmp_path: Path) -> None:
    compared, unknown = judged(convert_all(chosen(60), tmp_path))

    assert compared > 50
    assert unknown == set()


def test_every_difference_to_the_factur_x_package_is_of_a_known_class() -> None:
    compared, unknown = judged(convert_with_facturx(chosen(60)))

    assert compared > 25
    assert unknown == set()

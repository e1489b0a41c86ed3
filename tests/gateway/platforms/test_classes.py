"""Every word of the norm has its class, and the sorting of answers follows it."""

import json
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.platforms.classes import ERROR_CLASS, NOTHING_KEPT, REASON_CLASS, Class, class_of
from gateway.platforms.link import CONTENT_STATUS, Answer, Effect, failure
from gateway.platforms.port import Precondition, Rejected, Unavailable, Unknown

OPENAPI = Path(__file__).parents[3].parent / "shared" / "openapi"


@pytest.fixture(scope="module")
def descriptions() -> str:
    """Both descriptions of XP Z12-013 1.3.0 as one text."""
    if not OPENAPI.is_dir():
        pytest.skip(f"the OpenAPI descriptions are not at {OPENAPI}")
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(OPENAPI.glob("*.json")))


def test_every_reason_of_the_norm_has_a_class(descriptions: str) -> None:
    reasons = json.loads(re.search(r'"ReasonCodeEnum"\s*:.*?"enum"\s*:\s*(\[[^\]]*\])', descriptions, re.DOTALL)[1])
    assert len(reasons) == 15
    assert set(reasons) <= REASON_CLASS.keys()


def test_every_error_word_of_the_norm_has_a_class(descriptions: str) -> None:
    words = set(re.findall(r'"errorCode"\s*:\s*"([A-Z_]+)"', descriptions))
    assert len(words) >= 9
    assert words <= ERROR_CLASS.keys()


EXPECTED = {Class.DOCUMENT: Rejected, Class.DUPLICATE: Rejected, Class.PRECONDITION: Precondition,
            Class.TRANSPORT: Unavailable}


@pytest.mark.parametrize("status", sorted(CONTENT_STATUS))
@pytest.mark.parametrize("word", sorted(ERROR_CLASS))
def test_a_word_decides_before_the_status(status: int, word: str) -> None:
    answer = Answer(status, httpx.Headers(), json.dumps({"errorCode": word}).encode())
    kind = EXPECTED[ERROR_CLASS[word]]
    if kind is Unavailable and word not in NOTHING_KEPT:
        kind = Rejected
    assert type(failure(answer, Effect.DEPOSIT)) is kind
    assert type(failure(answer, Effect.NONE)) is Rejected  # a question changes nothing, whatever its word


@given(st.integers(300, 599), st.sampled_from(sorted(ERROR_CLASS)))
def test_no_word_makes_a_lost_deposit_certain(status: int, word: str) -> None:
    """A 5xx may come after the platform took the document: its word is no proof that it did not."""
    error = failure(Answer(status, httpx.Headers(), json.dumps({"errorCode": word}).encode()), Effect.DEPOSIT)
    assert isinstance(error, Unknown) is ((status >= 500 and status != 503) or status == 408)


def test_an_unknown_word_has_no_class() -> None:
    assert class_of("SOMETHING_NEW") is None
    assert class_of("AlreadyExistingFlow") is Class.DUPLICATE

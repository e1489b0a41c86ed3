"""Answers that must not be believed, each refused by name, and by openssl too."""

import shutil
from datetime import UTC, datetime

import hostile
import pytest

from archive import timestamp
from archive.errors import TimestampRefused, TimestampUnavailable
from archive.timestamp import HttpAuthority
from gateway.sandbox.authority import POLICY

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MESSAGE = b"a checkpoint\n"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def cast(tmp_path_factory) -> hostile.Cast:
    return hostile.make_cast(tmp_path_factory.mktemp("cast"), NOW, MESSAGE)


@needs_openssl
@pytest.mark.parametrize("lie", hostile.LIES, ids=lambda lie: lie.name)
def test_a_hostile_answer_is_refused_by_name_and_by_openssl(cast: hostile.Cast, lie: hostile.Lie) -> None:
    ca = getattr(cast, lie.whose).ca
    with hostile.playing(cast) as stage:
        stage.lie = lie
        kind = TimestampRefused if lie.available else TimestampUnavailable
        with pytest.raises(kind) as caught:
            timestamp.obtain(HttpAuthority(stage.url, seconds=1 if lie.drips else 20), MESSAGE, ca, policy=POLICY)
    assert not lie.available or caught.value.reason in lie.reasons
    assert not hostile.openssl_believes(cast.folder, stage.request, stage.response, ca, NOW)


@needs_openssl
def test_the_same_stage_plays_honestly(cast: hostile.Cast) -> None:
    """Else every lie would be refused for the stage's own faults."""
    with hostile.playing(cast) as stage:
        stage.lie = hostile.Lie("none", (), lambda cast, request: cast.honest.stamp(request))
        assert timestamp.obtain(HttpAuthority(stage.url), MESSAGE, cast.honest.ca, policy=POLICY).stamp.at == NOW
    assert hostile.openssl_believes(cast.folder, stage.request, stage.response, cast.honest.ca, NOW)

"""JSON in columns is read as the standard library reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.json_columns import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)


@given(VALUES, st.booleans())
def test_the_same_as_the_standard_library(value: object, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    text = json.dumps(value, ensure_ascii=ascii_only)
    read, known = read_json(text), json.loads(text)
    assert (read, repr(read)) == (known, repr(known))


@pytest.mark.parametrize("text", [
    '"\\ud800"', '{"a": 1, "a": 2}', "[" * 400 + "]" * 400, "1e400", "-0", "-0.0", "123456789012345678901234567890",
    '"\\u0000"', b'{"a": "\xc3\xa9"}', " [1 , 2]\n"])
def test_what_is_odd_is_read_all_the_same(text: str | bytes) -> None:
    assert repr(read_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "01", "nul"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(text)

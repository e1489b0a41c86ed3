"""Our JSON: the fields of the model by their names, and nothing else.

Decimals are texts with the digits as written ("10.00"), dates are ISO, bytes are base64, absent terms are left
out, lists are in document order. Reading is strict: what it does not know, it refuses, with a JSON pointer.
The published schema is invoice.schema.json.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from formats.errors import BadValue, LimitExceeded
from formats.invoice import Invoice
from formats.values import decimal_text, parse_decimal

MAX_BYTES = 20_000_000
MAX_MEMBERS = 1_000_000
"""Members and items, counted generously from the bytes."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, so that every invoice that reads can be written."""
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOM = b"\xef\xbb\xbf"


class Number(str):
    """A JSON number as it was written. No term is one: amounts are texts."""

    __slots__ = ()


class Members(dict[str, Any]):
    """A JSON object, and the first key that it had twice."""

    repeated: str | None = None


def looks_like_json(document: bytes) -> bool:
    """Whether the first byte that is not a blank opens a JSON object or array."""
    return document.removeprefix(_BOM).lstrip(b" \t\r\n")[:1] in {b"{", b"["}


def read_json(document: bytes) -> Invoice:
    """The invoice of our JSON, in UTF-8.

    Raises:
        BadValue: not JSON, an unknown or repeated key, a wrong type; `.path` is the JSON pointer.
        LimitExceeded: over 20 MB, 1,000,000 members, or nested too deep.
    """
    return from_json(parse_json(document))


def parse_json(document: bytes) -> Any:
    """JSON in UTF-8 as objects, numbers kept as texts. Errors as in `read_json`."""
    if len(document) > MAX_BYTES:
        raise LimitExceeded(f"{len(document)} bytes of JSON, at most {MAX_BYTES} are read")
    if sum(map(document.count, (b",", b"[", b"{"))) > MAX_MEMBERS:
        raise LimitExceeded(f"more than {MAX_MEMBERS} JSON members")
    try:
        text = document.removeprefix(_BOM).decode("utf-8")
        return json.loads(
            text, object_pairs_hook=_members, parse_float=Number, parse_int=Number, parse_constant=Number,
        )
    except UnicodeDecodeError as error:
        raise BadValue("document", "", f"byte {error.start}", "UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadValue("document", "", f"line {error.lineno}: {error.msg}", "JSON") from error
    except RecursionError as error:
        raise LimitExceeded("the JSON is nested too deep") from error


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        members.repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add returns None on purpose
    return members


def from_json(value: Any) -> Invoice:
    """The invoice of parsed JSON. BadValue as in `read_json`."""
    invoice = _decode(Invoice, value, "")
    if not isinstance(invoice, Invoice):
        raise BadValue("document", "", _shown(value), "an object with at least one term")
    return invoice


def to_json(invoice: Invoice) -> dict[str, Any]:
    """The JSON object of an invoice. Groups without a term are left out like absent terms."""
    encoded: dict[str, Any] = _encode(invoice)
    return encoded


def write_json(invoice: Invoice) -> bytes:
    """`to_json` as UTF-8 text, two blanks of indentation, keys in the order of the model."""
    return (json.dumps(to_json(invoice), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        encoded = {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
        return {name: item for name, item in encoded.items() if item is not None and item not in ([], {})}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


@cache
def shape(model: type) -> dict[str, tuple[Any, bool, bool]]:
    """Per field of a model class: its type, whether it is a list of that, whether it must be there."""
    hints = get_type_hints(model)
    found = {}
    for field in fields(model):
        hint = hints[field.name]
        many = get_origin(hint) is tuple
        inner = get_args(hint)[0] if many else next(
            (kind for kind in get_args(hint) if kind is not NoneType), hint,
        )
        required = field.default is MISSING and field.default_factory is MISSING
        found[field.name] = (inner, many, required)
    return found


def _decode(kind: Any, value: Any, pointer: str) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind](value, pointer)
    if not isinstance(value, dict):
        raise _bad(pointer, value, "an object")
    known = shape(kind)
    if isinstance(value, Members) and value.repeated is not None:
        raise _bad(f"{pointer}/{_escape(value.repeated)}", value.repeated, "a key given once")
    for name in value:
        if name not in known:
            raise _bad(f"{pointer}/{_escape(name)}", name, f"a term of {kind.__name__}")
    values: dict[str, Any] = {}
    for name, (inner, many, required) in known.items():
        where = f"{pointer}/{name}"
        if name not in value:
            if required:
                raise _bad(where, None, "there")
        elif not many:
            values[name] = _decode(inner, value[name], where)
        elif isinstance(value[name], list):
            values[name] = tuple(_decode(inner, item, f"{where}/{place}") for place, item in enumerate(value[name]))
        else:
            raise _bad(where, value[name], "a list")
    return kind(**values)


def _text(value: Any, pointer: str) -> str:
    if type(value) is not str:
        raise _bad(pointer, value, "a text")
    if not value.strip():
        raise _bad(pointer, value, "a text that is not blank (leave the term out)")
    if found := _UNWRITABLE.search(value):
        raise _bad(pointer, f"U+{ord(found[0]):04X}", "a text without control characters")
    return value


def _decimal(value: Any, pointer: str) -> Decimal:
    parsed = parse_decimal(value) if type(value) is str else None
    if parsed is None:
        raise _bad(pointer, value, 'a decimal number written as a text, like "10.00"')
    return parsed


def _day(value: Any, pointer: str) -> date:
    try:
        if type(value) is str and _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _bad(pointer, value, "a date YYYY-MM-DD")


def _bytes(value: Any, pointer: str) -> bytes:
    try:
        if type(value) is str and value:
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise _bad(pointer, value, "base64")


_SCALARS: dict[Any, Callable[[Any, str], Any]] = {str: _text, Decimal: _decimal, date: _day, bytes: _bytes}


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")[:80]


def _bad(pointer: str, value: Any, expected: str) -> BadValue:
    return BadValue(pointer.rpartition("/")[2] or "document", pointer, _shown(value), expected)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value[:80]
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "absent" if value is None else str(value)

"""A model in which every field of every group is filled, each with a text, number or day of its own."""

import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from formats.invoice import Invoice


def complete() -> Invoice:
    """Every term twice where it may repeat; no value twice."""
    return filled(Invoice, count(1))


def filled(kind: Any, numbers: Any) -> Any:
    """An instance of a dataclass, or a value of a plain type."""
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{one.name: filled(hints[one.name], numbers) for one in fields(kind)})
    if typing.get_origin(kind) is tuple:
        return tuple(filled(typing.get_args(kind)[0], numbers) for _ in range(2))
    if isinstance(kind, types.UnionType):
        return filled(next(one for one in typing.get_args(kind) if one is not type(None)), numbers)
    number = next(numbers)
    return {
        str: f"Xq{number:04}z",
        bytes: f"file {number}".encode(),
        Decimal: Decimal(f"{1000 + number}.{number % 90 + 10}"),
        date: date(2001, 1, 1) + timedelta(days=number),
    }[kind]

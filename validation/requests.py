"""The requests to a jail, as they arrive there."""

from collections.abc import Mapping
from pickle import loads
from typing import Any, BinaryIO

from validation.worker import HEADER

Request = tuple[str, Mapping[str, Any], float]
"""Operation, arguments, seconds that it may take."""


def next_request(requests: BinaryIO) -> Request | None:
    """The next request; None where there are no more."""
    header = requests.read(HEADER)
    if len(header) < HEADER:
        return None
    # The request comes from the process that started this one; only answers are untrusted.
    request: Request = loads(requests.read(int.from_bytes(header, "big")))  # noqa: S301
    return request

"""The requests to a jail, as they arrive there."""

from collections.abc import Mapping
from pickle import loads
from typing import Any, BinaryIO

from validation.worker import next_message

Request = tuple[str, Mapping[str, Any], float]
"""Operation, arguments, seconds that it may take."""


def next_request(requests: BinaryIO) -> Request | None:
    """The next request; None where there are no more."""
    message = next_message(requests)
    if message is None:
        return None
    request: Request = loads(message)  # noqa: S301 - of the process that started this one; answers alone are untrusted
    return request

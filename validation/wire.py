"""What passes between a workshop and its jails: length-prefixed pickles, unpickled by name from a short list.

Pure: loaded on both sides, by the service too, so it imports no XML library.
"""

import io
import pickle
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import ModuleType
from typing import Any, Final

from formats import bank, errors, invoice, returned, status
from formats.rendering import remarks
from validation import findings
from validation.worker import framed


@dataclass(frozen=True, slots=True)
class Inspection:
    """A report, and the invoice it is about, from one parse."""

    report: findings.Report
    invoice: invoice.Invoice | None
    """None where the document holds no readable invoice."""

    unmapped: tuple[str, ...] = ()
    """Locations of content that no row of the mapping table claimed."""


@dataclass(frozen=True, slots=True)
class Converted:
    """The result of a conversion."""

    document: bytes
    syntax: str
    loss: dict[str, Any]
    """LossReport.to_json()."""


@dataclass(frozen=True, slots=True)
class StatusReading:
    """A lifecycle message and what the rules say of it."""

    message: status.StatusMessage | None
    """None where it could not be read; the report says why."""

    report: findings.Report
    not_carried: tuple[str, ...] = ()
    """Places of texts that `message` has no field for."""


@dataclass(frozen=True, slots=True)
class Written:
    """A lifecycle message as bytes and what the rules say of it."""

    document: bytes
    report: findings.Report


@dataclass(frozen=True, slots=True)
class Refusal:
    """A FormatError, on its way between processes."""

    code: str
    arguments: tuple[str, ...]


def _dataclasses(module: ModuleType) -> dict[tuple[str, str], type]:
    named = vars(module).items()
    return {(kind.__module__, name): kind for name, kind in named if isinstance(kind, type) and is_dataclass(kind)}


_PASSED: Final = (Inspection, Converted, StatusReading, Written, Refusal)
ALLOWED: Final[dict[tuple[str, str], type]] = {
    **_dataclasses(findings),
    **_dataclasses(invoice),
    **_dataclasses(status),
    **_dataclasses(bank),
    **_dataclasses(returned),
    **_dataclasses(remarks),
    **{(kind.__module__, kind.__name__): kind for kind in _PASSED},
    **{(kind.__module__, kind.__name__): kind for kind in (findings.Severity, findings.Outcome, findings.Verdict)},
    **{(kind.__module__, kind.__name__): kind for kind in (date, datetime, timedelta, timezone, Decimal)},
}
ERRORS: Final[dict[str, type[errors.FormatError]]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.FormatError)
}


class _Listed(pickle.Unpickler):
    """Makes only what is on the list: values of our own, without behaviour."""

    def find_class(self, module: str, name: str) -> type:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not on the list") from None


def pack(value: object) -> bytes:
    """A message: its length, then its pickle."""
    return framed(pickle.dumps(value, protocol=5))


def unpack_answer(body: bytes) -> object:
    """The value of an answer from a jail. Trusts nothing but the list.

    Raises:
        pickle.UnpicklingError: it names something that is not on the list, or is no pickle.
    """
    return _Listed(io.BytesIO(body)).load()


def refusal_of(error: errors.FormatError) -> Refusal:
    """The error as data."""
    if isinstance(error, errors.BadValue):
        return Refusal(error.code, (error.term, error.path, error.text, error.expected))
    return Refusal(type(error).code, tuple(map(str, error.args)))


def error_of(refusal: Refusal) -> errors.FormatError:
    """The error again."""
    return ERRORS.get(refusal.code, errors.FormatError)(*refusal.arguments)

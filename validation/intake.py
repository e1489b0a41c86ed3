"""What a workshop process reads that is no invoice: statements of banks, mails that came back."""

from collections.abc import Callable, Mapping
from typing import Final

from formats import camt, dsn

OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {
    "read_bank_file": camt.read_bank_file,
    "read_returned": dsn.read_returned,
}

"""Puts this folder on the path: its tests share the statements of statements.py and the questions of bank_calls.py."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.bank.routes import router as bank
from gateway.receivables.routes import router as payments

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(bank, payments)

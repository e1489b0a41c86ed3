"""What all tests share: where their temporary files lie, and that no property test is judged by a clock."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("passerelle", deadline=None)
settings.load_profile("passerelle")

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where there is room: each commit waits for the disk, and there are thousands.

    What must survive a killed process does so there too; what must survive a power cut no test can show.
    """
    if config.option.basetemp is None and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

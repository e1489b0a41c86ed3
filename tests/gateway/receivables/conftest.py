"""Puts the folder of the bank's tests on the path: its statements.py makes the movements that pay."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bank"))

"""Puts this folder on the path, and that of the bank's tests: its statements.py makes the movements that pay."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "bank"), str(Path(__file__).parent)]

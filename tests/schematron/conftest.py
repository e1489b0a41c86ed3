"""Synthetic rule sets, and the samples of the tests of validation, which judge what the rule supply hands out."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "validation")]

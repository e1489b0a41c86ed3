"""The samples of the tests of validation, which judge what the rule supply hands out."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "validation"))

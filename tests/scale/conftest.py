"""Tests of what the service runs on when it grows: servers are started here, or the tests are skipped."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import servers.py beside them

"""How tests check a dossier: by our verifier and by the published script."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from archive_world import (
    INVOICE,
)

from archive import verify

SCRIPT = Path(verify.__file__).with_name("dossier") / "verify.sh"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
SHELLS = [shell for shell in ("dash", "bash", "sh") if shutil.which(shell)]


def seeded(seed: object) -> random.Random:
    return random.Random(str(seed))


def check(folder: Path, data: bytes, trust=None) -> verify.Verification:
    path = folder / f"{INVOICE}-dossier.zip"
    path.write_bytes(data)
    return verify.verify_dossier(path, trust)


def by_script(folder: Path, files: dict[str, bytes], shell: str = "sh") -> subprocess.CompletedProcess[str]:
    """The script as published, not the dossier's own copy."""
    place = folder / "unpacked"
    shutil.rmtree(place, ignore_errors=True)
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return subprocess.run([shell, str(SCRIPT), str(place)], capture_output=True, text=True, check=False)

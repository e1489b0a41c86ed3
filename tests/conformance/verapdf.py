"""veraPDF, which sits inside the Mustang jar, over many files in one process: what breaks PDF/A-3b in each."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MUSTANG = HERE.parents[1] / "oracles" / "Mustang-CLI.jar"
JAVA = shutil.which("java")
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
needs_verapdf = pytest.mark.skipif(JAVA is None or not MUSTANG.exists(), reason="Java oracles are absent: make oracles")


def verdicts(documents: dict[str, bytes], folder: Path, *, timeout: int = 170) -> dict[str, str]:
    """"valid", or the clauses that a document breaks with what veraPDF says, by the names of the documents."""
    assert JAVA is not None
    paths = {str(folder / f"{number}.pdf"): name for number, name in enumerate(documents)}
    for path, name in paths.items():
        Path(path).write_bytes(documents[name])
    command = [JAVA, *QUICK_START, "-cp", str(MUSTANG), str(HERE / "Verdicts.java")]
    done = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True, timeout=timeout, check=True)
    lines = [line.split("\t", 1) for line in io.StringIO(done.stdout).read().splitlines()]
    found = {paths[path]: verdict for path, verdict in lines}
    assert found.keys() == documents.keys()
    return found

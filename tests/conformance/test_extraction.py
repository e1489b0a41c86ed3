"""What comes out of every PDF of the corpus, byte for byte what Mustang and the factur-x package take out."""

import os
import subprocess
from pathlib import Path

import facturx as akretion
import pytest
from verapdf import HERE, JAVA, MUSTANG, QUICK_START, needs_verapdf

from formats.errors import FormatError
from formats.facturx import extract

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", HERE.parents[2] / "shared" / "corpus"))
DIFFERENCES = {
    "facturx-cas-limites/PDF-005/facture.pdf": {"mustang": "wants the invoice's XMP, which this PDF lacks on purpose"},
    "facturx-cas-limites/XML-001/facture.pdf": {"factur-x": "wants well-formed XML; this one is broken on purpose"},
    "facturx-cas-limites/XML-003/facture.pdf": {"factur-x": "wants well-formed XML; this one is broken on purpose"},
}
"""Where another tool finds nothing and we find the attachment; why."""

pytestmark = [
    pytest.mark.corpus, pytest.mark.java, needs_verapdf,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}"),
]


def test_every_extraction_is_that_of_the_other_tools(tmp_path: Path) -> None:
    paths = sorted(path for path in CORPUS.rglob("*") if path.suffix.lower() == ".pdf")
    mustang = by_mustang(paths, tmp_path)
    found, differing = 0, {}
    for path in paths:
        ours = by_us(path)
        others = {"mustang": mustang[path], "factur-x": by_akretion(path)}
        found += ours is not None
        missing = {name for name, theirs in others.items() if theirs != ours}
        assert all(others[name] is None for name in missing), path  # nobody finds other bytes, or what we do not
        if missing:
            differing[str(path.relative_to(CORPUS))] = missing

    assert differing == {path: set(why) for path, why in DIFFERENCES.items()}
    assert found >= 93


def by_us(path: Path) -> bytes | None:
    try:
        return extract(path.read_bytes()).xml
    except FormatError:
        return None


def by_akretion(path: Path) -> bytes | None:
    try:
        _, xml = akretion.get_xml_from_pdf(path.read_bytes(), check_xsd=False)
    except Exception:  # noqa: BLE001 - whatever it raises, it found nothing
        return None
    return bytes(xml) if xml else None


def by_mustang(paths: list[Path], folder: Path) -> dict[Path, bytes | None]:
    assert JAVA is not None
    targets = {path: folder / f"{number}.xml" for number, path in enumerate(paths)}
    command = [JAVA, *QUICK_START, "-cp", str(MUSTANG), str(HERE / "Extracts.java")]
    subprocess.run(command, input="\n".join(f"{path}\t{target}" for path, target in targets.items()), text=True,
                   capture_output=True, timeout=170, check=True)
    return {path: target.read_bytes() if target.exists() else None for path, target in targets.items()}

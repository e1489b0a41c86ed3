"""Every PDF of the corpus and of the programs at hand made a Factur-X, and every result judged by veraPDF.

    python tests/campaigns/pdf.py [FOLDER ...]

FOLDERs of PDFs are looked at besides. Prints the refusals by reason, what was changed how often, and each result that
veraPDF does not take; exit 1 if there is one. What was judged once is kept in var/campaign-pdf and not judged again.
"""

import hashlib
import os
import sys
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "formats"), str(ROOT / "tests" / "conformance")]

import producers
from verapdf import JAVA, MUSTANG, verdicts

from formats.errors import PageRefused
from formats.facturx import embed_repaired, extract

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", ROOT.parent / "shared" / "corpus"))
XML = b'<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
KEPT = ROOT / "var" / "campaign-pdf"


def main() -> int:
    """Run the campaign and print its figures."""
    if JAVA is None or not MUSTANG.exists():
        print("campaign-pdf: Java or the oracles are absent: make oracles")
        return 1
    warnings.simplefilter("ignore")
    made, refusals, changes = {}, Counter[str](), Counter[str]()
    for name, pdf in sources():
        try:
            result = embed_repaired(pdf, XML, profile="en16931", title="T", author="A", subject="S",
                                    made_at=datetime(2026, 1, 1, tzinfo=UTC))
        except PageRefused as refusal:
            refusals[refusal.code] += 1
            print(f"refused  {refusal.code:20} {name}: {refusal}")
            continue
        if extract(result.document).xml != XML:
            raise AssertionError(name)
        made[name] = result.document
        changes.update({change.code for change in result.changes})
    judged = judge(made)
    broken = {name: verdict for name, verdict in judged.items() if verdict != "valid"}
    print(*(f"BROKEN   {name}: {verdict[:500]}" for name, verdict in broken.items()), sep="\n")
    print(*(f"{count:5} refused: {code}" for code, count in refusals.most_common()), sep="\n")
    print(*(f"{count:5} changed: {code}" for code, count in changes.most_common()), sep="\n")
    print(f"campaign-pdf: {sum(refusals.values()) + len(made)} PDFs, {len(made)} made a Factur-X, "
          f"{len(made) - len(broken)} of them valid PDF/A-3b by veraPDF, {sum(refusals.values())} refused")
    return 1 if broken else 0


def sources() -> list[tuple[str, bytes]]:
    """PDFs by name: what programs write, the corpus, the folders that were named."""
    written = [(name, make()) for name, make in {**producers.HERE, **producers.PROCESSES}.items()]
    folders = [CORPUS, *map(Path, sys.argv[1:])]
    found = [(str(path.relative_to(folder)), path.read_bytes()) for folder in folders
             for path in sorted(folder.rglob("*")) if path.suffix.lower() == ".pdf"]
    return [*written, ("reportlab_cmyk", producers.reportlab_cmyk()), *found]


def judge(made: dict[str, bytes]) -> dict[str, str]:
    """The verdict of veraPDF on each, from an earlier run where the bytes are the same."""
    KEPT.mkdir(parents=True, exist_ok=True)
    marks = {name: KEPT / hashlib.sha256(pdf).hexdigest() for name, pdf in made.items()}
    new = {name: pdf for name, pdf in made.items() if not marks[name].exists()}
    for name, verdict in (verdicts(new, KEPT, timeout=3600) if new else {}).items():
        marks[name].write_text(verdict, encoding="utf-8")
    for path in KEPT.glob("*.pdf"):
        path.unlink()
    return {name: mark.read_text(encoding="utf-8") for name, mark in marks.items()}


if __name__ == "__main__":
    sys.exit(main())

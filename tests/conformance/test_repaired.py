"""PDFs that were repaired before a foreign judge: veraPDF for PDF/A-3b. `make campaign-pdf` does the whole corpus.

Java starts once for what programs write, with a control: what they wrote is not PDF/A before; and once for every
repair that tests/formats/test_pdf_repair.py makes one by one.
"""

from datetime import UTC, datetime
from pathlib import Path

import producers
import pytest
import test_pdf_repair
from verapdf import needs_verapdf, verdicts

from formats.facturx import embed_repaired

pytestmark = [pytest.mark.java, needs_verapdf]


def repaired(pdf: bytes) -> bytes:
    return embed_repaired(pdf, b"<a/>", profile="en16931", title="T", author="A", subject="S",
                          made_at=datetime(2026, 11, 22, tzinfo=UTC)).document


def test_what_programs_write_is_repaired_to_pdfa_3b(tmp_path: Path) -> None:
    before = {name: make() for name, make in {**producers.HERE, **producers.PROCESSES}.items()}
    after = {f"{name}, repaired": repaired(pdf) for name, pdf in before.items()}

    judged = verdicts({**before, **after}, tmp_path)

    assert {name: judged[name] for name in after} == dict.fromkeys(after, "valid")
    assert [name for name in before if judged[name] == "valid"] == []


def test_every_single_repair_passes(tmp_path: Path) -> None:
    spoilt = {code: test_pdf_repair.spoilt(spoil) for code, (spoil, _) in test_pdf_repair.REPAIRS.items()}

    judged = verdicts({code: repaired(pdf) for code, pdf in spoilt.items()}, tmp_path)

    assert judged == dict.fromkeys(spoilt, "valid")

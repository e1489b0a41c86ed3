"""What the look at a PDF/A-3 calls a fault: veraPDF was asked about each of these files once, and says the same."""

import io
from datetime import UTC, datetime

import pikepdf
import pytest
from pikepdf import Dictionary, Name
from samples import AS_OF, CII

from formats.conversion import convert
from validation.findings import Verdict
from validation.run import Options, validate

FACTUR_X = convert(CII, "factur-x", made_at=datetime(2026, 11, 21, tzinfo=UTC)).document


@pytest.mark.parametrize(
    ("drawn", "verdict"),
    [
        (b"", Verdict.VALID),
        (b"/Artifact BMC q BT /Bare 10 Tf 3 Tr 50 50 Td (x) Tj ET Q EMC", Verdict.VALID),
        (b"/Artifact BMC q BT /Bare 10 Tf 50 50 Td (x) Tj ET Q EMC", Verdict.INVALID),
    ],
    ids=["only listed", "under a scanned page", "seen"],
)
def test_a_font_without_a_program_is_a_fault_where_something_is_seen_in_it(drawn: bytes, verdict: Verdict) -> None:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(FACTUR_X)) as document:
        page = document.pages[0]
        page.obj.Resources.Font["/Bare"] = Dictionary(
            Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
        page.contents_add(drawn)
        document.save(made)

    report = validate(made.getvalue(), Options(AS_OF, layers=("container", "pdfa")))

    assert report.verdict is verdict
    assert report.rules() == (set() if verdict is Verdict.VALID else {"PAS-PDFA-04"})

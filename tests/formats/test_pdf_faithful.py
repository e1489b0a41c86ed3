"""What a repair must not do: change a page unseen, lose a file, forget to tell, let through what nobody looked at."""

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from test_pdf_repair import MADE_AT, XML, draws, first, notes, page, repaired, root, spoilt, stream

from formats.conversion import convert
from formats.errors import PageRefused
from formats.facturx import extract
from formats.pdf import colours

Spoil = Callable[[pikepdf.Pdf], None]
INVOICE = Path(__file__).parents[1] / "vectors" / "rendering" / "invoice.json"


def codes(pdf: bytes) -> set[str]:
    return {change.code for change in repaired(pdf).changes}


def refusal(spoil: Spoil) -> PageRefused:
    with pytest.raises(PageRefused) as refused:
        repaired(spoilt(spoil))
    return refused.value


def standard(document: pikepdf.Pdf, name: Name = Name.Helvetica, **keys: object) -> pikepdf.Object:
    return document.make_indirect(Dictionary(Type=Name.Font, **({"Subtype": Name.Type1, "BaseFont": name} | keys)))


def fonts(document: pikepdf.Pdf, **named: pikepdf.Object) -> None:
    first(document).Resources["/Font"] = Dictionary(**named)


# --- files


def test_a_file_on_a_hidden_annotation_is_not_lost() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        spec = Dictionary(Type=Name.Filespec, UF="plan.txt", EF=Dictionary(F=stream(document, b"a plan")))
        notes(Subtype=Name.FileAttachment, F=2, FS=document.make_indirect(spec))(document)

    assert refusal(spoil).code == "annotation-hidden"


@pytest.mark.parametrize("where", ["annotation", "page"])
def test_an_invoice_that_hangs_on_a_page_is_replaced_too(where: str) -> None:
    """Its sign on the page stays, and opens the invoice that is inside now."""
    def spoil(document: pikepdf.Pdf) -> None:
        spec = document.make_indirect(Dictionary(
            Type=Name.Filespec, F="factur-x.xml", UF="factur-x.xml", EF=Dictionary(F=stream(document, b"<old/>"))))
        sign = stream(document, b"0 0 5 5 re f", Subtype=Name.Form, BBox=[0, 0, 9, 9], Resources=Dictionary())
        if where == "annotation":
            notes(Subtype=Name.FileAttachment, FS=spec, AP=Dictionary(N=sign))(document)
        else:
            first(document).AF = Array([spec])

    made = repaired(spoilt(spoil))

    found = extract(made.document)
    assert (found.xml, found.others, found.remarks) == (XML, (), ())
    assert "invoice-replaced" in {change.code for change in made.changes}
    assert "attachment-described" not in {change.code for change in made.changes}, "it is not there any more"
    assert b"<old/>" not in made.document


def test_a_file_that_gets_a_type_is_told() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        spec = document.make_indirect(Dictionary(
            Type=Name.Filespec, F="plan.txt", UF="plan.txt", AFRelationship=Name.Supplement,
            EF=Dictionary(F=stream(document, b"a plan"))))
        document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array(["plan.txt", spec])))
        document.Root.AF = Array([spec])

    once = repaired(spoilt(spoil))

    assert "attachment-described" in {change.code for change in once.changes}
    assert "attachment-described" not in codes(once.document)
    assert [one.filename for one in extract(once.document).others] == ["plan.txt"]


def test_a_file_of_another_system_is_a_file() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        spec = Dictionary(Type=Name.Filespec, F="plan.txt", EF=Dictionary(Unix=stream(document, b"a plan")))
        document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array(["plan.txt", spec])))

    made = repaired(spoilt(spoil))

    assert "attachment-described" in {change.code for change in made.changes}
    assert [(one.filename, one.content) for one in extract(made.document).others] == [("plan.txt", b"a plan")]


def test_an_empty_file_of_pages_is_refused_not_replaced() -> None:
    with pytest.raises(PageRefused) as refused:
        convert(INVOICE.read_bytes(), "factur-x", pdf=b"", made_at=MADE_AT)
    assert refused.value.code == "not-a-pdf"


# --- what the file says of itself


def test_a_signature_within_a_field_without_a_type_is_not_broken() -> None:
    """The field has its type from its parent."""
    def sign(document: pikepdf.Pdf) -> None:
        kid = document.make_indirect(Dictionary(V=Dictionary(Filter=Name("/Adobe.PPKLite"), ByteRange=[0, 1, 2, 3])))
        document.Root.AcroForm = Dictionary(Fields=Array([Dictionary(FT=Name.Sig, T="s", Kids=Array([kid]))]))

    assert refusal(sign).code == "pdf-signed"


@pytest.mark.parametrize(("said", "kept"), [("de-DE", "de-DE"), ("", "fr"), ("no language!", "fr")])
def test_the_language_of_the_pages_stays(said: str, kept: str) -> None:
    with pikepdf.open(io.BytesIO(repaired(spoilt(root(Lang=said))).document)) as document:
        assert str(document.Root.Lang) == kept


def newer() -> bytes:
    with pikepdf.open(io.BytesIO(page())) as document:
        target = io.BytesIO()
        document.save(target, force_version="2.0")
        return target.getvalue()


@pytest.mark.parametrize("pdf", [newer(), spoilt(root(Version=Name("/2.0")))], ids=["header", "catalog"])
def test_pdf_2_becomes_what_pdfa_3_is_made_of(pdf: bytes) -> None:
    made = repaired(pdf)

    assert "version-lowered" in {change.code for change in made.changes}
    assert made.document[:7] == b"%PDF-1."
    with pikepdf.open(io.BytesIO(made.document)) as document:
        assert "/Version" not in document.Root


def test_a_structure_that_was_broken_is_told() -> None:
    assert "structure-rebuilt" in codes(page()[:-300])
    assert "structure-rebuilt" not in codes(page())


# --- pages


def test_a_code_without_an_encoding_is_not_guessed() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        fonts(document, F1=standard(document, Name.Arial, Subtype=Name.TrueType))
        draws(b"BT /F1 9 Tf (\xe9t\xe9) Tj ET")(document)

    assert refusal(spoil).code == "font-encoding"


def test_a_form_that_borrows_means_one_thing() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        document.add_blank_page()
        form = stream(document, b"BT /F1 9 Tf (AB) Tj ET", Subtype=Name.Form, BBox=[0, 0, 99, 99])
        for each, name in zip(document.pages, (Name.Helvetica, Name.Courier), strict=True):
            each.obj.Resources = Dictionary(Font=Dictionary(F1=standard(document, name)), XObject=Dictionary(X=form))
            each.obj.Contents = document.make_stream(b"/X Do /X Do")

    assert refusal(spoil).code == "resource-missing"


def test_a_form_that_borrows_nothing_is_drawn_everywhere() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        document.add_blank_page()
        form = stream(document, b"0 0 9 9 re f", Subtype=Name.Form, BBox=[0, 0, 99, 99])
        for each, name in zip(document.pages, (Name.Helvetica, Name.Courier), strict=True):
            each.obj.Resources = Dictionary(Font=Dictionary(F1=standard(document, name)), XObject=Dictionary(X=form))
            each.obj.Contents = document.make_stream(b"/X Do")

    assert "resources-added" in codes(spoilt(spoil))


def test_two_subsets_have_two_names() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        fonts(document, F1=standard(document), F2=standard(document))
        draws(b"BT /F1 9 Tf (a) Tj /F2 9 Tf (b) Tj ET")(document)

    with pikepdf.open(io.BytesIO(repaired(spoilt(spoil)).document)) as document:
        names = {str(font.BaseFont) for font in first(document).Resources.Font.values()}
    assert len(names) == 2


def test_a_font_within_its_page_is_one_font() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        fonts(document, F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        draws(b"BT /F1 9 Tf (a) Tj ET BT /F1 9 Tf (b) Tj ET")(document)

    assert "font-embedded" in codes(spoilt(spoil))


@pytest.mark.parametrize("name", ["I", "Indexed", "G", "RGB", "CMYK", "Cs1"])
def test_a_colour_space_is_looked_at_whatever_its_name(name: str) -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        inks = Array([Name.DeviceN, Array([Name.A]), Name.DeviceCMYK, Dictionary()])
        first(document).Resources["/ColorSpace"] = Dictionary(**{name: inks})
        draws(f"/{name} cs 1 sc".encode())(document)

    assert refusal(spoil).detail == "DeviceN"


def test_a_profile_is_read_once() -> None:
    with pikepdf.new() as document:
        profile = stream(document, colours.srgb(), N=3)
        palette = colours.Palette("RGB ")
        for content in (colours.srgb(), b"changed since"):
            profile.write(content)
            palette.check(Array([Name.ICCBased, profile]), Dictionary())

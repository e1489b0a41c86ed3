"""Large attachments are read from the bytes, and nobody sees a difference."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from formats.conversion import convert
from formats.errors import BadValue, FormatError, MalformedXml
from formats.invoice import Attachment, SupportingDocument
from formats.json_form import from_json
from formats.lifting import LARGE, MOST, Lifted, lift
from formats.safexml import parse
from formats.syntax import Syntax, read, read_tree, write

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CONTENTS = (bytes(range(256)) * 250, bytes(range(255, -1, -1)) * 300, b"small")
INVOICE = replace(
    from_json({"number": "F1", "currency": "EUR", "lines": [{"id": "1", "item": {"name": "Essai"}}]}),
    supporting_documents=tuple(
        SupportingDocument(reference=f"A{number}", attachment=Attachment(
            content=content, mime_code="text/csv", filename=f'"{number}>.csv'))
        for number, content in enumerate(CONTENTS)))
UBL, CII = write(INVOICE, Syntax.UBL_INVOICE), write(INVOICE, Syntax.CII)
PACKED = base64.b64encode(CONTENTS[0])


@pytest.mark.parametrize("document", [UBL, CII], ids=["ubl", "cii"])
def test_what_is_large_is_taken_out_and_read_as_before(document: bytes) -> None:
    lifted = lift(document)

    assert list(lifted.files.values()) == list(CONTENTS[:2])
    assert len(lifted.document) < LARGE / 4
    assert read(document).invoice == read_tree(parse(document)).invoice == INVOICE


WRAPPED = b"\n  " + b"\n".join(PACKED[at : at + 76] for at in range(0, len(PACKED), 76)) + b"\n"


@pytest.mark.parametrize(
    ("new", "taken"),
    [
        (WRAPPED, 2),
        (b"<![CDATA[" + PACKED + b"]]>", 0),
        (b"<!-- no -->" + PACKED, 0),
        (PACKED[:100] + b"&#65;" + PACKED[101:], 1),
        (PACKED[:-1], 1),
        (b"-" + PACKED[1:], 1),
        (b"", 1),
    ],
    ids=["wrapped", "cdata", "comment", "reference", "cut short", "no base64", "empty"],
)
def test_however_it_is_written_the_answer_is_the_parser_s(new: bytes, taken: int) -> None:
    document = UBL.replace(PACKED, new)

    assert len(lift(document).files) == taken
    assert answer(lambda: read(document).invoice) == answer(lambda: read_tree(parse(document)).invoice)


def answer(act: object) -> object:
    """An invoice, or what an error says."""
    try:
        return act()  # type: ignore[operator]  # it is a function
    except FormatError as error:
        return type(error), str(error)


def test_what_is_no_xml_or_wide_is_left_alone() -> None:
    wide = UBL.decode().replace("UTF-8", "UTF-16").encode("utf-16")

    assert lift(wide) == Lifted(wide, {})
    assert read(wide).invoice == INVOICE
    assert lift(b"%PDF-1.7 BinaryObject").files == {}


def test_what_is_too_long_is_refused_by_the_parser() -> None:
    long = b"A" * (MOST + 4)
    assert lift(b"<AttachmentBinaryObject>" + long + b"</AttachmentBinaryObject>").files == {}


def test_lines_keep_their_numbers_in_errors() -> None:
    document = UBL.replace(PACKED, WRAPPED).replace(b"</ubl:Invoice>", b"").replace(b"</Invoice>", b"")
    with pytest.raises(MalformedXml) as seen:
        read(document)
    with pytest.raises(MalformedXml) as expected:
        parse(document)

    assert str(seen.value).partition(",")[0] == str(expected.value).partition(",")[0]


def test_a_bad_attachment_is_named_by_its_term() -> None:
    with pytest.raises(BadValue) as seen:
        read(UBL.replace(PACKED, b"-" + PACKED[1:]))
    assert seen.value.term == "BT-125"


def test_one_that_no_term_takes_is_named_by_its_beginning() -> None:
    second = b"</cbc:EmbeddedDocumentBinaryObject>"
    twice = second + b'<cbc:EmbeddedDocumentBinaryObject mimeCode="x" filename="x">' + base64.b64encode(
        b"another" * LARGE) + second
    loss = convert(UBL.replace(second, twice, 1), "cii", made_at=NOW).loss

    assert {one.text.partition(" ")[0] for one in loss.not_carried} == {
        base64.b64encode(b"another" * LARGE)[:150].decode(), "x"}

"""What an official download is, and what is refused by name."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import synthetic

from schematron import official

SHEET = synthetic.stylesheet(("BR-01", synthetic.CII, "false()"))
OTHER = synthetic.stylesheet(("BR-FR-01", synthetic.UBL, "false()"), version="1.0")
SOURCE = b'<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern/></schema>'
PLAIN = b'<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="2.0"/>'
LOOKS_UP = synthetic.stylesheet(
    ("BR-02", synthetic.CII, "document('codes.xml')/codedb/cl[@id=1]/enumeration[@value=string(.)]")
)
CODES = b"<codedb><cl id='1'><enumeration value='A'/></cl></codedb>"


def opened(path: Path, member: str | None = None, sha256: frozenset[str] = frozenset()) -> official.Official:
    return official.open_download(path, member=member, sha256=sha256)


def folder(place: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = place / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place


def packed(place: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(place / "download.zip", "w") as made:
        for name, content in files.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return place / "download.zip"


def test_a_stylesheet_says_what_it_is(tmp_path: Path) -> None:
    found = opened(folder(tmp_path, rules_xslt=SHEET) / "rules.xslt")
    assert found.stylesheet == SHEET
    assert (found.version, found.layer) == ("9.9.1", "en16931")
    assert found.syntaxes == ("cii", "factur-x", "json")
    assert found.code_lists == {}


def test_in_a_zip_the_one_that_is_a_schematron_is_meant(tmp_path: Path) -> None:
    found = opened(packed(tmp_path, doc__read_xsl=PLAIN, xslt__rules_xslt=OTHER, readme_txt=b"read me"))
    assert (found.name, found.version, found.layer) == ("rules.xslt", "1.0", "br-fr")
    assert found.syntaxes == ("ubl-invoice",)


def test_of_several_one_has_to_be_named_or_known_by_its_hash(tmp_path: Path) -> None:
    download = packed(tmp_path, a__one_xslt=SHEET, b__two_xslt=OTHER)
    with pytest.raises(official.SeveralStylesheets, match=r"a/one\.xslt, b/two\.xslt"):
        opened(download)
    assert opened(download, member="b/two.xslt").stylesheet == OTHER
    assert opened(download, sha256=frozenset({hashlib.sha256(SHEET).hexdigest()})).stylesheet == SHEET


def test_code_lists_come_from_beside_the_stylesheet(tmp_path: Path) -> None:
    for download in (
        folder(tmp_path / "a", rules_xslt=LOOKS_UP, codes_xml=CODES) / "rules.xslt",
        folder(tmp_path / "b", in__rules_xslt=LOOKS_UP, in__codes_xml=CODES),
        packed(tmp_path, in__rules_xslt=LOOKS_UP, in__codes_xml=CODES),
    ):
        assert opened(download).code_lists == {"codes.xml": CODES}


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (SOURCE, official.SchematronSource, "compiled stylesheet"),
        (PLAIN, official.NotSchematron, "no findings"),
        (b"%PDF-1.7", official.NotSchematron, "no XML"),
        (b"", official.NotSchematron, "no XML"),
        (b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", official.NotSchematron, "no findings"),
        (LOOKS_UP, official.FileMissing, "codes.xml"),
        (LOOKS_UP.replace(b"codes.xml", b"../../etc/passwd"), official.NotSchematron, "outside of its folder"),
    ],
)
def test_what_is_none_is_refused_by_name(tmp_path: Path, content: bytes, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        opened(folder(tmp_path, rules_xslt=content) / "rules.xslt")


def test_a_download_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(official.NotSchematron, match="holds no compiled Schematron"):
        opened(packed(tmp_path, a_xsl=PLAIN, b_xsl=PLAIN))
    with pytest.raises(official.FileMissing, match=r"nothing\.xslt"):
        opened(packed(tmp_path, a_xslt=SHEET), member="nothing.xslt")


def test_a_file_of_any_length_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "LARGEST", 1000)
    with pytest.raises(official.TooLarge):
        opened(packed(tmp_path, rules_xslt=SHEET + b" " * 100_000))

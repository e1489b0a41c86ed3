"""Options of `passerelle validate` that are for people, and `passerelle repair`."""

import json
from pathlib import Path

import jsonschema
import pytest

from gateway.commands import repair, validate

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "validation"
CHECKER = jsonschema.Draft202012Validator(json.loads((ROOT / "validation" / "report.schema.json").read_text()))
DAY = ["--as-of", "2026-11-21"]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wrong") / "facture.xml"
    path.write_bytes((VECTORS / "small-ubl.xml").read_bytes().replace(b">FR<", b">fr<"))
    return path


def test_proposals_are_added_to_the_object(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main([*DAY, "--propose", "--format", "json", str(wrong)]) == 1
    found = json.loads(capsys.readouterr().out)
    CHECKER.validate(found)
    assert found["patches"][0]["rules"] == ["BR-CL-14"]
    assert {(edit["old"], edit["new"]) for edit in found["patches"][0]["edits"]} == {("fr", "FR")}
    assert validate.main([*DAY, "--format", "json", str(wrong)]) == 1
    assert "patches" not in json.loads(capsys.readouterr().out)


def test_proposals_for_our_json_are_a_json_patch_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = (VECTORS / "base.json").read_text("utf-8")
    wrong, out = tmp_path / "facture.json", tmp_path / "corrigee.json"
    wrong.write_text(source.replace('"unit": "HUR"', '"unit": "hur"'), "utf-8")
    assert validate.main([*DAY, "--propose", "--format", "json", str(wrong)]) == 1
    found = json.loads(capsys.readouterr().out)
    CHECKER.validate(found)
    assert found["patches"][0]["json_patch"][-1] == {"op": "replace", "path": "/lines/0/unit", "value": "HUR"}
    assert repair.main([*DAY, str(wrong), "--patch", found["patches"][0]["id"], "-o", str(out)]) == 0
    assert out.read_text("utf-8") == source


def test_colour_is_for_a_terminal_that_wants_it(
    wrong: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert validate.main([*DAY, "--color", "always", str(wrong)]) == 1
    assert "\x1b[31;1mnon conforme" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not validate.coloured("auto")
    monkeypatch.delenv("NO_COLOR")
    assert validate.coloured("auto")
    assert not validate.coloured("never")


def test_the_text_counts_problems_in_both_languages(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate.main([*DAY, str(wrong)])
    assert "2 problèmes, 2 règles" in capsys.readouterr().out
    validate.main([*DAY, "--lang", "en", str(wrong)])
    text = capsys.readouterr().out
    assert "2 problems, 2 rules" in text
    assert "Unknown country in an address" in text or "Country codes" in text


def test_a_pdf_of_several_files(wrong: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert validate.main([*DAY, "--format", "pdf", str(wrong), str(wrong)]) == 1
    assert capfdbinary.readouterr().out.startswith(b"%PDF-1.")


def test_repair_applies_what_it_is_told_and_only_that(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = wrong.read_bytes()
    out = tmp_path / "corrigee.xml"
    assert repair.main([*DAY, str(wrong)]) == 0
    assert "BR-CL-14" in capsys.readouterr().out
    assert repair.main([*DAY, str(wrong), "--patch", "BR-CL-14", "-o", str(out)]) == 0
    assert out.read_bytes() == (VECTORS / "small-ubl.xml").read_bytes()
    assert wrong.read_bytes() == before
    assert repair.main([*DAY, str(wrong), "--patch", "BR-99", "-o", str(out)]) == 1
    assert repair.main([*DAY, str(wrong), "--patch", "BR-CL-14", "-o", str(wrong)]) == 2
    assert repair.main([*DAY, str(wrong), "--patch", "BR-CL-14"]) == 2
    assert repair.main([str(tmp_path / "absent")]) == 2
    assert repair.main([*DAY, str(out)]) == 1


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"pas du xml", "PAS-DOC-"), (b"<a>\xff\xfe</a>", "PAS-DOC-WRONG-ENCODING"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "PAS-DOC-FORBIDDEN-DOCTYPE"),
        (b"<a>" * 300 + b"</a>" * 300, "PAS-DOC-LIMIT-EXCEEDED"),
    ],
)
def test_bad_input_is_named_in_french_and_in_english(
    content: bytes, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(content)
    assert validate.main([*DAY, "--format", "json", str(tmp_path / "x")]) == 1
    finding = json.loads(capsys.readouterr().out)["findings"][0]
    assert finding["rule"].startswith(rule)
    for english in ("carries", "document has", "invoices have", "limit is", "deeper"):
        assert english not in finding["message"]["fr"]
    assert finding["message"]["fr"] != finding["message"]["en"]
    assert finding["remedy"] is not None

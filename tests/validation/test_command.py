"""`passerelle validate` as a program: exit codes, order, formats, what it loads, and the schema of its answers."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree
from samples import CII, JSON, UBL

from gateway import cli
from gateway.commands import rules, validate

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "validation" / "report.schema.json").read_text())
CHECKER = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    contents = {
        "ubl": UBL,
        "cii": CII,
        "json": JSON,
        "wrong": UBL.replace(b"120.00", b"121.00").replace(
            b"#PMT#Indemnit\xc3\xa9 forfaitaire pour frais de recouvrement : 40 \xe2\x82\xac.", b"#PMT#..."
        ),
        "broken": UBL[:500],
        "comma": CII.replace(b">100.00<", b">100,00<"),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in contents} | {"absent": str(folder / "absent"), "folder": str(folder)}


def run(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = validate.main(["--as-of", "2026-11-21", *arguments])
    return code, capsys.readouterr().out


def objects(output: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in output.splitlines()]
    for each in found:
        CHECKER.validate(each)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not CHECKER.is_valid({"file": "x"})


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["ubl", "cii", "json"], 0),
        (["ubl", "wrong"], 1),
        (["broken"], 1),
        (["wrong", "absent"], 2),
        (["folder"], 2),
    ],
)
def test_exit_codes(names: list[str], code: int, files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*(files[name] for name in names), "--format", "json", "--layers", "mentions"], capsys)[0] == code


def test_every_file_gets_one_answer_in_order(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    names = ["wrong", "absent", "ubl", "broken", "cii", "ubl", "comma", "json"]
    _, output = run([*(files[name] for name in names), "--format", "json", "--jobs", "2"], capsys)
    answers = objects(output)
    assert [answer["file"] for answer in answers] == [files[name] for name in names]
    assert [answer["verdict"] for answer in answers] == [
        "invalid", "error", "valid", "invalid", "valid", "valid", "invalid", "valid",
    ]  # fmt: skip
    found = {finding["rule"]: finding for finding in answers[0]["findings"]}
    assert {"BR-CO-15", "PAS-FR-01"} <= found.keys()
    assert found["BR-CO-15"]["location"] == "/ubl:Invoice[1]"
    assert found["BR-CO-15"]["line"] > 1


def test_options_reach_the_rules(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    _, output = run([files["cii"], "--format", "json", "--layers", "en16931,br-fr", "--rules", "facturx-basic"], capsys)
    layers = objects(output)[0]["layers"]
    assert [(layer["layer"], layer["rule_set"]) for layer in layers] == [
        ("en16931", "facturx-basic"), ("br-fr", "br-fr-flux2-cii"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [[], ["x", "--format", "yaml"], ["x", "--layers", "nope"], ["x", "--rules", "nope"], ["x", "--as-of", "yesterday"],
     ["x", "--max-findings", "-1"], ["x", "--layers", ","], ["x", "--no-such-option"]],
)  # fmt: skip
def test_wrong_options_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main(arguments) == 2
    assert capsys.readouterr().out == ""


def test_text_is_for_people(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, output = run([files["wrong"]], capsys)
    assert code == 1
    assert f"{files['wrong']} : non conforme" in output
    assert "[bloquant] BR-CO-15, PAS-TOTAL-06  Des montants ne s'additionnent pas" in output
    assert "Total TTC faux : BT-112 déclaré 121.00 ; calculé 120.00" in output
    assert "→ Recalculez BT-112" in output
    assert output.index("[bloquant]") < output.index("[information]")


def test_svrl_and_html_are_well_formed(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    _, output = run([files["wrong"], "--format", "svrl"], capsys)
    svrl = etree.fromstring(output.encode())
    assert svrl.tag == "{http://purl.oclc.org/dsdl/svrl}schematron-output"
    assert "BR-CO-15" in {e.get("id") for e in svrl}
    _, output = run([files["wrong"], files["ubl"], "--format", "html"], capsys)
    assert output.startswith("<!DOCTYPE html>")
    assert output.rstrip().endswith("</html>")
    assert output.count("<section>") == 2
    assert "<script" not in output


def test_a_file_name_cannot_break_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = tmp_path / "<b>&\n\x01\udcff.xml"
    name.write_bytes(b"<a/>")
    assert objects(run([str(name), "--format", "json"], capsys)[1])[0]["file"] == str(name)
    etree.fromstring(run([str(name), "--format", "svrl"], capsys)[1].encode())
    assert "<b>&\n" not in run([str(name), "--format", "html"], capsys)[1]


def test_validate_loads_no_web_database_queue_or_engine(files: dict[str, str]) -> None:
    program = (
        "import sys; from gateway.cli import main; code = main(['validate', sys.argv[1], '--format', 'json']);"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "assert not loaded & {'fastapi', 'sqlalchemy', 'celery', 'saxonche', 'pikepdf', 'starlette'}, loaded;"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, files["ubl"]], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_worker_starts_before_anything_is_loaded_and_ends_with_the_command(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys, gateway.cli\n"
        "print(sorted({'argparse', 'formats', 'schematron', 'tomllib', 'importlib.metadata'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"

    before = children()
    assert cli.main(["validate", "--no-such-option"]) == 2
    assert cli.main(["validate", "--format", "json", files["ubl"], files["cii"]]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["valid", "valid"]
    assert children() == before


def children() -> set[str]:
    """The processes that this one has started and that still run."""
    return {pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text("ascii").split()}


def test_it_works_without_a_place_to_write(files: dict[str, str]) -> None:
    command = [sys.executable, "-c", "import sys; from gateway.cli import main; sys.exit(main(sys.argv[1:]))"]
    limited = ["sh", "-c", 'ulimit -f 0; cd /; exec "$@"', "sh", *command, "validate", files["ubl"], "--format", "json"]
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(limited, stdout=subprocess.PIPE, env=environment, check=False, timeout=60)
    assert done.returncode == 0
    assert json.loads(done.stdout)["verdict"] == "valid"


def test_rules_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main(["list", "--format", "json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"en16931-ubl", "br-fr-cdv"} <= {each["id"] for each in listed}
    assert all(each["fault"] is None for each in listed)
    assert rules.main(["list"]) == 0
    assert "en16931-ubl" in capsys.readouterr().out
    assert rules.main(["dance"]) == 2


@pytest.mark.corpus
def test_real_reports_meet_the_schema(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [
        *sorted((corpus / "facturx-cas-limites").rglob("*.*"))[::2],
        *sorted((corpus / "phive-france-cdar").rglob("*.xml"))[:3],
        *sorted((corpus / "cen-examples").rglob("*.xml"))[::6],
        *sorted((corpus / "zugferd-corpus").rglob("*.pdf"))[::8],
    ]
    files = [str(path) for path in chosen if path.is_file()]
    _, output = run([*files, "--format", "json", "--jobs", "2"], capsys)
    assert [answer["file"] for answer in objects(output)] == files

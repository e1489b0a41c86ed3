"""Every command of the machine contract through the real executable: what it writes, and its exit codes."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from running import Service

from formats.syntax import Syntax, write
from gateway.clock import PARIS, wall_clock
from gateway.commands.demo_invoices import GOODS, invoice, spoiled

pytestmark = pytest.mark.timeout(600)

PASSERELLE = Path(sys.executable).parent / "passerelle"
AS_OF = ("--as-of", "2026-11-21")
GOOD = invoice("CLI-2026-001", "approve", GOODS, date(2026, 11, 20))
REPORT = {"file", "verdict", "syntax", "profile", "specification_identifier", "layers", "problems", "findings",
          "elapsed_ms"}
LAYER = {"layer", "outcome", "reason", "rule_set", "version", "sha256", "findings_total", "duration_ms"}
FINDING = {"rule", "aliases", "severity", "layer", "terms", "location", "line", "title", "cause", "message", "remedy",
           "values", "group", "ruling", "blocks"}

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents: good in each syntax, spoiled, no XML, no invoice."""
    folder = tmp_path_factory.mktemp("files")
    for name, syntax in (("good.ubl", Syntax.UBL_INVOICE), ("good.cii", Syntax.CII), ("good.json", Syntax.JSON)):
        (folder / name).write_bytes(write(GOOD, syntax))
    (folder / "spoiled.xml").write_bytes(write(spoiled(GOOD), Syntax.UBL_INVOICE))
    foreign = replace(GOOD, seller=replace(GOOD.seller, legal_registration=None, vat_identifier="DE000000000"))
    (folder / "lossy.json").write_bytes(write(replace(foreign, number="CLI-2026-002"), Syntax.JSON))
    (folder / "broken.xml").write_bytes(b"<Invoice")
    (folder / "other.xml").write_bytes(b"<order/>")
    (folder / "nothing.pdf").write_bytes(b"%PDF-1.7 nothing")
    page = pikepdf.new()
    page.add_blank_page()
    page.save(folder / "empty.pdf")
    return folder


@pytest.fixture
def run(files: Path, tmp_path: Path) -> Run:
    """Run `passerelle` among those files, with no settings but those given."""

    def start(*arguments: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PASSERELLE_")}
        done = subprocess.run([PASSERELLE, *arguments], cwd=files, check=False, capture_output=True, timeout=120,
                              env={**kept, "PASSERELLE_DATA": str(tmp_path / "no-data"), **(settings or {})})
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return start


# --- validate


@pytest.mark.parametrize(("typed", "code"), [
    (("good.ubl",), 0), (("good.cii", "good.json"), 0), (("good.ubl", "spoiled.xml"), 1), (("broken.xml",), 1),
    (("absent.xml",), 2), (("spoiled.xml", "absent.xml", "good.ubl"), 2), ((".",), 2),
], ids=str)
def test_validate_answers_each_file_in_order(run: Run, typed: tuple[str, ...], code: int) -> None:
    done = run("validate", *typed, *AS_OF, "--format", "json", "--jobs", "2")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == code
    assert [report["file"] for report in reports] == list(typed)
    for report in reports:
        assert set(report) == REPORT
        assert all(set(layer) == LAYER for layer in report["layers"])
        assert all(set(finding) == FINDING for finding in report["findings"])
        expected = {"good": "valid", "abse": "error", ".": "error"}.get(report["file"][:4], "invalid")
        assert report["verdict"] == expected


@pytest.mark.parametrize(("form", "start"), [("text", b""), ("json", b"{"), ("svrl", b"<"), ("html", b"<!")])
def test_validate_speaks_four_formats(run: Run, form: str, start: bytes) -> None:
    done = run("validate", "good.ubl", "spoiled.xml", *AS_OF, "--format", form)
    assert done.returncode == 1
    assert done.stdout.lower().startswith(start)
    assert b"PMT" in done.stdout
    assert done.stdout.decode()


def test_validate_takes_its_options(run: Run) -> None:
    def report(*options: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(run("validate", "spoiled.xml", "--format", "json", *options).stdout)
        return answer

    only = report(*AS_OF, "--layers", "business,xsd")
    assert [layer["layer"] for layer in only["layers"]] == ["xsd", "business"]  # type: ignore[index,attr-defined]
    early = report("--as-of", "2026-11-01", "--layers", "business")
    assert "PAS-DATE-02" in {finding["rule"] for finding in early["findings"]}  # type: ignore[index,attr-defined]
    named = report(*AS_OF, "--rules", "en16931-ubl", "--max-findings", "1")
    assert "en16931-ubl" in {layer["rule_set"] for layer in named["layers"]}  # type: ignore[index,attr-defined]
    rules = [finding["rule"] for finding in named["findings"]]  # type: ignore[index,attr-defined]
    assert len(rules) == len(set(rules))


@pytest.mark.parametrize("wrong", [
    (), ("--format", "json"), ("good.ubl", "--format", "yaml"), ("good.ubl", "--as-of", "yesterday"),
    ("good.ubl", "--layers", "taste"), ("good.ubl", "--rules", "no-such-set"), ("good.ubl", "--max-findings", "-1"),
    ("good.ubl", "--no-such-option"),
], ids=str)
def test_validate_refuses_wrong_options(run: Run, wrong: tuple[str, ...]) -> None:
    done = run("validate", *wrong)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr


# --- convert, render, extract


@pytest.mark.parametrize(("source", "to", "syntax"), [
    ("good.ubl", "cii", "cii"), ("good.cii", "ubl", "ubl-invoice"), ("good.json", "factur-x", "factur-x"),
    ("good.ubl", "json", "json"),
])
def test_convert_writes_what_validates(run: Run, tmp_path: Path, source: str, to: str, syntax: str) -> None:
    out, loss = tmp_path / "out", tmp_path / "loss.json"
    done = run("convert", source, "--to", to, "-o", str(out), "--loss-report", str(loss))
    assert (done.returncode, done.stdout) == (0, b"")
    assert set(json.loads(loss.read_text("utf-8"))) >= {"carried", "not_carried", "fillers"}
    judged = run("validate", str(out), *AS_OF, "--format", "json")
    report = json.loads(judged.stdout)
    assert (report["verdict"], report["syntax"]) == ("valid", syntax)


def test_convert_writes_to_standard_output_and_nothing_else_there(run: Run) -> None:
    done = run("convert", "good.ubl", "--to", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["number"] == "CLI-2026-001"


def test_convert_embeds_into_a_given_pdf(run: Run, tmp_path: Path) -> None:
    drawn, hybrid, inside = tmp_path / "page.pdf", tmp_path / "hybrid.pdf", tmp_path / "inside.xml"
    assert run("render", "good.cii", "-o", str(drawn), "--lang", "en").returncode == 0
    assert drawn.read_bytes().startswith(b"%PDF-")
    assert run("extract", str(drawn), "-o", str(inside)).returncode == 1  # a page, no invoice inside
    done = run("convert", "good.cii", "--to", "factur-x", "--pdf", str(drawn), "--profile", "en16931", "--lang", "fr",
               "-o", str(hybrid))
    assert done.returncode == 0, done.stderr
    assert run("extract", str(hybrid), "-o", str(inside)).returncode == 0
    assert inside.read_bytes().lstrip().startswith(b"<")
    assert run("validate", str(hybrid), str(inside), *AS_OF).returncode == 0


def test_convert_is_strict_when_asked(run: Run, tmp_path: Path) -> None:
    out, loss = tmp_path / "out", tmp_path / "loss.json"
    arguments = ("convert", "good.ubl", "--to", "factur-x", "--profile", "minimum", "-o", str(out))
    refused = run(*arguments, "--strict", "--loss-report", str(loss))
    assert refused.returncode == 3
    assert not out.exists()
    assert json.loads(loss.read_text("utf-8"))["not_carried"]
    assert run(*arguments).returncode == 0
    assert out.exists()


@pytest.mark.parametrize(("arguments", "code"), [
    (("convert", "broken.xml", "--to", "ubl"), 1), (("convert", "other.xml", "--to", "cii"), 1),
    (("convert", "empty.pdf", "--to", "cii"), 1), (("convert", "good.ubl", "--to", "cii", "--profile", "best"), 1),
    (("convert", "good.ubl", "--to", "factur-x", "--pdf", "nothing.pdf"), 1),
    (("convert", "absent.xml", "--to", "ubl"), 2), (("convert", "good.ubl", "--to", "edifact"), 2),
    (("convert", "good.ubl"), 2), (("convert", "good.ubl", "--to", "cii", "-o", "absent/out"), 2),
    (("convert", "good.ubl", "--to", "factur-x", "--pdf", "absent.pdf"), 2),
    (("render", "broken.xml", "-o", "x.pdf"), 1), (("render", "empty.pdf", "-o", "x.pdf"), 1),
    (("render", "absent.xml", "-o", "x.pdf"), 2), (("render", "good.ubl", "-o", "x.pdf", "--lang", "de"), 2),
    (("extract", "good.ubl", "-o", "x.xml"), 1), (("extract", "empty.pdf", "-o", "x.xml"), 1),
    (("extract", "nothing.pdf", "-o", "x.xml"), 1), (("extract", "absent.pdf", "-o", "x.xml"), 2),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else None)
def test_what_cannot_be_done_has_its_exit_code_and_a_reason(
    run: Run, files: Path, arguments: tuple[str, ...], code: int
) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.strip()
    assert not (files / "x.pdf").exists()
    assert not (files / "x.xml").exists()


# --- rules and the command itself


def test_rules_list_shows_every_set_unaltered(run: Run) -> None:
    done = run("rules", "list", "--format", "json")
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {"en16931-ubl", "facturx-en16931"} <= {each["id"] for each in listed}
    assert all(each["fault"] is None and each["sha256"] for each in listed)
    here = [each for each in listed if each["state"] != "optional"]
    assert run("rules", "list").stdout.decode().count("ok ") == len(here)
    assert run("rules", "burn").returncode == 2


@pytest.mark.parametrize(("arguments", "code"), [
    (("--version",), 0), (("--help",), 0), (("validate", "--help"), 0), (("convert", "--help"), 0), ((), 0),
    (("fly",), 2), (("verify",), 2), (("verify", "--no-such-option"), 2), (("status",), 2), (("export", "x"), 2),
    (("backup",), 2), (("entity", "remove"), 2),
], ids=str)
def test_the_command_itself(run: Run, arguments: tuple[str, ...], code: int) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert done.stdout if code == 0 else done.stderr


# --- a running gateway


@pytest.fixture(scope="module")
def clients(service: Service) -> dict[str, str]:
    """The settings of the client commands."""
    return {"PASSERELLE_URL": service.url, "PASSERELLE_API_KEY": service.key}


@pytest.fixture(scope="module")
def sent(service: Service, clients: dict[str, str], files: Path) -> str:
    """The id of an invoice that `passerelle send` sent and the platform has approved."""
    today = wall_clock().astimezone(PARIS).date()
    (files / "sent.xml").write_bytes(write(invoice("CLI-SENT", "approve", GOODS, today), Syntax.UBL_INVOICE))
    done = subprocess.run([PASSERELLE, "send", str(files / "sent.xml"), "--format", "json"], check=True,
                          capture_output=True, env={**os.environ, **clients})
    submission_id: str = json.loads(done.stdout)["id"]
    until = time.monotonic() + 90
    while time.monotonic() < until:
        seen = service.client.get(f"/v1/invoices/{submission_id}").json()
        if seen["lifecycle"]["code"] is not None:
            return submission_id
        time.sleep(0.2)
    raise AssertionError(f"no status after 90 s: {seen}")


def test_send_and_status(run: Run, clients: dict[str, str], sent: str) -> None:
    again = run("send", "sent.xml", "--format", "json", settings=clients)
    assert (again.returncode, json.loads(again.stdout)["id"]) == (0, sent)
    seen = run("status", sent, "--format", "json", settings=clients)
    assert seen.returncode == 0
    shown = json.loads(seen.stdout)
    assert (shown["number"], shown["verdict"], shown["transmission"]["state"]) == ("CLI-SENT", "valid", "deposited")
    text = run("status", sent, settings=clients)
    assert text.returncode == 0
    assert "CLI-SENT" in text.stdout.decode()


def test_send_says_why_an_invoice_is_refused(run: Run, clients: dict[str, str]) -> None:
    refused = run("send", "spoiled.xml", "--format", "json", settings=clients)
    problem = json.loads(refused.stdout)
    assert (refused.returncode, problem["code"]) == (1, "invoice-refused")
    assert problem["findings"]
    text = run("send", "spoiled.xml", "--idempotency-key", "another", settings=clients)
    assert text.returncode == 1
    assert "invoice-refused" in text.stdout.decode()


def test_clients_tell_refusals_from_faults(run: Run, clients: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "x.zip")
    for arguments in (("status", "no-such-id"), ("export", "no-such-id", "-o", out), ("status", "../../readyz")):
        assert run(*arguments, "--format", "json", settings=clients).returncode == 1, arguments
    assert run("status", "x", settings={**clients, "PASSERELLE_API_KEY": "pas_live_wrong"}).returncode == 1
    assert run("status", "x", settings={**clients, "PASSERELLE_URL": "http://127.0.0.1:9"}).returncode == 2
    assert run("status", "x", settings={"PASSERELLE_URL": clients["PASSERELLE_URL"]}).returncode == 2
    assert run("send", "absent.xml", settings=clients).returncode == 2
    assert not Path(out).exists()


@pytest.fixture(scope="module")
def dossier(service: Service, sent: str, tmp_path_factory: pytest.TempPathFactory, clients: dict[str, str]) -> Path:
    """The dossier that `passerelle export` wrote, with the keys to trust beside it."""
    path = tmp_path_factory.mktemp("dossier") / "dossier.zip"
    done = subprocess.run([PASSERELLE, "export", sent, "-o", str(path), "--format", "json"], check=True,
                          capture_output=True, env={**os.environ, **clients})
    assert json.loads(done.stdout) == {"file": str(path), "size": path.stat().st_size}
    path.with_name("trust.txt").write_bytes(service.client.get("/v1/evidence/trust").content)
    return path


def test_verify_needs_nothing_but_the_dossier(run: Run, dossier: Path, tmp_path: Path) -> None:
    trusted = run("verify", str(dossier), "--trust", str(dossier.with_name("trust.txt")))
    assert trusted.returncode == 0, trusted.stdout
    alone = run("verify", str(dossier), str(dossier))
    assert alone.returncode == 0
    assert not (tmp_path / "no-data").exists()


def test_verify_names_what_is_wrong(run: Run, dossier: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(dossier) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            spoil = b" " if name.endswith(".xml") else b""
            target.writestr(name, source.read(name) + spoil)
    done = run("verify", str(dossier), str(changed))
    first = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert any("changed.zip" in line and "CLI-SENT" in line and ".xml" in line for line in first)
    wrong = tmp_path / "trust.txt"
    lines = (f"{name}.pem {'0' * 64}\n" for name in ("log-pub", "seal-pub", "tsa-ca"))
    wrong.write_text("".join(lines), encoding="ascii")
    assert run("verify", str(dossier), "--trust", str(wrong)).returncode == 1
    (tmp_path / "no.zip").write_bytes(b"no zip")
    assert run("verify", str(tmp_path / "no.zip")).returncode == 1


def test_verify_says_what_it_could_not_run(run: Run, dossier: Path, tmp_path: Path) -> None:
    assert run("verify", str(dossier), "absent.zip").returncode == 2
    assert run("verify", str(dossier), "--trust", "absent.txt").returncode == 2
    assert run("verify", str(dossier), "--all").returncode == 2
    assert run("verify", "--all").returncode == 2
    assert not (tmp_path / "no-data").exists()


# --- the whole data folder


def test_a_backup_is_restored_and_verified(run: Run, service: Service, sent: str, tmp_path: Path) -> None:
    tar, data = tmp_path / "backup.tar", tmp_path / "restored"
    kept = service.client.get(f"/v1/invoices/{sent}").json()["documents"][0]["sha256"]
    live, restored = {"PASSERELLE_DATA": str(service.folder / "data")}, {"PASSERELLE_DATA": str(data)}
    assert run("backup", str(tar), settings=live).returncode == 0  # while the service runs
    assert run("restore", str(tar), settings=restored).returncode == 0
    assert run("migrate", settings=restored).returncode == 0
    whole = run("verify", "--all", settings=restored)
    assert whole.returncode == 0, whole.stdout
    damaged = next((data / "objects").rglob(kept))
    damaged.chmod(0o600)
    damaged.write_bytes(b"something else")
    spoilt = run("verify", "--all", settings=restored)
    assert spoilt.returncode == 1
    assert kept in spoilt.stdout.decode()


def test_what_cannot_be_backed_up_or_restored_is_said(run: Run, tmp_path: Path) -> None:
    empty = {"PASSERELLE_DATA": str(tmp_path / "empty")}
    assert run("backup", str(tmp_path / "x.tar"), settings=empty).returncode == 2
    assert run("restore", str(tmp_path / "absent.tar"), settings=empty).returncode == 2
    (tmp_path / "no.tar").write_bytes(b"no tar")
    assert run("restore", str(tmp_path / "no.tar"), settings=empty).returncode == 2


def test_an_operator_sets_up_from_nothing(run: Run, tmp_path: Path) -> None:
    mine = {"PASSERELLE_DATA": str(tmp_path / "mine"), "PASSERELLE_PASSWORD": "mot-de-passe-long"}
    entity = ("entity", "add", "--siren", "000002006", "--name", "Atelier des Passerelles SAS")
    made = run(*entity, settings=mine)
    assert (made.returncode, json.loads(made.stdout)["enabled"]) == (0, False)
    assert run(*entity, settings=mine).returncode == 1  # it is there already
    assert run("entity", "add", "--siren", "000002007", "--name", "x", settings=mine).returncode == 1  # a wrong key
    key = run("key", "create", "--name", "x", "--scope", "validate", settings=mine)
    assert json.loads(key.stdout)["key"].startswith("pas_live_")
    assert run("user", "create", "--email", "a@passerelle.example", "--name", "A", "--role", "officer",
               settings=mine).returncode == 0

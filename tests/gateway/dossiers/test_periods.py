"""The dossiers of a period in one file: complete, resumable, checked by sh and by us, and by nobody else's luck."""

import csv
import io
import shutil
import subprocess
import tarfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from many import make_invoices
from sqlalchemy import select, update

from archive.exchange.period import verify_period
from archive.trust import read_trust
from gateway import cli
from gateway.auth import Permission, Principal
from gateway.deps import Deps
from gateway.dossiers import periods
from gateway.evidence.trust import lines
from gateway.tables import OutboxEntry, Submission
from gateway.topics import HANDLERS
from gateway.worker import relay

ALL = {"from": "2026-01-01", "to": "2026-12-31"}


@pytest.fixture
def exported(client, deps: Deps, tenant: str) -> Path:
    """The tar of four invoices."""
    make_invoices(deps, tenant, range(4))
    begun = client.post("/v1/evidence/exports", json=ALL)
    assert begun.status_code == 202, begun.text
    relay(deps, HANDLERS, only=("export",))
    done = client.get(f"/v1/evidence/exports/{begun.json()['id']}").json()
    assert (done["state"], done["done"], done["total"]) == ("done", 4, 4)
    return next((deps.settings.data / "exports").glob("*.tar"))


def unpacked(path: Path, folder: Path) -> Path:
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_it_verifies_as_a_file_as_a_folder_and_by_its_script(exported: Path, deps: Deps, tmp_path: Path) -> None:
    trust = read_trust(lines(deps).encode())
    verdict = verify_period(exported, trust)
    assert (verdict.ok, verdict.dossiers, verdict.entries) == (True, 4, 24), verdict.faults
    folder = unpacked(exported, tmp_path / "p")
    assert verify_period(folder, trust).ok
    assert cli.main(["verify", str(exported)]) == 0
    done = subprocess.run(["sh", str(folder / "verify.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 dossiers" in done.stdout


def test_no_cell_of_its_table_is_a_formula(client, deps: Deps, tenant: str) -> None:
    make_invoices(deps, tenant, range(1))
    with deps.db.transaction(tenant) as session:
        row = session.scalars(select(Submission)).one()
        row.number, row.total = '=HYPERLINK("http://x.example")', Decimal("-12.50")
    begun = client.post("/v1/evidence/exports", json=ALL)
    relay(deps, HANDLERS, only=("export",))
    table = (deps.settings.data / "exports" / f"{begun.json()['id']}.csv").read_text("utf-8-sig")
    [_, line] = csv.reader(table.splitlines(), delimiter=";")
    assert line[1] == """'=HYPERLINK("http://x.example")"""
    assert line[5] == "-12.50"


def test_what_was_done_to_it_is_named(exported: Path, tmp_path: Path, capsys) -> None:
    folder = unpacked(exported, tmp_path / "p")
    dossiers = sorted((folder / "dossiers").iterdir())

    def refused(name: str) -> None:
        assert cli.main(["verify", str(folder)]) == 1
        assert name in capsys.readouterr().out.splitlines()[0]
        done = subprocess.run(["sh", str(folder / "verify.sh")], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert name in done.stderr

    spoilt = dossiers[3] / "dossier.json"
    before = spoilt.read_bytes()
    spoilt.write_bytes(before[:-3] + b"x" + before[-2:])
    refused(dossiers[3].name)
    spoilt.write_bytes(before)
    shutil.move(dossiers[2], tmp_path / "elsewhere")
    refused(dossiers[2].name)
    shutil.copytree(tmp_path / "elsewhere", folder / "dossiers" / "F-9-stranger")
    refused(min("F-9-stranger", dossiers[2].name))
    shutil.rmtree(folder / "dossiers" / "F-9-stranger")
    shutil.move(tmp_path / "elsewhere", dossiers[2])
    assert cli.main(["verify", str(folder)]) == 0
    capsys.readouterr()
    list_of = folder / "periode" / "objects" / "dossiers.sha256"
    list_of.write_bytes(list_of.read_bytes()[1:])
    refused("dossiers.sha256")


def test_truncated_or_doubled_it_is_refused(exported: Path, tmp_path: Path) -> None:
    data = exported.read_bytes()
    for cut in (0, 600, len(data) // 2, len(data) - 20_000):
        (tmp_path / "cut.tar").write_bytes(data[:cut])
        assert not verify_period(tmp_path / "cut.tar", None).ok
    twice = io.BytesIO()
    with tarfile.open(exported) as tar, tarfile.open(fileobj=twice, mode="w") as made:
        for info in [*tar.getmembers(), *tar.getmembers()]:
            made.addfile(info, tar.extractfile(info))
    (tmp_path / "twice.tar").write_bytes(twice.getvalue())
    assert not verify_period(tmp_path / "twice.tar", None).ok


def test_interrupted_at_any_slice_it_goes_on(client, deps: Deps, tenant: str, tmp_path: Path) -> None:
    """What a crash left behind the remembered length is written again; what came after the start stays out."""
    make_invoices(deps, tenant, range(5))
    export = client.post("/v1/evidence/exports", json=ALL).json()["id"]
    assert client.post("/v1/evidence/exports", json=ALL).json()["id"] == export
    for _ in range(3):
        assert periods.advance(deps, tenant, export, most=2)
        row = periods.get_export(deps, tenant, export)
        with periods.place(deps, row, "tar").open("ab") as file:
            file.write(b"half a dossier")
    deps.clock.forward(hours=1)  # type: ignore[attr-defined]  # the tests' clock
    make_invoices(deps, tenant, range(5, 8))
    assert client.get(f"/v1/evidence/exports/{export}/file").json()["code"] == "export-not-ready"
    while periods.advance(deps, tenant, export, most=2):
        pass
    row = periods.get_export(deps, tenant, export)
    answer = client.get(f"/v1/evidence/exports/{export}/file")
    assert answer.headers["content-disposition"].endswith('periode-2026-01-01-2026-12-31.tar"')
    (tmp_path / "p.tar").write_bytes(answer.content)
    verdict = verify_period(tmp_path / "p.tar", None)
    assert (verdict.ok, verdict.dossiers) == (True, 5), verdict.faults
    assert client.get("/v1/evidence/exports").json()["items"][0]["sha256"] == row.sha256


def test_invoices_whose_numbers_have_points_keep_names_of_their_own(
    client, deps: Deps, tenant: str, tmp_path: Path
) -> None:
    first, second = make_invoices(deps, tenant, range(2))
    with deps.db.transaction(tenant) as session:
        for invoice, number in ((first, "2026.001"), (second, "2026.002")):
            session.get_one(Submission, (tenant, invoice)).number = number
    names = [client.get(f"/v1/invoices/{one}/dossier").headers["content-disposition"] for one in (first, second)]
    assert [name.partition("=")[2] for name in names] == ['"2026_001-dossier.zip"', '"2026_002-dossier.zip"']
    client.post("/v1/evidence/exports", json=ALL)
    relay(deps, HANDLERS, only=("export",))
    [tar] = (deps.settings.data / "exports").glob("*.tar")
    assert sorted(path.name for path in (unpacked(tar, tmp_path / "p") / "dossiers").iterdir()) == [
        f"2026_001-{first[:8]}", f"2026_002-{second[:8]}"]


def test_files_that_were_lost_are_made_again(client, deps: Deps, tenant: str) -> None:
    """A backup holds the row of an export at work, and none of its files."""
    make_invoices(deps, tenant, range(4))
    export = client.post("/v1/evidence/exports", json=ALL).json()["id"]
    for _ in range(2):
        assert periods.advance(deps, tenant, export, most=2)
    for path in (deps.settings.data / "exports").iterdir():
        path.unlink()
    relay(deps, HANDLERS, only=("export",))
    row = periods.get_export(deps, tenant, export)
    verdict = verify_period(periods.file_of(deps, row), None)
    assert (row.done, verdict.ok, verdict.dossiers) == (4, True, 4), verdict.faults


def test_an_export_whose_work_was_given_up_keeps_no_other_from_its_period(client, deps: Deps, tenant: str) -> None:
    make_invoices(deps, tenant, range(1))
    export = client.post("/v1/evidence/exports", json=ALL).json()["id"]
    assert client.post("/v1/evidence/exports", json=ALL | {"pdf": True}).json()["id"] != export
    with deps.db.transaction(tenant) as session:
        session.execute(update(OutboxEntry).where(OutboxEntry.subject_id == export).values(state="parked"))
    again = client.post("/v1/evidence/exports", json=ALL).json()["id"]
    assert again != export
    relay(deps, HANDLERS, only=("export",))
    states = {row["id"]: row["state"] for row in client.get("/v1/evidence/exports").json()["items"]}
    assert (states[export], states[again]) == ("failed", "done")


def test_the_file_goes_after_its_time(exported: Path, client, deps: Deps) -> None:
    [row] = client.get("/v1/evidence/exports").json()["items"]
    assert periods.remove_old(deps) == 0
    deps.clock.forward(days=31)  # type: ignore[attr-defined]  # the tests' clock
    assert periods.remove_old(deps) == 1
    assert not list(exported.parent.iterdir())
    assert client.get(f"/v1/evidence/exports/{row['id']}/file").json()["code"] == "export-removed"
    assert periods.remove_old(deps) == 0


def test_a_period_is_asked_for_sensibly(client, deps: Deps, tenant: str) -> None:
    assert client.post("/v1/evidence/exports", json={"from": "2026-02-01", "to": "2026-01-01"}).json()[
        "code"] == "period-reversed"
    assert client.post("/v1/evidence/exports", json=ALL | {"entity": "000009999"}).status_code == 404
    assert client.get("/v1/evidence/exports/absent").status_code == 404
    somebody = Principal(tenant_id=tenant, actor="key:test", name="test", permissions=frozenset(Permission))
    empty = periods.start(deps, somebody, date(2020, 1, 1), date(2020, 12, 31))
    assert [row.done for row in periods.progress(deps, empty)][-1:] in ([], [0])
    row = periods.get_export(deps, tenant, empty.id)
    assert row.state == "done"
    assert verify_period(periods.file_of(deps, row), None).dossiers == 0

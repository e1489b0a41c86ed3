"""Dossiers out of the ordinary: objects that were destroyed, tenants that moved; and the commands that fetch them."""

import io
import json
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import independent
import uvicorn
from many import make_invoices
from rewriting import TENANT, Clock, House, build
from sqlalchemy import select

from archive.exchange.period import verify_period
from archive.store import Digest
from archive.trust import read_trust
from archive.verify import verify_dossier
from gateway import cli
from gateway.app import create_app
from gateway.assembly import assembled
from gateway.commands import client as commands
from gateway.deps import Deps
from gateway.dossiers.dossier import files_of, gather
from gateway.dossiers.restitution import hand_out, take_in
from gateway.evidence.sealing import seal_log
from gateway.evidence.trust import lines
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Base, Document, Submission, Tenant
from gateway.tables_archive import KeptObject
from gateway.topics import HANDLERS
from gateway.worker import relay


def agreed(data: bytes, folder: Path, trust: str) -> dict[str, bytes]:
    """The files of a dossier, after the verifier, the script and the independent verifier agreed that it is good."""
    path = folder / "d.zip"
    path.write_bytes(data)
    outcome = verify_dossier(path, read_trust(trust.encode()))
    assert outcome.ok, (outcome.first_line, outcome.lines)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "d")
        files = {name: archive.read(name) for name in archive.namelist()}
    done = subprocess.run(["sh", str(folder / "d" / "verify.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    independent.check(path)
    return files


def destroy(deps: Deps, tenant: str, sha256: str) -> None:
    """As the destroying verb of the safe leaves it."""
    deps.store.destroy(Digest(sha256), reason="test")
    with deps.db.transaction(tenant) as session:
        session.get_one(KeptObject, (tenant, sha256)).destroyed_at = deps.now()
        record(session, tenant, Change(kind="access", code="object.destroy.done", actor="user:two",
                                       subject=f"object:{sha256}", data={"subject": f"object:{sha256}"}),
               now=deps.now())


def test_what_was_destroyed_is_listed_and_blocks_nothing(client, deps: Deps, tenant: str, tmp_path: Path) -> None:
    [invoice] = make_invoices(deps, tenant, [1])
    with deps.db.reading(tenant) as session:
        rows = {row.role: row.sha256 for row in session.scalars(select(Document).order_by(Document.id))}
    destroy(deps, tenant, rows["original"])
    answer = client.get(f"/v1/invoices/{invoice}/dossier")
    assert answer.status_code == 200, answer.text
    files = agreed(answer.content, tmp_path, lines(deps))
    [gone] = json.loads(files["destroyed.json"])["objects"]
    assert (gone["role"], gone["sha256"]) == ("original", rows["original"])
    assert not any(gone["name"] in name for name in files)
    assert any(b'"object.destroy.done"' in data for name, data in files.items() if name.startswith("entries/"))
    assert rows["original"] in files["index.fr.html"].decode()
    for sha256 in set(rows.values()) - {rows["original"]}:
        destroy(deps, tenant, sha256)
    (tmp_path / "all").mkdir()
    with deps.db.reading(tenant) as session:
        left = session.scalars(select(Document.sha256).where(Document.submission_id == invoice)).all()
    for sha256 in set(left) - set(rows.values()):
        destroy(deps, tenant, sha256)
    answer = client.get(f"/v1/invoices/{invoice}/dossier")
    assert answer.status_code == 200, answer.text
    files = agreed(answer.content, tmp_path / "all", lines(deps))
    assert not any(name.startswith("objects/") for name in files)


def test_an_object_that_is_lost_still_blocks(client, deps: Deps, tenant: str) -> None:
    [invoice] = make_invoices(deps, tenant, [1])
    with deps.db.reading(tenant) as session:
        sha256 = session.scalars(select(Document.sha256).limit(1)).one()
    deps.store.destroy(Digest(sha256), reason="test")
    assert client.get(f"/v1/invoices/{invoice}/dossier").json()["code"] == "evidence-damaged"


def test_the_dossier_of_a_tenant_that_moved_verifies_by_both_houses_keys(tmp_path: Path) -> None:
    """The log of before was closed by the former key; the entry of today is under ours."""
    old, new = build(tmp_path / "old", 2, every=2), House(tmp_path / "new", Clock(), b"", ())
    with old.deps() as before:
        list(hand_out(before, TENANT, tmp_path / "out"))
    new.clock.now = new.clock.now.replace(year=2027)
    with new.deps() as after:
        Base.metadata.create_all(after.db.engine)
        alone = lines(after)
        list(take_in(after, tmp_path / "out"))
        with after.db.reading(TENANT) as session:
            invoice = session.scalars(select(Submission.id).order_by(Submission.number)).first()
        with after.db.transaction(TENANT) as session:
            record(session, TENANT, Change(kind="access", code="exported", actor="key:test", submission_id=invoice),
                   now=after.now())
        found = gather(after, TENANT, str(invoice))
        assert found is not None
        files = files_of(after, found, pdf=False, seda=False)
        trust = lines(after)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert "former/1.pem" in agreed(data.getvalue(), tmp_path, trust)
    assert {name for name in files if name.endswith("checkpoint")} >= {"checkpoint", "log2/checkpoint"}
    outcome = verify_dossier(tmp_path / "d.zip", read_trust(alone.encode()))
    assert {fault.member for fault in outcome.faults} == {"former/1.pem", "tsa-ca.pem"}


@contextmanager
def served(deps: Deps) -> Iterator[str]:
    """The service over HTTP, and its worker for exports."""
    server = uvicorn.Server(uvicorn.Config(create_app(deps), port=0, log_level="error", ws="none", lifespan="off"))
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            relay(deps, HANDLERS, only=("export",))

    threads = [threading.Thread(target=server.run), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    while not server.started:
        ended.wait(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    ended.set()
    for thread in threads:
        thread.join()


def empty_period(url: str) -> str:
    """The id of an export of a time without invoices."""
    asked = {"from": "2020-01-01", "to": "2020-12-31"}
    key = {"Authorization": f"Bearer {os.environ['PASSERELLE_API_KEY']}"}
    return str(httpx.post(f"{url}/v1/evidence/exports", json=asked, headers=key).json()["id"])


def test_the_commands_fetch_a_dossier_and_a_period(
    deps: Deps, tenant: str, make_key, tmp_path: Path, monkeypatch, capsys
) -> None:
    invoice, *_ = make_invoices(deps, tenant, range(3))
    (tmp_path / "trust").write_text(lines(deps))
    with served(deps) as url:
        monkeypatch.setenv("PASSERELLE_URL", url)
        monkeypatch.setenv("PASSERELLE_API_KEY", make_key(tenant).removeprefix("Bearer "))
        assert commands.main(["export", invoice, "--seda", "-o", str(tmp_path / "d.zip")]) == 0
        period = ["export", "--from", "2026-01-01", "--to", "2026-12-31", "-o", str(tmp_path / "p.tar")]
        part, note = tmp_path / "p.tar.part", tmp_path / "p.tar.export"
        asked = {"from": "2026-01-01", "to": "2026-12-31", "entity": None, "pdf": False}
        for left in ({"id": "gone", "asked": asked}, {"id": empty_period(url), "asked": {**asked, "to": "-"}}):
            part.write_bytes(b"of another export")
            note.write_text(json.dumps(left))
            assert commands.main(period) == 0
        assert commands.main(["export", "--from", "2026-02-01", "--to", "2026-01-01", "-o", "x"]) == 1
        assert commands.main(["export", invoice, "--from", "2026-02-01", "--to", "2026-03-01", "-o", "x"]) == 2
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        assert b"ArchiveTransfer" in archive.read("manifest.xml")
        assert archive.read("index.fr.pdf").startswith(b"%PDF")
    assert verify_period(tmp_path / "p.tar", None).dossiers == 3
    capsys.readouterr()
    assert cli.main(["verify", "--trust", str(tmp_path / "trust"), str(tmp_path / "d.zip"),
                     str(tmp_path / "p.tar")]) == 0, capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.glob("p.tar*")) == ["p.tar"]


def test_the_commands_restitute_take_in_and_hold_a_checkpoint_against_it(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    def in_house(name: str) -> None:
        monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / name))

    in_house("old")
    with assembled(Settings()) as deps:
        with deps.db.transaction(TENANT) as session:
            session.add(Tenant(id=TENANT, name="Atelier", created_at=deps.now() - timedelta(days=1)))
        make_invoices(deps, TENANT, range(2))
        seal = seal_log(deps, TENANT, str(deps.now().year))
    (tmp_path / "kept").write_bytes(seal.checkpoint)
    out = str(tmp_path / "out")
    assert cli.main(["restitute", "nobody", "-o", out]) == 1
    assert cli.main(["restitute", "Atelier", "-o", out]) == 0
    assert cli.main(["restitute"]) == 2
    assert cli.main(["verify", "--all", "--checkpoint", str(tmp_path / "kept")]) == 0
    (tmp_path / "forged").write_bytes(seal.checkpoint.replace(b"\n12\n", b"\n11\n"))
    assert cli.main(["verify", "--all", "--checkpoint", str(tmp_path / "forged")]) == 1
    in_house("new")
    with assembled(Settings()):
        pass
    assert cli.main(["restitute", "--import", out]) == 0
    assert cli.main(["restitute", "--import", out]) == 1
    capsys.readouterr()
    kept = ["--checkpoint", str(tmp_path / "kept")]  # the former house signed it, and is believed for this tenant
    assert cli.main(["verify", "--all", *kept]) == 0, capsys.readouterr().out
    assert cli.main(["archive", "check", "--tenant", "Atelier", str(tmp_path / "kept")]) == 0
    assert "conforme" in capsys.readouterr().out
    assert cli.main(["verify", "--all", "--checkpoint", str(tmp_path / "forged")]) == 1

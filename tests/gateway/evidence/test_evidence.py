"""The journal tells of every change, no change to it goes unseen, and the dossier proves it without us."""

import io
import json
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from archive_log import MemoryRows
from sqlalchemy import select

from archive.errors import BadEntry
from archive.journal import append, read_entry
from archive.store import Digest
from archive.trust import read_trust
from archive.verify import verify_dossier
from formats.syntax import ubl_syntax_of, write
from gateway import cli
from gateway.assembly import assembled
from gateway.commands.demo_invoices import SERVICES, invoice
from gateway.deps import Deps
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything, lines
from gateway.incoming.poll import poll_all
from gateway.outgoing.deliver import deliver
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Event, JournalEntry, Seal, Submission, Tenant
from gateway.worker import relay

ACTORS = ("key:", "worker", "platform:", "PA", "user:")


@pytest.fixture
def lived(client, deps: Deps, entity, platform, clock) -> str:  # noqa: ARG001  a seller who is switched on
    """The id of an invoice that was posted, deposited, acknowledged, partly paid and looked at by an auditor."""
    made = invoice("F-1", "approve", SERVICES, date(2026, 11, 20), frame="S1")
    answer = client.post("/v1/invoices", content=write(made, ubl_syntax_of(made)),
                         headers={"Idempotency-Key": "k", "Content-Type": "application/xml"})
    assert answer.status_code == 202, answer.text
    submission_id: str = answer.json()["id"]
    relay(deps, {"deliver": deliver, "remind": lambda *_: None})
    [flow] = platform.outgoing(submission_id)
    clock.forward(seconds=5)
    platform.put(flow["flowId"], acknowledgement={"status": "Ok"})
    poll_all(deps)
    paid = client.post(f"/v1/invoices/{submission_id}/payments", json={"amount": "10.00", "paid_on": "2026-11-23"},
                       headers={"Idempotency-Key": "p"})
    assert paid.status_code == 201, paid.text
    assert client.get(f"/v1/invoices/{submission_id}/dossier").status_code == 200
    return submission_id


@contextmanager
def table(deps: Deps) -> Iterator[sqlite3.Connection]:
    """The database as an intruder with the file opens it."""
    with closing(sqlite3.connect(deps.settings.data / "passerelle.sqlite3")) as connection, connection:
        yield connection


def entries(deps: Deps, tenant: str) -> list[JournalEntry]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(JournalEntry).order_by(JournalEntry.log, JournalEntry.seq)))


def seals(deps: Deps, tenant: str) -> list[Seal]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(Seal).order_by(Seal.log, Seal.size)))


def happen(deps: Deps, tenant: str, submission_id: str | None = None) -> None:
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="access", code="looked", actor="key:test", submission_id=submission_id),
               now=deps.now())


def test_every_event_has_its_entry_in_order(deps: Deps, tenant: str, lived: str) -> None:
    with deps.db.reading(tenant) as session:
        events = session.scalars(select(Event).order_by(Event.position)).all()
    told = [read_entry(entry.line)[1] for entry in entries(deps, tenant)]
    assert {event.code for event in events} >= {"accepted", "sending", "deposited", "acknowledged", "received",
                                                "exported", "sealed"}
    assert [entry.cause for entry in told] == [event.id for event in events]
    assert [(entry.type, entry.outcome, entry.actor) for entry in told] == [
        (event.kind, event.code, event.actor) for event in events]
    assert all(entry.actor.startswith(ACTORS) for entry in told)
    assert lived in {entry.subject for entry in told}
    checked = check_everything(deps)
    assert (checked.entries, checked.faults) == (len(events), ())
    assert checked.seals == 2  # that of the dossier, and the one that covers its token
    assert checked.objects >= 4


def test_no_name_and_no_amount_reaches_the_journal(deps: Deps, tenant: str, lived: str) -> None:
    with deps.db.reading(tenant) as session:
        row = session.get_one(Submission, (tenant, lived))
    written = b"\n".join(entry.line for entry in entries(deps, tenant)).decode()
    for word in (row.seller_name, row.buyer_name, row.buyer_email, "10.00", row.buyer_siren):
        assert word
        assert word not in written


def test_an_entry_needs_an_actor_and_changes_nothing_without(deps: Deps, tenant: str) -> None:
    def change() -> None:
        with deps.db.transaction(tenant) as session:
            session.get_one(Tenant, tenant).name = "changed"
            record(session, tenant, Change(kind="setting", code="x", actor=""), now=deps.now())

    with pytest.raises(BadEntry, match="not an id"):
        change()
    with deps.db.reading(tenant) as session:
        assert session.get_one(Tenant, tenant).name != "changed"
        assert session.scalars(select(Event)).all() == []


def set_column(column: str, value: str, seq: int) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute(f"UPDATE journal SET {column} = {value} WHERE seq = {seq}")  # noqa: S608  a test's own words


def swap(connection: sqlite3.Connection) -> None:
    for old, new in ((1, -1), (2, 1), (-1, 2)):
        connection.execute("UPDATE journal SET seq = ? WHERE seq = ?", (new, old))


def rewrite(connection: sqlite3.Connection) -> None:
    """Another actor in an old entry, and every hash after it made right again, in the event too."""
    found = connection.execute("SELECT seq, line FROM journal ORDER BY seq").fetchall()
    rows = MemoryRows()
    for seq, line in found:
        _, entry = read_entry(line)
        if seq == 1:
            connection.execute("UPDATE events SET actor = 'worker.other' WHERE id = ?", (entry.cause,))
            entry = replace(entry, actor="worker.other")
        append(rows, entry)
        row = rows.rows[-1]
        connection.execute("UPDATE journal SET line = ?, leaf = ?, frontier = ? WHERE seq = ?",
                           (row.line, row.leaf, row.frontier, seq))


TAMPERING: dict[str, tuple[Callable[[sqlite3.Connection], object], str]] = {
    "line": (set_column("line", "replace(line, 'sending', 'sent')", 1), "entry 1: the line was changed"),
    "another type": (set_column("line", "17", 3), "entry 3: the line was changed"),
    "a date that is none": (set_column("at", "'yesterday'", 3), "journal"),
    "leaf": (set_column("leaf", "zeroblob(32)", 2), "entry 2: the line was changed"),
    "frontier": (set_column("frontier", "zeroblob(32)", 1), "entry 1: the frontier was changed"),
    "one in the middle is gone": (lambda c: c.execute("DELETE FROM journal WHERE seq = 2"), "entry 2: missing"),
    "the last is gone": (lambda c: c.execute("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)"),
                         "événements"),
    "what was sealed last is gone": (lambda c: c.execute("DELETE FROM journal WHERE seq >= 5"), "n'a plus que 5"),
    "all of it is gone": (lambda c: c.execute("DELETE FROM journal"), "n'a plus que 0"),
    "two are swapped": (swap, "entry 1: the frontier was changed"),
    "history is rewritten": (rewrite, "n'est pas celui du journal"),
    "an event is gone": (lambda c: c.execute("DELETE FROM events WHERE code = 'deposited'"), "entry 2 (facture F-1"),
    "an event says something else": (lambda c: c.execute("UPDATE events SET code = 'failed' WHERE code = 'deposited'"),
                                     "entry 2 (facture F-1"),
    "an event is dated back": (lambda c: c.execute("UPDATE events SET at = '2026-01-01' || substr(at, 11) "
                                                   "WHERE code = 'sending'"),
                               "entry 1 (facture F-1"),
    "a seal is another": (lambda c: c.execute("UPDATE seals SET checkpoint = x'00'"), "scellement"),
    "a token is another": (lambda c: c.execute("UPDATE seals SET token = x'3003020102'"), "timestamp-refused"),
}


@pytest.mark.usefixtures("lived")
@pytest.mark.sqlite
def test_tampering_is_found_and_named(deps: Deps, subtests) -> None:
    with closing(sqlite3.connect(":memory:")) as kept:
        with table(deps) as connection:
            connection.backup(kept)
        for name, (change, expected) in TAMPERING.items():
            with subtests.test(name):
                with table(deps) as connection:
                    kept.backup(connection)
                    change(connection)
                faults = check_everything(deps).faults
                assert any(expected in fault for fault in faults), faults


def test_a_changed_object_is_found_and_named(deps: Deps, tenant: str, lived: str, tmp_path: Path) -> None:
    with deps.db.reading(tenant) as session:
        sha256 = session.get_one(Submission, (tenant, lived)).sha256
    place = tmp_path / "objects" / "sha256" / sha256[:2] / sha256[2:4] / sha256
    place.chmod(0o644)
    place.write_bytes(deps.store.get(Digest(sha256)).replace(b"EUR", b"USD"))
    [fault] = check_everything(deps).faults
    assert sha256 in fault
    assert "object-damaged" in fault


def test_only_news_are_sealed(deps: Deps, tenant: str, clock) -> None:
    seal_due(deps)
    assert seals(deps, tenant) == []
    happen(deps, tenant)
    seal_due(deps)
    [first] = seals(deps, tenant)
    assert (first.size, first.at, first.trouble) == (1, clock.now, None)
    assert first.token_at == clock.now
    for _ in range(3):  # the word of a seal is no news
        clock.forward(minutes=15)
        seal_due(deps)
    assert len(seals(deps, tenant)) == 1
    happen(deps, tenant)
    seal_due(deps)
    assert [seal.size for seal in seals(deps, tenant)] == [1, 3]
    assert check_everything(deps).faults == ()


def test_a_log_longer_than_one_reading_of_it_is_checked_whole(deps: Deps, tenant: str) -> None:
    with deps.db.transaction(tenant) as session:
        for _ in range(2500):
            record(session, tenant, Change(kind="access", code="looked", actor="key:test"), now=deps.now())
    checked = check_everything(deps)
    assert checked.entries == 2500
    assert checked.faults == ()


def test_each_tenant_has_a_log_of_its_own(deps: Deps, tenant: str, make_tenant) -> None:
    other = make_tenant("Autre")
    for owner in (tenant, other, tenant):
        happen(deps, owner)
    seal_due(deps)
    assert [len(entries(deps, owner)) for owner in (tenant, other)] == [3, 2]
    assert [seal.size for owner in (tenant, other) for seal in seals(deps, owner)] == [2, 1]
    assert check_everything(deps, other).entries == 2


def test_tokens_are_fetched_when_the_authority_is_back(deps: Deps, tenant: str, clock, serve_authority) -> None:
    authority = serve_authority("authority")
    ours, authority.down = authority.chosen(deps), True
    for _ in range(3):
        happen(ours, tenant)
        seal_due(ours)
        clock.forward(minutes=15)
    waiting = seals(deps, tenant)
    assert [seal.size for seal in waiting] == [1, 2, 3]  # signed all the same
    assert {seal.token for seal in waiting} == {None}
    assert all("timestamp-unavailable" in (seal.trouble or "") for seal in waiting)
    authority.down, authority.asked = False, 0
    seal_due(ours)
    assert authority.asked == 1  # the newest covers the others
    *older, newest = seals(deps, tenant)
    assert newest.token is not None
    assert {(seal.token, seal.token_at, seal.trouble) for seal in older} == {(None, newest.token_at, None)}
    assert check_everything(ours).faults == ()


def test_a_dossier_waits_for_the_authority(deps: Deps, client, lived: str, tenant: str, serve_authority) -> None:
    authority = serve_authority("authority")
    authority.down = True
    client._app.state.deps = authority.chosen(deps)
    answer = client.get(f"/v1/invoices/{lived}/dossier")
    assert (answer.status_code, answer.json()["code"]) == (503, "evidence-not-sealed")
    assert entries(deps, tenant)[-1].type == "access"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_dossier_verifies_without_us(deps: Deps, client, lived: str, tmp_path: Path) -> None:
    answer = client.get(f"/v1/invoices/{lived}/dossier")
    assert answer.headers["content-disposition"] == 'attachment; filename="F-1-dossier.zip"'
    path = tmp_path / "dossier.zip"
    path.write_bytes(answer.content)
    outcome = verify_dossier(path, read_trust(lines(deps).encode()))
    assert outcome.ok, outcome.lines
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "open")
        told = [json.loads(archive.read(name)) for name in archive.namelist()
                if name.startswith("entries/") and name.endswith(".json")]
    assert [entry["outcome"] for entry in told].count("exported") == 2  # this export is in it too
    done = subprocess.run(["sh", "verify.sh"], cwd=tmp_path / "open", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_invoice_of_two_years_has_one_dossier(
    deps: Deps, client, lived: str, tenant: str, clock, tmp_path: Path
) -> None:
    clock.now = datetime(2027, 1, 2, 8, 0, tzinfo=UTC)
    happen(deps, tenant, lived)
    path = tmp_path / "dossier.zip"
    path.write_bytes(client.get(f"/v1/invoices/{lived}/dossier").content)
    assert verify_dossier(path, read_trust(lines(deps).encode())).ok
    assert {entry.log for entry in entries(deps, tenant)} == {"2026", "2027"}
    assert "log2/checkpoint" in zipfile.ZipFile(path).namelist()


def test_what_happens_while_a_dossier_is_sealed_is_in_it(
    deps: Deps, client, lived: str, tenant: str, serve_authority, tmp_path: Path
) -> None:
    """A status arrives between the seal and the reading: the dossier is gathered again, not refused."""
    late = [1, 1]

    def arrive() -> None:
        if late:
            late.pop()
            happen(deps, tenant, lived)

    authority = serve_authority("authority")
    authority.before = arrive
    client._app.state.deps = authority.chosen(deps)
    answer = client.get(f"/v1/invoices/{lived}/dossier")
    assert answer.status_code == 200, answer.text
    (tmp_path / "dossier.zip").write_bytes(answer.content)
    assert verify_dossier(tmp_path / "dossier.zip", None).ok
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    looked = [e.seq for e in entries(deps, tenant) if read_entry(e.line)[1].outcome == "looked"]
    assert len(looked) == 2
    assert {f"entries/{seq}.json" for seq in looked} <= set(names)


def test_a_dossier_is_for_its_tenant_and_for_who_may(client, lived: str, make_tenant, make_key, tenant: str) -> None:
    stranger = client.get(f"/v1/invoices/{lived}/dossier", headers={"Authorization": make_key(make_tenant("Autre"))})
    absent = client.get("/v1/invoices/absent/dossier")
    assert (stranger.status_code, stranger.json()) == (404, absent.json())
    clerk = {"Authorization": make_key(tenant, "invoices:read")}
    assert client.get(f"/v1/invoices/{lived}/dossier", headers=clerk).status_code == 403


def test_everything_is_checked_by_a_command(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    assert cli.main(["verify", "--all"]) == 2
    assert "n'existe pas" in capsys.readouterr().err
    with assembled(Settings()) as deps:
        with deps.db.transaction("t") as session:
            session.add(Tenant(id="t", name="t", created_at=deps.now() - timedelta(days=1)))
        happen(deps, "t")
        seal_due(deps)
    assert cli.main(["verify", "--all"]) == 0
    assert "2 écritures, 1 scellements" in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "data" / "passerelle.sqlite3")) as connection, connection:
        connection.execute("UPDATE journal SET line = x'00' WHERE seq = 0")
    assert cli.main(["verify", "--all"]) == 1
    assert capsys.readouterr().out.startswith("NON VÉRIFIÉ / NOT VERIFIED : journal t/")

"""What keeps evidence good for years: fiscal years, words proved, other authorities, outages, renewals, witnesses."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from chains import chain_from
from sqlalchemy import select, text, update

from archive.errors import ArchiveError, BadProof
from archive.journal import leaf_hash, node_hash, read_entry
from archive.longterm import rehash
from archive.longterm.chain import verify_chain
from archive.seal import encode64
from archive.store import Digest
from gateway.accounts.service import set_fiscal_year
from gateway.deps import Deps
from gateway.evidence import checkpoints, renewing, saying, watch
from gateway.evidence.authorities import trusted
from gateway.evidence.ledger import Kept, log_of
from gateway.evidence.renewal import proof_of, renew
from gateway.evidence.routes import router
from gateway.evidence.sealing import log_key, seal_due
from gateway.evidence.trust import check_everything
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.sandbox.authority import make_identity
from gateway.settings import TimestampAuthority
from gateway.tables import Event, JournalEntry, Seal, Tenant
from gateway.tables_care import Alarm
from gateway.tables_journal import HashRenewal
from gateway.topics import HANDLERS
from gateway.worker import relay


def happen(deps: Deps, tenant: str, code: str = "looked", **more: object) -> Event:
    with deps.db.transaction(tenant) as session:
        return record(session, tenant, Change(kind="setting", code=code, actor="key:test", **more), now=deps.now())


def seals(deps: Deps, tenant: str) -> list[Seal]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(Seal).order_by(Seal.log, Seal.size)))


def ringing(deps: Deps, tenant: str) -> dict[str, str]:
    with deps.db.reading(tenant) as session:
        return {row.kind: row.subject for row in session.scalars(select(Alarm).where(Alarm.active.is_(True)))}


@pytest.mark.parametrize(("at", "close", "log"), [
    (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "12-31", "2026"),
    (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "12-31", "2027"),  # midnight in Paris
    (datetime(2026, 6, 30, 12, tzinfo=UTC), "06-30", "2026"), (datetime(2026, 7, 1, 12, tzinfo=UTC), "06-30", "2027"),
    (datetime(2028, 2, 29, 12, tzinfo=UTC), "02-29", "2028"), (datetime(2027, 3, 1, 12, tzinfo=UTC), "02-29", "2028"),
])
def test_a_journal_lasts_a_fiscal_year(at: datetime, close: str, log: str) -> None:
    assert log_of(at, close) == log


def test_the_close_of_the_year_is_a_setting(deps: Deps, tenant: str, clock) -> None:
    clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    happen(deps, tenant)
    set_fiscal_year(deps, tenant, "06-30", "key:test")
    seal_due(deps)
    happen(deps, tenant)
    clock.forward(minutes=20)
    seal_due(deps)
    assert {seal.log for seal in seals(deps, tenant)} == {"2026", "2027"}
    with deps.db.reading(tenant) as session:
        assert session.get_one(Tenant, tenant).fiscal_year_end == "06-30"
        assert {entry.log for entry in session.scalars(select(JournalEntry))} == {"2026", "2027"}
    assert check_everything(deps).faults == ()
    with pytest.raises(Problem, match="MM-JJ"):
        set_fiscal_year(deps, tenant, "13-01", "key:test")


def test_the_last_word_of_a_year_is_sealed_in_the_next(deps: Deps, tenant: str, clock) -> None:
    clock.now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    happen(deps, tenant)
    seal_due(deps)
    clock.forward(days=1)
    seal_due(deps)
    happen(deps, tenant)
    clock.forward(minutes=20)
    seal_due(deps)
    old, last, new = seals(deps, tenant)
    assert [(seal.log, seal.size) for seal in (old, last, new)] == [("2026", 1), ("2026", 2), ("2027", 2)]
    links = chain_from(deps, tenant, old)
    assert len(links) == 3
    assert verify_chain(links, log_key(deps).public_key(), trusted(deps), now=clock.now).at == old.token_at


WORDS = {"reason": "Jean Inventé conteste", "data": {"amount": "12.00"}}
TAMPERED = {
    "another reason": {"reason": "Jean Inventé accepte"}, "no reason": {"reason": None},
    "other data": {"data": {"amount": "13.00"}}, "a platform's time": {"platform_at": datetime(2020, 1, 1, tzinfo=UTC)},
}


@pytest.mark.sqlite
@pytest.mark.parametrize("name", TAMPERED)
def test_the_journal_proves_the_words_of_an_event(deps: Deps, tenant: str, name: str) -> None:
    event = happen(deps, tenant, **WORDS)
    assert check_everything(deps).faults == ()
    with deps.db.transaction(tenant) as session:
        session.execute(update(Event).where(Event.id == event.id).values(**TAMPERED[name]))
    [fault] = check_everything(deps).faults
    assert "entry 0: motif ou données" in fault


@pytest.mark.sqlite
def test_words_put_to_a_silent_event_are_found(deps: Deps, tenant: str) -> None:
    happen(deps, tenant, **WORDS)
    silent = happen(deps, tenant)
    with deps.db.transaction(tenant) as session:
        session.execute(update(Event).where(Event.id == silent.id).values(reason="avoué"))
    [fault] = check_everything(deps).faults
    assert "entry 1" in fault


def test_no_word_can_be_guessed_from_its_entry(deps: Deps, tenant: str) -> None:
    event = happen(deps, tenant, subject="view:a", **WORDS)
    again = happen(deps, tenant, subject="view:b", **WORDS)
    with deps.db.reading(tenant) as session:
        said = [read_entry(row.line)[1].said for row in session.scalars(
            select(JournalEntry).order_by(JournalEntry.seq))]
        assert said[0] != said[1]  # each subject has its key
        assert saying.mac(saying.key_of(session, tenant, "view:a") or b"", saying.text_of(event)) == said[0]
    for word in (saying.text_of(event), saying.text_of(again)):
        assert hashlib.sha256(word).hexdigest() not in said


def test_an_authority_that_is_silent_or_lies_has_a_successor(deps: Deps, tenant: str, clock, serve_authority) -> None:
    first, second = serve_authority("first"), serve_authority("second")
    chosen = replace(deps, settings=deps.settings.model_copy(update={
        "tsa_url": first.url, "tsa_ca": first.ca, "tsa_policy": "1.2.3",  # it stamps under another
        "tsa_fallbacks": (TimestampAuthority(url=second.url, ca=second.ca, policy=second.policy),)}))
    happen(chosen, tenant)
    seal_due(chosen)
    assert (first.asked, second.asked) == (1, 1)
    assert seals(deps, tenant)[0].token is not None
    assert check_everything(chosen).faults == ()
    alone = replace(chosen, settings=chosen.settings.model_copy(update={"tsa_fallbacks": ()}))
    clock.forward(hours=1)
    happen(alone, tenant)
    seal_due(alone)
    last = seals(deps, tenant)[-1]
    assert (last.token, (last.trouble or "")[:31]) == (None, "timestamp-refused: wrong-policy")
    watch.watch(alone)
    assert ringing(deps, tenant) == {"timestamp-refused": "2026"}
    seal_due(chosen)
    watch.watch(chosen)
    assert ringing(deps, tenant) == {}


def test_an_outage_blocks_nothing_and_is_told(deps: Deps, tenant: str, clock, serve_authority) -> None:
    """Thirty hours without an authority: every change goes in, the alarm rings from the sixth hour on."""
    authority = serve_authority("away")
    chosen = authority.chosen(deps)
    authority.down = True
    rang = None
    started = clock.now
    for hour in range(0, 31, 3):
        happen(chosen, tenant)
        seal_due(chosen)
        watch.watch(chosen)
        rang = rang or ("timestamp-missing" in ringing(deps, tenant) and hour) or None
        clock.forward(hours=3)
    assert rang == 9
    authority.down = False
    seal_due(chosen)
    watch.watch(chosen)
    assert ringing(deps, tenant) == {}
    assert all(seal.token_at and seal.token_at > started + timedelta(hours=29) for seal in seals(deps, tenant))
    assert check_everything(chosen).faults == ()


@pytest.mark.sqlite
def test_ten_years_by_a_chain_of_seals(deps: Deps, tenant: str, clock) -> None:
    """Certificates of two years, renewed in time: what was sealed first stands, by all the seals since."""
    clock.now = datetime(2026, 3, 1, tzinfo=UTC)
    former = b""
    for year in range(11):
        if year % 2 == 0:
            former += new_authority(deps, clock.now, timedelta(days=900))
        happen(deps, tenant)
        for _ in range(5):
            clock.forward(days=73)
            seal_due(deps)
        watch.watch(deps)
        assert ringing(deps, tenant) == {}
    kept = deps.settings.data / "former.pem"
    kept.write_bytes(former)
    now = replace(deps, settings=deps.settings.model_copy(update={"tsa_former_ca": kept}))
    links = chain_from(deps, tenant, seals(deps, tenant)[0])
    key = log_key(deps).public_key()
    assert verify_chain(links, key, trusted(now), now=clock.now).at.year == 2026
    assert check_everything(now).faults == ()
    gap = [*links[:1], *links[-2:]]
    for broken, later in ((links[:1], 0), (gap, 0), (links, 900), ([], 0)):
        with pytest.raises(BadProof):
            verify_chain(broken, key, trusted(now), now=clock.now + timedelta(days=later))


def new_authority(deps: Deps, now: datetime, valid: timedelta) -> bytes:
    """Another local authority from now on; its root."""
    folder = deps.settings.data / "tsa"
    if folder.exists():
        folder.rename(folder.with_name(f"tsa-until-{now:%Y-%m-%d}"))
    make_identity(folder, now, valid=valid)
    return (folder / "tsa-ca.pem").read_bytes()


def test_a_forgotten_renewal_is_told_a_hundred_days_ahead(deps: Deps, tenant: str, clock) -> None:
    new_authority(deps, clock.now, timedelta(days=400))
    happen(deps, tenant)
    seal_due(deps)
    ends = clock.now + timedelta(days=400)
    while "renewal-due" not in ringing(deps, tenant):
        clock.forward(days=20)
        watch.watch(deps)
    assert ends - clock.now > timedelta(days=90)
    new_authority(deps, clock.now, timedelta(days=800))
    seal_due(deps)
    watch.watch(deps)
    assert ringing(deps, tenant) == {}


def test_a_hash_that_falls_is_told_and_renewed(deps: Deps, tenant: str, clock) -> None:
    clock.now = datetime(2026, 3, 1, tzinfo=UTC)
    data = [deps.store.put(text) for text in (b"invoice", b"report")]
    kept = tuple(Kept(role, digest.hex, 7) for role, digest in zip(("original", "report"), data, strict=True))
    happen(deps, tenant)
    happen(deps, tenant, objects=kept)
    warned = replace(deps, settings=deps.settings.model_copy(update={"algorithm_ends": {"sha256": date(2028, 1, 1)}}))
    seal_due(warned)
    clock.now = datetime(2027, 9, 10, tzinfo=UTC)
    watch.watch(warned)
    assert ringing(deps, tenant) == {"renewal-due": "sha256:2026"}
    assert renew(warned, tenant, "2026", "operator:cli").size >= 2
    watch.watch(warned)
    assert ringing(deps, tenant) == {}
    clock.forward(days=300)
    renew(warned, tenant, "2026", "operator:cli")
    old, renewals = proof_of(warned, tenant, "2026", 1)
    assert [one.index for one in renewals] == [1, 0]
    key, ca, ends = log_key(deps).public_key(), trusted(warned), {"sha256": datetime(2028, 1, 1, tzinfo=UTC)}
    strong = [rehash.strong(text) for text in (b"invoice", b"report")]
    assert rehash.verify_renewed(old, strong, renewals, key, ca, now=clock.now, algorithm_ends=ends) > clock.now
    forged = [rehash.strong(b"another"), strong[1]]
    for objects, chain, later in ((forged, renewals, 0), (strong, renewals[1:], 0), (strong, (), 0),
                                  (strong, renewals, 9999)):
        with pytest.raises(BadProof):
            rehash.verify_renewed(old, objects, chain, key, ca, now=clock.now + timedelta(days=later),
                                  algorithm_ends=ends)
    with pytest.raises(ArchiveError):
        rehash.verify_renewed(replace(old, line=old.line.replace(b"key:test", b"key:tess")), strong, renewals, key, ca,
                              now=clock.now)
    assert check_everything(warned).faults == ()
    with pytest.raises(Problem):
        proof_of(warned, tenant, "2026", 999)


def test_the_service_renews_a_hash_by_itself_and_rings_where_it_cannot(deps: Deps, tenant: str, clock) -> None:
    falls = date(2028, 1, 1)
    warned = replace(deps, settings=deps.settings.model_copy(update={"algorithm_ends": {"sha256": falls}}))

    def go_to(day: date, house: Deps = warned) -> list[tuple[str, int]]:
        """Something is said and sealed on that day, regular work is done; all renewals so far."""
        clock.now = datetime(day.year, day.month, day.day, tzinfo=UTC)
        happen(deps, tenant)
        seal_due(warned)
        for _ in range(2):  # the second time there is nothing to do
            renewing.renew_due(house)
        relay(house, HANDLERS, only=(renewing.TOPIC,))
        watch.watch(house)
        with deps.db.reading(tenant) as session:
            return [(row.log, row.number) for row in session.scalars(
                select(HashRenewal).order_by(HashRenewal.at, HashRenewal.log))]

    assert go_to(date(2026, 3, 1)) == []
    first = [("2026", 0), ("2027", 0)]
    assert go_to(date(2027, 8, 20)) == first
    assert go_to(date(2027, 8, 21)) == first  # the log has grown, and is not read again every day
    assert go_to(date(2027, 9, 25)) == [*first, ("2027", 1)]
    fallen = go_to(date(2028, 2, 1))  # first what was left of the closed log
    assert fallen == [*first, ("2027", 1), ("2027", 2), ("2028", 0)]
    assert go_to(date(2028, 2, 2))[5:] == [("2028", 1)]
    assert ringing(deps, tenant) == {}
    silent = replace(warned, settings=warned.settings.model_copy(update={"tsa_url": "http://127.0.0.1:9/"}))
    assert len(go_to(date(2028, 2, 4), silent)) == 6
    go_to(date(2028, 2, 6), silent)
    assert ringing(deps, tenant) == {"renewal-due": "sha256:2028"}


def test_an_object_that_is_gone_unlawfully_stops_the_renewal(deps: Deps, tenant: str, tmp_path: Path) -> None:
    digest = deps.store.put(b"invoice")
    happen(deps, tenant, objects=(Kept("original", digest.hex, 7),))
    seal_due(deps)
    place = tmp_path / "objects" / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex
    place.unlink()
    with pytest.raises(ArchiveError):
        renew(deps, tenant, log_of(deps.now()), "operator:cli")
    assert deps.store.put(b"invoice") == Digest(digest.hex)


class TestWitness:
    """Checkpoints that left the house."""

    def test_the_receipt_of_an_invoice_has_the_newest(self, deps: Deps, tenant: str, client) -> None:
        posted = {"content": b"<x/>", "headers": {"Idempotency-Key": "first", "Content-Type": "application/xml"}}
        assert checkpoints.HEADER not in client.post("/v1/invoices", **posted).headers
        seal_due(deps)
        answer = client.post("/v1/invoices", **posted)
        note = client.get("/v1/evidence/checkpoint")
        assert answer.headers[checkpoints.HEADER] == encode64(note.content)
        assert note.content == seals(deps, tenant)[-1].checkpoint

    def test_it_is_held_against_the_journal(self, deps: Deps, tenant: str, client, make_tenant, make_key) -> None:
        assert client.get("/v1/evidence/checkpoint").status_code == 404
        happen(deps, tenant)
        seal_due(deps)
        note = client.get("/v1/evidence/checkpoint").text
        happen(deps, tenant)
        held = client.post("/v1/evidence/checkpoint", json={"checkpoint": note}).json()
        assert (held["consistent"], held["reason"], held["size"], held["now_size"]) == (True, "consistent", 1, 3)
        assert held["proof"]
        stranger = {"Authorization": make_key(make_tenant("Autre"))}
        assert client.post("/v1/evidence/checkpoint", json={"checkpoint": note}, headers=stranger).status_code == 404
        spoilt = client.post("/v1/evidence/checkpoint", json={"checkpoint": note.replace("\n1\n", "\n2\n")})
        assert (spoilt.status_code, spoilt.json()["code"]) == (422, "bad-checkpoint")

    @pytest.mark.sqlite
    @pytest.mark.parametrize(("attack", "reason"), [
        ("DELETE FROM journal WHERE seq >= 1", "rolled-back"),
        ("UPDATE journal SET leaf = zeroblob(32) WHERE seq = 1", "split-view"),
        ("DELETE FROM journal", "rolled-back"),
    ])
    def test_a_rewritten_journal_is_found(self, deps: Deps, tenant: str, attack: str, reason: str) -> None:
        for _ in range(2):
            happen(deps, tenant)
        seal_due(deps)
        note = checkpoints.note_of(deps, tenant)
        with deps.db.engine.begin() as connection:
            connection.execute(text(attack))
        assert checkpoints.hold_against(deps, tenant, note).reason == reason

    def test_it_is_mailed_once_a_day(self, deps: Deps, tenant: str, clock, drain: Callable[[Deps], None]) -> None:
        chosen = replace(deps, settings=deps.settings.model_copy(update={"checkpoint_mail": ("a@exemple.fr",)}))
        happen(chosen, tenant)
        seal_due(chosen)
        for _ in range(3):
            checkpoints.mail_daily(chosen)
        drain(chosen)
        spool = list((deps.settings.data / "mail").glob("*.eml"))
        assert len(spool) == 1
        assert seals(deps, tenant)[0].checkpoint.decode().split("\n")[2][:20] in spool[0].read_text()
        clock.forward(days=1)
        checkpoints.mail_daily(chosen)
        drain(chosen)
        assert len(list((deps.settings.data / "mail").glob("*.eml"))) == 1  # the same one again, for the same address


class TestTiles:
    """The log over HTTP, after C2SP tlog-tiles."""

    def test_they_are_those_of_the_checkpoint_beside_them(self, deps: Deps, tenant: str, serve, make_key) -> None:
        client = serve(router)
        assert client.get("/v1/evidence/tlog/2026/checkpoint").status_code == 404
        assert client.get("/v1/evidence/tlog/2026/tile/0/000.p/1").status_code == 404
        for _ in range(3):
            happen(deps, tenant)
        seal_due(deps)
        happen(deps, tenant)
        note = client.get("/v1/evidence/tlog/2026/checkpoint").text.splitlines()
        assert note[:2] == [f"passerelle/{tenant}/2026", "3"]
        hashes = client.get("/v1/evidence/tlog/2026/tile/0/000.p/3").content
        one, two, three = (hashes[at:at + 32] for at in (0, 32, 64))
        assert encode64(node_hash(node_hash(one, two), three)) == note[2]
        bundle = client.get("/v1/evidence/tlog/2026/tile/entries/000.p/1").content
        assert read_entry(bundle[2:])[0] == 0
        assert leaf_hash(bundle[2:]) == one
        assert client.get("/v1/evidence/tlog/2026/tile/0/000.p/4").status_code == 404  # not sealed yet
        weak = {"Authorization": make_key(tenant, "invoices:read")}
        assert client.get("/v1/evidence/tlog/2026/tile/0/000.p/1", headers=weak).status_code == 403

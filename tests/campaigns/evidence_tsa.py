"""Goals 7 and 8: what an authority may do to us. Hostile answers, and outages of 24 and 30 simulated hours.

Goal 8 plays each hostile answer (tests/archive/hostile.py) over HTTP with new keys in each round, against
archive.timestamp (which must refuse it by name), `openssl ts -verify` (which must refuse it too) and the gateway's own
sealing (which must keep no token). Goal 7 lets a minute pass at a time: changes come at random, the authority is away
for hours, and nothing may be refused, nor stay unsealed for 20 minutes; the alarm rings after six hours.
"""

import random
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import hostile
import seal_world
from evidence import part_options, scratch, tell
from sqlalchemy import func, select

from archive import timestamp
from archive.errors import TimestampRefused, TimestampUnavailable
from archive.timestamp import HttpAuthority
from gateway.deps import Deps
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything
from gateway.evidence.watch import watch
from gateway.sandbox.authority import POLICY, LocalAuthority
from gateway.sandbox.authority_server import Door
from gateway.tables import JournalEntry, Seal
from gateway.tables_care import Alarm

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def refused(folder: Path, chance: random.Random) -> tuple[int, int]:
    """(answers, faults) of one round of all hostile answers, and of one honest one."""
    message = b"a checkpoint\n"
    cast = hostile.make_cast(folder, NOW, message)
    faults = 0
    lies = list(hostile.LIES)
    chance.shuffle(lies)
    with hostile.playing(cast) as stage:
        for lie in lies:
            stage.lie = lie
            ca = getattr(cast, lie.whose).ca
            seconds = 1.0 if lie.drips else 30.0
            try:
                timestamp.obtain(HttpAuthority(stage.url, seconds=seconds), message, ca, policy=POLICY)
                faults += wrong(lie, "we believed it")
            except TimestampUnavailable:
                faults += wrong(lie, "taken for silence") if lie.available else 0
            except TimestampRefused as error:
                faults += wrong(lie, error.reason) if error.reason not in lie.reasons else 0
            if hostile.openssl_believes(folder, stage.request, stage.response, ca, NOW):
                faults += wrong(lie, "openssl believed it")
        stage.lie = hostile.Lie("honest", (), lambda cast, request: cast.honest.stamp(request))
        timestamp.obtain(HttpAuthority(stage.url), message, cast.honest.ca, policy=POLICY)
    return len(lies), faults


def none_kept(folder: Path) -> int:
    """Faults: the gateway seals against each hostile answer and must keep no token; then honestly, and must."""
    clock = seal_world.Clock(NOW)
    cast = hostile.make_cast(folder / "cast", NOW, b"-")
    (folder / "ca.pem").write_bytes(cast.honest.ca)
    faults = 0
    with hostile.playing(cast) as stage, seal_world.gateway(
            folder / "data", clock, tsa_url=stage.url, tsa_ca=folder / "ca.pem", tsa_policy=POLICY) as deps:
        for lie in hostile.LIES:
            if lie.drips:
                continue  # the limit of 20 seconds is the same code; `refused` has it
            stage.lie = lie
            seal_world.happen(deps)
            seal_due(deps)
            clock.forward(minutes=16)
            faults += wrong(lie, "kept as a seal") if tokens(deps) else 0
        stage.lie = hostile.Lie("honest", (), lambda cast, request: hostile.told(cast.honest, request))
        seal_due(deps)
        faults += tokens(deps) != 1
        faults += len(check_everything(deps).faults)
    return faults


def tokens(deps: Deps) -> int:
    """How many seals have one."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.scalar(select(func.count()).select_from(Seal).where(Seal.token.is_not(None))) or 0


def wrong(lie: hostile.Lie, what: str) -> int:
    """Tell of a fault."""
    print(f"{lie.name}: {what}", file=sys.stderr, flush=True)
    return 1


def outage(folder: Path, hours: int, chance: random.Random) -> tuple[int, int, str]:
    """(minutes, faults, figures) of a simulated day in which the authority is away for some hours."""
    clock, away = seal_world.Clock(NOW), {"down": False}

    class Moody(Door):
        authority = LocalAuthority(folder / "tsa", clock)

        def do_POST(self) -> None:  # noqa: N802  the name is http.server's
            if away["down"]:
                self.send_error(503)
            else:
                super().do_POST()

    oldest, rang, caught_up = timedelta(0), timedelta(0), 0.0
    with closing(ThreadingHTTPServer(("127.0.0.1", 0), Moody)) as server:
        server.close = lambda: (server.shutdown(), server.server_close())  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with seal_world.gateway(folder / "data", clock, tsa_url=f"http://127.0.0.1:{server.server_address[1]}",
                                tsa_ca=folder / "tsa" / "tsa-ca.pem", tsa_policy=POLICY) as deps:
            begin, minutes = 60, 60 * (hours + 4)
            for minute in range(minutes):
                away["down"] = begin <= minute < begin + hours * 60
                for _ in range(chance.randrange(3)):
                    seal_world.happen(deps)  # raises if anything were refused
                started = perf_counter()
                seal_due(deps)
                if minute == begin + hours * 60:
                    caught_up = perf_counter() - started if unstamped(deps) == 0 else 9999.0
                if minute % 5 == 0:
                    watch(deps)
                    if not rang and sounding(deps):
                        rang = timedelta(minutes=minute - begin)
                oldest = max(oldest, age(deps))
                clock.forward(minutes=1)
            watch(deps)
            faults = len(check_everything(deps).faults) + sounding(deps)
    faults += (oldest >= timedelta(minutes=20)) + (caught_up > 300)
    faults += not timedelta(hours=6) <= rang <= timedelta(hours=6, minutes=20)
    figures = (f"{hours} h: oldest unsealed entry {oldest.seconds / 60:.0f} min, alarm after {rang}, caught up in "
               f"{caught_up:.2f} s and the next minute's turn")
    print(figures, file=sys.stderr, flush=True)
    return minutes, faults, figures


def unstamped(deps: Deps) -> int:
    """Checkpoints that no token covers."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.scalar(select(func.count()).select_from(Seal).where(Seal.token_at.is_(None))) or 0


def sounding(deps: Deps) -> bool:
    """Whether the alarm about missing timestamps rings."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.scalar(select(Alarm.id).where(
            Alarm.kind == "timestamp-missing", Alarm.active.is_(True))) is not None


def age(deps: Deps) -> timedelta:
    """How old the oldest entry is that no signed checkpoint covers."""
    with deps.db.reading(seal_world.TENANT) as session:
        size = session.scalar(select(func.max(Seal.size))) or 0
        at = session.scalar(select(func.min(JournalEntry.at)).where(
            JournalEntry.seq >= size, JournalEntry.type != "evidence"))
    return deps.now() - at if at is not None else timedelta(0)


def main(argv: list[str]) -> int:
    """Run both goals and tell."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    with scratch() as place:
        folder = Path(place)
        rounds = [refused(made(folder / f"round{n}"), chance) for n in range(max(1, round(20 * asked.scale)))]
        played, faults = (sum(column) for column in zip(*rounds, strict=True))
        faults += none_kept(made(folder / "none"))
        failed = tell("8", played, asked.seed, faults, f"{len(hostile.LIES)} hostile answers in {len(rounds)} rounds "
                      "refused by name, by openssl too, none kept as a seal")
        days = [outage(made(folder / f"{hours}h"), hours, chance) for hours in ((24, 30) if asked.scale >= 1 else (8,))]
        failed += tell("7", sum(day[0] for day in days), asked.seed, sum(day[1] for day in days),
                       "simulated minutes; " + "; ".join(day[2] for day in days) + "; 0 changes refused")
    return int(bool(failed))


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

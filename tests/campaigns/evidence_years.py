"""Goal 9: eleven years in minutes. What was sealed first stands at +1, +3, +6, +10 and +11 years, by the seals since.

Each life has authorities whose certificates last two to three years, followed by the next one in time, and one renewal
of SHA-256 by SHA-512 somewhere before SHA-256 is declared fallen, by hand; all the others are made when the service
says that they are due, asked once in 30 days. At each station the chain of seals
from year 0 to now is verified, and after the fall the chain of renewals; chains with a link left out, an object changed
or an end in the past must be refused. A second kind of life forgets one renewal: the monitor must ring 90 days ahead.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))

import seal_world
from chains import chain_from
from evidence import part_options, scratch, tell
from sqlalchemy import select

from archive.errors import ArchiveError
from archive.longterm import rehash
from archive.longterm.chain import Link, verify_chain
from gateway.deps import Deps
from gateway.evidence.authorities import trusted
from gateway.evidence.ledger import Kept
from gateway.evidence.renewal import proof_of, renew
from gateway.evidence.sealing import log_key, seal_due
from gateway.evidence.watch import WARN, standings, watch
from gateway.sandbox.authority import make_identity
from gateway.tables import JournalEntry, Seal
from gateway.tables_care import Alarm
from gateway.tables_journal import HashRenewal

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATIONS = (1, 3, 6, 10, 11)
YEAR = timedelta(days=365.25)
STEP = timedelta(days=30)


def life(folder: Path, chance: random.Random) -> tuple[int, int]:
    """(checks, faults) of one archive over eleven years."""
    clock = seal_world.Clock(START)
    fall = date(2026 + chance.randint(5, 8), chance.randint(1, 12), 1)
    by_hand = datetime.combine(fall, time(), UTC) - timedelta(days=chance.randint(130, 700))
    checks, faults, roots = 0, 0, b""
    with seal_world.gateway(folder, clock, algorithm_ends={"sha256": fall.isoformat()}) as deps:
        digest = deps.store.put(b"<Invoice>year 0</Invoice>")
        roots, until = authority(deps, chance, clock.now, roots)
        seal_world.happen(deps, "first", objects=(Kept("original", digest.hex, 25),))
        seal_due(deps)
        for station in STATIONS:
            while clock.now < START + station * YEAR:
                clock.now += STEP
                if until - clock.now < timedelta(days=chance.randint(200, 400)):
                    roots, until = authority(deps, chance, clock.now, roots)
                if chance.random() < 0.7:
                    seal_world.happen(deps)
                seal_due(believing(deps, roots))
                logs = due(deps)
                if by_hand <= clock.now < by_hand + STEP:
                    logs.add("2026")
                for name in logs:
                    renew(believing(deps, roots), seal_world.TENANT, name, "worker")
            counted = station_holds(believing(deps, roots), clock.now, fall, digest.hex)
            checks, faults = checks + counted[0], faults + counted[1]
    return checks, faults


def due(deps: Deps) -> set[str]:
    """The logs whose hashes the service would renew now."""
    with deps.db.reading(seal_world.TENANT) as session:
        return {one.log for one in standings(deps, session, seal_world.TENANT) if one.is_due(deps.now())}


def station_holds(deps: Deps, now: datetime, fall: date, sha256: str) -> tuple[int, int]:
    """(checks, faults) at one moment."""
    ends = {"sha256": datetime.combine(fall, time(), UTC)}
    key, ca = log_key(deps).public_key(), trusted(deps)
    links = chain(deps)
    checks, faults = [], 0
    if now < ends["sha256"]:
        checks += [(True, lambda: verify_chain(links, key, ca, now=now, algorithm_ends=ends)),
                   (False, lambda: verify_chain(links, key, ca, now=now + 5 * YEAR, algorithm_ends=ends))]
        if len(links) > 9:
            checks.append((False, lambda: verify_chain([*links[:1], *links[-1:]], key, ca, now=now)))
    if is_renewed(deps):
        old, renewals = proof_of(deps, seal_world.TENANT, "2026", 0)
        good, bad = [rehash.strong(b"<Invoice>year 0</Invoice>")], [rehash.strong(b"<Invoice>year 1</Invoice>")]
        checks += [(True, lambda: rehash.verify_renewed(old, good, renewals, key, ca, now=now, algorithm_ends=ends)),
                   (False, lambda: rehash.verify_renewed(old, bad, renewals, key, ca, now=now, algorithm_ends=ends)),
                   (False, lambda: rehash.verify_renewed(old, good, renewals[1:], key, ca, now=now)),
                   (False, lambda: rehash.verify_renewed(old, good, renewals, key, ca, now=now + 9 * YEAR))]
    for number, (expected, check) in enumerate(checks):
        said = refusal(check)
        if (said == "") != expected:
            faults += 1
            print(f"check {number} of {len(checks)} at {now:%Y-%m-%d}, fall {fall}: {said}", file=sys.stderr)
    if not checks:
        raise RuntimeError(f"nothing to check at {now}: a life without renewal before {fall}")
    return len(checks), faults + (sha256.encode() not in chain_entry(deps))


def is_renewed(deps: Deps) -> bool:
    """Whether the log was put under a stronger hash yet."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.scalar(select(HashRenewal.number).limit(1)) is not None


def refusal(check: Callable[[], object]) -> str:
    """What a check says against it; empty when it passes."""
    try:
        check()
    except ArchiveError as error:
        return str(error)
    return ""


def forgetful(folder: Path, chance: random.Random) -> tuple[int, int]:
    """(1, faults): nobody cares for the next authority, or for the fall of the hash; how long before does it ring?"""
    clock = seal_world.Clock(START)
    by_hash = chance.random() < 0.5
    fall = (START + timedelta(days=chance.randint(300, 1500))).date()
    settings = {"algorithm_ends": {"sha256": fall.isoformat()}} if by_hash else {}
    with seal_world.gateway(folder, clock, **settings) as deps:
        _, until = authority(deps, chance, clock.now, b"")
        ends = min(until, datetime.combine(fall, time(), UTC)) if by_hash else until
        while clock.now < ends:
            seal_world.happen(deps)
            seal_due(deps)
            watch(deps)
            if rings(deps):
                return 1, int(not timedelta(days=90) <= ends - clock.now <= WARN)
            clock.now += timedelta(days=chance.randint(1, 25))
    return 1, 1


def rings(deps: Deps) -> bool:
    """Whether the alarm of the renewal rings."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.scalar(select(Alarm.id).where(
            Alarm.kind == "renewal-due", Alarm.active.is_(True))) is not None


def authority(deps: Deps, chance: random.Random, now: datetime, roots: bytes) -> tuple[bytes, datetime]:
    """A new local authority of two to three years takes over; all roots so far, and when its certificate ends."""
    folder, valid = deps.settings.data / "tsa", timedelta(days=chance.randint(730, 1095))
    if folder.exists():
        folder.rename(folder.with_name(f"tsa-until-{now:%Y-%m-%d}"))
    make_identity(folder, now, valid=valid)
    return roots + (folder / "tsa-ca.pem").read_bytes(), now + valid


def believing(deps: Deps, roots: bytes) -> Deps:
    """The same gateway, which also believes these roots."""
    path = deps.settings.data / "former.pem"
    path.write_bytes(roots)
    return replace(deps, settings=deps.settings.model_copy(update={"tsa_former_ca": path}))


def chain(deps: Deps) -> list[Link]:
    """The seals from the first one to the newest, each vouched for by the next."""
    with deps.db.reading(seal_world.TENANT) as session:
        first = session.scalars(select(Seal).where(Seal.token.is_not(None)).order_by(Seal.token_at).limit(1)).one()
    return chain_from(deps, seal_world.TENANT, first)


def chain_entry(deps: Deps) -> bytes:
    """The first entry of all."""
    with deps.db.reading(seal_world.TENANT) as session:
        return session.get_one(JournalEntry, (seal_world.TENANT, "2026", 0)).line


def main(argv: list[str]) -> int:
    """Run the goal and tell."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    lives, lapses = max(2, round(20 * asked.scale)), max(3, round(60 * asked.scale))
    checks = faults = 0
    with scratch() as folder:
        for number in range(lives + lapses):
            run = life if number < lives else forgetful
            counted = run(Path(folder) / str(number), chance)
            checks, faults = checks + counted[0], faults + counted[1]
            print(f"{run.__name__} {number}: {faults} faults so far", file=sys.stderr, flush=True)
    return int(bool(tell("9", checks, asked.seed, faults, f"{lives} archives of eleven years hold at +1, +3, +6, +10, "
                         f"+11, broken chains do not; {lapses} forgotten renewals ring 90 to 120 days ahead")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

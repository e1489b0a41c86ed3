"""Goal 10: nothing is destroyed early, nothing is kept too long without a hold unless nobody agreed, locks refuse.

Each trial is a random sequence of what people and time do to a tenant: invoices come in, things happen to them later,
the close of the fiscal year and the number of years change, holds are set and lifted, destructions are proposed by one
and approved by another or by the same, declined, an address is erased, days and years pass. A model beside it, which
is not the product's, says on each day what must still be there: an object that went too early, or under a hold, or
without two persons is a fault; so is one that is past its day by more than 30 days, under no hold, and not shown as
overdue. In the end S3 (moto) must refuse the deletion of locked versions.
"""

import random
import sys
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from evidence import part_options, scratch, tell
from moto import mock_aws
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import crash_ops

from archive.errors import DestructionRefused, ObjectMissing
from archive.store import Digest
from gateway.accounts.service import set_fiscal_year, set_retention_years
from gateway.evidence.ledger import Kept
from gateway.evidence.trust import check_everything
from gateway.keeping import destruction, erasure, holds, retention
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.tables import Base, Document, Submission, Tenant
from gateway.tables_care import Alarm
from gateway.topics import HANDLERS
from gateway.worker import relay

PEOPLE = ("user:a", "user:b", "key:program")
CLOSES = ("12-31", "06-30", "02-29", "03-31", "09-30")
STEPS = 12


@dataclass
class Invoice:
    """What the model knows of one."""

    digest: Digest
    until: date
    last: date
    destroyed: bool = False


@dataclass
class World:
    """A tenant, and the model beside it."""

    deps: Any
    tenant: str
    now: list[datetime]
    close: str = "12-31"
    years: int = 10
    invoices: dict[str, Invoice] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    proposals: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def today(self) -> date:
        """In UTC at nine: the same day in Paris."""
        return self.now[0].date()

    def is_held(self, invoice: str) -> bool:
        """Whether a hold stands."""
        return bool({"all", invoice} & set(self.held.values()))


def last_day(close: str, years: int, day: date) -> date:
    """The model's own reckoning: the first close on or after a day, and so many years later, by strings and steps."""
    month, number = int(close[:2]), int(close[3:])
    ends = sorted(date(year, month, min(number, monthrange(year, month)[1])) for year in (day.year, day.year + 1))
    closed = next(end for end in ends if end >= day)
    whole = (closed + timedelta(days=1)).day == 1
    most = monthrange(closed.year + years, closed.month)[1]
    return date(closed.year + years, closed.month, most if whole else closed.day)


def come_in(world: World, chance: random.Random) -> None:
    """An invoice."""
    name = f"{chance.getrandbits(128):032x}"
    data = f"<Invoice>{name}</Invoice>".encode()
    kept = Kept("original", world.deps.store.put(data).hex, len(data))
    now = world.now[0]
    with world.deps.db.transaction(world.tenant) as session:
        usual: dict[str, Any] = {column.name: None for column in Submission.__table__.columns}
        session.add(Submission(**{
            **usual, "tenant_id": world.tenant, "id": name, "received_at": now, "actor": "key:test", "number": name[:8],
            "issue_date": now.date(), "issue_year": now.year, "processing_rule": "B2B", "vat": [], "preceding": [],
            "syntax": "ubl-invoice", "profile": "en16931", "verdict": "valid", "sha256": kept.sha256,
            "buyer_email": "canari@oiseaux.example", "transmission": "deposited"}))
        session.add(Document(tenant_id=world.tenant, id=name, submission_id=name, role="original", syntax=None,
                             media_type="application/xml", name="f.xml", sha256=kept.sha256, size=kept.size, at=now))
        record(session, world.tenant, Change(kind="submission", code="accepted", actor="key:test", submission_id=name,
                                             objects=(kept,)), now=now)
    world.invoices[name] = Invoice(Digest(kept.sha256), last_day(world.close, world.years, world.today), world.today)


def happen(world: World, chance: random.Random) -> None:
    """Something in business happens to an invoice that is still there."""
    standing = [name for name, one in world.invoices.items() if not one.destroyed]
    if standing:
        name = chance.choice(standing)
        with world.deps.db.transaction(world.tenant) as session:
            record(session, world.tenant, Change(kind="payment", code="recorded", actor="key:test", submission_id=name),
                   now=world.now[0])
        world.invoices[name].last = world.today


def change_rule(world: World, chance: random.Random) -> None:
    """The fiscal year closes on another day, or the years are others."""
    if chance.random() < 0.5:
        world.close = chance.choice(CLOSES)
        set_fiscal_year(world.deps, world.tenant, world.close, "user:admin")
    else:
        world.years = chance.choice((6, 10, 10, 12))
        set_retention_years(world.deps, world.tenant, world.years, "user:admin")


def hold(world: World, chance: random.Random) -> None:
    """A hold is set, or one is lifted."""
    if world.held and chance.random() < 0.6:
        one = chance.choice(sorted(world.held))
        holds.lift_hold(world.deps, world.tenant, one, chance.choice(PEOPLE), "clos")
        del world.held[one]
    elif world.invoices:
        subject = "all" if chance.random() < 0.2 else chance.choice(sorted(world.invoices))
        row = holds.set_hold(world.deps, world.tenant, chance.choice(PEOPLE), subject, "litige")
        world.held[row.id] = subject


def propose(world: World, chance: random.Random) -> None:
    """Anybody proposes anything; what the model forbids must be refused."""
    if not world.invoices:
        return
    actor, chosen = chance.choice(PEOPLE), chance.sample(sorted(world.invoices), 1)
    allowed = actor != "key:program" and all(free(world, name) for name in chosen)
    try:
        row = destruction.propose(world.deps, world.tenant, actor, chosen, "au terme")
    except Problem:
        return
    if not allowed:
        world.faults.append(f"{actor} proposed {chosen}")
    world.proposals[row.id] = (actor, chosen)


def decide(world: World, chance: random.Random) -> None:
    """Anybody approves, some decline."""
    if not world.proposals:
        return
    one = chance.choice(sorted(world.proposals))
    first, chosen = world.proposals[one]
    actor = chance.choice(PEOPLE)
    try:
        if chance.random() < 0.1:
            destruction.decline(world.deps, world.tenant, actor, one, "non")
        else:
            destruction.approve(world.deps, world.tenant, actor, one)
            if actor in {first, "key:program"} or not all(free(world, name) for name in chosen):
                world.faults.append(f"{actor} approved {chosen} of {first}")
            relay(world.deps, HANDLERS)
            for name in chosen:
                world.invoices[name].destroyed = True
    except Problem:
        return
    del world.proposals[one]


def early(world: World, chance: random.Random) -> None:
    """Somebody goes round the persons: the safe must refuse whatever is not ordered."""
    if world.invoices:
        one = world.invoices[chance.choice(sorted(world.invoices))]
        with world.deps.db.reading(world.tenant) as session:
            try:
                retention.refuse_early(session, world.tenant, one.digest.hex, world.deps.today())
            except DestructionRefused:
                return
        if not one.destroyed:
            world.faults.append("the safe let go what nobody ordered")


def erase(world: World, _: random.Random) -> None:
    """An address goes; no object may."""
    erasure.erase_contact(world.deps, world.tenant, "user:a", "canari@oiseaux.example")


def wait(world: World, chance: random.Random) -> None:
    """Time passes."""
    world.now[0] += timedelta(days=chance.choice((1, 20, 40, 400, 1500, 3700)))


ACTS = (come_in, come_in, happen, change_rule, hold, propose, propose, decide, decide, early, erase, wait, wait, wait)


def free(world: World, name: str) -> bool:
    """Whether the model lets an invoice go today."""
    one = world.invoices[name]
    return not one.destroyed and world.today > one.until and not world.is_held(name)


def look(world: World) -> None:
    """Compare what is there with what must be; the model's last days never shrink, as the product's."""
    retention.count_tenant(world.deps, world.tenant)
    for one in world.invoices.values():
        if not one.destroyed:
            one.until = max(one.until, last_day(world.close, world.years, one.last))
    with world.deps.db.reading(world.tenant) as session:
        shown = {row.submission_id for row in retention.due(session, world.tenant, world.today)}
        rings = session.scalar(select(Alarm).where(Alarm.kind == "retention-late", Alarm.active.is_(True)))
        stored = {row.submission_id: row.until for row in session.scalars(select(retention.Retention))}
    late = {name for name, one in world.invoices.items() if free(world, name) and (world.today - one.until).days > 30}
    for name, one in world.invoices.items():
        try:
            world.deps.store.get(one.digest)
            there = True
        except ObjectMissing:
            there = False
        if there == one.destroyed:
            world.faults.append(f"{name}: {'still there' if there else 'gone'}")
        if not one.destroyed and stored[name] != one.until:
            world.faults.append(f"{name}: until {stored[name]}, the model says {one.until}")
    if late - shown or (rings is not None) != bool(late):
        world.faults.append(f"late {sorted(late)}, shown {sorted(shown)}, rings {rings is not None}")


def trial(deps: Any, number: int, chance: random.Random) -> list[str]:
    """One sequence on a tenant of its own; gives its faults."""
    now = [datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=chance.randrange(400))]
    deps = replace(deps, clock=lambda: now[0])
    tenant = f"tenant-{number}"
    with deps.db.transaction(tenant) as session:
        session.add(Tenant(id=tenant, name=tenant, created_at=now[0]))
    world = World(deps, tenant, now)
    come_in(world, chance)
    look(world)  # what regular work counted is what a later rule cannot shorten
    for _ in range(STEPS):
        act = chance.choice(ACTS)
        act(world, chance)
        look(world)
    return world.faults


def sequences(trials: int, seed: int) -> int:
    """All of them, 20 tenants to a database; gives how many had a fault."""
    chance = random.Random(seed)
    bad = 0
    for start in range(0, trials, 20):
        with scratch() as name:
            deps = crash_ops.deps_of(Path(name))
            Base.metadata.create_all(deps.db.engine)
            for number in range(start, min(start + 20, trials)):
                if faults := trial(deps, number, chance):
                    bad += 1
                    print(f"sequence {number}: {faults[:3]}", file=sys.stderr)
            if proofs := check_everything(deps).faults:
                bad += 1
                print(f"proofs: {proofs[:3]}", file=sys.stderr)
            deps.db.close()
        if start % 200 == 0:
            print(f"{start} of {trials}, {bad} bad", file=sys.stderr, flush=True)
    return bad


def locks(trials: int, seed: int) -> int:
    """On S3 (moto) a locked version is not deleted by anybody; gives how many were."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    gone = 0
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-3", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True,
                             CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        for number in range(trials):
            until = now + timedelta(days=chance.randrange(2, 4000))
            put = client.put_object(Bucket="locked", Key=f"{number}", Body=b"x", ObjectLockMode="COMPLIANCE",
                                    ObjectLockRetainUntilDate=until)
            try:
                client.delete_object(Bucket="locked", Key=f"{number}", VersionId=put["VersionId"],
                                     BypassGovernanceRetention=True)
                gone += 1
            except ClientError:
                pass
    return gone


def main(argv: list[str]) -> int:
    """Sequences, then locks."""
    asked = part_options(__doc__).parse_args(argv)
    trials, locked = max(1, round(10_000 * asked.scale)), max(2, round(200 * asked.scale))
    bad = sequences(trials, asked.seed)
    gone = locks(locked, asked.seed)
    return int(tell("10", trials, asked.seed, bad + gone, f"0 destroyed early, 0 too late unseen, 0 by one person; "
                    f"{locked} locked S3 versions refused to go") > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Watching over the seals: what is late, what runs out, and when it will. Reads; the alarms end in gateway/alarms.

Of each tenant: entries that no checkpoint covers, checkpoints that nobody stamped, and until when what is sealed stands
without a further seal. A token stands until a certificate of its chain or its hash ends; a later seal takes over, as
archive/longterm has it, so that the newest one counts, and for a log whose hash is to fall its newest renewal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.alarms.sounding import clear, sound
from gateway.deps import Deps
from gateway.evidence.sealing import logs
from gateway.tables import JournalEntry, Seal
from gateway.tables_journal import HashRenewal
from gateway.turns import for_each_tenant

FALLEN = ("L'empreinte ou le certificat n'a plus de valeur, et les écritures nouvelles s'appuient encore sur lui : "
          "passerelle archive renew-hash, ou une autre autorité. / Fallen, and new entries still rest on it.")
UNSTAMPED = timedelta(hours=6)
UNSEALED = timedelta(hours=2)
WARN = timedelta(days=120)
"""So long before something runs out somebody is told: renewing takes a contract with an authority, not a minute."""

AHEAD = timedelta(days=150)
"""So long before the hash of a log or its newest renewal ends, the service renews it (renewing.py): before anybody is
told, who is told only where that fails."""

SELDOM, OFTEN, LAST_MONTH = timedelta(days=30), timedelta(days=1), timedelta(days=30)
"""A log that grows is renewed again after a month, in the last month and after the fall of its hash every day."""

GRACE = timedelta(days=2)
"""For a renewal that takes long, or waits for its authority."""

SKEW = timedelta(minutes=5)
"""So far our clock may be from that of a timestamp authority, or behind the journal, without an alarm."""

KINDS = ("seal-late", "timestamp-missing", "timestamp-refused", "renewal-due", "clock-jump")


CLOCKS = ("authority", "journal")
"""What our clock is held against: subjects of `clock-jump`."""


@dataclass(frozen=True, slots=True)
class Worry:
    """Something about the seals of a tenant that somebody must know."""

    kind: str
    """One of KINDS, as gateway/alarms/kinds.py words them."""

    subject: str
    """The log, or what runs out."""

    since: datetime
    """Late since then; for what runs out: when it does."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Until when something of a tenant stands without a further seal or renewal."""

    subject: str
    """`certificate`, or `sha256:<log>`, or `renewal:<log>`."""

    ends: datetime
    log: str = ""
    """What is to be renewed; for `certificate` any further seal does."""

    renewed: datetime | None = None
    """When the log was last put under a stronger hash."""

    def pause(self, now: datetime) -> timedelta:
        """How long a renewal is left alone."""
        return OFTEN if self.ends - now < LAST_MONTH else SELDOM

    def is_due(self, now: datetime) -> bool:
        """Whether the service shall renew the log now."""
        return bool(self.log) and self.ends - now < AHEAD and not self.is_fresh(now, timedelta(0))

    def is_fresh(self, now: datetime, grace: timedelta = GRACE) -> bool:
        """Whether it was renewed and its next time has not come."""
        return self.renewed is not None and now < self.renewed + self.pause(now) + grace


def watch(deps: Deps) -> None:
    """Regular work: raise what is wrong with the seals, clear what is right again."""
    for_each_tenant(deps, _watch)


def _watch(deps: Deps, tenant_id: str) -> None:
    with deps.db.reading(tenant_id) as session:
        found = list(worries(deps, session, tenant_id, deps.now()))
        names = list(logs(session, tenant_id))
    for worry in found:
        sound(deps, tenant_id, worry.kind, worry.subject, {"since": worry.since.isoformat(), "detail": worry.detail})
    rings = {(worry.kind, worry.subject) for worry in found}
    subjects = [*names, "certificate", *CLOCKS, *(f"{what}:{name}" for what in ("sha256", "renewal") for name in names)]
    for kind in KINDS:
        for subject in subjects:
            if (kind, subject) not in rings:
                clear(deps, tenant_id, kind, subject)


def worries(deps: Deps, session: Session, tenant_id: str, now: datetime) -> Iterator[Worry]:
    """Everything that is wrong with the seals of a tenant, or will be within WARN."""
    for name in logs(session, tenant_id):
        yield from _late(session, tenant_id, name, now)
    for one in standings(deps, session, tenant_id):
        if one.ends - now < WARN and not one.is_fresh(now):
            yield Worry("renewal-due", one.subject, one.ends, FALLEN if one.ends <= now else "")
    yield from _clocks(session, tenant_id, now)


def standings(deps: Deps, session: Session, tenant_id: str) -> Iterator[Standing]:
    """Until when the seals of a tenant stand: one for the newest token, one for each hash that is to fall."""
    last = session.scalar(select(Seal).where(Seal.tenant_id == tenant_id, Seal.token.is_not(None))
                          .order_by(Seal.token_at.desc()).limit(1))
    ends = deps.settings.algorithm_ends.get("sha256")
    falls = datetime.combine(ends, time(), UTC) if ends is not None else None
    renewals = {row.log: row for row in session.scalars(
        select(HashRenewal).where(HashRenewal.tenant_id == tenant_id).order_by(HashRenewal.number))}
    if last is not None and last.ends_at is not None:
        yield Standing("certificate", last.ends_at)
    for row in renewals.values():
        yield Standing(f"renewal:{row.log}", row.ends_at, row.log, row.at)
    if falls is None:
        return
    for name, size in session.execute(select(Seal.log, func.max(Seal.size)).where(
            Seal.tenant_id == tenant_id, Seal.token.is_not(None)).group_by(Seal.log)).all():
        renewal = renewals.get(name)
        if renewal is None or renewal.size < size:
            yield Standing(f"sha256:{name}", falls, name, renewal.at if renewal is not None else None)


def _clocks(session: Session, tenant_id: str, now: datetime) -> Iterator[Worry]:
    """Our clock against the time in the newest token when it came, and against the newest entry of the journal."""
    last = session.scalar(select(Seal).where(Seal.tenant_id == tenant_id, Seal.token.is_not(None))
                          .order_by(Seal.at.desc(), Seal.size.desc()).limit(1))
    if last is not None and last.token_at is not None:
        came = session.scalar(select(JournalEntry.at).where(
            JournalEntry.tenant_id == tenant_id, JournalEntry.subject == f"log:{last.log}:{last.size}",
            JournalEntry.type == "evidence").order_by(JournalEntry.at).limit(1))
        if came is not None and abs(came - last.token_at) > SKEW:
            yield Worry("clock-jump", "authority", came,
                        f"{last.token_at:%Y-%m-%d %H:%M:%S}Z, {(came - last.token_at).total_seconds():+.0f} s")
    newest = session.scalar(select(func.max(JournalEntry.at)).where(JournalEntry.tenant_id == tenant_id))
    if newest is not None and newest - now > SKEW:
        yield Worry("clock-jump", "journal", newest, f"{(now - newest).total_seconds():+.0f} s")


def _late(session: Session, tenant_id: str, name: str, now: datetime) -> Iterator[Worry]:
    mine = (Seal.tenant_id == tenant_id, Seal.log == name)
    since, trouble = session.execute(select(func.min(Seal.at), func.max(func.coalesce(Seal.trouble, ""))).where(
        *mine, Seal.token_at.is_(None))).one()
    if since is not None and now - since > UNSTAMPED:
        yield Worry("timestamp-missing", name, since, trouble)
    if since is not None and trouble.startswith("timestamp-refused"):
        yield Worry("timestamp-refused", name, since, trouble)
    size = session.scalar(select(func.max(Seal.size)).where(*mine)) or 0
    oldest = session.scalar(select(JournalEntry.at).where(
        JournalEntry.tenant_id == tenant_id, JournalEntry.log == name, JournalEntry.seq >= size,
        JournalEntry.type != "evidence").order_by(JournalEntry.seq).limit(1))
    if oldest is not None and now - oldest > UNSEALED:
        yield Worry("seal-late", name, oldest)

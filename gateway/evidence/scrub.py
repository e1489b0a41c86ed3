"""The continuous control of everything that is kept: each object, each entry, each seal with its token.

A pass goes through them in that order, a part per turn of the worker, twice as fast as it must; its place is kept, so
that a restart goes on there. The next one begins so that everything is looked at again within `scrub_days`. What is
damaged or missing is set right from a second copy where there is one; either way the tenants whose it is are told by an
alarm, and healing is a journal entry. The pass itself is one entry per tenant, when it ends.
"""

import math
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, BadEntry, StoreUnavailable
from archive.journal import Row, leaf_hash, node_hash, read_entry
from archive.store import Digest
from gateway.alarms.sounding import clear, sound
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.ledger import Kept, LogRows, row_of
from gateway.evidence.trust import seal_fault
from gateway.record import Change, record
from gateway.tables import Document, JournalEntry, Seal, Tenant
from gateway.tables_archive import KeptObject, Scrub, ScrubFault

log = structlog.get_logger()

LEAST = 50
"""Things looked at per turn, however few there are."""

CONTROL = "control"
"""Subject of the alarm about a store that cannot be read; whether it can be written is gateway/alarms/house.py."""

PHASES = ("objects", "journal", "seals", "end")
HASH = 32


@dataclass(frozen=True, slots=True)
class Found:
    """One thing wrong, for the tenants whose it is."""

    kind: str
    """object, journal or seal."""

    tenants: tuple[str, ...]
    what: str
    trouble: str
    submission_id: str | None = None
    size: int = 0
    healed_from: tuple[str, ...] = ()
    """Which copies were set right; none where it is still damaged."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one look found: how much was looked at, what is wrong, and where to go on."""

    cursor: str
    looked: int
    octets: int = 0
    found: tuple[Found, ...] = ()


def scrub_due(deps: Deps) -> None:
    """One turn: goes on with the pass at hand, or begins the next one when it is time."""
    now, days = deps.now(), deps.settings.scrub_days
    scrub = latest(deps)
    if scrub is None or (scrub.finished_at is not None and now - scrub.started_at >= timedelta(days=days / 2)):
        scrub = begin(deps)
    if scrub.finished_at is None:
        share = 2 * deps.settings.scrub_seconds / (days * 86400)
        advance(deps, scrub, max(LEAST, math.ceil(scrub.expected * share)))


def whole_pass(deps: Deps) -> Iterator[Scrub]:
    """A pass at full speed from where the last one stands; yields the row after each part."""
    scrub = latest(deps)
    if scrub is None or scrub.finished_at is not None:
        scrub = begin(deps)
    while scrub.finished_at is None:
        scrub = advance(deps, scrub, 500)
        yield scrub


def latest(deps: Deps) -> Scrub | None:
    """The pass at hand, or the last one."""
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalar(select(Scrub).order_by(Scrub.id.desc()).limit(1))


def begin(deps: Deps) -> Scrub:
    """A new pass."""
    with deps.db.transaction(EVERY_TENANT) as session:
        expected = sum(session.scalar(select(func.count()).select_from(table)) or 0
                       for table in (KeptObject, JournalEntry, Seal))
        scrub = Scrub(started_at=deps.now(), finished_at=None, cursor="objects:", expected=expected, objects=0,
                      entries=0, seals=0, octets=0, faults=0, healed=0)
        session.add(scrub)
    return scrub


def advance(deps: Deps, scrub: Scrub, most: int) -> Scrub:
    """Look at up to `most` things more, tell what is wrong, keep the place. A store that is away stops the turn."""
    phase, _, place = scrub.cursor.partition(":")
    try:
        part = {"objects": objects_part, "journal": journal_part, "seals": seals_part}[phase](deps, place, most)
    except StoreUnavailable as error:
        sound(deps, EVERY_TENANT, "store-unavailable", CONTROL, {"error": str(error)})
        return scrub
    for found in part.found:
        tell(deps, found)
    ended = part.cursor == "end:"
    with deps.db.transaction(EVERY_TENANT) as session:
        row = session.get_one(Scrub, scrub.id, with_for_update=True)
        if row.cursor != scrub.cursor:
            return row  # another worker did the same part
        counted = {"objects": "objects", "journal": "entries", "seals": "seals"}[phase]
        setattr(row, counted, getattr(row, counted) + part.looked)
        row.cursor, row.octets = part.cursor, row.octets + part.octets
        row.faults += sum(not found.healed_from for found in part.found)
        row.healed += sum(bool(found.healed_from) for found in part.found)
        row.finished_at = deps.now() if ended else None
    if ended:
        finish(deps, row)
    return row


def objects_part(deps: Deps, place: str, most: int) -> Part:
    """Control the next objects: what somebody's metadata name, and what the store holds besides."""
    with deps.db.reading(EVERY_TENANT) as session:
        named = list(session.scalars(
            select(KeptObject.sha256).where(KeptObject.sha256 > place, KeptObject.destroyed_at.is_(None))
            .distinct().order_by(KeptObject.sha256).limit(most)))
    last = named[-1] if len(named) == most else "f" * 64
    digests = {Digest(sha256) for sha256 in named}
    for digest in deps.store.list(after=Digest(place) if place else None):
        if digest.hex > last or len(digests) >= 2 * most:
            last = min(last, digest.hex)
            break
        digests.add(digest)
    found, octets = [], 0
    for digest in sorted(one for one in digests if one.hex <= last):
        try:
            octets += deps.store.control(digest).size
        except StoreUnavailable:
            raise
        except ArchiveError as error:
            found.append(damaged(deps, digest, error))
    return Part("journal:" if last == "f" * 64 else f"objects:{last}", len(digests), octets, tuple(found))


def damaged(deps: Deps, digest: Digest, error: ArchiveError) -> Found:
    """Whose a damaged object is, and whether a second copy healed it."""
    with deps.db.reading(EVERY_TENANT) as session:
        cards = session.scalars(select(KeptObject).where(
            KeptObject.sha256 == digest.hex, KeptObject.destroyed_at.is_(None))).all()
        invoice = session.scalar(select(Document.submission_id).where(Document.sha256 == digest.hex).limit(1))
    try:
        healed = deps.store.heal(digest)
    except StoreUnavailable:
        raise
    except ArchiveError:
        healed = ()
    return Found("object", tuple(card.tenant_id for card in cards), digest.hex, f"{error.code}: {error}", invoice,
                 cards[0].size if cards else 0, healed)


def journal_part(deps: Deps, place: str, most: int) -> Part:
    """Compute the next entries again, each from the one before it."""
    owner, name, seq = place.split("/") if place else ("", "", "-1")
    with deps.db.reading(EVERY_TENANT) as session:
        where = tuple_(JournalEntry.tenant_id, JournalEntry.log, JournalEntry.seq)
        rows = session.scalars(select(JournalEntry).where(where > tuple_(owner, name, int(seq)))
                               .order_by(JournalEntry.tenant_id, JournalEntry.log, JournalEntry.seq).limit(most)).all()
        before = session.get(JournalEntry, (owner, name, int(seq))) if place else None
    found = []
    for row in rows:
        same = before is not None and (before.tenant_id, before.log) == (row.tenant_id, row.log)
        trouble = entry_trouble(row_of(before) if same and before is not None else None, row_of(row))
        if trouble:
            found.append(Found("journal", (row.tenant_id,), f"{row.log}/{row.seq}", trouble, row.subject))
        before = row
    last = rows[-1] if len(rows) == most else None
    return Part("seals:" if last is None else f"journal:{last.tenant_id}/{last.log}/{last.seq}", len(rows),
                found=tuple(found))


def entry_trouble(before: Row | None, row: Row) -> str | None:
    """What is wrong with a row, given the one before it in its log; None when it follows."""
    expected = 0 if before is None else before.seq + 1
    if row.seq != expected:
        return f"entries {expected} to {row.seq - 1} are missing"
    if row.leaf != leaf_hash(row.line):
        return "the line was changed"
    if row.frontier != (b"" if before is None else grown(before)):
        return "the frontier was changed"
    try:
        told, _ = read_entry(row.line)
    except BadEntry as error:
        return str(error)
    return None if told == row.seq else f"the line says {told}"


def grown(row: Row) -> bytes:
    """The frontier after a row: subtrees of equal size join, one for each trailing one bit of its number."""
    seq, peaks, node = row.seq, row.frontier, row.leaf
    while seq & 1:
        seq, peaks, node = seq >> 1, peaks[:-HASH], node_hash(peaks[-HASH:], node)
    return peaks + node


def seals_part(deps: Deps, place: str, most: int) -> Part:
    """Verify the next seals against their logs, and their tokens."""
    owner, name, size = place.split("/") if place else ("", "", "-1")
    with deps.db.reading(EVERY_TENANT) as session:
        where = tuple_(Seal.tenant_id, Seal.log, Seal.size)
        seals = session.scalars(select(Seal).where(where > tuple_(owner, name, int(size)))
                                .order_by(Seal.tenant_id, Seal.log, Seal.size).limit(most)).all()
        found = [Found("seal", (seal.tenant_id,), f"{seal.log}/{seal.size}", trouble) for seal in seals
                 if (trouble := seal_trouble(deps, seal, LogRows(session, seal.tenant_id, seal.log)))]
    last = seals[-1] if len(seals) == most else None
    return Part("end:" if last is None else f"seals:{last.tenant_id}/{last.log}/{last.size}", len(seals),
                found=tuple(found))


def seal_trouble(deps: Deps, seal: Seal, rows: LogRows) -> str | None:
    """As seal_fault; a column that holds no bytes, or a row of the log that is gone, is a trouble too."""
    try:
        return seal_fault(deps, seal, rows)
    except (TypeError, ValueError, LookupError) as error:
        return f"{type(error).__name__}: {error}"


def tell(deps: Deps, found: Found) -> None:
    """One row, one alarm and, for what was healed, one entry for each tenant concerned; for nobody's, the log."""
    alarm = "object-healed" if found.healed_from else {"object": "object-damaged"}.get(found.kind, "journal-damaged")
    facts = {"what": found.what, "invoice": found.submission_id, "trouble": found.trouble[:300],
             "healed": ",".join(found.healed_from)}
    log.error("control failed", kind=found.kind, tenants=found.tenants, **facts)
    for tenant_id in found.tenants:
        with deps.db.transaction(tenant_id) as session:
            keep(deps, session, tenant_id, found)
        sound(deps, tenant_id, alarm, found.what, facts)
        if found.healed_from:
            clear(deps, tenant_id, "object-damaged", found.what)
    if not found.tenants:
        sound(deps, EVERY_TENANT, alarm, found.what, facts)


def keep(deps: Deps, session: Session, tenant_id: str, found: Found) -> None:
    """The row of a fault: the open one, or a new one. Healing closes it and is journaled."""
    row = session.scalar(select(ScrubFault).where(
        ScrubFault.tenant_id == tenant_id, ScrubFault.kind == found.kind, ScrubFault.what == found.what,
        ScrubFault.ended_at.is_(None)))
    if row is None:
        row = ScrubFault(tenant_id=tenant_id, id=str(uuid.uuid4()), kind=found.kind, what=found.what,
                         submission_id=found.submission_id, found_at=deps.now(), trouble="", ended_at=None,
                         healed_from=None)
        session.add(row)
    row.trouble = found.trouble
    if found.healed_from:
        row.ended_at, row.healed_from = deps.now(), ",".join(found.healed_from)
        record(session, tenant_id, Change(
            kind="evidence", code="object.healed", actor="worker", subject=f"object:{found.what}",
            objects=(Kept("healed", found.what, found.size),),
            data={"subject": f"object:{found.what}", "copies": list(found.healed_from)}), now=deps.now())


def finish(deps: Deps, scrub: Scrub) -> None:
    """Look once more at what is still open, and journal the pass for each tenant."""
    with deps.db.reading(EVERY_TENANT) as session:
        opened = session.scalars(select(ScrubFault).where(ScrubFault.kind == "object",
                                                          ScrubFault.ended_at.is_(None))).all()
        tenants = session.scalars(select(Tenant.id)).all()
    for fault in mended(deps, opened):
        with deps.db.transaction(fault.tenant_id) as session:
            session.get_one(ScrubFault, (fault.tenant_id, fault.id)).ended_at = deps.now()
        clear(deps, fault.tenant_id, "object-damaged", fault.what)
    clear(deps, EVERY_TENANT, "store-unavailable", CONTROL)
    counts = {"objects": scrub.objects, "entries": scrub.entries, "seals": scrub.seals, "faults": scrub.faults,
              "healed": scrub.healed}
    for tenant_id in tenants:
        with deps.db.transaction(tenant_id) as session:
            record(session, tenant_id, Change(kind="evidence", code="control.done", actor="worker",
                                              subject=f"control:{scrub.id}",
                                              data={"subject": f"control:{scrub.id}", **counts}), now=deps.now())


def mended(deps: Deps, faults: Iterable[ScrubFault]) -> Iterator[ScrubFault]:
    """Those whose object is intact again, whoever brought it back."""
    for fault in faults:
        try:
            deps.store.control(Digest(fault.what))
        except ArchiveError:
            continue
        yield fault

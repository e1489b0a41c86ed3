"""What this gateway's dossiers are to be checked against, and the check of everything it holds."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, JournalDamaged
from archive.journal import Entry, check, read_entry, root, size_of
from archive.seal import Checkpoint, public_pem
from archive.store import Digest
from archive.timestamp import verify
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.former import believed, blocks_of, former_folder, read_signed
from gateway.evidence.ledger import LogRows
from gateway.evidence.named import carded, destroyed, named
from gateway.evidence.published import about_entry, about_object, about_subject, published_faults
from gateway.evidence.saying import ERASED, mac, text_of
from gateway.evidence.sealing import authority_of, dossier_key, log_key
from gateway.tables import Event, JournalEntry, Seal
from gateway.tables_journal import SubjectKey

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a full check looked at, and what is wrong; nothing wrong when `faults` is empty."""

    entries: int
    seals: int
    objects: int
    faults: tuple[str, ...]


def lines(deps: Deps) -> str:
    """The trust file: name and SHA-256 of each key, one per line; behind them the keys of former houses.

    Where a tenant brought certificates along, its dossiers hold ours and those: then each is listed by itself too.
    """
    _, ca = authority_of(deps)
    keys = [("log-pub.pem", public_pem(log_key(deps).public_key())),
            ("seal-pub.pem", public_pem(dossier_key(deps).public_key())), ("tsa-ca.pem", ca)]
    former = [(name, path.read_bytes()) for name in ("log-pub.pem", "tsa-ca.pem")
              for path in sorted(former_folder(deps).glob(f"*-{name}"))]
    single = [(name, pem) for name, data in [*keys, *former] for pem in blocks_of(data)] if former else []
    told = (f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in [*keys, *single])
    return "".join(dict.fromkeys(told))


def check_everything(deps: Deps, tenant_id: str = EVERY_TENANT, published: Sequence[bytes] = ()) -> Checked:
    """Recompute every log, verify every seal against it, hold every event against its entry, re-hash every object.

    Of an event the journal proves kind, code, actor, time, invoice and object, and by an HMAC its reason, its data and
    the platform's time (gateway/evidence/saying.py); not of the entries of a log before the first one that has it.
    `published`: checkpoints that others have kept, against which the logs are held too.
    """
    faults: list[str] = []
    entries = seals = 0
    with deps.db.reading(tenant_id) as session:
        for owner, name in logs(session):
            rows = LogRows(session, owner, name)
            sealed = session.scalars(
                select(Seal).where(Seal.tenant_id == owner, Seal.log == name).order_by(Seal.size)
            ).all()
            try:
                entries += check(rows.all())[0]
            except (ArchiveError, TypeError, ValueError) as error:  # the latter: a column holds something else
                seq = error.seq if isinstance(error, JournalDamaged) else 0
                faults.append(f"journal {owner}/{name}: {error}{about_entry(session, owner, name, seq)}")
                continue
            seals += len(sealed)
            good = 0
            for seal in sealed:
                if fault := seal_fault(deps, seal, rows) or told_otherwise(session, seal):
                    told = about_entry(session, owner, name, good)
                    faults.append(f"{fault} ; première suspecte: entry {good}{told}")
                else:
                    good = seal.size
            try:
                faults += event_faults(session, owner, rows)
                faults += column_faults(session, owner, name)
            except (TypeError, ValueError) as error:  # a date that is none, or text where there were bytes
                faults.append(f"journal {owner}/{name}: illisible: {error}")
        faults += unjournaled(session)
        faults += published_faults(deps, session, published)
        digests = (named(session) | carded(session)) - destroyed(session)
    for sha256 in sorted(digests):
        try:
            deps.store.control(Digest(sha256))
        except ArchiveError as error:
            with deps.db.reading(tenant_id) as session:
                faults.append(f"objet {sha256}{about_object(session, sha256)}: {error.code}: {error}")
    return Checked(entries, seals, len(digests), tuple(faults))


def logs(session: Session) -> list[tuple[str, str]]:
    """(tenant, log) of every log of which anything is left, be it only a seal."""
    return sorted({(owner, name) for table in (JournalEntry, Seal)
                   for owner, name in session.execute(select(table.tenant_id, table.log).distinct())})


def event_faults(session: Session, owner: str, rows: LogRows) -> Iterator[str]:
    """Entries of a checked log whose event is gone or tells something else."""
    remaining, proved = rows.all(), False
    while entries := [read_entry(row.line) for row in islice(remaining, 500)]:
        events = {event.id: event for event in session.scalars(select(Event).where(
            Event.tenant_id == owner, Event.id.in_([entry.cause for _, entry in entries])))}
        subjects = {entry.subject for _, entry in entries if entry.said}
        keys = {row.subject: row.key for row in session.scalars(select(SubjectKey).where(
            SubjectKey.tenant_id == owner, SubjectKey.subject.in_(subjects)))}
        erased = erasures(session, owner, subjects)
        for seq, entry in entries:
            event, proved = events.get(entry.cause), proved or bool(entry.said)
            if event is None:
                told = about_subject(session, owner, entry.subject)
                yield f"journal {owner}: entry {seq}{told}: son événement {entry.cause} manque"
            elif not tells(event, entry):
                told = about_subject(session, owner, entry.subject)
                yield f"journal {owner}: entry {seq}{told}: l'événement {event.id} dit autre chose"
            elif proved and not says(event, entry, keys.get(entry.subject), erased=entry.at <= erased.get(
                    entry.subject, NEVER)):
                told = about_subject(session, owner, entry.subject)
                yield f"journal {owner}: entry {seq}{told}: motif ou données de l'événement {event.id} sont autres"
        session.expunge_all()  # there may be millions


def erasures(session: Session, owner: str, subjects: Iterable[str]) -> dict[str, datetime]:
    """When the words about some subjects were erased last, as the journal says."""
    lines = session.scalars(select(JournalEntry.line).where(
        JournalEntry.tenant_id == owner, JournalEntry.subject.in_(subjects), JournalEntry.type == "evidence")
        .order_by(JournalEntry.at)).all()
    entries = [read_entry(line)[1] for line in lines]
    return {entry.subject: entry.at for entry in entries if entry.outcome == ERASED}


def column_faults(session: Session, owner: str, name: str) -> Iterator[str]:
    """Rows of a checked log whose columns, by which people search, say something else than their entry."""
    wanted = (
        select(JournalEntry.seq, JournalEntry.line, JournalEntry.type, JournalEntry.subject, JournalEntry.actor,
               JournalEntry.at)
        .where(JournalEntry.tenant_id == owner, JournalEntry.log == name).order_by(JournalEntry.seq)
        .execution_options(yield_per=2000))
    with session.execute(wanted) as rows:
        for row in rows:
            seq, entry = read_entry(row.line)
            if (row.type, row.subject, row.actor, row.at) != (entry.type, entry.subject, entry.actor, entry.at):
                told = about_subject(session, owner, entry.subject)
                yield f"journal {owner}: entry {seq}{told}: les colonnes de recherche disent autre chose"


def tells(event: Event, entry: Entry) -> bool:
    """Whether an event says what its entry says."""
    first = entry.objects[0].digest.hex if entry.objects else None
    return (event.kind, event.code, event.actor, event.at, event.sha256, event.submission_id or entry.subject) == (
        entry.type, entry.outcome, entry.actor, entry.at, first, entry.subject)


def says(event: Event, entry: Entry, key: bytes | None, *, erased: bool) -> bool:
    """Whether the words of an event are those that its entry commits to, or were erased and are gone."""
    if not entry.said:
        return not text_of(event)
    if erased and event.reason is None and not event.data:
        return True
    return key is not None and hmac.compare_digest(mac(key, text_of(event)), entry.said)


def told_otherwise(session: Session, seal: Seal) -> str | None:
    """A timestamped seal whose bytes the journal does not name: a token may change without ceasing to hold."""
    if seal.token is None:
        return None
    lines = session.scalars(select(JournalEntry.line).where(
        JournalEntry.tenant_id == seal.tenant_id, JournalEntry.subject == f"log:{seal.log}:{seal.size}",
        JournalEntry.type == "evidence")).all()
    named = {(ref.role, ref.digest.hex) for line in lines for ref in read_entry(line)[1].objects}
    for role, data in (("checkpoint", seal.checkpoint), ("token", seal.token)):
        if (role, hashlib.sha256(data).hexdigest()) not in named:
            return f"scellement {seal.tenant_id}/{seal.log}/{seal.size}: {role} : pas celui que dit le journal"
    return None


def unjournaled(session: Session) -> Iterator[str]:
    """Tenants with more or fewer events than entries."""
    told, proved = counted(session, Event), counted(session, JournalEntry)
    for owner in sorted(told.keys() | proved.keys()):
        events, entries = told[owner], proved[owner]
        if events != entries:
            yield f"journal {owner}: {events} événements, {entries} écritures"


def counted(session: Session, table: type[Event | JournalEntry]) -> Counter[str]:
    """Rows per tenant."""
    counter: Counter[str] = Counter()
    for owner, number in session.execute(select(table.tenant_id, func.count()).group_by(table.tenant_id)):
        counter[owner] = number
    return counter


def seal_fault(deps: Deps, seal: Seal, rows: LogRows) -> str | None:
    """What is wrong with a seal: its signature, its root against the checked log, its token; None when it holds."""
    where = f"scellement {seal.tenant_id}/{seal.log}/{seal.size}"
    try:
        checkpoint = read_signed(deps, seal.tenant_id, seal.checkpoint)
        if size_of(rows) < seal.size:
            return f"{where}: le journal n'a plus que {size_of(rows)} écritures"
        expected = Checkpoint(checkpoint.origin, seal.size, root(rows, seal.size))
        if checkpoint != expected or not checkpoint.origin.endswith(f"/{seal.tenant_id}/{seal.log}"):
            return f"{where}: n'est pas celui du journal"  # the gateway's name may have been another in former years
        if seal.token is not None:
            verify(seal.token, seal.checkpoint, believed(deps, seal.tenant_id))
    except ArchiveError as error:
        return f"{where}: {error.code}: {error}"
    return None

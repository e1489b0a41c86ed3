"""Checkpoints leave the house, and come back as witnesses: whoever holds one can have the log checked against it.

Each goes into the answer to a posted invoice, into webhooks that ask for it, into a daily mail, and is there to be
fetched. An operator who rewrites or cuts a journal cannot rewrite these.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, BadCheckpoint
from archive.journal import consistency_proof, root, size_of
from archive.seal import encode64
from gateway.clock import midnight
from gateway.db import plain
from gateway.deps import Deps
from gateway.evidence.former import read_signed
from gateway.evidence.ledger import LogRows
from gateway.mail import InDoubt, Mail, NotDelivered, compose, deliver
from gateway.outbox import Entry, Park, RetryLater
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, record
from gateway.tables import Event, Seal, Tenant
from gateway.turns import for_each_tenant

log = structlog.get_logger()
HEADER = "Passerelle-Checkpoint"
"""Of answers to posted invoices: Base64 of the tenant's newest checkpoint."""

TOPIC = "checkpoint-mail"
MAILED = "checkpoint-mailed"
TEXT = """\
Dernier point de contrôle du journal d'audit de {tenant}, à conserver : il prouve qu'aucune écriture antérieure n'a
été modifiée ou supprimée depuis. Pour le confronter au journal : passerelle archive check FICHIER.

Latest checkpoint of the audit journal, to be kept: it proves that no earlier entry was changed or removed since.

{note}"""


@dataclass(frozen=True, slots=True)
class Held:
    """A checkpoint that somebody brought, held against the log."""

    log: str
    size: int
    consistent: bool
    reason: str
    """consistent; rolled-back (the log is shorter than it was); split-view (it was another log)."""

    now_size: int
    now_root: str
    """Base64."""

    proof: tuple[str, ...]
    """Consistency proof (RFC 9162 section 2.1.4) from `size` to `now_size`, Base64; empty unless consistent."""


def newest(session: Session, tenant_id: str, name: str | None = None) -> Seal | None:
    """The newest checkpoint of a tenant, or of one of its logs, stamped or not."""
    query = select(Seal).where(Seal.tenant_id == tenant_id).order_by(Seal.log.desc(), Seal.size.desc()).limit(1)
    return session.scalar(query if name is None else query.where(Seal.log == name))


def note_of(deps: Deps, tenant_id: str, name: str | None = None) -> bytes:
    """The newest checkpoint as a signed note. Raises Problem 404 before the first seal."""
    with deps.db.reading(tenant_id) as session:
        seal = newest(session, tenant_id, name)
    if seal is None:
        raise not_found()
    return seal.checkpoint


def header(deps: Deps, tenant_id: str) -> dict[str, str]:
    """What joins the headers of a receipt; nothing before the first seal."""
    with deps.db.reading(tenant_id) as session:
        note = plain(session, tenant_id, NEWEST_NOTE).scalar()
    return {} if note is None else {HEADER: encode64(note)}


NEWEST_NOTE: Final = select(Seal.checkpoint).where(Seal.tenant_id == bindparam("tenant")).order_by(
    Seal.log.desc(), Seal.size.desc()).limit(1)


def hold_against(deps: Deps, tenant_id: str, note: bytes) -> Held:
    """Check the log against a checkpoint that somebody kept.

    Raises:
        Problem: 422 bad-checkpoint for one that neither we nor a former house of the tenant signed, 404 for one of
            somebody else.
    """
    try:
        told = read_signed(deps, tenant_id, note)
    except BadCheckpoint as error:
        raise Problem(422, "bad-checkpoint", f"Ce n'est pas un point de contrôle de cette passerelle : {error}. / "
                      "Not a checkpoint of this gateway.") from error
    _, owner, name = [*told.origin.rsplit("/", 2), "", ""][:3]
    if owner != tenant_id:
        raise not_found()
    with deps.db.reading(tenant_id) as session:
        rows = LogRows(session, tenant_id, name)
        size = size_of(rows)
        if size < told.size:
            return Held(name, told.size, False, "rolled-back", size, encode64(rows.root(size)), ())
        try:
            same = root(rows, told.size) == told.root
            proof = consistency_proof(rows, told.size, size) if same and told.size else ()
        except (ArchiveError, LookupError):
            same, proof = False, ()
        return Held(name, told.size, same, "consistent" if same else "split-view", size, encode64(rows.root(size)),
                    tuple(map(encode64, proof)))


def mail_daily(deps: Deps) -> None:
    """Regular work: once a day (in France) the newest checkpoint of each tenant goes to every address set."""
    if deps.settings.checkpoint_mail:
        for_each_tenant(deps, _mail_newest)


def _mail_newest(deps: Deps, tenant_id: str) -> None:
    with deps.db.transaction(tenant_id) as session:
        seal = newest(session, tenant_id)
        if seal is not None and not _mailed_today(deps, session):
            works = tuple(Work(topic=TOPIC, subject_id=f"{seal.log}/{seal.size}", payload={"to": address})
                          for address in deps.settings.checkpoint_mail)
            record(session, tenant_id, Change(
                kind="evidence", code=MAILED, actor="worker", subject=f"log:{seal.log}:{seal.size}",
                data={"log": seal.log, "size": seal.size}, then=works), now=deps.now())


def handle_mail(deps: Deps, entry: Entry) -> None:
    """Send one checkpoint to one address.

    Raises:
        RetryLater: the mail server cannot be reached.
        Park: it refuses this address for good.
    """
    name, _, size = entry.subject_id.rpartition("/")
    with deps.db.reading(entry.tenant_id) as session:
        seal = session.get_one(Seal, (entry.tenant_id, name, int(size)))
        tenant = session.get_one(Tenant, entry.tenant_id).name
    to, sender = str(entry.payload["to"]), deps.settings.mail_from
    identity = hashlib.sha256(f"{entry.tenant_id} {entry.subject_id} {to}".encode()).hexdigest()[:32]
    message_id = f"<checkpoint.{identity}@{sender.rpartition('@')[2]}>"
    text = TEXT.format(tenant=tenant, note=seal.checkpoint.decode())
    try:
        deliver(deps.settings, compose(Mail(
            sender=sender, sender_name="Passerelle", recipient=to, reply_to=None,
            subject=f"Point de contrôle du journal {name}, {size} écritures", text=text,
            html=f"<pre>{seal.checkpoint.decode()}</pre>", lang="fr", message_id=message_id, at=deps.now(),
        )), message_id=message_id, sender=sender, recipient=to)
    except NotDelivered as error:
        if error.permanent:
            raise Park(error.reason) from error
        raise RetryLater(error.reason) from error
    except InDoubt as error:
        log.warning("checkpoint mail in doubt", reason=error.reason)  # tomorrow there is another one
    except ValueError as error:
        raise Park(f"{to} : {error}") from error


def _mailed_today(deps: Deps, session: Session) -> bool:
    since = midnight(deps.today())
    return session.scalar(select(Event.id).where(
        Event.kind == "evidence", Event.code == MAILED, Event.at >= since, Event.at < since + timedelta(days=2),
    ).limit(1)) is not None

"""What came back is read, kept and told once: which mail of ours it is about, whether for good, and what follows.

The bytes are read in a workshop process. What stops an address is kept with the invoice and journaled; every other
mail changes nothing, is listed with what it was taken for, and its file lies in `data/returned` as long as copies of
mails are kept. A report about a mail that we never sent changes nothing, whoever wrote it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.errors import FormatError
from formats.returned import Returned
from gateway.alarms.sounding import clear, sound
from gateway.bounces.mailboxes import MailboxSilent, arrived
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outbox import Entry, is_pending, put
from gateway.outgoing.duplicate import double_came_back, doubled_by
from gateway.record import lock_tenant
from gateway.reminders.returning import RETURNED, came_back
from gateway.tables import Submission, Tenant
from gateway.tables_channels import ReturnedMail
from gateway.tables_reminders import Decision

log = structlog.get_logger()

TOPIC: Final = "bounces"
SILENT: Final = "mailbox-silent"
BY_MAIL: Final = ("smtp", "spool")
"""Channels of letters that a mail server may send back."""

STOPS: Final = {"permanent": True, "complaint": True, "given-up": False}
"""Kinds that are told of a letter, and whether its address gets nothing more."""

WORDS: Final = {
    "permanent": "Le serveur du destinataire refuse définitivement", "complaint": "Le destinataire a signalé ce "
    "courriel comme indésirable", "given-up": "Le courriel n'a pas pu être remis ; l'adresse n'est pas en cause",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A mail, what it says, and what of ours it is about: letters, or the double of an invoice."""

    content: bytes
    said: Returned
    letters: Sequence[Decision] = ()
    double: Submission | None = None

    @property
    def id(self) -> str:
        """What it is kept under."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def invoice(self) -> tuple[str, str] | None:
        """Tenant and id of the first invoice that it is about."""
        if self.letters:
            return self.letters[0].tenant_id, self.letters[0].submission_id
        return (self.double.tenant_id, self.double.id) if self.double is not None else None


def look_regularly(deps: Deps) -> None:
    """Regular work: have the mailbox read, where there is one."""
    house = _house(deps) if deps.settings.bounces_url else None
    if house is None:
        return
    with deps.db.transaction(house) as session:
        if not is_pending(session, TOPIC, TOPIC):
            put(session, house, TOPIC, TOPIC, now=deps.now())


def handle_mailbox(deps: Deps, _: Entry) -> None:
    """Handle one `bounces` entry: take in what arrived. A mailbox that is away rings an alarm until it is back."""
    try:
        for mail in arrived(deps.settings.bounces_url or ""):
            outcome = take_in(deps, mail.content)
            log.info("mail came back", outcome=outcome, bytes=len(mail.content))
            mail.done()
    except MailboxSilent as error:
        sound(deps, EVERY_TENANT, SILENT, facts={"error": str(error)})
    else:
        clear(deps, EVERY_TENANT, SILENT)


def take_in(deps: Deps, content: bytes) -> str:
    """Keep a mail and do what follows from it, once for the same bytes; the outcome, see ReturnedMail."""
    read = _read(deps, content)
    owner = read.invoice[0] if read.invoice is not None else _house(deps)
    if owner is None:
        return "nothing"
    kept = _kept(deps, read)
    now = deps.now()
    with deps.db.transaction(owner) as session:
        lock_tenant(session, owner)
        known = session.get(ReturnedMail, (owner, read.id))
        if known is not None:
            return known.outcome
        if kept is not None:
            _follow(deps, session, read, kept)
        mail = ReturnedMail(
            tenant_id=owner, id=read.id, received_at=now, size=len(content), kind=read.said.kind,
            outcome=_outcome(read), submission_id=read.invoice[1] if read.invoice is not None else None,
            message_id=read.said.about[0] if read.said.about else None, status=read.said.status,
            words={"recipient": read.said.recipient, "said": read.said.said})
        session.add(mail)
        return mail.outcome


def _follow(deps: Deps, session: Session, read: Read, report: Kept) -> None:
    """What follows for each invoice that the mail was about, in the transaction that keeps the report."""
    now, stop = deps.now(), STOPS[read.said.kind]
    for row in session.scalars(select(Decision).where(Decision.id.in_([one.id for one in read.letters]))).all():
        if row.recipient is not None:
            came_back(session, row, _reason(read.said), actor="worker", now=now, today=deps.today(), stop=stop,
                      report=report)
    if read.double is not None:
        double_came_back(session, read.double, _reason(read.said), report, now)


def _read(deps: Deps, content: bytes) -> Read:
    """A mail that no workshop gets through is about nothing that we know."""
    try:
        said = deps.workshop.read_returned(content)
    except FormatError as error:
        log.warning("mail came back and cannot be read", error=str(error))
        return Read(content, Returned(kind="unreadable"))
    with deps.db.reading(EVERY_TENANT) as session:
        letters = session.scalars(select(Decision).where(
            Decision.message_id.in_(said.about), Decision.channel.in_(BY_MAIL)).order_by(Decision.id)).all()
        double = next(filter(None, (doubled_by(session, one) for one in said.about)), None) if not letters else None
    known = {one.message_id for one in letters}
    first = next((about for about in said.about if about in known), None)
    return Read(content, said, [one for one in letters if one.message_id == first], double)


def _kept(deps: Deps, read: Read) -> Kept | None:
    """The bytes, where something follows for an invoice; any other mail is a file for a while."""
    if read.invoice is not None and read.said.kind in STOPS:
        return Kept(RETURNED, deps.store.put(read.content).hex, len(read.content))
    folder = _folder(deps)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{read.id}.eml").write_bytes(read.content)
    return None


def _outcome(read: Read) -> str:
    if read.said.kind not in STOPS:
        return "nothing"
    if read.invoice is None:
        return "unknown"
    return "stopped" if STOPS[read.said.kind] and read.letters else "told"


def _reason(said: Returned) -> str:
    answer = " ".join(part for part in (said.status, said.said) if part)
    return f"{WORDS[said.kind]}{f' ({answer})' if answer else ''}."[:2000]


def _folder(deps: Deps) -> Path:
    return deps.settings.data / "returned"


def _house(deps: Deps) -> str | None:
    """The account that was there first: mails that are about nobody's letters are its own."""
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalar(select(Tenant.id).order_by(Tenant.created_at, Tenant.id).limit(1))

"""Asking a platform's directory about one address, and keeping what it said.

Never raises because of a directory: a failure is the answer `cannot-tell`, kept like every other. Answers are used
again for a while, so that a thousand invoices to one buyer are one question, and a directory that is away is left
alone (gateway/circuits.py) instead of costing every invoice a time-out.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from gateway import circuits
from gateway.deps import Deps
from gateway.directory.reachability import Finding, Reach, judge, siren_of
from gateway.evidence.ledger import Kept
from gateway.platforms.port import Platform, PlatformError, Unavailable
from gateway.tables import PlatformConnection
from gateway.tables_platforms import DirectoryAnswer

USED_FOR = {
    Reach.REACHABLE: timedelta(hours=1),
    Reach.NOT_YET: timedelta(minutes=15),
    Reach.DISABLED: timedelta(minutes=15),
    Reach.UNKNOWN: timedelta(minutes=15),
    Reach.CANNOT_TELL: timedelta(minutes=1),
}
"""How long an answer stands for a new question. Lines change from one day to the next."""

NO_DIRECTORY = "NO_DIRECTORY"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about an address now."""

    address: str
    finding: Finding
    asked_at: datetime
    kept: Kept | None
    """Question and answer as they were; None when nobody could be asked at all."""

    told_at: datetime | None = None
    """When a directory last said anything certain about it, and what."""

    told: str | None = None

    def data(self) -> dict[str, object]:
        """For an event."""
        return {"address": self.address, "reach": self.finding.reach.value, "asked_at": self.asked_at.isoformat(),
                "others": list(self.finding.others)}


def ask(
    deps: Deps, connection: PlatformConnection, platform: Platform, address: str | None, *, fresh: bool = False
) -> Known:
    """Whether this address is reachable. `fresh` asks again whatever was known."""
    now = deps.now()
    siren = siren_of(address)
    if address is None or siren is None:
        shown = address or "absente"
        return Known(shown, Finding(Reach.CANNOT_TELL, f"L'adresse de l'acheteur ({shown}) n'est pas de celles de "
                                    "l'annuaire français."), now, None)
    known = None if fresh else _recent(deps, connection, address, now)
    if known is not None:
        return known
    if circuits.admit(deps, connection, circuits.DIRECTORY) is not None:
        return Known(address, Finding(Reach.CANNOT_TELL, "L'annuaire ne répond plus ; il est laissé au repos."), now,
                     None)
    finding, raw = _question(deps, connection, platform, address, siren)
    if finding.reach is Reach.CANNOT_TELL and raw is None:
        return Known(address, finding, now, None)
    return _remember(deps, connection, address, finding, raw or "")


def _question(
    deps: Deps, connection: PlatformConnection, platform: Platform, address: str, siren: str
) -> tuple[Finding, str | None]:
    """The finding, and what was said word for word; None when the connection has no directory."""
    try:
        reply = platform.ask_directory(siren)
    except PlatformError as error:
        if error.code == NO_DIRECTORY:
            return Finding(Reach.CANNOT_TELL, "Cette plateforme n'offre pas d'annuaire."), None
        wait = error.retry_after_s if isinstance(error, Unavailable) else None
        circuits.failed(deps, connection, circuits.DIRECTORY, str(error), retry_after_s=wait)
        said = json.dumps({"error": str(error), "evidence": error.evidence}, ensure_ascii=False)
        return Finding(Reach.CANNOT_TELL, f"L'annuaire n'a pas donné de réponse utilisable ({error.code})."), said
    circuits.succeeded(deps, connection, circuits.DIRECTORY)
    return judge(address, reply), reply.raw.decode()


def _recent(deps: Deps, connection: PlatformConnection, address: str, now: datetime) -> Known | None:
    known = last_answer(deps, connection, address)
    if known is None or not timedelta(0) <= now - known.asked_at < USED_FOR[known.finding.reach]:
        return None
    return known


def last_answer(deps: Deps, connection: PlatformConnection, address: str) -> Known | None:
    """The latest answer that is kept, however old."""
    with deps.db.reading(connection.tenant_id) as session:
        row = session.scalar(ANSWER, {"address": address, "connection": connection.id})
    return _known(row) if row is not None else None


ANSWER: Final = select(DirectoryAnswer).where(
    DirectoryAnswer.id == bindparam("address"), DirectoryAnswer.connection_id == bindparam("connection"))


def _remember(deps: Deps, connection: PlatformConnection, address: str, finding: Finding, raw: str) -> Known:
    now = deps.now()
    content = json.dumps({
        "address": address, "asked_at": now.isoformat(), "connection": connection.id, "platform": connection.name,
        "reach": finding.reach.value, "reason": finding.reason, "others": finding.others, "said": raw,
    }, ensure_ascii=False, indent=1).encode()
    kept = Kept("directory", deps.store.put(content).hex, len(content))
    key = {"tenant_id": connection.tenant_id, "id": address, "connection_id": connection.id}
    try:
        with deps.db.transaction(connection.tenant_id) as session:
            row = session.get(DirectoryAnswer, key, with_for_update=True)
            if row is None:
                row = DirectoryAnswer(**key, told_at=None, told=None)
                session.add(row)
            row.asked_at, row.reach, row.reason = now, finding.reach.value, finding.reason
            row.others, row.sha256, row.size = list(finding.others), kept.sha256, kept.size
            if finding.reach is not Reach.CANNOT_TELL:
                row.told_at, row.told = now, finding.reach.value
            session.flush()
            return _known(row)
    except IntegrityError:  # another worker asked at the same time; its row stands, our answer is kept all the same
        return Known(address, finding, now, kept)


def _known(row: DirectoryAnswer) -> Known:
    return Known(row.id, Finding(Reach(row.reach), row.reason, tuple(row.others)), row.asked_at,
                 Kept("directory", row.sha256, row.size), row.told_at, row.told)

"""The seals that vouch for one another, as an auditor would follow them."""

from sqlalchemy import select

from archive.journal import inclusion_proof
from archive.longterm.chain import Link
from gateway.deps import Deps
from gateway.evidence.ledger import LogRows
from gateway.tables import JournalEntry, Seal


def chain_from(deps: Deps, tenant: str, first: Seal) -> list[Link]:
    """The seals that vouch for a seal, each for the one before it, up to the newest."""
    links, seal = [], first
    with deps.db.reading(tenant) as session:
        while True:
            told = session.scalar(select(JournalEntry).where(
                JournalEntry.type == "evidence", JournalEntry.subject == f"log:{seal.log}:{seal.size}"))
            above = None if told is None else session.scalar(select(Seal).where(
                Seal.log == told.log, Seal.size > told.seq, Seal.token.is_not(None)).order_by(Seal.size).limit(1))
            if told is None or above is None:
                return [*links, Link(seal.checkpoint, seal.token or b"")]
            path = inclusion_proof(LogRows(session, tenant, told.log), told.seq, above.size)
            links.append(Link(seal.checkpoint, seal.token or b"", told.line, path))
            seal = above

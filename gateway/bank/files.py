"""Bank files come in: kept as they are, each movement once, however often and in whatever statements banks tell it."""

import uuid
from collections.abc import Iterator, Sequence
from typing import get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.bank import BankStatements, Statement
from formats.errors import FormatError
from gateway.auth import Principal
from gateway.bank.repeats import Name, Told, may_be_one, told_in
from gateway.bank.schemas import BankFileListOut, BankFileOut, State, file_out
from gateway.db import slices
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.problems import Problem
from gateway.record import Change, lock_tenant, record
from gateway.tables_receivables import BankFile, BankMovement

SHOWN = 50
UNREADABLE = {
    "unknown-syntax": "c'est un autre document, ou une autre version",
    "malformed-xml": "il est tronqué ou mal formé",
    "forbidden-doctype": "il contient un DOCTYPE, qu'aucun relevé ne porte",
    "limit-exceeded": "il est trop grand ou trop imbriqué",
    "bad-value": "il y manque un compte, un montant, une devise, un sens ou une date",
}
"""Codes of errors, in French."""

WENT_OUT = "Sortie d'argent : elle ne paie aucune de vos factures. / Money that went out pays none of your invoices."


def take_in(deps: Deps, principal: Principal, document: bytes, name: str) -> BankFileOut:
    """Keep a CAMT.053 file and add its movements that are new. The same bytes again change nothing.

    Problems: 422 bank-file-unreadable, with `reason`, where it is no CAMT.053 or lacks what nobody can guess.
    """
    statements = _read(deps, document)
    digest = deps.store.put(document)
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)  # two files at once: no movement twice
        known = session.scalar(select(BankFile).where(BankFile.sha256 == digest.hex))
        if known is not None:
            return file_out(known, known=True)
        row = BankFile(
            tenant_id=principal.tenant_id, id=str(uuid.uuid4()), sha256=digest.hex, size=len(document),
            name=name[:255], version=statements.version, message_id=statements.message_id[:64],
            received_at=deps.now(), actor=principal.actor, added=0, repeated=0, remarks=[],
            kept_until=None,
        )
        told = [(statement, one) for statement in statements.statements for one in told_in(statement)]
        row.added, row.repeated, doubtful = _add(session, row, told)
        row.remarks = list(_remarks(statements, doubtful))
        session.add(row)
        record(session, principal.tenant_id, Change(
            kind="payment", code="bank-file", actor=principal.actor, subject=f"bank-file:{row.id}",
            reason=f"Relevé {row.name} : {row.added} mouvement(s) nouveau(x), {row.repeated} déjà connu(s). / "
                   f"Statement {row.name}: {row.added} new, {row.repeated} known.",
            data={"file": row.id, "added": row.added, "repeated": row.repeated, "doubtful": doubtful},
            objects=(Kept("bank-file", digest.hex, len(document)),),
        ), now=row.received_at)
        return file_out(row)


def list_files(deps: Deps, tenant_id: str) -> BankFileListOut:
    """The newest files."""
    with deps.db.reading(tenant_id) as session:
        rows = session.scalars(select(BankFile).order_by(BankFile.received_at.desc(), BankFile.id).limit(SHOWN)).all()
    return BankFileListOut(items=[file_out(row) for row in rows])


def _read(deps: Deps, document: bytes) -> BankStatements:
    try:
        return deps.workshop.read_bank_file(document)
    except FormatError as error:
        words = UNREADABLE.get(error.code, "il ne se laisse pas lire")
        raise Problem(422, "bank-file-unreadable", f"Ce fichier n'est pas un relevé CAMT.053 lisible : {words} "
                      f"({error}). / No readable CAMT.053 statement: {error}.", reason=error.code) from error


def _add(session: Session, file: BankFile, told: Sequence[tuple[Statement, Told]]) -> tuple[int, int, int]:
    """Add what is new; how many were, how many were known, and how many of the new ones are doubtful."""
    keys = _known(session, [one.key for _, one in told])
    contents = _contents(session, [one.content for _, one in told])
    names = _named(session, [one.name for _, one in told if one.name is not None and one.key not in keys])
    added = repeated = doubtful = 0
    for statement, one in told:
        if one.key in keys:
            repeated += 1
            continue
        keys.add(one.key)
        others = contents.get(one.content, set())
        alike = names.setdefault(one.name, []) if one.name is not None else []
        doubt = any(not (sure and one.sure) for sure in others) or any(
            place is not statement and may_be_one(end_to_end, one) for place, end_to_end in alike)
        alike.append((statement, one.movement.end_to_end))
        contents.setdefault(one.content, set()).add(one.sure)
        session.add(_row(file, statement, one, doubt=doubt))
        added, doubtful = added + 1, doubtful + doubt
    return added, repeated, doubtful


def _row(file: BankFile, statement: Statement, told: Told, *, doubt: bool) -> BankMovement:
    one = told.movement
    no_matter = one.amount == 0 or (one.amount < 0 and not one.returned)
    return BankMovement(
        tenant_id=file.tenant_id, id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{file.tenant_id}/movement/{told.key}")),
        file_id=file.id, key=told.key, content=told.content, account=statement.account[:64],
        statement=statement.id[:64], amount=one.amount, currency=one.currency, booked_on=one.booked_on,
        value_on=one.value_on, returned=one.returned, reference=_short(one.reference or one.batch_reference),
        end_to_end=_short(one.end_to_end), name=one.name[:255] if one.name else None, iban=_short(one.iban),
        remittance=one.remittance or one.information or "", creditor_reference=_short(one.creditor_reference),
        state="doubtful" if doubt else "aside" if no_matter else "open", decided_at=None, decided_by=None,
        decided_reason=WENT_OUT if no_matter and not doubt else None,
    )


def _short(text: str | None) -> str | None:
    return text[:64] if text else None


def _known(session: Session, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for part in slices(keys):
        found |= set(session.scalars(select(BankMovement.key).where(BankMovement.key.in_(part))))
    return found


def _contents(session: Session, contents: Sequence[str]) -> dict[str, set[bool]]:
    """Of movements with one of these contents: whether the bank named them."""
    found: dict[str, set[bool]] = {}
    for part in slices(contents):
        for content, reference in session.execute(select(BankMovement.content, BankMovement.reference).where(
                BankMovement.content.in_(part))):
            found.setdefault(content, set()).add(reference is not None)
    return found


def _named(session: Session, names: Sequence[Name]) -> dict[Name, list[tuple[Statement | None, str | None]]]:
    """What has one of these names already: of a statement that is not at hand, with its EndToEndId."""
    found: dict[Name, list[tuple[Statement | None, str | None]]] = {}
    days = sorted({day for _, _, _, day, _ in names})
    query = select(BankMovement.account, BankMovement.currency, BankMovement.amount, BankMovement.booked_on,
                   BankMovement.reference, BankMovement.end_to_end).where(BankMovement.state.in_(get_args(State)))
    for part in slices(sorted({reference for *_, reference in names})):
        for row in session.execute(query.where(
                BankMovement.booked_on.between(days[0], days[-1]), BankMovement.reference.in_(part))):
            name = row.account, row.currency, row.amount, row.booked_on, row.reference or ""
            found.setdefault(name, []).append((None, row.end_to_end))
    return found


def _remarks(told: BankStatements, doubtful: int) -> Iterator[str]:
    if not told.statements:
        yield "Aucun relevé dans ce fichier. / No statement in this file."
    for one in told.statements:
        if one.difference:
            yield (f"Relevé {one.id} : les soldes et les mouvements diffèrent de {one.difference}. / "
                   f"Statement {one.id}: balances and movements differ by {one.difference}.")
        if one.pending:
            yield (f"Relevé {one.id} : {one.pending} mouvement(s) seulement annoncé(s), non repris. / "
                   f"Statement {one.id}: {one.pending} only announced, not taken.")
        if one.unsplit:
            yield (f"Relevé {one.id} : {one.unsplit} remise(s) globale(s) sans détail exploitable, en un mouvement. / "
                   f"Statement {one.id}: {one.unsplit} batch(es) without usable details, as one movement each.")
    if doubtful:
        yield (f"{doubtful} mouvement(s) ressemble(nt) à ceux d'autres relevés, sans être sûrement les mêmes : à "
               f"trancher. / {doubtful} look like those of other statements and are not the same for sure: decide.")

"""The open items of a day as a list that the database sorts, narrows and pages: a hundred thousand of them, or fifty.

Its lines are spells of the ledger (receivables/spells.py); the caller brings that up to date first (lines.py). A file
holds what the pages hold, by the same query without its limit. A line has the client's name as its document writes it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, SQLColumnExpression, and_, case, collate, func, or_, select
from sqlalchemy.orm import Session

from gateway.console import words
from gateway.console.owing import ITEMS, Asked, states_of
from gateway.console.queries import PER_PAGE
from gateway.console.sheets import MOST_EXPORTED, Line, Sheet
from gateway.receivables.ageing import CLASSES
from gateway.receivables.spells import in_full, of_hundredths
from gateway.receivables.standing import of_age, on
from gateway.searchable import folded
from gateway.tables import Submission
from gateway.tables_receivables import LedgerSpell as Spell

Query = Select[*tuple[Any, ...]]
Key = tuple[SQLColumnExpression[Any], bool]
"""What lists are sorted by, and whether from the greatest."""

SHOWN: Final = (
    Spell.submission_id, Spell.number, Spell.name, Spell.type_code, Spell.issued_on, Spell.due_date, Spell.currency,
    Spell.exact, Spell.asked, Spell.paid, Spell.taken_off, Spell.balance, Spell.sale,
)
PLAIN: Final[Mapping[str, SQLColumnExpression[Any]]] = {
    "emise": Spell.issued_on, "echeance": Spell.due_date, "montant": Spell.asked, "paye": Spell.paid,
    "avoirs": Spell.taken_off, "reste": Spell.balance,
}
TEXTS: Final[Mapping[str, SQLColumnExpression[str]]] = {
    "numero": Spell.number_key, "client": Spell.name_key, "devise": Spell.currency}


def open_items_sheet(session: Session, asked: Asked, *, whole: bool) -> Sheet:
    """One page of the open items of a day, or the `whole` list; without an order the oldest due date comes first.

    A list that no file may hold (sheets.MOST_EXPORTED) comes without its lines.
    """
    sums = _sums(session, asked)
    total = sum(items for items, _ in sums.values())
    page = min(asked.page, max(1, -(-total // PER_PAGE)))
    if whole:
        rows = _rows(session, asked, total, 0, total) if total <= MOST_EXPORTED else []
    else:
        rows = _rows(session, asked, total, (page - 1) * PER_PAGE, PER_PAGE)
    states = states_of(session, [row.submission_id for row in rows])
    return Sheet(
        name=f"postes-ouverts-{asked.as_of}", columns=ITEMS, page=page, counted=total,
        order=asked.order if any(asked.order.removeprefix("-") == column.key for column in ITEMS) else "",
        lines=[_line(row, asked, states[row.submission_id].text) for row in rows],
        sums=[Line(("Total", *(None,) * 6, currency, *(None,) * 3, rest))
              for currency, (_, rest) in sorted(sums.items())])


def _rows(session: Session, asked: Asked, total: int, first: int, most: int) -> Sequence[Any]:
    """A part of all rows, in the order of the list; one that is nearer to the end is looked for from there."""
    count = min(most, total - first)
    from_end = first > total // 2
    query = _narrowed(select(*SHOWN), asked)
    if asked.order.removeprefix("-") == "etat":
        query = query.join(Submission, and_(Submission.tenant_id == Spell.tenant_id,
                                            Submission.id == Spell.submission_id))
    keys = [key.desc() if downward != from_end else key.asc() for key, downward in _keys(session, asked)]
    rows = session.execute(query.order_by(*keys).limit(count).offset(
        total - first - count if from_end else first)).all()
    return rows[::-1] if from_end else rows


def _keys(session: Session, asked: Asked) -> list[Key]:
    """The column that is asked for, what is empty in it last, and the usual order."""
    name, downward = asked.order.removeprefix("-"), asked.order.startswith("-")
    chosen: list[Key] = []
    if name in PLAIN:
        chosen = [(PLAIN[name], downward)]
    elif name in TEXTS:
        chosen = [(_by_code(session, TEXTS[name]), downward)]
    elif name == "retard":
        late = case((and_(Spell.balance > 0, Spell.due_date < asked.as_of), Spell.due_date))
        chosen = [(late.is_(None), False), (late, not downward)]
    elif name in {"type", "etat"}:
        chosen = [(_types(session) if name == "type" else _states(session), downward)]
    if name == "echeance":
        chosen = [(Spell.due_date.is_(None), False), *chosen]
    return [*chosen, (Spell.listed_on, False), (_by_code(session, Spell.number_key), False),
            (_by_code(session, Spell.submission_id), False)]


def _types(session: Session) -> SQLColumnExpression[Any]:
    """The place of a type of document among their names."""
    names = {code: words.document_type(code or None) for code in session.scalars(select(Spell.type_code).distinct())}
    return case(_places(names), value=Spell.type_code, else_=0)


def _states(session: Session) -> SQLColumnExpression[Any]:
    """The place of an invoice's state among their words."""
    pairs = session.execute(select(Submission.transmission, Submission.lifecycle).distinct())
    names = {(sending, code): words.state_of(sending, code).text for sending, code in pairs}
    return case(*((and_(Submission.transmission == sending, Submission.lifecycle.is_not_distinct_from(code)), place)
                  for (sending, code), place in _places(names).items()), else_=0)


def _places(names: Mapping[Any, str]) -> dict[Any, int]:
    """Of what bears these names, its place in their order; what bears the same is at the same."""
    order = sorted({folded(name) for name in names.values()})
    return {key: order.index(folded(name)) for key, name in names.items()}


def _by_code(session: Session, text: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    """A text in the order of its code points, whatever language a server of PostgreSQL speaks."""
    return collate(text, "C") if session.get_bind().dialect.name == "postgresql" else text


def _line(row: Any, asked: Asked, state: str) -> Line:
    amounts = in_full(row)
    late = (asked.as_of - row.due_date).days if amounts.balance > 0 and row.due_date is not None else 0
    return Line((
        row.number or "Sans numéro", row.name, words.document_type(row.type_code or None), state, row.issued_on,
        row.due_date, late if late > 0 else None, row.currency, amounts.asked, amounts.paid, amounts.taken_off,
        amounts.balance), f"/factures/{row.submission_id}")


def _sums(session: Session, asked: Asked) -> dict[str, tuple[int, Decimal]]:
    """(items, what is left) of each currency."""
    query = _narrowed(select(Spell.currency, func.count(), func.sum(case((Spell.fits, Spell.balance), else_=0))), asked)
    found = {currency: (items, of_hundredths(int(cents)))
             for currency, items, cents in session.execute(query.group_by(Spell.currency))}
    for row in session.execute(_narrowed(select(*SHOWN).where(~Spell.fits), asked)):
        items, rest = found[row.currency]
        found[row.currency] = items, rest + in_full(row).balance
    return found


def _narrowed(query: Query, asked: Asked) -> Query:
    """The query on LedgerSpell narrowed to what the reader asked for."""
    query = query.where(*on(asked.as_of), Spell.is_open)
    if asked.currency:
        query = query.where(Spell.currency == asked.currency)
    if asked.late:
        query = query.where(Spell.balance > 0, Spell.due_date < asked.as_of)
    if asked.age:
        query = query.where(*of_age(CLASSES.index(asked.age), asked.as_of))
    if text := folded(asked.q):
        query = query.where(or_(Spell.name_key.contains(text, autoescape=True),
                                Spell.number_key.contains(text, autoescape=True),
                                Spell.client == text.replace(" ", "")))
    return query

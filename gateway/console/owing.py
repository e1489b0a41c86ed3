"""Who owes what since when, as lists of the console: by client or group of clients, and item by item. Only reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.console import words
from gateway.console.people import Names
from gateway.console.sheets import Column, Kind, Line, Sheet
from gateway.console.templating import client_page
from gateway.db import slices
from gateway.receivables.account import Client, Item
from gateway.receivables.ageing import CLASSES, Aged, Group, itself, totals
from gateway.receivables.analysis import ageing_on
from gateway.searchable import folded
from gateway.tables import Submission
from gateway.tables_reminders import ReminderClient

GROUPS: Mapping[str, str] = {"": "par client", "segment": "par segment", "charge": "par personne chargée"}
"""What the ageing may be grouped by: what the URL says, what the reader sees."""

NO_SEGMENT, NO_OWNER = "(sans segment)", "(personne)"

AGEING = (
    Column("nom", "Client"), Column("siren", "SIREN"), Column("devise", "Devise", Kind.CURRENCY),
    *(Column(key, name, Kind.AMOUNT) for key, name in words.AGES.items()),
    Column("avoirs", "Avoirs", Kind.AMOUNT), Column("total", "Total dû", Kind.AMOUNT),
    Column("penalites", "Pénalités", Kind.AMOUNT), Column("ancienne", "Échu depuis", Kind.DAY),
)
ITEMS = (
    Column("numero", "Numéro"), Column("client", "Client"), Column("type", "Type"), Column("etat", "État"),
    Column("emise", "Émise", Kind.DAY), Column("echeance", "Échéance", Kind.DAY),
    Column("retard", "Jours de retard", Kind.NUMBER), Column("devise", "Devise", Kind.CURRENCY),
    Column("montant", "Montant", Kind.AMOUNT), Column("paye", "Payé", Kind.AMOUNT),
    Column("avoirs", "Avoirs", Kind.AMOUNT), Column("reste", "Reste dû", Kind.AMOUNT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the reader asked for; lives in the URL."""

    as_of: date
    today: date
    q: str = ""
    """Part of a client's name, or a SIREN; of items also part of a number."""

    currency: str = ""
    late: bool = False
    """Only what is past its due date."""

    age: str = ""
    """One of CLASSES: only what is in it."""

    group: str = ""
    """A key of GROUPS."""

    order: str = ""
    page: int = 1

    @property
    def day(self) -> date | None:
        """The day for the URL; None for today."""
        return self.as_of if self.as_of != self.today else None

    def values(self) -> dict[str, Any]:
        """As the parameters of the URL."""
        return {"au": self.day, "q": self.q, "devise": self.currency,
                "retard": "1" if self.late else "", "tranche": self.age, "par": self.group, "tri": self.order,
                "page": self.page if self.page > 1 else ""}


def ageing_sheet(session: Session, asked: Asked, names: Names) -> Sheet:
    """The ageing of a day; without an order the highest amounts past their due date come first.

    The caller brings the lines of the ledger up to date first.
    """
    text = folded(asked.q)
    among = partial(_is_asked, text) if text else None
    found = [row for row in ageing_on(session, asked.as_of, grouping(session, asked.group, names), among)
             if _wanted(row, asked)]
    found.sort(key=lambda row: (row.currency, -row.overdue, -row.balance, row.key))
    columns = AGEING if not asked.group else (
        Column("nom", GROUPS[asked.group].removeprefix("par ").capitalize()), *AGEING[1:])
    lines = [Line(_aged(row, row.name), "" if asked.group else client_page(row.key, asked.day)) for row in found]
    return Sheet(name=f"balance-agee-{asked.as_of}", columns=columns, lines=lines,
                 sums=[Line(_aged(row, "Total")) for row in totals(found)])


def grouping(session: Session, group: str, names: Names) -> Callable[[Client], Group]:
    """Under what each client is counted: itself, its segment, or the person in charge of its cases."""
    if not group:
        return itself
    column = ReminderClient.segment if group == "segment" else ReminderClient.owner
    settled = {key: value for key, value in session.execute(select(ReminderClient.key, column)) if value}
    nobody = NO_SEGMENT if group == "segment" else NO_OWNER
    shown = {value: value if group == "segment" else names.of(value) for value in settled.values()}
    return lambda client: Group(settled.get(client.key, ""), shown.get(settled.get(client.key, ""), nobody))


def items_of(session: Session, found: Sequence[Item], name: str) -> Sheet:
    """These items, which are of one client, as a list in their order, without the column of the client."""
    states = states_of(session, [item.document.id for item in found])
    lines = [Line((
        item.document.number or "Sans numéro", words.document_type(item.document.type_code),
        states[item.document.id].text, item.document.issued_on, item.document.due_date, item.days_late or None,
        item.document.currency, item.stated - item.ended, item.paid, item.credited - item.refunded, item.balance,
    ), f"/factures/{item.document.id}") for item in found]
    rest: dict[str, Decimal] = {}
    for item in found:
        rest[item.document.currency] = rest.get(item.document.currency, Decimal(0)) + item.balance
    sums = [Line(("Total", *(None,) * 5, currency, *(None,) * 3, amount)) for currency, amount in sorted(rest.items())]
    return Sheet(name=name, columns=(ITEMS[0], *ITEMS[2:]), lines=lines, sums=sums)


def states_of(session: Session, ids: Sequence[str]) -> Mapping[str, words.Word]:
    """The one word for each of these invoices today."""
    found: dict[str, words.Word] = {}
    for part in slices(ids):
        query = select(Submission.id, Submission.transmission, Submission.lifecycle).where(Submission.id.in_(part))
        found |= {row.id: words.state_of(row.transmission, row.lifecycle) for row in session.execute(query)}
    return found


def _aged(row: Aged, name: str) -> tuple[Any, ...]:
    return (name or row.key, row.siren, row.currency, *row.parts, row.credits, row.balance, row.claimed, row.oldest)


def _is_asked(text: str, client: Client) -> bool:
    """Whether a folded text names a client: by part of its name, or by its SIREN."""
    return text in folded(client.name) or text.replace(" ", "") == client.siren


def _wanted(row: Aged, asked: Asked) -> bool:
    return ((not asked.currency or row.currency == asked.currency)
            and (not asked.late or row.overdue > 0)
            and (not asked.age or row.parts[CLASSES.index(asked.age)] > 0))

"""What lists of invoices need from the database: filters, pages, money. Only reads.

Amounts are kept as text and summed as Decimal; sums of whole houses are of hundredths (receivables/standing.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from gateway.console import words
from gateway.db import slices
from gateway.receivables.account import Item
from gateway.receivables.ageing import CLASSES, Piece, age_class
from gateway.receivables.documents import Netted, netted_all
from gateway.receivables.spells import in_full
from gateway.receivables.standing import on
from gateway.tables import Event, Payment, Submission
from gateway.tables_receivables import LedgerLine, LedgerSpell

PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the reader asked for; lives in the URL."""

    q: str = ""
    """Part of a number or of a buyer's name, or a SIREN."""

    state: str = ""
    """A key of STATES."""

    entity: str = ""
    since: date | None = None
    until: date | None = None
    """Issue dates, both inclusive."""

    overdue: bool = False
    page: int = 1

    def values(self) -> dict[str, Any]:
        """As the parameters of the URL."""
        return {"q": self.q, "etat": self.state, "entite": self.entity, "du": self.since, "au": self.until,
                "retard": "1" if self.overdue else "", "page": self.page if self.page > 1 else ""}


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice with what is computed about it."""

    invoice: Submission
    paid: Decimal
    outstanding: Decimal
    overdue_days: int
    """Days past the due date while something is owed; 0 otherwise."""

    item: Item | None = None
    """As the ledger has it; None for a credit note that is netted against its invoice."""

    @property
    def word(self) -> words.Word:
        """Its state in one word."""
        return words.state(self.invoice)

    @property
    def settled_by(self) -> str:
        """Why nothing is open, in a word; empty while something is, or for an invoice that asks for nothing."""
        if self.outstanding or self.invoice.transmission == "refused" or self.invoice.lifecycle in words.CLOSED:
            return ""
        if self.item is None or self.item.document.is_credit:
            return ""
        if self.item.replaced_by is not None:
            return "rectifiée"
        return "réglée" if self.paid else "avoir" if self.item.credited else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list."""

    rows: Sequence[Any]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total // PER_PAGE))


def _transmission(*states: str) -> ColumnElement[bool]:
    return Submission.transmission.in_(states)


def _lifecycle(*codes: str) -> ColumnElement[bool]:
    return and_(Submission.lifecycle.in_(codes), Submission.transmission == "deposited")


PORTAL_REFUSES = ("251", "501", "601")
"""Flux 1 rejected, flow inadmissible, compulsory status refused: these may come after everything seemed done."""

STATES: Mapping[str, tuple[str, ColumnElement[bool]]] = {
    "non-envoyee": ("Non envoyées (anomalies)", _transmission("refused")),
    "en-cours": ("En cours d'envoi", _transmission("queued", "held", "sending", "unknown")),
    "decision": ("En attente d'une décision", _transmission("parked", "failed")),
    "deposee": ("Déposées, sans réponse", or_(
        _lifecycle("200", "201", "202", "203", "204", "214"),
        and_(Submission.transmission == "deposited", Submission.lifecycle.is_(None)))),
    "approuvee": ("Approuvées", _lifecycle("205", "209")),
    "litige": ("En litige ou suspendues", _lifecycle("206", "207", "208")),
    "refusee": ("Refusées par l'acheteur", _lifecycle("210")),
    "portail": ("Refusées par le portail public", select(Event.id).where(
        Event.tenant_id == Submission.tenant_id, Event.submission_id == Submission.id, Event.kind == "lifecycle",
        Event.code.in_(PORTAL_REFUSES)).exists()),
    "rejetee": ("Rejetées par une plateforme", or_(_lifecycle("213"), _lifecycle("221"))),
    "payee": ("Paiement transmis ou encaissées", _lifecycle("211", "212")),
    "annulee": ("Annulées", _lifecycle("220")),
}
"""The filters by state: what the URL says, what the reader sees, what the database is asked."""


def chosen(query: Select[Any], wanted: Filter, today: date) -> Select[Any]:
    """`query` on Submission, narrowed to what the filter asks for."""
    if wanted.q:
        text = f"%{escaped(wanted.q)}%"
        query = query.where(or_(
            Submission.number.ilike(text, escape="\\"), Submission.buyer_name.ilike(text, escape="\\"),
            Submission.buyer_siren == wanted.q.replace(" ", ""), Submission.seller_siren == wanted.q.replace(" ", ""),
        ))
    if wanted.state:
        query = query.where(STATES[wanted.state][1] if wanted.state in STATES else false())
    if wanted.entity:
        query = query.where(Submission.legal_entity_id == wanted.entity)
    if wanted.since:
        query = query.where(Submission.issue_date >= wanted.since)
    if wanted.until:
        query = query.where(Submission.issue_date <= wanted.until)
    if wanted.overdue:
        query = query.where(Submission.due_date < today, Submission.id.in_(
            select(LedgerLine.submission_id).where(LedgerLine.is_open.is_(True))))
    return query


def escaped(text: str) -> str:
    """Text for a LIKE with escape character backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def invoices(session: Session, wanted: Filter, today: date, *, per_page: int = PER_PAGE) -> Listing:
    """One page of invoices, newest first.

    Where only the overdue ones are wanted, the caller brings the lines of the ledger up to date first
    (receivables/lines.py).
    """
    total = session.scalar(chosen(select(func.count()).select_from(Submission), wanted, today)) or 0
    newest = (Submission.received_at.desc(), Submission.id.desc())
    query = chosen(select(Submission), wanted, today).order_by(*newest)
    found = session.scalars(query.limit(per_page).offset((wanted.page - 1) * per_page)).all()
    return Listing(with_money(session, found, today), total, wanted.page)


def with_money(session: Session, found: Sequence[Submission], today: date) -> list[InvoiceRow]:
    """These invoices with what was paid and what is late."""
    stands = netted_all(session, found)
    return [money_of(invoice, stands[invoice.id], today) for invoice in found]


def by_id(session: Session, ids: Iterable[str]) -> dict[str, Submission]:
    """Those of these ids that are invoices, each under its id."""
    return {row.id: row for part in slices(sorted(set(ids)))
            for row in session.scalars(select(Submission).where(Submission.id.in_(part)))}


def payments_by_invoice(session: Session, ids: Sequence[str]) -> dict[str, list[Payment]]:
    """The payments of these invoices, in the order they were recorded."""
    grouped: dict[str, list[Payment]] = {}
    for part in slices(ids):
        query = select(Payment).where(Payment.submission_id.in_(part)).order_by(Payment.recorded_at)
        for payment in session.scalars(query):
            grouped.setdefault(payment.submission_id, []).append(payment)
    return grouped


def money_of(invoice: Submission, stands: Netted, today: date) -> InvoiceRow:
    """What is paid, open and late of one invoice."""
    outstanding = stands.asked_for
    late = (today - invoice.due_date).days if invoice.due_date is not None and outstanding > 0 else 0
    return InvoiceRow(invoice, stands.balance.paid, outstanding, max(0, late), stands.item)


@dataclass(frozen=True, slots=True)
class Owing:
    """An invoice of which something is to be received today."""

    id: str
    number: str
    name: str
    currency: str
    outstanding: Decimal
    due_date: date


def due_between(session: Session, today: date, last: date, most: int) -> list[Owing]:
    """The first invoices by due date that something is to be received of and that fall due from today to a day.

    The caller brings the ledger up to date first (receivables/lines.py).
    """
    query = select(LedgerSpell).where(
        *on(today), LedgerSpell.is_open, LedgerSpell.balance > 0, LedgerSpell.listed_on >= today,
        LedgerSpell.listed_on <= last, LedgerSpell.due_date.is_not(None),
    ).order_by(LedgerSpell.listed_on, LedgerSpell.number_key).limit(most)
    return [Owing(row.submission_id, row.number, row.name, row.currency, in_full(row).balance, row.listed_on)
            for row in session.scalars(query)]


@dataclass(frozen=True, slots=True)
class Age:
    """One class of the outstanding amount."""

    name: str
    amount: Decimal
    invoices: int


def ages(pieces: Sequence[Piece], today: date) -> list[Age]:
    """What these ask for, which are of one currency and no credits, by lateness."""
    found: dict[str, list[Piece]] = {name: [] for name in CLASSES}
    for piece in pieces:
        found[CLASSES[age_class(piece.days_late(today))]].append(piece)
    return [Age(words.AGES[name], sum((one.balance for one in its), Decimal(0)), sum(one.items for one in its))
            for name, its in found.items()]


def this_week(today: date) -> date:
    """The last day of the week ahead: seven days, today included."""
    return today + timedelta(days=6)

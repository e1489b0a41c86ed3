"""Movements with what they probably pay, why, and what only a person can answer. Reads, changes nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from gateway.bank.finding import items_for
from gateway.bank.matching import Book, Findings, Money, OpenItem, book_of, find
from gateway.bank.schemas import MOST_PARTS, MovementListOut, MovementOut, PartOut, ProposalOut, movement_out
from gateway.deps import Deps
from gateway.problems import not_found
from gateway.receivables.account import Item, client_of
from gateway.receivables.lines import as_kept, catch_up, client_hash
from gateway.tables import Submission
from gateway.tables_receivables import BankAllocation, BankMovement

NOTHING = Decimal(0)
WHY: Mapping[str, str] = {
    "reference": "numéro de facture dans le libellé / invoice number in the text",
    "exact": "montant exact / exact amount",
    "sum": "somme exacte de plusieurs factures / exact sum of several invoices",
    "partial": "moins que le dû / less than is due",
    "shortfall": "écart de 3 % au plus : escompte ou frais ? / at most 3 % short: discount or charges?",
    "over": "plus que le dû : trop-perçu à décider / more than is due: decide on the rest",
    "account": "compte déjà vu pour ce client / account seen before for this client",
    "name": "nom du payeur proche / similar name",
    "only-amount": "seule facture de ce montant / the only invoice of this amount",
    "oldest": "les plus anciennes d'abord / the oldest first",
    "takes-back": "annule un mouvement rapproché / takes back an allocated movement",
}
DOUBT = ("Un autre relevé dit un mouvement semblable, que la banque ne distingue pas sûrement : est-ce le même ? / "
         "Another statement tells one like it, which the bank does not tell apart for sure: is it the same?")
FOREIGN = ("Le libellé nomme une facture dans une autre devise : à traiter par une personne. / "
           "The text names an invoice in another currency: a person must deal with it.")
SETTLED = ("Le libellé nomme une facture déjà soldée : double paiement ? / The text names an invoice that is settled: "
           "paid twice?")
RETURNED = ("Argent repris : retirez le paiement de la facture qu'il avait soldée. / Money taken back: take it off the "
            "invoice that it had paid.")
GIVEN_BACK = ("Retour d'une de vos sorties d'argent : il ne paie sans doute aucune facture. / One of your own "
              "payments came back: it probably pays no invoice.")
UNKNOWN = "Rien ne dit ce que ce mouvement paie. / Nothing tells what this movement pays."


@dataclass(frozen=True, slots=True)
class Ground:
    """What matching goes by, read once for a page of movements."""

    book: Book
    allocations: Mapping[str, Sequence[BankAllocation]]
    numbers: Mapping[str, str]


def movements(
    deps: Deps, tenant_id: str, *, state: str = "open", before: str | None = None, limit: int = 50,
    file_id: str | None = None,
) -> MovementListOut:
    """Movements in a state, newest first, with proposals where they are open. Problem 404: no such `before`."""
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        query = select(BankMovement).where(BankMovement.state == state)
        if file_id is not None:
            query = select(BankMovement).where(BankMovement.file_id == file_id)
        if before is not None:
            last = movement_of(session, tenant_id, before)
            query = query.where(or_(BankMovement.booked_on < last.booked_on, and_(
                BankMovement.booked_on == last.booked_on, BankMovement.id < last.id)))
        rows = session.scalars(query.order_by(BankMovement.booked_on.desc(), BankMovement.id.desc())
                               .limit(limit + 1)).all()
        shown = rows[:limit]
        ground = ground_of(session, shown)
        items = [_shown(row, ground, _taken_back(session, row)) for row in shown]
    return MovementListOut(items=items, next=shown[-1].id if len(rows) > limit else None)


def movement(deps: Deps, tenant_id: str, movement_id: str) -> MovementOut:
    """One movement. Problem 404."""
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        row = movement_of(session, tenant_id, movement_id)
        return _shown(row, ground_of(session, [row]), _taken_back(session, row))


def movement_of(session: Session, tenant_id: str, movement_id: str) -> BankMovement:
    """The movement with this id. Problem 404."""
    row = session.get(BankMovement, (tenant_id, movement_id))
    if row is None:
        raise not_found()
    return row


def allocations_of(session: Session, movement_id: str) -> Sequence[BankAllocation]:
    """What was allocated of a movement."""
    return session.scalars(select(BankAllocation).where(BankAllocation.movement_id == movement_id)
                           .order_by(BankAllocation.at, BankAllocation.id)).all()


def left_of(row: BankMovement, allocations: Sequence[BankAllocation]) -> Decimal:
    """What of a movement is not allocated, with two decimals where these hold it: banks may write five."""
    return as_kept(row.amount - sum((one.amount for one in allocations), NOTHING))


def ground_of(session: Session, rows: Sequence[BankMovement]) -> Ground:
    """What the movements of a page are matched with."""
    grouped: dict[str, list[BankAllocation]] = defaultdict(list)
    for one in session.scalars(select(BankAllocation).where(
            BankAllocation.movement_id.in_([row.id for row in rows])).order_by(BankAllocation.at, BankAllocation.id)):
        grouped[one.movement_id].append(one)
    ids = {one.submission_id for found in grouped.values() for one in found}
    numbers = {row_id: number or "" for row_id, number in session.execute(
        select(Submission.id, Submission.number).where(Submission.id.in_(ids)))}
    wanted = [money for row in rows if (money := money_of(row, grouped[row.id])) is not None]
    return Ground(book_for(session, wanted), grouped, numbers)


def book_for(session: Session, wanted: Sequence[Money]) -> Book:
    """What these are matched with. Needs lines that are up to date (receivables/lines.py)."""
    seen = payers_of(session, wanted)
    return book_of(items_for(session, wanted, seen.values()), seen)


def payers_of(session: Session, moneys: Sequence[Money]) -> dict[str, str]:
    """The clients of the accounts that these came from and that were seen before, by IBAN, named as lines name them."""
    return {iban: client_hash(client) for iban, client in clients_of_accounts(
        session, {one.iban for one in moneys if one.iban}).items()}


def money_of(row: BankMovement, allocations: Sequence[BankAllocation]) -> Money | None:
    """What is matched of a movement; None where nothing is to be."""
    left = left_of(row, allocations)
    return None if row.state != "open" or left <= 0 else money_for(row, left)


def money_for(row: BankMovement, left: Decimal) -> Money:
    """A movement as matching looks at it, as far as it is not allocated."""
    return Money(amount=left, currency=row.currency, name=row.name, iban=row.iban, texts=texts_of(row))


def texts_of(row: BankMovement) -> tuple[str, ...]:
    """What the payer wrote."""
    return tuple(text for text in (row.remittance, row.creditor_reference, row.end_to_end) if text)


def open_item_of(item: Item) -> OpenItem:
    """An item as matching looks at it."""
    one = item.document
    return OpenItem(id=one.id, number=one.number, client=one.client.key, name=one.client.name, currency=one.currency,
                    balance=item.balance, due_date=one.due_date)


def clients_of_accounts(session: Session, ibans: set[str]) -> dict[str, str]:
    """The client of each of these accounts, where earlier movements of it were allocated to one client only."""
    found: dict[str, set[str]] = defaultdict(set)
    query = (select(BankMovement.iban, Submission.buyer_siren, Submission.buyer_name)
             .join(BankAllocation, and_(BankAllocation.tenant_id == BankMovement.tenant_id,
                                        BankAllocation.movement_id == BankMovement.id))
             .join(Submission, and_(Submission.tenant_id == BankAllocation.tenant_id,
                                    Submission.id == BankAllocation.submission_id))
             .where(BankMovement.iban.in_(ibans)).distinct())
    for iban, siren, name in session.execute(query):
        found[iban or ""].add(client_of(siren, name).key)
    return {iban: clients.pop() for iban, clients in found.items() if len(clients) == 1}


def _taken_back(session: Session, row: BankMovement) -> Sequence[BankAllocation]:
    """Of money that is taken back: the allocations of the one movement that it surely reverses."""
    if row.amount >= 0 or not row.returned or row.state != "open":
        return ()
    same = [BankMovement.account == row.account, BankMovement.currency == row.currency,
            BankMovement.state == "matched", BankMovement.booked_on <= row.booked_on]
    names = [column == value for column, value in (
        (BankMovement.end_to_end, row.end_to_end), (BankMovement.reference, row.reference)) if value]
    if not names:
        return ()
    found = [one for one in session.scalars(select(BankMovement).where(*same, or_(*names)))
             if one.amount == -row.amount]
    return allocations_of(session, found[0].id) if len(found) == 1 else ()


def _shown(row: BankMovement, ground: Ground, taken_back: Sequence[BankAllocation]) -> MovementOut:
    allocations = ground.allocations.get(row.id, ())
    left = left_of(row, allocations)
    parts = [PartOut(invoice_id=one.submission_id, number=ground.numbers.get(one.submission_id, ""),
                     claim_id=one.claim_id, amount=format(one.amount, "f")) for one in allocations]
    money = money_of(row, allocations)
    findings = Findings(()) if money is None else find(money, ground.book)
    proposals = [ProposalOut(
        parts=[PartOut(invoice_id=item.id, number=item.number, claim_id=None, amount=format(amount, "f"))
               for item, amount in one.parts],
        left=format(one.left, "f"), score=one.score, reasons=list(one.reasons), why=_why(one.reasons),
    ) for one in findings.proposals if len(one.parts) <= MOST_PARTS]
    if taken_back:
        proposals.append(ProposalOut(
            parts=[PartOut(invoice_id=one.submission_id, number="", claim_id=one.claim_id,
                           amount=format(-one.amount, "f")) for one in taken_back],
            left="0", score=90, reasons=["takes-back"], why=_why(("takes-back",))))
    return movement_out(row, left, parts, proposals, _question(row, findings, found=bool(proposals)))


def _why(reasons: Sequence[str]) -> str:
    french, english = zip(*(WHY[reason].split(" / ") for reason in reasons), strict=True)
    return f"{', '.join(french)} / {', '.join(english)}"


def _question(row: BankMovement, findings: Findings, *, found: bool) -> str | None:
    if row.state == "doubtful":
        return DOUBT
    if row.state != "open":
        return None
    if findings.other_currency:
        return FOREIGN
    if findings.settled:
        return SETTLED
    if row.amount < 0:
        return RETURNED
    if row.returned:
        return GIVEN_BACK
    return None if found else UNKNOWN


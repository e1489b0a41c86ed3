"""Checking on demand what is kept, with progress and in words for people: one invoice, or everything of a tenant.

The same computations as `passerelle verify --all` (gateway/evidence/trust.py); here each kind of evidence becomes one
point, which says what was done, on how much, and with which result. What is NOT checked: what lies outside this house,
and whether a certificate was revoked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.journal import Row, check, inclusion_proof, leaf_hash, read_entry, verify_inclusion
from archive.store import Digest
from archive.timestamp import verify
from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.evidence.former import believed, read_signed
from gateway.evidence.ledger import LogRows, row_of
from gateway.evidence.named import destroyed, named
from gateway.evidence.trust import event_faults, seal_fault, tells, unjournaled
from gateway.tables import Document, Event, JournalEntry, Seal

Tell = Callable[[str, int, int], None]
"""(step in French, done, total): called often; whoever listens decides how often it is written down."""

SPOILT = (ArchiveError, ValueError, TypeError, KeyError)
"""What reading evidence raises when it is not what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One kind of evidence, checked."""

    title: str
    text: str
    """What was found, in a sentence."""

    checked: int
    faults: tuple[str, ...] = ()
    waiting: int = 0
    """How many could not be checked to the end yet: not sealed, or not timestamped."""


def check_invoice(deps: Deps, tenant_id: str, invoice_id: str, tell: Tell) -> list[Point]:
    """Everything kept about one invoice: documents, journal, seals, timestamps."""
    with deps.db.reading(tenant_id) as session:
        documents = session.scalars(select(Document).where(Document.submission_id == invoice_id)).all()
        entries = session.scalars(select(JournalEntry).where(JournalEntry.subject == invoice_id)
                                  .order_by(JournalEntry.log, JournalEntry.seq)).all()
        events = session.scalars(select(Event).where(Event.submission_id == invoice_id)).all()
        total = len(documents) + 2 * len(entries)
        kept = _objects(deps, [(row.sha256, row.name) for row in documents], destroyed(session),
                        lambda done: tell("Lecture des pièces conservées", done, total))
        told = _entries(entries, {event.id: event for event in events})
        sealed = _sealed(deps, session, tenant_id, entries,
                         lambda done: tell("Vérification des preuves", len(documents) + len(entries) + done, total))
    tell("Contrôle terminé", total, total)
    return [kept, told, *sealed]


def check_tenant(deps: Deps, tenant_id: str, tell: Tell) -> list[Point]:
    """Every log, seal, event and object of a tenant."""
    with deps.db.reading(tenant_id) as session:
        digests = sorted(named(session))
        entries = session.scalar(select(func.count()).select_from(JournalEntry)) or 0
        total = 2 * entries + len(digests)
        names = sorted({*session.scalars(select(JournalEntry.log).distinct()),
                        *session.scalars(select(Seal.log).distinct())})
        journal: list[str] = []
        seals: list[str] = []
        done = stamped = unstamped = 0
        for name in names:
            rows = LogRows(session, tenant_id, name)
            try:
                size, _ = check(_counted(rows.all(), partial(_tell_log, tell, name, done, total)))
            except SPOILT as error:
                journal.append(f"Journal {name} : {error}")
                continue
            done += size
            for seal in session.scalars(select(Seal).where(Seal.log == name).order_by(Seal.size)).all():
                seals += [fault] if (fault := seal_fault(deps, seal, rows)) else []
                stamped, unstamped = stamped + (seal.token is not None), unstamped + (seal.token is None)
            tell(f"Événements du journal {name}", done, total)
            journal += event_faults(session, tenant_id, rows)
            done += size
        journal += unjournaled(session)
        gone = destroyed(session)
    kept = _objects(deps, [(sha256, "") for sha256 in digests], gone,
                    lambda n: tell("Lecture des pièces conservées", 2 * entries + n, total))
    tell("Contrôle terminé", total, total)
    return [
        kept,
        Point(title="Journal d'audit", checked=entries, faults=tuple(journal), text=(
            "Chaque écriture donne l'empreinte inscrite, aucune ne manque, n'a été ajoutée ni déplacée, et chaque "
            "événement dit ce que son écriture dit.")),
        Point(title="Scellements et horodatages", checked=stamped, waiting=unstamped, faults=tuple(seals), text=(
            "Chaque point de contrôle est signé par ce service, correspond au journal et porte un jeton de l'autorité "
            "d'horodatage attendue.")),
    ]


def _objects(deps: Deps, wanted: list[tuple[str, str]], gone: set[str], tell: Callable[[int], None]) -> Point:
    faults, ended = [], sum(sha256 in gone for sha256, _ in wanted)
    for number, (sha256, name) in enumerate(wanted):
        tell(number)
        if sha256 in gone:
            continue
        try:
            deps.store.control(Digest(sha256))
        except ArchiveError as error:
            faults.append(f"{name or 'Objet'} ({sha256[:16]}…) : {_why(error)}")
    text = "Chaque fichier a été relu en entier et donne exactement l'empreinte (SHA-256) inscrite lors de son dépôt."
    if ended:
        text += (f" Pièces détruites à la fin de leur durée de conservation, sous certificat : {ended} ; leur "
                 "empreinte et les écritures qui les nomment restent.")
    return Point(title="Pièces conservées", checked=len(wanted) - ended, faults=tuple(faults), text=text)


def _why(error: ArchiveError) -> str:
    return {"object-missing": "le fichier manque", "object-damaged": "le contenu n'est plus celui qui a été déposé",
            }.get(error.code, f"le stockage ne répond pas ({error.code})")


def _entries(entries: Iterable[JournalEntry], events: dict[str, Event]) -> Point:
    faults, seen = [], set()
    for row in entries:
        where = f"Écriture n° {row.seq} du journal {row.log}"
        try:
            _, entry = read_entry(row.line)
            seen.add(entry.cause)
            event = events.get(entry.cause)
            if leaf_hash(row.line) != row.leaf:
                faults.append(f"{where} : son texte a été modifié")
            elif event is None:
                faults.append(f"{where} : l'événement qu'elle prouve a disparu")
            elif not tells(event, entry):
                faults.append(f"{where} : l'événement affiché ne dit pas ce qu'elle prouve")
        except SPOILT as error:
            faults.append(f"{where} : illisible ({error})")
    faults += [f"Événement {event.id} : aucune écriture ne le prouve" for event in events.values()
               if event.id not in seen]
    return Point(title="Écritures du journal", checked=len(list(entries)), faults=tuple(faults), text=(
        "Chaque étape affichée est inscrite au journal d'audit, avec la même date, le même auteur et la même pièce ; "
        "aucune écriture n'a été modifiée."))


def _sealed(
    deps: Deps, session: Session, tenant_id: str, entries: Iterable[JournalEntry], tell: Callable[[int], None]
) -> list[Point]:
    proofs, stamps, ends = [], [], []
    waiting = proved = 0
    seals: dict[tuple[str, int], Seal] = {}
    for number, row in enumerate(entries):
        tell(number)
        seal = session.scalar(select(Seal).where(Seal.log == row.log, Seal.size > row.seq, Seal.token.is_not(None))
                              .order_by(Seal.size.desc()).limit(1))
        if seal is None:
            waiting += 1
            continue
        proved += 1
        seals[seal.log, seal.size] = seal
        try:
            checkpoint = read_signed(deps, seal.tenant_id, seal.checkpoint)
            path = inclusion_proof(LogRows(session, tenant_id, row.log), row.seq, seal.size)
            verify_inclusion(leaf_hash(row_of(row).line), row.seq, seal.size, path, checkpoint.root)
        except (*SPOILT, LookupError) as error:
            proofs.append(f"Écriture n° {row.seq} du journal {row.log} : {error}")
    for seal in seals.values():
        try:
            stamp = verify(seal.token or b"", seal.checkpoint, believed(deps, tenant_id))
            ends.append(f"le {stamp.at.astimezone(PARIS):%d/%m/%Y à %H:%M:%S} par {stamp.authority}")
        except SPOILT as error:
            stamps.append(f"Scellement de {seal.size} écritures du journal {seal.log} : {error}")
    return [
        Point(title="Scellements", checked=proved, waiting=waiting, faults=tuple(proofs), text=(
            "Le calcul montre que chaque écriture fait partie d'un journal signé par ce service : elle n'a pu être ni "
            "changée ni ajoutée depuis.")),
        Point(title="Horodatages", checked=len(seals), faults=tuple(stamps), text=(
            "Une autorité d'horodatage extérieure a daté l'état du journal"
            + (f" : {' ; '.join(sorted(ends))}." if ends else "."))),
    ]


def _tell_log(tell: Tell, name: str, before: int, total: int, done: int) -> None:
    tell(f"Journal {name}", before + done, total)


def _counted(rows: Iterator[Row], tell: Callable[[int], None]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % 1000 == 0:
            tell(number)
        yield row

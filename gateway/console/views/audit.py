"""Journal d'audit: who did what, when, on what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from gateway.auth import Permission
from gateway.console import (
    attention,
    audit,
    people,
    saved,
    searching,
    words,
)
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.sheets import MOST_EXPORTED, Column, Kind, Line, Sheet, as_csv
from gateway.console.views import alarms, proofs, retention
from gateway.console.views.invoices import day
from gateway.evidence import looks

router = APIRouter(route_class=Page, include_in_schema=False)
router.include_router(alarms.router)
router.include_router(retention.router)
router.include_router(proofs.router)  # before the entries, whose path is any two words
Reading = Annotated[Visit, Sees(Permission.AUDIT_READ)]
Keeping = Annotated[Act, Does(Permission.AUDIT_READ)]
COLUMNS = (
    Column("position", "Position", Kind.NUMBER), Column("heure", "Heure (UTC)"),
    Column("plateforme", "Heure de la plateforme (UTC)"), Column("qui", "Qui"), Column("type", "Type"),
    Column("code", "Code"), Column("libelle", "Libellé"), Column("facture", "Facture"), Column("motif", "Motif"),
    Column("objet", "Objet (SHA-256)"), Column("empreinte", "Empreinte de l'entrée"),
)
"""Of the file. Times to the microsecond, as the journal has them."""


def asked(
    *, q: str = "", qui: str = "", type: str = "", statut: str = "", du: str = "", au: str = "",  # noqa: A002 - the word in the URL
    avant: str = "", apres: str = "",
) -> searching.Search:
    """The search that the URL asks for; what makes no sense is left out."""
    return searching.Search(
        q=q.strip()[:200], actor=qui.strip()[:100], kind=type if type in words.KINDS else "",
        status=statut if statut.isdecimal() and len(statut) == 3 else "", since=day(du), until=day(au),
        before=cursor(avant), later=cursor(apres) if not avant else None,
    )


def cursor(text: str) -> searching.Cursor | None:
    """A place in the journal as the URL has it; None for what is none."""
    at, _, position = text.replace(" ", "+").partition("~")
    try:
        found = searching.Cursor(datetime.fromisoformat(at), int(position[:18]))
    except ValueError:
        return None
    return found if found.at.tzinfo is not None else None


Asked = Annotated[searching.Search, Depends(asked)]


@router.get("/journal")
def show_journal(visit: Reading, search: Asked) -> Response:
    """One page of the journal, and how far it is sealed."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        names = people.names(session)
        listing = audit.search(session, search, names)
        sealing = attention.sealing(session)
        kept = saved.searches(session, visit.principal)
    looks.at_list(visit.deps, visit.principal, looks.JOURNAL_SEARCHED, "journal", **search.values())
    return visit.draw("journal.html", listing=listing, asked=search, names=names, sealing=sealing, kept=kept)


@router.get("/journal/{log}/{seq}")
def show_entry(visit: Reading, log: str, seq: Annotated[int, Path(ge=0, le=(1 << 63) - 1)]) -> Response:
    """One entry: its text, its hash, the seal over it."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        found = audit.get_entry(session, visit.principal.tenant_id, log, seq)
        names = people.names(session)
    looks.at_list(visit.deps, visit.principal, looks.VIEWED, "journal", entry=f"{log}/{seq}")
    return visit.draw("entree.html", found=found, names=names)


@router.get("/journal.csv")
def export_journal(visit: Reading, search: Asked) -> Response:
    """Exactly what is shown, all pages, as CSV. Times are UTC."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        names = people.names(session)
        listing = list(audit.everything(session, search, names, MOST_EXPORTED + 1))
    answer = as_csv(Sheet(name="journal", columns=COLUMNS, lines=[Line((
        line.event.position, line.event.at.isoformat(),
        line.event.platform_at.isoformat() if line.event.platform_at else "", names.author(line.event),
        line.event.kind, line.event.code, words.happening(line.event).text,
        line.invoice.number if line.invoice is not None else line.event.data.get("subject", ""),
        line.event.reason, line.event.sha256, line.leaf)) for line in listing]))
    looks.at_list(visit.deps, visit.principal, looks.JOURNAL_EXPORTED, "journal", **search.values())
    return answer


@router.post("/journal/recherches")
def keep_search(act: Keeping) -> Response:
    """Keep what is searched for under a name of one's own."""
    with act.deps.db.transaction(act.principal.tenant_id) as session:
        kept = saved.keep(session, act.principal, act.text("nom"), act.text("recherche"), act.deps.now())
    return go(f"/journal?{act.text('recherche')}" if kept else "/journal", "recherche" if kept else None)


@router.post("/journal/recherches/{search_id}/oublier")
def forget_search(act: Keeping, search_id: str) -> Response:
    """Keep a search no longer."""
    with act.deps.db.transaction(act.principal.tenant_id) as session:
        saved.forget(session, act.principal, search_id)
    return go("/journal", "oubliee")

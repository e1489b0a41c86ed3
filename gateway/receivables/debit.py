"""The debit document: what is claimed for lateness on an invoice, on paper, with every step of the interest.

Drawn from the journaled claims each time it is asked for; nothing is kept of it. Written in French, since what it asks
for is French law between companies in France; English stands beside where a word is a term.
"""

import json
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency
from sqlalchemy.orm import Session

from formats.errors import FormatError
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.receivables.claiming import FEE, INDEMNITY, INTEREST, ClaimState, claims_on
from gateway.receivables.entering import invoice_of
from gateway.tables import LegalEntity, Submission

NAMES = {INDEMNITY: "Indemnité forfaitaire de recouvrement", INTEREST: "Intérêts de retard",
         FEE: "Frais de recouvrement"}
BY_LAW = ("Ces sommes sont dues de plein droit, sans qu'un rappel soit nécessaire (articles L441-10, II et D441-5 du "
          "Code de commerce). Elles sont hors du champ de la TVA et s'ajoutent à ce qui reste dû de la facture.")


def debit_document(deps: Deps, tenant_id: str, submission_id: str) -> bytes:
    """PDF/A-2b. Problems: 404; 422 nothing-claimed where no claim is open; 503 not-drawn."""
    today = deps.today()
    with deps.db.reading(tenant_id) as session:
        submission = invoice_of(session, tenant_id, submission_id)
        states = [state for state in claims_on(session, submission_id, today) if state.outstanding > 0]
        if not states:
            raise Problem(422, "nothing-claimed", "Aucune pénalité n'est réclamée et due pour cette facture. / Nothing "
                          "is claimed and open for this invoice.")
        page = _page(session, submission, states, today)
    try:
        return deps.workshop.draw_letter(page)
    except FormatError as error:
        raise Problem(503, "not-drawn", f"Le document n'a pas pu être dessiné : {error}. / Not drawn.") from error


def _page(session: Session, submission: Submission, states: list[ClaimState], today: date) -> bytes:
    """What Workshop.draw_letter wants: every text ready to print."""
    entity = session.get(LegalEntity, (submission.tenant_id, submission.legal_entity_id or ""))
    company = (entity.name if entity else submission.seller_name) or ""
    address = entity.address if entity else {}
    town = f"{address.get('post_code', '')} {address.get('city', '')}".strip()
    place, day = address.get("city") or "", format_date(today, "d MMMM y", locale="fr")
    steps = [row for state in states for row in _steps(state)]
    totals: dict[str, Decimal] = {}
    for state in states:
        totals[state.row.currency] = totals.get(state.row.currency, Decimal(0)) + state.outstanding
    return json.dumps({
        "lang": "fr", "day": today.isoformat(), "company": company,
        "subject": f"Pénalités de retard, facture {submission.number or ''}", "sending": "",
        "sender": [line for line in (company, address.get("line_1"), town) if line],
        "recipient": [line for line in (submission.buyer_name, submission.buyer_siren and
                                        f"SIREN {submission.buyer_siren}") if line],
        "place": f"{place}, le {day}" if place else f"Le {day}",
        "paragraphs": [_opening(submission), BY_LAW],
        "rows": [*((NAMES[state.row.kind], _money(state.outstanding, state.row.currency)) for state in states),
                 *((f"Total à payer, en {currency}", _money(total, currency)) for currency, total in totals.items())],
        "before": [], "pays": [], "after": [{"title": "Détail des intérêts", "heads": [], "rows": steps, "total": []}]
        if steps else [],
        "closing": "Veuillez agréer, Madame, Monsieur, l'expression de nos salutations distinguées.",
        "signature": [line for line in (entity.contact_name if entity else None, company) if line],
    }).encode()


def _opening(submission: Submission) -> str:
    due = format_date(submission.due_date, "d MMMM y", locale="fr") if submission.due_date else ""
    return (f"Votre facture {submission.number or ''} était à payer le {due}. Le retard donne lieu aux sommes que "
            "voici, dont le reçu est déjà déduit.")


def _steps(state: ClaimState) -> list[tuple[str, str, str, str]]:
    """The segments of claimed interest: period, days, base and rate, amount."""
    rows = [(f"{_day(part['first_day'])} au {_day(part['last_day'])}", f"{part['days']} j / {part['year']}",
             f"{_money(Decimal(part['base']), state.row.currency)} à {part['rate'].replace('.', ',')} %",
             _money(Decimal(part["amount"]), state.row.currency)) for part in state.row.basis.get("segments", ())]
    before = Decimal(state.row.basis.get("claimed_before", "0"))
    if before:
        rows.append(("Déjà réclamé", "", "", _money(-before, state.row.currency)))
    return rows


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "dd/MM/y", locale="fr")


def _money(amount: Decimal, currency: str) -> str:
    return format_currency(amount, currency, locale="fr")

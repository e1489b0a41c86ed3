"""The reliable audit trail (piste d'audit fiable, CGI art. 289 VII 1°) of one invoice. Pure: rows in, texts out.

What links it to an order, a delivery and its payment, what the dossier holds of each link, and what is missing.
A link that the invoice merely names (an order number) is said to be named, not proved: the order itself is not here.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from archive.dossier.telling import Step
from gateway.clock import day_in_france
from gateway.lifecycle.wording import label_of
from gateway.tables import Document, Event, Payment, Submission

HEADS = ("Étape", "Référence", "Date", "Preuve", "Constat")
NAMED_ONLY = "nommée par la facture"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def steps_of(
    submission: Submission, links: Mapping[str, str], documents: Sequence[tuple[str, Document]],
    events: Sequence[Event], payments: Sequence[Payment],
) -> tuple[Step, ...]:
    """The links of the trail, in the order of the business. `documents`: file name in the dossier, and row."""
    files = {row.sha256: name for name, row in documents}
    return (
        *_before(links),
        _invoice(submission, documents),
        *_statuses(events, files),
        *_reminders(documents),
        *(_payment(payment, documents) for payment in payments),
    )


def missing_in(
    submission: Submission, links: Mapping[str, str], events: Sequence[Event], due: Decimal,
) -> tuple[str, ...]:
    """What an inspector would ask for and the dossier cannot show, one French sentence each; `due`: what is owed."""
    codes = {event.code for event in events if event.kind == "lifecycle"}
    lacks = []
    if "BT-13" not in links and "BT-12" not in links:
        lacks.append("Commande : la facture ne nomme ni commande (BT-13) ni contrat (BT-12).")
    if not links.keys() & {"BT-15", "BT-16", "BT-72", "BT-73", "BT-74"}:
        lacks.append("Livraison : ni bon de livraison (BT-16), ni réception (BT-15), ni date (BT-72).")
    if submission.transmission != "deposited":
        lacks.append(f"Transmission : la facture n'est pas déposée ({submission.transmission}).")
    if not codes:
        lacks.append("Statuts : aucun statut n'est revenu de la plateforme.")
    if submission.total is not None and due > 0:
        lacks.append(f"Paiement : il reste {due} {submission.currency or 'EUR'} sans paiement enregistré.")
    return tuple(lacks)


def as_csv(steps: Sequence[Step], missing: Sequence[str]) -> bytes:
    """The trail as a table for a spreadsheet: UTF-8 with its mark, semicolons, no cell that could be a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADS)
    for step in steps:
        writer.writerow(map(plain, (step.stage, step.reference, step.at, step.proof, step.remark)))
    for lack in missing:
        stage, _, remark = lack.partition(" : ")
        writer.writerow(map(plain, (stage, "", "", "", f"manque : {remark}")))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a number stays one, also below zero."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell


def _before(links: Mapping[str, str]) -> Iterator[Step]:
    for term, stage in (("BT-12", "Contrat"), ("BT-13", "Commande"), ("BT-16", "Bon de livraison"),
                        ("BT-15", "Avis de réception")):
        if term in links:
            yield Step(stage, links[term], proof=term, remark=NAMED_ONLY)
    if "BT-72" in links:
        yield Step("Livraison", "", links["BT-72"], "BT-72", NAMED_ONLY)
    if links.keys() & {"BT-73", "BT-74"}:
        yield Step("Période facturée", "", f"{links.get('BT-73', '')} – {links.get('BT-74', '')}", "BT-73, BT-74",
                   NAMED_ONLY)


def _invoice(submission: Submission, documents: Sequence[tuple[str, Document]]) -> Step:
    files = [name for name, row in documents if row.role in {"original", "sent"}]
    told = "conforme aux règles" if submission.verdict == "valid" else f"verdict : {submission.verdict}"
    return Step("Facture", submission.number or submission.id, _day(submission.issue_date), ", ".join(files), told)


def _statuses(events: Sequence[Event], files: Mapping[str, str]) -> Iterator[Step]:
    for event in events:
        proof = files.get(event.sha256 or "", "écriture du journal")
        if event.kind == "lifecycle":
            at = day_in_france(event.platform_at or event.at)
            yield Step(f"Statut {event.code}", label_of(event.code) or event.code, _day(at), proof)
        elif (event.kind, event.code) == ("transmission", "deposited"):
            yield Step("Transmission", "Déposée à la plateforme", _day(day_in_france(event.at)), proof)


def _reminders(documents: Sequence[tuple[str, Document]]) -> Iterator[Step]:
    for name, row in documents:
        if row.role == "reminder":
            yield Step("Relance", "", _day(day_in_france(row.at)), name)


def _payment(payment: Payment, documents: Sequence[tuple[str, Document]]) -> Step:
    proof = next((name for name, row in documents if row.role == "payment" and payment.id in row.name),
                 "écriture du journal")
    stage = "Paiement" if payment.amount > 0 else "Annulation de paiement"
    return Step(stage, f"{payment.amount} {payment.currency}", _day(payment.paid_on), proof,
                " ".join(filter(None, (payment.method, payment.reference))))


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""

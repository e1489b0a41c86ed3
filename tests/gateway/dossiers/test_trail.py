"""The reliable audit trail (piste d'audit fiable): order, delivery, invoice, statuses, payments, what is missing."""

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from many import make_invoices

from gateway.deps import Deps
from gateway.dossiers.dossier import files_of, gather
from gateway.dossiers.trail import HEADS, as_csv, missing_in, steps_of
from gateway.tables import Document, Event, Payment, Submission

AT = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
"""Half past midnight in France, the day after."""
LINKED = {"BT-12": "CT-9", "BT-13": "C-7", "BT-15": "R-3", "BT-16": "BL-5", "BT-72": "2026-11-19",
          "BT-73": "2026-11-01", "BT-74": "2026-11-30"}


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def invoice(**changes: object) -> Submission:
    return Submission(**{"id": "i", "number": "F-1", "issue_date": date(2026, 11, 20), "verdict": "valid",
                         "transmission": "deposited", "total": Decimal("120.00"), "due": Decimal("120.00"),
                         "currency": "EUR", "lifecycle": "205", **changes})


def paid(amount: str, name: str = "p1") -> Payment:
    return Payment(id=name, amount=Decimal(amount), currency="EUR", paid_on=date(2026, 12, 1), method="virement",
                   reference="VIR-1", recorded_at=AT)


def status(code: str, sha256: str | None = None) -> Event:
    return Event(kind="lifecycle", code=code, at=AT, platform_at=None, sha256=sha256)


def test_the_links_stand_in_the_order_of_the_business_each_with_its_proof() -> None:
    documents = [("01-facture.xml", Document(role="original", name="facture.xml", sha256="a", at=AT)),
                 ("02-recepisse.json", Document(role="receipt", name="recepisse.json", sha256="b", at=AT)),
                 ("03-statut.xml", Document(role="status", name="statut.xml", sha256="c", at=AT)),
                 ("04-relance.eml", Document(role="reminder", name="relance.eml", sha256="d", at=AT)),
                 ("05-paiement.json", Document(role="payment", name="paiement-p1.json", sha256="e", at=AT))]
    deposited = Event(kind="transmission", code="deposited", at=AT, platform_at=None, sha256="b")
    steps = steps_of(invoice(), LINKED, documents, [deposited, status("205", "c"), status("212")],
                     [paid("100.00"), paid("-20.00", "p2")])
    assert [(step.stage, step.reference, step.at, step.proof) for step in steps] == [
        ("Contrat", "CT-9", "", "BT-12"), ("Commande", "C-7", "", "BT-13"), ("Bon de livraison", "BL-5", "", "BT-16"),
        ("Avis de réception", "R-3", "", "BT-15"), ("Livraison", "", "2026-11-19", "BT-72"),
        ("Période facturée", "", "2026-11-01 – 2026-11-30", "BT-73, BT-74"),
        ("Facture", "F-1", "20/11/2026", "01-facture.xml"),
        ("Transmission", "Déposée à la plateforme", "21/11/2026", "02-recepisse.json"),
        ("Statut 205", "Approuvée", "21/11/2026", "03-statut.xml"),
        ("Statut 212", "Encaissée", "21/11/2026", "écriture du journal"),
        ("Relance", "", "21/11/2026", "04-relance.eml"),
        ("Paiement", "100.00 EUR", "01/12/2026", "05-paiement.json"),
        ("Annulation de paiement", "-20.00 EUR", "01/12/2026", "écriture du journal"),
    ]


@pytest.mark.parametrize(("links", "events", "due", "changes", "told"), [
    (LINKED, [status("205")], "0.00", {}, []),
    ({}, [], "120.00", {"transmission": "queued"}, ["Commande", "Livraison", "Transmission", "Statuts", "Paiement"]),
    ({"BT-12": "CT-9", "BT-74": "2026-11-30"}, [status("205")], "0.01", {}, ["Paiement"]),
    (LINKED, [status("210")], "-20.00", {"lifecycle": "210"}, []),
])
def test_what_is_missing_is_named(links: dict, events: list, due: str, changes: dict, told: list[str]) -> None:
    assert [lack.partition(" : ")[0] for lack in missing_in(invoice(**changes), links, events, Decimal(due))] == told


def test_no_cell_is_a_formula() -> None:
    steps = steps_of(invoice(number="=1+1"), {"BT-13": "@SUM(A1)"}, [], [], [])
    rows = cells(as_csv(steps, ["Commande : -rien"]))
    assert [row[1] for row in rows[1:]] == ["'@SUM(A1)", "'=1+1", ""]
    assert rows[-1] == ["Commande", "", "", "", "manque : -rien"]


def test_a_dossier_holds_the_trail_and_the_payment_with_its_proof(deps: Deps, tenant: str) -> None:
    [one] = make_invoices(deps, tenant, [1])
    found = gather(deps, tenant, one)
    assert found is not None
    files = files_of(deps, found, pdf=False, seda=False)
    [name] = [name for name in files if "paiement" in name]
    sha256 = hashlib.sha256(files[name]).hexdigest()
    entries = [json.loads(data) for path, data in files.items() if path.startswith("entries/") and path[-5:] == ".json"]
    assert {"role": "payment", "sha256": sha256, "size": len(files[name])} in [
        ref for entry in entries if entry["type"] == "payment" for ref in entry["objects"]]
    head, *rows = cells(files["piste-audit.csv"])
    assert tuple(head) == HEADS
    assert [row[0] for row in rows] == ["Commande", "Livraison", "Facture", "Transmission", "Statut 205", "Statut 212",
                                        "Paiement"]
    assert rows[-1][3] == name.removeprefix("objects/")
    page = files["index.fr.html"].decode()
    wanted = ("Piste d'audit fiable", "C-1", "120.00 EUR", name.removeprefix("objects/"))
    assert [word for word in wanted if word not in page] == []

"""What happened to the invoices of the seeded tenant, and what was found in them. Data; console_seed.py plays it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from stdnum import luhn

from validation.findings import Finding, LayerOutcome, Outcome, Report, Severity, Text, Verdict


def siren(seed: int) -> str:
    """A SIREN with a right check digit, so low that the register never gave it."""
    stem = f"{seed:08d}"
    return stem + luhn.calc_check_digit(stem)


BUYERS = [(name, siren(100 + n)) for n, name in enumerate((
    "Scierie du Val Clair", "Maison Tilleul et Fils", "Hôtel des Trois Ponts", "Imprimerie Ravel Sud",
    "Coopérative Laitière des Combes", "Transports Morvan Express", "Cabinet Ostréa", "Pharmacie de la Halle",
    "Bâtisseurs Réunis du Haut-Plateau"))]
SELLER = siren(200)


@dataclass(frozen=True)
class Case:
    """One invoice of the story: what it is, and what happens to it, as (days after receipt, step) pairs."""

    number: str
    day: date
    total: str
    buyer: int
    steps: tuple[tuple[float, tuple[Any, ...]], ...]
    due_in: int = 30
    changes: dict[str, Any] | None = None


REFUSED_CREDENTIALS = "TOKEN: identifiants refusés par la plateforme (401)"
DEPOSITED = (0.01, ("transmission", "deposited")), (0.02, ("200",)), (0.2, ("202",)), (0.3, ("203",))
APPROVED = (*DEPOSITED, (2, ("204",)), (4, ("205",)))


def cases() -> Iterator[Case]:
    """The story."""
    d = date
    yield Case("F-2026-0412", d(2026, 8, 31), "18450.00", 0, (*APPROVED, (28, ("211",)), (30, ("pay", "18450.00"))))
    yield Case("F-2026-0413", d(2026, 9, 2), "960.00", 1, (*APPROVED, (31, ("remind", "due")),
               (41, ("remind", "friendly")), (44, ("pay", "960.00")), (44.1, ("remind", "thanks"))))
    yield Case("F-2026-0415", d(2026, 9, 8), "7320.40", 2, (*APPROVED, (31, ("remind", "due")),
               (41, ("remind", "friendly")), (51, ("remind", "formal")), (61, ("remind", "penalties"))))
    yield Case("F-2026-0417", d(2026, 9, 15), "1284.90", 3, (*DEPOSITED, (3, ("210", "NON_CONFORME",
               "Le bon de commande n'est pas rappelé."))))
    yield Case("F-2026-0418", d(2026, 9, 16), "2640.00", 4, (*APPROVED, (20, ("pay", "1320.00"))))
    yield Case("F-2026-0421", d(2026, 9, 28), "512.30", 5, (*DEPOSITED, (5, ("207", "QTE_ERR",
               "Il manque deux palettes sur le bon de livraison du 24 septembre."))))
    yield Case("F-2026-0423", d(2026, 10, 5), "31900.00", 8, (*APPROVED, (31, ("remind", "due")), (35, ("hold",))))
    yield Case("F-2026-0424", d(2026, 10, 6), "148.00", 7, (*APPROVED, (24, ("pay", "148.00"))))
    yield Case("A-2026-0031", d(2026, 10, 7), "320.00", 5, DEPOSITED, changes={
        "type_code": "381", "preceding": ["F-2026-0421"]})
    for n, (total, buyer) in enumerate((("845.16", 1), ("12600.00", 0), ("3999.99", 6), ("76.80", 7), ("5410.00", 3))):
        yield Case(f"F-2026-{430 + n:04d}", d(2026, 10, 12) + timedelta(days=2 * n), total, buyer, APPROVED)
    yield Case("F-2026-0436", d(2026, 10, 26), "6480.00", 2, (*DEPOSITED, (4, ("208", "JUSTIF_ABS",
               "Merci de joindre le procès-verbal de réception."))))
    yield Case("F-2026-0438", d(2026, 10, 28), "9870.00", 4, ((0.01, ("transmission", "deposited")), (0.05, ("200",)),
               (0.1, ("213", "DEST_INC", "SIREN du destinataire absent de l'annuaire."))))
    yield Case("F-2026-0440", d(2026, 11, 2), "1150.00", 6, (*APPROVED, (16, ("211",))))
    yield Case("F-2026-0441", d(2026, 11, 3), "2208.00", 1, APPROVED, due_in=24)
    yield Case("F-2026-0442", d(2026, 11, 4), "660.00", 7, APPROVED, due_in=20)
    yield Case("F-2026-0443", d(2026, 11, 5), "14112.00", 8, APPROVED, due_in=21)
    yield Case("R-2026-0007", d(2026, 11, 6), "5410.00", 3, DEPOSITED, changes={
        "type_code": "384", "preceding": ["F-2026-0434"]})
    yield Case("F-2026-0445", d(2026, 11, 10), "23750.00", 0, DEPOSITED, changes={"currency": "USD"})
    yield Case("F-2026-0446", d(2026, 11, 16), "480.00", 5, DEPOSITED)
    yield Case("F-2026-0447", d(2026, 11, 17), "3300.00", 2, DEPOSITED)
    yield Case("F-2026-0448", d(2026, 11, 18), "890.50", 6, (), changes={
        "verdict": "invalid", "transmission": "refused", "active": None, "sent_sha256": None,
        "transmission_reason": "invoice-refused: 3 anomalie(s) bloquante(s). / 3 blocking finding(s)."})
    yield Case("F-2026-0449", d(2026, 11, 19), "2075.00", 4, ((0.2, ("park", REFUSED_CREDENTIALS)),))
    yield Case("F-2026-0450", d(2026, 11, 20), "430.00", 7, ((0.01, ("transmission", "deposited")), (0.02, ("200",))))
    yield Case("F-2026-0451", d(2026, 11, 20), "1999.20", 1, ((0.01, ("unknown", "Réponse perdue après 30 s.")),))
    yield Case("F-2026-0452", d(2026, 11, 22), "5120.00", 3, ())
    yield Case("F-2026-0453", d(2026, 11, 23), "754.00", 6, ())


def report_of(case: Case) -> Report:
    """A report as the validation writes it; three causes for the refused invoice, one warning for some others."""
    refused = bool(case.changes) and (case.changes or {}).get("verdict") == "invalid"
    findings = REFUSED if refused else WARNED if case.buyer in {2, 6} else ()
    blocked = {"en16931": Outcome.FAILED, "mentions": Outcome.FAILED} if refused else {}
    layers = tuple(
        LayerOutcome(layer=layer, outcome=blocked.get(layer, Outcome.PASSED), rule_set=rules, version=version,
                     sha256="0" * 64, findings_total=sum(f.layer == layer for f in findings), duration_ms=1.2)
        for layer, rules, version in (("xsd", "CII D22B", ""), ("en16931", "FACTUR-X_EN16931", "1.09"),
                                      ("br-fr", "BR-FR Flux 2", "1.4.0.03"), ("mentions", "PAS", "1"),
                                      ("business", "PAS", "1")))
    return Report(verdict=Verdict.INVALID if refused else Verdict.VALID, syntax="cii", profile="en16931",
                  specification_identifier="urn:cen.eu:en16931:2017", layers=layers, findings=findings, elapsed_ms=6.1)


REFUSED = (
    Finding(rule="BR-CO-10", severity=Severity.FATAL, layer="en16931", terms=("BT-106", "BT-131"), group="sum-of-lines",
            message=Text("La somme des lignes ne correspond pas au total hors remises.",
                         "Sum of line net amounts differs from BT-106."),
            remedy=Text("Recalculez BT-106 : c'est la somme des montants nets des lignes (BT-131).", "Recompute it."),
            values={"déclaré": "742.08", "attendu": "742.10"}, line=118,
            location="/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement"),
    Finding(rule="BR-CO-13", severity=Severity.FATAL, layer="en16931", terms=("BT-109",), group="sum-of-lines",
            message=Text("Le total hors TVA ne suit pas des lignes.", "BT-109 does not follow."), line=121,
            location="/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement"),
    Finding(rule="PAS-ID-02", severity=Severity.ERROR, layer="business", terms=("BT-30",),
            message=Text("Le SIRET du vendeur n'appartient pas à son SIREN.", "SIRET of another SIREN."),
            remedy=Text("Un SIRET commence par les neuf chiffres du SIREN.", "Begin with the SIREN."),
            values={"SIRET": "00000101600013", "SIREN": "000002006"}, line=44),
    Finding(rule="PAS-ME-01", severity=Severity.ERROR, layer="mentions", terms=("BT-22",),
            message=Text("L'indemnité forfaitaire de recouvrement n'est pas mentionnée.", "Indemnity missing."),
            remedy=Text("Ajoutez une note PMT : « Indemnité forfaitaire pour frais de recouvrement : 40 € ».", "Add.")),
    Finding(rule="BR-FR-12", severity=Severity.WARNING, layer="br-fr", terms=("BT-49",),
            message=Text("L'adresse électronique de l'acheteur n'a pas de suffixe.", "No suffix in BT-49."), line=61),
)
WARNED = REFUSED[-1:]

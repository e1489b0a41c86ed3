"""What may be told on a channel, and which roles may hear it: those whose pages show it. Data, and how events fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.auth import ROLES, Permission
from gateway.tables import Event


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that people want to hear of."""

    fr: str
    en: str
    href: str
    """The page where one acts; that of the invoice where there is one."""

    permission: Permission = Permission.INVOICES_READ


HAPPENINGS: Final[Mapping[str, Happening]] = {
    "disputed": Happening("Litige (207)", "Dispute (207)", "/factures?etat=litige"),
    "suspended": Happening("Suspendue ou approuvée en partie (208, 206)", "Suspended or partly approved (208, 206)",
                           "/factures?etat=litige"),
    "refused": Happening("Refusée par l'acheteur (210)", "Refused by the buyer (210)", "/factures?etat=refusee"),
    "rejected": Happening("Rejetée par une plateforme (213)", "Rejected by a platform (213)",
                          "/factures?etat=rejetee"),
    "duty": Happening("Statut obligatoire à transmettre", "Compulsory status to send", "/plateforme"),
    "paid": Happening("Paiement reçu", "Payment received", "/factures"),
    "letter-failed": Happening("Relance non partie ou incertaine", "Reminder failed or in doubt", "/relances",
                               Permission.REMINDERS_READ),
    "returned": Happening("Courriel revenu", "Mail came back", "/relances/cas?genre=bounce",
                          Permission.REMINDERS_READ),
    "approval": Happening("Accord demandé", "Approval wanted", "/relances/cas?genre=approval",
                          Permission.REMINDERS_READ),
    "case": Happening("Cas ouvert", "Case opened", "/relances/cas", Permission.REMINDERS_READ),
    "case-late": Happening("Cas en retard", "Case overdue", "/relances/cas", Permission.REMINDERS_READ),
    "bank-doubt": Happening("Relevé bancaire à vérifier", "Bank statement with doubts", "/banque",
                            Permission.PAYMENTS_WRITE),
    "alarm": Happening("Alarme", "Alarm", "/alarmes", Permission.AUDIT_READ),
}
"""In the order of the page."""

_PLAIN: Final[Mapping[tuple[str, str], str]] = {
    ("lifecycle", "206"): "suspended", ("lifecycle", "207"): "disputed", ("lifecycle", "208"): "suspended",
    ("lifecycle", "210"): "refused", ("lifecycle", "213"): "rejected",
    ("transmission", "status-due"): "duty", ("transmission", "status-late"): "duty",
    ("payment", "received"): "paid", ("reminder", "failed"): "letter-failed", ("reminder", "unknown"): "letter-failed",
    ("reminder", "bounced"): "returned", ("reminder", "case-late"): "case-late", ("alarm", "raised"): "alarm",
}


def happening_of(event: Event) -> str | None:
    """The key of what an event tells; None for what nobody is told.

    A case of a status, or of a mail that came back, is told by that status or mail, not twice.
    """
    if (event.kind, event.code) == ("reminder", "case-opened"):
        kind = str(event.data.get("kind", ""))
        return "approval" if kind == "approval" else None if kind == "bounce" or kind.isdigit() else "case"
    if (event.kind, event.code) == ("payment", "bank-file"):
        return "bank-doubt" if event.data.get("doubtful") else None
    return _PLAIN.get((event.kind, event.code))


def may_hear(role: str, key: str) -> bool:
    """Whether people of a role may see what is told; False for an unknown role or key."""
    return key in HAPPENINGS and HAPPENINGS[key].permission in ROLES.get(role, frozenset())

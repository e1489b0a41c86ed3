"""The scenarios of the sandbox, as data: which statuses follow a deposited invoice, after how many seconds.

A participant of the directory has a behaviour, which is the name of a script here; the buyer of an invoice
therefore decides what happens to it. Seconds are those of the platform's time, divided by `--speed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ACK_AFTER_S = 0.5
"""From a deposit to its acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One status of a script."""

    code: str
    """MDT-105."""

    after_s: float = 1.0
    """Seconds after the step before."""

    reason_code: str | None = None
    """MDT-113, one that BR-FR-CDV-CL-09 allows for this status."""

    action_code: str | None = None
    """MDT-121."""

    comment: str | None = None
    """MDT-126."""

    pays: str | None = None
    """On 211: how much of the amount due (BT-115) is announced: `all`, `half` or `rest`."""

    awaits: str | None = None
    """The step is taken only after the seller has sent this status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the other side does with an invoice."""

    title: str
    steps: tuple[Step, ...]
    acknowledges: bool = True
    """False: the deposit stays Pending for ever."""


DELIVERED = (Step(code="200", after_s=0.5), Step(code="201", after_s=0.5), Step(code="202"), Step(code="203"))
IN_HAND = (*DELIVERED, Step(code="204", after_s=2))
APPROVED = (*IN_HAND, Step(code="205", after_s=3))

DISPUTE = Step(code="207", after_s=3, reason_code="QTE_ERR", action_code="PIN",
               comment="Le bon de livraison indique une quantité inférieure.")
REFUSE = Step(code="210", after_s=3, reason_code="TRANSAC_INC", action_code="NOA",
              comment="Aucune commande ni livraison ne correspond à cette facture.")
REJECT = Step(code="213", after_s=0.5, reason_code="REJ_SEMAN", action_code="NIN",
              comment="Contrôle de la plateforme non satisfait.")
NO_ADDRESS = Step(code="213", reason_code="REJ_ADR", action_code="NIN",
                  comment="Adresse électronique absente de l'annuaire.")
SUSPEND = Step(code="208", after_s=3, reason_code="JUSTIF_ABS", action_code="PIN",
               comment="Merci de joindre le bon de livraison signé.")
PARTLY = Step(code="206", after_s=3, reason_code="LIVR_INCOMP", action_code="CNP",
              comment="Seule une partie de la commande a été livrée.")
NOT_SENT = Step(code="200", after_s=0.5, reason_code="NON_TRANSMISE")

SCRIPTS: Mapping[str, Script] = {
    "approve": Script(title="Taken in charge and approved", steps=APPROVED),
    "pay": Script(title="Approved, then a payment is announced", steps=(
        *APPROVED, Step(code="211", after_s=5, pays="all"))),
    "pay-in-two": Script(title="Approved, then two payments are announced", steps=(
        *APPROVED, Step(code="211", after_s=5, pays="half"), Step(code="211", after_s=5, pays="rest"))),
    "dispute": Script(title="Disputed, then approved", steps=(*IN_HAND, DISPUTE, Step(code="205", after_s=5))),
    "refuse": Script(title="Refused by the buyer", steps=(*IN_HAND, REFUSE)),
    "reject": Script(title="Rejected by the seller's platform", steps=(REJECT,)),
    "reject-once": Script(title="Rejected once, approved when it comes again", steps=(REJECT,)),
    "reject-address": Script(title="Rejected by the buyer's platform", steps=(*DELIVERED[:2], NO_ADDRESS)),
    "suspend": Script(title="Suspended until the seller completes it (209), then approved", steps=(
        *IN_HAND, SUSPEND, Step(code="205", after_s=3, awaits="209"))),
    "partly": Script(title="Approved in part", steps=(*IN_HAND, PARTLY)),
    "slow": Script(title="Approved, ten times slower", steps=tuple(
        Step(code=step.code, after_s=step.after_s * 10) for step in APPROVED)),
    "silent": Script(title="Made available; the buyer never answers", steps=DELIVERED),
    "mute": Script(title="Acknowledged, then nothing at all", steps=()),
    "pending": Script(title="Never acknowledged", steps=(), acknowledges=False),
    "unreachable": Script(title="In the directory, but connected to no platform", steps=(NOT_SENT,)),
}

UNKNOWN_BUYER = "unreachable"
"""The script for a buyer whom the directory does not know: deposited, not transmitted."""

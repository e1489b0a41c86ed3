"""What may be done with an invoice where it stands: whether it is locked, what helps, and under which number.

Pure, and the one place for it: the interface and the console show what this says, and the service allows nothing
else (service.submit by `active`, decisions.py by `actions`). Sources: DGFiP specifications 3.5 (3.6.4, G1.45), XP
Z12-013 annex A.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.outgoing.drafts import NOT_TRANSMITTED
from gateway.platforms.classes import Class, class_of
from gateway.tables import Event, Submission

Number = Literal["same", "new"]


@dataclass(frozen=True, slots=True)
class Path:
    """What is possible now."""

    code: str
    """Stable."""

    fr: str
    en: str
    locked: bool = True
    """These bytes and this number are, or may be, at the platform: neither is ever sent again by us."""

    number: Number | None = None
    """Under which number a corrected invoice may be sent; None while this one still has its own way to go."""

    actions: tuple[str, ...] = ()
    """Of retry, send-anyway, close (decisions.py), resend (the same bytes as a new submission)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an invoice stands."""

    transmission: str
    reason: str | None = None
    active: bool = True
    """Whether it holds its number."""

    tried: bool = False
    """Whether a deposit was ever begun."""

    lost: bool = False
    """Whether the answer to a deposit was ever lost."""

    status: str | None = None
    """The derived lifecycle status."""

    reasons: Collection[str] = field(default=())
    """Reason codes of the status that counts."""


def standing_of(row: Submission, events: Iterable[Event]) -> Standing:
    """Where this invoice stands. `events` are its own, in order."""
    told = list(events)
    sendings = {event.code for event in told if event.kind == "transmission"}
    said = [event for event in told if event.kind == "lifecycle" and event.code == row.lifecycle]
    details = said[-1].data.get("details", ()) if said else ()
    return Standing(
        transmission=row.transmission, reason=row.transmission_reason, active=bool(row.active),
        tried="sending" in sendings, lost="unknown" in sendings, status=row.lifecycle,
        reasons=[str(detail["reason_code"]) for detail in details if detail.get("reason_code")])


GUARDED = ("retry", "close")
REACH_PREFIX = "reach-"
TAKEN_REASONS = frozenset({"DOUBLON", "REJ_UNI"})
ADDRESS_REASONS = frozenset({"REJ_ADR", "ADR_ERR", "DEST_INC", "DEST_ERR"})

WAIT = Path("wait", "Rien à faire : l'envoi suit son cours.", "Nothing to do: it is on its way.")
CHECKING = Path("checking", "La réponse de la plateforme s'est perdue : Passerelle l'interroge avant tout nouvel "
                "envoi. Ne renvoyez pas la facture par un autre chemin.",
                "The platform's answer was lost: it is asked before anything is sent again. Do not send it otherwise.")
HELD = Path("held", "Retenue : l'annuaire est interrogé de nouveau toutes les quatre heures. Vous pouvez l'envoyer "
            "sans attendre.", "Held: the directory is asked again every four hours. You may send it anyway.",
            locked=False, actions=("send-anyway", "close"))
UNREACHABLE = Path("unreachable", "Corrigez l'adresse de l'acheteur (BT-49) : classez cet envoi et envoyez la facture "
                   "corrigée sous le même numéro. Si l'annuaire a changé, relancez. Vous pouvez aussi l'envoyer quand "
                   "même ; elle risque d'être rejetée ou déposée sans être transmise.",
                   "Correct the buyer's address: close this one and send the mended invoice under the same number. If "
                   "the directory has changed, retry. You may also send it anyway.",
                   locked=False, actions=("retry", "send-anyway", "close"))
MEND = Path("mend-and-retry", "L'empêchement n'est pas dans la facture : corrigez le réglage de la plateforme (accès, "
            "droits, adresse), puis relancez. La même facture partira.",
            "The obstacle is not the invoice: mend the connection (credentials, rights, address), then retry.",
            actions=GUARDED)
DOUBTFUL = Path("look-up", "La plateforme a peut-être déjà cette facture. Relancer l'interroge d'abord et n'envoie que "
                "si elle ne l'a pas. Classer garde le numéro pris.",
                "The platform may have this invoice. Retrying asks it first and sends only if it has not got it. "
                "Closing keeps the number taken.", actions=GUARDED)
DUPLICATE = Path("already-there", "La plateforme a déjà une facture de ce numéro, venue d'un autre dépôt. Retrouvez-la "
                 "sur son site ; classez cet envoi. Une autre facture demande un autre numéro.",
                 "The platform has an invoice of this number from another deposit. Find it there and close this one; "
                 "another invoice needs another number.", number="new", actions=GUARDED)
LOST_NUMBER = Path("replaced", "Une autre version a pris la place de celle-ci, ou elle a été rejetée : classez cet "
                   "envoi.", "Another version took its place, or it was rejected: close it.", actions=("close",))
NOT_SENT = Path("correct", "Rien n'est parti : corrigez dans votre logiciel et envoyez sous le même numéro.",
                "Nothing left: correct it in your software and send it under the same number.", locked=False,
                number="same")
NUMBER_HELD = Path("number-taken", "Ce numéro porte déjà une autre facture, qui seule compte. Si c'en est une "
                   "différente, donnez-lui un autre numéro.",
                   "This number belongs to another invoice already. A different one needs another number.",
                   locked=False, number="new")
SWITCH_ON = Path("set-up", "La facture n'est pas en cause : ajoutez ou activez l'entité dans les réglages, puis "
                 "envoyez la même facture.",
                 "The invoice is not to blame: set up or enable the entity, then send it again.",
                 locked=False, number="same", actions=("resend",))
REFUSED = Path("correct", "La plateforme n'a pas pris ce document : corrigez-le selon le motif et envoyez-le sous le "
               "même numéro.", "The platform did not take this document: correct it and send it under the same number.",
               locked=False, number="same")
TECHNICAL = Path("resend", "Incident technique, la facture n'est pas en cause : envoyez-la de nouveau telle quelle, "
                 "sous le même numéro.", "A technical incident: send the same invoice again under the same number.",
                 locked=False, number="same", actions=("resend",))
GIVEN_UP = Path("given-up", "Classée sans certitude : ce numéro reste pris. Une facture corrigée demande un autre "
                "numéro.", "Closed while in doubt: its number stays taken; a corrected one needs another.",
                number="new")
DEPOSITED = Path("locked", "Déposée : ni son contenu ni son numéro ne changent plus. Une erreur se corrige par un "
                 "avoir ou une facture rectificative, sous un nouveau numéro.",
                 "Deposited: neither content nor number change any more. Correct it by a credit note or a corrective "
                 "invoice under a new number.", number="new")
HAND_OVER = Path("hand-over", "Déposée, mais l'acheteur n'a pas de plateforme joignable : remettez-lui un double "
                 "autrement. Ne la déposez pas une seconde fois.",
                 "Deposited, but the buyer has no reachable platform: hand him a copy otherwise. Do not deposit it "
                 "again.", number="new")
REJECTED = Path("correct", "Rejetée par une plateforme (213) : corrigez selon le motif et envoyez sous le même numéro, "
                "qui est de nouveau libre. L'écriture d'origine s'annule par un avoir interne, non transmis.",
                "Rejected by a platform (213): correct it and send it under the same number, which is free again. "
                "Cancel it in your books by an internal credit note that is not transmitted.", locked=False,
                number="same")
REJECTED_ADDRESS = Path("correct-address", "Rejetée pour son adresse (213) : corrigez l'adresse de l'acheteur et "
                        "envoyez sous le même numéro ; si c'est l'annuaire qui a été corrigé, renvoyez-la telle "
                        "quelle.",
                        "Rejected for its address (213): correct the buyer's address and send it under the same "
                        "number; if the directory was mended, send it again as it is.", locked=False, number="same",
                        actions=("resend",))
REJECTED_DOUBLE = Path("number-taken", "Rejetée comme doublon (213) : la plateforme a déjà une facture de ce numéro. "
                       "Ne la renvoyez pas ; une autre facture demande un autre numéro.",
                       "Rejected as a duplicate (213): the platform has an invoice of this number. Do not send it "
                       "again; another invoice needs another number.", number="new")
BUYER_REFUSED = Path("credit-and-new", "Refusée par l'acheteur (210) : annulez-la par un avoir interne, non transmis, "
                     "et établissez une nouvelle facture sous un nouveau numéro.",
                     "Refused by the buyer (210): cancel it by an internal credit note that is not transmitted, and "
                     "issue a new invoice under a new number.", number="new")
COMPLETE = Path("complete", "Suspendue (208) : fournissez ce qui manque par un statut « Complétée » (209). La facture "
                "reste la même.", "Suspended (208): provide what is missing with status 209; the invoice stays.",
                number="new")
OVER = Path("over", "Annulée : il n'y a plus rien à en faire.", "Cancelled: nothing is left to do.", number="new")

AFTER_STATUS: Mapping[str, Path] = {"208": COMPLETE, "210": BUYER_REFUSED, "220": OVER, "221": HAND_OVER}
REFUSED_BY_US: Mapping[str, Path] = {"invoice-already-exists": NUMBER_HELD, "seller-not-yours": SWITCH_ON,
                                     "entity-not-enabled": SWITCH_ON}


def path_of(standing: Standing) -> Path:
    """What is possible with an invoice that stands here."""
    word = (standing.reason or "").partition(":")[0].strip()
    match standing.transmission:
        case "refused":
            return REFUSED_BY_US.get(word, NOT_SENT)
        case "held":
            return HELD
        case "unknown":
            return CHECKING
        case "parked":
            return _parked(standing, word)
        case "failed":
            return _failed(standing, word)
        case "deposited":
            return _deposited(standing)
    return WAIT


def _parked(standing: Standing, word: str) -> Path:
    if word.startswith(REACH_PREFIX):
        return UNREACHABLE
    if word == "identity-freed":
        return LOST_NUMBER
    if class_of(word) is Class.DUPLICATE:
        return DUPLICATE
    return DOUBTFUL if standing.lost else MEND


def _failed(standing: Standing, word: str) -> Path:
    if standing.active:
        return GIVEN_UP
    if not standing.tried:
        return NOT_SENT
    return TECHNICAL if class_of(word) is Class.TRANSPORT else REFUSED


def _deposited(standing: Standing) -> Path:
    reasons = set(standing.reasons)
    if standing.status == "213":
        if standing.active or reasons & TAKEN_REASONS:
            return REJECTED_DOUBLE
        return REJECTED_ADDRESS if reasons & ADDRESS_REASONS else REJECTED
    if standing.status == "200" and NOT_TRANSMITTED in reasons:
        return HAND_OVER
    return AFTER_STATUS.get(standing.status or "", DEPOSITED)

"""Our own statuses as the seller: from the payload of a `send-status` entry to a message. Pure.

Payload: `code` (one of guard.OWN); `id` (tracking id, at most 64 characters); `set_at` (ISO, whole seconds); `actor`
(who asked for it); `amounts` [{type, amount, rate, on}] with `currency`; `comment`; `reasons` [{code, reason}];
`received_at` (MDT-95, ISO); `account` {iban, bic, name} of a 227. Everything that goes into the message is in the
payload or in the invoice, so writing it again gives the same bytes.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from formats.invoice import Identifier
from formats.status import (
    REFERENCE_STATUS,
    StatusAmount,
    StatusDetail,
    StatusMessage,
    StatusParty,
    message_id,
    phase_of,
)
from gateway.lifecycle.guard import OWN
from gateway.lifecycle.wording import label_of
from gateway.tables import Submission

SIREN, ADDRESS = "0002", "0225"


class CannotCompose(ValueError):
    """A status that cannot be said about this invoice; the text says what is missing, for people."""


def compose(submission: Submission, payload: Mapping[str, Any]) -> StatusMessage:
    """The message for one of our own statuses.

    Raises:
        CannotCompose: not one of OWN, no number, date or seller, a buyer without electronic address (BR-FR-CDV-08), a
            212 that is not in euro (MDT-215 is; somebody must decide the rate), or a 227 without an account or to a
            public buyer (Chorus Pro wants the bank details as an attachment, which is not written here).
    """
    code = payload["code"]
    if code not in OWN:
        raise CannotCompose(f"Le statut {code} n'est pas un statut du vendeur.")
    if submission.number is None or submission.issue_date is None or submission.seller_siren is None:
        raise CannotCompose("La facture n'a pas de numéro, de date ou de SIREN du vendeur.")
    if submission.buyer_address is None:
        raise CannotCompose("L'acheteur n'a pas d'adresse électronique (BT-49) : personne à qui adresser le statut.")
    if code == "227" and (submission.processing_rule == "B2G" or not payload.get("account")):
        raise CannotCompose("Le nouveau compte manque." if not payload.get("account") else
                            "Un acheteur public attend le nouvel IBAN en pièce jointe, sur Chorus Pro.")
    set_at = datetime.fromisoformat(payload["set_at"])
    received_at = payload.get("received_at")
    type_code = submission.type_code or "380"
    seller = Identifier(value=submission.seller_siren, scheme=SIREN)
    return StatusMessage(
        id=message_id(invoice_number=submission.number, code=code, set_at=set_at, invoice_type=type_code,
                      invoice_date=submission.issue_date),
        issued_at=set_at, set_at=set_at, code=code, label=label_of(code), type_code=phase_of(code),
        business_process="REGULATED", sender=StatusParty(role="WK"),
        issuer=StatusParty(role="SE", identifier=seller, name=submission.seller_name),
        recipients=(_buyer(submission, submission.buyer_address),),
        invoice_number=submission.number, invoice_date=submission.issue_date, invoice_type=type_code,
        received_at=datetime.fromisoformat(received_at) if received_at else None,
        reference_status=REFERENCE_STATUS.get(code), seller=seller, details=_details(payload),
    )


def _buyer(submission: Submission, address: str) -> StatusParty:
    siren = submission.buyer_siren
    return StatusParty(role="BY", identifier=Identifier(value=siren, scheme=SIREN) if siren else None,
                       name=submission.buyer_name, electronic_address=Identifier(value=address, scheme=ADDRESS))


def _details(payload: Mapping[str, Any]) -> tuple[StatusDetail, ...]:
    amounts = (*(_amount(amount, payload.get("currency")) for amount in payload.get("amounts", ())),
               *_account(payload.get("account") or {}))
    reasons = payload.get("reasons") or ()
    if not reasons:
        comment = payload.get("comment")
        return (StatusDetail(comment=comment, amounts=amounts),) if comment or amounts else ()
    first, *others = (StatusDetail(reason_code=reason["code"], reason=reason.get("reason")) for reason in reasons)
    return (StatusDetail(reason_code=first.reason_code, reason=first.reason, comment=payload.get("comment"),
                         amounts=amounts), *others)


def _amount(amount: Mapping[str, str], currency: str | None) -> StatusAmount:
    if currency != "EUR":
        raise CannotCompose(f"Une 212 est en euros et la facture en {currency} : le cours doit être décidé.")
    return StatusAmount(
        type_code=amount["type"], amount=Decimal(amount["amount"]), currency=currency, changed=False,
        vat_rate=Decimal(amount["rate"]), on=date.fromisoformat(amount["on"]) if "on" in amount else None,
    )


def _account(account: Mapping[str, str | None]) -> tuple[StatusAmount, ...]:
    """The CBB of a 227: what is to be read instead of BT-84, BT-85 and BT-86."""
    terms = (("BT-84", "IBAN", account.get("iban")), ("BT-85", "Titulaire du compte", account.get("name")),
             ("BT-86", "BIC", account.get("bic")))
    return tuple(StatusAmount(type_code="CBB", term=term, name=name, value=value, changed=True)
                 for term, name, value in terms if value)

"""A status message as it is kept in an event, and as the timeline tells it. Pure."""

from typing import Any

from formats.codes import REASON_LABELS, STATUSES
from formats.status import StatusAmount, StatusDetail, StatusMessage
from gateway.lifecycle.guard import BUYER, OTHER, PLATFORM, SELLER

SIDES = {
    "WK": PLATFORM, "DFH": PLATFORM,
    "SE": SELLER, "SR": SELLER, "PE": SELLER, "II": SELLER, "DL": SELLER,
    "BY": BUYER, "AB": BUYER, "IV": BUYER, "PR": BUYER,
}
"""Which side a role (MDT-40, UNTDID 3035) speaks for."""


def actor_of(message: StatusMessage) -> str:
    """Who set the status: platform, buyer, seller or other. What the message says, not what is proved."""
    return SIDES.get(message.issuer.role, OTHER)


def is_by_platform(message: StatusMessage) -> bool:
    """Whether a platform set the status, not one of the two parties."""
    return actor_of(message) == PLATFORM


def event_data(message: StatusMessage) -> dict[str, Any]:
    """The part of a message that an event keeps; the whole message is kept as a document."""
    identifier = message.issuer.identifier
    return {
        "message": message.id,
        "by": {"role": message.issuer.role, "siren": identifier.value if identifier else None,
               "name": message.issuer.name},
        "details": [detail_data(detail) for detail in message.details],
    }


def detail_data(detail: StatusDetail) -> dict[str, Any]:
    """One reason, without what is absent."""
    told = {"reason_code": detail.reason_code, "reason": detail.reason, "action_code": detail.action_code,
            "action": detail.action, "comment": detail.comment, "rule": detail.rule, "subject": detail.subject,
            "amounts": [amount_data(amount) for amount in detail.amounts]}
    return {name: value for name, value in told.items() if value}


def amount_data(amount: StatusAmount) -> dict[str, Any]:
    """One characteristic, without what is absent; decimals as text."""
    told = {"type": amount.type_code, "currency": amount.currency, "term": amount.term, "name": amount.name,
            "value": amount.value, "amount": None if amount.amount is None else format(amount.amount, "f"),
            "rate": None if amount.vat_rate is None else format(amount.vat_rate, "f"),
            "on": None if amount.on is None else amount.on.isoformat()}
    return {name: value for name, value in told.items() if value is not None}


def reason_of(message: StatusMessage) -> str | None:
    """The reasons in words, as the sender gave them: `CODE : words (comment) → what is asked`. None without any."""
    return " ; ".join(filter(None, map(words_of, message.details))) or None


def words_of(detail: StatusDetail) -> str:
    """One reason in words; the published label where the sender gave only a code."""
    known = REASON_LABELS.get(detail.reason_code or "")
    words = detail.reason or (known.fr if known else None)
    cause = " : ".join(filter(None, (detail.reason_code, words)))
    amounts = ", ".join(filter(None, map(amount_words, detail.amounts)))
    comment = f"({detail.comment})" if detail.comment and cause else detail.comment
    asked = f"→ {detail.action}" if detail.action else None
    return " ".join(filter(None, (cause, comment, asked, amounts)))


def amount_words(amount: StatusAmount) -> str | None:
    """`120.00 EUR à 20 %`; None for a characteristic without money."""
    if amount.amount is None:
        return None
    rate = f" à {amount.vat_rate} %" if amount.vat_rate is not None else ""
    return f"{amount.amount} {amount.currency or ''}".rstrip() + rate


def label_of(code: str) -> str | None:
    """The French label of a status (MDT-106); None for a code nobody knows."""
    known = STATUSES.get(code)
    return known.label.fr if known is not None else None

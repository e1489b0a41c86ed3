"""Status messages as the gateway or a platform would send them: one per status, and every one that the rules allow."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice, product

from formats.codes import (
    ACTIONS,
    AMOUNTS_OF,
    NEEDS_COMMENT,
    NEEDS_REASON,
    REASON_LABELS,
    REASONS,
    REFUSAL_REASONS_B2G,
    STATUSES,
)
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

SET_AT = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)
SELLER = Identifier(value="999999907", scheme="0002")
BUYER = Identifier(value="999999915", scheme="0002")
PLATFORM = StatusParty(role="WK")
SELLER_PARTY = StatusParty(role="SE", identifier=SELLER, name="Atelier Imaginaire",
                           electronic_address=Identifier(value="999999907", scheme="0225"))
BUYER_PARTY = StatusParty(role="BY", identifier=BUYER, name="Mairie Inventée",
                          electronic_address=Identifier(value="999999915", scheme="0225"))
CASHED = (
    StatusAmount(type_code="MEN", amount=Decimal("120.00"), currency="EUR", vat_rate=Decimal("20.00"), changed=False),
    StatusAmount(type_code="MEN", amount=Decimal("-10.55"), currency="EUR", vat_rate=Decimal("5.50"), changed=False),
)
DETAILS = {
    "200": (),
    "206": (StatusDetail(reason_code="QTE_ERR", comment="Deux cartons manquent.", amounts=(
        StatusAmount(type_code="MAPTTC", amount=Decimal("96.00"), currency="EUR"),)),),
    "207": (StatusDetail(reason_code="TX_TVA_ERR", reason="Taux de TVA erroné", action_code="NIN", amounts=(
        StatusAmount(type_code="DIV", term="BT-152", name="Taux de TVA", vat_rate=Decimal("10.00"), changed=True),
        StatusAmount(type_code="DVA", term="BT-152", name="Taux de TVA", vat_rate=Decimal("20.00"), changed=True))),),
    "208": (StatusDetail(reason_code="JUSTIF_ABS", comment="Le bon de livraison manque."),
            StatusDetail(reason_code="CMD_ERR", comment="Numéro de commande inconnu.")),
    "210": (StatusDetail(reason_code="DOUBLON", comment="Déjà reçue le 12 novembre & payée <hier>."),),
    "211": (StatusDetail(amounts=(
        StatusAmount(type_code="MPA", amount=Decimal(120), currency="EUR", on=date(2026, 11, 20), changed=False),)),),
    "212": (StatusDetail(amounts=CASHED),),
    "213": (StatusDetail(reason_code="REJ_SEMAN", reason="Rejet sémantique", comment="BR-CO-10"),),
}
SENT = ("200", "201", "202", "203", "204", "205", "206", "207", "208", "209", "210", "211", "212", "213", "220")


def message(code: str) -> StatusMessage:
    """A status as the gateway or a platform would send it."""
    by_seller = code in {"209", "212", "220"}
    issuer = PLATFORM if phase_of(code) == "305" else SELLER_PARTY if by_seller else BUYER_PARTY
    return StatusMessage(
        id=message_id(invoice_number="F-2026-001", code=code, set_at=SET_AT, invoice_type="380",
                      invoice_date=date(2026, 11, 1)),
        issued_at=SET_AT + timedelta(seconds=3), set_at=SET_AT, code=code, label="Un libellé",
        type_code=phase_of(code), business_process="REGULATED", sender=PLATFORM,
        issuer=replace(issuer, electronic_address=None), recipients=(BUYER_PARTY if by_seller else SELLER_PARTY,),
        invoice_number="F-2026-001", invoice_date=date(2026, 11, 1), invoice_type="380",
        received_at=SET_AT - timedelta(days=2), reference_status=REFERENCE_STATUS.get(code), seller=SELLER,
        details=DETAILS.get(code, ()),
    )


ISSUERS = {"buyer": BUYER_PARTY, "seller": SELLER_PARTY}
PUBLIC = StatusParty(role="WK", identifier=Identifier(value="9999", scheme="0238"))
"""The platform of public buyers (Chorus Pro), whose refusals have more reasons."""

VALUES_OF: dict[str, dict[str, object]] = {
    "CBB": {"term": "BT-84", "value": "FR7600000000000000000000097"},
    "DIV": {"term": "BT-152", "vat_rate": Decimal("5.5"), "name": "Taux", "location": "/a/b", "changed": True},
    "DVA": {"term": "BT-152", "vat_rate": Decimal(20), "name": "Taux", "location": "/a/b", "changed": True},
    "MAJ": {"term": "BT-152", "vat_rate": Decimal(20), "changed": True},
}


def amounts_for(code: str) -> tuple[StatusAmount, ...]:
    """Every characteristic of a status; money twice, for two VAT rates, the second one taken back."""
    found = []
    for kind in AMOUNTS_OF.get(code, ()):
        if kind in VALUES_OF:
            found.append(StatusAmount(type_code=kind, **VALUES_OF[kind]))  # type: ignore[arg-type]  # by keyword
            continue
        for amount, rate in (("1200.00", "20"), ("-10.55", "5.5")):
            found.append(StatusAmount(type_code=kind, amount=Decimal(amount), currency="EUR", vat_rate=Decimal(rate),
                                      on=date(2026, 11, 20), changed=False))
    return tuple(found)


def one_action_each(messages: Iterable[StatusMessage]) -> Iterator[StatusMessage]:
    """Every status with every reason once; the actions take turns."""
    for number, same_reason in enumerate(batched(messages)):
        yield same_reason[number % len(same_reason)]


def batched(messages: Iterable[StatusMessage]) -> Iterator[list[StatusMessage]]:
    """As many at once as there are actions and none."""
    rest = iter(messages)
    while batch := list(islice(rest, 1 + len(ACTIONS))):
        yield batch


def every_message() -> Iterator[StatusMessage]:
    """All statuses x all reasons allowed (without one, where none is needed) x all actions and no action."""
    for code, status in STATUSES.items():
        base = replace(message(code), issuer=replace(ISSUERS.get(status.set_by, PLATFORM), electronic_address=None),
                       label=status.label.fr)
        reasons: list[tuple[str | None, StatusParty]] = [(reason, PLATFORM) for reason in REASONS.get(code, ())]
        if code == "210":
            reasons += [(reason, PUBLIC) for reason in REFUSAL_REASONS_B2G]
        if code not in NEEDS_REASON:
            reasons.append((None, PLATFORM))
        for (reason, sender), action in product(reasons, (None, *ACTIONS)):
            words = REASON_LABELS[reason].fr if reason else None
            detail = StatusDetail(
                reason_code=reason, reason=words, action_code=action, action=ACTIONS[action].fr if action else None,
                comment="Motif détaillé." if reason or code in NEEDS_COMMENT else None, amounts=amounts_for(code))
            yield replace(base, sender=sender, details=() if detail == StatusDetail() else (detail,))

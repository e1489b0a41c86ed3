"""How a drafted letter leaves, by mail or by SMS, and at what hours. Decides nothing and records nothing."""

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import select

from gateway import mail
from gateway.channels.asking import Message, send
from gateway.channels.schemas import PHONE
from gateway.channels.sending import client_channel
from gateway.deps import Deps
from gateway.mail import NotDelivered
from gateway.outbox import RetryLater
from gateway.reminders.letters.drafting import Drafted, draft_mail
from gateway.reminders.letters.texting import draft_text
from gateway.reminders.scenario import SMS, Scenario
from gateway.reminders.state import Seen
from gateway.reminders.working import wait_for_hours
from gateway.tables_reminders import Decision
from gateway.vault import VaultError


def draft(deps: Deps, group: Sequence[Seen]) -> Drafted:
    """The letter that these decisions call for, by the way they name. Slow, never in a transaction."""
    return draft_text(deps, group) if group[0].decision.channel == SMS else draft_mail(deps, group)


def deliver(deps: Deps, tenant_id: str, drafted: Drafted) -> None:
    """Hand a letter over, once.

    Raises:
        NotDelivered: for certain; safe to try again unless it is permanent.
        InDoubt: sending again could be the second time.
    """
    if drafted.channel != SMS:
        mail.deliver(deps.settings, drafted.content, message_id=drafted.message_id or "",
                     sender=deps.settings.mail_from, recipient=drafted.recipient)
        return
    with deps.db.reading(tenant_id) as session:
        channel = client_channel(session)
    if channel is None:
        raise NotDelivered("Aucun canal n'est réglé pour les SMS aux clients. / No channel for SMS to clients.")
    try:
        url = deps.vault.open(channel.url)
    except VaultError as error:
        raise NotDelivered("L'adresse du canal des SMS est à saisir de nouveau : la clé de ce service n'est plus celle "
                           "d'alors. / Enter the SMS channel's address anew: the service's key is another.") from error
    try:
        send(Message(url=url.replace(PHONE, drafted.recipient), title="",
                     body=drafted.content.decode()), deps.settings.webhook_allow)
    except NotDelivered as error:  # of our channel and its account, not of the number: that is not used up
        raise NotDelivered(error.reason) from error


def has_left(deps: Deps, row: Decision) -> bool | None:
    """Whether a letter that was interrupted is out; None where nobody can say.

    What was written down for another invoice of the same letter before the interruption is so for all of them.
    """
    with deps.db.reading(row.tenant_id) as session:
        told = set(session.scalars(select(Decision.outcome).where(
            Decision.sha256 == row.sha256, Decision.at == row.at, Decision.outcome.in_(("sent", "failed")))))
    if told:
        return "sent" in told
    return mail.spool_path(deps.settings, row.message_id or "").exists() if row.channel == "spool" else None


def wait_for_office(deps: Deps, scenario: Scenario) -> None:
    """Nobody wants a reminder at two in the morning. Raises RetryLater until the hours of the scenario."""
    local = deps.now_in_france()
    opening = wait_for_hours(local, *scenario.hours)
    if opening > local:
        raise RetryLater("outside office hours", at=opening.astimezone(UTC), patient=True)

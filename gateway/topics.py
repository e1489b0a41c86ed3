"""Which function handles which topic of the outbox, and what is done regularly. Nothing registers itself."""

from collections.abc import Mapping

from gateway.alarms import causes, house
from gateway.alarms.mailing import mail_alarm
from gateway.bounces import taking as bounces
from gateway.channels import sending as channels
from gateway.dossiers.periods import handle_export
from gateway.evidence import checkpoints, renewing
from gateway.evidence.scrub import scrub_due
from gateway.evidence.sealing import handle_seal, seal_due
from gateway.evidence.watch import watch
from gateway.incoming.fetching import handle_fetch
from gateway.incoming.poll import handle_poll, poll_all
from gateway.jobs import handle_job
from gateway.keeping import destroying, destruction, holds
from gateway.keeping.erasure import erase_old
from gateway.keeping.retention import count_due
from gateway.lifecycle.deadlines import tell_deadlines
from gateway.lifecycle.sending import handle_send_status
from gateway.lifecycle.taking import handle_status
from gateway.outgoing.deliver import deliver
from gateway.outgoing.handover import hand_over
from gateway.receivables import lines
from gateway.reminders import nightly, overdue
from gateway.reminders import service as reminders
from gateway.settings import Settings
from gateway.tidying import tidy
from gateway.webhooks.sending import deliver as deliver_webhook
from gateway.webhooks.sending import fan_out
from gateway.worker import Handler, Tick

HANDLERS: Mapping[str, Handler] = {
    "deliver": deliver,
    "hand-over": hand_over,
    "poll": handle_poll,
    "fetch": handle_fetch,
    "status": handle_status,
    "send-status": handle_send_status,
    "remind": reminders.handle_remind,
    "seal": handle_seal,
    "export": handle_export,
    "webhook": deliver_webhook,
    "alarm": mail_alarm,
    channels.TOPIC: channels.deliver,
    bounces.TOPIC: bounces.handle_mailbox,
    "job": handle_job,
    checkpoints.TOPIC: checkpoints.handle_mail,
    renewing.TOPIC: renewing.handle_renewal,
    holds.TOPIC: holds.handle_hold,
    destruction.TOPIC: destroying.handle_destruction,
}
STRANGERS = frozenset({"webhook", channels.TOPIC, bounces.TOPIC})
"""Topics that wait for addresses of anybody: they have threads of their own."""


def ticks(settings: Settings) -> Mapping[str, Tick]:
    """The regular work of one worker."""
    return {
        "poll": Tick(settings.poll_seconds, poll_all),
        "seal": Tick(min(60.0, settings.seal_seconds), seal_due),
        "scrub": Tick(settings.scrub_seconds, scrub_due),
        "watch": Tick(300.0, watch),
        "renew-hash": Tick(3600.0, renewing.renew_due),
        "alarms": Tick(60.0, causes.watch),
        "house": Tick(60.0, house.watch),
        "checkpoint-mail": Tick(3600.0, checkpoints.mail_daily),
        "ledger": Tick(60.0, lines.tick),
        "remind": Tick(settings.remind_seconds, nightly.tick),
        "webhook": Tick(settings.webhook_seconds, fan_out),
        "notify": Tick(settings.channel_seconds, channels.fan_out),
        "bounces": Tick(settings.bounces_seconds, bounces.look_regularly),
        "duties": Tick(settings.duty_seconds, tell_deadlines),
        "late-cases": Tick(settings.duty_seconds, overdue.tell_late),
        "tidy": Tick(settings.tidy_seconds, tidy),
        "retention": Tick(settings.tidy_seconds, count_due),
        "holds": Tick(300.0, holds.tell_new),
        "erase": Tick(settings.tidy_seconds, erase_old),
    }

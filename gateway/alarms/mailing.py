"""One mail for the beginning and one for the end of an alarm, to each address that the operator named."""

import hashlib
from typing import Final

import structlog
from babel.dates import format_datetime
from jinja2 import DictLoader, Environment, StrictUndefined

from gateway.alarms.kinds import FACTS, kind_of
from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.mail import InDoubt, Mail, NotDelivered, compose, deliver
from gateway.outbox import Entry, Park, RetryLater
from gateway.tables_care import Alarm

log = structlog.get_logger()

TEXT: Final = """\
{% if over %}Fin d'alarme : {{ kind.title }}.{% else %}{{ kind.title }}. {{ kind.advice }}{% endif %}


{% for label, value in facts %}{{ label }} : {{ value }}
{% endfor %}
Depuis : {{ since }}
Page : {{ page }}

--
{% if over %}This alarm is over: {{ kind.title_en }}.
{% else %}{{ kind.title_en }}. Open the page above to acknowledge it.
{% endif %}"""
HTML: Final = """\
<!doctype html><html lang="fr"><body>{% for part in parts %}<p>{% for line in part %}{{ line }}<br>{% endfor %}</p>
{% endfor %}</body></html>
"""
_TEXT: Final = Environment(loader=DictLoader({"text": TEXT}), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text; the HTML escapes it
_HTML: Final = Environment(loader=DictLoader({"html": HTML}), undefined=StrictUndefined, autoescape=True)


def mail_alarm(deps: Deps, entry: Entry) -> None:
    """Handle one `alarm` entry (subject: the alarm; payload: address, and whether it began or ended).

    Raises:
        RetryLater: the mail server cannot be reached.
        Park: it refuses this address for good.
    """
    with deps.db.reading(entry.tenant_id) as session:
        alarm = session.get(Alarm, (entry.tenant_id, entry.subject_id))
    if alarm is None:
        return
    recipient, over = str(entry.payload["to"]), entry.payload["code"] == "cleared"
    message_id = f"<alarm.{_digest(alarm.id, recipient, over=over)}@{deps.settings.mail_from.rpartition('@')[2]}>"
    try:
        deliver(deps.settings, compose(_mail(deps, alarm, recipient, message_id, over=over)), message_id=message_id,
                sender=deps.settings.mail_from, recipient=recipient)
    except NotDelivered as error:
        if error.permanent:
            raise Park(error.reason) from error
        raise RetryLater(error.reason) from error
    except ValueError as error:
        raise Park(f"{recipient} : {error}") from error
    except InDoubt as error:  # twice would do no harm, never would: but the page, the log and the webhook have it too
        log.warning("alarm mail in doubt", alarm=alarm.id, error=error.reason)


def _mail(deps: Deps, alarm: Alarm, recipient: str, message_id: str, *, over: bool) -> Mail:
    kind = kind_of(alarm.kind)
    facts = [(FACTS.get(name, name), value) for name, value in alarm.facts.items() if value is not None]
    since = format_datetime(alarm.raised_at.astimezone(PARIS), "d MMMM y, HH:mm:ss z", locale="fr_FR")
    text = _TEXT.get_template("text").render(kind=kind, over=over, facts=facts, since=since,
                                             page=f"{deps.settings.url}/alarmes")
    html = _HTML.get_template("html").render(
        parts=[part.splitlines() for part in text.split("\n\n") if part.strip()])
    mark = "fin d'alarme" if over else "alarme"
    return Mail(sender=deps.settings.mail_from, sender_name="Passerelle", recipient=recipient, reply_to=None,
                subject=f"[Passerelle] {mark} : {kind.title}", text=text, html=html, lang="fr", message_id=message_id,
                at=deps.now_in_france())


def _digest(alarm_id: str, recipient: str, *, over: bool) -> str:
    return hashlib.sha256(f"{alarm_id}/{recipient}/{over}".encode()).hexdigest()[:32]

"""What needs somebody today: each thing as one sentence, with the page where it is dealt with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from gateway.alarms.causes import KINDS, causes
from gateway.alarms.kinds import kind_of
from gateway.auth import Permission
from gateway.clock import day_in_france
from gateway.console.french import count, moment
from gateway.console.queries import PORTAL_REFUSES
from gateway.tables import DISPUTED, Event, JournalEntry, Seal, Submission
from gateway.tables_care import Alarm
from gateway.tables_receivables import BankMovement
from gateway.tables_reminders import Case

LOOK_BACK = timedelta(days=30)
"""Refused and rejected invoices stay on the first page this long, unless a new one took their place."""

CAUSES = {
    "duty-late": ("statut obligatoire non transmis", "statuts obligatoires non transmis", Permission.INVOICES_READ),
    "connection-down": ("plateforme injoignable", "plateformes injoignables", Permission.QUEUE_WRITE),
    "flow-gap": ("relève incomplète", "relèves incomplètes", Permission.QUEUE_WRITE),
    "work-late": ("travail en retard", "travaux en retard", Permission.QUEUE_WRITE),
    "work-parked": ("travail arrêté", "travaux arrêtés", Permission.QUEUE_WRITE),
    "flow-parked": ("flux reçu non rattaché", "flux reçus non rattachés", Permission.QUEUE_WRITE),
    "webhook-silent": ("webhook en difficulté", "webhooks en difficulté", Permission.SETTINGS_WRITE),
    "channel-silent": ("canal de messagerie en difficulté", "canaux de messagerie en difficulté",
                       Permission.SETTINGS_WRITE),
    "channel-doubt": ("message parti ou non", "messages partis ou non", Permission.SETTINGS_WRITE),
}
"""How many of what, and who is shown it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to deal with."""

    tone: str
    number: int
    title: str
    advice: str
    href: str
    permission: Permission = Permission.INVOICES_READ


def items(session: Session, now: datetime) -> Iterator[Item]:
    """Everything that waits for a person, the most urgent first."""
    yield from _alarms(session)
    yield from _causes(session, now)
    yield from _invoices(session, now)
    yield from _cases(session, now)
    yield from _bank(session)
    yield from _evidence(session, now)


def _alarms(session: Session) -> Iterator[Item]:
    """Alarms that nobody took yet; what has a sentence of its own below is not counted twice."""
    untaken = (Alarm.active.is_(True), Alarm.acknowledged_at.is_(None), Alarm.kind.not_in(KINDS))
    ringing = _count(session, select(func.count()).select_from(Alarm).where(*untaken))
    if ringing:
        newest = session.scalars(select(Alarm).where(*untaken).order_by(Alarm.raised_at.desc()).limit(1)).one()
        yield Item("bad", ringing, count(ringing, "alarme à acquitter", "alarmes à acquitter"),
                   f"La dernière : {kind_of(newest.kind).title}.", "/alarmes", Permission.AUDIT_READ)


def _causes(session: Session, now: datetime) -> Iterator[Item]:
    """What alarms are sounded about, as it stands now: one sentence for each kind."""
    for name, same in groupby(causes(session, now), key=lambda cause: cause.kind):
        found, kind = list(same), kind_of(name)
        one, many, permission = CAUSES[name]
        number = sum(cause.number for cause in found)
        until = str(found[0].facts["until"]) if name == "duty-late" else None
        yield Item(kind.tone, number, count(number, one, many), _before(until, now) if until else kind.advice,
                   found[0].href or kind.href, permission)


def _before(until: str, now: datetime) -> str:
    end = datetime.fromisoformat(until)
    if end <= now:
        return f"Le délai de 24 heures est dépassé depuis le {moment(end)}."
    return f"À transmettre avant le {moment(end)} (délai de 24 heures)."


def _invoices(session: Session, now: datetime) -> Iterator[Item]:
    recent = Submission.received_at >= now - LOOK_BACK
    rejected = _count(session, _unreplaced(recent, Submission.lifecycle.in_(("213", "221"))))
    if rejected:
        yield Item("bad", rejected, count(rejected, "facture rejetée", "factures rejetées") + " par une plateforme",
                   "Corrigez la facture et envoyez-la de nouveau.", "/factures?etat=rejetee")
    portal = _count(session, select(func.count(Event.submission_id.distinct())).where(
        Event.kind == "lifecycle", Event.code.in_(PORTAL_REFUSES), Event.at >= now - LOOK_BACK))
    if portal:
        yield Item("bad", portal, count(portal, "facture refusée", "factures refusées") + " par le portail public",
                   "Ce que votre plateforme lui a transmis n'est pas passé : voyez le motif avec elle.",
                   "/factures?etat=portail")
    failed = _count(session, _unreplaced(recent, Submission.transmission == "failed"))
    if failed:
        yield Item("bad", failed, count(failed, "envoi refusé", "envois refusés") + " par la plateforme",
                   "La plateforme n'a pas accepté le fichier : le motif est sur la facture.", "/factures?etat=decision")
    refused = _count(session, _unreplaced(recent, Submission.lifecycle == "210"))
    if refused:
        yield Item("bad", refused, count(refused, "facture refusée", "factures refusées") + " par l'acheteur",
                   "Le motif est sur la facture ; un avoir interne ou une facture rectificative s'impose.",
                   "/factures?etat=refusee")
    disputed = _count(session, select(func.count()).select_from(Submission).where(DISPUTED))
    if disputed:
        yield Item("warn", disputed, count(disputed, "facture en litige ou suspendue",
                                           "factures en litige ou suspendues"),
                   "L'acheteur attend une réponse ; les relances sont arrêtées.", "/factures?etat=litige")
    invalid = _count(session, _unreplaced(recent, Submission.transmission == "refused"))
    if invalid:
        yield Item("warn", invalid, count(invalid, "facture non conforme", "factures non conformes"),
                   "Rien n'est parti : corrigez les anomalies dans votre logiciel de facturation.",
                   "/factures?etat=non-envoyee")


def _cases(session: Session, now: datetime) -> Iterator[Item]:
    """Cases of reminders: those whose time is up, else those that wait for a person."""
    today = day_in_france(now)
    for tone, late, one, many in (("bad", True, "cas au délai dépassé", "cas au délai dépassé"),
                                  ("warn", False, "cas à traiter", "cas à traiter")):
        number = _count(session, select(func.count()).select_from(Case).where(
            Case.active.is_(True), Case.due_on < today if late else Case.due_on >= today))
        if number:
            yield Item(tone, number, count(number, one, many),
                       "Appels, accords, litiges, lettres et adresses attendent une personne.",
                       "/taches?genre=time-up" if late else "/relances/cas", Permission.REMINDERS_READ)


def _bank(session: Session) -> Iterator[Item]:
    """Movements of the bank account that nobody has said anything of."""
    waiting = _count(session, select(func.count()).select_from(BankMovement).where(
        BankMovement.state.in_(("open", "doubtful"))))
    if waiting:
        yield Item("warn", waiting, count(waiting, "mouvement bancaire à rapprocher",
                                          "mouvements bancaires à rapprocher"),
                   "Chaque entrée d'argent attend que vous disiez ce qu'elle paie.", "/banque",
                   Permission.PAYMENTS_WRITE)


def _unreplaced(*conditions: ColumnElement[bool]) -> Select[int]:
    """How many invoices are like this and have no active successor of the same number."""
    successor = aliased(Submission)
    taken = (
        select(successor.id)
        .where(successor.tenant_id == Submission.tenant_id, successor.seller_siren == Submission.seller_siren,
               successor.number == Submission.number, successor.active.is_(True), successor.id != Submission.id)
        .exists()
    )
    return select(func.count()).select_from(Submission).where(*conditions, ~taken)


def _evidence(session: Session, now: datetime) -> Iterator[Item]:
    late = _count(session, select(func.count()).select_from(Seal).where(
        Seal.token.is_(None), Seal.at < now - timedelta(hours=1)))
    if late:
        yield Item("warn", late, count(late, "scellement sans horodatage", "scellements sans horodatage"),
                   "L'autorité d'horodatage ne répond pas ; Passerelle réessaie, rien n'est perdu.", "/journal",
                   Permission.AUDIT_READ)


@dataclass(frozen=True, slots=True)
class Sealing:
    """How far the journal is sealed."""

    entries: int
    sealed: int
    last: datetime | None
    """When the newest timestamped checkpoint was stamped."""

    @property
    def waiting(self) -> int:
        """Entries that no timestamped checkpoint covers yet."""
        return self.entries - self.sealed


def sealing(session: Session) -> Sealing:
    """Over all logs of the session's tenant."""
    entries = _count(session, select(func.count()).select_from(JournalEntry))
    newest = session.scalars(select(func.max(Seal.size)).where(Seal.token.is_not(None)).group_by(Seal.log))
    sealed = sum(newest)
    last = session.scalar(select(func.max(Seal.token_at)))
    return Sealing(entries, sealed, last)


def latest(session: Session, most: int) -> list[tuple[Event, Submission]]:
    """The newest events of invoices, with their invoice."""
    query = (
        select(Event, Submission)
        .join(Submission, (Submission.tenant_id == Event.tenant_id) & (Submission.id == Event.submission_id))
        .where(Event.kind.in_(("lifecycle", "payment", "submission", "reminder")), Event.code != "sending")
        .order_by(Event.position.desc())
        .limit(most)
    )
    return [(event, invoice) for event, invoice in session.execute(query)]


def _count(session: Session, query: Select[int]) -> int:
    return session.scalar(query) or 0

"""What needs somebody today: each thing as one sentence, with the page where it is dealt with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from gateway.alarms.kinds import kind_of
from gateway.auth import Permission
from gateway.console.french import count, moment
from gateway.console.queries import PORTAL_REFUSES
from gateway.lifecycle.duties import open_duties
from gateway.tables import (
    Event,
    JournalEntry,
    OutboxEntry,
    PlatformConnection,
    Seal,
    SeenFlow,
    Submission,
    WebhookEndpoint,
)
from gateway.tables_care import Alarm

LOOK_BACK = timedelta(days=30)
"""Refused and rejected invoices stay on the first page this long, unless a new one took their place."""


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
    yield from _duties(session, now)
    yield from _queue(session)
    yield from _invoices(session, now)
    yield from _evidence(session, now)


def _alarms(session: Session) -> Iterator[Item]:
    """Alarms that nobody took yet."""
    ringing = _count(session, select(func.count()).select_from(Alarm).where(
        Alarm.active.is_(True), Alarm.acknowledged_at.is_(None)))
    if ringing:
        newest = session.scalars(select(Alarm).where(Alarm.active.is_(True), Alarm.acknowledged_at.is_(None))
                                 .order_by(Alarm.raised_at.desc()).limit(1)).one()
        yield Item("bad", ringing, count(ringing, "alarme à acquitter", "alarmes à acquitter"),
                   f"La dernière : {kind_of(newest.kind).title}.", "/alarmes", Permission.AUDIT_READ)


def _duties(session: Session, now: datetime) -> Iterator[Item]:
    """Statuses that the State must have within 24 hours, before the time is over."""
    alarming = [duty for duty in open_duties(session) if duty.is_alarming(now)]
    if alarming:
        first, late = alarming[0], sum(duty.is_late(now) for duty in alarming)
        yield Item("bad", len(alarming), count(len(alarming), "statut obligatoire non transmis",
                                               "statuts obligatoires non transmis"),
                   (f"Le délai de 24 heures est dépassé pour {late}." if late else
                    f"À transmettre avant le {moment(first.until)} (délai de 24 heures)."),
                   f"/factures/{first.submission.id}", Permission.INVOICES_READ)


def _queue(session: Session) -> Iterator[Item]:
    parked = _count(session, select(func.count()).select_from(OutboxEntry).where(OutboxEntry.state == "parked"))
    if parked:
        yield Item("warn", parked, count(parked, "travail arrêté", "travaux arrêtés"),
                   "Passerelle attend votre décision : relancer ou classer.", "/plateforme#attente",
                   Permission.QUEUE_WRITE)
    flows = _count(session, select(func.count()).select_from(SeenFlow).where(SeenFlow.state == "parked"))
    if flows:
        yield Item("warn", flows, count(flows, "flux reçu non rattaché", "flux reçus non rattachés"),
                   "La plateforme a transmis un message qui ne correspond à aucune facture.", "/plateforme#flux",
                   Permission.QUEUE_WRITE)
    broken = _count(session, select(func.count()).select_from(PlatformConnection).where(
        PlatformConnection.enabled, PlatformConnection.trouble.is_not(None)))
    if broken:
        yield Item("bad", broken, count(broken, "plateforme injoignable", "plateformes injoignables"),
                   "Les envois attendent et partiront d'eux-mêmes dès son retour.", "/plateforme#connexions",
                   Permission.QUEUE_WRITE)
    silent = _count(session, select(func.count()).select_from(WebhookEndpoint).where(
        WebhookEndpoint.removed_at.is_(None), WebhookEndpoint.trouble.is_not(None)))
    if silent:
        yield Item("warn", silent, count(silent, "webhook en difficulté", "webhooks en difficulté"),
                   "Un de vos logiciels ne reçoit plus les événements.", "/reglages/webhooks",
                   Permission.SETTINGS_WRITE)


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
    disputed = _count(session, select(func.count()).select_from(Submission).where(
        Submission.lifecycle.in_(("206", "207", "208"))))
    if disputed:
        yield Item("warn", disputed, count(disputed, "facture en litige ou suspendue",
                                           "factures en litige ou suspendues"),
                   "L'acheteur attend une réponse ; les relances sont arrêtées.", "/factures?etat=litige")
    invalid = _count(session, _unreplaced(recent, Submission.transmission == "refused"))
    if invalid:
        yield Item("warn", invalid, count(invalid, "facture non conforme", "factures non conformes"),
                   "Rien n'est parti : corrigez les anomalies dans votre logiciel de facturation.",
                   "/factures?etat=non-envoyee")


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

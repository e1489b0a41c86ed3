"""What the tables say is wrong sounds once, shows on the first page as it stands, and ends with its cause."""

from datetime import timedelta

from sqlalchemy import select

from gateway.alarms import causes
from gateway.console import attention
from gateway.deps import Deps
from gateway.incoming.poll import poll_all
from gateway.outbox import put
from gateway.tables import Event, OutboxEntry, PlatformConnection, SeenFlow
from gateway.tables_care import Alarm
from gateway.tables_webhooks import WebhookEndpoint
from gateway.webhooks.service import disable


def ringing(deps: Deps, tenant: str) -> dict[tuple[str, str], int]:
    with deps.db.reading(tenant) as session:
        return {(alarm.kind, alarm.subject): alarm.count
                for alarm in session.scalars(select(Alarm).where(Alarm.active.is_(True)))}


def shown(deps: Deps, tenant: str) -> list[str]:
    with deps.db.reading(tenant) as session:
        return [item.title for item in attention.items(session, deps.now())]


def wrong(deps: Deps, tenant: str) -> None:
    """Parked work of two topics, a flow that nobody knows, a webhook that answers nothing."""
    with deps.db.transaction(tenant) as session:
        for topic in ("remind", "remind", "export"):
            put(session, tenant, topic, "nothing", now=deps.now())
        session.add(SeenFlow(tenant_id=tenant, id="flow", connection_id="c", flow_type="CustomerInvoiceLC",
                             state="parked", cause="x", submission_id=None, sha256=None, first_seen_at=deps.now(),
                             updated_at=deps.now()))
        session.add(WebhookEndpoint(
            tenant_id=tenant, id="hook", url="https://exemple.example/x", description="", kinds=[], secret=b"",
            cursor=0, created_at=deps.now(), disabled_at=None, removed_at=None, resume_at=None,
            trouble="réponse HTTP 500"))
    with deps.db.transaction(tenant) as session:
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.subject_id == "nothing")):
            entry.state, entry.reason = "parked", "pour l'essai"


def mend(deps: Deps, tenant: str) -> None:
    with deps.db.transaction(tenant) as session:
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.subject_id == "nothing")):
            entry.state = "closed"
        session.get_one(SeenFlow, (tenant, "flow", "c")).state = "done"
        session.get_one(WebhookEndpoint, (tenant, "hook")).trouble = None


def test_what_is_wrong_sounds_once_and_ends_with_its_cause(deps: Deps, tenant: str) -> None:
    wrong(deps, tenant)
    for _ in range(3):
        causes.watch(deps)
    kept = {("work-parked", "export"): 1, ("work-parked", "remind"): 1, ("flow-parked", ""): 1,
            ("webhook-silent", "hook"): 1}
    assert ringing(deps, tenant) == kept
    assert shown(deps, tenant) == ["3 travaux arrêtés", "1 flux reçu non rattaché", "1 webhook en difficulté"]
    mend(deps, tenant)
    assert shown(deps, tenant) == []  # the page does not wait for the next look
    causes.watch(deps)
    assert ringing(deps, tenant) == {}
    with deps.db.reading(tenant) as session:
        told = [event.code for event in session.scalars(
            select(Event).where(Event.kind == "alarm").order_by(Event.position))]
    assert told == ["raised"] * 4 + ["cleared"] * 4


def test_a_webhook_that_a_person_switched_off_is_silent_for_good(deps: Deps, tenant: str) -> None:
    wrong(deps, tenant)
    disable(deps, tenant, "hook", "user:a")
    assert "1 webhook en difficulté" not in shown(deps, tenant)


def test_a_platform_that_showed_less_than_there_is_has_an_alarm_of_its_own(
    deps: Deps, tenant: str, connection, platform
) -> None:
    platform.put("flow-1", flowType="SupplierInvoice", flowSyntax="UBL")["flowId"] = None
    poll_all(deps)
    causes.watch(deps)
    assert ringing(deps, tenant)["flow-gap", connection.id] == 1
    assert "1 relève incomplète" in shown(deps, tenant)
    with deps.db.transaction(tenant) as session:
        session.get_one(PlatformConnection, (tenant, connection.id)).trouble = "no answer"
    causes.watch(deps)
    assert ("connection-down", connection.id) in ringing(deps, tenant)
    assert ("flow-gap", connection.id) not in ringing(deps, tenant)


def test_work_that_nobody_takes_is_late_and_work_in_hand_is_not(deps: Deps, tenant: str, clock) -> None:
    with deps.db.transaction(tenant) as session:
        put(session, tenant, "remind", "nothing", now=deps.now())
    clock.forward(minutes=14)
    causes.watch(deps)
    assert ringing(deps, tenant) == {}
    clock.forward(minutes=2)
    causes.watch(deps)
    assert ringing(deps, tenant) == {("work-late", "remind"): 1}
    with deps.db.transaction(tenant) as session:
        session.scalars(select(OutboxEntry)).one().lease_until = deps.now() + timedelta(minutes=1)
    causes.watch(deps)
    assert ringing(deps, tenant) == {}

"""What somebody's address leaves once it is erased: nowhere but where a duty keeps it, and nothing of anybody else."""

import json

from sqlalchemy import func, select

from gateway.deps import Deps
from gateway.evidence import looks
from gateway.evidence.trust import check_everything
from gateway.keeping import erasure
from gateway.reminders.settling import conclude
from gateway.tables import Event, Submission
from gateway.tables_care import Alarm, SavedSearch
from gateway.tables_channels import ReturnedMail
from gateway.tables_reminders import Case, Decision, ReminderAnswer, ReminderClient

FIRST = "user:first"


def test_an_address_goes_where_no_duty_keeps_it(deps: Deps, tenant: str, archived, officer, reminded) -> None:
    one = archived(buyer_email="Canari@Oiseaux.example")
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q="canari@oiseaux.example")
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q="another")
    spool = deps.settings.data / "mail"
    spool.mkdir(parents=True)
    (spool / "a.eml").write_bytes(b"To: canari@oiseaux.example\n")
    (spool / "b.eml").write_bytes(b"To: other@oiseaux.example\n")
    reminded(one)
    counts = erasure.erase_contact(deps, tenant, FIRST, "canari@oiseaux.example")
    assert {name: counts[name] for name in ("invoices", "looks", "mails", "clients", "proposals", "answers")} == {
        "invoices": 1, "looks": 2, "mails": 1, "clients": 1, "proposals": 1, "answers": 1}
    with deps.db.reading(tenant) as session:
        client, case, answer = (session.scalars(select(table)).one() for table in (
            ReminderClient, Case, ReminderAnswer))
        assert (client.email, client.contact, case.proposal, answer.words) == (None, None, None, {})
        assert session.get_one(Submission, (tenant, one.id)).buyer_email is None
        assert not any("canari@" in json.dumps(data) for data in session.scalars(select(Event.data)))
    assert [path.name for path in spool.iterdir()] == ["b.eml"]
    assert check_everything(deps).faults == ()


def test_the_address_of_somebody_else_that_ends_like_it_stays(
    deps: Deps, tenant: str, archived, officer, reminded
) -> None:
    one = archived(buyer_email="canari@oiseaux.example")
    reminded(one)
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q="canari@oiseaux.example")
    spool = deps.settings.data / "mail"
    spool.mkdir(parents=True)
    (spool / "a.eml").write_bytes(b"To: <canari@oiseaux.example>\n")
    with deps.db.transaction(tenant) as session:
        session.add(Decision(
            tenant_id=tenant, id="a", submission_id=one.id, at=deps.now(), scenario="relances-v2", stage="friendly",
            outcome="sent", reason="canari@oiseaux.example", recipient="canari@oiseaux.example",
            facts={"n": 1, "email": "canari@oiseaux.example"}))
        session.add(SavedSearch(tenant_id=tenant, id="s", user_id=FIRST, name="lui", created_at=deps.now(),
                                query="type=reminder&q=canari%40oiseaux.example"))
        session.add(Alarm(tenant_id=tenant, id="alarm", kind="work-parked", subject="", count=1, raised_at=deps.now(),
                          seen_at=deps.now(), active=True, facts={"error": "pour canari@oiseaux.example : refusé"}))
    for other in ("ari@oiseaux.example", "canari@oiseaux.exam", "canari@oiseaux"):
        counts = erasure.erase_contact(deps, tenant, FIRST, other)
        assert set(counts.values()) == {0}, (other, counts)
    counts = erasure.erase_contact(deps, tenant, FIRST, "canari@oiseaux.example")
    assert {name: count for name, count in counts.items() if not count} == {"contacts": 0, "returned": 0}


def test_the_mails_of_another_account_stay(deps: Deps, tenant: str, archived, make_tenant) -> None:
    other, one = make_tenant("Voisins"), archived()
    spool, returned = deps.settings.data / "mail", deps.settings.data / "returned"
    for folder, name in ((spool, "ours@x"), (spool, "theirs@x"), (spool, "nobodys@x"), (returned, "ab" * 32)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.eml").write_bytes(b"To: canari@oiseaux.example\n")
    for owner, message in ((tenant, "<ours@x>"), (other, "<theirs@x>")):
        with deps.db.transaction(owner) as session:
            session.add(Decision(
                tenant_id=owner, id=owner, submission_id=one.id, at=deps.now(), scenario="relances-v2",
                stage="friendly", outcome="sent", reason="", facts={"n": 1}, message_id=message))
            if owner == other:
                session.add(ReturnedMail(tenant_id=owner, id="ab" * 32, received_at=deps.now(), size=1, kind="other",
                                         outcome="nothing", words={}))
    assert erasure.erase_contact(deps, tenant, FIRST, "canari@oiseaux.example")["mails"] == 2
    assert [path.name for path in spool.iterdir()] == ["theirs@x.eml"]
    assert len(list(returned.iterdir())) == 1


def test_an_address_with_an_accent_is_found_too(deps: Deps, tenant: str, archived) -> None:
    one = archived()
    with deps.db.transaction(tenant) as session:
        session.add(ReminderAnswer(tenant_id=tenant, id="answer", submission_id=one.id, at=deps.now(), answer="other",
                                   words={"remark": "Écrivez à\nrené@oiseaux.example."}))
    assert erasure.erase_contact(deps, tenant, FIRST, "rené@oiseaux.example")["answers"] == 1


def test_decisions_without_an_address_still_say_what_went_out(deps: Deps, tenant: str, archived) -> None:
    one = archived(buyer_email="canari@oiseaux.example")
    about = {"tenant_id": tenant, "submission_id": one.id, "at": deps.now(), "scenario": "relances-v2"}
    told = {"offset": 10, "code": "due", "size": 7, "subject": "Rappel", "balance": "12.00", "currency": "EUR",
            "email": "Canari@oiseaux.example", "refused_addresses": ["canari@oiseaux.example"]}
    with deps.db.transaction(tenant) as session:
        session.add_all([
            Decision(**about, id="a", stage="friendly", outcome="unknown", intent="i", channel="smtp", reason="",
                     sha256="0" * 64, recipient="Canari@oiseaux.example", facts={**told, "n": 1}),
            Decision(**about, id="b", stage="formal", outcome="held", facts={**told, "n": 2},
                     reason="Le serveur a refusé l'adresse Canari@oiseaux.example.")])
    assert erasure.erase_contact(deps, tenant, FIRST, "canari@oiseaux.example")["reminders"] == 2
    with deps.db.reading(tenant) as session:
        first, second = session.scalars(select(Decision).order_by(Decision.id)).all()
        assert [(row.facts["n"], row.facts["offset"], row.facts["size"]) for row in (first, second)] == [
            (1, 10, 7), (2, 10, 7)]
        assert not any("canari" in f"{row.recipient}{row.reason}{row.facts}".lower() for row in (first, second))
    conclude(deps, first, "sent", None)
    with deps.db.reading(tenant) as session:
        assert session.get_one(Decision, (tenant, "a")).outcome == "sent"


def test_old_searches_go_month_by_month(deps: Deps, tenant: str, officer, clock) -> None:
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q="Canari")
    clock.forward(days=380)
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q="Merle")
    erasure.erase_old(deps)
    erasure.erase_old(deps)
    with deps.db.reading(tenant) as session:
        said = [data.get("asked") for data in session.scalars(
            select(Event.data).where(Event.kind == "access").order_by(Event.position))]
        told = session.scalar(select(func.count()).select_from(Event).where(Event.code == "erased"))
    assert (said, told) == ([None, {"q": "Merle"}], 1)
    assert check_everything(deps).faults == ()

"""Retention by HTTP and by command: what a key may, what only a person may, and what each of them is told."""

from datetime import timedelta

from gateway import cli
from gateway.accounts import people
from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.keeping.routes import router
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Document, Submission, Tenant

PASSWORD = "une passerelle sur la rivière"
ONE, TWO, CLERK = "une@atelier.example", "deux@atelier.example", "commis@atelier.example"
WHY = "au terme des dix ans"


def deposit(deps: Deps, invoice: Submission) -> str:
    """The document of an invoice that is there; its hash."""
    data = f"<Invoice>{invoice.id}</Invoice>".encode()
    kept = Kept("original", deps.store.put(data).hex, len(data))
    with deps.db.transaction(invoice.tenant_id) as session:
        session.add(Document(tenant_id=invoice.tenant_id, id=f"d-{invoice.id}", submission_id=invoice.id,
                             role="original", syntax="ubl-invoice", media_type="application/xml", name="f.xml",
                             sha256=kept.sha256, size=kept.size, at=deps.now()))
        record(session, invoice.tenant_id, Change(kind="submission", code="accepted", actor="key:test",
                                                  submission_id=invoice.id, objects=(kept,)), now=deps.now())
    return kept.sha256


def hire(deps: Deps, tenant: str, *who: str) -> None:
    for email in who:
        role = "operator" if email == CLERK else "officer"
        people.create_user(deps, tenant, email, email, PASSWORD, [role], "operator:cli")


def person(email: str, password: str = PASSWORD) -> dict[str, str]:
    return {"email": email, "password": password}


def test_the_way_over_http(serve, deps: Deps, tenant: str, make_invoice, make_key, clock, drain) -> None:
    client = serve(router)
    hire(deps, tenant, ONE, TWO, CLERK)
    invoice = make_invoice()
    sha256 = deposit(deps, invoice)
    kept = client.get(f"/v1/invoices/{invoice.id}/retention").json()
    assert (kept["until"], kept["rule"], kept["holds"], kept["destroyed_at"]) == ("2036-12-31", "12-31+10", [], None)
    assert client.get("/v1/invoices/nowhere/retention").status_code == 404
    assert client.get("/v1/evidence/due").json() == {"items": [], "statements": []}

    hold = client.post("/v1/evidence/holds", json={"subject": invoice.id, "reason": "contrôle fiscal"})
    assert (hold.status_code, hold.json()["lifted_at"]) == (201, None)
    assert client.post("/v1/evidence/holds", json={"subject": "nowhere", "reason": "x"}).status_code == 404
    assert client.post("/v1/evidence/holds", json={"subject": invoice.id, "reason": ""}).status_code == 422
    clerk = {"Authorization": make_key(tenant, "invoices:read")}
    assert client.post("/v1/evidence/holds", json={"subject": "all", "reason": "x"}, headers=clerk).status_code == 403
    assert client.get("/v1/evidence/holds", headers=clerk).status_code == 403

    clock.forward(days=4000)
    wanted = {"person": person(ONE), "subjects": [invoice.id], "reason": WHY}
    held = client.post("/v1/evidence/destructions", json=wanted)
    assert (held.status_code, held.json()["code"]) == (409, "under-hold")
    lifted = client.post(f"/v1/evidence/holds/{hold.json()['id']}/lift", json={"reason": "clos"}).json()
    assert (lifted["lifted_reason"], client.get("/v1/evidence/holds").json()["items"]) == ("clos", [lifted])

    for who, status in ((person(CLERK), 403), (person(ONE, "un autre mot de passe"), 401)):
        assert client.post("/v1/evidence/destructions", json={**wanted, "person": who}).status_code == status
    proposed = client.post("/v1/evidence/destructions", json=wanted)
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    place = f"/v1/evidence/destructions/{proposed.json()['id']}"
    alone = client.post(f"{place}/approve", json={"person": person(ONE)})
    assert (alone.status_code, alone.json()["code"]) == (403, "same-person")
    assert client.get(f"{place}/certificate").status_code == 404
    declined = client.post(f"{place}/decline", json={"person": person(TWO), "reason": "pas encore"}).json()
    assert declined["state"] == "declined"
    assert client.post(f"{place}/approve", json={"person": person(TWO)}).json()["code"] == "not-open"
    assert client.post("/v1/evidence/destructions/nowhere/approve", json={"person": person(TWO)}).status_code == 404
    clock.forward(seconds=1)
    place = "/v1/evidence/destructions/" + client.post("/v1/evidence/destructions", json=wanted).json()["id"]
    assert client.post(f"{place}/approve", json={"person": person(TWO)}).json()["state"] == "approved"
    drain(deps)
    assert [row["state"] for row in client.get("/v1/evidence/destructions").json()["items"]] == ["done", "declined"]
    certificate = client.get(f"{place}/certificate")
    assert sha256 in certificate.text
    assert client.get(f"/v1/invoices/{invoice.id}/retention").json()["destruction"] == place.rpartition("/")[2]

    erased = client.post("/v1/evidence/erasures", json={"email": "personne@exemple.example"})
    assert set(erased.json()["erased"].values()) == {0}
    assert client.post("/v1/evidence/erasures", json={"email": "nobody"}).status_code == 422


def test_the_way_by_command(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PASSERELLE_PASSWORD", PASSWORD)

    def run(*argv: str, code: int = 0) -> str:
        assert cli.main(["retention", *argv]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    with assembled(Settings()) as deps:
        with deps.db.transaction("t") as session:
            session.add(Tenant(id="t", name="default", created_at=deps.now() - timedelta(days=1)))
            session.flush()
            usual = {column.name: None for column in Submission.__table__.columns}
            invoice = Submission(**{
                **usual, "tenant_id": "t", "id": "i1", "received_at": deps.now(), "actor": "key:test", "number": "F-1",
                "issue_date": deps.today(), "issue_year": deps.today().year, "processing_rule": "B2B", "vat": [],
                "preceding": [], "syntax": "ubl-invoice", "profile": "en16931", "verdict": "valid",
                "sha256": "ab" * 32, "transmission": "deposited"})
            session.add(invoice)
        deposit(deps, invoice)
        hire(deps, "t", ONE)
        year = deps.today().year
    assert run("show", "F-1").startswith(f"{year + 10}-12-31 12-31+10 i1")
    run("years", "6")
    assert run("show", "i1").startswith(f"{year + 6}-12-31 12-31+6 i1")
    run("years", "2", code=1)
    hold = run("hold", "F-1", "--reason", "contrôle fiscal").strip()
    assert "contrôle fiscal" in run("show", "F-1")
    assert "en vigueur" in run("holds")
    run("lift", hold, "--reason", "clos")
    assert "levé" in run("holds")
    run("hold", "nowhere", "--reason", "x", code=1)
    with assembled(Settings()) as deps, deps.db.transaction("t") as session:
        session.add(Submission(**{**usual, "tenant_id": "t", "id": "i2", "received_at": deps.now(), "actor": "key:test",
                                  "number": "F-1", "processing_rule": "B2B", "vat": [], "preceding": [],
                                  "syntax": "ubl-invoice", "profile": "en16931", "verdict": "invalid",
                                  "sha256": "cd" * 32, "transmission": "refused"}))
    run("hold", "F-1", "--reason", "lequel ?", code=1)  # two have this number
    run("lift", run("hold", "i2", "--reason", "celui-ci").strip(), "--reason", "clos")
    assert run("due") == ""
    run("propose", "i1", "--reason", WHY, "--email", ONE, code=1)  # its time is not over
    assert run("destructions") == ""
    run("certificate", "nowhere", code=1)
    assert "mails: 0" in run("erase", "personne@exemple.example")
    run("show", "F-1", "--tenant", "Autre", code=2)

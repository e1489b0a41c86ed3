"""Number series over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from gateway.deps import Deps
from gateway.series.routes import router
from gateway.tables import Event, JournalEntry, LegalEntity, Submission

MakeInvoice = Callable[..., Submission]


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(router)


def explain(api: Any, entity: LegalEntity, number: str, **more: Any) -> Any:
    said = {"siren": entity.siren, "number": number, "reason": "Brouillon supprimé", **more}
    return api.post("/v1/series/gaps", json=said)


def test_a_gap_is_listed_until_somebody_explains_it(
    api: Any, deps: Deps, tenant: str, entity: LegalEntity, make_invoice: MakeInvoice
) -> None:
    for number in ("F-001", "F-002", "F-004"):
        make_invoice(number=number)

    [series] = api.get("/v1/series").json()["items"]
    assert (series["prefix"], series["count"], series["missing"]) == ("F-", 3, 1)
    assert series["gaps"] == [{"first": "F-003", "last": "F-003", "count": 1, "explanation": "none", "reason": None,
                               "submission_id": None}]

    answer = explain(api, entity, "F-003")
    assert answer.status_code == 201
    [series] = api.get(f"/v1/series?siren={entity.siren}").json()["items"]
    assert series["missing"] == 0
    assert (series["gaps"][0]["explanation"], series["gaps"][0]["reason"]) == ("declared", "Brouillon supprimé")
    with deps.db.reading(tenant) as session:
        event = session.scalars(select(Event).where(Event.position == answer.json()["position"])).one()
        assert event.data == {"siren": entity.siren, "number": "F-003"}
        assert session.scalars(select(JournalEntry)).one().subject == f"entity:{entity.id}"


def test_a_number_that_we_refused_explains_its_gap(api: Any, make_invoice: MakeInvoice) -> None:
    make_invoice(number="F-1")
    refused = make_invoice(number="F-2", active=None, transmission="refused", transmission_reason="invoice-refused: 1")
    make_invoice(number="F-3")
    [gap] = api.get("/v1/series").json()["items"][0]["gaps"]
    assert (gap["explanation"], gap["submission_id"]) == ("refused", refused.id)


def test_a_number_sent_again_after_a_rejection_is_no_repetition(api: Any, make_invoice: MakeInvoice) -> None:
    first = make_invoice(number="F-1", active=None)
    make_invoice(number="F-1", replaces=first.id)
    [series] = api.get("/v1/series").json()["items"]
    assert (series["count"], series["repetitions"]) == (1, [])


REFUSED = (
    ({"number": "F-1"}, (409, "number-used")),
    ({"siren": "000001016"}, (404, "not-found")),
    ({"number": "SANS"}, (422, "number-without-counter")),
    ({"reason": ""}, (422, "invalid-request")),
)


@pytest.mark.parametrize(("change", "expected"), REFUSED)
def test_what_explains_nothing_is_refused(
    api: Any, entity: LegalEntity, make_invoice: MakeInvoice, change: dict[str, str], expected: tuple[int, str]
) -> None:
    make_invoice(number="F-1")
    answer = explain(api, entity, **{"number": "F-2", **change})
    assert (answer.status_code, answer.json()["code"]) == expected


def test_series_come_in_pages(api: Any, make_invoice: MakeInvoice) -> None:
    for number in ("A-1", "B-1", "C-1"):
        make_invoice(number=number)
    first = api.get("/v1/series?limit=2").json()
    rest = api.get("/v1/series", params={"limit": 2, "after": first["next"]}).json()
    assert [s["prefix"] for s in first["items"] + rest["items"]] == ["A-", "B-", "C-"]
    assert rest["next"] is None
    assert api.get("/v1/series?after=nothing").status_code == 404


def test_another_tenant_sees_nothing(
    serve: Callable[..., Any], make_tenant: Callable[[str], str], make_key: Callable[..., str],
    make_invoice: MakeInvoice,
) -> None:
    make_invoice(number="F-1")
    api = serve(router)
    stranger = make_key(make_tenant("Autre"))
    assert api.get("/v1/series", headers={"Authorization": stranger}).json()["items"] == []

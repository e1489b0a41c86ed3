"""The API of webhooks."""

import pytest


def test_the_life_of_a_webhook(client, stage) -> None:
    made = client.post("/v1/webhooks", json={"url": stage.receiver.url, "description": "ERP"})
    assert made.status_code == 201
    webhook = made.json()
    assert webhook["secret"].startswith("whsec_")
    assert "secret" not in client.get("/v1/webhooks").json()["items"][0]
    stage.happen(stage.make_invoice(), "205")
    stage.work()
    log = client.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()
    assert [(one["state"], one["status"], one["attempts"]) for one in log["items"]] == [("delivered", 204, 1)]
    feed = client.get("/v1/events").json()["items"]
    assert log["items"][0]["event"] in [one["id"] for one in feed], "the same events for those who poll"
    again = client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{log['items'][0]['id']}/redeliver")
    assert again.status_code == 202
    twice = client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{log['items'][0]['id']}/redeliver")
    assert (twice.status_code, twice.json()["code"]) == (409, "delivery-pending")
    assert client.post(f"/v1/webhooks/{webhook['id']}/secret").json()["secret"] != webhook["secret"]
    assert client.post(f"/v1/webhooks/{webhook['id']}/disable").json()["disabled_at"]
    off = client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{log['items'][0]['id']}/redeliver")
    assert (off.status_code, off.json()["code"]) == (409, "webhook-disabled")
    assert client.post(f"/v1/webhooks/{webhook['id']}/enable").json()["disabled_at"] is None
    assert client.request("DELETE", f"/v1/webhooks/{webhook['id']}").status_code == 204
    assert client.get(f"/v1/webhooks/{webhook['id']}/deliveries").status_code == 404


@pytest.mark.parametrize("url", ["http://exemple.fr/", "https://exemple.fr:22/", "https://moi@exemple.fr/"])
def test_an_address_that_is_not_allowed(client, url: str) -> None:
    answer = client.post("/v1/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook-address")


def test_twenty_are_enough(client, receiver) -> None:
    answers = [client.post("/v1/webhooks", json={"url": receiver.url}).status_code for _ in range(21)]
    assert answers == [201] * 20 + [409]


def test_another_tenant_sees_nothing(client, receiver, make_tenant, make_key) -> None:
    webhook = client.post("/v1/webhooks", json={"url": receiver.url}).json()["id"]
    other = {"Authorization": make_key(make_tenant("Autre"))}
    assert client.get("/v1/webhooks", headers=other).json() == {"items": []}
    assert client.get(f"/v1/webhooks/{webhook}/deliveries", headers=other).status_code == 404
    assert client.post(f"/v1/webhooks/{webhook}/disable", headers=other).status_code == 404

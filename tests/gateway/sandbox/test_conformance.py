"""`passerelle platform check` against the sandbox: nothing to say of a good platform, each fault found by its check."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.commands.platform import main
from gateway.platforms.conformance.catalogue import CHECKS
from gateway.platforms.port import Rejected

TENANTS = ("good", "equal", "ahead", "late", "misfiled", "disorder", "repeat", "forged", "untimely")
Sample = Callable[..., bytes]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, start_sandbox: Any) -> Iterator[Any]:
    """A sandbox whose scripts run fast, with mailboxes of 120 flows."""
    tenants = [word for name in TENANTS for word in ("--tenant", name)]
    started = start_sandbox(tmp_path_factory.mktemp("conformance"), "--speed", "60", *tenants)
    for tenant in ("main", "good"):
        fill(started, tenant, 120)
    yield started
    started.end()


@pytest.fixture(scope="module", params=["1.2", "1.1"])
def old(request: Any, tmp_path_factory: pytest.TempPathFactory, start_sandbox: Any) -> Iterator[Any]:
    started = start_sandbox(tmp_path_factory.mktemp("old"), "--norm", request.param)
    fill(started, "main", 120)
    yield started
    started.end()


def fill(sandbox: Any, tenant: str, count: int) -> None:
    sandbox.admin.post("/mail", params={"tenant": tenant, "count": count}).raise_for_status()


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Run the command; gives (exit code, outcome by key, what was seen by key). Faults end with the test."""
    used: list[Any] = []

    def run(sandbox: Any, tenant: str = "main", *options: str) -> tuple[int, dict[str, str], dict[str, str]]:
        used.append(sandbox)
        ready = sandbox.ready if tenant == "main" else {**sandbox.ready, **sandbox.ready["tenants"][tenant]}
        monkeypatch.setenv("PASSERELLE_CLIENT_SECRET", ready["client_secret"])
        code = main(["check", "--url", ready["flow_url"], "--directory-url", ready["directory_url"], "--token-url",
                     ready["token_url"], "--client-id", ready["client_id"], "--allow-loopback", "--format", "json",
                     "--watch", "0.3", "--siren", "000001164", *options])
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert [item["number"] for item in checks] == list(range(1, len(CHECKS) + 1))
        return (code, {item["key"]: item["outcome"] for item in checks}, {item["key"]: item["seen"] for item in checks})

    yield run
    for sandbox in used:
        sandbox.faults()


def failures(outcomes: dict[str, str]) -> set[str]:
    return {key for key, outcome in outcomes.items() if outcome == "fail"}


def test_there_is_nothing_to_say_of_a_good_platform_and_it_is_left_as_it_was(busy: Any, check: Any) -> None:
    code, outcomes, _ = check(busy, "good", "--strict")
    assert (code, failures(outcomes)) == (0, set())
    assert {key for key, outcome in outcomes.items() if outcome == "not-checkable"} == {
        "deposit", "found-again", "acknowledged", "double", "callback", "callback-proof", "callback-time",
        "callback-once", "callback-order"}
    listed = busy.admin.get("/flows", params={"tenant": "good"}).json()
    assert (len(listed["flows"]), listed["deposits_per_tracking_id"]) == (120, {})


def test_an_old_platform_is_told_by_its_pages_and_breaks_nothing(old: Any, check: Any) -> None:
    code, outcomes, _ = check(old)
    assert (code, failures(outcomes)) == (0, {"cursor"})


@pytest.mark.parametrize(("fault", "key"), [
    ({"page_cap": 25}, "page-size"),
    ({"cursorless": True}, "cursor"),
    ({"unsorted": True}, "order"),
    ({"missing_documents": ["Original"]}, "documents"),
    ({"directory_lies": True}, "directory"),
    ({"slow_s": 0.25}, "speed"),
    ({"fail": 1, "fail_status": 429, "fail_retry_after": "3"}, "throttled"),
    ({"fail": 1, "fail_status": 500}, "server-errors"),
    ({"garble": "html"}, "whole-answers"),
    ({"garble": "half"}, "whole-answers"),
    ({"garble": "redirect"}, "no-redirect"),
    ({"garble": "enum"}, "vocabulary"),
])
def test_each_fault_of_reading_is_found(busy: Any, check: Any, fault: dict[str, Any], key: str) -> None:
    busy.faults(**fault)
    code, outcomes, seen = check(busy, "main", "--slow-after", "0.2" if "slow_s" in fault else "5")
    assert outcomes[key] == "fail", seen
    breaks = "directory_lies" in fault or "fail" in fault or fault.get("garble") in {"html", "half", "redirect"}
    assert code == int(breaks)


@pytest.mark.parametrize(("tenant", "fault", "key"), [
    ("equal", {"equal_times": 4}, "own-times"),
    ("ahead", {"clock_ahead_s": 3600}, "clock"),
    ("late", {"late_s": 2.0}, "late-rows"),
])
def test_each_fault_of_a_mailbox_is_found(
    busy: Any, check: Any, tenant: str, fault: dict[str, Any], key: str,
) -> None:
    busy.faults(**fault)
    fill(busy, tenant, 12)
    code, outcomes, _ = check(busy, tenant, "--watch", "2.5" if tenant == "late" else "0.2")
    assert (code, failures(outcomes)) == (0, {key})


@pytest.fixture
def invoice(tmp_path: Path, sample: Sample, request: Any) -> list[str]:
    """The options that deposit a sample."""
    path = tmp_path / "facture.xml"
    path.write_bytes(sample(f"CHK-{abs(hash(request.node.name)) % 10**8}"))
    return ["--deposit", str(path), "--syntax", "UBL", "--watch", "15"]


def test_a_deposit_and_its_double(busy: Any, check: Any, invoice: list[str]) -> None:
    code, outcomes, seen = check(busy, "good", *invoice, "--twice", "--listen", "0", "--watch", "8")
    assert (code, failures(outcomes)) == (0, set()), seen
    assert seen["double"] == "AlreadyExistingFlow"
    assert not busy.admin.get("/faults", params={"tenant": "good"}).json()["drop_after"]


@pytest.mark.parametrize(("fault", "seen_at", "words"), [
    ({"drop_after": 1}, "deposit", "kept as flow"),
    ({"drop_before": 1}, "deposit", "not kept"),
    ({"error_after": 1}, "deposit", "kept as flow"),
    ({"refuse_duplicates": True}, "double", "refused at once"),
])
def test_each_fault_of_a_deposit_is_found(
    busy: Any, check: Any, invoice: list[str], fault: dict[str, Any], seen_at: str, words: str,
) -> None:
    busy.faults(**fault)
    _, outcomes, seen = check(busy, "main", *invoice, "--twice", "--watch", "1" if seen_at == "deposit" else "6")
    assert (outcomes[seen_at], words in seen[seen_at]) == ("fail", True), seen[seen_at]


@pytest.mark.parametrize(("tenant", "fault", "key"), [
    ("forged", {"wrong_signatures": True}, "callback-proof"),
    ("repeat", {"duplicate_callbacks": True}, "callback-once"),
    ("disorder", {"disorder_callbacks": True, "out_of_order": True}, "callback-order"),
    ("untimely", {"clock_ahead_s": 3600}, "callback-time"),
])
def test_each_fault_of_what_comes_back_is_found(
    busy: Any, check: Any, invoice: list[str], tenant: str, fault: dict[str, Any], key: str,
) -> None:
    busy.faults(**fault)
    _, outcomes, seen = check(busy, tenant, *invoice, "--listen", "0", "--watch", "6")
    assert outcomes[key] == "fail", seen


def test_what_is_misfiled_is_found(busy: Any, check: Any, invoice: list[str]) -> None:
    busy.faults(misclassify=True)
    check(busy, "misfiled", *invoice, "--watch", "2")
    _, outcomes, seen = check(busy, "misfiled")
    assert outcomes["classification"] == "fail", seen
    assert "B2BInt" in seen["classification"]


def test_tenants_do_not_see_each_other(busy: Any) -> None:
    other = busy.ready["tenants"]["good"]
    form = {"grant_type": "client_credentials"}
    given = httpx.post(busy.ready["token_url"], data=form, auth=(other["client_id"], other["client_secret"]),
                       trust_env=False).json()["access_token"]
    mine = busy.admin.get("/flows").json()["flows"][0]["flowId"]
    answer = httpx.get(f"{busy.ready['flow_url']}/v1/flows/{mine}", headers={"Authorization": f"Bearer {given}"},
                       trust_env=False)
    assert answer.status_code == 404
    assert busy.admin.get("/flows", params={"tenant": "nobody"}).status_code == 404


def test_a_platform_that_cannot_be_asked_is_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert "--connection" in capsys.readouterr().err


def test_presets_are_shown_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    shown = capsys.readouterr().out
    assert "superpdp" in shown
    assert "observed: two public clients" in shown


def test_webhooks_of_old_platforms_have_another_shape_or_are_not_there(old: Any, connect: Any) -> None:
    platform = connect(old)
    if "1.1" in old._options:
        with pytest.raises(Rejected, match="MISSING_RESOURCE"):
            platform.register_webhook("http://127.0.0.1:9/callbacks/1")
        return
    webhook_id, key = platform.register_webhook("http://127.0.0.1:9/callbacks/1")
    assert key == b""
    form = {"grant_type": "client_credentials"}
    auth = (old.ready["client_id"], old.ready["client_secret"])
    token = httpx.post(old.ready["token_url"], data=form, auth=auth, trust_env=False).json()["access_token"]
    with httpx.Client(base_url=old.ready["flow_url"] + "/v1", headers={"Authorization": f"Bearer {token}"},
                      trust_env=False) as client:
        assert client.get(f"/webhooks/{webhook_id}").json()["callback"] == {"url": "http://127.0.0.1:9/callbacks/1"}
        changed = client.patch(f"/webhooks/{webhook_id}", json={"metadata": {"ackStatus": "Error"}}).json()
        assert changed["metadata"] == {"flowDirection": "In", "ackStatus": "Error"}
        assert client.post("/flows/search", json={"where": {"flowDirection": ["In"]}}).json().keys() == {
            "limit", "filters", "results"}
    platform.delete_webhook(webhook_id)

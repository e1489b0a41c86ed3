"""`passerelle demo`: the whole way, once, from nothing, on embedded defaults and real processes.

Starts the sandbox platform and the gateway, sets up a company, posts every case, waits for what must happen,
prints each timeline, exports and verifies each dossier, and ends both processes. Exit 0 only if all of it held.
"""

import argparse
import json
import secrets
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from formats.codes import STATUSES
from gateway.clock import PARIS, wall_clock
from gateway.commands import verify
from gateway.commands.demo_cases import Case, cases
from gateway.commands.demo_stage import PATIENCE, DemoFailed, Scene, stage

EMAIL = "demo@passerelle.example"


def main(argv: Sequence[str]) -> int:
    """Play everything. Exit 0 all held, 1 something did not, 2 could not run."""
    options = argparse.ArgumentParser(prog="passerelle demo")
    options.add_argument("--folder", type=Path, default=Path("var/demo"))
    folder: Path = options.parse_args(argv).folder
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    password = secrets.token_urlsafe(12)
    try:
        with stage(folder, EMAIL, password) as scene:
            play(scene, cases(wall_clock().astimezone(PARIS).date(), wall_clock()))
    except (DemoFailed, httpx.HTTPError) as failure:
        print(f"\nÉCHEC / FAILED: {failure}", file=sys.stderr)
        print(f"Journaux / logs: {folder}/gateway.log, {folder}/sandbox.log", file=sys.stderr)
        return 1
    print(f"""
Tout a tenu. / All of it held.
Dossiers de preuve : {folder}/*-dossier.zip   (passerelle verify {folder}/*-dossier.zip --trust {folder}/trust.txt)
Console, sur ces données :
  PASSERELLE_DATA={folder}/data PASSERELLE_PORT=8080 .venv/bin/passerelle serve
  http://127.0.0.1:8080   {EMAIL}   {password}""")
    return 0


def play(scene: Scene, all_cases: Sequence[Case]) -> None:
    """Post every case first, then follow each to its end."""
    posted = [(case, post(scene, case)) for case in all_cases]
    for case, submission_id in posted:
        print(f"\n=== {case.number}  {case.title}")
        follow(scene, case, submission_id)
        show(scene, submission_id)
    check_ledger(scene, [case for case, _ in posted])
    check_dossiers(scene, [export(scene, case, submission_id) for case, submission_id in posted])


def post(scene: Scene, case: Case) -> str:
    """Send one case as a billing system would; its status must be the expected one."""
    answer = scene.gateway.post("/v1/invoices", content=case.document, headers={
        "Content-Type": case.media_type, "Idempotency-Key": f"demo-{case.number}"})
    if answer.status_code != case.status:
        raise DemoFailed(f"{case.number} {case.title}: HTTP {answer.status_code} {answer.text[:3000]}")
    if answer.status_code == 422:
        print(f"{case.number}: refusée / refused")
        for finding in answer.json()["findings"]:
            print(f"    {finding['severity']:<8} {finding['rule']:<24} {finding['message']['fr'][:110]}")
    submission_id: str = answer.json()["id"]
    return submission_id


def follow(scene: Scene, case: Case, submission_id: str) -> None:
    """Wait for the life that the case expects, doing what the seller does on the way."""
    if case.lifecycle is None:
        if invoice_of(scene, submission_id)["transmission"]["state"] != "refused":
            raise DemoFailed(f"{case.number} should have been refused and never sent")
        return
    until(scene, submission_id, f"status {case.lifecycle}",
          lambda seen: any(e["kind"] == "lifecycle" and e["code"] == case.lifecycle for e in seen["events"]))
    if case.reminded:
        until(scene, submission_id, "a reminder", lambda seen: has(seen, "reminder", "sent", 1))
        due = invoice_of(scene, submission_id)["total"]
        pay(scene, submission_id, due)
        until(scene, submission_id, "a thank-you", lambda seen: has(seen, "reminder", "sent", 2))
    for amount in case.payments:
        pay(scene, submission_id, amount)
    if case.cashed:
        until(scene, submission_id, f"{case.cashed} times 212", lambda seen: has(seen, "lifecycle", "212", case.cashed))


def pay(scene: Scene, submission_id: str, amount: str) -> None:
    """Record money received today."""
    today = wall_clock().astimezone(PARIS).date().isoformat()
    answer = scene.gateway.post(
        f"/v1/invoices/{submission_id}/payments", headers={"Idempotency-Key": str(uuid.uuid4())},
        json={"amount": amount, "paid_on": today, "method": "virement"},
    )
    if answer.status_code >= 300:
        raise DemoFailed(f"payment of {amount}: HTTP {answer.status_code} {answer.text[:500]}")


def has(seen: dict[str, Any], kind: str, code: str, times: int) -> bool:
    """Whether an invoice has at least so many events of a kind."""
    found = [event for event in seen["events"] if event["kind"] == kind and event["code"] == code]
    return len(found) >= times


def until(scene: Scene, submission_id: str, what: str, held: Callable[[dict[str, Any]], bool]) -> None:
    """Ask again until it holds, or give up."""
    started = time.monotonic()
    while not held(invoice_of(scene, submission_id)):
        if time.monotonic() - started > PATIENCE:
            seen = invoice_of(scene, submission_id)
            raise DemoFailed(f"{seen['number']}: no {what} after {PATIENCE:.0f} s; {json.dumps(seen)[:2000]}")
        time.sleep(0.2)


def invoice_of(scene: Scene, submission_id: str) -> dict[str, Any]:
    """The invoice as the API shows it."""
    answer = scene.gateway.get(f"/v1/invoices/{submission_id}").raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def show(scene: Scene, submission_id: str) -> None:
    """Print the timeline of one invoice, statuses by their French names."""
    for event in invoice_of(scene, submission_id)["events"]:
        status = STATUSES.get(event["code"]) if event["kind"] == "lifecycle" else None
        what = f"{event['code']} {status.label.fr}" if status is not None else event["code"]
        who, why = event["actor"][:14], (event["reason"] or "")[:70]
        print(f"    {event['at'][11:19]}  {event['kind']:<12} {what:<30} {who:<14}  {why}".rstrip())


def check_ledger(scene: Scene, all_cases: Sequence[Case]) -> None:
    """The platform's own books: every accepted invoice once, no refused one, every 212."""
    invoices = scene.sandbox.get("/sandbox/invoices").raise_for_status().json()["invoices"]
    held = [row["facts"]["number"] for row in invoices]
    for case in all_cases:
        expected = int(case.status == 202)
        if held.count(case.number) != expected:
            raise DemoFailed(f"{case.number} is {held.count(case.number)} times at the platform, not {expected}")
    flows = scene.sandbox.get("/sandbox/flows").raise_for_status().json()
    doubled = [key for key, count in flows["deposits_per_tracking_id"].items() if count != 1]
    if doubled:
        raise DemoFailed(f"deposited more than once: {doubled}")
    print(f"\nLa plateforme tient {len(held)} factures, chacune une fois. / The platform holds each invoice once.")


def export(scene: Scene, case: Case, submission_id: str) -> Path:
    """Fetch the dossier of one invoice."""
    path = scene.folder / f"{case.number}-dossier.zip"
    answer = scene.gateway.get(f"/v1/invoices/{submission_id}/dossier")
    if answer.status_code != 200:
        raise DemoFailed(f"dossier of {case.number}: HTTP {answer.status_code} {answer.text[:500]}")
    path.write_bytes(answer.content)
    return path


def check_dossiers(scene: Scene, dossiers: Sequence[Path]) -> None:
    """Verify them offline, against the keys that the gateway publishes."""
    trust = scene.folder / "trust.txt"
    trust.write_bytes(scene.gateway.get("/v1/evidence/trust").raise_for_status().content)
    if verify.main([*map(str, dossiers), "--trust", str(trust)]) != 0:
        raise DemoFailed("a dossier does not verify")

"""Outside the norm, under `/sandbox/`: what tests and demonstrations ask of the sandbox. No token needed.

* `GET flows`: every flow, and how many deposits each tracking id has. `GET invoices`: invoices with their statuses.
* `POST invoices/{seller}/{number}/statuses`: send a status now, outside the script.
* `POST incoming`: an invoice from a supplier. `POST run`: do everything that is planned, without waiting.
* `POST mail?count=`: so many small flows at once. With several tenants `?tenant=` says whose.
* `GET|PUT faults`, common to all tenants. `DELETE tokens`: every token has ended.
* `GET acts`: what is planned, what was given up.
"""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel

from gateway.sandbox.judgement import judge_invoice
from gateway.sandbox.ledger import FlowRow
from gateway.sandbox.messages import facts_to_json
from gateway.sandbox.play import Player, deliver, keep_status, write_status
from gateway.sandbox.script import SCRIPTS, Step
from gateway.sandbox.stage import CurrentStage, Problem
from gateway.sandbox.wire import FlowType, Syntax, flow_json

MOST_FLOWS = 100_000
MOST_ACTS = 10_000

router = APIRouter(prefix="/sandbox")


class StatusNow(BaseModel):
    """A status to send now; what is left out is left out of the message."""

    code: str
    reason_code: str | None = None
    action_code: str | None = None
    comment: str | None = None
    pays: str | None = None


@router.get("/flows")
def flows(stage: CurrentStage) -> dict[str, Any]:
    """Every flow with its fingerprint, oldest change first, and the number of deposits per tracking id."""
    rows = stage.ledger.flows((), (), MOST_FLOWS)
    counts = Counter(row.tracking_id for row in rows if row.direction == "Out" and row.tracking_id is not None)
    return {"flows": [{**flow_json(row), "sha256": row.sha256, "size": len(row.document)} for row in rows],
            "deposits_per_tracking_id": dict(counts)}


@router.get("/invoices")
def invoices(stage: CurrentStage) -> dict[str, Any]:
    """Every invoice that was taken in: facts, script, how far it is, statuses in both directions."""
    return {"invoices": [{**asdict(row), "facts": json.loads(row.facts), "rejected": bool(row.rejected),
                          "statuses": stage.ledger.statuses(row.id)} for row in stage.ledger.invoices()]}


@router.post("/invoices/{seller}/{number:path}/statuses", status_code=201)
def send_status(seller: str, number: str, status: StatusNow, stage: CurrentStage) -> dict[str, Any]:
    """Send this status now. 404: no such invoice; 422: the published rules refuse the message."""
    found = stage.ledger.invoices(seller, number)
    if not found:
        raise Problem(404, "MISSING_RESOURCE", f"There is no invoice {number} of {seller}")
    try:
        document = write_status(stage, found[-1], Step(**status.model_dump()))
    except ValueError as error:
        raise Problem(422, "UNPROCESSABLE_ENTITY", str(error)) from error
    with stage.ledger.transaction():
        flow = keep_status(stage, found[-1], status.code, document)
    stage.bell.set()
    return flow_json(flow)


@router.post("/incoming", status_code=201)
def incoming(document: Annotated[bytes, Body(media_type="application/octet-stream")], stage: CurrentStage,
             syntax: Syntax = "CII", name: str = "facture.xml") -> dict[str, Any]:
    """An invoice from a supplier to the user of this platform. 422: it cannot be read."""
    fields = {"name": name, "syntax": syntax, "flow_type": "SupplierInvoice", "processing_rule": "B2B"}
    judgement = judge_invoice(stage, _unkept(document, syntax))
    if judgement.facts is None:
        raise Problem(422, "UNPROCESSABLE_ENTITY", "; ".join(text for _, _, text in judgement.problems))
    with stage.ledger.transaction():
        flow = deliver(stage, document, **fields)
        stage.ledger.add_invoice(flow.flow_id, "In", judgement.facts.key, facts=facts_to_json(judgement.facts),
                                 script="mute")
    stage.bell.set()
    return flow_json(flow)


@router.post("/run")
def run(request: Request) -> dict[str, int]:
    """Do everything that is planned for every tenant, in its order and without waiting, until nothing is left."""
    players: list[Player] = [player for pair in request.app.state.players.values() for player in pair]
    done = 0
    while done < MOST_ACTS and any(player.do_next(ignoring_time=True) for player in players):
        done += 1
    return {"done": done}


@router.post("/mail", status_code=201)
def mail(count: Annotated[int, Query(ge=1, le=20_000)], stage: CurrentStage,
         flow_type: FlowType = "SupplierInvoice") -> dict[str, int]:
    """So many small flows to the user at once, to have a mailbox of some size. Their documents are not invoices."""
    with stage.ledger.transaction():
        for number in range(count):
            deliver(stage, f"<flow n='{number}'/>".encode(), name=f"flow-{number}.xml", syntax="UBL",
                    flow_type=flow_type, processing_rule="B2B")
    return {"made": count}


@router.get("/acts")
def acts(stage: CurrentStage) -> dict[str, Any]:
    """What is planned, and what was given up with its reason."""
    return {"planned": [asdict(act) for act in stage.ledger.acts(failed=False)],
            "given_up": [asdict(act) for act in stage.ledger.acts(failed=True)]}


@router.get("/faults")
def get_faults(stage: CurrentStage) -> dict[str, Any]:
    """The faults in force."""
    return asdict(stage.faults.now)


@router.put("/faults")
def put_faults(wanted: dict[str, Any], stage: CurrentStage) -> dict[str, Any]:
    """Replace the faults; `{}` ends them all. 422: a name that is unknown."""
    try:
        return asdict(stage.faults.change(wanted))
    except TypeError as error:
        raise Problem(422, "UNPROCESSABLE_ENTITY", str(error)) from error


@router.delete("/tokens", status_code=204)
def end_tokens(stage: CurrentStage) -> None:
    """End every token now."""
    stage.tokens.revoke_all()


@router.get("/participants")
def participants(stage: CurrentStage) -> dict[str, Any]:
    """Who is in the directory, and what each behaviour does."""
    return {"participants": [asdict(member) for member in stage.participants.members],
            "behaviours": {name: {"title": script.title, "statuses": [step.code for step in script.steps]}
                           for name, script in SCRIPTS.items()}}


def _unkept(document: bytes, syntax: str) -> FlowRow:
    """A flow as judge_invoice wants to see it, before it is kept."""
    return FlowRow(seq=0, flow_id="", direction="In", tracking_id=None, name="", syntax=syntax, profile="Undefined",
                   processing_rule="B2B", rule_source="Computed", flow_type="SupplierInvoice", submitted_at="",
                   updated_at="", ack_status="Ok", ack_details="[]", sha256=hashlib.sha256(document).hexdigest(),
                   claimed_sha256=None, document=document)

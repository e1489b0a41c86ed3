"""The other side: what the sandbox still has to do is in its ledger, and players do it when its time has come.

Each act ends in one transaction that records its effect and that it is done, so a crash repeats no effect. Only
callbacks may go out twice, as with every platform.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Event, Lock
from typing import Any

import httpx

from formats.errors import FormatError
from gateway.platforms.callbacks import sign
from gateway.sandbox.judgement import Judgement, earlier_deposit, judge, refusal
from gateway.sandbox.ledger import Act, FlowRow, InvoiceRow
from gateway.sandbox.messages import InvoiceFacts, facts_from_json, facts_to_json, status_message
from gateway.sandbox.script import SCRIPTS, UNKNOWN_BUYER, Step
from gateway.sandbox.stage import Stage
from gateway.sandbox.wire import flow_json, webhook_wants
from validation.findings import Verdict

MAX_ATTEMPTS = 6
CALLBACK_SECONDS = 5.0
IDLE_SECONDS = 0.1
EXPECTED = (FormatError, httpx.HTTPError, OSError, ValueError, LookupError, RuntimeError)
"""What an act may fail with without ending the player; it is tried again, then given up with its reason."""


class Player:
    """Does the acts of some kinds, one at a time."""

    def __init__(self, stage: Stage, kinds: Sequence[str]) -> None:
        self._stage = stage
        self._kinds = tuple(kinds)
        self._turn = Lock()

    def play(self, stop: Event) -> None:
        """Do what is due until `stop` is set."""
        while not stop.is_set():
            if not self.do_next():
                self._stage.bell.wait(IDLE_SECONDS)
                self._stage.bell.clear()

    def do_next(self, *, ignoring_time: bool = False) -> bool:
        """Do one act that is due (or that comes next, whenever that is). False when there was none."""
        ledger = self._stage.ledger
        with self._turn:
            newest = self._stage.faults.now.disorder_callbacks and "callback" in self._kinds
            act = ledger.next_act(self._kinds, ignoring_time=ignoring_time, newest=newest)
            if act is None:
                return False
            try:
                PERFORMERS[act.kind](self._stage, act)
            except EXPECTED as error:
                with ledger.transaction():
                    self._put_off(act, f"{type(error).__name__}: {error}")
            return True

    def _put_off(self, act: Act, reason: str) -> None:
        if act.attempts + 1 >= MAX_ATTEMPTS:
            self._stage.ledger.finish(act, reason)
        else:
            self._stage.ledger.postpone(act, reason, after_s=2.0 ** act.attempts / self._stage.speed)


def acknowledge(stage: Stage, act: Act) -> None:
    """Judge a deposit, and begin its script."""
    flow = stage.ledger.get_flow(act.subject)
    judgement = judge(stage, flow)
    with stage.ledger.transaction():
        if judgement.facts is not None:
            judgement = unique(stage, judgement, judgement.facts)
        script = choose_script(stage, judgement.facts) if judgement.facts is not None else None
        if script is None or SCRIPTS[script].acknowledges:
            _settle(stage, flow, judgement, script)
        stage.ledger.finish(act)
    stage.bell.set()


def unique(stage: Stage, judgement: Judgement, facts: InvoiceFacts) -> Judgement:
    """The judgement, or AlreadyExistingFlow where the same seller, number and year was deposited before."""
    earlier = earlier_deposit(stage.ledger, facts, "Out")
    if earlier is None:
        return judgement
    return refusal("file", "AlreadyExistingFlow", f"Invoice {facts.number} was deposited as flow {earlier.flow_id}")


def choose_script(stage: Stage, facts: InvoiceFacts) -> str:
    """The buyer's behaviour: by addressing line, else by SIREN. A line that is not Enabled is unreachable."""
    found = stage.participants.of_address(facts.buyer_address)
    member = found[0] if found is not None else stage.participants.by_siren(facts.buyer_siren)
    if member is None or (found is not None and found[1].status != "Enabled"):
        return UNKNOWN_BUYER
    again = any(row.rejected for row in stage.ledger.invoices(facts.seller_siren, facts.number))
    return "approve" if member.behaviour == "reject-once" and again else member.behaviour


def _settle(stage: Stage, flow: FlowRow, judgement: Judgement, script: str | None) -> None:
    """Write the acknowledgement and what follows from it. Inside a transaction."""
    ledger = stage.ledger
    details = [{"level": "Error", "item": item, "reasonCode": code, "reasonMessage": message}
               for item, code, message in judgement.problems]
    changed = ledger.acknowledge(flow.flow_id, ack_status="Error" if details else "Ok", **_filed(stage, flow, details),
                                 ack_details=json.dumps(details, ensure_ascii=False), flow_type=judgement.flow_type)
    announce(stage, changed)
    if judgement.facts is not None and script is not None:
        invoice = ledger.add_invoice(flow.flow_id, "Out", judgement.facts.key, facts=facts_to_json(judgement.facts),
                                     script=script)
        _schedule(stage, invoice, 0)
    if judgement.status is not None and judgement.about is not None:
        invoice = judgement.about
        ledger.add_status(invoice.id, flow.flow_id, judgement.status.code, "Out")
        if invoice.awaits == judgement.status.code:
            _schedule(stage, invoice, invoice.next_step)


def _filed(stage: Stage, flow: FlowRow, details: Sequence[object]) -> dict[str, str]:
    """The processing rule of a deposit, where the platform has a say."""
    if stage.faults.now.misclassify and flow.syntax != "CDAR":
        return {"processing_rule": "B2BInt", "rule_source": "Computed"}
    computed = "NotApplicable" if flow.syntax == "CDAR" else "B2B"
    return {"processing_rule": computed if flow.processing_rule == "Undefined" and not details
            else flow.processing_rule}


def take_step(stage: Stage, act: Act) -> None:
    """Send the next status of an invoice's script; out of order, the next two the wrong way round."""
    invoice = stage.ledger.get_invoice(int(act.subject))
    steps = SCRIPTS[invoice.script].steps[invoice.next_step:][:1 + stage.faults.now.out_of_order]
    if any(step.awaits for step in steps[1:]):
        steps = steps[:1]
    written = [(step, write_status(stage, invoice, step)) for step in reversed(steps)]
    with stage.ledger.transaction():
        for step, document in written:
            keep_status(stage, invoice, step.code, document)
        _schedule(stage, invoice, invoice.next_step + len(steps))
        stage.ledger.finish(act)
    stage.bell.set()


def write_status(stage: Stage, invoice: InvoiceRow, step: Step) -> bytes:
    """The CDAR of a step, as the platform sends it.

    Raises ValueError when the published rules refuse it: a platform does not send what it would refuse.
    """
    sent = sum(status["code"] == step.code for status in stage.ledger.statuses(invoice.id))
    at = stage.ledger.now().replace(microsecond=0)
    received = datetime.fromisoformat(stage.ledger.get_flow(invoice.flow_id).submitted_at).replace(microsecond=0)
    message = status_message(facts_from_json(invoice.facts), step, at, received)
    if sent:
        message = replace(message, id=f"{message.id}_{sent + 1}")
    written = stage.workshop.write_status(message, as_of=at.date())
    if written.report.verdict is not Verdict.VALID:
        raise ValueError(f"status {step.code}: {', '.join(sorted(written.report.rules())) or 'not checked'}")
    return written.document


def keep_status(stage: Stage, invoice: InvoiceRow, code: str, document: bytes) -> FlowRow:
    """Put a status into the user's mailbox. Inside a transaction."""
    number = "".join(char if char.isalnum() else "-" for char in invoice.number)
    flow = deliver(stage, document, name=f"CDV-{code}-{number}.xml", syntax="CDAR", flow_type="CustomerInvoiceLC",
                   processing_rule="NotApplicable")
    stage.ledger.add_status(invoice.id, flow.flow_id, code, "In")
    if code == "213":
        stage.ledger.change_invoice(invoice.id, rejected=1)
    return flow


def deliver(stage: Stage, document: bytes, **fields: str) -> FlowRow:
    """A flow from the platform to its user, announced to webhooks. Inside a transaction."""
    complete: dict[str, Any] = {"tracking_id": None, "profile": "Undefined", "rule_source": "Computed",
                                "ack_status": "Ok", "claimed_sha256": None, **fields}
    if stage.faults.now.misclassify:
        complete["flow_type"] = complete["flow_type"].removesuffix("LC")
    flow = stage.ledger.add_flow(direction="In", document=document, fields=complete)
    announce(stage, flow)
    return flow


def announce(stage: Stage, flow: FlowRow) -> None:
    """Note a callback for every webhook that wants to hear of this flow. Inside a transaction."""
    shown = flow_json(flow)
    body = shown if stage.version == "1.3" else {"flowInfo": shown}
    for webhook in stage.ledger.webhooks():
        if webhook_wants(webhook, shown):
            for _ in range(1 + stage.faults.now.duplicate_callbacks):
                stage.ledger.add_act("callback", webhook["webhookId"], after_s=0, body=body)


def call_back(stage: Stage, act: Act) -> None:
    """POST a flow to a webhook. Only 200 counts; redirects are not followed.

    Raises httpx.HTTPError, so that it is tried again.
    """
    webhook = next((item for item in stage.ledger.webhooks() if item["webhookId"] == act.subject), None)
    if webhook is not None:
        _post(stage, webhook, act.body.encode())
    with stage.ledger.transaction():
        stage.ledger.finish(act)


def _post(stage: Stage, webhook: Mapping[str, Any], body: bytes) -> None:
    timestamp = int(stage.ledger.now().timestamp())
    headers = {"Content-Type": "application/json"}
    if stage.version == "1.3":
        headers["Afnor-Signature-Timestamp"] = str(timestamp)
    if stage.version == "1.3" and not stage.faults.now.unsigned_callbacks:
        key = bytes(32) if stage.faults.now.wrong_signatures else base64.b64decode(webhook["signingKey"])
        headers["Afnor-Signature"] = sign(stage.reading, key, body, timestamp)
    with httpx.Client(timeout=CALLBACK_SECONDS, trust_env=False) as client:
        response = client.post(webhook["callbackUrl"], content=body, headers=headers)
    if response.status_code != 200:
        raise httpx.HTTPError(f"the receiver answered {response.status_code}")


def _schedule(stage: Stage, invoice: InvoiceRow, index: int) -> None:
    """Prepare the step with this index: put it on the calendar, or wait for what it awaits."""
    steps = SCRIPTS[invoice.script].steps
    if index >= len(steps):
        stage.ledger.change_invoice(invoice.id, next_step=index, awaits=None)
        return
    step = steps[index]
    received = {status["code"] for status in stage.ledger.statuses(invoice.id) if status["direction"] == "Out"}
    waiting = step.awaits is not None and step.awaits not in received
    stage.ledger.change_invoice(invoice.id, next_step=index, awaits=step.awaits if waiting else None)
    if not waiting:
        stage.ledger.add_act("step", str(invoice.id), after_s=step.after_s / stage.speed)


PERFORMERS: Mapping[str, Callable[[Stage, Act], None]] = {
    "acknowledge": acknowledge,
    "step": take_step,
    "callback": call_back,
}

"""Checks that change something at the platform: a deposit and its double, a webhook and its calls."""

import json
import uuid
from datetime import datetime
from itertools import pairwise

from gateway.platforms.callbacks import VERIFIERS, Call, NotGenuine
from gateway.platforms.conformance.bench import Bench, Verdict, failed, not_checkable, passed
from gateway.platforms.port import Rejected, Unknown

UNASKED = "only with --deposit FILE"
ENOUGH_CALLS = 4
"""To say something about their order."""

DOUBLE = frozenset({"AlreadyExistingFlow", "ALREADY_EXISTING_FLOW", "DUPLICATE_RESOURCE"})


def deposit(bench: Bench) -> Verdict:
    """A deposit is answered with an id; one whose answer is lost can be found."""
    asked = bench.deposit
    if asked is None:
        return not_checkable(UNASKED)
    tracking_id = str(uuid.uuid4())
    try:
        bench.receipt = bench.ask(lambda: bench.platform.send(asked.document, tracking_id, asked.flow))
    except Unknown as error:
        found = bench.until(lambda: bench.ask(lambda: bench.platform.find_flow(tracking_id)))
        kept = f"kept as flow {found.flow_id}" if found else "not kept"
        return failed(f"the answer was lost ({error.code}); looked up: {kept}")
    return passed(f"flow {bench.receipt.flow_id}")


def found_again(bench: Bench) -> Verdict:
    """A deposit is listed under its id, and its document is what was sent."""
    if bench.deposit is None or bench.receipt is None:
        return not_checkable(UNASKED if bench.deposit is None else "nothing was deposited")
    flow_id = bench.receipt.flow_id
    bench.ask(lambda: bench.platform.get_flow(flow_id))
    document = bench.ask(lambda: bench.platform.fetch(flow_id, "Original"))
    return passed("byte for byte") if document == bench.deposit.document else failed("other bytes than were sent")


def acknowledged(bench: Bench) -> Verdict:
    """A deposit is acknowledged soon."""
    if bench.receipt is None:
        return not_checkable(UNASKED if bench.deposit is None else "nothing was deposited")
    flow_id = bench.receipt.flow_id

    def settled() -> str | None:
        flow = bench.ask(lambda: bench.platform.get_flow(flow_id))
        reasons = ", ".join(detail.reason_code for detail in flow.ack_details)
        return f"{flow.ack_status} {reasons}".strip() if flow.ack_status in {"Ok", "Error"} else None

    found = bench.until(settled)
    if found is None:
        return not_checkable(f"still pending after {bench.watch_s:g} s")
    return passed(found) if found == "Ok" else failed(found)


def double(bench: Bench) -> Verdict:
    """A second deposit of the same file is refused in its acknowledgement, as the annex describes."""
    asked = bench.deposit
    if asked is None or not asked.twice:
        return not_checkable("only with --deposit FILE --twice")
    if bench.receipt is None:
        return not_checkable("nothing was deposited")
    try:
        second = bench.ask(lambda: bench.platform.send(asked.document, str(uuid.uuid4()), asked.flow))
    except Rejected as error:
        return failed(f"refused at once: {error.code}") if error.code in DOUBLE else failed(str(error))

    def settled() -> tuple[str, set[str]] | None:
        flow = bench.ask(lambda: bench.platform.get_flow(second.flow_id))
        codes = {detail.reason_code for detail in flow.ack_details}
        return (flow.ack_status, codes) if flow.ack_status in {"Ok", "Error"} else None

    found = bench.until(settled)
    if found is None:
        return not_checkable(f"still pending after {bench.watch_s:g} s")
    status, codes = found
    if status == "Ok":
        return failed("accepted twice")
    told = ", ".join(sorted(codes)) or "no reason"
    return passed(told) if codes & DOUBLE else failed(f"refused with {told}")


def called(bench: Bench) -> Verdict:
    """A deposit causes a callback. Waits until the checks after it have something to compare."""
    heard = bench.heard
    if heard is None or bench.receipt is None:
        return not_checkable("only with --listen and --deposit")
    bench.until(lambda: len(heard) >= ENOUGH_CALLS)
    return passed(f"{len(heard)} calls") if heard else failed(f"no call within {bench.watch_s:g} s")


def proved(bench: Bench) -> Verdict:
    """Callbacks are signed as the connection says, with the key that was given."""
    if not bench.heard:
        return not_checkable("no call")
    for heard in bench.heard:
        path = heard.headers.get(":path", "/")
        try:
            VERIFIERS[bench.settings.signature](Call(path=path, headers=heard.headers, body=heard.body),
                                                bench.signing_key, heard.at, bench.settings.clock_unit)
        except NotGenuine as error:
            if error.code != "STALE_TIMESTAMP":
                return failed(str(error))
    return passed(f"{len(bench.heard)} calls")


def punctual(bench: Bench) -> Verdict:
    """The time of a callback is the world's."""
    if not bench.heard:
        return not_checkable("no call")
    per_second = 1000 if bench.settings.clock_unit == "ms" else 1
    for heard in bench.heard:
        said = heard.headers.get("afnor-signature-timestamp") or heard.headers.get("x-timestamp")
        if said is None or not said.isdigit():
            return not_checkable("a call without a time")
        away = int(said) / per_second - heard.at.timestamp()
        if abs(away) > 60:
            return failed(f"{away:+.0f} s away from our clock")
    return passed("within a minute of our clock")


def once(bench: Bench) -> Verdict:
    """Each news is told once."""
    if not bench.heard:
        return not_checkable("no call")
    bodies = [heard.body for heard in bench.heard]
    again = len(bodies) - len(set(bodies))
    return failed(f"{again} calls are repeats") if again else passed(f"{len(bodies)} calls")


def in_order(bench: Bench) -> Verdict:
    """News come in the order of their times."""
    told = [when for heard in bench.heard or () if (when := _updated(heard.body)) is not None]
    if len(told) < 2:
        return not_checkable("fewer than two calls")
    back = sum(later < earlier for earlier, later in pairwise(told))
    return failed(f"{back} calls speak of an earlier time than the one before") if back else passed("in order")


def _updated(body: bytes) -> datetime | None:
    """The time of the flow in a callback, in the shape of 1.3 or of 1.1."""
    try:
        said = json.loads(body)
        return datetime.fromisoformat(said.get("flowInfo", said)["updatedAt"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

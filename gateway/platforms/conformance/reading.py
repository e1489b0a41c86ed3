"""Checks that only read: reachability, the search and its pages, flows, documents, the directory."""

import secrets
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from gateway.platforms.conformance.bench import Bench, Verdict, failed, not_checkable, passed
from gateway.platforms.port import FlowState, Rejected, Unavailable

PAGE = 100
SKEW = timedelta(seconds=60)
SYNTAXES = frozenset({"CII", "UBL", "Factur-X", "CDAR", "FRR"})
TYPES = frozenset({
    "CustomerInvoice", "SupplierInvoice", "CustomerInvoiceLC", "SupplierInvoiceLC", "StateCustomerInvoiceLC",
    "StateSupplierInvoiceLC", "AggregatedCustomerTransactionReport", "UnitaryCustomerTransactionReport",
    "AggregatedCustomerPaymentReport", "UnitaryCustomerPaymentReport", "UnitarySupplierTransactionReport",
    "MultiFlowReport", "StateCustomerInvoice", "StateSupplierInvoice", "StateInvoice", "StateTransactionReport",
    "StateTransactionReportLC", "StatePaymentReport", "StatePaymentReportLC", "Undefined",
})
ACKS = frozenset({"Pending", "Ok", "Error"})
LOOKED_AT = 3


def token(bench: Bench) -> Verdict:
    """Credentials are taken and the service answers."""
    bench.ask(bench.platform.healthcheck)
    return passed("the service answers with our credentials")


def pages(bench: Bench) -> Verdict:
    """A page of 100 where there are as many."""
    page = bench.ask(lambda: bench.platform.flows_since(bench.now() - bench.since))
    if page.next_cursor is None:
        return not_checkable(f"{len(page.flows)} flows in {bench.since.days} days: one page")
    size = len(page.flows) + len(page.unreadable)
    return passed(f"{size} flows in a page") if size >= PAGE else failed(f"{size} flows in a page, {PAGE} asked for")


def cursor(bench: Bench) -> Verdict:
    """A cursor where there is more than a page."""
    page = bench.ask(lambda: bench.platform.flows_since(bench.now() - bench.since))
    if page.next_cursor is None:
        return not_checkable("one page")
    if page.next_cursor.startswith("after:"):
        return failed("no nextCursor after a full page: 1.2 or older, walked by date")
    return passed("nextCursor after a full page")


def walk(bench: Bench) -> Verdict:
    """Every page to the end; no flow twice."""
    bench.flows = list(_walked(bench))
    doubled = [name for name, count in Counter((flow.flow_id, flow.updated_at) for flow in bench.flows).items()
               if count > 1]
    if doubled:
        return failed(f"{len(doubled)} flows came twice, as {doubled[0][0]}")
    if bench.unreadable:
        return failed(f"{len(bench.unreadable)} rows cannot be read, as {bench.unreadable[0]}")
    return passed(f"{len(bench.flows)} flows")


def order(bench: Bench) -> Verdict:
    """Whether rows come sorted by time, and pages follow each other."""
    if len(bench.flows) < 2:
        return not_checkable("fewer than two flows")
    pages_back = sum(later.updated_at < earlier.updated_at for earlier, later in pairwise(bench.flows))
    if pages_back:
        return failed(f"{pages_back} pages begin before the one ahead of them ended")
    return passed("sorted") if bench.in_order else failed("rows of a page are not sorted by updatedAt")


def times(bench: Bench) -> Verdict:
    """Whether flows share a time."""
    shared = Counter(flow.updated_at for flow in bench.flows)
    most = max(shared.values(), default=0)
    if len(bench.flows) < 2:
        return not_checkable("fewer than two flows")
    return failed(f"up to {most} flows share one time") if most > 1 else passed("every flow has a time of its own")


def late(bench: Bench) -> Verdict:
    """Whether rows appear later with a time that was passed already."""
    if not bench.flows:
        return not_checkable("no flows")
    time.sleep(bench.watch_s)
    latest = max(flow.updated_at for flow in bench.flows)
    before = {flow.flow_id for flow in bench.flows}
    came = [flow for flow in _walked(bench) if flow.flow_id not in before]
    past = [flow for flow in came if flow.updated_at < latest]
    if past:
        return failed(f"{len(past)} flows came with a time before {latest.isoformat()}, as {past[0].flow_id}")
    return passed(f"nothing late within {bench.watch_s:g} s")


def strictly_after(bench: Bench) -> Verdict:
    """`updatedAfter` leaves out the time itself."""
    exact = [flow for flow in bench.flows if flow.updated_at.microsecond % 1000 == 0]
    if not exact:
        return not_checkable("no flow with a time in milliseconds")
    chosen = exact[-1]
    page = bench.ask(lambda: bench.platform.flows_since(chosen.updated_at))
    found = [flow for flow in page.flows if flow.updated_at <= chosen.updated_at]
    return failed(f"{len(found)} flows at or before the time asked for") if found else passed("strictly after")


def filters(bench: Bench) -> Verdict:
    """A tracking id that nobody used finds nothing."""
    found = bench.ask(lambda: bench.platform.find_flow(str(uuid.uuid4())))
    return passed("none") if found is None else failed(f"flow {found.flow_id} for a tracking id that nobody used")


def metadata(bench: Bench) -> Verdict:
    """A flow by its id is the flow of the list."""
    for listed in bench.flows[-LOOKED_AT:]:
        alone = bench.ask(lambda flow_id=listed.flow_id: bench.platform.get_flow(flow_id))  # type: ignore[misc]  # bound at once
        if (alone.flow_id, alone.flow_type, alone.direction) != (listed.flow_id, listed.flow_type, listed.direction):
            return failed(f"flow {listed.flow_id} is {alone.flow_type}/{alone.direction} by itself, "
                          f"{listed.flow_type}/{listed.direction} in the list")
    return passed(f"{len(bench.flows[-LOOKED_AT:])} flows") if bench.flows else not_checkable("no flows")


def unknown_flow(bench: Bench) -> Verdict:
    """A flow that is not there is refused."""
    try:
        flow = bench.platform.get_flow(secrets.token_hex(16))
    except Rejected as error:
        return passed(f"{error.code}")
    except Unavailable as error:
        bench.errors.append(error)
        return failed(f"{error}")
    return failed(f"an answer for a flow that is not there: {flow.flow_id}")


def documents(bench: Bench) -> Verdict:
    """Incoming flows have the kinds of document that the connection asks for first."""
    incoming = [flow for flow in bench.flows if flow.direction == "In"][-LOOKED_AT:]
    if not incoming:
        return not_checkable("no incoming flow")
    absent = []
    for flow in incoming:
        for kind in bench.settings.documents:
            try:
                bench.ask(lambda flow_id=flow.flow_id, kind=kind: bench.platform.fetch(flow_id, kind))  # type: ignore[misc]  # bound at once
            except Rejected as error:
                absent.append(f"{kind} of {flow.flow_id}: {error.code}")
    return failed("; ".join(absent)) if absent else passed(f"{', '.join(bench.settings.documents)} of {len(incoming)}")


def vocabulary(bench: Bench) -> Verdict:
    """Values of 1.1 to 1.3 only."""
    odd = {value for flow in bench.flows for value, known in (
        (flow.flow_type, TYPES), (flow.syntax, SYNTAXES | {"Undefined"}), (flow.ack_status, ACKS),
        (flow.direction, {"In", "Out"})) if value not in known}
    if not bench.flows:
        return not_checkable("no flows")
    return failed(f"unknown values: {', '.join(sorted(odd))}") if odd else passed("known values only")


def classes(bench: Bench) -> Verdict:
    """Status messages are listed as such, and domestic invoices not as international."""
    wrong = [flow for flow in bench.flows if flow.ack_status == "Ok" and flow.flow_type != "Undefined"
             and (flow.syntax == "CDAR") is not flow.flow_type.endswith("LC") and flow.syntax != "FRR"]
    abroad = [flow for flow in bench.flows if flow.processing_rule == "B2BInt"]
    told = [f"{flow.flow_id}: {flow.syntax} as {flow.flow_type}" for flow in wrong[:2]]
    told += [f"{flow.flow_id}: filed as B2BInt, is its buyer really abroad?" for flow in abroad[:2]]
    if not bench.flows:
        return not_checkable("no flows")
    return failed("; ".join(told)) if told else passed(f"{len(bench.flows)} flows")


def clock(bench: Bench) -> Verdict:
    """No flow from the future."""
    ahead = [flow for flow in bench.flows if flow.updated_at > bench.now() + SKEW]
    if not bench.flows:
        return not_checkable("no flows")
    return failed(f"{len(ahead)} flows from the future, as {ahead[0].updated_at.isoformat()}") if ahead else passed(
        "no flow from the future")


def directory(bench: Bench) -> Verdict:
    """The lines of a SIREN are its own; nobody has none."""
    if bench.settings.directory_url is None:
        return not_checkable("this connection has no directory address")
    nobody = "000009118"
    reply = bench.ask(lambda: bench.platform.ask_directory(nobody))
    if reply.lines:
        return failed(f"{len(reply.lines)} lines for {nobody}, a SIREN that was never given out")
    if bench.siren is None:
        return passed("nobody has no line (give --siren to check one that is known)")
    known = bench.ask(lambda: bench.platform.ask_directory(bench.siren or ""))
    strangers = [line for line in known.lines if line.siren not in {bench.siren, ""}]
    if strangers:
        return failed(f"a line of {strangers[0].siren} among those of {bench.siren}")
    return passed(f"{len(known.lines)} lines") if known.lines else failed(f"no line for {bench.siren}")


def speed(bench: Bench) -> Verdict:
    """Answers come soon."""
    slowest = max(bench.took, default=0.0)
    if not bench.took:
        return not_checkable("no answer at all")
    return failed(f"{slowest:.1f} s") if slowest > bench.slow_after_s else passed(f"at most {slowest:.1f} s")


def throttled(bench: Bench) -> Verdict:
    """Nothing was answered with 429."""
    told = [error for error in bench.errors if (error.evidence or "").startswith("HTTP 429")]
    if not told:
        return passed("no 429 so far")
    wait = getattr(told[0], "retry_after_s", None)
    return failed(f"{len(told)} answers 429, " + ("without Retry-After" if wait is None else f"Retry-After {wait:g} s"))


def server_errors(bench: Bench) -> Verdict:
    """Nothing was answered with 5xx."""
    told = [error for error in bench.errors if (error.evidence or "").startswith("HTTP 5")]
    return failed(f"{len(told)} answers 5xx, as {told[0]}") if told else passed("no 5xx so far")


def wholeness(bench: Bench) -> Verdict:
    """Every answer was whole, and the JSON that the interface describes."""
    told = [error for error in bench.errors if error.code in {"MALFORMED_ANSWER", "ANSWER_LOST", "TOO_SLOW"}]
    return failed(f"{len(told)} answers, as {told[0]}") if told else passed("whole answers of JSON")


def redirects(bench: Bench) -> Verdict:
    """Nothing was sent elsewhere."""
    told = [error for error in bench.errors if (error.evidence or "").startswith("HTTP 3")]
    return failed(f"{len(told)} answers name another address") if told else passed("no redirect")


def _walked(bench: Bench) -> Iterator[FlowState]:
    following: str | None = None
    count = 0
    while count < bench.most_flows:
        at = following
        page = bench.ask(lambda at=at: bench.platform.flows_since(bench.now() - bench.since, at))  # type: ignore[misc]  # bound at once
        bench.in_order = bench.in_order and page.in_order
        bench.unreadable += [f"{flow.flow_id}: {flow.problem}" for flow in page.unreadable]
        yield from page.flows
        count += len(page.flows)
        following = page.next_cursor
        if following is None:
            return

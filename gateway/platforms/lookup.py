"""Looking a deposit up by `GET /v1/flows?trackingId=`, at platforms that offer this instead of the search.

No version of XP Z12-013 has it, so an answer that could mean something else is never taken for "we have none": a
deposit would go out twice.
"""

from gateway.platforms.answers import Malformed, read_flows, read_object, read_results
from gateway.platforms.link import Link
from gateway.platforms.port import FlowState, Rejected, Unknown

NONE = frozenset({"MISSING_RESOURCE", "NOT_FOUND", "FLOW_NOT_FOUND"})
"""What a platform says of a flow that it has not got. A 404 without such a word may be about the address itself."""

NO_CONTENT = 204


def flows_of(link: Link, flows_url: str, tracking_id: str) -> tuple[FlowState, ...]:
    """The flows with this tracking id; none only where the platform says so.

    The answer may be one flow, or `results` as a search has them.

    Raises:
        Unknown: it cannot be understood, or speaks of other flows.
        PlatformError: as any call.
    """
    try:
        answer = link.call("GET", flows_url, params={"trackingId": tracking_id})
    except Rejected as error:
        if error.code in NONE:
            return ()
        raise Unknown("LOOKUP_REFUSED", f"no look-up by tracking id: {error}", evidence=error.evidence) from error
    if answer.status == NO_CONTENT:
        return ()
    try:
        fields = read_object(answer.body)
        flows, unreadable = read_flows(read_results(fields) if "results" in fields else (fields,))
    except Malformed as error:
        raise Unknown("MALFORMED_ANSWER", str(error)) from error
    if unreadable or any(flow.tracking_id != tracking_id for flow in flows):
        raise Unknown("LOOKUP_UNFILTERED", "the answer speaks of other flows, or of none that can be read")
    return flows

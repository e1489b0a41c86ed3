"""Reading a crowd: more flows sharing one time than a page holds, on a platform without cursor.

A search by date cannot pass such a page. So the same time is asked for again, narrowed by direction, then by
acknowledgement, then by type, until every part fits into a page. What does not fit even then is reported as a gap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.platforms.port import FlowState

Search = Callable[[Mapping[str, Any]], tuple[Sequence[FlowState], bool]]
"""Criteria -> (flows, whether the page is full)."""

NARROWING: Sequence[tuple[str, Sequence[Any], Callable[[FlowState], Any]]] = (
    ("flowDirection", (["In"], ["Out"]), lambda flow: [flow.direction]),
    ("ackStatus", ("Ok", "Pending", "Error"), lambda flow: flow.ack_status),
    ("flowType", tuple([name] for name in (
        "CustomerInvoice", "CustomerInvoiceLC", "SupplierInvoice", "SupplierInvoiceLC", "StateCustomerInvoiceLC",
        "StateSupplierInvoiceLC", "Undefined")), lambda flow: [flow.flow_type]),
)
"""(criterion, its values, how a flow shows it). The first two are closed lists, the third is not: see Crowd.sure."""


@dataclass(slots=True)
class Crowd:
    """What was read of one time."""

    flows: dict[str, FlowState] = field(default_factory=dict)
    whole: bool = True
    """False: some part did not fit into a page, or the platform does not narrow."""

    sure: bool = True
    """False: it was narrowed by type, and a flow of a type that we do not ask for could be missing."""


def read_crowd(search: Search, time: Mapping[str, Any]) -> Crowd:
    """Every flow of one time (`time`: criteria that mean it). Raises what `search` raises."""
    crowd = Crowd()
    _read(search, time, 0, crowd)
    return crowd


def _read(search: Search, criteria: Mapping[str, Any], level: int, crowd: Crowd) -> None:
    if level == len(NARROWING):
        crowd.whole = False
        return
    name, values, shown = NARROWING[level]
    crowd.sure = crowd.sure and name != "flowType"
    if name in criteria:
        _read(search, criteria, level + 1, crowd)
        return
    for value in values:
        narrower = {**criteria, name: value}
        flows, full = search(narrower)
        crowd.flows |= {flow.flow_id: flow for flow in flows}
        if any(shown(flow) != value for flow in flows):  # it does not narrow: asking on would never end
            crowd.whole = False
            return
        if full:
            _read(search, narrower, level + 1, crowd)

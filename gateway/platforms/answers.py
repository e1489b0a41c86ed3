"""What platforms answer, turned into the words of the port. Tolerant of XP Z12-013 1.1, 1.2 and 1.3.

Enumerations stay text. A field that a version does not have becomes None, "Undefined" or empty; only what nothing
works without is asked for: the identifier of a flow, and its times where the port promises them. An answer that
lacks those raises Malformed, which the caller turns into what it means for the call at hand.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime
from typing import Any

from gateway.platforms.port import AckDetail, DirectoryLine, FlowState, Receipt, UnreadableFlow

EARLIEST_YEAR = 1970


class Malformed(ValueError):
    """An answer that is not what the interface describes; the text says what is missing."""


def read_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in `body`, its texts as they can be stored; no body (204 of older versions) is an empty one."""
    if not body.strip():
        return {}
    try:
        value = _storable(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Malformed("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("the answer is not a JSON object")
    return value


def _storable(value: Any) -> Any:
    """The value without half characters (a text cut in the middle of an emoji) and NUL, which nothing stores."""
    if isinstance(value, dict):
        return {_storable(name): _storable(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_storable(held) for held in value]
    return value.encode("utf-8", "replace").decode().replace("\0", "?") if isinstance(value, str) else value


def read_receipt(body: bytes) -> Receipt:
    """The 202 of a deposit (FullFlowInfo)."""
    fields = read_object(body)
    return Receipt(flow_id=_identifier(fields, "flowId"), submitted_at=_instant(fields, "submittedAt"), raw=body)


def read_flow(fields: Mapping[str, Any]) -> FlowState:
    """One Flow. Its `raw` is the object written anew: inside a page it has no bytes of its own."""
    submitted = _instant(fields, "submittedAt")
    acknowledgement = _mapping(fields.get("acknowledgement"))
    return FlowState(
        flow_id=_identifier(fields, "flowId"),
        tracking_id=_text(fields.get("trackingId")),
        submitted_at=submitted,
        updated_at=_instant(fields, "updatedAt") if fields.get("updatedAt") else submitted,
        name=_text(fields.get("name")) or "",
        syntax=_text(fields.get("flowSyntax")) or "Undefined",
        flow_type=_text(fields.get("flowType")) or "Undefined",
        direction=_text(fields.get("flowDirection")) or "Undefined",
        processing_rule=_text(fields.get("processingRule")) or "Undefined",
        ack_status=_text(acknowledgement.get("status")) or "Undefined",
        ack_details=tuple(_details(acknowledgement)),
        raw=json.dumps(fields, ensure_ascii=False).encode(),
    )


def read_flows(results: Sequence[Mapping[str, Any]]) -> tuple[tuple[FlowState, ...], tuple[UnreadableFlow, ...]]:
    """The flows of a page by date, and those that cannot be read: one bad flow spoils no other."""
    flows: list[FlowState] = []
    unreadable: list[UnreadableFlow] = []
    for fields in results:
        try:
            flows.append(read_flow(fields))
        except Malformed as error:
            unreadable.append(UnreadableFlow(flow_id=_text(fields.get("flowId")), problem=str(error)))
    return tuple(sorted(flows, key=lambda flow: flow.updated_at)), tuple(unreadable)


def read_results(fields: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The `results` of any search; absent means none."""
    results = fields.get("results") or ()
    if not isinstance(results, list | tuple) or not all(isinstance(item, dict) for item in results):
        raise Malformed("`results` is not a list of objects")
    return tuple(results)


def read_line(fields: Mapping[str, Any]) -> DirectoryLine:
    """One line of the directory. 1.1 says `platformStatus` where 1.2 says `directoryLineStatus`."""
    return DirectoryLine(
        addressing_identifier=_identifier(fields, "addressingIdentifier"),
        siren=_text(fields.get("siren")) or "",
        status=_text(fields.get("directoryLineStatus")) or _text(fields.get("platformStatus")),
        platform_type=_text(fields.get("platformType")),
    )


def read_webhook(body: bytes) -> tuple[str, bytes]:
    """(webhook id, signing key as bytes) of a new webhook; 1.2 gives no key, which is then empty."""
    fields = read_object(body)
    try:
        key = base64.b64decode(_text(fields.get("signingKey")) or "", validate=True)
    except binascii.Error as error:
        raise Malformed("the signing key is not base64") from error
    return _identifier(fields, "webhookId"), key


def _details(acknowledgement: Mapping[str, Any]) -> Iterator[AckDetail]:
    details = acknowledgement.get("details")
    for item in details if isinstance(details, list) else ():
        detail = _mapping(item)
        yield AckDetail(
            level=_text(detail.get("level")) or "Error",
            item=_text(detail.get("item")) or "",
            reason_code=_text(detail.get("reasonCode")) or "Undefined",
            message=_text(detail.get("reasonMessage")) or _text(detail.get("reason")) or "",
        )


def _instant(fields: Mapping[str, Any], key: str) -> datetime:
    """A date-time of RFC 3339 in UTC; without a zone it is taken as UTC. The ends of the calendar stand for no time."""
    try:
        value = datetime.fromisoformat(str(fields[key]))
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (KeyError, ValueError, OverflowError) as error:
        raise Malformed(f"`{key}` is not a date and time") from error
    if not EARLIEST_YEAR <= value.year < MAXYEAR:
        raise Malformed(f"`{key}` is no time of ours")
    return value


def _identifier(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None or isinstance(value, dict | list) or not str(value):
        raise Malformed(f"`{key}` is missing")
    return str(value)


def _text(value: object) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

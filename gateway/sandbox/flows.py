"""The sandbox's Flow Service, flows: deposit, search, fetch. In 1.1 and 1.2 a search has no cursor."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response, UploadFile
from pydantic import ValidationError

from formats.errors import FormatError
from gateway.sandbox.faults import DocumentType
from gateway.sandbox.ledger import FlowRow, wire_time
from gateway.sandbox.script import ACK_AFTER_S
from gateway.sandbox.stage import CurrentStage, Problem, Stage, authorised
from gateway.sandbox.wire import FlowInfo, Search, Where, flow_json, receipt_json

MAX_FILE_BYTES = 100 * 1024 * 1024
IN_LIST = "in (select value from json_each(?))"

CRITERIA: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "updated_after": ("updated_at > ?", wire_time),
    "updated_before": ("updated_at < ?", wire_time),
    "processing_rule": (f"processing_rule {IN_LIST}", json.dumps),
    "flow_type": (f"flow_type {IN_LIST}", json.dumps),
    "flow_direction": (f"direction {IN_LIST}", json.dumps),
    "tracking_id": ("tracking_id = ?", str),
    "ack_status": ("ack_status = ?", str),
}
"""Criterion -> (SQL with one mark, how its value is bound)."""

UNLESS_LATE = "(seq % 3 <> 0 or updated_at <= ?)"
OLD_ID_CHARS = 36
"""Of an identifier in 1.1 and 1.2."""

AFTER_CURSOR = "updated_at || printf('|%020d', seq) > ?"

router = APIRouter(dependencies=[Depends(authorised)])


@router.post("/v1/flows", status_code=202)
def deposit(file: UploadFile, flowInfo: Annotated[str, Form()], stage: CurrentStage) -> dict[str, Any]:  # noqa: N803  the wire's name
    """Take a flow in; it is judged later. 413 above 100 MB."""
    info = _read_info(flowInfo)
    document = file.file.read(MAX_FILE_BYTES + 1)
    if len(document) > MAX_FILE_BYTES:
        raise Problem(413, "FILE_SIZE_EXCEEDED", "A file may have 100 MB")
    fields = {"tracking_id": info.tracking_id, "name": info.name, "syntax": info.syntax,
              "profile": info.profile or "Undefined", "processing_rule": info.processing_rule or "Undefined",
              "rule_source": "Computed" if info.processing_rule is None else "Input", "flow_type": "Undefined",
              "ack_status": "Pending", "claimed_sha256": info.sha256}
    _refuse_at_once(stage, info, document)
    with stage.ledger.transaction():
        row = stage.ledger.add_flow(direction="Out", document=document, fields=fields)
        stage.ledger.add_act("acknowledge", row.flow_id, after_s=ACK_AFTER_S / stage.speed)
    stage.bell.set()
    return receipt_json(row)


@router.post("/v1/flows/search")
def search(criteria: Search, stage: CurrentStage) -> dict[str, Any]:
    """Flows by time, a page at a time."""
    given = criteria.where.model_dump(exclude_none=True)
    if not given:
        raise Problem(400, "MISSING_REQUIRED_FIELD", "At least one criterion is needed")
    conditions = [CRITERIA[name][0] for name in given]
    values: list[object] = [CRITERIA[name][1](value) for name, value in given.items()]
    if criteria.cursor is not None and stage.version == "1.3":
        conditions.append(AFTER_CURSOR)
        values.append(_read_cursor(criteria.cursor))
    faults = stage.faults.now
    if faults.late_s:
        conditions.append(UNLESS_LATE)
        values.append(wire_time(stage.ledger.now() - timedelta(seconds=faults.late_s)))
    limit = min(criteria.limit, faults.page_cap or criteria.limit)
    rows = stage.ledger.flows(conditions, values, limit + 1)
    page = rows[:limit]
    answer: dict[str, Any] = {"limit": limit, "filters": _echo(criteria.where), "results": [
        flow_json(row) for row in (reversed(page) if faults.unsorted else page)]}
    if len(rows) > limit and not faults.cursorless and stage.version == "1.3":
        answer["nextCursor"] = base64.b64encode(f"{page[-1].updated_at}|{page[-1].seq:020d}".encode()).decode()
    return answer


@router.get("/v1/flows/{flow_id}")
def get_flow(flow_id: str, stage: CurrentStage, docType: DocumentType = "Metadata") -> Any:  # noqa: N803  the wire's name
    """A flow's metadata or document."""
    try:
        row = stage.ledger.get_flow(flow_id)
    except LookupError as error:
        raise Problem(404, "MISSING_RESOURCE", f"There is no flow {flow_id}") from error
    if docType in stage.faults.now.missing_documents:
        raise Problem(404, "MISSING_RESOURCE", f"This flow has no {docType}")
    if docType == "Metadata":
        return flow_json(row)
    document = _readable(stage, row) if docType == "ReadableView" else row.document
    return Response(document, media_type="application/octet-stream",
                    headers={"Content-Disposition": f'attachment;filename="{row.flow_id}"'})


def _refuse_at_once(stage: Stage, info: FlowInfo, document: bytes) -> None:
    """What is said before a deposit is kept. Raises Problem."""
    if stage.version != "1.3" and len(info.tracking_id or "") > OLD_ID_CHARS:
        raise Problem(400, "PARAMS_ERROR", f"trackingId has more than {OLD_ID_CHARS} characters")
    if stage.faults.now.refuse_duplicates and stage.ledger.has_document(hashlib.sha256(document).hexdigest()):
        raise Problem(409, "ALREADY_EXISTING_FLOW", "This file was deposited before")


def _read_info(text: str) -> FlowInfo:
    try:
        return FlowInfo.model_validate_json(text)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, item["loc"])) for item in error.errors())
        raise Problem(400, "MISSING_REQUIRED_FIELD", f"flowInfo: {where or 'not JSON'}") from error


def _read_cursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode("ascii")
    except ValueError as error:
        raise Problem(400, "INVALID_CURSOR", "This cursor was not given by this platform") from error


def _echo(where: Where) -> dict[str, Any]:
    return where.model_dump(mode="json", by_alias=True, exclude_none=True)


def _readable(stage: Stage, row: FlowRow) -> bytes:
    """The invoice as a PDF. 404 for what has no readable form."""
    if row.syntax in {"CDAR", "FRR"}:
        raise Problem(404, "MISSING_RESOURCE", "This flow has no readable view")
    try:
        return stage.workshop.render(row.document)
    except FormatError as error:
        raise Problem(404, "MISSING_RESOURCE", f"This flow has no readable view ({error})") from error

"""The JSON of XP Z12-013 1.3.0: what requests may say, and how rows of the ledger are shown.

Enumerations are closed here, unlike in the driver: a sandbox should refuse what the interface does not know.
"""

import json
from typing import Any, Literal

from pydantic import AnyHttpUrl, AwareDatetime, BaseModel, ConfigDict, Field

from gateway.sandbox.ledger import FlowRow

Version = Literal["1.1", "1.2", "1.3"]
"""Of XP Z12-013, as far as its users can tell them apart (see docs/sandbox.md)."""

Syntax = Literal["CII", "UBL", "Factur-X", "CDAR", "FRR"]
Profile = Literal["Basic", "CIUS", "Extended-CTC-FR", "Undefined"]
Rule = Literal["B2B", "B2BInt", "B2C", "B2G", "B2GInt", "OutOfScope", "B2GOutOfScope", "ArchiveOnly", "NotApplicable",
               "Undefined"]
Direction = Literal["In", "Out"]
AckStatus = Literal["Pending", "Ok", "Error"]
FlowType = Literal[
    "CustomerInvoice", "SupplierInvoice", "CustomerInvoiceLC", "SupplierInvoiceLC", "StateCustomerInvoiceLC",
    "StateSupplierInvoiceLC", "AggregatedCustomerTransactionReport", "UnitaryCustomerTransactionReport",
    "AggregatedCustomerPaymentReport", "UnitaryCustomerPaymentReport", "UnitarySupplierTransactionReport",
    "MultiFlowReport", "StateCustomerInvoice", "StateSupplierInvoice", "StateTransactionReport",
    "StateTransactionReportLC", "StatePaymentReport", "StatePaymentReportLC", "Undefined",
]


class Wire(BaseModel):
    """A request body; names on the wire are camelCase, and what is unknown is passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class FlowInfo(Wire):
    """The `flowInfo` part of a deposit."""

    name: str = Field(max_length=255)
    syntax: Syntax = Field(alias="flowSyntax")
    tracking_id: str | None = Field(None, alias="trackingId", max_length=64)
    processing_rule: Rule | None = Field(None, alias="processingRule")
    profile: Profile | None = Field(None, alias="flowProfile")
    sha256: str | None = Field(None, pattern="^[a-f0-9]{64}$")


class Where(Wire):
    """The criteria of a search."""

    updated_after: AwareDatetime | None = Field(None, alias="updatedAfter")
    updated_before: AwareDatetime | None = Field(None, alias="updatedBefore")
    processing_rule: list[Rule] | None = Field(None, alias="processingRule")
    flow_type: list[FlowType] | None = Field(None, alias="flowType")
    flow_direction: list[Direction] | None = Field(None, alias="flowDirection")
    tracking_id: str | None = Field(None, alias="trackingId", max_length=64)
    ack_status: AckStatus | None = Field(None, alias="ackStatus")


class Search(Wire):
    """The body of a search."""

    where: Where
    limit: int = Field(25, ge=1, le=100)
    cursor: str | None = None


class WebhookParams(Wire):
    """The body of a new webhook."""

    callback_url: AnyHttpUrl = Field(alias="callbackUrl")
    flow_types: list[FlowType] | None = Field(None, alias="flowTypes")
    flow_direction: Direction | None = Field(None, alias="flowDirection")
    ack_status: AckStatus | None = Field(None, alias="ackStatus")


class OldCallback(Wire):
    """Where 1.2 is to call; its headers and its means of proof are passed over."""

    url: AnyHttpUrl


class OldFilters(Wire):
    """What 1.2 tells about."""

    flow_type: list[FlowType | Literal["StateInvoice"]] | FlowType | None = Field(None, alias="flowType")
    flow_direction: list[Direction] | Direction | None = Field(None, alias="flowDirection")
    ack_status: list[AckStatus] | AckStatus | None = Field(None, alias="ackStatus")


class OldWebhookParams(Wire):
    """The body of a new webhook in 1.2: the address in `callback`, the filters in `metadata`."""

    callback: OldCallback
    metadata: OldFilters = Field(default_factory=lambda: OldFilters.model_validate({}))

    def flat(self) -> dict[str, Any]:
        """As 1.3 says the same."""
        types, direction, status = (
            value if isinstance(value, list) or value is None else [value]
            for value in (self.metadata.flow_type, self.metadata.flow_direction, self.metadata.ack_status))
        said = {"flowTypes": types, "flowDirection": direction[0] if direction and len(direction) == 1 else None,
                "ackStatus": status[0] if status and len(status) == 1 else None}
        return {"callbackUrl": str(self.callback.url), **{name: value for name, value in said.items() if value}}


def old_webhook_json(webhook: dict[str, Any]) -> dict[str, Any]:
    """A webhook as 1.2 shows it: no key."""
    said = {"flowType": webhook.get("flowTypes"), "flowDirection": webhook.get("flowDirection"),
            "ackStatus": webhook.get("ackStatus")}
    return {"webhookId": webhook["webhookId"], "createdAt": webhook["createdAt"],
            "callback": {"url": webhook["callbackUrl"]},
            "metadata": {name: value for name, value in said.items() if value}}


def flow_json(row: FlowRow) -> dict[str, Any]:
    """A `Flow`, as searches, metadata and callbacks show it."""
    acknowledgement: dict[str, Any] = {"status": row.ack_status}
    details = json.loads(row.ack_details)
    if details:
        acknowledgement["details"] = details
    return {
        "flowId": row.flow_id,
        "submittedAt": row.submitted_at,
        "updatedAt": row.updated_at,
        "name": row.name,
        "flowSyntax": row.syntax,
        "flowProfile": row.profile,
        "processingRule": row.processing_rule,
        "processingRuleSource": row.rule_source,
        "flowType": row.flow_type,
        "flowDirection": row.direction,
        "acknowledgement": acknowledgement,
        **({} if row.tracking_id is None else {"trackingId": row.tracking_id}),
    }


def receipt_json(row: FlowRow) -> dict[str, Any]:
    """A `FullFlowInfo`, the answer to a deposit. What the sender left out is left out."""
    optional = {"trackingId": row.tracking_id, "sha256": row.sha256,
                "flowProfile": None if row.profile == "Undefined" else row.profile,
                "processingRule": None if row.processing_rule == "Undefined" else row.processing_rule}
    return {"flowId": row.flow_id, "submittedAt": row.submitted_at, "name": row.name, "flowSyntax": row.syntax,
            **{name: value for name, value in optional.items() if value is not None}}


def error_json(code: str, message: str) -> dict[str, Any]:
    """An `Error`."""
    return {"errorCode": code, "errorMessage": message}


def webhook_wants(params: dict[str, Any], flow: dict[str, Any]) -> bool:
    """Whether a webhook with these parameters is told about this flow."""
    types, direction, status = params.get("flowTypes"), params.get("flowDirection"), params.get("ackStatus")
    return ((not types or flow["flowType"] in types) and direction in {None, flow["flowDirection"]}
            and status in {None, flow["acknowledgement"]["status"]})



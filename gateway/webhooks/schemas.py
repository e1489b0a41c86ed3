"""What goes over the wire about webhooks."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.tables_webhooks import WebhookDelivery, WebhookEndpoint

Kind = Literal["submission", "transmission", "lifecycle", "payment", "reminder", "evidence", "alarm"]


class Strict(BaseModel):
    """Base: nothing else is accepted or given."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class WebhookIn(Strict):
    """An address that wants to know."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    """https, ports 443 or 8443, a public address; others only where the operator allows them."""

    description: Annotated[str, Field(max_length=200)] = ""
    kinds: Annotated[list[Kind], Field(max_length=10)] = []
    """Kinds of events; empty: all that concern an invoice."""


class WebhookOut(Strict):
    """A webhook."""

    id: str
    url: str
    description: str
    kinds: list[str]
    created_at: datetime
    disabled_at: datetime | None
    trouble: str | None

    @classmethod
    def of(cls, row: WebhookEndpoint) -> "WebhookOut":
        """From its row."""
        return cls(id=row.id, url=row.url, description=row.description, kinds=row.kinds, created_at=row.created_at,
                   disabled_at=row.disabled_at, trouble=row.trouble)


class WebhookMade(WebhookOut):
    """A webhook with its secret, shown this once."""

    secret: str


class Webhooks(Strict):
    """All webhooks."""

    items: list[WebhookOut]


class DeliveryOut(Strict):
    """One delivery: which event, how often tried, with what answer."""

    id: str
    position: int
    event: str
    invoice: str | None
    type: str
    state: Literal["pending", "delivered", "failed", "closed"]
    attempts: int
    tried_at: datetime | None
    status: int | None
    trouble: str | None

    @classmethod
    def of(cls, row: WebhookDelivery) -> "DeliveryOut":
        """From its row."""
        return cls.model_validate({
            "id": row.id, "position": row.position, "event": row.event_id, "invoice": row.submission_id,
            "type": row.type, "state": row.state, "attempts": row.attempts, "tried_at": row.tried_at,
            "status": row.status, "trouble": row.trouble})


class Deliveries(Strict):
    """A page of deliveries, newest first; `before` of the next page is the last position here."""

    items: list[DeliveryOut]
    next: int | None

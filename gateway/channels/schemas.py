"""What goes over the wire about channels."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.channels.happenings import HAPPENINGS, may_hear
from gateway.tables_channels import Channel, ChannelMessage

PHONE = "{phone}"
"""What stands in the URL of a channel for clients where their number goes."""


class Strict(BaseModel):
    """Base: nothing else is accepted or given."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class RuleIn(Strict):
    """What goes to a channel, and for people of which role."""

    event: str
    role: Literal["officer", "credit", "operator", "billing"]

    @field_validator("event")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in HAPPENINGS:
            raise ValueError("Cet événement n'existe pas. / Unknown event.")
        return value

    @property
    def is_heard(self) -> bool:
        """Whether people of the role may see what is told."""
        return may_hear(self.role, self.event)

    @property
    def key(self) -> str:
        """As it is kept."""
        return f"{self.event}:{self.role}"


class ChannelIn(Strict):
    """A place for messages: a URL as apprise has them, e.g. `slack://…`. With `{phone}` in it: for SMS to clients."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    url: Annotated[str, Field(min_length=5, max_length=2000)]


class RulesIn(Strict):
    """All rules of a channel, in place of those before."""

    rules: Annotated[list[RuleIn], Field(max_length=200)]


class SettledIn(Strict):
    """What a person found out about a message whose delivery is in doubt."""

    arrived: bool
    """False: it goes out again."""


class ChannelOut(Strict):
    """A channel. Its URL is never shown again."""

    id: str
    name: str
    service: str
    to_clients: bool
    rules: list[RuleIn]
    created_at: datetime
    disabled_at: datetime | None
    trouble: str | None

    @classmethod
    def of(cls, row: Channel) -> "ChannelOut":
        """From its row."""
        rules = [RuleIn.model_validate(dict(zip(("event", "role"), key.split(":"), strict=True))) for key in row.rules]
        return cls(id=row.id, name=row.name, service=row.service, to_clients=row.to_clients, rules=rules,
                   created_at=row.created_at, disabled_at=row.disabled_at, trouble=row.trouble)


class Channels(Strict):
    """All channels."""

    items: list[ChannelOut]


class MessageOut(Strict):
    """One message: what it tells, how often tried, where it ended."""

    id: str
    event: str
    roles: list[str]
    positions: list[int]
    created_at: datetime
    state: Literal["pending", "sending", "sent", "failed", "unknown", "closed"]
    attempts: int
    tried_at: datetime | None
    trouble: str | None

    @classmethod
    def of(cls, row: ChannelMessage) -> "MessageOut":
        """From its row."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class Messages(Strict):
    """The newest messages of a channel."""

    items: list[MessageOut]

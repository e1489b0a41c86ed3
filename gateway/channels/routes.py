"""/v1/channels: chat and SMS set up, tried, given rules; the log of messages."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.auth import Permission, Principal, Requires
from gateway.channels import service
from gateway.channels.schemas import ChannelIn, ChannelOut, Channels, MessageOut, Messages, RulesIn, SettledIn
from gateway.deps import CurrentDeps
from gateway.problems import documented

router = APIRouter(prefix="/v1/channels", tags=["channels"])
Administrator = Annotated[Principal, Requires(Permission.SETTINGS_WRITE)]


@router.get("")
def list_channels(deps: CurrentDeps, principal: Administrator) -> Channels:
    """All channels."""
    return Channels(items=[ChannelOut.of(row) for row in service.list_channels(deps, principal.tenant_id)])


@router.post("", status_code=201, responses=documented(409, 503))
def create_channel(principal: Administrator, channel: ChannelIn, deps: CurrentDeps) -> ChannelOut:
    """Set up a channel of chat or SMS by its apprise URL, which is never shown again."""
    return ChannelOut.of(service.create(deps, principal.tenant_id, channel, principal.actor))


@router.delete("/{channel_id}", status_code=204)
def remove_channel(channel_id: str, deps: CurrentDeps, principal: Administrator) -> None:
    """Take a channel away."""
    service.remove(deps, principal.tenant_id, channel_id, principal.actor)


@router.put("/{channel_id}/rules", responses=documented(409))
def set_rules(channel_id: str, wanted: RulesIn, deps: CurrentDeps, principal: Administrator) -> ChannelOut:
    """Say anew which events go there, for which roles."""
    return ChannelOut.of(service.set_rules(deps, principal.tenant_id, channel_id, wanted.rules, principal.actor))


@router.post("/{channel_id}/test", status_code=202, responses=documented(409))
def try_channel(channel_id: str, deps: CurrentDeps, principal: Administrator) -> MessageOut:
    """Send a test message; the log says what became of it."""
    return MessageOut.of(service.try_out(deps, principal.tenant_id, channel_id, principal.actor))


@router.post("/{channel_id}/enable", responses=documented(409))
def enable_channel(channel_id: str, deps: CurrentDeps, principal: Administrator) -> ChannelOut:
    """Switch a channel on again, from now on."""
    return ChannelOut.of(service.enable(deps, principal.tenant_id, channel_id, principal.actor))


@router.post("/{channel_id}/disable")
def disable_channel(channel_id: str, deps: CurrentDeps, principal: Administrator) -> ChannelOut:
    """Switch a channel off; what still waits is closed."""
    return ChannelOut.of(service.disable(deps, principal.tenant_id, channel_id, principal.actor))


@router.get("/{channel_id}/messages")
def list_messages(
    channel_id: str, deps: CurrentDeps, principal: Administrator, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Messages:
    """What went to a channel, newest first."""
    rows = service.messages(deps, principal.tenant_id, channel_id, limit=limit)
    return Messages(items=[MessageOut.of(row) for row in rows])


@router.post("/{channel_id}/messages/{message_id}/settlement", responses=documented(409))
def settle_message(
    channel_id: str, message_id: str, found: SettledIn, deps: CurrentDeps, principal: Administrator
) -> MessageOut:
    """Say whether a message in doubt arrived; one that did not goes out again."""
    return MessageOut.of(service.settle(deps, principal.tenant_id, channel_id, message_id, principal.actor,
                                        arrived=found.arrived))

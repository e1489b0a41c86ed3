"""Asking a platform to call back, once per connection, so that news come sooner than the next poll."""

import base64

from gateway.deps import Deps
from gateway.platforms.port import Platform, Precondition, Rejected, Unavailable
from gateway.tables import PlatformConnection

NOT_OFFERED = ""
"""`webhook_id` of a platform that has no webhooks: it is not asked again."""


NEVER_BETTER = frozenset({"MALFORMED_ANSWER", "NOT_IMPLEMENTED", "HTTP_501"})
"""What is not asked for again: each further try might make another webhook, or can never make one."""


def subscribe(deps: Deps, connection: PlatformConnection, platform: Platform) -> None:
    """Register our callback address where the platform can reach it and has none yet.

    Reachable means that `public_url` is set, or that the platform runs on this machine. A crash between the two steps
    leaves a webhook whose key nobody knows; its calls are refused and harmless.

    Raises:
        Unavailable: try again at the next poll.
    """
    reachable = deps.settings.public_url is not None or bool(connection.config.get("allow_loopback"))
    if connection.webhook_id is not None or not reachable:
        return
    try:
        webhook_id, key = platform.register_webhook(f"{deps.settings.url}/callbacks/{connection.id}")
    except (Rejected, Precondition):
        webhook_id, key = NOT_OFFERED, b""
    except Unavailable as error:
        if error.code not in NEVER_BETTER:
            raise
        webhook_id, key = NOT_OFFERED, b""
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.webhook_id = webhook_id
        row.signing_key = deps.vault.seal(base64.b64encode(key).decode()) if key else None


def key_of(deps: Deps, connection: PlatformConnection) -> bytes | None:
    """The signing key of a connection's webhook; None when it has none. Raises VaultError under another secret."""
    if connection.signing_key is None:
        return None
    return base64.b64decode(deps.vault.open(connection.signing_key))

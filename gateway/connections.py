"""From a stored platform connection to a Platform that can be called."""

import hashlib
import json
from typing import Any

from gateway.deps import Deps
from gateway.platforms.port import Platform
from gateway.platforms.registry import ConnectionSettings, open_platform
from gateway.tables import PlatformConnection
from gateway.vault import Vault


def open_connection(deps: Deps, row: PlatformConnection) -> Platform:
    """A driver for this connection, kept open while its configuration stays. Raises VaultError under another key."""
    fingerprint = hashlib.sha256(repr((row.tenant_id, row.id, row.driver, row.config)).encode() + row.credentials)
    found = deps.platforms.get(fingerprint.hexdigest())
    if found is None:
        opened = open_platform(settings_of(deps.vault, row))
        found = deps.platforms.setdefault(fingerprint.hexdigest(), opened)
        if found is not opened:  # another thread was faster
            opened.close()
    return found


def settings_of(vault: Vault, row: PlatformConnection) -> ConnectionSettings:
    """The driver's settings: the stored configuration and the secrets together."""
    secrets: dict[str, Any] = json.loads(vault.open(row.credentials))
    return ConnectionSettings(**{**row.config, "driver": row.driver, **secrets})


def seal_credentials(vault: Vault, client_id: str, client_secret: str) -> bytes:
    """What goes into `credentials`."""
    return vault.seal(json.dumps({"client_id": client_id, "client_secret": client_secret}))

"""Which drivers there are, and how a connection becomes a platform."""

from collections.abc import Callable, Mapping

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.connection import ConnectionSettings, check_addresses
from gateway.platforms.port import Platform, Precondition

__all__ = ["DRIVERS", "ConnectionSettings", "open_platform"]

DRIVERS: Mapping[str, Callable[[ConnectionSettings], Platform]] = {"afnor": AfnorPlatform}


def open_platform(settings: ConnectionSettings) -> Platform:
    """The platform of a connection. Opens no connection yet; keep it, it holds the token and the pool.

    Raises:
        Precondition: UNKNOWN_DRIVER, or INSECURE_URL (see connection.check_addresses).
    """
    driver = DRIVERS.get(settings.driver)
    if driver is None:
        raise Precondition("UNKNOWN_DRIVER", f"{settings.driver} is none of {', '.join(sorted(DRIVERS))}")
    check_addresses(settings)
    return driver(settings)

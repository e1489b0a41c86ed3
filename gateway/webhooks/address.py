"""Where a webhook may go: only to addresses of the public Internet, or to those that the operator names.

Whoever may set a webhook's URL could otherwise make the gateway talk to what only the gateway reaches: its own
database, the metadata service of a cloud, a printer. The name is resolved once, every address it has must be
globally routable, and the connection goes to one of exactly these addresses, so that a name that answers
differently a second later (rebinding) gains nothing. Redirects are never followed: see calling.py.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

PORTS = frozenset({443, 8443})
LONGEST_URL = 2000
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that the Internet routes of IPv6; beside it is, for one, what was once site-local (fec0::/10)."""

_INNER = tuple(ipaddress.IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
"""What Python calls global and is not: protocol assignments (some clouds keep their metadata service there), relays
of 6to4, and the inner service of Azure."""



class ForbiddenTarget(ValueError):
    """An address that no webhook goes to; the text says why, in French and English."""


def check_url(url: str, allowed: Sequence[str] = (), *, plain: bool = False) -> tuple[str, int]:
    """(host, port) of a URL that a webhook may have. Nothing is resolved here, see `routable`.

    `allowed` are `host:port` pairs of the operator (PASSERELLE_WEBHOOK_ALLOW), for which plain http, any port and
    private addresses are accepted. `plain` accepts http on port 80.

    Raises:
        ForbiddenTarget: not https, another port than 443 and 8443, user information, a fragment, no host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ForbiddenTarget("Cette adresse est illisible. / This URL cannot be read.") from error
    if len(url) > LONGEST_URL or not host or any(ord(sign) < 33 or ord(sign) > 126 for sign in url) or "\\" in url:
        raise ForbiddenTarget("Cette adresse est illisible. / This URL cannot be read.")
    if parts.scheme not in {"http", "https"}:
        raise ForbiddenTarget("Seul https est accepté. / Only https.")
    if "@" in parts.netloc or parts.fragment:
        raise ForbiddenTarget("Ni identifiant ni fragment dans l'adresse. / No user information, no fragment.")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if f"{host}:{port}" in allowed:
        return host, port
    if plain and parts.scheme == "http" and port == 80:
        return host, port
    if parts.scheme != "https":
        raise ForbiddenTarget("Seul https est accepté. / Only https.")
    if port not in PORTS:
        raise ForbiddenTarget("Seuls les ports 443 et 8443 sont acceptés. / Only ports 443 and 8443.")
    return host, port


def routable(host: str, port: int, allowed: Sequence[str] = ()) -> list[str]:
    """The addresses of `host`, each fit to be connected to.

    Raises:
        ForbiddenTarget: one of its addresses is not globally routable.
        OSError: the name has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if f"{host}:{port}" not in allowed:
        for address in addresses:
            if not is_public(address):
                raise ForbiddenTarget(f"{host} mène à {address}, qui n'est pas une adresse publique. / "
                                      f"{host} leads to {address}, which is not public.")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address literal is globally routable; an IPv4 address in IPv6 clothes counts as what it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone: of this machine's links
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    if address in _NAT64:
        return _is_public_v4(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address.sixtofour is not None or address.teredo is not None:  # tunnels: nobody needs them for a webhook
        return False
    return address.is_global and address in _UNICAST


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return (address.is_global and not address.is_multicast and not address.is_reserved
            and not any(address in network for network in _INNER))

"""The timestamp authorities in force: whom we ask, in order, and which roots and policies we believe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from archive.errors import TimestampRefused, TimestampUnavailable
from archive.timestamp import Authority, HttpAuthority, Token, obtain, plain
from gateway.deps import Deps
from gateway.sandbox.authority import POLICY, LocalAuthority
from gateway.settings import UnsafeSetup

log = structlog.get_logger()
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One authority with all that its answers are held against."""

    name: str
    authority: Authority
    ca: bytes
    """PEM; see archive.timestamp.verify."""

    policy: str


def pinned(deps: Deps) -> tuple[Pinned, ...]:
    """The authorities to ask, the first one first. Without a setting the local one, which is not qualified.

    Raises:
        UnsafeSetup: an authority without root or policy, or a root that cannot be read.
    """
    settings = deps.settings
    if settings.tsa_url is None:
        local = LocalAuthority(settings.data / "tsa", deps.now)
        return (Pinned("local", local, local.ca, POLICY),)
    if settings.tsa_ca is None or settings.tsa_policy is None:
        raise UnsafeSetup("PASSERELLE_TSA_CA must name the root of the authority at PASSERELLE_TSA_URL, and "
                          "PASSERELLE_TSA_POLICY its policy (OID)")
    asked = [(settings.tsa_url, settings.tsa_ca, settings.tsa_policy),
             *((one.url, one.ca, one.policy) for one in settings.tsa_fallbacks)]
    return tuple(Pinned(url, HttpAuthority(url), _pem(ca), policy) for url, ca, policy in asked)


def trusted(deps: Deps) -> bytes:
    """PEM of every root, link and pinned signer whose tokens are believed: the authorities in force and former ones."""
    former = deps.settings.tsa_former_ca
    pems = b"".join([*(one.ca for one in pinned(deps)), *([_pem(former)] if former is not None else [])])
    blocks = [block + b"-----END CERTIFICATE-----\n" for block in pems.split(b"-----END CERTIFICATE-----\n")[:-1]]
    return b"".join(dict.fromkeys(blocks))


def stamped(
    deps: Deps, message: bytes, judge: Callable[[Token, Pinned], Kept], *, algorithm: str = "sha256"
) -> tuple[Token, Kept]:
    """A verified token over a message, by the first authority that gives a good one, and what `judge` says of it.

    `judge` may refuse a token (TimestampRefused) for what archive.timestamp cannot know.

    Raises:
        TimestampUnavailable: nobody answered.
        TimestampRefused: nobody answered well, and somebody badly.
    """
    troubles: list[TimestampUnavailable | TimestampRefused] = []
    for one in pinned(deps):
        try:
            token = obtain(one.authority, message, one.ca, policy=one.policy, algorithm=algorithm)
            return token, judge(token, one)
        except (TimestampUnavailable, TimestampRefused) as error:
            log.warning("timestamp not obtained", authority=one.name, code=error.code, error=str(error))
            troubles.append(error)
    raise next((error for error in troubles if isinstance(error, TimestampRefused)), troubles[0])


def _pem(path: Path) -> bytes:
    try:
        return plain(path.read_bytes())
    except OSError as error:
        raise UnsafeSetup(f"the root of a timestamp authority cannot be read: {error}") from error

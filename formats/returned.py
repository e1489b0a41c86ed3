"""A mail that arrived where bounces go, as far as it says what became of a mail of ours. Pure data; read by dsn.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What it is, and which mail it is about."""

    kind: str
    """permanent: not delivered, and it would be the same again (5.x.x). given-up: not delivered, for another reason.
    delayed: still being tried. delivered. complaint: its reader calls it unwanted. auto-reply. other."""

    about: tuple[str, ...] = ()
    """Message-IDs (RFC 5322, with angle brackets) of the mail it is about, the surest first."""

    recipient: str | None = None
    """Whom that mail was for, as the report names him."""

    status: str | None = None
    """RFC 3463, e.g. "5.1.1"."""

    said: str | None = None
    """What the server said, on one line."""

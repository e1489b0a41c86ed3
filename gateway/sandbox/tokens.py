"""The sandbox's authorisation server: OAuth 2 client credentials, opaque tokens kept in memory.

A restart forgets every token, as an expiry does: clients must cope with a 401.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from threading import Lock


class Tokens:
    """One client and the tokens it was given."""

    def __init__(self, client_id: str, client_secret: str, lifetime_s: int) -> None:
        self.lifetime_s = lifetime_s
        self.credentials = {"client_id": client_id, "client_secret": client_secret}
        self._client = f"{client_id}:{client_secret}".encode()
        self._ends: dict[str, datetime] = {}
        self._lock = Lock()

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Whether these are the client's credentials. Compared in constant time."""
        return hmac.compare_digest(self._client, f"{client_id}:{client_secret}".encode())

    def issue(self, now: datetime) -> str:
        """A new token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._ends = {known: end for known, end in self._ends.items() if end > now}
            self._ends[token] = now + timedelta(seconds=self.lifetime_s)
        return token

    def is_valid(self, token: str, now: datetime) -> bool:
        """Whether this token was given and has not ended."""
        with self._lock:
            end = self._ends.get(token)
        return end is not None and now < end

    def revoke_all(self) -> None:
        """Forget every token."""
        with self._lock:
            self._ends.clear()


def credentials_of(header: str | None, form_id: str | None, form_secret: str | None) -> tuple[str, str]:
    """(client id, secret) from a Basic header, else from the form; empty texts where there are none."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return client_id, secret
    return form_id or "", form_secret or ""

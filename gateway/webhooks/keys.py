"""The secrets of a webhook: `whsec_` and 32 random bytes; after a change the old one signs for one more day."""

import base64
import json
import secrets
from datetime import datetime, timedelta

PREFIX = "whsec_"
OVERLAP = timedelta(days=1)


def first_secret() -> tuple[str, str]:
    """(what the receiver is given, what is kept)."""
    secret = PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return secret, json.dumps({"secret": secret})


def next_secret(kept: str, now: datetime) -> tuple[str, str]:
    """A new secret beside the present one, which goes on for a day."""
    secret, _ = first_secret()
    return secret, json.dumps({"secret": secret, "earlier": json.loads(kept)["secret"],
                               "until": (now + OVERLAP).isoformat()})


def secrets_of(kept: str, now: datetime) -> list[bytes]:
    """The keys that sign now, newest first."""
    found = json.loads(kept)
    texts = [found["secret"]]
    if "until" in found and now < datetime.fromisoformat(found["until"]):
        texts.append(found["earlier"])
    return [base64.b64decode(text.removeprefix(PREFIX)) for text in texts]

"""Passwords of people: Argon2id, in the parameters of RFC 9106 for small memory (64 MiB, 3 passes)."""

import threading
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
SHORTEST = 12
"""Characters. Length protects; rules about kinds of characters do not."""

LONGEST = 256

AT_ONCE: Final = 4
"""How many are hashed at a time: each takes 64 MiB, and nobody needs to be known to ask for it."""

_TURNS = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """What is kept: algorithm, parameters, salt and hash in one text. Takes some 50 ms on purpose."""
    with _TURNS:
        return _HASHER.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made of.

    Takes as long for a person we do not know (`kept` is None), so that the time tells nobody who has an account.
    """
    kept_or_decoy = kept or _decoy()
    try:
        with _TURNS:
            matches = _HASHER.verify(kept_or_decoy, password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and kept is not None


@cache
def _decoy() -> str:
    return hash_password("nobody has this password")

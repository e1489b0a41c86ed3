"""Passwords of people: Argon2id, in the parameters of RFC 9106 for small memory (64 MiB, 3 passes)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
SHORTEST = 12
"""Characters. Length protects; rules about kinds of characters do not."""

LONGEST = 256


def hash_password(password: str) -> str:
    """What is kept: algorithm, parameters, salt and hash in one text. Takes some 50 ms on purpose."""
    return _HASHER.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made of.

    Takes as long for a person we do not know (`kept` is None), so that the time tells nobody who has an account.
    """
    try:
        matches = _HASHER.verify(kept or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and kept is not None


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody has this password")

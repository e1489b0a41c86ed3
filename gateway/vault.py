"""Secrets at rest: platform credentials and signing keys are encrypted with a key that is not in the database."""

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken


class VaultError(Exception):
    """A secret that this key cannot open: the key was changed, or the database comes from elsewhere."""


class Vault:
    """Encrypts small secrets and signs form tokens with one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise VaultError("the secret must be 32 bytes, base64-encoded")
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._signing = hashlib.sha256(b"passerelle forms" + key).digest()

    def seal(self, secret: str) -> bytes:
        """Encrypt a secret text."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt it again. Raises VaultError under another key or when altered."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise VaultError("a stored secret cannot be opened with the present key") from error

    def sign(self, text: str) -> str:
        """A short proof that this service wrote `text` (links in mails, form tokens)."""
        return hmac.new(self._signing, text.encode(), hashlib.sha256).hexdigest()[:40]


def load_key(folder: Path) -> bytes:
    """The key in `folder/secret.key`, made at first use with mode 0600."""
    path = folder / "secret.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=folder)  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(unfinished, path)
        Path(unfinished).unlink()
    return base64.b64decode(path.read_bytes())

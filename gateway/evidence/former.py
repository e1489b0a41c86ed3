"""Keys of the house that a tenant was taken in from: its old seals and dossiers are held against them, nobody else's.

They lie in the data folder as `keys/former/<tenant>-…log-pub.pem` and `-…tsa-ca.pem` (gateway/dossiers/restitution.py).
"""

from pathlib import Path

from archive.errors import BadCheckpoint
from archive.seal import Checkpoint, read_checkpoint, read_public
from gateway.deps import Deps
from gateway.evidence.authorities import trusted
from gateway.evidence.sealing import log_key

END = b"-----END CERTIFICATE-----\n"
NAMES = ("log-pub.pem", "tsa-ca.pem")


def former_folder(deps: Deps) -> Path:
    """Where they are."""
    return deps.settings.data / "keys" / "former"


def former_keys(deps: Deps, tenant_id: str, name: str) -> list[bytes]:
    """The files of one of NAMES that a tenant brought along; more than one where it moved more than once."""
    return [path.read_bytes() for path in sorted(former_folder(deps).glob(f"{tenant_id}-*{name}"))]


def read_signed(deps: Deps, tenant_id: str, note: bytes) -> Checkpoint:
    """A checkpoint that we signed, or a house in which this tenant was before. `tenant_id`: one that we know.

    Raises:
        BadCheckpoint: by neither.
    """
    for pem in former_keys(deps, tenant_id, "log-pub.pem"):
        try:
            return read_checkpoint(note, read_public(pem))
        except BadCheckpoint:
            continue
    return read_checkpoint(note, log_key(deps).public_key())


def believed(deps: Deps, tenant_id: str) -> bytes:
    """PEM of all whose tokens over the seals of a tenant are believed: our authorities, those of its former houses.

    Raises:
        UnsafeSetup: see `trusted`.
    """
    pems = [trusted(deps), *former_keys(deps, tenant_id, "tsa-ca.pem")]
    return b"".join(dict.fromkeys(block for pem in pems for block in blocks_of(pem)))


def blocks_of(pem: bytes) -> list[bytes]:
    """The certificates of a plain PEM text, each by itself; a text without any as it is."""
    return [block + END for block in pem.split(END)[:-1]] or [pem]

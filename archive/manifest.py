"""What a dossier says about itself: dossier.json, and the names of its files."""

import json
import re
from dataclasses import dataclass

from archive.errors import BadDigest, BadDossier
from archive.journal import canonical
from archive.store import Digest

LIST = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"
REQUIRED = (
    "README.fr.txt", "index.fr.html", "dossier.json", "checkpoint", "checkpoint.tsr", "log-pub.pem", "seal-pub.pem",
    "tsa-ca.pem", "verify.sh", LIST, SIGNATURE,
)
"""Beside them: objects/<name>, entries/<seq>.json and .tlog-proof, and log2/ log3/ ... for further logs."""

NEXT = ("next.checkpoint", "next.checkpoint.tsr", "next.entry.json", "next.tlog-proof")
"""All or none per log: the later seal that covers the token of this one."""

REVOCATION = {"crl": "checkpoint.crl", "ocsp": "checkpoint.ocsp"}
"""By role in the entry about a seal: what its authority published about its certificate then. Only beside NEXT."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Item:
    """A document of the dossier."""

    name: str
    """Of the file in objects/: ASCII letters, digits and `._-`."""

    role: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """dossier.json."""

    invoice: str
    """Its number (BT-1), for people: any text."""

    subjects: tuple[str, ...]
    """The ids that journal entries of this dossier may be about."""

    objects: tuple[Item, ...]
    tenant: str = ""
    """Whose it is: the part of the same name in the origin of each log. Empty in dossiers of version 1."""


def write(manifest: Manifest) -> bytes:
    """Canonical JSON.

    Raises:
        BadDossier: a file name is unsafe or used twice, or something needed is empty.
    """
    names = [item.name for item in manifest.objects]
    for name in names:
        if not _NAME.fullmatch(name) or ".." in name:
            raise BadDossier(f"{name!r} is no safe file name")
    if len({name.casefold() for name in names}) != len(names):
        raise BadDossier("two documents have one name")
    if not (manifest.invoice and manifest.subjects):
        raise BadDossier("an invoice number and a subject are needed")
    return canonical({
        **({"v": 2, "tenant": manifest.tenant} if manifest.tenant else {"v": 1}),
        "invoice": manifest.invoice,
        "subjects": list(manifest.subjects),
        "objects": [
            {"name": item.name, "role": item.role, "sha256": item.digest.hex, "size": item.size}
            for item in manifest.objects
        ],
    })


def read(text: bytes) -> Manifest:
    """The manifest from exactly the bytes that `write` gives.

    Raises:
        BadDossier.
    """
    try:
        raw = json.loads(text)
        manifest = Manifest(
            raw["invoice"], tuple(raw["subjects"]),
            tuple(Item(o["name"], o["role"], Digest(o["sha256"]), o["size"]) for o in raw["objects"]),
            raw["tenant"] if raw["v"] == 2 else "",
        )
        again = write(manifest)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError, BadDigest) as error:
        raise BadDossier(f"not a dossier.json: {error}") from None
    if again != text or not isinstance(manifest.invoice, str) or not isinstance(manifest.tenant, str):
        raise BadDossier("dossier.json is not canonical")
    return manifest

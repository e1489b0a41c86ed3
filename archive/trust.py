"""Whom to trust when a dossier is verified.

A text file with one line per accepted key, as `sha256sum` or the verifier prints it,

    log-pub.pem  3f1c...      signs checkpoints
    seal-pub.pem 77ab...      signs SHA256SUMS
    tsa-ca.pem   90de...      root of the timestamp authority

(the order of name and fingerprint does not matter, `#` starts a comment), or the PEM blocks themselves: a PUBLIC KEY
is accepted in both of the first roles, a CERTIFICATE in the third. Each of the three roles needs at least one key.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from archive import timestamp
from archive.container import Member
from archive.errors import ArchiveError, BadTrust

KEYS = ("log-pub.pem", "seal-pub.pem", "tsa-ca.pem")
_FORMER = re.compile(r"former/[1-9][0-9]?\.pem")
_PEM = re.compile(r"-----BEGIN (PUBLIC KEY|CERTIFICATE)-----\n[A-Za-z0-9+/=\n]+-----END \1-----\n")


@dataclass(frozen=True, slots=True)
class Trust:
    """Accepted SHA-256 fingerprints of each key file of a dossier (for tsa-ca.pem also of each certificate in it)."""

    accepted: Mapping[str, frozenset[str]]


def read_trust(text: bytes) -> Trust:
    """Read a trust file; see the top of this module.

    Raises:
        BadTrust: a line is not understood, or one of the three roles has nobody.
    """
    accepted: dict[str, set[str]] = {name: set() for name in KEYS}
    try:
        rest = text.decode().replace("\r\n", "\n").strip() + "\n"
    except UnicodeDecodeError:
        raise BadTrust("not UTF-8") from None
    for block in _PEM.finditer(rest):
        fingerprint = hashlib.sha256(block.group().encode()).hexdigest()
        for name in KEYS[2:] if block.group(1) == "CERTIFICATE" else KEYS[:2]:
            accepted[name].add(fingerprint)
    for line in _PEM.sub("", rest).split("\n"):
        words = line.partition("#")[0].split()
        if not words:
            continue
        name, *rest_of_line = words if words[0] in KEYS else words[::-1]
        fingerprint = " ".join(rest_of_line)
        if name not in KEYS or not re.fullmatch("[0-9a-f]{64}", fingerprint):
            raise BadTrust(f"not understood: {line.strip()[:80]!r}")
        accepted[name].add(fingerprint)
    for name, fingerprints in accepted.items():
        if not fingerprints:
            raise BadTrust(f"nobody is trusted as {name}")
    return Trust({name: frozenset(fingerprints) for name, fingerprints in accepted.items()})


def write_trust(files: Mapping[str, bytes]) -> str:
    """The trust file that publishes an issuer's keys. `files`: the content of each of KEYS."""
    return "".join(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in KEYS)


def strangers(members: Mapping[str, Member], trust: Trust) -> list[str]:
    """The key files of a dossier that are not trusted. A former key signed logs: it is trusted as `log-pub.pem`."""
    roles = {name: name for name in KEYS} | dict.fromkeys(former_keys(members), KEYS[0])
    return [name for name, role in roles.items() if not _accepted(members[name], trust.accepted[role], role)]


def former_keys(members: Mapping[str, Member]) -> list[str]:
    """The files of keys by which a log was signed before, in an earlier house."""
    return sorted(name for name in members if _FORMER.fullmatch(name))


def _accepted(member: Member, fingerprints: frozenset[str], name: str) -> bool:
    if member.sha256 in fingerprints:
        return True
    if name != "tsa-ca.pem":
        return False
    try:
        pems = [found.public_bytes(Encoding.PEM) for found in timestamp.certificates(member.data)]
    except ArchiveError:
        return False
    return all(hashlib.sha256(pem).hexdigest() in fingerprints for pem in pems)

"""A check of a data folder after a crash, written from the descriptions of the formats: imports none of the product.

`faults(folder, acknowledged)` names everything that is wrong: an object whose bytes have not its hash, a database
that SQLite calls damaged, a log whose lines, leaves or frontiers do not follow from each other, an object that an
entry names and nobody has, a checkpoint that is not the root of its log or not signed by its key, a token over
something else, a change without an entry; and what was acknowledged and is not there.
"""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is written there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + tree(leaves[:split]) + tree(leaves[split:]))


def faults(folder: Path, acknowledged: list[str]) -> list[str]:
    """Everything wrong with `folder`, given the lines that somebody was told (see crash_ops.py)."""
    objects, found = objects_in(folder / "objects")
    with closing(sqlite3.connect(folder / "data" / "passerelle.sqlite3")) as database:
        found += [f"sqlite: {row[0]}" for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        causes: set[str] = set()
        for tenant, log in database.execute("SELECT DISTINCT tenant_id, log FROM journal").fetchall():
            lines = database.execute("SELECT seq, line, leaf, frontier FROM journal WHERE tenant_id = ? AND log = ? "
                                     "ORDER BY seq", (tenant, log)).fetchall()
            found += log_faults(lines, objects)
            causes |= {json.loads(line)["cause"] for _, line, _, _ in lines}
            sealed = database.execute("SELECT size, checkpoint, token FROM seals WHERE tenant_id = ? AND log = ?",
                                      (tenant, log)).fetchall()
            found += [fault for seal in sealed for fault in seal_faults(folder, [row[2] for row in lines], *seal)]
        events = {row[0] for row in database.execute("SELECT id FROM events")}
        found += [f"event without entry: {one}" for one in events - causes]
        found += [f"entry without event: {one}" for one in causes - events]
        sizes = {row[0] for row in database.execute("SELECT size FROM seals")}
    known = {"put": objects, "append": causes, "seal": {str(size) for size in sizes}, "export": causes}
    told = [line.split() for line in acknowledged]
    return found + [f"acknowledged and lost: {what} {name}" for what, name in told if name not in known[what]]


def objects_in(root: Path) -> tuple[set[str], list[str]]:
    """The intact objects of a directory store, and a fault for each of the others."""
    good, bad = set(), []
    for path in (root / "sha256").glob("??/??/*"):
        if hashlib.sha256(path.read_bytes()).hexdigest() == path.name and path.match(
                f"sha256/{path.name[:2]}/{path.name[2:4]}/*"):
            good.add(path.name)
        else:
            bad.append(f"object {path.name} holds something else")
    return good, bad


def log_faults(lines: list[tuple[int, bytes, bytes, bytes]], objects: set[str]) -> Iterator[str]:
    """What is wrong with the rows of one log."""
    peaks: list[tuple[int, bytes]] = []  # (size of a perfect subtree, its root)
    for expected, (seq, line, leaf, frontier) in enumerate(lines):
        told = json.loads(line)
        if (seq, told["seq"]) != (expected, expected) or sha256(b"\x00" + line) != leaf:
            yield f"entry {expected}: line, leaf or number"
        if b"".join(root for _, root in peaks) != frontier:
            yield f"entry {expected}: frontier"
        for kept in told["objects"]:
            if kept["sha256"] not in objects:
                yield f"entry {expected}: object {kept['sha256']} is not there"
        peaks.append((1, leaf))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (size, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((2 * size, sha256(b"\x01" + left + right)))


def seal_faults(folder: Path, leaves: list[bytes], size: int, checkpoint: bytes, token: bytes | None) -> Iterator[str]:
    """What is wrong with one seal: its root, its signature, the data that its token is over."""
    body, _, signatures = checkpoint.partition(b"\n\n")
    _, told, root = body.decode().split("\n")[:3]
    if size > len(leaves) or int(told) != size or base64.b64decode(root) != tree(leaves[:size]):
        yield f"seal {size}: not the root of its log"
    raw = base64.b64decode(signatures.decode().split("\n")[0].split(" ")[-1])
    key = load_pem_private_key((folder / "data" / "keys" / "log.pem").read_bytes(), None).public_key()
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(raw[4:], body + b"\n")
    except InvalidSignature:
        yield f"seal {size}: signature"
    if token is not None and sha256(checkpoint) not in token:  # the imprint stands in it as raw bytes
        yield f"seal {size}: the token is over something else"

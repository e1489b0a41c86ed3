"""Goal 4: the Merkle log against an oracle of its own, every proof up to 300 entries, random trees up to a million.

The oracle is the definition of RFC 6962 section 2.1 and nothing else: it splits the list and hashes. It shares no code
with archive/journal.py, which never sees a whole tree. The C2SP forms (checkpoint, signed note, tlog-proof) are read by
a second reader here, written from their specification.
"""

import base64
import hashlib
import random
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(Path(__file__).parent))
from evidence import part_options, tell

from archive import journal, seal
from archive.errors import BadProof
from archive.journal import Row
from archive.seal import Checkpoint, InclusionProof

ALL = 300
BIG = (2, 3, 1 << 10, 100_003, 1 << 18, 777_777, 1_000_000)


class Memory:
    """A log of leaves in memory, as the gateway's table keeps it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._frontier = b""

    def add(self, leaf: bytes) -> None:
        """One more entry of which only the leaf hash matters."""
        seq = len(self.rows)
        self.rows.append(Row(seq, b"", leaf, self._frontier))
        self._frontier = journal._grown(seq, self._frontier, leaf)

    def last(self) -> Row | None:
        """The newest row."""
        return self.rows[-1] if self.rows else None

    def get(self, seq: int) -> Row:
        """One row."""
        return self.rows[seq]

    def append(self, row: Row) -> None:
        """Not needed here."""
        raise NotImplementedError


class Oracle:
    """MTH, PATH and SUBPROOF as RFC 6962 writes them, over a list; subtrees that were hashed once are remembered."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.known: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self.known:
            middle = start + split(end - start)
            pair = self.root(start, middle) + self.root(middle, end)
            self.known[start, end] = hashlib.sha256(b"\x01" + pair).digest()
        return self.known[start, end]

    def path(self, seq: int, start: int, end: int) -> list[bytes]:
        """PATH(seq, D[start:end])."""
        if end - start == 1:
            return []
        middle = start + split(end - start)
        if seq < middle:
            return [*self.path(seq, start, middle), self.root(middle, end)]
        return [*self.path(seq, middle, end), self.root(start, middle)]

    def proof(self, old: int, start: int, end: int, *, whole: bool = True) -> list[bytes]:
        """SUBPROOF(old, D[start:end], whole)."""
        if old == end:
            return [] if whole else [self.root(start, end)]
        middle = start + split(end - start)
        if old <= middle:
            return [*self.proof(old, start, middle, whole=whole), self.root(middle, end)]
        return [*self.proof(old, middle, end, whole=False), self.root(start, middle)]


def split(size: int) -> int:
    """The largest power of two below a size."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def filled(size: int, chance: random.Random) -> tuple[Memory, Oracle]:
    """A log of random leaves, and the oracle over the same."""
    log = Memory()
    leaves = [hashlib.sha256(b"\x00" + chance.randbytes(8)).digest() for _ in range(size)]
    for leaf in leaves:
        log.add(leaf)
    return log, Oracle(leaves)


def every_proof(most: int, chance: random.Random) -> tuple[int, int]:
    """(proofs, faults): all inclusion and consistency proofs of a log up to a size, checked, spoilt and checked."""
    log, oracle = filled(most, chance)
    trials = faults = 0
    roots = {size: oracle.root(0, size) for size in range(1, most + 1)}
    for size, root in roots.items():
        faults += journal.root(log, size) != root
        for seq in range(size):
            path = journal.inclusion_proof(log, seq, size)
            faults += list(path) != oracle.path(seq, 0, size)
            faults += not believed(lambda p=path, s=seq, n=size, r=root: journal.verify_inclusion(
                log.rows[s].leaf, s, n, p, r))
            faults += believed(lambda p=path, s=seq, n=size, r=root: journal.verify_inclusion(
                log.rows[s].leaf, s, n, spoilt(p, chance), r)) if path else 0
            trials += 1
        for old in range(1, size + 1):
            path = journal.consistency_proof(log, old, size)
            faults += list(path) != oracle.proof(old, 0, size)
            faults += not believed(lambda p=path, o=old, n=size: journal.verify_consistency(
                o, roots[o], n, roots[n], p))
            faults += believed(lambda p=path, o=old, n=size: journal.verify_consistency(
                o, roots[o], n, roots[n], spoilt(p, chance))) if path else 0
            trials += 1
    return trials, faults


def big_trees(sizes: tuple[int, ...], each: int, chance: random.Random) -> tuple[int, int]:
    """(proofs, faults) of random places in random trees."""
    trials = faults = 0
    for size in sizes:
        log, oracle = filled(size, chance)
        faults += journal.root(log, size) != oracle.root(0, size)
        for _ in range(each):
            now = chance.randint(1, size)
            seq, old = chance.randrange(now), chance.randint(1, now)
            faults += list(journal.inclusion_proof(log, seq, now)) != oracle.path(seq, 0, now)
            faults += list(journal.consistency_proof(log, old, now)) != oracle.proof(old, 0, now)
            trials += 2
        print(f"tree of {size:,}: {faults} faults so far", file=sys.stderr, flush=True)
    return trials, faults


def notes(count: int, chance: random.Random) -> tuple[int, int]:
    """(notes, faults): checkpoints and proofs of ours, read by the reader below, and every one spoilt in one bit."""
    faults = 0
    for number in range(count):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        tip = Checkpoint(f"gateway.example/t{number}/2026", chance.randrange(1 << 40), chance.randbytes(32))
        note = seal.sign_checkpoint(tip, key)
        index, path = chance.randrange(1 << 40), tuple(chance.randbytes(32) for _ in range(chance.randrange(40)))
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        faults += read_note(note, raw) != (tip.origin, tip.size, tip.root)
        proof = seal.write_proof(InclusionProof(index, path, note))
        faults += read_proof(proof) != (index, list(path), note)
        damaged = bytearray(note)
        damaged[chance.randrange(len(note))] ^= 1 << chance.randrange(8)
        faults += believed(lambda d=bytes(damaged), k=key: seal.read_checkpoint(d, k.public_key()))
    return count * 3, faults


def read_note(note: bytes, raw_key: bytes) -> tuple[str, int, bytes]:
    """A checkpoint as c2sp.org/tlog-checkpoint and c2sp.org/signed-note describe it; the signature is checked."""
    body, _, signatures = note.partition(b"\n\n")
    origin, size, root = (body + b"\n").decode().splitlines()
    dash, name, encoded = signatures.decode().rstrip("\n").split(" ")
    signature = base64.b64decode(encoded)
    identity = hashlib.sha256(name.encode() + b"\n\x01" + raw_key).digest()[:4]
    if dash != "\N{EM DASH}" or signature[:4] != identity:
        raise ValueError("not by this key")
    Ed25519PublicKey.from_public_bytes(raw_key).verify(signature[4:], body + b"\n")
    return origin, int(size), base64.b64decode(root)


def read_proof(proof: bytes) -> tuple[int, list[bytes], bytes]:
    """A proof as c2sp.org/tlog-proof describes it."""
    head, _, note = proof.partition(b"\n\n")
    first, index, *path = head.decode().splitlines()
    if first != "c2sp.org/tlog-proof@v1" or not index.startswith("index "):
        raise ValueError("no tlog-proof")
    return int(index[6:]), [base64.b64decode(line) for line in path], note


def spoilt(path: tuple[bytes, ...], chance: random.Random) -> tuple[bytes, ...]:
    """A path with one bit changed, one step left out, or one step doubled."""
    at = chance.randrange(len(path))
    one = bytearray(path[at])
    one[chance.randrange(32)] ^= 1 << chance.randrange(8)
    return chance.choice([(*path[:at], bytes(one), *path[at + 1:]), path[:at] + path[at + 1:],
                          (*path[:at], path[at], *path[at:])])


def believed(check) -> bool:
    """Whether a check raises nothing of ours."""
    try:
        check()
    except (BadProof, seal.BadCheckpoint):
        return False
    return True


def main(argv: list[str]) -> int:
    """Run the goal and tell."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    most = max(8, round(ALL * min(1.0, asked.scale)))
    one = every_proof(most, chance)
    print(f"every proof up to {most}: {one}", file=sys.stderr, flush=True)
    sizes = tuple(size for size in BIG if size <= 1_000_000 * asked.scale) or (1000,)
    two = big_trees(sizes, max(5, round(300 * asked.scale)), chance)
    three = notes(max(10, round(2000 * asked.scale)), chance)
    trials, faults = (sum(column) for column in zip(one, two, three, strict=True))
    tell("4", trials, asked.seed, faults, f"every inclusion and consistency proof up to {most} entries, trees up to "
         f"{max(sizes):,}, C2SP checkpoints and proofs, all as an independent oracle has them; spoilt ones refused")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

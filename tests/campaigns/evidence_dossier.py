"""Goals 1 and 3 on dossiers: any byte flipped is found and the invoice named, untouched ones pass, four judges agree.

Judges: our verifier, the independent one (tests/archive/independent.py), and verify.sh under dash with nothing but sh,
coreutils, sed and openssl on its path. One dossier is spoiled at every byte position.

    python tests/campaigns/evidence_dossier.py [--seed N] [--scale F]
"""

import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from archive_log import entry_of, grown
from archive_world import NOW, World, following, make_world, refs, relisted, rezip, unzip
from evidence import part_options, scratch, tell
from independent import agrees

from archive import journal
from archive.container import Member, read_members
from archive.dossier.package import Dossier, build, sealed
from archive.dossier.telling import SCRIPT, Document, Story
from archive.store import Digest
from archive.verify import examine, verify_dossier

FEW = ("sed", "openssl", "sha256sum", "cut", "cat", "head", "tail", "mktemp", "rm", "date", "dirname", "sort", "uniq",
       "wc", "base64", "od")


def dossier_of(world: World, number: int, chance: random.Random) -> tuple[str, bytes]:
    """The dossier of one of many invoices, each in a log of its own length: invoice number and ZIP."""
    invoice, subject = f"FA-2026-{number:04d}", f"inv-{number}"
    kept = tuple(
        Document(name=f"{position:02d}-document.bin", role=role, title=role,
                 content=chance.randbytes(chance.randrange(3000)))
        for position, role in enumerate(("original", "report", "receipt", "status", "status")[:chance.randrange(2, 6)])
    )
    rows = grown(chance.randrange(1, 300), salt=f"{number}-")
    seqs = []
    for document in kept:
        seqs.append(journal.append(rows, entry_of(number, *refs(document), subject=subject)))
        for filler in range(chance.randrange(4)):
            journal.append(rows, entry_of(filler))
    size = journal.size_of(rows)
    note = world.checkpoint(rows, f"passerelle.example/t{number % 7}/2026")
    token = world.stamp(note)
    log = sealed(rows, note, token, size, tuple(seqs))
    if chance.random() < 0.8:
        log = replace(log, next=following(world, rows, note, token))
    dossier = Dossier(invoice=invoice, tenant=f"t{number % 7}", subjects=(subject,), documents=kept, logs=(log,),
                      story=Story(verdict="Valide"), beside={"piste-audit.csv": b"a;b\n"})
    return invoice, build(dossier, world.keys, at=NOW)


def spoiled(
    files: Mapping[str, bytes], other: Mapping[str, bytes], chance: random.Random,
) -> tuple[str, dict[str, bytes]]:
    """One of six ways to spoil a dossier: what was done, and the files."""
    name = chance.choice(sorted(files.keys() - {"SHA256SUMS"}))  # which "and list" makes again: that spoils nothing
    data = bytearray(files[name])
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    changed = {**files, name: bytes(data)}
    kind = chance.choice(("flip", "flip", "flip", "flip and list", "flip and list", "missing", "foreign",
                          "foreign and list", "cut", "other authority"))
    if kind == "missing":
        changed = {key: value for key, value in files.items() if key != name}
    elif kind.startswith("foreign"):
        names = sorted(key for key in files.keys() & other.keys() - {"SHA256SUMS"} if files[key] != other[key])
        changed = {**files, (picked := chance.choice(names)): other[picked]}
    elif kind == "cut":
        changed = {**files, name: files[name][:chance.randrange(len(files[name]))]}
    elif kind == "other authority":
        changed = {**files, "tsa-ca.pem": OTHER_CA[0]}
    return kind, relisted(changed) if kind.endswith("and list") else changed


OTHER_CA: list[bytes] = []


def bare_path(folder: Path) -> Path:
    """A folder of links to the few programs that the script may need."""
    folder.mkdir()
    for name in FEW:
        (folder / name).symlink_to(shutil.which(name) or "/nowhere")
    return folder


def by_script(script: Path, files: Mapping[str, bytes], place: Path, few: Path) -> tuple[bool, str, float]:
    """The script's verdict in the bare environment, what it printed, and its processor time (the machine is busy)."""
    shutil.rmtree(place, ignore_errors=True)
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    shell = shutil.which("dash") or "/bin/sh"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([shell, str(script), str(place)], env={"PATH": str(few)}, capture_output=True, text=True,
                          check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode == 0, done.stdout + done.stderr, seconds


def positions(data: Mapping[str, bytes], chance: random.Random, share: float) -> Iterator[tuple[str, bytes]]:
    """Every byte position of every file (or a share of them), one bit of it flipped."""
    for name, content in sorted(data.items()):
        for at in range(len(content)):
            if share >= 1 or chance.random() < share:
                yield name, content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1:]


def every_position(
    members: Mapping[str, Member], raw: Mapping[str, bytes], chance: random.Random, share: float,
) -> tuple[int, int]:
    """Trials and misses over one dossier, its ZIP left aside."""
    trials = missed = 0
    for name, data in positions(raw, chance, share):
        digest = Digest.of(data).hex
        shown = b"" if name.startswith("objects/") else data
        missed += next(iter(examine({**members, name: Member(digest, len(data), shown)}, None)), None) is None
        trials += 1
        if trials % 5000 == 0:
            print(f"  {trials} positions", file=sys.stderr)
    return trials, missed


def main() -> int:
    """All of it; exit code 1 if a goal fails."""
    asked = part_options(__doc__).parse_args()
    chance = random.Random(asked.seed)
    good, bad = max(2, int(200 * asked.scale)), max(1, int(2000 * asked.scale))
    failed = 0
    with scratch() as place:
        folder = Path(place)
        world = make_world(folder)
        OTHER_CA.append(make_world(folder / "other").authority.ca)
        made = dict(dossier_of(world, number, chance) for number in range(good))
        few = bare_path(folder / "bin")
        alarms, agreed, slowest, scripts = 0, 0, 0.0, 0
        for invoice, data in made.items():
            path = folder / f"{invoice}-dossier.zip"
            path.write_bytes(data)
            ours = verify_dossier(path, None)
            alarms += not ours.ok or invoice not in ours.first_line
            agreed += ours.ok == agrees(path)
            if scripts < max(1, good // 2):
                files = unzip(data)
                entries = sum(name.endswith(".json") and "entr" in name for name in files)
                passed, told, seconds = by_script(SCRIPT, files, folder / "unpacked", few)
                alarms += not passed or invoice not in told
                slowest, scripts = max(slowest, seconds / entries), scripts + 1
            path.unlink()
        failed += tell("1 (false alarms)", good, asked.seed, alarms, f"untouched dossiers, {scripts} of them by script")
        failed += tell("3 (bare)", scripts, asked.seed, int(slowest > 0.2),
                       f"dash, sh coreutils sed openssl only: at most {slowest * 1000:.0f} ms per journal entry")
        missed, unnamed, loud = [], 0, 0
        invoices, numbers = list(made), range(good)
        unpacked = {invoice: unzip(data) for invoice, data in made.items()}
        for trial in range(bad):
            at = chance.choice(numbers)
            invoice = invoices[at]
            kind, files = spoiled(unpacked[invoice], unpacked[invoices[at - 1]], chance)
            path = folder / f"{invoice}-dossier.zip"
            path.write_bytes(rezip(files))
            ours = verify_dossier(path, None)
            if ours.ok:
                missed.append(kind)
            unnamed += invoice not in ours.first_line
            agreed += ours.ok == agrees(path)
            if trial % 10 == 0:
                passed, told, _ = by_script(SCRIPT, files, folder / f"{invoice}-dossier", few)
                loud += passed or invoice not in told
                shutil.rmtree(folder / f"{invoice}-dossier")
            path.unlink()
            if trial % 200 == 0:
                print(f"  {trial} of {bad}", file=sys.stderr)
        failed += tell("1 (dossier)", bad, asked.seed, len(missed) + unnamed + loud,
                       f"missed {missed}, invoice not named {unnamed}, by script {loud} of {-(-bad // 10)}")
        failed += tell("3 (two verifiers)", good + bad, asked.seed, good + bad - agreed, f"{agreed} agreements")
        path = folder / "reference.zip"
        path.write_bytes(made[invoices[0]])
        trials, lost = every_position(read_members(path), unpacked[invoices[0]], chance, min(1.0, asked.scale))
        failed += tell("1 (every byte)", trials, asked.seed, lost, "one bit at every byte position of a dossier")
    return int(failed > 0)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())

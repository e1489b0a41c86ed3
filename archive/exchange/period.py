"""The export of a whole period: a tar of one folder per dossier, and one more dossier for the list of them.

    verify.sh  LISEZMOI.txt
    dossiers/<name>/...     a dossier each, complete by itself
    periode/...             a dossier about the export: objects/dossiers.sha256 names the signed list of each of them

Written and read front to back, in memory that does not grow with the number of dossiers (but for their names).
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from archive.container import MOST_BYTES, MOST_IN_ALL, MOST_MEMBERS, SAFE_NAME, Member, member_of, read_members
from archive.container import Unreadable as UnreadableMember
from archive.dossier import telling
from archive.manifest import LIST
from archive.trust import Trust
from archive.verify import Verification, verify_members

ABOUT, ALL = "periode", "dossiers"
SUMS = "dossiers.sha256"
BESIDE = frozenset({"verify.sh", "LISEZMOI.txt"})
BLOCK = 512
END = bytes(2 * BLOCK)
MOST_LIST = 256 << 20
"""Of dossiers.sha256: two million dossiers."""


@dataclass(slots=True)
class PeriodVerdict:
    """What became of the check of one export."""

    dossiers: int = 0
    entries: int = 0
    lists: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the SHA256SUMS of each dossier, by folder."""

    about: Verification | None = None
    sums: bytes = b""
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def is_period(path: Path) -> bool:
    """Whether this looks like the export of a period, tar or folder, and not like one dossier."""
    return (path / ABOUT).is_dir() if path.is_dir() else tarfile.is_tarfile(path)


def files_in_tar(prefix: str, files: Mapping[str, bytes]) -> bytes:
    """Some files as a piece of a tar, to be written one after another and closed with END. Same input, same bytes."""
    pieces = io.BytesIO()
    for name, data in sorted(files.items()):
        info = tarfile.TarInfo(f"{prefix}{name}")
        info.size, info.mode = len(data), 0o755 if name == "verify.sh" else 0o644
        pieces.write(info.tobuf(tarfile.GNU_FORMAT))
        pieces.write(data + bytes(-len(data) % BLOCK))
    return pieces.getvalue()


def beginning(title: str, count: int) -> bytes:
    """The first piece of the tar: the script and what it is for."""
    return files_in_tar("", {"verify.sh": telling.PERIOD_SCRIPT.read_bytes(),
                             "LISEZMOI.txt": telling.period_readme(title, count)})


def verify_period(path: Path, trust: Trust | None) -> PeriodVerdict:
    """Check the list, and each dossier.

    Raises:
        OSError: the file cannot be read at all.
    """
    verdict = PeriodVerdict()
    try:
        for folder, members, sums in _folders(path):
            _take(verdict, folder, members, sums, path=path, trust=trust)
    except (tarfile.TarError, UnreadableMember, EOFError) as error:
        verdict.faults.append(f"ÉCHEC {path} : archive illisible ({error}) / unreadable archive")
        return verdict
    _compare(verdict, path)
    return verdict


def _take(
    verdict: PeriodVerdict, folder: str, members: dict[str, Member], sums: bytes, *, path: Path, trust: Trust | None,
) -> None:
    outcome = verify_members(members, Path(path.name) / folder, trust)
    if not outcome.ok:
        verdict.faults.append(outcome.first_line)
    if folder == ABOUT:
        verdict.about, verdict.sums = outcome, sums
        return
    verdict.dossiers += 1
    verdict.entries += sum("entries/" in name and name.endswith(".json") for name in members)
    if folder in verdict.lists:
        verdict.faults.append(f"ÉCHEC {path} : {folder} présent deux fois / doubled")
    verdict.lists[folder] = members[LIST].sha256 if LIST in members else ""


def _compare(verdict: PeriodVerdict, path: Path) -> None:
    if verdict.about is None:
        verdict.faults.append(f"ÉCHEC {path} : {ABOUT} manque / missing")
        return
    listed: dict[str, str] = {}
    for line in verdict.sums.decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name.removesuffix(f"/{LIST}")] = digest
    for name in sorted(listed.keys() | verdict.lists.keys()):
        if name not in verdict.lists:
            verdict.faults.append(f"ÉCHEC {path} : {name} manque / missing")
        elif name not in listed:
            verdict.faults.append(f"ÉCHEC {path} : {name} n'est pas dans la liste / not listed")
        elif listed[name] != verdict.lists[name]:
            verdict.faults.append(f"ÉCHEC {path} : {name} n'est pas celui de l'export / not the one exported")


def _folders(path: Path) -> Iterator[tuple[str, dict[str, Member], bytes]]:
    """Each dossier in turn: its folder, its files, and of the one about the export the bytes of its list."""
    return _of_folder(path) if path.is_dir() else _of_tar(path)


def _of_folder(path: Path) -> Iterator[tuple[str, dict[str, Member], bytes]]:
    for place in sorted(path.iterdir()):
        if place.name not in {*BESIDE, ABOUT, ALL}:
            raise UnreadableMember(place.name, "inattendu", "unexpected")
    for place in [path / ABOUT, *sorted((path / ALL).glob("*"))]:
        if not place.is_dir() or place.is_symlink():
            raise UnreadableMember(place.name, "inattendu", "unexpected")
        sums = (place / "objects" / SUMS).read_bytes() if place.name == ABOUT else b""
        yield place.relative_to(path).as_posix(), read_members(place), sums


def _of_tar(path: Path) -> Iterator[tuple[str, dict[str, Member], bytes]]:
    current, members, sums, total = "", dict[str, Member](), b"", 0
    with tarfile.open(path, "r|") as tar:
        for info in tar:
            tar.members = []  # type: ignore[attr-defined]  # else it keeps one for each file it has met
            if info.isdir() or info.name in BESIDE:
                continue
            folder, name = _place(info)
            if folder != current:
                if members:
                    yield current, members, sums
                current, members, sums, total = folder, {}, b"", 0
            total += info.size
            if name in members or len(members) >= MOST_MEMBERS or info.size > MOST_BYTES or total > MOST_IN_ALL:
                raise UnreadableMember(info.name, "doublé ou trop grand", "doubled, or too large")
            file = tar.extractfile(info)
            if file is None:
                raise UnreadableMember(info.name, "pas un fichier", "no file")
            if (folder, name) == (ABOUT, f"objects/{SUMS}"):
                sums = _limited(file, info.size)
                file = io.BytesIO(sums)
            members[name] = member_of(name, file)
    if members:
        yield current, members, sums


def _place(info: tarfile.TarInfo) -> tuple[str, str]:
    """The folder of a dossier, and the name of a file in it."""
    parts = info.name.removeprefix("./").split("/")
    depth = 1 if parts[0] == ABOUT else 2
    folder, name = "/".join(parts[:depth]), "/".join(parts[depth:])
    safe = SAFE_NAME.fullmatch(folder) and SAFE_NAME.fullmatch(name)
    if not info.isreg() or parts[0] not in {ABOUT, ALL} or not safe:
        raise UnreadableMember(info.name[:120], "inattendu", "unexpected")
    return folder, name


def _limited(file: IO[bytes], size: int) -> bytes:
    if size > MOST_LIST:
        raise UnreadableMember(SUMS, "trop grand", "too large")
    return file.read()


def sums_line(folder: str, files: Mapping[str, bytes]) -> bytes:
    """The line of one dossier in dossiers.sha256, as sha256sum writes it."""
    return f"{hashlib.sha256(files[LIST]).hexdigest()}  {ALL}/{folder}/{LIST}\n".encode()

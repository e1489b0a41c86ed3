"""Open a dossier, ZIP or folder, trusting nothing: names, sizes, kinds and doubles are checked before its bytes."""

import hashlib
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from archive.errors import ArchiveError

MOST_MEMBERS = 5_000
MOST_BYTES = 128 << 20
"""Of one unpacked member."""

MOST_IN_ALL = 512 << 20
SMALL = 1 << 20
"""Members that are read as text or keys are at most this large; of larger ones only the hash is kept."""

SAFE_NAME = re.compile(r"(?!.*(?:\.\.|//))[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
           OSError, IndexError, KeyError, OverflowError)
"""All that zipfile raises at a broken archive; NotImplementedError is its word for a compression it does not know."""


@dataclass(frozen=True, slots=True)
class Member:
    """One unpacked file. `data` is empty for documents and where the file is over 1 MiB."""

    sha256: str
    size: int
    data: bytes


class Unreadable(ArchiveError):
    """The container cannot be believed because of one member."""

    code = "unreadable-dossier"

    def __init__(self, member: str, fr: str, en: str) -> None:
        super().__init__(f"{member}: {en}")
        self.member = member
        self.fr = fr
        self.en = en


def read_members(path: Path) -> dict[str, Member]:
    """Unpack a dossier, or read the folder of an unpacked one, in memory, within limits, by name.

    Raises:
        OSError: there is no such file, or it may not be read.
        Unreadable: a name, size or kind is refused, or the ZIP is broken.
    """
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(archive)
        except _BROKEN as error:
            raise Unreadable("(zip)", f"archive ZIP illisible ({error})", f"unreadable ZIP ({error})") from None


def _folder(folder: Path) -> dict[str, Member]:
    if not any((folder / name).is_file() for name in ("dossier.json", "SHA256SUMS")):
        raise IsADirectoryError(f"{folder}: no dossier in this folder")
    members: dict[str, Member] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Unreadable(_shown(name), "lien, ou pas un simple fichier", "a link, or no plain file")
        if path.is_dir():
            continue
        size = path.stat().st_size
        total += size
        if not SAFE_NAME.fullmatch(name):
            raise Unreadable(_shown(name), "nom de fichier interdit", "forbidden name")
        if len(members) >= MOST_MEMBERS or size > MOST_BYTES or total > MOST_IN_ALL:
            raise Unreadable(name, "trop grand, ou trop de fichiers", "too large, or too many files")
        with path.open("rb") as file:
            members[name] = member_of(name, file)
    return members


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name)[:120]


def _members(archive: zipfile.ZipFile) -> dict[str, Member]:
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise Unreadable("(zip)", "trop de fichiers", "too many members")
    folders = {f"{parent}/" for info in infos for parent in list(Path(info.filename).parents)[:-1]}
    members: dict[str, Member] = {}
    seen: set[str] = set()
    total = 0
    for info in infos:
        name = info.filename
        if name.endswith("/") and info.file_size == 0 and name in folders:
            continue  # what other ZIP programs add for a folder
        _refuse_odd(info, seen)
        seen.add(name.casefold())
        total += info.file_size
        if info.file_size > MOST_BYTES or total > MOST_IN_ALL:
            raise Unreadable(name, "trop grand", "too large")
        members[name] = _read(archive, info)
    return members


def _refuse_odd(info: zipfile.ZipInfo, known: set[str]) -> None:
    name = info.filename
    if info.orig_filename != name or not SAFE_NAME.fullmatch(name):
        raise Unreadable(_shown(name), "nom de fichier interdit", "forbidden name")
    if name.casefold() in known:
        raise Unreadable(name, "présent deux fois", "doubled")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1 or kind not in {0, stat.S_IFREG}:
        raise Unreadable(name, "chiffré, ou pas un simple fichier", "encrypted, or no plain file")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unreadable(name, "compression inconnue", "unknown compression")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    try:
        with archive.open(info) as file:
            return member_of(info.filename, file)
    except _BROKEN as error:
        raise Unreadable(info.filename, f"illisible dans l'archive ({error})", "unreadable in the ZIP") from None


def member_of(name: str, file: IO[bytes]) -> Member:
    """One file as it is read: hash and size, its bytes where they are small and no document."""
    computed, kept, size = hashlib.sha256(), b"", 0
    while chunk := file.read(SMALL):
        computed.update(chunk)
        kept = chunk if size == 0 else b""
        size += len(chunk)
    return Member(computed.hexdigest(), size, b"" if name.startswith("objects/") else kept)

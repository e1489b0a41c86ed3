"""Open the ZIP of a dossier, trusting nothing: names, sizes, kinds and doubles are checked before its bytes."""

import hashlib
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

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
    """Unpack a dossier in memory, within limits, by name.

    Raises:
        OSError: there is no such file, or it may not be read.
        Unreadable: a name, size or kind is refused, or the ZIP is broken.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(archive)
        except _BROKEN as error:
            raise Unreadable("(zip)", f"archive ZIP illisible ({error})", f"unreadable ZIP ({error})") from None


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
    shown = "".join(char if char.isprintable() else "?" for char in name)[:120]
    if info.orig_filename != name or not SAFE_NAME.fullmatch(name):
        raise Unreadable(shown, "nom de fichier interdit", "forbidden name")
    if name.casefold() in known:
        raise Unreadable(name, "présent deux fois", "doubled")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1 or kind not in {0, stat.S_IFREG}:
        raise Unreadable(name, "chiffré, ou pas un simple fichier", "encrypted, or no plain file")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unreadable(name, "compression inconnue", "unknown compression")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    computed, kept, size = hashlib.sha256(), b"", 0
    try:
        with archive.open(info) as file:
            while chunk := file.read(SMALL):
                computed.update(chunk)
                kept = chunk if size == 0 else b""
                size += len(chunk)
    except _BROKEN as error:
        raise Unreadable(info.filename, f"illisible dans l'archive ({error})", "unreadable in the ZIP") from None
    return Member(computed.hexdigest(), size, b"" if info.filename.startswith("objects/") else kept)

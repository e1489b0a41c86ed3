"""Check a dossier offline: no database, no settings, no network, no clock.

Everything in a dossier is suspect until its signature, its proof and its timestamp hold. All faults are collected,
the most telling first; the reader gets French and English. ZIP compression and member order do not matter. Without
`Trust` the keys inside are used, which shows only that the dossier agrees with itself; that is said loudly.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from archive import journal, manifest, seal, timestamp
from archive.container import SAFE_NAME, Member, Unreadable, read_members
from archive.errors import ArchiveError, BadCheckpoint
from archive.journal import Entry
from archive.manifest import LIST, NEXT, REVOCATION, SIGNATURE, Manifest
from archive.seal import Checkpoint
from archive.timestamp import Stamp
from archive.trust import KEYS, Trust, former_keys, strangers

_LINE = re.compile(rf"([0-9a-f]{{64}})  ({SAFE_NAME.pattern})")
_ENTRY = re.compile(r"((?:log[1-9][0-9]?/)?)entries/(0|[1-9][0-9]{0,17})\.json")
_NOTE = re.compile(r"(?:log[1-9][0-9]?/)?(?:next\.)?checkpoint")
_UNTRUSTED = (
    "ATTENTION : aucune clé de confiance donnée (--trust) ; celles du dossier lui-même ont servi.",
    "Comparez leurs empreintes ci-dessous avec celles que l'émetteur publie.",
    "WARNING: no trusted key was given (--trust); the dossier's own were used.",
    "Compare the fingerprints below with those that the issuer publishes.",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which member."""

    member: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one dossier."""

    ok: bool
    invoice: str
    """Its number and tenant as the dossier says them; from the file's name, or "?", where it does not say it."""

    first_line: str
    """Names the file, the invoice and the first member that is wrong."""

    lines: tuple[str, ...]
    """Everything else, French first."""

    faults: tuple[Fault, ...] = ()


def verify_dossier(path: Path, trust: Trust | None) -> Verification:
    """Verify one dossier: its ZIP, or the folder it was unpacked into.

    Raises:
        OSError: the file cannot be read at all. Everything else that is wrong is a Verification that is not ok.
    """
    try:
        return verify_members(read_members(path), path, trust)
    except Unreadable as error:
        return verify_members({}, path, trust, Fault(error.member, error.fr, error.en))


def verify_members(
    members: Mapping[str, Member], path: Path, trust: Trust | None, unread: Fault | None = None,
) -> Verification:
    """The verdict on the files of one dossier; `path` is its name for people. `unread`: why there are none."""
    faults = [unread] if unread else list(examine(members, trust))
    invoice = _invoice_of(members, path)
    warning = () if trust else _UNTRUSTED
    fingerprints = tuple(f"{name} {members[name].sha256}" for name in (*KEYS, *former_keys(members)) if name in members)
    if faults:
        first = faults[0]
        return Verification(
            False, invoice,
            f"ÉCHEC {path} : facture {invoice}, fichier {first.member} : {first.fr} / NOT VERIFIED: {first.en}",
            (*(f"  {fault.member} : {fault.fr} / {fault.en}" for fault in faults[1:]), *warning, *fingerprints),
            tuple(faults),
        )
    return Verification(
        True, invoice, f"VÉRIFIÉ {path} : facture {invoice} / VERIFIED", (*_told(members), *warning, *fingerprints)
    )


def examine(members: Mapping[str, Member], trust: Trust | None) -> Iterator[Fault]:
    """Everything that is wrong with the files of a dossier, the most telling first."""
    differences = list(_compared_with_list(members))
    signature_fault = _list_signature(members)
    list_changed = bool(differences) and all(fault.member != "seal-pub.pem" for fault in differences)
    if signature_fault and list_changed:
        yield signature_fault
    yield from differences
    missing = [name for name in manifest.REQUIRED if name not in members]
    if missing:
        yield from (Fault(name, "manque", "missing") for name in missing)
        return
    contents = None
    try:
        contents = manifest.read(members["dossier.json"].data)
    except ArchiveError as error:
        yield Fault("dossier.json", "illisible", str(error))
    entries: list[Entry] = []
    evidence = list(_logs(members, entries, contents))
    if contents is not None:
        yield from _objects(members, contents, entries)
    yield from evidence
    if signature_fault and not list_changed:
        yield signature_fault
    if trust is not None:
        for name in strangers(members, trust):
            yield Fault(name, "clé qui n'est pas de confiance", "key that is not trusted")


def _compared_with_list(members: Mapping[str, Member]) -> Iterator[Fault]:
    listed: dict[str, str] = {}
    for line in _text(members.get(LIST)).removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed or match[2] in {LIST, SIGNATURE}:
            yield Fault(LIST, "ligne incorrecte ou doublée", "a line is malformed or doubled")
        else:
            listed[match[2]] = match[1]
    for name, sha256 in sorted(listed.items()):
        if name not in members:
            yield Fault(name, "manque", "missing")
        elif members[name].sha256 != sha256:
            yield Fault(name, f"modifié : ne correspond pas à {LIST}", f"altered: differs from {LIST}")
    for name in sorted(members.keys() - listed.keys() - {LIST, SIGNATURE}):
        yield Fault(name, f"n'est pas dans {LIST}", f"not listed in {LIST}")


def _list_signature(members: Mapping[str, Member]) -> Fault | None:
    if not {LIST, SIGNATURE, "seal-pub.pem"} <= members.keys():
        return None  # said elsewhere
    try:
        key = seal.read_public(members["seal-pub.pem"].data)
        key.verify(members[SIGNATURE].data, members[LIST].data)
    except ArchiveError as error:
        return Fault("seal-pub.pem", "clé illisible", str(error))
    except InvalidSignature:
        return Fault(LIST, f"ne correspond pas à sa signature {SIGNATURE}", f"does not match its signature {SIGNATURE}")
    return None


def _objects(members: Mapping[str, Member], contents: Manifest, entries: list[Entry]) -> Iterator[Fault]:
    """Every document is announced, is what it was, and was journaled."""
    journaled = {(ref.role, ref.digest.hex, ref.size) for entry in entries for ref in entry.objects}
    announced = {f"objects/{item.name}": item for item in contents.objects}
    for name in sorted(name for name in members if name.startswith("objects/") and name not in announced):
        yield Fault(name, "n'est pas annoncé dans dossier.json", "not announced in dossier.json")
    for name, item in announced.items():
        member = members.get(name)
        if member is None:
            yield Fault(name, "manque", "missing")
        elif (member.sha256, member.size) != (item.digest.hex, item.size):
            yield Fault(name, "modifié : ne correspond pas à dossier.json", "altered: differs from dossier.json")
        elif (item.role, member.sha256, member.size) not in journaled:
            yield Fault(name, "aucune écriture du journal n'en parle", "no journal entry names it")


def _logs(members: Mapping[str, Member], entries: list[Entry], contents: Manifest | None) -> Iterator[Fault]:
    """Each log's checkpoint, timestamp and entries. What can be read is added to `entries`."""
    found: dict[str, list[str]] = {}
    for name in sorted(members):
        if match := _ENTRY.fullmatch(name):
            found.setdefault(match[1], []).append(match[2])
        elif "entries/" in name and not _ENTRY.fullmatch(name.replace(".tlog-proof", ".json")):
            yield Fault(name, "fichier inattendu", "unexpected file")
        elif "entries/" in name and name.replace(".tlog-proof", ".json") not in members:
            yield Fault(name, "preuve sans écriture", "proof without entry")
    if "" not in found:
        yield Fault("entries/", "aucune écriture", "no entry")
    origins: set[str] = set()
    for folder, numbers in found.items():
        note = f"{folder}checkpoint"
        yield from _seal(members, note)
        origin = _text(members.get(note)).partition("\n")[0]
        if origin in origins:
            yield Fault(note, "journal présent deux fois", "the same log twice")
        if contents is not None and contents.tenant and f"/{contents.tenant}/" not in f"{origin}/":
            yield Fault(note, "journal d'un autre compte", f"the log of another tenant than {contents.tenant}")
        origins.add(origin)
        for number in numbers:
            name = f"{folder}entries/{number}.json"
            try:
                entries.append(_entry(members, folder, number, contents))
            except (ArchiveError, KeyError) as error:
                yield Fault(name, f"preuve rompue ({error})", f"broken proof: {error}")
        if any(f"{folder}{name}" in members for name in NEXT):
            yield from _next(members, folder)


@lru_cache(maxsize=32)
def checkpoint_of(note: bytes, pems: tuple[bytes, ...]) -> Checkpoint:
    """A checkpoint signed by the first of these keys or by a former one; many dossiers share one.

    Raises BadCheckpoint, BadKey.
    """
    for pem in pems[1:]:
        with suppress(BadCheckpoint):
            return seal.read_checkpoint(note, seal.read_public(pem))
    return seal.read_checkpoint(note, seal.read_public(pems[0]))


@lru_cache(maxsize=32)
def stamp_of(token: bytes, note: bytes, ca: bytes) -> Stamp:
    """A token that holds; many dossiers share one. Raises TimestampRefused."""
    return timestamp.verify(token, note, ca)


def _seal(members: Mapping[str, Member], name: str) -> Iterator[Fault]:
    """The signature of a checkpoint and its timestamp."""
    note, token = members.get(name), members.get(f"{name}.tsr")
    if note is None or token is None:
        yield Fault(name, "état du journal ou horodatage manquant", "checkpoint or timestamp missing")
        return
    try:
        checkpoint_of(note.data, _log_keys(members))
    except ArchiveError as error:
        yield Fault(name, "signature fausse ou texte altéré", str(error))
    try:
        stamp_of(token.data, note.data, members["tsa-ca.pem"].data)
    except ArchiveError as error:
        yield Fault(f"{name}.tsr", "horodatage faux", str(error))


def _entry(members: Mapping[str, Member], folder: str, number: str, contents: Manifest | None) -> Entry:
    """The entry of a file, after its place in the log was proved (the checkpoint's signature is `_seal`'s)."""
    seq, entry = _proved(members, f"{folder}entries/{number}.json", f"{folder}entries/{number}.tlog-proof",
                         f"{folder}checkpoint")
    if seq != int(number):
        raise ArchiveError(f"says {seq}")
    if contents is not None and entry.subject not in contents.subjects:
        raise ArchiveError(f"is about {entry.subject}, not this invoice")
    return entry


def _proved(members: Mapping[str, Member], name: str, proof_name: str, note_name: str) -> tuple[int, Entry]:
    line, note = members[name].data, members[note_name].data
    proof = seal.read_proof(members[proof_name].data)
    seq, entry = journal.read_entry(line)
    if seq != proof.index:
        raise ArchiveError(f"says {seq}, proved as {proof.index}")
    if proof.checkpoint != note:
        raise ArchiveError("proved in another checkpoint")
    checkpoint = checkpoint_of(note, _log_keys(members))
    journal.verify_inclusion(journal.leaf_hash(line), seq, checkpoint.size, proof.path, checkpoint.root)
    return seq, entry


def _next(members: Mapping[str, Member], folder: str) -> Iterator[Fault]:
    """The later seal: its own signature and timestamp, and in its tree the entry that names this seal's two files."""
    yield from _seal(members, f"{folder}next.checkpoint")
    name = f"{folder}next.entry.json"
    try:
        _, entry = _proved(members, name, f"{folder}next.tlog-proof", f"{folder}next.checkpoint")
        named = {(ref.role, ref.digest.hex) for ref in entry.objects}
        for role, ending in (("checkpoint", "checkpoint"), ("token", "checkpoint.tsr"), *REVOCATION.items()):
            file = f"{folder}{ending}"
            if (file in members or role not in REVOCATION) and (role, members[file].sha256) not in named:
                yield Fault(file, "n'est pas ce que dit le scellement suivant", "not what the next seal's entry names")
    except (ArchiveError, KeyError) as error:
        yield Fault(name, f"preuve rompue ({error})", f"broken proof: {error}")


def _told(members: Mapping[str, Member]) -> Iterator[str]:
    """What a good dossier says, for people."""
    contents = manifest.read(members["dossier.json"].data)
    entries = [name for name in members if _ENTRY.fullmatch(name)]
    yield f"  {len(contents.objects)} documents, {len(entries)} écritures du journal / documents, journal entries"
    for name in filter(_NOTE.fullmatch, sorted(members)):
        checkpoint = checkpoint_of(members[name].data, _log_keys(members))
        stamp = stamp_of(members[f"{name}.tsr"].data, members[name].data, members["tsa-ca.pem"].data)
        yield f"  journal {checkpoint.origin}, {checkpoint.size} écritures / entries"
        yield f"  horodaté / timestamped {stamp.at:%Y-%m-%dT%H:%M:%SZ} : {stamp.authority}"


def _invoice_of(members: Mapping[str, Member], path: Path) -> str:
    """Number and tenant, for messages."""
    try:
        contents = manifest.read(members["dossier.json"].data)
        text = f"{contents.invoice} ({contents.tenant})" if contents.tenant else contents.invoice
    except (ArchiveError, KeyError):
        text = path.name.removesuffix(".zip").removesuffix("-dossier") or "?"
    return "".join(char if char.isprintable() else "?" for char in text)[:120]


def _log_keys(members: Mapping[str, Member]) -> tuple[bytes, ...]:
    return tuple(members[name].data for name in ("log-pub.pem", *former_keys(members)))


def _text(member: Member | None) -> str:
    return "" if member is None else member.data.decode("utf-8", "replace")

"""Check a dossier offline: no database, no settings, no network, no clock.

Everything in a dossier is suspect until its signature, its proof and its timestamp hold. All faults are collected,
the most telling first; the reader gets French and English. ZIP compression and member order do not matter. Without
`Trust` the keys inside are used, which shows only that the dossier agrees with itself; that is said loudly.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from archive import journal, manifest, seal, timestamp
from archive.container import SAFE_NAME, Member, Unreadable, read_members
from archive.errors import ArchiveError
from archive.journal import Entry
from archive.manifest import LIST, SIGNATURE, Manifest
from archive.trust import KEYS, Trust, strangers

_LINE = re.compile(rf"([0-9a-f]{{64}})  ({SAFE_NAME.pattern})")
_ENTRY = re.compile(r"((?:log[1-9][0-9]?/)?)entries/(0|[1-9][0-9]{0,17})\.json")
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
    """Its number as the dossier says it; from the file's name, or "?", where it does not say it."""

    first_line: str
    """Names the file, the invoice and the first member that is wrong."""

    lines: tuple[str, ...]
    """Everything else, French first."""

    faults: tuple[Fault, ...] = ()


def verify_dossier(path: Path, trust: Trust | None) -> Verification:
    """Verify one dossier file.

    Raises:
        OSError: the file cannot be read at all. Everything else that is wrong is a Verification that is not ok.
    """
    try:
        members = read_members(path)
        faults = list(examine(members, trust))
    except Unreadable as error:
        members, faults = {}, [Fault(error.member, error.fr, error.en)]
    invoice = _invoice_of(members, path)
    warning = () if trust else _UNTRUSTED
    fingerprints = tuple(f"{name} {members[name].sha256}" for name in KEYS if name in members)
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
        elif name.endswith(".tlog-proof") and name.replace(".tlog-proof", ".json") not in members:
            yield Fault(name, "preuve sans écriture", "proof without entry")
    if "" not in found:
        yield Fault("entries/", "aucune écriture", "no entry")
    origins: set[str] = set()
    for folder, numbers in found.items():
        yield from _log(members, folder, origins)
        for number in numbers:
            name = f"{folder}entries/{number}.json"
            try:
                entries.append(_entry(members, folder, number, contents))
            except (ArchiveError, KeyError) as error:
                yield Fault(name, f"preuve rompue ({error})", f"broken proof: {error}")


def _log(members: Mapping[str, Member], folder: str, origins: set[str]) -> Iterator[Fault]:
    note, token = members.get(f"{folder}checkpoint"), members.get(f"{folder}checkpoint.tsr")
    if note is None or token is None:
        yield Fault(f"{folder}checkpoint", "état du journal ou horodatage manquant", "checkpoint or timestamp missing")
        return
    try:
        checkpoint = seal.read_checkpoint(note.data, seal.read_public(members["log-pub.pem"].data))
    except ArchiveError as error:
        yield Fault(f"{folder}checkpoint", "signature fausse ou texte altéré", str(error))
    else:
        if checkpoint.origin in origins:
            yield Fault(f"{folder}checkpoint", "journal présent deux fois", "the same log twice")
        origins.add(checkpoint.origin)
    try:
        timestamp.verify(token.data, note.data, members["tsa-ca.pem"].data)
    except ArchiveError as error:
        yield Fault(f"{folder}checkpoint.tsr", "horodatage faux", str(error))


def _entry(members: Mapping[str, Member], folder: str, number: str, contents: Manifest | None) -> Entry:
    """The entry of a file, after its place in the log was proved (the checkpoint's signature is `_log`'s)."""
    note = members[f"{folder}checkpoint"].data
    line = members[f"{folder}entries/{number}.json"].data
    proof = seal.read_proof(members[f"{folder}entries/{number}.tlog-proof"].data)
    seq, entry = journal.read_entry(line)
    if not seq == proof.index == int(number):
        raise ArchiveError(f"says {seq}, proved as {proof.index}")
    if proof.checkpoint != note:
        raise ArchiveError("proved in another checkpoint")
    if contents is not None and entry.subject not in contents.subjects:
        raise ArchiveError(f"is about {entry.subject}, not this invoice")
    checkpoint = seal.read_checkpoint(note, seal.read_public(members["log-pub.pem"].data))
    journal.verify_inclusion(journal.leaf_hash(line), seq, checkpoint.size, proof.path, checkpoint.root)
    return entry


def _told(members: Mapping[str, Member]) -> Iterator[str]:
    """What a good dossier says, for people."""
    contents = manifest.read(members["dossier.json"].data)
    entries = [name for name in members if _ENTRY.fullmatch(name)]
    yield f"  {len(contents.objects)} documents, {len(entries)} écritures du journal / documents, journal entries"
    for name in sorted(members):
        if name.endswith("checkpoint"):
            note = members[name].data
            checkpoint = seal.read_checkpoint(note, seal.read_public(members["log-pub.pem"].data))
            stamp = timestamp.verify(members[f"{name}.tsr"].data, note, members["tsa-ca.pem"].data)
            yield f"  journal {checkpoint.origin}, {checkpoint.size} écritures / entries"
            yield f"  horodaté / timestamped {stamp.at:%Y-%m-%dT%H:%M:%SZ} : {stamp.authority}"


def _invoice_of(members: Mapping[str, Member], path: Path) -> str:
    try:
        text = manifest.read(members["dossier.json"].data).invoice
    except (ArchiveError, KeyError):
        text = path.name.removesuffix(".zip").removesuffix("-dossier") or "?"
    return "".join(char if char.isprintable() else "?" for char in text)[:120]


def _text(member: Member | None) -> str:
    return "" if member is None else member.data.decode("utf-8", "replace")

"""Members taken away, added, swapped or forged, and archives that are odd: each is noticed, by more than one way."""

import io
import time
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from archive_world import (
    APPROVED,
    DELIVERED,
    INVOICE,
    NOW,
    SUBMITTED,
    World,
    documents,
    make_log,
    make_zip,
    relisted,
    rezip,
    unzip,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dossier_tools import by_script, check, needs_openssl, seeded

from archive import journal, manifest, seal, verify
from archive.seal import InclusionProof
from archive.trust import KEYS, read_trust
from gateway.sandbox.authority import LocalAuthority

# --- structure -------------------------------------------------------------------------------------------------


def without(name: str):
    return lambda files, _: {key: data for key, data in files.items() if key != name}


def swapped(one: str, other: str):
    return lambda files, _: {**files, one: files[other], other: files[one]}


def added(name: str, data: bytes = b"x"):
    return lambda files, _: {**files, name: data}


def renamed(old: str, new: str):
    return lambda files, _: {**without(old)(files, None), new: files[old]}


def from_another_invoice(files: dict[str, bytes], world: World) -> dict[str, bytes]:
    """A true entry of the same log, with its true proof, about somebody else's invoice."""
    rows = make_log(documents())
    proof = InclusionProof(20, journal.inclusion_proof(rows, 20, 61), files["checkpoint"])
    assert world
    return {**files, "entries/20.json": rows.get(20).line, "entries/20.tlog-proof": seal.write_proof(proof)}


def rewritten_history(files: dict[str, bytes], world: World) -> dict[str, bytes]:
    """A forger with the database but without the log's key: consistent tree, old checkpoint."""
    kept = documents()
    rows = make_log((replace(kept[0], content=b"<Invoice>43</Invoice>"), *kept[1:]))
    note = seal.sign_checkpoint(
        seal.Checkpoint("passerelle.example/t1/2026", 61, journal.root(rows)), Ed25519PrivateKey.generate()
    )
    out = {**files, "objects/facture.xml": b"<Invoice>43</Invoice>", "checkpoint": note,
           "checkpoint.tsr": world.stamp(note)}
    for seq in (SUBMITTED, DELIVERED, APPROVED):
        proof = InclusionProof(seq, journal.inclusion_proof(rows, seq, 61), note)
        out |= {f"entries/{seq}.json": rows.get(seq).line, f"entries/{seq}.tlog-proof": seal.write_proof(proof)}
    return out


def unstamped(files: dict[str, bytes], world: World) -> dict[str, bytes]:
    return {**files, "checkpoint.tsr": world.stamp(b"another checkpoint")}


def unjournaled(files: dict[str, bytes], _: World) -> dict[str, bytes]:
    about = manifest.read(files["dossier.json"])
    item = manifest.Item("annexe.pdf", "original", documents()[0].digest.of(b"new"), 3)
    return {**files, "objects/annexe.pdf": b"new",
            "dossier.json": manifest.write(replace(about, objects=(*about.objects, item)))}


ATTACKS = {
    **{f"without {name}": without(name) for name in (
        "objects/facture.xml", "entries/17.json", "entries/17.tlog-proof", "entries/58.json", "checkpoint",
        "checkpoint.tsr", "dossier.json", "log-pub.pem", "seal-pub.pem", "tsa-ca.pem", "SHA256SUMS", "SHA256SUMS.sig",
        "README.fr.txt", "index.fr.html", "verify.sh",
    )},
    "added document": added("objects/annexe.pdf"),
    "added stray": added("entries/extra.json"),
    "added entry": added("entries/3.json", b"{}"),
    "added proof": added("entries/3.tlog-proof"),
    "swapped documents": swapped("objects/facture.xml", "objects/facture.pdf"),
    "swapped entries": swapped("entries/17.json", "entries/40.json"),
    "swapped proofs": swapped("entries/17.tlog-proof", "entries/40.tlog-proof"),
    "swapped keys": swapped("log-pub.pem", "seal-pub.pem"),
    "entry moved": renamed("entries/17.json", "entries/18.json"),
    "document renamed": renamed("objects/facture.xml", "objects/autre.xml"),
    "another invoice's entry": from_another_invoice,
    "rewritten history": rewritten_history,
    "another timestamp": unstamped,
    "document without entry": unjournaled,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_structure_cannot_be_changed(world: World, members: dict[str, bytes], tmp_path: Path, attack: str) -> None:
    """As it is, with the list made again, and even with the list signed by its rightful key."""
    changed = ATTACKS[attack](members, world)
    for files in (changed, relisted(changed | {"SHA256SUMS.sig": b""}), relisted(changed, world.seal_key)):
        if attack.startswith("without SHA256SUMS") and files is not changed:
            continue
        outcome = check(tmp_path, rezip(files))
        assert not outcome.ok
        assert INVOICE in outcome.first_line


@needs_openssl
@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_the_script_sees_changed_structure(
    world: World, members: dict[str, bytes], tmp_path: Path, attack: str
) -> None:
    changed = ATTACKS[attack](members, world)
    assert by_script(tmp_path, changed).returncode == 1
    if attack not in {"without README.fr.txt", "without index.fr.html", "without verify.sh", "without SHA256SUMS.sig",
                      "without SHA256SUMS", "added proof", "added stray"}:
        done = by_script(tmp_path, relisted(changed, world.seal_key))
        assert done.returncode == 1, done


def test_an_unlisted_member_fails_and_is_named(members: dict[str, bytes], tmp_path: Path) -> None:
    outcome = check(tmp_path, rezip({**members, "notes.txt": b"hello"}))
    assert not outcome.ok
    assert "fichier notes.txt" in outcome.first_line


def test_a_forged_dossier_agrees_with_itself_but_not_with_the_trust_file(world: World, tmp_path: Path) -> None:
    """Made with the forger's own keys: everything inside is consistent. That is why --trust exists."""
    forger = World(Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(),
                   LocalAuthority(tmp_path / "forger", lambda: NOW))
    forged = make_zip(forger)
    alone = check(tmp_path, forged)
    assert alone.ok
    assert any("ATTENTION" in line for line in alone.lines)
    outcome = check(tmp_path, forged, read_trust(world.trust_text().encode()))
    assert not outcome.ok
    assert {fault.member for fault in outcome.faults} == set(KEYS)
    for name, value in (("log_key", forger.log_key), ("seal_key", forger.seal_key), ("authority", forger.authority)):
        half = check(tmp_path, make_zip(replace(world, **{name: value})), read_trust(world.trust_text().encode()))
        assert len(half.faults) == 1


# --- the container ---------------------------------------------------------------------------------------------


def odd_zip(members: dict[str, bytes], *, name: str, data: bytes = b"x", **fields: int) -> bytes:
    path_like = rezip(members)
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    buffer = io.BytesIO(path_like)
    noise = pytest.warns(UserWarning, match="Duplicate") if name in members else nullcontext()
    with zipfile.ZipFile(buffer, "a") as archive, noise:
        archive.writestr(info, data)
    return buffer.getvalue()


@pytest.mark.parametrize("name", [
    "../evil", "/etc/passwd", "objects/../../evil", "objects\\evil", "C:evil", "objects//x", "a b", "é", ".hidden",
    "x" * 300, "objects/\u202egpj.exe", "\n", "evil/",
])
def test_odd_names_are_refused(members: dict[str, bytes], tmp_path: Path, name: str) -> None:
    outcome = check(tmp_path, odd_zip(members, name=name))
    assert not outcome.ok
    assert outcome.first_line.isprintable()


@pytest.mark.parametrize("name", ["checkpoint", "objects/facture.xml", "CHECKPOINT", "Objects/facture.xml"])
def test_a_doubled_member_fails(members: dict[str, bytes], tmp_path: Path, name: str) -> None:
    same = members.get(name, b"x")
    for data in (same, b"other"):
        outcome = check(tmp_path, odd_zip(members, name=name, data=data))
        assert not outcome.ok
        assert f"fichier {name} : présent deux fois" in outcome.first_line


def test_links_and_unknown_compression_are_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    assert not check(tmp_path, odd_zip(members, name="link", external_attr=0o120777 << 16)).ok
    assert not check(tmp_path, rezip(members, compression=zipfile.ZIP_BZIP2)).ok
    assert not check(tmp_path, rezip(members, compression=zipfile.ZIP_LZMA)).ok


def test_bombs_are_refused_quickly(members: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "FA-7-dossier.zip"
    started = time.process_time()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("objects/bomb.xml", "w") as file:
            for _ in range(160):
                file.write(bytes(1 << 20))
        for name, data in members.items():
            archive.writestr(name, data)
    made = time.process_time()
    outcome = verify.verify_dossier(path, None)
    assert "trop grand" in outcome.first_line
    assert "FA-7" in outcome.first_line
    assert time.process_time() - made < max(1.0, made - started)
    assert "trop de fichiers" in check(tmp_path, rezip({f"f{i}": b"" for i in range(5001)})).first_line


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18), b"\x00" * 5000])
def test_what_is_no_dossier(tmp_path: Path, data: bytes) -> None:
    outcome = check(tmp_path, data)
    assert not outcome.ok
    assert INVOICE in outcome.first_line


def test_a_damaged_zip_is_refused_or_holds_the_same_files(whole: bytes, tmp_path: Path) -> None:
    """Any byte of the file itself. Dates and the like in a ZIP's own tables say nothing about the members."""
    chance = seeded(3)
    same = unzip(whole)
    for _ in range(400):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        outcome = check(tmp_path, bytes(spoilt))
        assert not outcome.ok or unzip(bytes(spoilt)) == same
    for _ in range(60):
        assert not check(tmp_path, whole[:chance.randrange(len(whole))]).ok

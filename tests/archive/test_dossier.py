"""A dossier verifies by four independent ways; nothing in it can be changed without each of them noticing."""

import hashlib
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from archive_log import entry_of
from archive_world import (
    INVOICE,
    NOW,
    SUBJECT,
    World,
    documents,
    make_dossier,
    make_log,
    refs,
    relisted,
    rezip,
    second_log,
    unzip,
)
from dossier_tools import SHELLS, by_script, check, needs_openssl, seeded
from independent import agrees

from archive import journal
from archive.dossier.package import SealedLog, build, sealed
from archive.dossier.telling import Document, Story
from archive.errors import ArchiveError, BadDossier, BadProof, BadTrust
from archive.trust import KEYS, read_trust
from gateway.commands import verify as command

# --- untouched -------------------------------------------------------------------------------------------------


def test_an_untouched_dossier_verifies(world: World, whole: bytes, tmp_path: Path) -> None:
    alone = check(tmp_path, whole)
    assert alone.ok, alone
    assert INVOICE in alone.first_line
    assert "dossier.zip" in alone.first_line
    assert any("ATTENTION" in line for line in alone.lines)
    trusted = check(tmp_path, whole, read_trust(world.trust_text().encode()))
    assert trusted.ok
    assert not any("ATTENTION" in line for line in trusted.lines)


@needs_openssl
@pytest.mark.parametrize("shell", SHELLS)
def test_it_verifies_by_script(members: dict[str, bytes], tmp_path: Path, shell: str) -> None:
    done = by_script(tmp_path, members, shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert INVOICE in done.stdout
    for name in KEYS:
        assert f"{name} {hashlib.sha256(members[name]).hexdigest()}" in done.stdout


@needs_openssl
def test_it_verifies_by_its_own_copy_where_only_few_programs_are(members: dict[str, bytes], tmp_path: Path) -> None:
    """sh, sed, openssl and coreutils; no grep, cmp, awk, find, Python."""
    few = tmp_path / "bin"
    few.mkdir()
    for name in ("sed", "openssl", "sha256sum", "cut", "cat", "head", "tail", "mktemp", "rm", "date", "dirname",
                 "sort", "uniq", "wc", "base64", "od"):
        (few / name).symlink_to(shutil.which(name) or "/nowhere")
    assert by_script(tmp_path, members).returncode == 0
    shell = shutil.which("sh") or "sh"
    done = subprocess.run([shell, "unpacked/verify.sh"], cwd=tmp_path, env={"PATH": str(few)}, capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_openssl
def test_an_independent_verifier_agrees(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(whole)
    assert agrees(tmp_path / "d.zip")


def test_same_input_same_bytes(world: World) -> None:
    dossier = make_dossier(world)
    assert build(dossier, world.keys, at=NOW) == build(dossier, world.keys, at=NOW)


def test_order_compression_and_folders_do_not_matter(members: dict[str, bytes], tmp_path: Path) -> None:
    names = list(members)
    seeded(1).shuffle(names)
    again = {name: members[name] for name in names}
    assert check(tmp_path, rezip(again, compression=zipfile.ZIP_DEFLATED)).ok
    assert check(tmp_path, rezip({"objects/": b"", **again, "entries/": b""})).ok


def test_it_can_be_read_by_people(members: dict[str, bytes]) -> None:
    index, readme = members["index.fr.html"].decode(), members["README.fr.txt"].decode()
    assert "Ateliers &lt;Imaginaires&gt; &amp; Fils" in index
    for text in (index, readme):
        assert INVOICE in text
        assert "21/11/2026 à 12:00:00 UTC" in text
        assert "non qualifiée" in text.lower()
        for name in KEYS:
            assert hashlib.sha256(members[name]).hexdigest() in text
    for document in documents():
        assert document.digest.hex in index
        assert document.title in index
    assert "<script" not in index
    assert "http" not in index.replace("http-equiv", "")


def test_entries_of_two_years(world: World, tmp_path: Path) -> None:
    """An invoice sent in one fiscal year and paid in the next lies in two logs."""
    late = Document(name="statut-212.xml", role="status", title="Encaissée", content=b"<CDAR>212</CDAR>")
    rows, note, token = second_log(world, late)
    dossier = make_dossier(world)
    both = replace(dossier, documents=(*dossier.documents, late),
                   logs=(*dossier.logs, sealed(rows, note, token, 9, (3,))))
    data = build(both, world.keys, at=NOW)
    assert check(tmp_path, data).ok
    files = unzip(data)
    assert {"log2/checkpoint", "log2/entries/3.json"} <= files.keys()
    if shutil.which("openssl"):
        assert by_script(tmp_path, files).returncode == 0
        assert agrees(tmp_path / f"{INVOICE}-dossier.zip")
    for name in (name for name in files if name.startswith("log2/")):
        spoilt = relisted({**files, name: files[name][:-2] + b"!" + files[name][-1:]}, world.seal_key)
        assert not check(tmp_path, rezip(spoilt)).ok, name
        gone = relisted({key: value for key, value in files.items() if key != name}, world.seal_key)
        assert not check(tmp_path, rezip(gone)).ok, name
    doubled = {f"log3/{name}": data for name, data in files.items() if name.startswith(("entries/", "checkpoint"))}
    assert not check(tmp_path, rezip(relisted({**files, **doubled}, world.seal_key))).ok


# --- one byte --------------------------------------------------------------------------------------------------


def test_three_hundred_changed_bytes_are_all_found(members: dict[str, bytes], tmp_path: Path) -> None:
    """In every member, at seeded places: once as it is, once with the list made again as a forger would."""
    chance = seeded(20261121)
    missed = []
    for number in range(300):
        name = sorted(members)[number % len(members)]
        spoilt = bytearray(members[name])
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        changed = {**members, name: bytes(spoilt)}
        for files in (changed, relisted(changed)) if not name.startswith("SHA256SUMS") else (changed,):
            outcome = check(tmp_path, rezip(files))
            if outcome.ok:
                missed.append((name, files is changed))
            assert INVOICE in outcome.first_line
        assert name in check(tmp_path, rezip(changed)).first_line
    assert missed == []


@needs_openssl
def test_script_and_independent_verifier_find_them_too(members: dict[str, bytes], tmp_path: Path) -> None:
    chance = seeded(7)
    for name in sorted(members):
        spoilt = bytearray(members[name])
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        changed = {**members, name: bytes(spoilt)}
        done = by_script(tmp_path, changed)
        assert done.returncode == 1, (name, done)
        assert INVOICE in done.stderr or name == "dossier.json"
        (tmp_path / "d.zip").write_bytes(rezip(relisted(changed) if name != "SHA256SUMS" else changed))
        assert not agrees(tmp_path / "d.zip"), name


@pytest.mark.parametrize("name", [
    "entries/17.json", "entries/17.tlog-proof", "checkpoint", "objects/facture.xml", "log-pub.pem",
])
def test_even_the_keeper_of_the_seal_key_cannot_change_evidence(
    world: World, members: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    """The list signed again: what is left are the proof, the checkpoint's signature and the timestamp.

    A token has bytes outside its signature (see test_timestamp.py), and so has a root certificate: there only the
    signed list sees a change.
    """
    chance = seeded(name)
    for _ in range(40):
        spoilt = bytearray(members[name])
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        assert not check(tmp_path, rezip(relisted({**members, name: bytes(spoilt)}, world.seal_key))).ok


# --- whom to trust ---------------------------------------------------------------------------------------------


def test_trust_by_fingerprint_or_by_pem(world: World, whole: bytes, members: dict[str, bytes], tmp_path: Path) -> None:
    pems = b"".join(members[name] for name in KEYS)
    sums = "".join(f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in KEYS).encode()
    mixed = b"# published in May\r\n\r\n" + members["log-pub.pem"] + members["tsa-ca.pem"] + sums
    for text in (world.trust_text().encode(), pems, sums, mixed, pems.replace(b"\n", b"\r\n")):
        assert check(tmp_path, whole, read_trust(text)).ok


@pytest.mark.parametrize("text", [
    b"", b"\xff", b"garbage", b"log-pub.pem\n", b"log-pub.pem abc\n", b"other.pem " + b"0" * 64,
    b"log-pub.pem " + b"0" * 64, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
])
def test_trust_files_that_trust_nobody(text: bytes) -> None:
    with pytest.raises(BadTrust):
        read_trust(text)


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_answers_each_dossier(world: World, whole: bytes, members, tmp_path: Path, capsys) -> None:
    good, bad, absent = tmp_path / "good.zip", tmp_path / "bad.zip", tmp_path / "absent.zip"
    trust = tmp_path / "cles.txt"
    good.write_bytes(whole)
    bad.write_bytes(rezip({**members, "objects/facture.xml": b"changed"}))
    trust.write_text(world.trust_text())
    assert command.main([str(good), "--trust", str(trust)]) == 0
    assert capsys.readouterr().out.startswith("VÉRIFIÉ")
    assert command.main([str(bad)]) == 1
    first = capsys.readouterr().out.split("\n")[0]
    assert first.startswith("ÉCHEC")
    for told in ("bad.zip", INVOICE, "objects/facture.xml"):
        assert told in first
    assert command.main([str(good), str(bad)]) == 1
    assert command.main([str(bad), str(absent), str(good)]) == 2
    lines = capsys.readouterr().out.split("\n")
    assert [line.split()[0] for line in lines if line.startswith(("VÉR", "ÉCH", "IMP"))][-3:] == [
        "ÉCHEC", "IMPOSSIBLE", "VÉRIFIÉ",
    ]


def test_the_command_refuses_what_makes_no_sense(whole: bytes, tmp_path: Path, capsys) -> None:
    good = tmp_path / "good.zip"
    good.write_bytes(whole)
    assert command.main([]) == 2
    assert command.main([str(good), "--all"]) == 2
    assert command.main(["--all"]) == 2
    assert command.main([str(good), "--trust", str(tmp_path / "absent")]) == 2
    assert command.main([str(good), "--trust", str(good)]) == 2
    assert command.main([str(tmp_path)]) == 2
    with pytest.raises(SystemExit) as stopped:
        command.main(["--nonsense"])
    assert stopped.value.code == 2
    assert "VÉRIFIÉ" not in capsys.readouterr().out


def test_all_is_run_by_whoever_has_the_database(tmp_path: Path) -> None:
    given: list[list[bytes]] = []
    (tmp_path / "kept").write_bytes(b"note")

    def everything(notes) -> int:
        given.append(list(notes))
        return 7

    assert command.main(["--all"]) == 2
    assert command.main(["--all"], everything) == 7
    assert command.main(["--all", "--checkpoint", str(tmp_path / "kept")], everything) == 7
    assert command.main(["--all", "--checkpoint", str(tmp_path / "absent")], everything) == 2
    assert given == [[], [b"note"]]


@needs_openssl
def test_a_dossier_of_version_1_is_still_good(world: World, tmp_path: Path) -> None:
    files = unzip(build(replace(make_dossier(world), tenant=""), world.keys, at=NOW))
    assert files["dossier.json"].endswith(b'"v":1}')
    assert check(tmp_path, rezip(files)).ok
    assert by_script(tmp_path, files).returncode == 0
    assert agrees(tmp_path / f"{INVOICE}-dossier.zip")


# --- what is not built -----------------------------------------------------------------------------------------


def test_a_dossier_that_would_not_verify_is_not_built(world: World) -> None:
    dossier = make_dossier(world)
    stray = Document(name="autre.xml", role="original", title="Autre", content=b"never journaled")
    wrong_role = replace(dossier.documents[0], role="sent")
    log = dossier.logs[0]
    for bad in (
        replace(dossier, documents=(*dossier.documents, stray)),
        replace(dossier, documents=(wrong_role, *dossier.documents[1:])),
        replace(dossier, subjects=("somebody-else",)),
        replace(dossier, subjects=()),
        replace(dossier, invoice=""),
        replace(dossier, logs=()),
        replace(dossier, logs=(replace(log, entries=()),)),
        replace(dossier, logs=(replace(log, entries=(replace(log.entries[0], path=()),)),)),
        replace(dossier, documents=(replace(stray, name="../x"),)),
        replace(dossier, documents=(dossier.documents[0], replace(dossier.documents[1], name="FACTURE.xml"))),
    ):
        with pytest.raises(BadDossier):
            build(bad, world.keys, at=NOW)
    unsigned = SealedLog(log.checkpoint.replace(b"61", b"62"), log.token, log.entries)
    with pytest.raises(ArchiveError):
        build(replace(dossier, logs=(unsigned,)), world.keys, at=NOW)


def test_an_entry_beyond_the_checkpoint_has_no_proof(world: World) -> None:
    rows = make_log(documents())
    note = world.checkpoint(rows, "passerelle.example/t1/2026")
    journal.append(rows, entry_of(61, *refs(documents()[0]), subject=SUBJECT))
    with pytest.raises(BadProof):
        sealed(rows, note, world.stamp(note), 61, (61,))


def test_names_of_invoices_may_be_anything(world: World, tmp_path: Path) -> None:
    for invoice in ("FA 2026/1 « é » <b>", '"\\', "n°\u202e1\x1b[31m"):
        dossier = replace(make_dossier(world), invoice=invoice, story=Story(verdict="Valide"))
        outcome = check(tmp_path, build(dossier, world.keys, at=NOW + timedelta(days=1)))
        assert outcome.ok
        assert outcome.first_line.isprintable()

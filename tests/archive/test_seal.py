"""Checkpoints, proofs and keys: the published example, and every single-bit change."""

import base64
import os
import stat
from pathlib import Path

import pytest
from archive_log import CALM
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from archive import seal
from archive.errors import ArchiveError, BadCheckpoint, BadKey
from archive.seal import Checkpoint, InclusionProof

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TIP = Checkpoint("passerelle.example/t1/2026", 61, bytes(range(32)))
NOTE = seal.sign_checkpoint(TIP, KEY)
PROOF = InclusionProof(7, (bytes(32), b"\xff" * 32), NOTE)

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
"""The note that the Go implementation of signed notes gives as its example."""


def test_a_foreign_signed_note_has_the_key_id_and_signature_that_we_compute() -> None:
    name, _, data = GO_KEY.split("+", 2)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(data)[1:])
    signature = base64.b64decode(GO_SIGNATURE)
    assert seal._key_id(name, key) == signature[:4] == bytes.fromhex("c74f20a3")
    key.verify(signature[4:], GO_TEXT)


def test_a_checkpoint_reads_as_written() -> None:
    lines = NOTE.decode().split("\n")
    assert lines[:2] == ["passerelle.example/t1/2026", "61"]
    assert lines[3] == ""
    assert lines[4].startswith("— passerelle.example/t1/2026 ")
    assert seal.read_checkpoint(NOTE, KEY.public_key()) == TIP


def test_every_bit_of_a_checkpoint_counts() -> None:
    for at in range(len(NOTE)):
        for bit in range(8):
            spoilt = bytearray(NOTE)
            spoilt[at] ^= 1 << bit
            with pytest.raises(BadCheckpoint):
                seal.read_checkpoint(bytes(spoilt), KEY.public_key())


def test_every_bit_of_a_proof_is_read_back_or_refused() -> None:
    data = seal.write_proof(PROOF)
    assert seal.read_proof(data) == PROOF
    for at in range(len(data)):
        for bit in range(8):
            spoilt = bytearray(data)
            spoilt[at] ^= 1 << bit
            try:
                read = seal.read_proof(bytes(spoilt))
            except BadCheckpoint:
                continue
            assert read != PROOF
            assert seal.write_proof(read) == bytes(spoilt)


@CALM
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for reader in (seal.read_proof, lambda note: seal.read_checkpoint(note, KEY.public_key()), seal.read_public):
        with pytest.raises(ArchiveError):
            reader(data)


def test_a_witness_may_sign_too_but_does_not_replace_the_log() -> None:
    witness = seal.sign_checkpoint(TIP, Ed25519PrivateKey.generate()).split(b"\n\n")[1]
    assert seal.read_checkpoint(NOTE + witness, KEY.public_key()) == TIP
    with pytest.raises(BadCheckpoint, match="not signed"):
        seal.read_checkpoint(TIP.text() + b"\n" + witness, KEY.public_key())
    with pytest.raises(BadCheckpoint, match="too many"):
        seal.read_checkpoint(NOTE + witness * 40, KEY.public_key())


@pytest.mark.parametrize("note", [
    b"", b"\n\n", NOTE.replace(b"\n61\n", b"\n061\n"), NOTE.replace(b"\n61\n", b"\n61\nextension\n"),
    NOTE.replace(b"\n", b"\r\n"), NOTE[:-1], NOTE + b"\n", NOTE.replace("—".encode(), b"-"), b"\xff" + NOTE,
    NOTE.replace(b"\n\n", b"\n\n\n"),
])
def test_malformed_checkpoints(note: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        seal.read_checkpoint(note, KEY.public_key())


@pytest.mark.parametrize("tip", [
    Checkpoint("", 1, bytes(32)), Checkpoint("two words", 1, bytes(32)), Checkpoint("a+b", 1, bytes(32)),
    Checkpoint("a\nb", 1, bytes(32)), Checkpoint("a", -1, bytes(32)), Checkpoint("a", 1, bytes(31)),
])
def test_what_cannot_be_signed(tip: Checkpoint) -> None:
    with pytest.raises(BadCheckpoint):
        seal.sign_checkpoint(tip, KEY)


@pytest.mark.parametrize("change", [
    ("@v1", "@v2"), ("index 7", "index 07"), ("index 7", "index -7"), ("index 7", "index"), ("index 7", "indes 7"),
    ("index 7", "extra AAAA\nindex 7"), ("\n\n", "\n"), ("AAAA=", "AAAB="),
])
def test_malformed_proofs(change: tuple[str, str]) -> None:
    data = seal.write_proof(PROOF)
    spoilt = data.replace(change[0].encode(), change[1].encode(), 1)
    assert spoilt != data
    with pytest.raises(BadCheckpoint):
        seal.read_proof(spoilt)


@pytest.mark.parametrize("text", ["AB==", "AAAA\n", "AA A", "é", "A", "AA-_", "AAA", " AAAA", "AAAA===="])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        seal.decode64(text)


@CALM
@given(st.binary())
def test_base64_there_and_back(data: bytes) -> None:
    assert seal.decode64(seal.encode64(data), len(data)) == data


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    key = seal.create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    again = seal.load_key(path)
    assert seal.public_pem(again.public_key()) == seal.public_pem(key.public_key())
    before = path.read_bytes()
    with pytest.raises(BadKey, match="exists"):
        seal.create_key(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "log.key"
    seal.create_key(path)
    path.chmod(mode)
    with pytest.raises(BadKey, match="0600"):
        seal.load_key(path)


def test_what_is_no_signing_key(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with pytest.raises(BadKey):
        seal.load_key(path)
    rsa_key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data in (b"", b"garbage", seal.public_pem(KEY.public_key()), rsa_key):
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(BadKey):
            seal.load_key(path)


def test_a_public_key_has_one_form() -> None:
    pem = seal.public_pem(KEY.public_key())
    assert seal.public_pem(seal.read_public(pem)) == pem
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for spoilt in (b"", pem + b"\n", b" " + pem, pem.replace(b"\n", b"\r\n"), other, pem + pem, os.urandom(50)):
        with pytest.raises(BadKey):
            seal.read_public(spoilt)

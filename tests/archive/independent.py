"""A second verifier of dossiers, written from the formats alone: standard library and the openssl program.

Shares no code with the product, so that the two can disagree. `python independent.py DOSSIER.zip` exits 0 or 1.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


class No(Exception):
    """The dossier does not verify."""


def need(condition: object, why: str) -> None:
    if not condition:
        raise No(why)


def openssl(folder: Path, *arguments: str) -> bool:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def decoded(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64")
    return data


def signed(folder: Path, key: str, data: str, signature: str) -> bool:
    return openssl(folder, "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", data, "-sigfile", signature)


def unpack(path: Path, folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            need(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9./_-]*", name) and ".." not in name, f"name {name}")
            need(name not in files, f"doubled {name}")
            files[name] = archive.read(name)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[name])
    return files


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path gives, by the recursive definition of RFC 6962 section 2.1.1."""
    if size == 1:
        need(not path, "path too long")
        return leaf
    need(path, "path too short")
    split = 1
    while split * 2 < size:
        split *= 2
    if index < split:
        left, right = climb(leaf, index, split, path[:-1]), path[-1]
    else:
        left, right = path[-1], climb(leaf, index - split, size - split, path[:-1])
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_list(folder: Path, files: dict[str, bytes]) -> None:
    listed = {}
    for line in files["SHA256SUMS"].decode().splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
        need(match, "list")
        need(match[2] not in listed, "list doubled")
        listed[match[2]] = match[1]
    need(listed.keys() == files.keys() - {"SHA256SUMS", "SHA256SUMS.sig"}, "list and files differ")
    for name, digest in listed.items():
        need(hashlib.sha256(files[name]).hexdigest() == digest, f"altered {name}")
    need(signed(folder, "seal-pub.pem", "SHA256SUMS", "SHA256SUMS.sig"), "list signature")


def check_log(folder: Path, files: dict[str, bytes], prefix: str) -> list[dict]:
    text, _, signatures = files[f"{prefix}checkpoint"].decode().partition("\n\n")
    origin, size, root = text.split("\n")
    mark, name, blob = signatures.split("\n")[0].split(" ")
    need(mark == "\u2014" and name == origin, "signature line")
    (folder / "note").write_text(text + "\n", encoding="utf-8")
    (folder / "note.sig").write_bytes(decoded(blob)[4:])
    need(signed(folder, "log-pub.pem", "note", "note.sig"), "checkpoint signature")
    told = subprocess.run(["openssl", "ts", "-reply", "-in", f"{prefix}checkpoint.tsr", "-text"], cwd=folder,
                          capture_output=True, check=False).stdout.decode("latin-1")
    need(re.search("^Time stamp: ", told, re.MULTILINE), "timestamp unreadable")
    need(openssl(folder, "ts", "-verify", "-data", f"{prefix}checkpoint", "-in", f"{prefix}checkpoint.tsr",
                 "-CAfile", "tsa-ca.pem"), "timestamp")
    entries = []
    for name, line in files.items():
        match = re.fullmatch(re.escape(prefix) + r"entries/(\d+)\.json", name)
        if not match:
            continue
        head, _, note = files[name.replace(".json", ".tlog-proof")].partition(b"\n\n")
        version, index, *steps = head.decode().split("\n")
        need(version == "c2sp.org/tlog-proof@v1" and index == f"index {match[1]}", "proof head")
        need(note == files[f"{prefix}checkpoint"], "proof of another checkpoint")
        leaf = hashlib.sha256(b"\x00" + line).digest()
        path = [decoded(step) for step in steps]
        need(int(match[1]) < int(size), "index beyond the log")
        need(climb(leaf, int(match[1]), int(size), path) == decoded(root), f"{name} is not in the log")
        entries.append(json.loads(line))
        need(entries[-1]["seq"] == int(match[1]), "seq")
    need(entries, "no entries")
    return entries


def check(path: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = unpack(path, folder)
        check_list(folder, files)
        about = json.loads(files["dossier.json"])
        prefixes = sorted(name.removesuffix("checkpoint") for name in files if name.endswith("checkpoint"))
        entries = [entry for prefix in prefixes for entry in check_log(folder, files, prefix)]
        need(all(entry["subject"] in about["subjects"] for entry in entries), "another invoice's entry")
        named = {(ref["sha256"], ref["size"]) for entry in entries for ref in entry["objects"]}
        for name, data in files.items():
            if name.startswith("objects/"):
                need((hashlib.sha256(data).hexdigest(), len(data)) in named, f"{name} is not journaled")


def agrees(path: Path) -> bool:
    try:
        check(path)
    except (No, KeyError, ValueError, OSError, zipfile.BadZipFile, RecursionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if agrees(Path(sys.argv[1])) else 1)

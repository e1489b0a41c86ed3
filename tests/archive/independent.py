"""A second verifier of dossiers, written from docs/archive-format.md alone: standard library and the openssl program.

Shares no code with the product, so that the two can disagree. `python independent.py DOSSIER.zip` exits 0 or 1.
"""

import base64
import hashlib
import json
import re
import ssl
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


def need(condition: object, why: str) -> None:
    if not condition:
        raise ValueError(why)


def openssl(folder: Path, *arguments: str) -> bool:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False).returncode == 0


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
            plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9./_-]*", name)
            need(plain and ".." not in name and name not in files, f"name {name}")
            files[name] = archive.read(name)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
    return files


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path gives, by the recursive definition of RFC 6962 section 2.1.1."""
    need(bool(path) == (size > 1), "path too long or too short")
    if size == 1:
        return leaf
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        left, right = climb(leaf, index, split, path[:-1]), path[-1]
    else:
        left, right = path[-1], climb(leaf, index - split, size - split, path[:-1])
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_list(folder: Path, files: dict[str, bytes]) -> None:
    listed = {}
    for line in files["SHA256SUMS"].decode().splitlines():
        need((match := re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)) and match[2] not in listed, "list")
        listed[match[2]] = match[1]
    need(listed.keys() == files.keys() - {"SHA256SUMS", "SHA256SUMS.sig"}, "list and files differ")
    for name, digest in listed.items():
        need(hashlib.sha256(files[name]).hexdigest() == digest, f"altered {name}")
    need(signed(folder, "seal-pub.pem", "SHA256SUMS", "SHA256SUMS.sig"), "list signature")


def check_seal(folder: Path, files: dict[str, bytes], note: str) -> tuple[str, int, bytes]:
    """Signature and timestamp of a checkpoint; its origin, size and root."""
    text, _, signatures = files[note].decode().partition("\n\n")
    origin, size, root = text.split("\n")
    mark, name, blob = signatures.split("\n")[0].split(" ")
    need(mark == "\u2014" and name == origin and re.fullmatch("0|[1-9][0-9]*", size), "signature line")
    (folder / "note").write_text(text + "\n", encoding="utf-8")
    (folder / "note.sig").write_bytes(decoded(blob)[4:])
    keys = [name for name in files if re.fullmatch(r"log-pub\.pem|former/\d+\.pem", name)]
    need(any(signed(folder, key, "note", "note.sig") for key in keys), "checkpoint signature")
    told = subprocess.run(["openssl", "ts", "-reply", "-in", f"{note}.tsr", "-text"], cwd=folder,
                          capture_output=True, check=False).stdout.decode("latin-1")
    need(at := re.search(r"^Time stamp: ([^.\n]*?)(?:\.\d+)?( \d{4} GMT)$", told, re.MULTILINE), "timestamp unreadable")
    need(openssl(folder, "ts", "-verify", "-data", note, "-in", f"{note}.tsr", "-CAfile", "tsa-ca.pem", "-attime",
                 str(ssl.cert_time_to_seconds(at[1] + at[2]))), "timestamp")
    return origin, int(size), decoded(root)


def check_entry(files: dict[str, bytes], entry: str, proof: str, note: str, tip: list) -> dict:
    head, _, proved_in = files[proof].partition(b"\n\n")
    (version, index, *steps), told = head.decode().split("\n"), json.loads(files[entry])
    need(version == "c2sp.org/tlog-proof@v1" and index == f"index {told['seq']}", "proof head")
    need(proved_in == files[note], "proof of another checkpoint")
    need(told["seq"] < tip[0], "index beyond the log")
    leaf = hashlib.sha256(b"\x00" + files[entry]).digest()
    need(climb(leaf, told["seq"], tip[0], [decoded(step) for step in steps]) == tip[1], f"{entry} is not in the log")
    return told


def check_log(folder: Path, files: dict[str, bytes], prefix: str, tenant: str) -> list[dict]:
    note = f"{prefix}checkpoint"
    origin, *tip = check_seal(folder, files, note)
    need(not tenant or f"/{tenant}/" in f"{origin}/", "another tenant's log")
    entries = []
    for name in files:
        if match := re.fullmatch(re.escape(prefix) + r"entries/(\d+)\.json", name):
            entries.append(check_entry(files, name, name.replace(".json", ".tlog-proof"), note, tip))
            need(entries[-1]["seq"] == int(match[1]), "seq")
    need(entries, "no entries")
    if any(name.startswith(f"{prefix}next.") for name in files):
        later = f"{prefix}next.checkpoint"
        _, *tip = check_seal(folder, files, later)
        next_one = check_entry(files, f"{prefix}next.entry.json", f"{prefix}next.tlog-proof", later, tip)
        named = {(ref["role"], ref["sha256"]) for ref in next_one["objects"]}
        for role, end in (("checkpoint", ""), ("token", ".tsr"), ("crl", ".crl"), ("ocsp", ".ocsp")):
            data = files.get(note + end)
            need(data is None or (role, hashlib.sha256(data).hexdigest()) in named, f"the next seal: another {role}")
    return entries


def check(path: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = unpack(path, folder)
        check_list(folder, files)
        about = json.loads(files["dossier.json"])
        tenant = about["tenant"] if about["v"] == 2 else ""
        prefixes = sorted(m[1] for m in (re.fullmatch(r"(|log\d+/)checkpoint", name) for name in files) if m)
        entries = [entry for prefix in prefixes for entry in check_log(folder, files, prefix, tenant)]
        need(all(entry["subject"] in about["subjects"] for entry in entries), "another invoice's entry")
        named = {(ref["role"], ref["sha256"], ref["size"]) for entry in entries for ref in entry["objects"]}
        told = {f"objects/{o['name']}": (o["role"], o["sha256"], o["size"]) for o in about["objects"]}
        need(told.keys() == {name for name in files if name.startswith("objects/")}, "objects and dossier.json differ")
        for name, (role, digest, size) in told.items():
            need((hashlib.sha256(files[name]).hexdigest(), len(files[name])) == (digest, size), f"altered {name}")
            need((role, digest, size) in named, f"{name} is not journaled")


def agrees(path: Path) -> bool:
    try:
        check(path)
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile, RecursionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if agrees(Path(sys.argv[1])) else 1)

"""docs/archive-format.md is enough for a reader: what it names is what dossiers have and what others read them by."""

import ast
import hashlib
import json
import re
from pathlib import Path

import independent
import pytest

from archive.longterm import rehash

ROOT = Path(__file__).parents[2]
FORMAT = (ROOT / "docs" / "archive-format.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", FORMAT))


def section(number: str) -> str:
    """A section of the document, up to the next heading."""
    found = re.search(rf"^##+ {re.escape(number)}\.? .*?(?=^##|\Z)", FORMAT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


def files_of_the_table() -> dict[str, bool]:
    """Every file of section 8 as a pattern, and whether it may be absent."""
    found = {}
    for row in re.findall(r"^\| (`.*?) \| (.*) \|$", section("8"), re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row[0]):
            pattern = re.escape(name).replace("<name>", ".+").replace("<seq>", "[0-9]+").replace("<n>", "[0-9]+")
            found[pattern] = "optional" in row[1] or "all or none" in row[1] or name.endswith("/")
    return found


def test_a_dossier_has_the_files_of_the_document_and_no_others(members: dict[str, bytes]) -> None:
    told = files_of_the_table()
    assert len(told) >= 25
    assert [name for name in members if not any(re.fullmatch(pattern, name) for pattern in told)] == []
    assert [pattern for pattern, optional in told.items()
            if not optional and not any(re.fullmatch(pattern, name) for name in members)] == []


def test_the_independent_verifier_reads_nothing_that_the_document_does_not_name() -> None:
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    files = {word.lstrip(".") for word in words
             if re.fullmatch(r"\.?[a-zA-Z0-9-]+(\.[a-z]+)+|[a-z]+/|SHA256SUMS|dossier\.json", word)}
    assert len(files) >= 8
    unnamed = [name for name in files - {"note.sig"} if not any(name in known for known in NAMED)]
    assert unnamed == []
    members_read = {"role", "sha256", "size", "name", "seq", "subject", "objects", "subjects", "tenant", "v"}
    assert members_read <= words & set(re.findall(r"[a-z0-9]+", " ".join(NAMED)))


def test_an_entry_has_the_members_of_the_table(members: dict[str, bytes]) -> None:
    told = {name for row in re.findall(r"^\| (`[^|]+) \| [^|]+ \|$", section("2"), re.MULTILINE)
            for name in re.findall(r"`([^`]+)`", row)}
    entries = [json.loads(data) for name, data in members.items() if re.fullmatch(r"entries/\d+\.json", name)]
    assert entries
    for entry in entries:
        assert entry.keys() | {"said"} == told
        assert ("said" in entry) == (entry["v"] == 2)


@pytest.mark.parametrize("objects", [[], [b"one"], [b"one", b"two"]])
def test_a_renewed_leaf_is_what_the_formula_gives(objects: list[bytes]) -> None:
    """Section 5, by hashlib alone."""
    line, proof, token = b'{"v":1}', b"c2sp.org/tlog-proof@v1\nindex 0\n\n", b"token"
    strong = [hashlib.sha512(data).digest() for data in objects]
    content = b"".join(strong) + hashlib.sha512(line + b"\n" + proof + token).digest()
    assert rehash.entry_leaf(strong, rehash.OldProof(line=line, proof=proof, token=token)) == hashlib.sha512(
        b"\x00" + content).digest()
    again = hashlib.sha512(b"checkpoint").digest() + hashlib.sha512(b"token").digest()
    assert rehash.renewal_leaf(b"checkpoint", b"token") == hashlib.sha512(b"\x00" + again).digest()
    assert bytes(64) == rehash.GONE

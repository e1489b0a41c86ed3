"""Everything of one tenant on its way out, and into an empty gateway: rows, objects, proofs, with one signed list.

    restitution.json         tenant, number of rows per table, size and root of each log
    tables/<table>.jsonl     one row a line; bytes in base64, amounts as text, times in UTC
    objects/<ab>/<sha256>    every kept object that a row names
    trust.txt  log-pub.pem  seal-pub.pem  tsa-ca.pem
    former/                  keys of the houses in which the tenant was before
    SHA256SUMS  SHA256SUMS.sig

Rows are read in one transaction, one at a time; an object that is there already is not written again, which makes an
interrupted export go on. On PostgreSQL run it while nothing is written for the tenant. What belongs to this
installation and not to the tenant's evidence stays here: sessions, API keys, work in progress, secrets.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Column, Date, LargeBinary, Table, insert, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, ObjectMissing
from archive.journal import canonical, check
from archive.seal import public_pem, read_public
from archive.store import Digest
from archive.trust import write_trust
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.former import NAMES, former_folder, former_keys
from gateway.evidence.ledger import LogRows
from gateway.evidence.named import NAMED
from gateway.evidence.sealing import authority_of, dossier_key, log_key
from gateway.evidence.trust import logs
from gateway.tables import Amount, Base, Moment, Tenant
from gateway.tables_archive import KeptObject

LEFT_OUT = frozenset({
    "console_sessions", "idempotency_keys", "outbox", "connection_health", "api_keys", "webhook_deliveries", "exports",
    "scrub_faults", "jobs", "alarms", "saved_searches", "sign_in_failures",
})
BLANKED: Mapping[tuple[str, str], Any] = {
    ("platform_connections", "credentials"): b"", ("platform_connections", "signing_key"): None,
    ("platform_connections", "enabled"): False, ("webhook_endpoints", "secret"): b"", ("users", "password_hash"): "!",
    ("channels", "url"): b"",
}
"""Secrets of this installation: a new one gets its own. None is taken in either, whoever wrote it there."""

TENANT_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids of tenants are UUIDs. Files are named by them, so none may be a path, or begin with another one."""

LIST, SIGNATURE, ABOUT = "SHA256SUMS", "SHA256SUMS.sig", "restitution.json"


class RestitutionFailed(ArchiveError):
    """What was to be taken in is not whole, not signed, or finds its place taken."""

    code = "restitution-failed"


def tables() -> list[Table]:
    """What is restituted, in an order in which it may be taken in."""
    owned = [table for table in Base.metadata.sorted_tables if "tenant_id" in table.c and table.name not in LEFT_OUT]
    return [Base.metadata.tables["tenants"], *owned]


def hand_out(deps: Deps, tenant_id: str, folder: Path) -> Iterator[str]:
    """Write the restitution of a tenant into a folder, new or of an interrupted one; tells what is done.

    Raises:
        ArchiveError: the evidence is damaged: nothing is signed then. OSError.
    """
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for old in (LIST, SIGNATURE, ABOUT):
        (folder / old).unlink(missing_ok=True)
    counts: dict[str, int] = {}
    with deps.db.reading(EVERY_TENANT) as session:
        for table in tables():
            counts[table.name] = _write_rows(session, table, tenant_id, folder / "tables" / f"{table.name}.jsonl")
            yield f"{table.name}: {counts[table.name]}"
        roots = roots_of(session, tenant_id)
        columns = (*NAMED, KeptObject.sha256)
        digests = sorted({found for column in columns for found in session.scalars(
            select(column).where(column.class_.tenant_id == tenant_id).distinct()) if found})
    kept = 0
    for sha256 in digests:
        with suppress(ObjectMissing):  # destroyed in time, or lost: `verify --all` tells which
            kept += _write_object(deps, folder, sha256)
    yield f"objects: {kept}"
    _, ca = authority_of(deps)
    keys = {"log-pub.pem": public_pem(log_key(deps).public_key()),
            "seal-pub.pem": public_pem(dossier_key(deps).public_key()), "tsa-ca.pem": ca}
    for name, data in {**keys, "trust.txt": write_trust(keys).encode()}.items():
        (folder / name).write_bytes(data)
    for name in NAMES:
        for number, pem in enumerate(former_keys(deps, tenant_id, name), start=1):
            (folder / "former").mkdir(exist_ok=True)
            (folder / "former" / f"{number}-{name}").write_bytes(pem)
    (folder / ABOUT).write_bytes(canonical(
        {"v": 1, "tenant": tenant_id, "rows": counts, "objects": kept, "logs": roots}))
    listing = hashlib.sha256()
    with (folder / LIST).open("wb") as file:
        for name in _names(folder):
            line = f"{_sha256(folder / name)}  {name}\n".encode()
            file.write(line)
            listing.update(line)
    (folder / SIGNATURE).write_bytes(dossier_key(deps).sign((folder / LIST).read_bytes()))
    yield f"{LIST}: {listing.hexdigest()}"


def verify_restitution(folder: Path) -> Mapping[str, Any]:
    """Check every file against the signed list; gives restitution.json. The caller compares seal-pub.pem.

    Raises:
        RestitutionFailed.
    """
    try:
        read_public((folder / "seal-pub.pem").read_bytes()).verify(
            (folder / SIGNATURE).read_bytes(), (folder / LIST).read_bytes())
        listed = {line[66:]: line[:64] for line in (folder / LIST).read_text().splitlines()}
        about: Mapping[str, Any] = json.loads((folder / ABOUT).read_bytes())
    except (OSError, ValueError, InvalidSignature, ArchiveError) as error:
        raise RestitutionFailed(f"{LIST}: {error or 'signature'}") from None
    names = set(_names(folder))
    for name in sorted(names ^ listed.keys()):
        raise RestitutionFailed(f"{name}: listed or there, not both")
    for name, digest in listed.items():
        if _sha256(folder / name) != digest or (name.startswith("objects/") and not name.endswith(digest)):
            raise RestitutionFailed(f"{name}: altered")
    return about


def take_in(deps: Deps, folder: Path) -> Iterator[str]:
    """Read a restitution into a gateway that does not know the tenant, and prove that nothing differs.

    Objects first, then all rows in one transaction, checked before it ends: sizes and roots of the logs are those of
    the restitution, or nothing is kept. Whoever made the folder may have signed it too, so that it can bring nothing
    but this tenant's rows and objects.

    Raises:
        RestitutionFailed.
    """
    about = verify_restitution(folder)
    tenant_id = str(about.get("tenant"))
    if not TENANT_FORM.fullmatch(tenant_id):
        raise RestitutionFailed(f"{ABOUT}: {tenant_id[:80]!r} is no tenant")
    kept = 0
    for path in sorted((folder / "objects").glob("??/*")):
        deps.store.put(path.read_bytes(), expected=Digest(path.name))
        kept += 1
    yield f"objects: {kept}"
    with deps.db.transaction(EVERY_TENANT) as session:
        if session.get(Tenant, tenant_id) is not None:
            raise RestitutionFailed(f"tenant {tenant_id} is here already")
        for table in tables():
            count = _read_rows(session, table, folder / "tables" / f"{table.name}.jsonl", tenant_id)
            if count != about["rows"].get(table.name, 0):
                raise RestitutionFailed(f"{table.name}: {count} rows, not {about['rows'].get(table.name)}")
            yield f"{table.name}: {count}"
        session.flush()
        if (found := roots_of(session, tenant_id)) != about["logs"]:
            raise RestitutionFailed(f"logs differ: {found}")
    brought = [*(folder / name for name in NAMES), *sorted((folder / "former").glob("*.pem"))]
    former_folder(deps).mkdir(parents=True, exist_ok=True)
    for path in brought:
        (former_folder(deps) / f"{tenant_id}-{path.name}").write_bytes(path.read_bytes())
    yield f"logs: {len(about['logs'])}"


def roots_of(session: Session, tenant_id: str) -> dict[str, dict[str, Any]]:
    """Size and root of each log of a tenant, computed from its rows."""
    found = {}
    for owner, name in logs(session):
        if owner == tenant_id:
            size, tip = check(LogRows(session, owner, name).all())
            found[name] = {"size": size, "root": tip.hex()}
    return found


def _write_rows(session: Session, table: Table, tenant_id: str, path: Path) -> int:
    count = 0
    wanted = select(table).where(_owner(table) == tenant_id).order_by(*table.primary_key.columns)
    with path.open("wb") as file, session.execute(wanted.execution_options(yield_per=500)) as rows:
        for row in rows.mappings():
            told = {column.name: told_as(BLANKED.get((table.name, column.name), row[column.name]))
                    for column in table.columns}
            file.write(json.dumps(told, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            count += 1
    return count


def _owner(table: Table) -> Column[Any]:
    """The column that says whose a row is."""
    return table.c.id if table.name == "tenants" else table.c.tenant_id


def told_as(value: Any) -> Any:
    """A column's value as JSON has it; which it was is known from the column."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value


def _read_rows(session: Session, table: Table, path: Path, tenant_id: str) -> int:
    count, waiting = 0, []
    with path.open("rb") as file:
        for line in file:
            try:
                told = json.loads(line)
                row = {column.name: _meant(column.type, told[column.name]) for column in table.columns}
            except (ValueError, TypeError, ArithmeticError, KeyError) as error:
                raise RestitutionFailed(f"{table.name}: row {count + 1}: {error!r}") from None
            if row[_owner(table).name] != tenant_id:
                raise RestitutionFailed(f"{table.name}: row {count + 1} is not of tenant {tenant_id}")
            waiting.append({name: BLANKED.get((table.name, name), value) for name, value in row.items()})
            count += 1
            if len(waiting) == 500:
                session.execute(insert(table), waiting)
                waiting = []
    if waiting:
        session.execute(insert(table), waiting)
    return count


def _meant(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    if isinstance(kind, Amount):
        return Decimal(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _write_object(deps: Deps, folder: Path, sha256: str) -> int:
    path = folder / "objects" / sha256[:2] / sha256
    if not path.exists() or _sha256(path) != sha256:  # a power cut may have left half of it
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(deps.store.get(Digest(sha256)))
        part.rename(path)
    return 1


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                  if path.is_file() and path.name not in {LIST, SIGNATURE})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

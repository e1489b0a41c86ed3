"""`passerelle send | status | export`: clients of a running gateway (PASSERELLE_URL, PASSERELLE_API_KEY).

Exit codes: 0 done; 1 refused or not found; 2 could not run.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

POLL_SECONDS = 0.5


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, one of send, status, export."""
    options = parser(argv[0]).parse_args(argv[1:])
    url, key = os.environ.get("PASSERELLE_URL"), os.environ.get("PASSERELLE_API_KEY")
    if not url or not key:
        print("passerelle: PASSERELLE_URL et PASSERELLE_API_KEY sont requis / are required", file=sys.stderr)
        return 2
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            return {"send": send, "status": status, "export": export}[argv[0]](client, options)
    except (httpx.HTTPError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser(command: str) -> argparse.ArgumentParser:
    """The options of one command, as the machine contract names them."""
    made = argparse.ArgumentParser(prog=f"passerelle {command}")
    made.add_argument("target", metavar="FILE" if command == "send" else "ID",
                      nargs="?" if command == "export" else None)
    if command == "export":
        made.add_argument("-o", dest="out", metavar="FILE", required=True)
        made.add_argument("--seda", action="store_true", help="avec manifest.xml (SEDA 2.2) / with manifest.xml")
        made.add_argument("--from", dest="first", metavar="DATE", help="une période entière / a whole period")
        made.add_argument("--to", dest="last", metavar="DATE")
        made.add_argument("--entity", metavar="SIREN")
        made.add_argument("--pdf", action="store_true", help="index dessinés aussi / drawn indexes too")
    if command == "send":
        made.add_argument("--idempotency-key", help="par défaut, dérivée du contenu / by default made from the content")
    made.add_argument("--format", choices=("text", "json"), default="text")
    return made


def send(client: httpx.Client, options: argparse.Namespace) -> int:
    """Post one invoice. The key is made from the bytes, so that repeating the command repeats nothing."""
    document = Path(options.target).read_bytes()
    key = options.idempotency_key or hashlib.sha256(document).hexdigest()
    answer = client.post("/v1/invoices", content=document,
                         headers={"Idempotency-Key": key, "Content-Type": media_type(document)})
    return show(answer, options.format)


def status(client: httpx.Client, options: argparse.Namespace) -> int:
    """Show one invoice."""
    return show(client.get(f"/v1/invoices/{quote(options.target, safe='')}"), options.format)


def export(client: httpx.Client, options: argparse.Namespace) -> int:
    """Write the dossier of one invoice, or those of a period."""
    if bool(options.target) == bool(options.first and options.last):
        print("passerelle: ID, ou / or --from DATE --to DATE", file=sys.stderr)
        return 2
    if options.target is None:
        return export_period(client, options)
    answer = client.get(f"/v1/invoices/{quote(options.target, safe='')}/dossier",
                        params={"seda": "true"} if options.seda else None)
    if answer.status_code >= 400:
        return show(answer, options.format)
    Path(options.out).write_bytes(answer.content)
    print(json.dumps({"file": options.out, "size": len(answer.content)}) if options.format == "json" else options.out)
    return 0


def export_period(client: httpx.Client, options: argparse.Namespace) -> int:
    """Have the dossiers of a period made, say how far it is, and fetch the file.

    Run again for the same period and file name, it goes on: with the export that was begun, and with the bytes that
    are here. One that failed, or whose file is gone, is begun anew.
    """
    target = Path(options.out)
    part, note = target.with_name(target.name + ".part"), target.with_name(target.name + ".export")
    asked = {"from": options.first, "to": options.last, "entity": options.entity, "pdf": options.pdf}
    row = begun(client, note, asked)
    if row is None:
        answer = client.post("/v1/evidence/exports", json=asked)
        if answer.status_code >= 400:
            return show(answer, options.format)
        row = answer.json()
        part.unlink(missing_ok=True)
        note.write_text(json.dumps({"id": row["id"], "asked": asked}))
    while row["state"] == "running":
        print(f"\r{row['done']}/{row['total']}", end="", file=sys.stderr, flush=True)
        time.sleep(POLL_SECONDS)
        row = client.get(f"/v1/evidence/exports/{row['id']}").raise_for_status().json()
    here = part.stat().st_size if part.exists() else 0
    with client.stream("GET", f"/v1/evidence/exports/{row['id']}/file",
                       headers={"Range": f"bytes={here}-"} if here else {}) as body, part.open(
                           "wb" if body.status_code == 200 else "ab") as file:
        if body.status_code not in {200, 206, 416}:
            body.read()
            note.unlink()
            return show(body, options.format)
        for chunk in body.iter_bytes() if body.status_code != 416 else ():
            file.write(chunk)
    with part.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != row["sha256"]:
            part.unlink()
            print("passerelle: fichier altéré en route, recommencez / altered on its way, try again", file=sys.stderr)
            return 2
    part.rename(target)
    note.unlink()
    print(json.dumps({"file": options.out, "dossiers": row["done"]}) if options.format == "json" else options.out)
    return 0


def begun(client: httpx.Client, note: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The export that a note tells of, if it is for what is asked now and at work or done."""
    try:
        kept = json.loads(note.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("asked") != asked:
        return None
    answer = client.get(f"/v1/evidence/exports/{kept['id']}")
    if answer.status_code in {401, 403, 404}:
        return None
    row: dict[str, Any] = answer.raise_for_status().json()
    return row if row["state"] in {"running", "done"} else None


def media_type(document: bytes) -> str:
    """By the first bytes: PDF, JSON, or XML."""
    if b"%PDF-" in document[:1024]:
        return "application/pdf"
    return "application/json" if document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} else "application/xml"


def show(answer: httpx.Response, form: str) -> int:
    """Print an answer and turn it into an exit code."""
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        print(f"passerelle: HTTP {answer.status_code}, not an answer of Passerelle", file=sys.stderr)
        return 2
    if form == "json":
        print(json.dumps(body, ensure_ascii=False))
    elif answer.status_code >= 400:
        print(f"{body.get('code')}: {body.get('detail')}")
        for finding in body.get("findings", []):
            print(f"  {finding['severity']:<8} {finding['rule']:<28} {finding['message']['fr']}")
    else:
        for name in ("id", "number", "verdict", "transmission", "lifecycle"):
            if name in body:
                print(f"{name:<13} {body[name]}")
        for event in body.get("events", []):
            print(f"  {event['at']}  {event['kind']:<12} {event['code']:<10} {event['actor']}  {event['reason'] or ''}")
    return 2 if answer.status_code >= 500 else int(answer.status_code >= 400)

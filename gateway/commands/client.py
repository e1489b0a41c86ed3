"""`passerelle send | status | export`: clients of a running gateway (PASSERELLE_URL, PASSERELLE_API_KEY).

Exit codes: 0 done; 1 refused or not found; 2 could not run.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx


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
    made.add_argument("target", metavar="FILE" if command == "send" else "ID")
    if command == "export":
        made.add_argument("-o", dest="out", metavar="FILE", required=True)
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
    """Write the dossier of one invoice."""
    answer = client.get(f"/v1/invoices/{quote(options.target, safe='')}/dossier")
    if answer.status_code >= 400:
        return show(answer, options.format)
    Path(options.out).write_bytes(answer.content)
    print(json.dumps({"file": options.out, "size": len(answer.content)}) if options.format == "json" else options.out)
    return 0


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

"""`passerelle platform check | presets`: how a platform behaves, in numbered checks; what is known of platforms.

`check` takes a stored connection (`--connection NAME`) or addresses (`--url`, or `--preset`) with the secret in
PASSERELLE_CLIENT_SECRET. It only reads, unless `--deposit FILE` or `--listen` is given.
Exit codes: 0 nothing breaks the standard; 1 something does (with `--strict` also a hazard); 2 could not run.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gateway.accounts.schemas import ConnectionIn
from gateway.assembly import assembled
from gateway.clock import wall_clock
from gateway.commands.admin import secret
from gateway.commands.listening import listening
from gateway.connections import settings_of
from gateway.db import EVERY_TENANT
from gateway.platforms.conformance.bench import Bench, Deposit, Outcome, Result, Weight, run_checks
from gateway.platforms.conformance.catalogue import CHECKS
from gateway.platforms.port import Flow, Platform, PlatformError
from gateway.platforms.presets import presets
from gateway.platforms.registry import ConnectionSettings, open_platform
from gateway.settings import Settings, UnsafeSetup
from gateway.tables import PlatformConnection
from gateway.vault import VaultError

MARKS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.NOT_CHECKABLE: "–"}
DEFAULT_PROFILE = "CIUS"


def main(argv: Sequence[str] | None = None) -> int:
    """Check a platform, or list the presets."""
    options = parser().parse_args(argv)
    if options.verb == "presets":
        return show_presets(options.format)
    try:
        settings = find_settings(options)
        deposit = find_deposit(options)
        with opened(settings) as platform:
            results = check(platform, settings, deposit, options)
    except (PlatformError, VaultError, ValidationError, UnsafeSetup, SQLAlchemyError, OSError, LookupError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    show(results, options.format)
    broken = [result for result in results if result.verdict.outcome is Outcome.FAIL
              and (options.strict or result.check.weight is Weight.NORM)]
    return int(bool(broken))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="passerelle platform")
    made.add_argument("verb", choices=("check", "presets"))
    made.add_argument("--format", choices=("text", "json"), default="text")
    where = made.add_argument_group("which platform")
    where.add_argument("--connection", metavar="NAME", help="une connexion enregistrée / a stored connection")
    where.add_argument("--preset", choices=sorted(presets()))
    where.add_argument("--url", help="service des flux, sans /v1 / flow service, without /v1")
    where.add_argument("--directory-url")
    where.add_argument("--token-url")
    where.add_argument("--client-id")
    where.add_argument("--extra-header", action="append", default=[], metavar="NAME=VALUE")
    where.add_argument("--paging", choices=("cursor", "date", "auto"))
    where.add_argument("--allow-loopback", action="store_true")
    how = made.add_argument_group("how")
    how.add_argument("--siren", help="connu de l'annuaire / known to the directory")
    how.add_argument("--days", type=int, default=7, help="so far back (7)")
    how.add_argument("--watch", type=float, default=3.0, metavar="SECONDS", help="patience (3)")
    how.add_argument("--slow-after", type=float, default=5.0, metavar="SECONDS", help="what is slow (5)")
    how.add_argument("--strict", action="store_true", help="a hazard counts as a failure")
    act = made.add_argument_group("changes something at the platform")
    act.add_argument("--deposit", type=Path, metavar="FILE", help="dépose ce fichier / deposits this file")
    act.add_argument("--twice", action="store_true", help="une seconde fois / a second time, to see what happens")
    act.add_argument("--syntax", choices=("CII", "UBL", "Factur-X", "CDAR"), default="CII")
    act.add_argument("--rule", default="B2B", help="processingRule (B2B)")
    act.add_argument("--listen", type=int, metavar="PORT", help="registers a webhook for the time of the run")
    act.add_argument("--callback-url", help="how the platform reaches that port (http://127.0.0.1:PORT/)")
    return made


def find_settings(options: argparse.Namespace) -> ConnectionSettings:
    """From the database or from the options. Raises LookupError, ValidationError, VaultError."""
    if options.connection:
        with assembled(Settings()) as deps, deps.db.reading(EVERY_TENANT) as session:
            rows = session.scalars(select(PlatformConnection).where(
                (PlatformConnection.name == options.connection) | (PlatformConnection.id == options.connection))).all()
            if len(rows) != 1:
                raise LookupError(f"{len(rows)} connexions / connections {options.connection!r}")
            return settings_of(deps.vault, rows[0])
    if not options.url and not options.preset:
        raise LookupError("--connection, --url ou / or --preset")
    given = {"preset": options.preset, "flow_url": options.url, "directory_url": options.directory_url,
             "token_url": options.token_url, "client_id": options.client_id, "paging": options.paging}
    made = ConnectionIn.model_validate({
        **{name: value for name, value in given.items() if value is not None}, "name": "check",
        "allow_loopback": options.allow_loopback,
        "extra_headers": dict(header.split("=", 1) for header in options.extra_header if "=" in header),
        "client_secret": secret("PASSERELLE_CLIENT_SECRET", "client secret: ")})
    known = {field.name for field in fields(ConnectionSettings)}
    clear = {name: value for name, value in made.config().items() if name in known}
    return ConnectionSettings(**clear, driver=made.driver, client_id=made.client_id,
                              client_secret=made.client_secret.get_secret_value())


def find_deposit(options: argparse.Namespace) -> Deposit | None:
    """The file that may be deposited, if any. Raises OSError."""
    if options.deposit is None:
        return None
    profile = None if options.syntax == "CDAR" else DEFAULT_PROFILE
    media_type = "application/pdf" if options.syntax == "Factur-X" else "application/xml"
    return Deposit(document=options.deposit.read_bytes(), twice=options.twice,
                   flow=Flow(name=options.deposit.name, syntax=options.syntax, profile=profile,
                             processing_rule=options.rule, media_type=media_type))


@contextmanager
def opened(settings: ConnectionSettings) -> Iterator[Platform]:
    """The platform, closed at the end. Raises Precondition."""
    platform = open_platform(settings)
    try:
        yield platform
    finally:
        platform.close()


def check(
    platform: Platform, settings: ConnectionSettings, deposit: Deposit | None, options: argparse.Namespace
) -> list[Result]:
    """Every check. With `--listen` a webhook lives as long as the run."""
    bench = Bench(platform=platform, settings=settings, now=wall_clock, siren=options.siren, deposit=deposit,
                  since=timedelta(days=options.days), slow_after_s=options.slow_after, watch_s=options.watch)
    if options.listen is None:
        return run_checks(bench, CHECKS)
    with listening(options.listen) as (heard, url):
        bench.heard = heard
        webhook_id, bench.signing_key = platform.register_webhook(options.callback_url or url)
        try:
            return run_checks(bench, CHECKS)
        finally:
            platform.delete_webhook(webhook_id)


def show(results: Sequence[Result], form: str) -> None:
    """The results, on standard output: a line each, or one JSON object."""
    if form == "json":
        print(json.dumps({"checks": [as_json(result) for result in results]}, ensure_ascii=False))
        return
    for result in results:
        verdict, item = result.verdict, result.check
        print(f"{result.number:2} {MARKS[verdict.outcome]} {item.key:<16} {item.title_fr} / {item.title_en}")
        if verdict.outcome is not Outcome.PASS:
            copes = f" [passerelle: {item.copes}]" if item.copes and verdict.outcome is Outcome.FAIL else ""
            print(f"      {verdict.outcome} ({item.weight}) {verdict.seen}{copes}")
    told = [result.verdict.outcome for result in results]
    print(", ".join(f"{told.count(outcome)} {outcome}" for outcome in Outcome))


def as_json(result: Result) -> dict[str, Any]:
    """One result."""
    item = result.check
    return {"number": result.number, "key": item.key, "title": {"fr": item.title_fr, "en": item.title_en},
            "weight": item.weight, "outcome": result.verdict.outcome, "seen": result.verdict.seen,
            "copes": item.copes or None}


def show_presets(form: str) -> int:
    """What is known of platforms, with its source."""
    if form == "json":
        print(json.dumps([{"name": one.name, "title": one.title, "note": {"fr": one.note_fr, "en": one.note_en},
                           "needs": one.needs, "settings": one.settings, "why": one.why}
                          for one in presets().values()], ensure_ascii=False))
        return 0
    for one in presets().values():
        print(f"{one.name:<10} {one.title}\n    {one.note_fr}\n    {one.note_en}")
        for name, value in one.settings.items():
            print(f"    {name} = {value}   ({one.why[name]})")
        if one.needs:
            print(f"    à donner / to be given: {', '.join(one.needs)}")
    return 0

"""`passerelle verify`: check dossiers offline. Loads no database, settings or web library.

`--all`, which checks a whole data folder, needs the service's database: the caller hands it in as `everything`.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from archive.errors import BadTrust
from archive.exchange.period import is_period, verify_period
from archive.trust import Trust, read_trust
from archive.verify import verify_dossier


def main(argv: list[str], everything: Callable[[Sequence[bytes]], int] | None = None) -> int:
    """Run the command; gives the exit code: 0 all verified, 1 one is not, 2 one could not be checked.

    Each dossier gets its answer on stdout, in the order of the arguments; a failure's first line names dossier,
    invoice and file. `everything` runs `--all` and gives its exit code; without it `--all` cannot run.
    """
    options = _parser().parse_args(argv)
    if options.all == bool(options.dossiers) or (options.checkpoint and not options.all):
        print("Donnez des dossiers, ou --all. / Give dossiers, or --all.", file=sys.stderr)
        return 2
    if options.all:
        return _all(everything, options.checkpoint)
    try:
        trust = None if options.trust is None else read_trust(options.trust.read_bytes())
    except (OSError, BadTrust) as error:
        print(f"Clés de confiance illisibles / unreadable trust file: {options.trust}: {error}", file=sys.stderr)
        return 2
    return max(_one(path, trust) for path in options.dossiers)


def _all(everything: Callable[[Sequence[bytes]], int] | None, published: Sequence[Path]) -> int:
    if everything is None:
        print("--all n'est pas disponible ici. / --all is not available here.", file=sys.stderr)
        return 2
    try:
        notes = [path.read_bytes() for path in published]
    except OSError as error:
        print(f"Checkpoint illisible / unreadable checkpoint: {error}", file=sys.stderr)
        return 2
    return everything(notes)


def _one(path: Path, trust: Trust | None) -> int:
    try:
        if is_period(path):
            return _period(path, trust)
        outcome = verify_dossier(path, trust)
    except OSError as error:
        print(f"IMPOSSIBLE {path} : {error.strerror} / COULD NOT RUN")
        return 2
    print(outcome.first_line)
    for line in outcome.lines:
        print(line)
    return 0 if outcome.ok else 1


def _period(path: Path, trust: Trust | None) -> int:
    verdict = verify_period(path, trust)
    for fault in verdict.faults:
        print(fault)
    about = verdict.about
    if verdict.ok and about is not None:
        print(f"VÉRIFIÉ {path} : {about.invoice}, {verdict.dossiers} dossiers, {verdict.entries} écritures / VERIFIED")
    for line in about.lines if about is not None else ():
        print(line)
    return int(not verdict.ok)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="passerelle verify",
        description="Vérifie des dossiers de preuve, sans réseau. / Verifies evidence dossiers, offline.",
        epilog="0: vérifié / verified; 1: non / not verified; 2: impossible / could not run.",
    )
    parser.add_argument("dossiers", nargs="*", type=Path, metavar="DOSSIER.zip|PERIODE.tar")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="clés de confiance / trusted keys")
    parser.add_argument("--all", action="store_true", help="tout ce que garde cette passerelle / all that is kept here")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE",
                        help="avec --all : un checkpoint gardé ailleurs / with --all: a checkpoint kept elsewhere")
    return parser

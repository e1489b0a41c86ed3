"""`passerelle scrub`: one pass of the control of everything, now and at full speed; what is damaged is healed."""

import argparse
import sys
import time
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import assembled
from gateway.evidence.scrub import whole_pass
from gateway.settings import Settings, UnsafeSetup


def main(argv: Sequence[str]) -> int:
    """Run the pass; exit code 0 all intact or healed, 1 something is damaged, 2 could not run."""
    argparse.ArgumentParser(prog="passerelle scrub", description=main.__doc__).parse_args(argv)
    started, scrub = time.monotonic(), None
    try:
        with assembled(Settings()) as deps:
            for scrub in whole_pass(deps):
                done = scrub.objects + scrub.entries + scrub.seals
                print(f"{done}/{max(done, scrub.expected)}", file=sys.stderr, flush=True)
    except (UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    if scrub is None:
        return 2
    speed = scrub.octets / 1e6 / max(time.monotonic() - started, 1e-6)
    print(f"{scrub.objects} objets, {scrub.entries} écritures, {scrub.seals} scellements, {scrub.faults} faute(s), "
          f"{scrub.healed} réparé(s), {speed:.0f} Mo/s / objects, entries, seals, faults, healed")
    return int(scrub.faults > 0)

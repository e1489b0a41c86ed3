"""`passerelle repair FILE`: apply one correction that `validate --propose` has proposed, and only that one."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from formats.errors import FormatError
from gateway.clock import day_in_france, wall_clock
from validation.faces import output
from validation.workshop import Workshop


def main(argv: Sequence[str]) -> int:
    """Apply or list corrections; 0 done, 1 none is certain or that one is not, 2 could not run.

    Without --patch the proposals are listed and nothing is written. The source file is never changed.
    """
    made = argparse.ArgumentParser(prog="passerelle repair", description=main.__doc__)
    made.add_argument("file", metavar="FILE", type=Path)
    made.add_argument("--patch", metavar="ID")
    made.add_argument("-o", "--output", metavar="OUT", type=Path)
    made.add_argument("--as-of", type=date.fromisoformat, default=None, metavar="DATE")
    try:
        options = made.parse_args(argv)
    except SystemExit as end:
        return 0 if end.code in {0, None} else 2
    if options.patch and (options.output is None or options.output.absolute() == options.file.absolute()):
        print("Indiquez avec -o un autre fichier. / Name another file with -o.", file=sys.stderr)
        return 2
    try:
        document = options.file.read_bytes()
        with Workshop(1) as workshop:
            return run(workshop, document, options)
    except OSError as error:
        print(str(error), file=sys.stderr)
        return 2


def run(workshop: Workshop, document: bytes, options: argparse.Namespace) -> int:
    """List the proposals, or write the document with one of them."""
    as_of = options.as_of or day_in_france(wall_clock())
    try:
        if options.patch is None:
            patches = workshop.propose(document, as_of=as_of)
            print(output.patches_text(patches) or "Aucune correction certaine. / No certain correction.")
            return 0 if patches else 1
        mended = workshop.mend(document, as_of=as_of, patch=options.patch)
    except FormatError as error:
        print(str(error), file=sys.stderr)
        return 1
    options.output.write_bytes(mended)
    return 0

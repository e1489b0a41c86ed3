"""`passerelle convert | render | extract`: one document in, one out, in this process alone.

Exit codes: 0 done; 1 the source is unreadable or cannot become the target; 2 could not run; 3 refused by --strict.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from formats.conversion import convert
from formats.errors import FormatError, PdfRefusal
from formats.facturx import extract
from formats.opening import open_document
from formats.rendering.appearance import PLAIN, Appearance
from formats.rendering.remarks import Remark
from formats.rendering.render import drawn
from formats.syntax import read
from gateway.clock import wall_clock

ANNEX = {
    "annexed": "information(s) reprise(s) en annexe / carried over in the annex",
    "put_back": "information(s) remise(s) en place depuis l'annexe / put back from the annex",
    "annexes_left": "annexe(s) laissée(s) en pièce jointe / annex(es) left as an attachment",
}
COLLECT = (200_000, 20, 100)
"""When cycles are looked for: one document is all that this process has, and a large one is a million live objects."""


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, one of convert, render, extract."""
    options = parser(argv[0]).parse_args(argv[1:])
    gc.set_threshold(*COLLECT)
    try:
        source = Path(options.file).read_bytes()
    except OSError as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    try:
        return ACTIONS[argv[0]](source, options)
    except FormatError as error:
        print(f"{options.file}: {error.code}: {words_of(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser(command: str) -> argparse.ArgumentParser:
    """The options of one command, as the machine contract names them."""
    made = argparse.ArgumentParser(prog=f"passerelle {command}")
    made.add_argument("file", metavar="FILE")
    made.add_argument("-o", dest="out", metavar="OUT")
    if command in {"convert", "render"}:
        made.add_argument("--lang", choices=("fr", "en"), default="fr")
        made.add_argument("--logo", type=Path, metavar="PICTURE")
        made.add_argument("--accent", metavar="#RRGGBB", default=PLAIN.accent)
        made.add_argument("--footer", metavar="TEXT", default="")
        made.add_argument("--no-payment-code", action="store_true")
    if command == "convert":
        made.add_argument("--to", choices=("ubl", "cii", "factur-x", "json"), required=True)
        made.add_argument("--profile")
        made.add_argument("--pdf", type=Path)
        made.add_argument("--loss-report", type=Path)
        made.add_argument("--strict", action="store_true")
        made.add_argument("--annex", action="store_true")
    return made


def converting(source: bytes, options: argparse.Namespace) -> int:
    """Write the converted document, and the loss report where asked."""
    pdf = options.pdf.read_bytes() if options.pdf else None
    result = convert(source, options.to, profile=options.profile, pdf=pdf, lang=options.lang, made_at=wall_clock(),
                     appearance=appearance_of(options), annex=options.annex)
    tell(options.file, result.remarks)
    loss = result.loss.to_json()
    if options.loss_report:
        options.loss_report.write_text(json.dumps(loss, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for what, words in ANNEX.items():
        if loss[what]:
            print(f"{options.file}: {len(loss[what])} {words}", file=sys.stderr)
    lost = loss["not_carried"]
    if lost:
        print(f"{options.file}: {len(lost)} information(s) non reprise(s) / not carried over", file=sys.stderr)
    if lost and options.strict:
        return 3
    return put(result.document, options.out)


def rendering(source: bytes, options: argparse.Namespace) -> int:
    """Draw the readable PDF of a document."""
    opened = open_document(source)
    made = drawn(read(opened.payload or source).invoice, lang=options.lang, appearance=appearance_of(options))
    tell(options.file, made.remarks)
    return put(made.pdf, options.out)


def appearance_of(options: argparse.Namespace) -> Appearance:
    """The look that the options ask for. Raises OSError for a logo that cannot be opened."""
    return Appearance(logo=options.logo.read_bytes() if options.logo else None, accent=options.accent,
                      footer=options.footer, payment_code=not options.no_payment_code)


def words_of(error: FormatError) -> str:
    """Why it failed; a refusal of a PDF in French, then in English with its detail."""
    return f"{error.fault.fr} / {error}" if isinstance(error, PdfRefusal) else str(error)


def tell(file: str, remarks: Iterable[Remark]) -> None:
    """What must be said about drawn pages, to standard error."""
    for one in remarks:
        print(f"{file}: {one.code}: {one.fr} / {one.en}", file=sys.stderr)


def extracting(source: bytes, options: argparse.Namespace) -> int:
    """Write the invoice that is inside a PDF, byte for byte."""
    return put(extract(source).xml, options.out)


ACTIONS: dict[str, Callable[[bytes, argparse.Namespace], int]] = {
    "convert": converting, "render": rendering, "extract": extracting,
}


def put(document: bytes, out: str | None) -> int:
    """To the file, or to standard output."""
    if out is None:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
    else:
        Path(out).write_bytes(document)
    return 0

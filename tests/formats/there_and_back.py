"""One invoice of the corpus to the other syntax and back, and what was seen of it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from annexed import texts_of
from corpus import CORPUS, files
from lxml import etree

from formats import order
from formats.conversion import convert
from formats.errors import CannotWrite, FormatError
from formats.invoice import Invoice
from formats.opening import open_document
from formats.paths import Node
from formats.profiles import Profile
from formats.syntax import DIALECTS, Syntax, read, read_node, syntax_of, ubl_syntax_of, write
from formats.terms import lost
from formats.texts import texts_of_tree
from validation.run import Options, validate

AS_OF = date(2026, 11, 21)
NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""No PDF is made that would bear it."""
REASONS = Path(__file__).parents[1] / "vectors" / "conversion" / "exceptions.tsv"
"""What does not hold, one by one: file, kind, reason."""


NOT_VALID = "not valid against the schema"
FILLED = {"BT-81", "BT-110", "BT-117", "BT-148"}
"""Terms that one schema demands and the other does not: where the source lacks them, a code or a sum is written."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one invoice."""

    path: str
    skipped: str = ""
    """Why the source does not count: not valid against its schema, a bad value, no lines for UBL."""

    problems: tuple[tuple[str, str], ...] = ()
    """Kind (model, filler, xsd, findings, annex) and what was seen."""

    clean: bool = False
    """Whether the source has no blocking finding."""

    profile: Profile = Profile.UNKNOWN
    claimed: int = 0
    unclaimed: tuple[str, ...] = ()
    """Locations of texts that no term took; of a valid source that can be read, as `claimed`."""

    home: int = 0
    """How many of those came back to their places with the annex."""

    stray: tuple[str, ...] = ()
    """Locations of those that did not."""


def sources() -> list[Path]:
    """Every whole invoice of the corpus: XML, and PDF with one inside."""
    return [path for path in files(".xml", ".pdf") if _is_invoice(path)]


def _is_invoice(path: Path) -> bool:
    """Whether a file holds an invoice that is read here."""
    try:
        return open_document(path.read_bytes()).syntax in {*DIALECTS, Syntax.FACTUR_X}
    except FormatError:
        return False


def examine(path: Path) -> Seen:
    """Read, write in the other syntax, read, write in the first, read; and judge both ends by the rules."""
    name = str(path.relative_to(CORPUS))
    opened = open_document(path.read_bytes())
    assert opened.root is not None
    here = syntax_of(opened.root)
    node = Node(opened.root, None)
    try:
        invoice = read_node(node, here)
    except FormatError as error:
        return Seen(name, f"unreadable: {error.code}")
    texts = list(texts_of_tree(node, DIALECTS[here].schema))
    unclaimed = tuple(f"{text.why} {text.location}" for text in texts if text.term is None)
    if not order.judge(DIALECTS[here].schema).validate(opened.root):
        return Seen(name, NOT_VALID)
    seen = Seen(name, profile=opened.profile, claimed=len(texts) - len(unclaimed), unclaimed=unclaimed)
    there = ubl_syntax_of(invoice) if here is Syntax.CII else Syntax.CII
    try:
        written = write(invoice, there)
    except CannotWrite as error:
        return _with(seen, skipped=f"cannot be written: {error}")
    blocking = _blocking(opened.payload)
    problems = [*_model(invoice, written, here), *_xsd(written, there)]
    if not blocking:
        # As the user gets it: without lines within lines, where the profile has them in UBL alone.
        problems += [("findings", rule) for rule in _blocking(_converted(opened.payload, there))]
    if unclaimed:
        before = [(text.location, text.text) for text in texts if text.term is None]
        stray, seen_of_annex = _annexed(opened.payload, before, here, clean=not blocking)
        problems += seen_of_annex
        seen = replace(seen, home=len(before) - len(stray), stray=stray)
    return _with(seen, problems=tuple(problems), clean=not blocking)


def _annexed(
    document: bytes, texts: list[tuple[str, str]], here: Syntax, *, clean: bool,
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """There and back with the annex: which of these texts are not where they were, and what else is not as it was."""
    there = convert(document, "ubl" if here is Syntax.CII else "cii", made_at=NEVER, annex=True)
    back = convert(there.document, "cii" if here is Syntax.CII else "ubl", made_at=NEVER, annex=True)
    after = texts_of(back.document)
    stray = tuple(where for where, text in texts if not after[where, text])
    named = {one.location for one in there.loss.not_carried}
    problems = [("annex", f"lost in silence: {where}") for where in stray if where not in named]
    problems += [("annex", one.reason) for one in back.loss.annexes_left]
    for made in (there, back):
        problems += [("annex", what) for _, what in _xsd(made.document, made.syntax)]
    problems += [("annex", rule) for rule in _blocking(there.document)] if clean else []
    return stray, problems


def _converted(document: bytes, there: Syntax) -> bytes:
    return convert(document, "cii" if there is Syntax.CII else "ubl", made_at=NEVER).document


def _with(seen: Seen, *, skipped: str = "", problems: tuple[tuple[str, str], ...] = (), clean: bool = False) -> Seen:
    return replace(seen, skipped=skipped, problems=problems, clean=clean)


def _model(invoice: Invoice, written: bytes, here: Syntax) -> list[tuple[str, str]]:
    again = read(written).invoice
    back = read(write(again, here)).invoice
    different = next((one for one in (again, back) if repr(one) != repr(invoice)), invoice)
    gone, added = lost(invoice, different), lost(different, invoice)
    if not gone and added and {item.term for item in added} <= FILLED:
        return [("filler", f"{item.pointer}={item.value}") for item in added]
    found = [("model", f"{item.pointer}={str(item.value)[:40]}") for item in (*gone, *added)]
    return found or ([("model", "order")] if different is not invoice else [])


def _xsd(written: bytes, syntax: Syntax) -> list[tuple[str, str]]:
    judge = order.judge(DIALECTS[syntax].schema)
    root = etree.fromstring(written)
    return [] if judge.validate(root) else [("xsd", entry.message) for entry in list(judge.error_log)[:1]]


def _blocking(document: bytes) -> list[str]:
    """The rules that make a document invalid, each once."""
    report = validate(document, Options(as_of=AS_OF))
    return sorted({one.rule for one in report.findings if one.blocks and one.severity in {"fatal", "error"}})


@cache
def exceptions() -> dict[tuple[str, str], str]:
    """The listed exceptions: file and kind to reason."""
    lines = REASONS.read_text(encoding="utf-8").splitlines() if REASONS.is_file() else []
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(path, kind): reason for path, kind, reason in rows}

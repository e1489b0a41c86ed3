"""Corrections that are certain, as edits of the source bytes: proposed, proved by validating, not applied unasked.

Certain means: what the document says is not in doubt, only how it writes it (a code in small letters, a date in
another form, a blank in a SIREN, zeros too many), or exactly one total contradicts all the others. A correction is
proposed only if the corrected document has strictly fewer blocking findings and none that the document had not.
Only XML in UTF-8 is edited, byte by byte: all else stays as it was. A PDF or our JSON is corrected at its source.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from formats.errors import FormatError
from formats.identifiers import is_siren
from formats.opening import open_document
from formats.syntax import Syntax
from validation import figures, run
from validation.document import Document, read_document
from validation.findings import Edit, Finding, Outcome, Patch, Report, Text
from validation.locations import path_of

EDITABLE: Final = frozenset({Syntax.UBL_INVOICE, Syntax.UBL_CREDIT_NOTE, Syntax.CII})
MOST: Final = 24
"""So many corrections of one document are tried: each costs a validation."""

TAG: Final = re.compile(rb"<[^\s/>]+(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
DATE_PARTS: Final = (
    (re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)$"), (1, 2, 3)),
    (re.compile(r"^(1[3-9]|2\d|3[01])[/.](\d\d)[/.](\d{4})$"), (3, 2, 1)),
)
"""A day above twelve cannot be a month: only then is 22/11/2026 without doubt."""

COMMA: Final = re.compile(r"^(-?\d+),(\d{2})$")
CODE: Final = re.compile(r"^BR-(?:FREXT-|EXT-)?CL-\d+$")
WRITTEN: Final = re.compile(r"^(?:BR-DEC-|UBL-DT-01|BR-FR-DEC-|BR-FR-16)")
DATES: Final = re.compile(r"^(?:PAS-DATE-01|CII-DT-097|BR-FR-03|XSD-CVC-DATATYPE)")
NUMBERS: Final = re.compile(r"^(?:PAS-ENGINE-01|PAS-VALUE-01|XSD-CVC-DATATYPE)")
SIRENS: Final = re.compile(r"^BR-FR-(?:10|11|32)")
TITLES: Final[Mapping[str, Text]] = {
    "code": Text("Écrire le code tel qu'il est dans la liste", "Write the code as it is in the list"),
    "number": Text("Écrire le même nombre comme la règle le demande", "Write the same number as the rule wants it"),
    "date": Text("Écrire la même date sous la forme de la syntaxe", "Write the same date in the form of the syntax"),
    "siren": Text("Écrire le SIREN sans espace, avec son schéma", "Write the SIREN without blanks, with its scheme"),
    "sum": Text("Corriger le seul total qui contredit les autres", "Correct the only total that contradicts others"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value to be written in place of another, before it is known where its bytes are."""

    kind: str
    element: etree._Element
    new: str
    attribute: str | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where the start tag of an element is in the bytes, and where its content ends."""

    tag: tuple[int, int]
    end: int


def propose(source: bytes, options: run.Options) -> tuple[Patch, ...]:
    """The corrections that are certain, each proved on its own. Empty where there is none or nothing can be edited."""
    before = run.validate(source, options)
    document = _editable(source)
    if document is None or document.root is None or not any(map(_blocks, before.findings)):
        return ()
    spans = _spans(source)
    order = {element: number for number, element in enumerate(document.root.iter(etree.Element))}
    proved = []
    for name, wanted in _candidates(document, before)[:MOST]:
        edits = [edit for each in wanted if (edit := _edit(source, spans[order[each.element]], each))]
        patch = _patch(name, edits, wanted[0].kind)
        after = run.validate(applied(source, patch), options) if edits else before
        if _better(before, after) and not (name.startswith("sum:") and _contradicted(after)):
            cured = {finding.rule for finding in before.findings} - {finding.rule for finding in after.findings}
            proved.append(replace(patch, rules=tuple(sorted(cured)) or (wanted[0].rule,)))
    proved = list({patch.edits: patch for patch in reversed(proved)}.values())[::-1]
    sums = [patch for patch in proved if patch.id.startswith("sum:")]
    return tuple(patch for patch in proved if patch not in sums or len(sums) == 1)


def applied(source: bytes, patch: Patch) -> bytes:
    """The source with the edits of a patch; every other byte as it was.

    Raises:
        FormatError: the patch was made for other bytes.
    """
    for edit in sorted(patch.edits, key=lambda each: -each.offset):
        old = edit.old.encode()
        if source[edit.offset : edit.offset + len(old)] != old:
            raise FormatError(f"the document does not say {edit.old!r} at byte {edit.offset}")
        source = source[: edit.offset] + edit.new.encode() + source[edit.offset + len(old) :]
    return source


def _editable(source: bytes) -> Document | None:
    try:
        source.decode("utf-8")
        opened = open_document(source)
    except (FormatError, UnicodeDecodeError):
        return None
    declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([\w-]+)", source)
    plain = declared is None or declared.group(1).lower() in {b"utf-8", b"us-ascii"}
    return read_document(opened) if opened.syntax in EDITABLE and plain else None


def _candidates(document: Document, report: Report) -> list[tuple[str, list[Wanted]]]:
    """Corrections to try, by name: one per rule, one per total."""
    found: dict[str, list[Wanted]] = {}
    for finding in filter(_blocks, report.findings):
        for wanted in _wanted(finding, document):
            found.setdefault(finding.rule, []).append(replace(wanted, rule=finding.rule))
    for figure, wanted in _sums(document, report):
        found[f"sum:{figure}"] = [wanted]
    return list(found.items())


def _wanted(finding: Finding, document: Document) -> Iterator[Wanted]:
    for element in _elements(finding, document):
        text = element.text or ""
        for name in (finding.rule, *finding.aliases):
            if CODE.match(name):
                yield from _code(name, element)
                return
        if SIRENS.match(finding.rule):
            yield from _siren(element)
        elif WRITTEN.match(finding.rule) and (number := _shorter(text)) is not None:
            yield Wanted("number", element, number)
        elif DATES.match(finding.rule) and (day := _day(text, document)) is not None:
            yield Wanted("date", element, day)
        elif NUMBERS.match(finding.rule) and (found := COMMA.match(text.strip())):
            yield Wanted("number", element, f"{found.group(1)}.{found.group(2)}")


def _elements(finding: Finding, document: Document) -> Iterable[etree._Element]:
    """The element of a finding, or the terms that it names inside that element."""
    place = document.element_at(finding.location or "")
    if place is None:
        return ()
    if not len(place):
        return (place,)
    leaves = [element for term in finding.terms for element in _leaves(document, term)]
    return [element for element in leaves if place in element.iterancestors()]


def _leaves(document: Document, term: str) -> list[etree._Element]:
    """The elements that say a term, each once."""
    paths = dict.fromkeys(node.location() for node, _ in document.terms.get(term, ()))
    return [found for path in paths if (found := document.element_at(path)) is not None and not len(found)]


def _code(rule: str, element: etree._Element) -> Iterator[Wanted]:
    known = figures.codes(rule)
    attribute = figures.CODED_ATTRIBUTES.get(rule[-len("CL-00") :])
    text = (element.get(attribute) if attribute else element.text) or ""
    right = [code for code in known if code.upper() == text.strip().upper()]
    if len(right) == 1 and right[0] != text:
        yield Wanted("code", element, right[0], attribute)


def _siren(element: etree._Element) -> Iterator[Wanted]:
    text = element.text or ""
    digits = "".join(text.split())
    if not is_siren(digits):
        return
    if digits != text:
        yield Wanted("siren", element, digits)
    if element.get("schemeID") is None and etree.QName(element).localname in {"CompanyID", "ID"}:
        yield Wanted("siren", element, "0002", "schemeID")


def _shorter(text: str) -> str | None:
    """The same number with two decimals; None where that would change it."""
    try:
        value = Decimal(text.strip())
        short = value.quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return format(short, "f") if short == value and format(short, "f") != text else None


def _day(text: str, document: Document) -> str | None:
    for pattern, (year, month, day) in DATE_PARTS:
        if found := pattern.match(text.strip()):
            try:
                real = date(int(found.group(year)), int(found.group(month)), int(found.group(day)))
            except ValueError:
                return None
            written = real.strftime("%Y%m%d") if document.opened.syntax is Syntax.CII else real.isoformat()
            return written if written != text else None
    return None


def _sums(document: Document, report: Report) -> Iterator[tuple[str, Wanted]]:
    """Each total that a rule contradicts, with what the others make of it. At most one of them is the wrong one."""
    invoice = document.invoice
    if invoice is None or not _contradicted(report):
        return
    for sides in figures.SUMS.values():
        sum_ = sides(invoice)
        said = [each for each in _leaves(document, sum_.term) if (each.text or "").strip() == str(sum_.declared)]
        if sum_.declared is not None and sum_.declared != sum_.computed and len(said) == 1:
            yield sum_.term, Wanted("sum", said[0], figures.plain(sum_.computed))


def _spans(source: bytes) -> list[Span]:
    """Where each element is, in document order. The bytes have been read by the hardened parser before."""
    found: list[Span] = []
    open_: list[int] = []
    parser = expat.ParserCreate()

    def start(_: str, __: Mapping[str, str]) -> None:
        begin = parser.CurrentByteIndex
        tag = TAG.match(source, begin)
        open_.append(len(found))
        found.append(Span((begin, tag.end() if tag else begin), -1))

    def end(_: str) -> None:
        number = open_.pop()
        found[number] = replace(found[number], end=parser.CurrentByteIndex)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(source, True)
    return found


def _edit(source: bytes, span: Span, wanted: Wanted) -> Edit | None:
    """The edit in the bytes; None where the place is written in a way that we do not touch."""
    begin, end = span.tag
    new = escape(wanted.new, {'"': "&quot;"})
    if wanted.attribute is None:
        old = source[end : span.end]
        if b"<" in old or b"&" in old or source[end - 2 : end] == b"/>":
            return None
        return _at(source, end, old, new, wanted)
    name = re.escape(wanted.attribute.encode())
    found = re.compile(rb"\s" + name + rb"\s*=\s*(?:\"([^\"&]*)\"|'([^'&]*)')").search(source, begin, end)
    if found is None:
        after = begin + len(re.match(rb"<[^\s/>]+", source[begin:end]).group())  # type: ignore[union-attr] # a tag
        return _at(source, after, b"", f' {wanted.attribute}="{new}"', wanted)
    side = 1 if found.group(1) is not None else 2
    return _at(source, found.start(side), found.group(side), new, wanted)


def _at(source: bytes, offset: int, old: bytes, new: str, wanted: Wanted) -> Edit:
    where = path_of(wanted.element) + (f"/@{wanted.attribute}" if wanted.attribute else "")
    return Edit(offset=offset, line=source.count(b"\n", 0, offset) + 1, old=old.decode(), new=new, location=where)


def _contradicted(report: Report) -> bool:
    """Whether a total still contradicts another."""
    names = {name for finding in filter(_blocks, report.findings) for name in (finding.rule, *finding.aliases)}
    return any(map(figures.SUM_RULE.match, names))


def _patch(name: str, edits: Sequence[Edit], kind: str) -> Patch:
    return Patch(id=name, title=TITLES[kind], rules=(), edits=tuple({edit.offset: edit for edit in edits}.values()))


def _blocks(finding: Finding) -> bool:
    return finding.severity.blocks and finding.blocks


def _better(before: Report, after: Report) -> bool:
    """Strictly fewer blocking findings, and none that was not there before.

    A remark that blocks nothing may be new where a layer speaks that could not run before.
    """
    silent = {layer.layer for layer in before.layers if layer.outcome in {Outcome.SKIPPED, Outcome.ERROR}}
    known = {(finding.rule, finding.location) for finding in before.findings}
    new = [finding for finding in after.findings if (finding.rule, finding.location) not in known]
    if any(_blocks(finding) or finding.layer not in silent for finding in new):
        return False
    return sum(map(_blocks, after.findings)) < sum(map(_blocks, before.findings))

"""Corrections that are certain, as edits of the source bytes: proposed, proved by validating, not applied unasked.

Certain means: what the document says is not in doubt, only how it writes it (a code in small letters, a date in
another form, a blank in a SIREN, zeros too many), or exactly one total contradicts all the others. A correction is
proposed only if the corrected document has strictly fewer blocking findings and none that the document had not.
XML in UTF-8 and our JSON are edited, byte by byte: all else stays as it was. A PDF is corrected at its source.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final

from formats import amounts
from formats.errors import FormatError
from formats.identifiers import is_siren
from formats.invoice import Totals
from formats.opening import open_document
from formats.syntax import Syntax
from validation import run
from validation.document import Document, read_document
from validation.explain import figures
from validation.findings import Finding, Outcome, Patch, Report, Text
from validation.repair.in_json import JsonForm
from validation.repair.in_xml import XmlForm, is_editable
from validation.repair.leaves import Form, Kind, Leaf

XML: Final = frozenset({Syntax.UBL_INVOICE, Syntax.UBL_CREDIT_NOTE, Syntax.CII})
MOST: Final = 24
"""So many corrections of one document are tried: each costs a validation."""

DATE_PARTS: Final = (
    (re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)$"), (1, 2, 3)),
    (re.compile(r"^(1[3-9]|2\d|3[01])[/.](\d\d)[/.](\d{4})$"), (3, 2, 1)),
)
"""A day above twelve cannot be a month: only then is 22/11/2026 without doubt."""

COMMA: Final = re.compile(r"^(-?\d+),(\d{2})$")
DIGITS: Final = re.compile(r"^-?\d+(\.\d+)?$")
CODE: Final = re.compile(r"^BR-(?:FREXT-|EXT-)?CL-\d+$")
WRITTEN: Final = re.compile(r"^(?:BR-DEC-|UBL-DT-01|BR-FR-DEC-|BR-FR-16)")
READ: Final = re.compile(r"^(?:PAS-DATE-01|PAS-VALUE-01|PAS-ENGINE-01|CII-DT-097|BR-FR-03|XSD-CVC-DATATYPE)")
SIRENS: Final = re.compile(r"^BR-FR-(?:10|11|32)")
TITLES: Final[Mapping[str, Text]] = {
    "code": Text("Écrire le code tel qu'il est dans la liste", "Write the code as it is in the list"),
    "number": Text("Écrire le même nombre comme la règle le demande", "Write the same number as the rule wants it"),
    "date": Text("Écrire la même date sous la forme de la syntaxe", "Write the same date in the form of the syntax"),
    "siren": Text("Écrire le SIREN sans espace, avec son schéma", "Write the SIREN without blanks, with its scheme"),
    "sum": Text("Corriger le seul total qui contredit les autres", "Correct the only total that contradicts others"),
    "text": Text("Écrire les nombres entre guillemets", "Write numbers between quotation marks"),
    "several": Text("Écrire les mêmes valeurs sous la forme demandée", "Write the same values in the form wanted"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value to be written in place of another, before it is known where its bytes are."""

    kind: str
    leaf: Leaf
    new: str
    attribute: str | None = None


def propose(source: bytes, options: run.Options) -> tuple[Patch, ...]:
    """The corrections that are certain, each proved on its own. Empty where there is none or nothing can be edited."""
    before = run.validate(source, options)
    document = _opened(source)
    form = _form(document, source) if document is not None else None
    if document is None or form is None or not any(map(_blocks, before.findings)):
        return ()
    proved = []
    for name, wanted in _candidates(document, form, before)[:MOST]:
        patch = _patch(name, wanted, form)
        after = run.validate(applied(source, patch), options) if patch.edits else before
        if _better(before, after) and not (name.startswith("sum:") and _contradicted(after)):
            cured = {finding.rule for finding in before.findings} - {finding.rule for finding in after.findings}
            proved.append(replace(patch, rules=tuple(sorted(cured)) or (name,)))
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


def _opened(source: bytes) -> Document | None:
    try:
        return read_document(open_document(source))
    except FormatError:
        return None


def _form(document: Document, source: bytes) -> Form | None:
    if document.opened.syntax is Syntax.JSON:
        return JsonForm(document, source)
    return XmlForm(document, source) if document.opened.syntax in XML and is_editable(source) else None


def _candidates(document: Document, form: Form, report: Report) -> list[tuple[str, list[Wanted]]]:
    """Corrections to try, by name: one per rule, one per total."""
    found: dict[str, list[Wanted]] = {}
    for finding in filter(_blocks, report.findings):
        for leaf in form.of_finding(finding):
            for wanted in _wanted(finding, leaf, form):
                found.setdefault(finding.rule, []).append(wanted)
    for figure, wanted in _sums(document, form, report):
        found[f"sum:{figure}"] = [wanted]
    return list(found.items())


def _wanted(finding: Finding, leaf: Leaf, form: Form) -> Iterator[Wanted]:
    for name in (finding.rule, *finding.aliases):
        if CODE.match(name):
            yield from _code(name, leaf)
            return
    if SIRENS.match(finding.rule):
        yield from _siren(leaf)
    elif WRITTEN.match(finding.rule) and (number := _shorter(leaf.text)) is not None:
        yield Wanted("number", leaf, number)
    elif READ.match(finding.rule):
        yield from _readable(leaf, form)


def _code(rule: str, leaf: Leaf) -> Iterator[Wanted]:
    attribute = figures.CODED_ATTRIBUTES.get(rule[-len("CL-00") :])
    text = leaf.attributes.get(attribute, "") if attribute else leaf.text
    right = [code for code in figures.codes(rule) if code.upper() == text.strip().upper()]
    if len(right) == 1 and right[0] != text:
        yield Wanted("code", leaf, right[0], attribute)


def _siren(leaf: Leaf) -> Iterator[Wanted]:
    digits = "".join(leaf.text.split())
    if not is_siren(digits):
        return
    if digits != leaf.text:
        yield Wanted("siren", leaf, digits)
    if "schemeID" not in leaf.attributes and leaf.takes_scheme:
        yield Wanted("siren", leaf, "0002", "schemeID")


def _shorter(text: str) -> str | None:
    """The same number with two decimals; None where that would change it."""
    try:
        value = Decimal(text.strip())
        short = value.quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return format(short, "f") if short == value and format(short, "f") != text else None


def _readable(leaf: Leaf, form: Form) -> Iterator[Wanted]:
    """What cannot be read as it is written, and can mean only one thing."""
    if leaf.bare and DIGITS.match(leaf.text):
        yield Wanted("text", leaf, leaf.text)
    elif leaf.kind in {Kind.DATE, Kind.UNKNOWN} and (day := _day(leaf.text, form)) is not None:
        yield Wanted("date", leaf, day)
    elif leaf.kind in {Kind.NUMBER, Kind.UNKNOWN} and (found := COMMA.match(leaf.text.strip())):
        yield Wanted("number", leaf, f"{found.group(1)}.{found.group(2)}")


def _day(text: str, form: Form) -> str | None:
    for pattern, parts in DATE_PARTS:
        if found := pattern.match(text.strip()):
            try:
                written = form.day(*(int(found.group(part)) for part in parts))
            except ValueError:
                return None
            return written if written != text else None
    return None


def _sums(document: Document, form: Form, report: Report) -> Iterator[tuple[str, Wanted]]:
    """Each total that a rule contradicts, with what the others make of it. At most one of them is the wrong one."""
    invoice = document.invoice
    if invoice is None or not _contradicted(report):
        return
    for sides in figures.SUMS.values():
        sum_ = sides(invoice)
        said = [each for each in form.of_term(sum_.term) if each.text.strip() == str(sum_.declared)]
        if sum_.declared is None or (sum_.term == "BT-115" and _may_be_paid(invoice.totals)):
            continue
        if sum_.declared != sum_.computed and len(said) == 1:
            yield sum_.term, Wanted("sum", said[0], figures.plain(sum_.computed))


def _may_be_paid(totals: Totals) -> bool:
    """Whether the amount due is one that is left of the total: then what was paid (BT-113) may be the wrong one."""
    whole = amounts.total((totals.with_vat, totals.rounding))
    return totals.due is not None and min(whole, amounts.ZERO) <= totals.due <= max(whole, amounts.ZERO)


def _contradicted(report: Report) -> bool:
    """Whether a total still contradicts another."""
    names = {name for finding in filter(_blocks, report.findings) for name in (finding.rule, *finding.aliases)}
    return any(map(figures.SUM_RULE.match, names))


def _patch(name: str, wanted: Sequence[Wanted], form: Form) -> Patch:
    """The edits that can be made, each place once; none where no place can be touched."""
    once = {(each.leaf.where, each.attribute): each for each in wanted}
    made = [(each, edit) for each in once.values() if (edit := form.edit(each.leaf, each.new, each.attribute))]
    kinds = {each.kind for each, _ in made}
    return Patch(
        id=name,
        title=TITLES[kinds.pop() if len(kinds) == 1 else "several"],
        rules=(),
        edits=tuple(edit for _, edit in made),
        operations=tuple(
            operation for each, _ in made for operation in form.operations(each.leaf, each.new, each.attribute)
        ),
    )


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

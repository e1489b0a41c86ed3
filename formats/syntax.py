"""Turn UBL, CII or our JSON into an Invoice, and back. Both directions walk the one table in mapping/."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lxml import etree

from formats import json_form, order
from formats.codes import CREDIT_TYPES, OTHER_CREDIT_TYPES
from formats.completion import complete
from formats.drafts import Draft, as_bytes
from formats.errors import BadValue, CannotWrite, UnknownSyntax
from formats.invoice import Invoice
from formats.lifting import lift
from formats.mapping.invoice import INVOICE
from formats.nesting import Nest, is_nested, sub_line, unfolded
from formats.paths import (
    EDITION,
    NAMESPACES,
    Node,
    Path,
    Scope,
    append,
    clark,
    compile_path,
    element_location,
    ensure,
    existing,
    leaves,
    location,
    prefixed,
    select,
)
from formats.rows import Absent, Column, Group, Kind, Place, Quirk, Row
from formats.safexml import parse
from formats.terms import GROUPS
from formats.values import read_value, write_value


class Syntax(StrEnum):
    """The syntaxes of the machine contract."""

    UBL_INVOICE = "ubl-invoice"
    UBL_CREDIT_NOTE = "ubl-credit-note"
    CII = "cii"
    FACTUR_X = "factur-x"
    JSON = "json"
    CDAR = "cdar"
    FLUX10 = "flux10"
    ORDER_X = "order-x"
    ZUGFERD1 = "zugferd1"
    PDF = "pdf"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says, and what we did not understand of it."""

    invoice: Invoice
    syntax: Syntax
    unmapped: tuple[str, ...]
    """Locations (XPath) of texts and attributes that no row claimed. Empty for a fully understood document."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the three mapped syntaxes differ in, beside the table."""

    column: Column
    root: str
    schema: str
    nsmap: dict[str | None, str]
    skeleton: tuple[str, ...]
    """Elements that the schema wants even where they have nothing to say."""


_UBL_PREFIXES: dict[str | None, str] = {"cac": NAMESPACES["cac"], "cbc": NAMESPACES["cbc"]}
_PARTIES = ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty")
_TRADE = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTrade"
DIALECTS = {
    Syntax.UBL_INVOICE: Dialect(
        Column.UBL, f"{{{NAMESPACES['ubl']}}}Invoice", order.UBL_INVOICE,
        {None: NAMESPACES["ubl"], **_UBL_PREFIXES}, _PARTIES,
    ),
    Syntax.UBL_CREDIT_NOTE: Dialect(
        Column.CREDIT, f"{{{NAMESPACES['cn']}}}CreditNote", order.UBL_CREDIT_NOTE,
        {None: NAMESPACES["cn"], **_UBL_PREFIXES}, _PARTIES,
    ),
    Syntax.CII: Dialect(
        Column.CII, f"{{{NAMESPACES['rsm']}}}CrossIndustryInvoice", order.CII,
        {prefix: NAMESPACES[prefix] for prefix in ("rsm", "ram", "udt", "qdt")},
        (
            "rsm:ExchangedDocumentContext", "rsm:ExchangedDocument",
            _TRADE + "Agreement", _TRADE + "Delivery", _TRADE + "Settlement",
        ),
    ),
}
_BY_ROOT = {dialect.root: syntax for syntax, dialect in DIALECTS.items()}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A row, ready for one column."""

    row: Row
    path: Path | None
    quirk: Quirk | None
    first: str | None
    """The child without which there is nothing to read; None where any may be it."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A group, ready for one column."""

    group: Group
    path: Path | None
    quirk: Quirk | None
    first: str | None
    """As in a leaf."""

    entries: "tuple[Leaf | Branch, ...]"
    required: frozenset[str]
    """Fields without which the model class cannot be made."""

    also_read: "tuple[Branch, ...]" = ()
    nested: str | None = None
    """The element of items within items."""


def _branch(group: Group, column: Column) -> Branch:
    place = group.place(column)
    rows = (row for row in group.rows if not isinstance(row.place(column), Absent))
    entries = tuple(_branch(row, column) if isinstance(row, Group) else Leaf(row, *_compiled(row.place(column)))
                    for row in rows)
    others = tuple(_branch(other, column) for other in group.also_read if not isinstance(other.place(column), Absent))
    path, quirk, first = _compiled(place)
    below = group.below(column)
    nested = clark(below) if below is not None else None
    return Branch(group, path, quirk, None if others else first, entries, group.required, others, nested)


def _compiled(place: Place) -> tuple[Path | None, Quirk | None, str | None]:
    if isinstance(place, str):
        path = compile_path(place)
        return path, None, path.steps[0].tag if path.steps else None
    return None, place if isinstance(place, Quirk) else None, None


TABLES = {column: _branch(INVOICE, column) for column in Column}
"""The table, compiled once per column."""


def syntax_of(root: etree._Element) -> Syntax:
    """Which of the three mapped syntaxes a tree is in, by its root element. UnknownSyntax if in none."""
    syntax = _BY_ROOT.get(str(root.tag))
    if syntax is None:
        raise UnknownSyntax(f"neither UBL nor CII: the root element is {prefixed(str(root.tag))[:200]}")
    return syntax


def read(document: bytes) -> Reading:
    """Read UBL, CII or our JSON.

    Structure only: a document that reads well can still break every rule. Missing terms stay None, and nothing
    is corrected, completed or rounded. Blanks around a text are not part of it.

    Raises:
        MalformedXml, ForbiddenDoctype, LimitExceeded: see safexml.
        UnknownSyntax: the root element is none of ours; the text names it. PDFs: see opening.
        BadValue: a mapped text is not the date, number or code it should be; has .term and .path.
    """
    if json_form.looks_like_json(document):
        return Reading(json_form.read_json(document), Syntax.JSON, ())
    lifted = lift(document)
    return read_tree(parse(lifted.document), lifted.files)


NO_FILES: Mapping[str, bytes] = {}


def read_tree(root: etree._Element, files: Mapping[str, bytes] = NO_FILES) -> Reading:
    """As `read`, for a UBL or CII tree that safexml parsed. `files` are the contents that marks stand for."""
    syntax = syntax_of(root)
    node = Node(root, None)
    invoice = read_node(node, syntax, files)
    return Reading(invoice, syntax, tuple(location(at, name) for at, name, _, term in leaves(node) if term is None))


def read_node(root: Node, syntax: Syntax, files: Mapping[str, bytes] = NO_FILES) -> Invoice:
    """The invoice of a UBL or CII document; every text that it took is claimed on the nodes.

    `files` are the contents that marks stand for, in a draft or in what was lifted.
    """
    column = DIALECTS[syntax].column
    table = TABLES[column]
    scope = Scope(None, None, files=dict(files))
    for edition in root.children.get(clark("cbc:UBLVersionID"), ()):
        edition.claim(EDITION)
    leaves = {entry.row.field: entry for entry in table.entries if isinstance(entry, Leaf)}
    scope.doc = _read_leaf(leaves["currency"], root, column, scope)
    scope.tax = _read_leaf(leaves["vat_currency"], root, column, scope)
    scope.number = _read_leaf(leaves["number"], root, column, scope)
    invoice = _collect(table, root, column, scope) or Invoice()
    # An accounting currency that is the invoice's own says nothing (BT-6): UBL lets it stand, the CII rules do not.
    return replace(invoice, vat_currency=None) if invoice.vat_currency == invoice.currency else invoice


def _collect(branch: Branch, node: Node, column: Column, scope: Scope) -> Any:
    values: dict[str, Any] = {}
    for entry in branch.entries:
        if entry.first is not None and entry.first not in node.children:
            continue
        if isinstance(entry, Leaf):
            value = _read_leaf(entry, node, column, scope)
            name = entry.row.field
        else:
            value = _read_branch(entry, node, column, scope)
            name = entry.group.field
        if value is not None and value != ():
            values[name] = value
    if not values:
        return None
    one_of = branch.group.one_of
    if not branch.required <= values.keys() or (one_of and values.keys().isdisjoint(one_of)):
        node.release(GROUPS[branch.group.term])  # a currency without its rate, say, is no term of the invoice
        return None
    return branch.group.model(**values)


def _read_branch(branch: Branch, node: Node, column: Column, scope: Scope) -> Any:
    term = branch.group.term
    if branch.path is None:
        return branch.quirk.read(node, scope, term) if branch.quirk is not None else None
    there: list[Any] = []
    found = [(branch, below) for below in select(node, branch.path, scope, term)[branch.group.beyond_first :]]
    for other in branch.also_read:
        found += [(other, below) for below in select(node, other.path, scope, term)] if other.path is not None else []
    for way, place in found:
        for below, around in unfolded(place, way.nested):
            value = _collect(way, below, column, scope)
            if value is None:
                continue
            if branch.group.many:
                below.item = (branch.group.field, len(there))
            there.append(value if around is None else sub_line(value, around))
    if branch.group.many:
        return tuple(there)
    return there[0] if there else None


def _read_leaf(leaf: Leaf, node: Node, column: Column, scope: Scope) -> Any:
    row, path = leaf.row, leaf.path
    if path is None:
        return leaf.quirk.read(node, scope, row.term) if leaf.quirk is not None else None
    nodes = _places(row, path, node, scope)
    if path.attribute is not None:
        said = next((text for found in nodes if (text := found.attributes.get(path.attribute, "").strip())), None)
        for found in nodes:
            if found.attributes.get(path.attribute, "").strip() == said:
                found.claim_attribute(path.attribute, row.term)
        return said
    first: Node | None = None
    value = None
    for found in nodes:
        if first is None and found.text:
            first, value = found, _value(found, row, column, scope)
        elif first is not None and found.text == first.text and (
            row.kind is Kind.TEXT or found.attributes == first.attributes
        ):
            _value(found, row, column, scope)  # said again: claimed, nothing new
    return value


def _places(row: Row, path: Path, node: Node, scope: Scope) -> list[Node]:
    holders = [node]
    if row.of_first:
        holders, path = select(node, Path(path.steps[:-1], None), scope, row.term)[:1], Path(path.steps[-1:], None)
    found = [place for holder in holders for place in select(holder, path, scope, row.term)]
    return [place for place in found if place.taken is None] if row.left else found


def _value(node: Node, row: Row, column: Column, scope: Scope) -> Any:
    """The value of a text. What is none for a term of the extension stays unmapped: the invoice itself is readable."""
    try:
        return read_value(node, row.kind, column, scope, row.term)
    except BadValue:
        if not row.is_extension:
            raise
        node.term = None
        return None


def ubl_syntax_of(invoice: Invoice) -> Syntax:
    """The UBL document that BT-3 asks for: CreditNote for the credit types, else Invoice."""
    credit = invoice.type_code in CREDIT_TYPES | OTHER_CREDIT_TYPES
    return Syntax.UBL_CREDIT_NOTE if credit else Syntax.UBL_INVOICE


def write(invoice: Invoice, syntax: Syntax) -> bytes:
    """Write `invoice` as UBL, CII (D22B) or our JSON, in UTF-8.

    Elements stand in the order of the published schema. Nothing is computed; what the schema demands and the
    model does not have is written only where the table lists a filler. Rules are not checked.

    Raises:
        CannotWrite: amounts without a currency, UBL without a line, or a text that XML cannot hold.
        UnknownSyntax: not one of the syntaxes that are written here.
    """
    return json_form.write_json(invoice) if syntax is Syntax.JSON else as_bytes(draft(invoice, syntax))


def draft(invoice: Invoice, syntax: Syntax) -> Draft:
    """As `write`, for UBL and CII, up to the bytes."""
    dialect = DIALECTS.get(syntax)
    if dialect is None:
        raise UnknownSyntax(f"{syntax.value} is not written here")
    if invoice.totals.vat_in_accounting_currency is not None and invoice.vat_currency in {None, invoice.currency}:
        raise CannotWrite("BT-111 is there without an accounting currency (BT-6) of its own")
    if dialect.column is not Column.CII:
        _refuse_for_ubl(invoice)
    scope = Scope(invoice.currency, invoice.vat_currency, invoice.number, nested=is_nested(invoice))
    root = etree.Element(dialect.root, nsmap=dialect.nsmap)
    kept = {ensure(root, compile_path(place), scope) for place in dialect.skeleton}
    try:
        _emit(TABLES[dialect.column], root, invoice, dialect.column, scope)
    except ValueError as error:
        raise CannotWrite(f"a text that XML cannot hold: {error}") from error
    kept |= complete(root, dialect.column, scope)
    _prune(root, kept)
    order.arrange(root, dialect.schema)
    return Draft(root, tuple(element_location(element) for element in scope.fillers), scope.files)


def _refuse_for_ubl(invoice: Invoice) -> None:
    if invoice.currency is None:
        raise CannotWrite("UBL states the currency of every amount, and BT-5 is missing")
    if not invoice.lines:
        raise CannotWrite("UBL has at least one line, and there is none (BG-25)")


def _emit(branch: Branch, element: etree._Element, instance: Any, column: Column, scope: Scope) -> None:
    for entry in branch.entries:
        name = entry.row.field if isinstance(entry, Leaf) else entry.group.field
        value = getattr(instance, name)
        if value is None or value == ():
            continue
        if entry.quirk is not None:
            entry.quirk.write(element, value, scope)
        elif isinstance(entry, Leaf):
            _write_leaf(entry, element, value, column, scope)
        elif entry.path is not None and entry.group.many:
            for item, holder in _holders(entry, entry.path, element, value, scope):
                _emit(entry, holder, item, column, scope)
        elif entry.path is not None:
            _emit(entry, ensure(element, entry.path, scope), value, column, scope)


def _holders(
    branch: Branch, path: Path, element: etree._Element, items: tuple[Any, ...], scope: Scope,
) -> Iterator[tuple[Any, etree._Element]]:
    """A new element for each item, and what is to be written into it."""
    nest = Nest(branch.nested) if branch.nested is not None and scope.nested else None
    for item in items:
        inside, left = nest.place(item) if nest is not None else (None, item)
        holder = append(element, path, scope) if inside is None else inside
        yield left, holder
        if nest is not None:
            nest.enter(item, holder)


def _write_leaf(leaf: Leaf, element: etree._Element, value: Any, column: Column, scope: Scope) -> None:
    row, path = leaf.row, leaf.path
    if path is None:
        return
    parents, rest = [element], path
    if row.each:
        before, rest = Path(path.steps[: -row.each], None), Path(path.steps[-row.each :], path.attribute)
        parents = existing(element, before, scope) or [ensure(element, before, scope)]
    for parent in parents:
        holder = ensure(parent, rest, scope)
        if rest.attribute is not None:
            holder.set(rest.attribute, value)
        else:
            write_value(holder, value, row.kind, column, scope)


def _prune(element: etree._Element, kept: set[etree._Element]) -> None:
    """Take out what stayed empty: the rules of EN 16931 refuse empty elements."""
    for child in list(element):
        if len(child):
            _prune(child, kept)
        if not len(child) and not child.text and child not in kept:
            element.remove(child)

"""One opened document as the layers see it: a tree for the rules, a model for ours, and where each term stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from formats import json_form, syntax
from formats.errors import BadValue, FormatError
from formats.invoice import Invoice
from formats.opening import Opened
from formats.paths import NAMESPACES, Node, clark, leaves, location
from formats.safexml import parse
from formats.syntax import Syntax
from validation.locations import PREFIXES, Place, path_of
from validation.pointers import pointer_of

MAPPED: Final = {Syntax.UBL_INVOICE, Syntax.UBL_CREDIT_NOTE, Syntax.CII, Syntax.FACTUR_X}
KNOWN: Final = {prefix: uri for uri, prefix in PREFIXES.items()} | dict(NAMESPACES)
FRENCH: Final = "FR"
SIREN: Final = "0002"
NOTE_TERMS: Final = frozenset({"BT-21", "BT-22"})
LINE_TAGS: Final = frozenset(
    map(clark, ("cac:InvoiceLine", "cac:CreditNoteLine", "ram:IncludedSupplyChainTradeLineItem"))
)

_CII_SELLER: Final = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/ram:SellerTradeParty"
_COUNTRY: Final = (
    "cac:AccountingSupplierParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode",
    f"{_CII_SELLER}/ram:PostalTradeAddress/ram:CountryID",
)
_REGISTRATION: Final = (
    "cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID",
    f"{_CII_SELLER}/ram:SpecifiedLegalOrganization/ram:ID",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document on its way through the layers."""

    opened: Opened
    root: etree._Element | None
    """The tree that the published rules judge. For JSON the CII that would be written; None where there is none."""

    invoice: Invoice | None = None
    unmapped: tuple[str, ...] = ()
    unreadable: FormatError | None = None
    """Why there is no invoice although the syntax could hold one."""

    terms: dict[str, list[tuple[Node, str]]] = field(default_factory=dict)
    """Business term to the elements and texts that were read for it."""

    @property
    def seller_is_french(self) -> bool:
        """BT-40 is FR, or BT-30 has scheme 0002. Looked up in the tree, for an unreadable invoice too."""
        if self.root is None:
            return False
        countries = [e.text or "" for path in _COUNTRY for e in self.root.iterfind(path, NAMESPACES)]
        schemes = [e.get("schemeID") for path in _REGISTRATION for e in self.root.iterfind(path, NAMESPACES)]
        return FRENCH in (country.strip() for country in countries) or SIREN in schemes

    def find_place(self, terms: Sequence[str], value: str | None, line: int | None = None) -> Place | None:
        """Where the first of these terms stands; with a value, where it says just that. None where it is absent.

        `line` is the position of an invoice line, from 0: then only places in that line count.
        """
        if self.opened.syntax is Syntax.JSON:
            pointer = pointer_of(self.invoice, terms, value, line)
            return Place(pointer, None) if pointer is not None else None
        found = next((leaf for term in terms for leaf in self._places(term, value, line)), None)
        return self.place_at(found.location()) if found is not None else None

    def _places(self, term: str, value: str | None, line: int | None) -> Iterator[Node]:
        wanted = value.strip() if value is not None else None
        # UBL writes the code of a note into its text: both are read as the group.
        known = self.terms.get(term) or self.terms.get("BG-1" if term in NOTE_TERMS else "") or []
        for leaf, text in known:
            says = wanted is None or text == wanted or (term in NOTE_TERMS and wanted in text)
            if says and (line is None or self._line_of(leaf) in {line, None}):
                yield leaf

    def _line_of(self, leaf: Node) -> int | None:
        """The position of the invoice line that an element is in, from 0; None outside the lines."""
        node: Node | None = leaf
        while node is not None and node.parent is not None:
            if node.tag in LINE_TAGS:
                return node.place - 1
            node = node.parent
        return None

    def place_at(self, path: str) -> Place | None:
        """The place that an XPath of formats names, in the words of the reports."""
        found = self.element_at(path)
        return Place(path_of(found), found.sourceline) if found is not None else None

    def element_at(self, path: str) -> etree._Element | None:
        """The first element at an absolute XPath in our prefixes; None where there is none."""
        if self.root is None or not path.startswith("/"):
            return None
        try:
            found = self.root.getroottree().xpath(path, namespaces=KNOWN)
        except etree.XPathError:
            return None
        first = next(iter(found), None) if isinstance(found, list) else None
        return first if etree.iselement(first) else None


def read_document(opened: Opened) -> Document:
    """Read what can be read. Never raises: what could not be read is said in `unreadable`."""
    if opened.syntax is Syntax.JSON:
        return _read_json(opened)
    if opened.root is None or opened.syntax not in MAPPED:
        return Document(opened=opened, root=opened.root)
    node = Node(opened.root, None)
    try:
        invoice = syntax.read_node(node, syntax.syntax_of(opened.root))
    except FormatError as error:
        return Document(opened=opened, root=opened.root, unreadable=error)
    terms: dict[str, list[tuple[Node, str]]] = {}
    unmapped = []
    for leaf, attribute, text, term in leaves(node):
        if term is None:
            unmapped.append(location(leaf, attribute))
        else:
            terms.setdefault(term, []).append((leaf, text))
    return Document(opened=opened, root=opened.root, invoice=invoice, unmapped=tuple(unmapped), terms=terms)


def _read_json(opened: Opened) -> Document:
    """Our JSON is judged as the CII that it would be sent as."""
    try:
        invoice = json_form.read_json(opened.payload)
        root = parse(syntax.write(invoice, Syntax.CII))
    except FormatError as error:
        return Document(opened=opened, root=None, unreadable=error)
    return Document(opened=opened, root=root, invoice=invoice)


def place_of_bad_value(document: Document) -> Place | None:
    """Where the value stands that could not be read."""
    error = document.unreadable
    if not isinstance(error, BadValue):
        return None
    if document.opened.syntax is Syntax.JSON:
        return Place(error.path, None)
    return document.place_at(error.path)

"""The two ends of a conversion: the source as it was read, and the target as it was written and read again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from formats.drafts import Draft, as_bytes
from formats.errors import NothingInside, UnknownSyntax
from formats.invoice import Invoice
from formats.json_form import read_json, write_json
from formats.lifting import Lifted, lift
from formats.loss import Target
from formats.opening import Opened, is_pdf, open_document
from formats.paths import Node, prefixed
from formats.syntax import DIALECTS, Syntax, draft, read_node, syntax_of
from formats.texts import Text, texts_of_model, texts_of_tree


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was read, with what each of its texts means."""

    opened: Opened
    invoice: Invoice
    texts: Iterator[Text]


def read_source(document: bytes) -> Source:
    """The source, read. Raises what `conversion.convert` says of it."""
    lifted = Lifted(document, {}) if is_pdf(document) else lift(document)
    opened = open_document(lifted.document)
    if opened.syntax is Syntax.JSON:
        invoice = read_json(opened.payload)
        return Source(opened, invoice, texts_of_model(invoice))
    if opened.root is None:
        raise NothingInside("the PDF has no invoice inside")
    if opened.syntax not in {*DIALECTS, Syntax.FACTUR_X}:
        raise UnknownSyntax(f"{opened.syntax.value} ({prefixed(str(opened.root.tag))[:200]}) is not converted")
    node, syntax = Node(opened.root, None), syntax_of(opened.root)
    opened = replace(opened, root=None)  # the tree is not needed again, and may hold a large attachment
    invoice = read_node(node, syntax, lifted.files)
    return Source(opened, invoice, texts_of_tree(node, DIALECTS[syntax].schema))


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and what anybody would read in it: the proof of what was carried."""

    document: Callable[[], bytes]
    target: Target
    again: Invoice
    fillers: tuple[str, ...] = ()


def made(invoice: Invoice, syntax: Syntax) -> Made:
    """Written and read again: JSON from its bytes, XML from its tree, before an attachment is in it a second time."""
    if syntax is Syntax.JSON:
        written = write_json(invoice)
        again = read_json(written)
        return Made(lambda: written, Target.of(texts_of_model(again)), again)
    return seen(draft(invoice, syntax), syntax)


def seen(tree: Draft, syntax: Syntax) -> Made:
    """A draft, read again."""
    node = Node(tree.root, None)
    again = read_node(node, syntax, tree.files)
    return Made(lambda: as_bytes(tree), Target.of(texts_of_tree(node, DIALECTS[syntax].schema)), again, tree.fillers)

"""An invoice from the syntax that it was read in to the one that was asked for, with the account; and the annex.

The annex is made and put back only where it is asked for, see annex. A document whose annex was put back gets none
of its own in the same conversion.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from formats import annex, terms
from formats.alignment import rows_for
from formats.annex import MOST_ROWS, SEVERAL, Refused
from formats.ends import Made, Source, made, seen
from formats.errors import CannotWrite
from formats.invoice import Invoice, SupportingDocument
from formats.loss import MAX_SHOWN, LossReport, NotCarried, account
from formats.narrowing import narrowed
from formats.placing import PutBack, put_back
from formats.profiles import IDENTIFIERS, Profile, carries, profile_of
from formats.syntax import DIALECTS, Syntax, draft, ubl_syntax_of
from formats.terms import Items, Narrowed
from formats.texts import Text, renumbered

ANNEX: Final = "annex"
"""Of the annex itself, whose texts were put back where they came from."""
FIELD: Final = "supporting_documents"


@dataclass(frozen=True, slots=True)
class Passage:
    """The invoice as the target has it, its document to be, and the account."""

    invoice: Invoice
    syntax: Syntax
    target: Made
    loss: LossReport


@dataclass(frozen=True, slots=True)
class Way:
    """What a conversion goes by."""

    source: Source
    to: str
    limit: Profile | None
    texts: Iterable[Text]
    """Of the source; more than once where there is an annex."""


def passed(source: Source, invoice: Invoice, to: str, limit: Profile | None, *, with_annex: bool) -> Passage:
    """`invoice`, which is that of `source` under the BT-24 asked for, in `to`. Raises CannotWrite."""
    way = Way(source, to, limit, tuple(source.texts) if with_annex else source.texts)
    if not with_annex:
        return _plain(way, _narrowed(way, invoice))
    syntax = syntax_for(to, invoice)
    numbers = annex.annexes(invoice, syntax)
    refused = Refused(SEVERAL) if numbers[1:] else None
    if len(numbers) == 1:
        try:
            return _home(way, invoice, syntax, numbers[0])
        except Refused as why:
            refused = why
    there = _annexed(way, invoice)
    names = (invoice.supporting_documents[number].reference for number in numbers)
    stays = tuple(NotCarried(f"annex:{name}", refused.detail[:MAX_SHOWN], refused.reason) for name in names if refused)
    return replace(there, loss=replace(there.loss, annexes_left=stays))


def syntax_for(to: str, invoice: Invoice) -> Syntax:
    """Of the XML that a target is, or has inside."""
    return {"ubl": ubl_syntax_of(invoice), "json": Syntax.JSON}.get(to, Syntax.CII)


def _narrowed(way: Way, invoice: Invoice) -> Narrowed:
    return narrowed(invoice, way.source.opened.syntax, way.to, way.limit)


def _plain(way: Way, left: Narrowed, added: tuple[SupportingDocument, ...] = ()) -> Passage:
    """Without regard to annexes; `added` is one that goes along."""
    written = replace(left.invoice, supporting_documents=(*left.invoice.supporting_documents, *added))
    syntax = syntax_for(way.to, written)
    target = made(written, syntax)
    return Passage(written, syntax, target, _account(way, renumbered(way.texts, left.kept), written, target))


def _account(way: Way, texts: Iterable[Text], written: Invoice, target: Made) -> LossReport:
    lost = [] if written == target.again else terms.lost(written, target.again)
    replaces = written.specification_identifier != way.source.invoice.specification_identifier
    return account(texts, way.source.invoice, target.target, lost=lost, profile=way.limit, fillers=target.fillers,
                   replaces=replaces)


def _annexed(way: Way, invoice: Invoice) -> Passage:
    """With an annex for what is left, where there is something, the target has room and all of that goes home."""
    held = _narrowed(way, invoice)
    plain = _plain(way, held)
    again, home = plain.target.again, _home_of(way.source.opened.syntax)
    here = {text.location: text for text in way.texts}
    left = [here[one.location] for one in plain.loss.not_carried if one.location in here]
    if not 0 < len(left) <= MOST_ROWS or home not in DIALECTS or not _has_room(way, invoice):
        return plain
    if annex.annexes(again, home):
        return plain  # with a second one neither would go home
    if home is not Syntax.CII and home is not ubl_syntax_of(again):
        return plain  # an invoice with the type of a credit note goes home as a credit note
    try:
        rows = rows_for(left, tuple(renumbered(way.texts, held.kept)), again, home,
                        _openly(plain.invoice, plain.syntax, home))
        file = annex.document(rows.values(), home, again)
    except (CannotWrite, Refused):
        return plain
    along = _plain(way, held, (file,))
    if along.target.again.supporting_documents != (*again.supporting_documents, file):
        return plain
    loss = along.loss
    return replace(along, loss=replace(
        loss,
        not_carried=tuple(one for one in loss.not_carried if one.location not in rows),
        annexed=tuple(one for one in loss.not_carried if one.location in rows),
    ))


def _home_of(syntax: Syntax) -> Syntax:
    return Syntax.CII if syntax is Syntax.FACTUR_X else syntax


def _openly(carrier: Invoice, syntax: Syntax, home: Syntax) -> Callable[[Invoice], Invoice]:
    """What a document of this syntax, with the BT-24 of `carrier`, says of an invoice that goes from or to `home`."""
    own = profile_of(carrier.specification_identifier)
    to = syntax.value if syntax in {Syntax.CII, Syntax.JSON} else "ubl"

    def said(invoice: Invoice) -> Invoice:
        return made(narrowed(invoice, home, to, own if own in IDENTIFIERS else None).invoice, syntax).again
    return said


def _has_room(way: Way, invoice: Invoice) -> bool:
    """Whether the target holds BG-24: not where it is CII of one of the narrow profiles."""
    own = profile_of(invoice.specification_identifier) if way.to in {"cii", "factur-x"} else Profile.UNKNOWN
    return carries(way.limit or own, "BT-122")


def _home(way: Way, invoice: Invoice, syntax: Syntax, number: int) -> Passage:
    """With the texts of the annex where they came from, and without the annex. Refused, see annex and placing."""
    documents = invoice.supporting_documents
    left = _narrowed(way, annex.without(invoice, number))
    rows = annex.rows_of(documents[number], syntax, left.invoice)
    tree = draft(left.invoice, syntax)
    before = seen(tree, syntax)
    source = way.source
    back = put_back(tree, syntax, rows, _openly(source.invoice, _home_of(source.opened.syntax), syntax))
    others = tuple(one for one in range(len(documents)) if one != number)
    kept: dict[tuple[Items, str], tuple[int, ...]] = {((), FIELD): others}
    own = [text for text in way.texts if text.items[:1] == ((FIELD, number),)]
    rest = renumbered((text for text in way.texts if text.items[:1] != ((FIELD, number),)), kept)
    target = _moved(before, back)
    loss = _account(way, renumbered(rest, left.kept), left.invoice, target)
    aside = (NotCarried(text.location, text.text[:MAX_SHOWN], ANNEX, text.term) for text in own)
    loss = replace(loss, set_aside=(*loss.set_aside, *aside), put_back=back.locations)
    return Passage(left.invoice, syntax, target, loss)


def _moved(before: Made, back: PutBack) -> Made:
    """The places of texts and fillers as they are now that others stand between them."""
    for text in (one for texts in before.target.terms.values() for one in texts):
        element, at, name = text.location.partition("/@")
        text.location = back.moved[element] + at + name
    return replace(before, fillers=tuple(
        now for where in before.fillers if (now := back.moved[where]) not in back.locations))

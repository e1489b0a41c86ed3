"""The account of a conversion: every text of the source is in the target, was replaced on purpose, or is named as left.

A text of the source and a text of the target belong together when both were read for the same term of the same
item of the same lists (line 3, allowance 1). What was read for a group, a fixed code say, belongs to the group.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from formats import terms
from formats.fixed import fixed_texts
from formats.invoice import Identifier, Invoice
from formats.mapping.invoice import INVOICE
from formats.pdf.changes import Change
from formats.profiles import Profile, carries
from formats.rows import Group
from formats.texts import CODE_LIST, LISTS, SYNTAX, Text, items_of, shown, texts_of_model

MAX_SHOWN = 200

NOT_IN_PROFILE = "not-in-profile"
"""The profile asked for has no place for the term."""
NOT_IN_TARGET = "not-in-target"
"""Written and read again, the target does not say it: it has no way to, or a fixed code stood without its term."""
ATTACHMENT = "attachment"
"""A file attached to the PDF beside the invoice; it is no part of the XML."""

REPLACED = "replaced"
"""The profile asked for has its own BT-24, which stands in this one's place."""
FILLER = "filler"
"""A fixed text that the syntax demands (NA, 1, VAT ...) beside a term that is not there: it says nothing."""
CAPITALS = "capitals"
"""The code is in the target in capitals, as its list has it."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A text of the source that is in the target."""

    location: str
    term: str
    target: str
    """Where in the target: an XPath, or a JSON pointer."""


@dataclass(frozen=True, slots=True)
class NotCarried:
    """A text of the source that is not in the target, and why: one of the constants above, or of those in texts."""

    location: str
    text: str
    reason: str
    term: str | None = None


@dataclass(frozen=True, slots=True)
class LossReport:
    """Every text and attribute of the source exactly once, and what the target has beyond it."""

    carried: tuple[Carried, ...]
    not_carried: tuple[NotCarried, ...]
    fillers: tuple[str, ...]
    """Locations in the target of values that its schema demands and the source does not have."""

    set_aside: tuple[NotCarried, ...] = ()
    """With which nothing is lost: replaced, fillers, lists of codes, the edition of UBL, codes that are in capitals."""

    pdf_changes: tuple[Change, ...] = ()
    """What was changed in a PDF that was given, so that it is PDF/A-3b."""

    annexed: tuple[NotCarried, ...] = ()
    """Carried over in the annex, with the reason why they have no other place. None of these is in `not_carried`."""

    put_back: tuple[str, ...] = ()
    """Locations in the target of texts that came from the annex of the source."""

    annexes_left: tuple[NotCarried, ...] = ()
    """Annexes for this target that were not put back and stay attachments, and why."""

    def to_json(self) -> dict[str, Any]:
        """As an object of plain lists."""
        return {
            "carried": [{"location": one.location, "term": one.term, "target": one.target} for one in self.carried],
            "set_aside": [_left(one) for one in self.set_aside],
            "not_carried": [_left(one) for one in self.not_carried],
            "fillers": list(self.fillers),
            "pdf_changes": [{"code": one.code, "detail": one.detail, "fr": one.fr, "en": one.en}
                            for one in self.pdf_changes],
            "annexed": [_left(one) for one in self.annexed],
            "put_back": list(self.put_back),
            "annexes_left": [_left(one) for one in self.annexes_left],
        }


def _left(one: NotCarried) -> dict[str, Any]:
    return {"location": one.location, "text": one.text, "reason": one.reason, "term": one.term}


@dataclass(frozen=True, slots=True)
class Home:
    """Where a term or group is in the model."""

    lists: tuple[str, ...]
    """The fields that are lists on the way to it, itself among them."""

    groups: tuple[tuple[str, int], ...]
    """The groups around it, each with the number of lists on the way to it."""


def _homes(group: Group, home: Home) -> Iterator[tuple[str, Home]]:
    for entry in group.rows:
        if isinstance(entry, Group):
            lists = (*home.lists, entry.field) if entry.many else home.lists
            below = Home(lists, (*home.groups, (entry.term, len(lists))))
            yield entry.term, below
            yield from _homes(entry, below)
        else:
            yield entry.term, home


@cache
def homes() -> dict[str, Home]:
    """Of every term and group of the table."""
    found: dict[str, Home] = {}
    for term, home in _homes(INVOICE, Home((), ())):
        found.setdefault(term, home)
    return found


SAID_BY_PLACE = frozenset({"EXT-FR-FE-162", "EXT-FR-FE-163"})
"""Parent and subtype of a line: in UBL the line may stand within another instead. Whether it does, the model says."""

Key = tuple[str, tuple[int, ...]]


def key_of(text: Text) -> Key | None:
    """The term and the numbers of the items of its lists; None where no term took the text."""
    if text.term is None:
        return None
    home = homes().get(text.term)
    if home is None or not home.lists:
        return text.term, ()
    numbers = dict(text.items)
    return text.term, tuple(numbers[name] for name in home.lists if name in numbers)


@dataclass(slots=True)
class Target:
    """The texts of the target by what they were read for."""

    terms: dict[Key, list[Text]] = field(default_factory=dict)
    groups: dict[Key, Text] = field(default_factory=dict)
    """The first text of each group; and of a list that a quirk reads, of each item."""

    @classmethod
    def of(cls, texts: Iterable[Text]) -> "Target":
        """Of the texts of a document that was read again."""
        made = cls()
        for text in texts:
            key = key_of(text)
            if key is None:
                continue
            term, numbers = key
            made.terms.setdefault(key, []).append(text)
            home = homes().get(term)
            for group, depth in home.groups if home is not None else ():
                made.groups.setdefault((group, numbers[:depth]), text)
        return made

    def find(self, text: Text, key: Key) -> Text | None:
        """The text of the target that says what this one says."""
        candidates = self.terms.get(key)
        if candidates:
            return next((one for one in candidates if one.text == text.text), candidates[0])
        term, numbers = key
        if term in terms.GROUPS:
            return self.groups.get(key)
        home = homes().get(term)
        if term in SAID_BY_PLACE:
            return self.groups.get(("BG-25", numbers))
        around = [group for group, _ in home.groups if group in LISTS] if home is not None else []
        found = self.terms.get((around[-1], numbers)) if around else None
        return found[0] if found else None


def account(
    source: Iterable[Text], invoice: Invoice, target: Target, *, lost: list[terms.Located], profile: Profile | None,
    fillers: tuple[str, ...], replaces: bool,
) -> LossReport:
    """Each text of the source, once.

    `invoice` is what the source says, `lost` what the target, read again, has not or has otherwise; `profile` the
    one asked for; `replaces` whether it brings its own BT-24.
    """
    found = list(source)
    gone = _gone(lost, found)
    said: set[Key] | None = None
    carried, left, aside = [], [], []
    for text in found:
        key = key_of(text)
        place = target.find(text, key) if key is not None else None
        if key is None:
            left.append(NotCarried(text.location, text.text[:MAX_SHOWN], text.why))
        elif text.why in {CODE_LIST, SYNTAX}:
            aside.append(NotCarried(text.location, text.text[:MAX_SHOWN], text.why, text.term))
        elif replaces and key[0] == "BT-24":
            aside.append(NotCarried(text.location, text.text[:MAX_SHOWN], REPLACED, text.term))
        elif not _carried_by(profile, key[0]) or -1 in key[1]:
            left.append(NotCarried(text.location, text.text[:MAX_SHOWN], NOT_IN_PROFILE, text.term))
        elif place is None or text.location in gone:
            said = _said(invoice) if said is None else said
            idle = key not in said and _is_fixed(text, invoice)
            (aside if idle else left).append(
                NotCarried(text.location, text.text[:MAX_SHOWN], FILLER if idle else NOT_IN_TARGET, text.term)
            )
        elif place.text == text.text.upper() != text.text:
            aside.append(NotCarried(text.location, text.text[:MAX_SHOWN], CAPITALS, text.term))
        else:
            carried.append(Carried(text.location, key[0], place.location))
    return LossReport(tuple(carried), tuple(left), fillers, tuple(aside))


def _said(invoice: Invoice) -> set[Key]:
    """The terms and groups that an invoice has."""
    there = Target.of(texts_of_model(invoice))
    return there.terms.keys() | there.groups.keys()


def _is_fixed(text: Text, invoice: Invoice) -> bool:
    """Whether a text is one that the syntax demands there whatever the invoice says."""
    own = text.text in {invoice.number, invoice.currency} or text.location.endswith("/@currencyID")
    return own or text.text in fixed_texts()


def _carried_by(profile: Profile | None, term: str) -> bool:
    """A group is carried where one of its terms is."""
    return profile is None or any(carries(profile, one) for one in terms.GROUPS.get(term, {term}))


def _gone(lost: list[terms.Located], source: list[Text]) -> set[str]:
    """The locations of the texts that said what is lost. Of several identifiers the one, else all of the term."""
    said: dict[Key, list[Text]] = {}
    for text in source if lost else ():
        if (key := key_of(text)) is not None:
            said.setdefault(key, []).append(text)
    locations: set[str] = set()
    for item in lost:
        around = key_of(Text(item.pointer, "", item.term, items_of(item.pointer)))
        texts = said.get(around, []) if around is not None else []
        value = item.value
        parts = {value.value, value.scheme} if isinstance(value, Identifier) else {shown(value)}
        locations.update(text.location for text in [one for one in texts if one.text in parts] or texts)
    return locations


def with_files(loss: LossReport, names: Iterable[str]) -> LossReport:
    """Also the files that were attached to the PDF and are no part of the target."""
    files = tuple(NotCarried(f"attachment:{name}", "", ATTACHMENT) for name in names)
    return replace(loss, not_carried=(*loss.not_carried, *files))

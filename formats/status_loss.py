"""What a lifecycle message says and StatusMessage has no place for: named, so that nothing is dropped in silence.

The message is written again, and the texts that are missing then are named by their place. Not compared: blanks around
a text, the numbers of details (MDT-124-2, their place says it), and in which form a time or an indicator was written.
"""

from collections import Counter
from collections.abc import Iterator

from lxml import etree

from formats import safexml
from formats.lifecycle import location, read_status_tree, write_status

TOLD_BY_PLACE = frozenset({"SequenceNumeric", "Indicator", "IndicatorString", "DateTimeString", "DateTime"})
"""Elements that say by being there; their own texts may take another form."""


def not_carried(document: bytes) -> tuple[str, ...]:
    """The places (`/rsm:…/ram:…`, `…/@name` for an attribute) of texts that read_status leaves behind, each once.

    Raises:
        As read_status, and CannotWrite.
    """
    root = safexml.parse(document)
    kept = Counter(_texts(safexml.parse(write_status(read_status_tree(root)))))
    left = Counter(_texts(root)) - kept
    return tuple(dict.fromkeys(place for place, _ in left))


def _texts(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Place and text of everything that is said; several lines are several texts."""
    for node in root.iter(etree.Element):
        place, name = location(node), etree.QName(node).localname
        if name in TOLD_BY_PLACE:
            yield place.rpartition("/")[0], ""
            continue
        yield from ((f"{place}/@{key}", value) for key, value in node.attrib.items() if not key.startswith("{"))
        yield from ((place, line.strip()) for line in (node.text or "").split("\n") if line.strip())

"""Lines within lines: UBL says of a sub-line where it stands, the model names the line around it, as CII does.

What stands within a line explains it and counts in no sum (XRechnung Extension, BG-DEX-01): EXT-FR-FE-163 calls that
INFORMATION. The French extension has no lines within lines: there UBL refers to the line around (see SUB_LINE).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lxml import etree

from formats.invoice import Invoice, Line
from formats.paths import Node, clark
from formats.profiles import Profile, profile_of

INFORMATION = "INFORMATION"
UNCOUNTED = frozenset({"GROUP", INFORMATION})
"""The subtypes (EXT-FR-FE-163) of lines that no sum counts."""
_ID = clark("cbc:ID")
_FRENCH = frozenset({Profile.EXTENDED, Profile.EXTENDED_CTC_FR})


def unfolded(node: Node, tag: str | None, around: Node | None = None) -> Iterator[tuple[Node, Node | None]]:
    """A line, then those within it in the order of the document, each with the line around it."""
    yield node, around
    for below in node.children.get(tag, ()) if tag is not None else ():
        yield from unfolded(below, tag, node)


def sub_line(line: Line, around: Node) -> Line:
    """What stood within the line `around`. What a line itself says of its parent and its kind comes first."""
    parent = next((node.text for node in around.children.get(_ID, ()) if node.text), None)
    return replace(line, parent=line.parent or parent, subtype=line.subtype or INFORMATION)


def is_within(line: Line) -> bool:
    """Whether a line may stand within another."""
    return line.subtype == INFORMATION and line.id is not None and line.parent is not None


def is_nested(invoice: Invoice) -> bool:
    """Whether UBL says sub-lines by their place: everywhere but in the profiles of the French extension."""
    return profile_of(invoice.specification_identifier) not in _FRENCH


@dataclass(slots=True)
class Nest:
    """The elements in which the next line may stand, while lines are written one after the other."""

    tag: str
    around: list[tuple[Line, etree._Element]] = field(default_factory=list)

    def place(self, line: Line) -> tuple[etree._Element | None, Line]:
        """The element of a line within the one around it, and what is left to write of it; None for a line of its own.

        Only a line that is read again from there as it is: its parent is the last with that id, and still open.
        """
        if is_within(line):
            for depth in range(len(self.around), 0, -1):
                one, element = self.around[depth - 1]
                if one.id == line.parent:
                    del self.around[depth:]
                    return etree.SubElement(element, self.tag), replace(line, parent=None, subtype=None)
        self.around.clear()
        return None, line

    def enter(self, line: Line, element: etree._Element) -> None:
        """The next line may stand within this one."""
        self.around.append((line, element))

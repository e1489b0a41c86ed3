"""The texts that the table itself writes: what its tests compare with and its fillers say."""

from collections.abc import Iterator
from functools import cache

from formats.mapping.invoice import INVOICE
from formats.paths import compile_path
from formats.quirks import NO_DISCOUNT, NO_ORDER, SEPA
from formats.rows import Column, Group


@cache
def fixed_texts() -> frozenset[str]:
    """Each of them."""
    return frozenset(_fixed(INVOICE)) | {NO_ORDER, NO_DISCOUNT, SEPA}


def _fixed(group: Group) -> Iterator[str]:
    for entry in (group, *group.rows):
        for column in Column:
            place = entry.place(column)
            steps = compile_path(place).steps if isinstance(place, str) else ()
            for test in (test for step in steps for test in step.tests):
                yield from (text for text in (test.value, test.default) if text and not text.startswith("$"))
        if isinstance(entry, Group) and entry is not group:
            yield from _fixed(entry)

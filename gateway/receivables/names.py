"""Numbers and names as they are compared, whatever signs, accents and legal forms somebody writes. Pure."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import TypeVar

from gateway.searchable import folded

FORMS = re.compile(r"\b(sas|sasu|sarl|eurl|sa|sci|snc|scop|selarl|ste|societe|ets|etablissements|gmbh|ltd|srl|bv|nv)\b")
MARKS = re.compile(r"[^0-9A-Z]+")
LONGEST = 64
"""Signs of a number that are looked for in a text; BT-1 of a French invoice has 35 at most."""

LONGEST_KNOWN = 500
"""Signs of a name or number of which a result is kept in memory."""

_T = TypeVar("_T")


def remembered(function: Callable[..., _T]) -> Callable[..., _T]:
    """Keep what a function of texts gave, but not that of long ones: BT-44 has no limit, memory has."""
    known = lru_cache(maxsize=50_000)(function)

    @wraps(function)
    def told(*texts: str | None) -> _T:
        return known(*texts) if all(len(text or "") <= LONGEST_KNOWN for text in texts) else function(*texts)

    return told


def bare_number(number: str) -> str:
    """A number in capitals without signs: `F-2026/12` is `F202612`."""
    return MARKS.sub("", number.upper())


def numbers_in(text: str) -> Iterator[str]:
    """Every bare number that a text may hold as a whole: of `F-12 mai`, F, F12, F12MAI, 12, 12MAI and MAI.

    So `F-12` is neither in `F-123` nor in `AF-12`, and signs may differ.
    """
    words = [word for word in MARKS.split(text.upper()) if word]
    for start in range(len(words)):
        found = ""
        for word in words[start:]:
            found += word
            if len(found) > LONGEST:
                break
            yield found


@remembered
def bare_name(name: str | None) -> str:
    """A name without its legal form, accents and signs, its words in the order of the alphabet."""
    words = re.sub(r"[^a-z0-9]+", " ", FORMS.sub(" ", folded(name or "").replace(".", ""))).split()
    return " ".join(sorted(words))

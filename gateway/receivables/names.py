"""Numbers and names as they are compared, whatever signs, accents and legal forms somebody writes. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache

from gateway.searchable import folded

FORMS = re.compile(r"\b(sas|sasu|sarl|eurl|sa|sci|snc|scop|selarl|ste|societe|ets|etablissements|gmbh|ltd|srl|bv|nv)\b")
MARKS = re.compile(r"[^0-9A-Z]+")
LONGEST = 64
"""Signs of a number that are looked for in a text; BT-1 of a French invoice has 35 at most."""


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


@lru_cache(maxsize=50_000)
def bare_name(name: str | None) -> str:
    """A name without its legal form, accents and signs, its words in the order of the alphabet."""
    words = re.sub(r"[^a-z0-9]+", " ", FORMS.sub(" ", folded(name or "").replace(".", ""))).split()
    return " ".join(sorted(words))

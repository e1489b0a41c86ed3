"""Letters on paper, by Typst: reminders to post, formal notices. Belongs into a workshop process, as all that draws."""

import json
import re
from typing import Final

from formats.errors import CannotWrite
from validation.faces.typesetting import printable_data, typeset

LONG_WORD: Final = re.compile(r"([/_.:,@-])(?=\S{25})")


def as_pdf(letter: bytes) -> bytes:
    """The letter as PDF/A-2b. `letter`: JSON of texts that are ready to print, see gateway/reminders/letters/byhand.py.

    Raises:
        CannotWrite: Typst refuses, or this is no letter.
    """
    try:
        told = json.loads(letter)
        data = {**printable_data(told, LONG_WORD), "lang": told["lang"], "day": told["day"]}
        return typeset("letter.typ", data, "the letter", standard="a-2b")
    except (ValueError, KeyError, TypeError) as error:
        raise CannotWrite(f"the letter cannot be drawn: {error}") from error

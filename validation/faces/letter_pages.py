"""Letters on paper, by Typst: reminders to post, formal notices. Belongs into a workshop process, as all that draws."""

import json
import re
from typing import Any, Final

from formats.errors import CannotWrite
from formats.rendering.payment_code import picture
from validation.faces.typesetting import printable_data, typeset

LONG_WORD: Final = re.compile(r"([/_.:,@-])(?=\S{25})")


def as_pdf(letter: bytes) -> bytes:
    """The letter as PDF/A-2b. `letter`: JSON of texts ready to print, see gateway/reminders/letters/writing.py.

    Its `pays` hold the text of a payment code each, which is drawn.

    Raises:
        CannotWrite: Typst refuses, or this is no letter.
    """
    try:
        told = json.loads(letter)
        pays = [_with_picture(pay) for pay in told.pop("pays")]
        data = {**printable_data(told, LONG_WORD), "lang": told["lang"], "day": told["day"], "pays": pays}
        return typeset("letter.typ", data, "the letter", standard="a-2b")
    except (ValueError, KeyError, TypeError) as error:
        raise CannotWrite(f"the letter cannot be drawn: {error}") from error


def _with_picture(pay: dict[str, Any]) -> dict[str, Any]:
    code = picture(pay["code"]).decode() if pay["code"] else None
    return {**printable_data({**pay, "code": ""}, LONG_WORD), "code": code}

"""Mails that say what became of a mail: delivery reports (RFC 3464, 6533) and complaints (RFC 5965).

Whoever knows a Message-ID can write such a mail; nothing here believes more than what it says. A report without the
parts that RFC 3464 asks for is an "other" mail: what became of ours is not guessed from its prose.
"""

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, message_from_string
from email.message import Message
from itertools import islice
from typing import Final

from formats.errors import LimitExceeded
from formats.returned import Returned

STATUS_PARTS: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK: Final = "message/feedback-report"
ORIGINALS: Final = frozenset({"message/rfc822", "message/global", "message/rfc822-headers", "text/rfc822-headers",
                              "message/global-headers"})
WEIGHT: Final = ("permanent", "given-up", "delayed", "delivered")
"""Of several recipients the gravest counts: our mails have one."""

_ID: Final = re.compile(r"<[!-;=?-~]{3,250}>")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
MOST_PARTS: Final = 500
MOST_MARKS: Final = 5000


def read_returned(document: bytes) -> Returned:
    """Read one mail; nothing of it is believed before its Message-ID is known.

    Raises:
        LimitExceeded: parts without end, beside or within each other.
    """
    if document.count(b"\n--") > MOST_MARKS:
        raise LimitExceeded(f"parts of a mail: more than {MOST_MARKS} lines that could begin one")
    try:
        mail = message_from_bytes(document)
        parts = list(islice(mail.walk(), MOST_PARTS))
    except RecursionError as error:
        raise LimitExceeded("parts of a mail within parts: too deep") from error
    if mail.get_content_type() == "multipart/report":
        for part in parts:
            if part.get_content_type() in STATUS_PARTS:
                return _delivery(list(_blocks(part)), parts)
            if part.get_content_type() == FEEDBACK:
                return _complaint(next(_blocks(part), Message()), parts)
    answered = _ids(_text(mail, "In-Reply-To"), _text(mail, "References"))
    replied = _text(mail, "Auto-Submitted").lower().startswith("auto-") or mail.get("X-Autoreply") is not None
    return Returned(kind="auto-reply" if replied else "other", about=answered)


def _delivery(blocks: Sequence[Message], parts: Sequence[Message]) -> Returned:
    whole = blocks[0] if blocks else Message()
    found = [_recipient(block) for block in blocks[1:]]
    envelope = _XTEXT.sub(lambda code: chr(int(code[1], 16)), _text(whole, "Original-Envelope-Id"))
    about = _ids(f"<{envelope.strip('<>')}>", *_originals(parts))
    if not found:
        return Returned(kind="other", about=about)
    kind, recipient, status, said = min(found, key=lambda one: WEIGHT.index(one[0]))
    return Returned(kind=kind, about=about, recipient=recipient, status=status, said=said)


def _recipient(block: Message) -> tuple[str, str | None, str | None, str | None]:
    """(kind, address, status, what was said) of one recipient's block."""
    said = _text(block, "Diagnostic-Code")
    found = _STATUS.search(_text(block, "Status")) or _STATUS.search(said)
    status = found[0] if found else None
    action = _text(block, "Action").lower()
    address = _address(_text(block, "Original-Recipient")) or _address(_text(block, "Final-Recipient"))
    if action == "delayed":
        kind = "delayed"
    elif action != "failed":
        kind = "delivered"
    else:
        kind = "permanent" if status is not None and status.startswith("5") else "given-up"
    return kind, address, status, said or None


def _complaint(report: Message, parts: Sequence[Message]) -> Returned:
    about = _ids(*_originals(parts))
    if _text(report, "Feedback-Type").lower() == "not-spam":
        return Returned(kind="other", about=about)
    return Returned(kind="complaint", about=about, recipient=_address(_text(report, "Original-Rcpt-To")),
                    said=_text(report, "Feedback-Type") or None)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a report. Of other types than the first, the library's parser splits off one only."""
    payload = part.get_payload()
    for block in payload if isinstance(payload, list) else [message_from_string(_decoded(part))]:
        if isinstance(block, Message):
            yield from [block] if block.keys() else []
            rest = re.split(r"(?:\r?\n){2,}", _decoded(block).strip())
            yield from (message_from_string(text) for text in rest if text)


def _originals(parts: Sequence[Message]) -> Iterator[str]:
    """The Message-IDs of the mail that a report brings along, whole or by its headers."""
    for part in parts:
        if part.get_content_type() in ORIGINALS:
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else message_from_string(_decoded(part))
            if isinstance(inner, Message):
                yield _text(inner, "Message-ID")


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(part.get_payload())


def _text(mail: Message, name: str) -> str:
    """A field on one line, without what is not printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(mail.get(name, ""))).split())[:500]


def _ids(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for text in texts for found in _ID.findall(text)))


def _address(text: str) -> str | None:
    """The address of `rfc822; somebody@example.org`, or of one that stands alone."""
    address = text.rpartition(";")[2].strip().strip("<>")
    return address[:254] if "@" in address else None

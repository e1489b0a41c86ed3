"""What can go wrong when bytes are turned into a document, as one family with stable codes."""

from typing import ClassVar


class FormatError(Exception):
    """A document that cannot be read, written or converted. `code` is stable, the text is for people."""

    code: ClassVar[str] = "format-error"


class MalformedXml(FormatError):
    """Not well-formed XML, or bytes that the declared encoding cannot hold."""

    code = "malformed-xml"


class ForbiddenDoctype(FormatError):
    """The document carries a DOCTYPE. EN 16931 needs none, and entities are an attack."""

    code = "forbidden-doctype"


class LimitExceeded(FormatError):
    """Over one of the limits in safexml or facturx; the text names the limit and the value."""

    code = "limit-exceeded"


class UnknownSyntax(FormatError):
    """Well-formed, but in no syntax that this operation can read; the text names what it is."""

    code = "unknown-syntax"


class BadValue(FormatError):
    """A mapped text is not the date, number or code it should be."""

    code = "bad-value"

    def __init__(self, term: str, path: str, text: str, expected: str) -> None:
        super().__init__(f"{term}: {text!r} is not {expected} ({path})")
        self.term = term
        self.path = path
        self.text = text
        self.expected = expected


class NotExtractable(FormatError):
    """A PDF without an invoice inside, or one that cannot be opened; the text gives the reason."""

    code = "not-extractable"


class NothingInside(NotExtractable):
    """A sound PDF without an invoice in it."""

    code = "nothing-inside"


class CannotWrite(FormatError):
    """The model lacks something without which the target cannot be written at all."""

    code = "cannot-write"

"""What can go wrong when bytes are turned into a document, as one family with stable codes."""

from formats.pdf.faults import FAULTS, Fault


class FormatError(Exception):
    """A document that cannot be read, written or converted. `code` is stable, the text is for people."""

    code: str = "format-error"


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


class PdfRefusal(FormatError):
    """A PDF that is not read or not changed, for one of the reasons in pdf.faults, which is the code of the error."""

    code = "pdf-refused"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.code = reason
        self.detail = detail

    @property
    def fault(self) -> Fault:
        """The reason in words, without the detail."""
        return FAULTS[self.code]

    def __str__(self) -> str:
        return f"{self.fault.en}: {self.detail}" if self.detail else self.fault.en


class NotExtractable(PdfRefusal):
    """A PDF without an invoice inside, or one that cannot be opened."""

    code = "not-extractable"


class NothingInside(NotExtractable):
    """A sound PDF without an invoice in it."""

    code = "nothing-inside"

    def __init__(self, detail: str = "") -> None:
        super().__init__("nothing-inside", detail)
        self.args = (detail,)


class CannotWrite(FormatError):
    """The model lacks something without which the target cannot be written at all."""

    code = "cannot-write"


class PageRefused(PdfRefusal, CannotWrite):
    """A PDF into which no invoice can be embedded."""

    code = "page-refused"

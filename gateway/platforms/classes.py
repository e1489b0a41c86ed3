"""What goes wrong, in three classes and a fourth, by the platform's own words. Data.

A word decides before an HTTP status does: the status of one platform is not that of another. Words of XP Z12-013
1.3.0 (annexes A and B: `errorCode`, `reasonCode`) and those seen in the field; the sets are open, so a word that is
not here leaves the decision to the status (link.failure) or to a person.
"""

from collections.abc import Mapping
from enum import StrEnum


class Class(StrEnum):
    """Whose move it is."""

    DOCUMENT = "document"
    """The document is refused: it must be corrected; its number is free again."""

    PRECONDITION = "precondition"
    """Something beside the document is missing: credentials, rights, set-up. Mend, then send the same."""

    TRANSPORT = "transport"
    """It did not get there whole, or the platform is not well: send the same again."""

    DUPLICATE = "duplicate"
    """The platform has this invoice already: never send it again."""


REASON_CLASS: Mapping[str, Class] = {
    "EmptyAttachement": Class.DOCUMENT,  # the annex misspells it
    "EmptyAttachment": Class.DOCUMENT,
    "AttachmentTypeError": Class.DOCUMENT,
    "EmptyFlow": Class.DOCUMENT,
    "InvalidSchema": Class.DOCUMENT,
    "FileSizeExceeded": Class.DOCUMENT,
    "FlowTypeError": Class.DOCUMENT,
    "VirusFound": Class.DOCUMENT,
    "OtherTechnicalError": Class.TRANSPORT,
    "ChecksumMismatch": Class.TRANSPORT,
    "AlreadyExistingFlow": Class.DUPLICATE,
    "InvoiceLCInvalidStatus": Class.DOCUMENT,
    "InvoiceLCStatusError": Class.DOCUMENT,
    "InvoiceLCRuleError": Class.DOCUMENT,
    "InvoiceLCAmountError": Class.DOCUMENT,
    "InvoiceLCAccessDenied": Class.PRECONDITION,
}
"""Reasons of an acknowledgement in error. A flow in error is not there: whatever its reason, the number is free,
except after AlreadyExistingFlow."""

ERROR_CLASS: Mapping[str, Class] = {
    "MISSING_REQUIRED_FIELD": Class.PRECONDITION,  # of our request, not of the invoice: the connector's set-up
    "PARAMS_ERROR": Class.PRECONDITION,
    "CLIENT_NOT_CONFIGURED": Class.PRECONDITION,
    "MISSING_TOKEN": Class.PRECONDITION,
    "FORBIDDEN_ACCESS": Class.PRECONDITION,
    "NOT_IMPLEMENTED": Class.PRECONDITION,
    "MISSING_RESOURCE": Class.PRECONDITION,
    "CHECKSUM_MISMATCH": Class.TRANSPORT,
    "TOO_MANY_REQUESTS": Class.TRANSPORT,
    "RESOURCE_ERROR": Class.TRANSPORT,
    "REQUEST_TIMEOUT": Class.TRANSPORT,
    "INTERNAL_ERROR": Class.TRANSPORT,
    "FILE_SIZE_EXCEEDED": Class.DOCUMENT,
    "UNPROCESSABLE_ENTITY": Class.DOCUMENT,
    "CREATE_ERROR": Class.DOCUMENT,
    "ALREADY_EXISTING_FLOW": Class.DUPLICATE,
    "DUPLICATE_RESOURCE": Class.DUPLICATE,
    "AlreadyExistingFlow": Class.DUPLICATE,
}
"""Words of a synchronous error (`errorCode`)."""

NOTHING_KEPT = frozenset({"CHECKSUM_MISMATCH", "TOO_MANY_REQUESTS", "RESOURCE_ERROR"})
"""Words that say, under a 4xx, that the deposit certainly had no effect and may be repeated."""


def class_of(word: str) -> Class | None:
    """The class of a word of either set; None for one that nobody listed."""
    return ERROR_CLASS.get(word) or REASON_CLASS.get(word)

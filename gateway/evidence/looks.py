"""Looks at sensitive data are entries of the journal too: who saw which document, page, list or search, and when.

Lists and states that programs poll with a key of their own are not among them; documents, exports and everything that
a person opens in the console are. A look changes nothing: its event and entry are about `view:<id of the invoice>`, so
that it is no event of the invoice (feed, webhooks, dossier). What cannot be journaled is not shown.
"""

from typing import Final

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.record import Change, record
from gateway.tables import Document

VIEWED: Final = "viewed"
DOCUMENT_READ: Final = "document-read"
LIST_EXPORTED: Final = "list-exported"
JOURNAL_SEARCHED: Final = "journal-searched"
JOURNAL_EXPORTED: Final = "journal-exported"
LISTS: Final = frozenset({"journal", "invoices", "receivables"})
VIEW: Final = "view:"
"""Before the id of an invoice: the subject of looks at it."""


def at_invoice(deps: Deps, principal: Principal, submission_id: str, document: Document | None = None) -> None:
    """Journal a look at the page of an invoice, or at one of its documents. The caller knows that it exists."""
    kept = (Kept(document.role, document.sha256, document.size),) if document is not None else ()
    code = VIEWED if document is None else DOCUMENT_READ
    _journal(deps, principal, code, f"{VIEW}{submission_id}", kept)


def at_rendition(deps: Deps, principal: Principal, submission_id: str, syntax: str) -> None:
    """Journal a look at an invoice in a syntax that it was converted to for this answer."""
    _journal(deps, principal, DOCUMENT_READ, f"{VIEW}{submission_id}", syntax=syntax)


def at_list(deps: Deps, principal: Principal, code: str, subject: str, **asked: object) -> None:
    """Journal a search, or the export of a list: `subject` one of LISTS, and what was asked for.

    What was asked for may name people. Its entries are about the month, so that the key of a month goes with its words.
    """
    subject = f"{subject}:{deps.now():%Y-%m}" if subject in LISTS else subject
    _journal(deps, principal, code, subject, asked={name: str(value) for name, value in asked.items() if value})


def _journal(
    deps: Deps, principal: Principal, code: str, subject: str, kept: tuple[Kept, ...] = (), **data: object
) -> None:
    change = Change(kind="access", code=code, actor=principal.actor, subject=subject, objects=kept,
                    data={"subject": subject, **data})
    with deps.db.transaction(principal.tenant_id) as session:
        record(session, principal.tenant_id, change, now=deps.now())

"""What others may read of outgoing invoices: one, a page of them, the bytes of a document."""

from sqlalchemy import select, tuple_

from archive.store import Digest
from gateway.auth import Principal
from gateway.deps import Deps
from gateway.evidence import looks
from gateway.outgoing.schemas import InvoiceListOut, InvoiceOut, InvoiceRowOut, invoice_out, row_out
from gateway.outgoing.service import get_submission
from gateway.problems import not_found
from gateway.tables import Document, Event, Submission


def get_invoice(deps: Deps, tenant_id: str, submission_id: str) -> InvoiceOut:
    """One invoice with its events in the order they became known here. Raises the not-found problem."""
    with deps.db.reading(tenant_id) as session:
        row = get_submission(session, tenant_id, submission_id)
        events = session.scalars(
            select(Event).where(Event.submission_id == row.id).order_by(Event.position)
        ).all()
        documents = session.scalars(
            select(Document).where(Document.submission_id == row.id).order_by(Document.at, Document.role)
        ).all()
        return invoice_out(row, list(events), list(documents))


def list_invoices(deps: Deps, tenant_id: str, after: str | None, limit: int, number: str | None) -> InvoiceListOut:
    """A page of invoices, oldest first. An unknown `after` is the not-found problem."""
    with deps.db.reading(tenant_id) as session:
        query = select(Submission).order_by(Submission.received_at, Submission.id).limit(limit + 1)
        if number is not None:
            query = query.where(Submission.number == number)
        if after is not None:
            start = get_submission(session, tenant_id, after)
            query = query.where(tuple_(Submission.received_at, Submission.id) > (start.received_at, start.id))
        rows = session.scalars(query).all()
        page = rows[:limit]
        return InvoiceListOut(items=[InvoiceRowOut(**row_out(row)) for row in page],
                              next=page[-1].id if len(rows) > limit else None)


def get_document(deps: Deps, principal: Principal, submission_id: str, sha256: str) -> tuple[bytes, Document]:
    """The bytes of one document of an invoice, hash checked. A hash alone grants no read; each is journaled."""
    with deps.db.reading(principal.tenant_id) as session:
        row = session.scalar(
            select(Document).where(Document.submission_id == submission_id, Document.sha256 == sha256).limit(1)
        )
    if row is None:
        raise not_found()
    data = deps.store.get(Digest(row.sha256))
    looks.at_invoice(deps, principal, submission_id, row)
    return data, row

"""Taking in one outgoing invoice: keep the bytes, read and judge them elsewhere, decide, remember, queue.

The order is the promise: bytes first (an orphan object is harmless, a row without bytes is not), then one
transaction with submission, event, journal entry, outbox entry and the remembered answer.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from formats.errors import FormatError
from formats.invoice import Invoice
from gateway.accounts.appearance import appearance_of, settings_of
from gateway.auth import Principal
from gateway.db import insert_rows, plain
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.rule_sets import keep_decided
from gateway.idempotency import Answer, fingerprint_of, once, remember
from gateway.outgoing.drafts import draft, file_name, media_type_of, rule_sets_of, summary
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, record
from gateway.tables import Document, LegalEntity, Submission
from validation.findings import Finding, Report, Verdict, finding_json
from validation.workshop import Poison


@dataclass(frozen=True, slots=True)
class Examined:
    """One document after the workshop: what came, what will go, what is said about it."""

    original: Kept
    sent: Kept
    sent_syntax: str
    report: Report
    report_kept: Kept
    invoice: Invoice | None
    loss: Kept | None = None
    unwritable: str | None = None
    """Why the invoice could not be written from the JSON that came."""


def submit(
    deps: Deps, principal: Principal, document: bytes, key: str, *, asked: bytes = b"POST /v1/invoices"
) -> Answer:
    """Accept or refuse one outgoing invoice; returns (HTTP status, body).

    202 accepted and queued; 200 the same invoice is already here; problems: 422 refused with every finding,
    403 seller-not-yours, 409 invoice-already-exists or entity-not-enabled, 422 document-not-checkable, 503
    validation-unavailable. A refusal is recorded and remembered like an acceptance; a 503 is neither. `asked` is what
    was asked for with the document: a key that served for something else is refused.
    """
    fingerprint = fingerprint_of(asked, document)
    return once(deps, principal.tenant_id, key, fingerprint, lambda: _take(deps, principal, document, key))


def _take(deps: Deps, principal: Principal, document: bytes, key: str) -> Answer:
    examined, entity = _examine(deps, principal.tenant_id, document)
    if examined.report.verdict is Verdict.ERROR and not _is_poison(examined.report):
        raise _unavailable(examined.report.findings)
    try:
        return _remember(deps, principal, examined, entity, key)
    except IntegrityError:  # another request took the same invoice identity first: the second look finds it
        return _remember(deps, principal, examined, entity, key)


def _examine(deps: Deps, tenant_id: str, document: bytes) -> tuple[Examined, LegalEntity | None]:
    original = keep(deps, "original", document)
    inspection = deps.workshop.inspect(document, as_of=deps.today())
    entity = _entity_of(deps, tenant_id, inspection.invoice)
    sent, syntax, loss, unwritable = original, inspection.report.syntax, None, None
    if syntax == "json" and inspection.report.verdict is Verdict.VALID and entity is not None and entity.enabled and (
            not _is_taken(deps, tenant_id, inspection.invoice)):
        try:
            written = deps.workshop.convert(
                document, to=entity.format, profile="en16931", made_at=deps.now(),
                lang=settings_of(entity).language, appearance=appearance_of(deps.store, entity))
        except Poison as error:
            raise _unavailable(()) from error
        except FormatError as error:
            unwritable = f"{error.code}: {error}"
        else:
            sent, syntax = keep(deps, "sent", written.document), written.syntax
            loss = keep(deps, "loss", canonical_json(written.loss))
            inspection = deps.workshop.inspect(written.document, as_of=deps.today())
    _keep_rules(deps, inspection.report)
    report = keep(deps, "report", canonical_json(inspection.report.to_json()))
    return Examined(original, sent, syntax, inspection.report, report, inspection.invoice, loss, unwritable), entity


def _keep_rules(deps: Deps, report: Report) -> None:
    """The rules that decided are kept before the verdict is."""
    try:
        keep_decided(deps, report)
    except FormatError as error:  # replaced or altered since: nothing could be proved later
        raise _unavailable(()) from error


def _is_poison(report: Report) -> bool:
    """Whether the workshop could not get through this document: trying again would only cost more workers."""
    return any(layer.reason == Poison.code for layer in report.layers)


def _is_taken(deps: Deps, tenant_id: str, invoice: Invoice | None) -> bool:
    """Whether the number is held already: then nothing has to be written to say so."""
    if invoice is None or invoice.issue_date is None:
        return False
    with deps.db.reading(tenant_id) as session:
        return session.scalar(select(Submission.id).where(
            Submission.seller_siren == invoice.seller.siren, Submission.number == invoice.number,
            Submission.issue_year == invoice.issue_date.year, Submission.active.is_(True))) is not None


def _unavailable(findings: tuple[Finding, ...]) -> Problem:
    return Problem(503, "validation-unavailable", "La vérification n'a pas abouti, rien n'est envoyé ; réessayez. / "
                   "Validation did not finish, nothing is sent; try again.", headers={"Retry-After": "5"},
                   findings=[finding_json(f) for f in findings])


def _remember(
    deps: Deps, principal: Principal, examined: Examined, entity: LegalEntity | None, key: str
) -> Answer:
    now = deps.now()
    with deps.db.transaction(principal.tenant_id) as session:
        submission = draft(
            submission_id=str(uuid.uuid4()), tenant_id=principal.tenant_id, actor=principal.actor,
            sha256=examined.original.sha256, report=examined.report, invoice=examined.invoice, entity=entity, now=now,
        )
        answer = _judge(session, submission, examined, entity)
        if answer is None:
            submission.active, submission.transmission = True, "queued"
            submission.sent_sha256 = examined.sent.sha256
            answer = 202, {"id": submission.id, "verdict": submission.verdict, "findings": _findings(examined.report)}
        elif answer[0] == 200:
            remember(session, principal.tenant_id, key, answer)
            return answer
        session.add(submission)
        session.flush()
        kept = _attach(session, submission, examined, now)
        record(session, principal.tenant_id, Change(
            kind="submission", code="accepted" if submission.active else "refused", actor=principal.actor,
            submission_id=submission.id, reason=submission.transmission_reason, data=summary(submission),
            objects=kept, rule_sets=rule_sets_of(examined.report),
            then=(Work(topic="deliver", subject_id=submission.id),) if submission.active else (),
        ), now=now)
        if answer[0] >= 400:
            answer[1]["id"] = submission.id
        remember(session, principal.tenant_id, key, answer)
    return answer


def _judge(
    session: Session, submission: Submission, examined: Examined, entity: LegalEntity | None
) -> Answer | None:
    """The answer that ends it here, or None for an invoice to accept. Sets `replaces` and the reason."""
    report = examined.report
    if report.verdict is Verdict.ERROR:
        return _refuse(submission, 422, "document-not-checkable",
                       "La vérification de ce document dépasse les limites ; il n'est pas envoyé. / "
                       "Checking this document exceeds the limits; it is not sent.",
                       verdict=report.verdict.value, findings=_findings(report))
    if report.verdict is not Verdict.VALID:
        blocking = sum(f.severity.blocks and f.blocks for f in report.findings)
        return _refuse(submission, 422, "invoice-refused",
                       f"{blocking} anomalie(s) bloquante(s). / {blocking} blocking finding(s).",
                       verdict=report.verdict.value, findings=_findings(report))
    if entity is None:
        return _refuse(submission, 403, "seller-not-yours",
                       f"Le vendeur (SIREN {submission.seller_siren or 'absent'}) n'est aucune de vos entités. / "
                       "The seller is none of your legal entities.")
    if not entity.enabled:
        return _refuse(submission, 409, "entity-not-enabled",
                       "L'entité n'est pas encore activée. / The legal entity is not switched on yet.")
    earlier = plain(session, submission.tenant_id, EARLIER, siren=submission.seller_siren, number=submission.number,
                    year=submission.issue_year).all()
    holder = next((row for row in earlier if row.active), None)
    if holder is not None and holder.sha256 == submission.sha256:
        return 200, {"id": holder.id, "verdict": holder.verdict, "findings": _findings(report)}
    if holder is not None:
        return _refuse(submission, 409, "invoice-already-exists",
                       "Ce numéro est déjà pris par un autre contenu. / This number already has other content.",
                       existing=holder.id, existing_sha256=holder.sha256, received_sha256=submission.sha256)
    if examined.unwritable is not None:
        return _refuse(submission, 422, "invoice-refused", examined.unwritable, verdict=report.verdict.value,
                       findings=_findings(report))
    if examined.sent_syntax == "json":  # its number was taken when we looked, and has become free since
        raise Problem(409, "idempotency-in-progress", "Réessayez dans un instant. / Try again in a moment.",
                      headers={"Retry-After": "1"})
    submission.replaces = earlier[0].id if earlier else None
    return None


EARLIER: Final = select(Submission.id, Submission.sha256, Submission.verdict, Submission.active).where(
    Submission.tenant_id == bindparam("tenant"), Submission.seller_siren == bindparam("siren"),
    Submission.number == bindparam("number"), Submission.issue_year == bindparam("year"),
).order_by(Submission.received_at.desc())
"""All that ever came with a number, the newest first; at most one of them is active."""


def _refuse(submission: Submission, status: int, code: str, detail: str, **extra: Any) -> Answer:
    submission.transmission_reason = f"{code}: {detail}"
    return status, Problem(status, code, detail, **extra).body()


def _attach(session: Session, submission: Submission, examined: Examined, now: Any) -> tuple[Kept, ...]:
    original_type = media_type_of("json" if examined.loss is not None else examined.report.syntax)
    rows = [(examined.original, original_type, "json" if examined.loss is not None else examined.report.syntax)]
    if examined.sent.sha256 != examined.original.sha256:
        rows.append((examined.sent, media_type_of(examined.sent_syntax), examined.sent_syntax))
    rows.append((examined.report_kept, "application/json", "report"))
    if examined.loss is not None:
        rows.append((examined.loss, "application/json", "loss"))
    insert_rows(session, Document, [{
        "tenant_id": submission.tenant_id, "id": str(uuid.uuid4()), "submission_id": submission.id, "role": kept.role,
        "syntax": syntax, "media_type": media_type, "name": file_name(submission.number, kept.role, media_type),
        "sha256": kept.sha256, "size": kept.size, "at": now,
    } for kept, media_type, syntax in rows])
    return tuple(kept for kept, _, _ in rows)


def _entity_of(deps: Deps, tenant_id: str, invoice: Invoice | None) -> LegalEntity | None:
    if invoice is None or invoice.seller.siren is None:
        return None
    with deps.db.reading(tenant_id) as session:
        return session.scalar(BY_SIREN, {"siren": invoice.seller.siren})


BY_SIREN: Final = select(LegalEntity).where(LegalEntity.siren == bindparam("siren"))


def _findings(report: Report) -> list[dict[str, object]]:
    return [finding_json(finding) for finding in report.findings]


def keep(deps: Deps, role: str, data: bytes) -> Kept:
    """Put bytes into the store and name what they are for."""
    return Kept(role, deps.store.put(data).hex, len(data))


def canonical_json(value: object) -> bytes:
    """JSON bytes for an object that is kept: sorted keys, readable, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()


def get_submission(session: Session, tenant_id: str, submission_id: str) -> Submission:
    """The submission, or the one answer for absent and foreign."""
    found = session.get(Submission, (tenant_id, submission_id))
    if found is None:
        raise not_found()
    return found

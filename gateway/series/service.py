"""Number series read from the submissions, and the explanations of gaps that people give.

Never blocks an invoice: an exact repetition is refused when it comes (409), and a gap may be filled by what comes next
or may have been issued elsewhere. An explanation is an event, so it is in the journal and cannot be changed, only
followed by another.
"""

from collections.abc import Mapping
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.series.numbering import Numbered, Series, all_series, split
from gateway.series.schemas import ExplanationIn, ExplanationOut, SeriesListOut, SeriesOut
from gateway.tables import Event, LegalEntity, Submission

EXPLAINED = "gap-explained"
SHOWN = 200


def list_series(deps: Deps, tenant_id: str, *, siren: str | None, after: str | None, limit: int) -> SeriesListOut:
    """A page of the series of a tenant, or of one legal entity. `after` is a `next`; another text is not-found."""
    with deps.db.reading(tenant_id) as session:
        found = all_series(_numbered(session, siren), _declared(session))
    keys = [key_of(series) for series in found]
    if after is not None and after not in keys:
        raise not_found()
    start = keys.index(after) + 1 if after is not None else 0
    page = found[start:start + limit]
    return SeriesListOut(
        items=[_out(series) for series in page], next=keys[start + limit - 1] if len(found) > start + limit else None
    )


def explain_gap(deps: Deps, principal: Principal, said: ExplanationIn) -> ExplanationOut:
    """Keep why a number was not used.

    Problems: 404 for a SIREN of no legal entity here, 409 number-used where an invoice has the number, 422
    number-without-counter.
    """
    if split(said.number)[1] is None:
        raise Problem(422, "number-without-counter", "Ce numéro n'a pas de chiffre. / This number has no digit.")
    with deps.db.transaction(principal.tenant_id) as session:
        entity = session.scalar(select(LegalEntity).where(LegalEntity.siren == said.siren))
        if entity is None:
            raise not_found()
        if session.scalar(select(Submission.id).where(
                Submission.seller_siren == said.siren, Submission.number == said.number,
                Submission.transmission != "refused")) is not None:
            raise Problem(409, "number-used", "Une facture porte ce numéro. / An invoice has this number.")
        event = record(session, principal.tenant_id, Change(
            kind="setting", code=EXPLAINED, actor=principal.actor, subject=f"entity:{entity.id}", reason=said.reason,
            data={"siren": said.siren, "number": said.number},
        ), now=deps.now())
        return ExplanationOut(siren=said.siren, number=said.number, reason=said.reason, position=event.position)


def key_of(series: Series) -> str:
    """What names a series in a URL."""
    return f"{series.siren}:{series.prefix}*{series.suffix}:{series.year or ''}"


def _numbered(session: Session, siren: str | None) -> list[Numbered]:
    columns = (Submission.id, Submission.seller_siren, Submission.number, Submission.issue_date,
               Submission.transmission, Submission.transmission_reason)
    query = select(*columns).where(Submission.number.is_not(None), Submission.seller_siren.is_not(None),
                                   Submission.issue_date.is_not(None), Submission.legal_entity_id.is_not(None))
    if siren is not None:
        query = query.where(Submission.seller_siren == siren)
    rows = session.execute(query.order_by(Submission.received_at, Submission.id)).all()
    return [Numbered(id=row.id, siren=row.seller_siren or "", number=row.number or "", issued=row.issue_date,
                     taken=row.transmission != "refused", reason=row.transmission_reason)
            for row in rows if row.issue_date is not None]


def _declared(session: Session) -> Mapping[tuple[str, str], str]:
    events = session.scalars(select(Event).where(Event.kind == "setting", Event.code == EXPLAINED)
                             .order_by(Event.position)).all()
    return {(event.data["siren"], event.data["number"]): event.reason or "" for event in events}


def _out(series: Series) -> SeriesOut:
    fields = {name: getattr(series, name) for name in SeriesOut.model_fields}
    for name in ("gaps", "repetitions", "disorders"):
        fields[name] = list(islice(fields[name], SHOWN))
    return SeriesOut.model_validate(fields, from_attributes=True)

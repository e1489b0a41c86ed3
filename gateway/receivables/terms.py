"""The terms of a seller about lateness, and the rates that people add: read and changed, with their entries."""

from decimal import Decimal

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.receivables.claim_schemas import RateIn, RateListOut, RateOut, TermsModel, rate_out
from gateway.receivables.penalties import SEGMENT
from gateway.receivables.rates import HALF_YEAR, first_day_of, rates_of
from gateway.record import Change, record
from gateway.tables import LegalEntity
from gateway.tables_receivables import HalfYearRate, PenaltyTerms


def get_terms(deps: Deps, tenant_id: str, entity_id: str) -> TermsModel:
    """The terms of a legal entity; those of the law where it has none. Problem 404."""
    with deps.db.reading(tenant_id) as session:
        if session.get(LegalEntity, (tenant_id, entity_id)) is None:
            raise not_found()
        row = session.get(PenaltyTerms, (tenant_id, entity_id))
        return TermsModel() if row is None else TermsModel.model_validate({
            "rate": None if row.rate is None else format(row.rate, "f"), "day_count": row.day_count,
            "clients": {key: rate for key, rate in row.clients.items() if not key.startswith(SEGMENT)},
            "segments": {key.removeprefix(SEGMENT): rate for key, rate in row.clients.items()
                         if key.startswith(SEGMENT)}})


def set_terms(deps: Deps, principal: Principal, entity_id: str, wanted: TermsModel) -> TermsModel:
    """Change the terms of a legal entity. A rate below the least of the law is kept and has no effect. Problem 404."""
    with deps.db.transaction(principal.tenant_id) as session:
        if session.get(LegalEntity, (principal.tenant_id, entity_id)) is None:
            raise not_found()
        row = session.get(PenaltyTerms, (principal.tenant_id, entity_id))
        if row is None:
            row = PenaltyTerms(tenant_id=principal.tenant_id, id=entity_id)
            session.add(row)
        row.rate = None if wanted.rate is None else Decimal(wanted.rate)
        row.day_count = wanted.day_count
        row.clients = {**wanted.clients, **{f"{SEGMENT}{name}": rate for name, rate in wanted.segments.items()}}
        record(session, principal.tenant_id, Change(
            kind="setting", code="penalty-terms", actor=principal.actor, subject=f"entity:{entity_id}",
            data=wanted.model_dump(mode="json")), now=deps.now())
    return wanted


def list_rates(deps: Deps, tenant_id: str) -> RateListOut:
    """Every known half-year, oldest first."""
    with deps.db.reading(tenant_id) as session:
        return RateListOut(items=[rate_out(rate) for rate in rates_of(session).values()])


def set_rate(deps: Deps, principal: Principal, half_year: str, wanted: RateIn) -> RateOut:
    """Add or correct the rates of a half-year, with their source.

    Problem 422: half-year-unknown, where it is no half-year or has not begun, so that its rates cannot be known.
    """
    if not HALF_YEAR.fullmatch(half_year) or first_day_of(half_year) > deps.today():
        raise Problem(422, "half-year-unknown", "Un semestre commencé, comme 2026-H2. / A half-year that has begun, as "
                      "2026-H2.")
    with deps.db.transaction(principal.tenant_id) as session:
        row = session.get(HalfYearRate, (principal.tenant_id, half_year))
        if row is None:
            row = HalfYearRate(tenant_id=principal.tenant_id, id=half_year)
            session.add(row)
        row.refinancing, row.legal, row.source = Decimal(wanted.refinancing), Decimal(wanted.legal), wanted.source
        row.added_at, row.actor = deps.now(), principal.actor
        record(session, principal.tenant_id, Change(
            kind="setting", code="penalty-rate", actor=principal.actor, subject=f"rate:{half_year}",
            data={"half_year": half_year, **wanted.model_dump(mode="json")}), now=deps.now())
        session.flush()
        return rate_out(rates_of(session)[half_year])

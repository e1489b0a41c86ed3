"""The open cases of the tenant, as tests ask for them."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.tables_reminders import Case

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def open_cases(play: "Play") -> list[tuple[str, str, str]]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Case).where(Case.active.is_(True)).order_by(Case.kind)).all()
    return [(row.kind, row.stage, row.due_on.isoformat()) for row in rows]


def cases_of_kind(play: "Play", kind: str) -> list[Case]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        return list(session.scalars(select(Case).where(Case.kind == kind, Case.active.is_(True)).order_by(Case.id)))


def only_case(play: "Play", kind: str) -> Case:
    (case,) = cases_of_kind(play, kind)
    return case

"""What goes over the wire about exports of whole periods."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from gateway.tables_exports import PeriodExport


class PeriodIn(BaseModel):
    """Which invoices: by the day of issue, both ends included."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    entity: str | None = Field(default=None, pattern=r"^[0-9]{9}$")
    """SIREN of one seller; all of them without."""

    pdf: bool = False
    """Draw the index of each dossier as PDF too: about 20 ms more for each."""


class PeriodExportOut(BaseModel):
    """One export."""

    id: str
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    state: str
    total: int
    done: int
    created_at: datetime
    finished_at: datetime | None
    sha256: str | None
    """Of the finished file."""


class PeriodExportList(BaseModel):
    """The newest exports."""

    items: list[PeriodExportOut]


def export_out(row: PeriodExport) -> PeriodExportOut:
    """A stored export as it is shown."""
    return PeriodExportOut(id=row.id, first=row.first_day, last=row.last_day, state=row.state, total=row.total,
                           done=row.done, created_at=row.created_at, finished_at=row.finished_at, sha256=row.sha256)

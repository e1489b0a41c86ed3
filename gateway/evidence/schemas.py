"""What goes over the wire about evidence: exports of whole periods."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from gateway.tables_exports import PeriodExport


class PeriodIn(BaseModel):
    """Which dossiers are wanted."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    first: date = Field(alias="from")
    """Day of issue (BT-2) of the first invoices; included, as the last."""

    last: date = Field(alias="to")
    entity: str | None = None
    """SIREN of a seller; without it all of them."""

    pdf: bool = False
    """Whether each dossier gets its index drawn, which takes most of the time."""


class PeriodExportOut(BaseModel):
    """An export, with how far it is."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    id: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    state: str
    """running, done or failed."""

    total: int
    done: int
    created_at: datetime
    finished_at: datetime | None
    trouble: str | None
    sha256: str | None
    """Of the tar, once it is done."""

    href: str


class PeriodExportList(BaseModel):
    """The newest exports of periods."""

    model_config = ConfigDict(extra="forbid")

    items: list[PeriodExportOut]


def export_out(row: PeriodExport) -> PeriodExportOut:
    """An export as it is shown."""
    return PeriodExportOut.model_validate({
        "id": row.id, "from": row.first_day, "to": row.last_day, "state": row.state, "total": row.total,
        "done": row.done, "created_at": row.created_at, "finished_at": row.finished_at, "trouble": row.trouble,
        "sha256": row.sha256, "href": f"/v1/evidence/exports/{row.id}/file",
    })

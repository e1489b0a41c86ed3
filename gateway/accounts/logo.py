"""The logo of a legal entity: drawn on the invoices that the gateway writes from JSON."""

from fastapi import Request

from formats.errors import FormatError
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.intake import bounded_body
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import LegalEntity

MOST_BYTES = 1 << 20
"""formats/rendering refuses a larger picture."""

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg", b"<?xml")
"""PNG, JPEG, SVG."""

SAMPLE = b'{"number": "LOGO"}'
"""Our JSON, as small as can be: drawn once to see whether the picture is one."""


async def raw_picture(request: Request) -> bytes:
    """The raw body, at most 1 MB."""
    return await bounded_body(request, MOST_BYTES)


def set_logo(deps: Deps, tenant_id: str, entity_id: str, picture: bytes, actor: str) -> LegalEntity:
    """Keep a picture and use it from now on. It is read in the workshop only, once before it is kept.

    Raises:
        Problem: 404, or 422 logo-unreadable for what is no PNG, JPEG or SVG that can be drawn.
    """
    if not picture.startswith(SIGNATURES):
        raise Problem(422, "logo-unreadable", "PNG, JPEG ou SVG. / PNG, JPEG or SVG.")
    try:
        deps.workshop.render(SAMPLE, logo=picture)
    except FormatError as error:
        raise Problem(422, "logo-unreadable", f"Image illisible. / Unreadable picture. {error}") from error
    kept = Kept("logo", deps.store.put(picture).hex, len(picture))
    with deps.db.transaction(tenant_id) as session:
        row = session.get(LegalEntity, (tenant_id, entity_id))
        if row is None:
            raise not_found()
        row.logo_sha256 = kept.sha256
        record(session, tenant_id, Change(
            kind="setting", code="logo-changed", actor=actor, subject=f"entity:{row.id}", objects=(kept,),
            data={"subject": f"entity:{row.id}", "siren": row.siren},
        ), now=deps.now())
    return row

"""The logo of a legal entity: drawn on the invoices that the gateway writes from JSON."""

from fastapi import Request

from gateway.accounts.appearance import get_entity, preview, settings_of
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.intake import bounded_body
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import LegalEntity

MOST_BYTES = 1_000_000
"""formats/rendering refuses a larger picture."""


async def raw_picture(request: Request) -> bytes:
    """The raw body, at most 1 MB."""
    return await bounded_body(request, MOST_BYTES)


def set_logo(deps: Deps, tenant_id: str, entity_id: str, picture: bytes | None, actor: str) -> LegalEntity:
    """Keep a picture and use it from now on, or use none. It is read in the workshop only, once before it is kept.

    Raises:
        Problem: 404, or 422 logo-unreadable for what is no PNG, JPEG or SVG that can be drawn.
    """
    row = get_entity(deps, tenant_id, entity_id)
    kept = None
    if picture is not None:
        try:
            preview(deps, row, settings_of(row), picture)
        except Problem as error:
            raise Problem(422, "logo-unreadable", f"Image refusée : PNG, JPEG ou SVG. / Picture refused: PNG, JPEG or "
                          f"SVG. {error.__cause__}") from error
        kept = Kept("logo", deps.store.put(picture).hex, len(picture))
    with deps.db.transaction(tenant_id) as session:
        found = session.get(LegalEntity, (tenant_id, entity_id))
        if found is None:
            raise not_found()
        found.logo_sha256 = kept.sha256 if kept else None
        record(session, tenant_id, Change(
            kind="setting", code="logo-changed" if kept else "logo-removed", actor=actor,
            subject=f"entity:{found.id}", objects=(kept,) if kept else (),
            data={"subject": f"entity:{found.id}", "siren": found.siren},
        ), now=deps.now())
    return found

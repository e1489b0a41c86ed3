"""Réglages: how the drawn invoices of a legal entity look."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.accounts import appearance, logo
from gateway.accounts.schemas import AppearanceIn
from gateway.auth import Permission
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Page, Sees, Uploads, Visit, go
from gateway.problems import Problem
from gateway.tables import LegalEntity

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Uploading = Annotated[Act, Uploads(Permission.SETTINGS_WRITE)]
LANGUAGES = (("fr", "Français"), ("en", "Anglais"))


@router.get("/reglages/entites/{entity_id}/apparence")
def show_appearance(visit: Reading, entity_id: str) -> Response:
    """The form."""
    row = appearance.get_entity(visit.deps, visit.principal.tenant_id, entity_id)
    shown = appearance.get_appearance(visit.deps, visit.principal.tenant_id, entity_id)
    return _form(visit, row, shown.model_dump(), remarks=[one.fr for one in shown.remarks])


@router.get("/reglages/entites/{entity_id}/apparence/apercu")
def show_preview(visit: Reading, entity_id: str) -> Response:
    """An invented invoice of this entity as it would be drawn now."""
    row = appearance.get_entity(visit.deps, visit.principal.tenant_id, entity_id)
    look = appearance.appearance_of(visit.deps.store, row)
    return _pdf(appearance.preview(visit.deps, row, appearance.settings_of(row), look.logo).pdf)


@router.post("/reglages/entites/{entity_id}/apparence")
def change_appearance(act: Uploading, entity_id: str) -> Response:
    """Keep what was chosen, or show it without keeping anything."""
    deps, tenant, actor = act.deps, act.principal.tenant_id, act.principal.actor
    row, values, upload = appearance.get_entity(deps, tenant, entity_id), _values(act), act.file("logo")
    picture = upload.file.read(logo.MOST_BYTES + 1) if upload is not None else None
    try:
        chosen = AppearanceIn.model_validate(values)
        if act.text("action") == "apercu":
            kept = None if act.text("remove_logo") == "1" else appearance.appearance_of(deps.store, row).logo
            return _pdf(appearance.preview(deps, row, chosen, picture or kept).pdf)
        if picture is not None:
            logo.set_logo(deps, tenant, entity_id, picture, actor)
        elif act.text("remove_logo") == "1" and row.logo_sha256:
            logo.set_logo(deps, tenant, entity_id, None, actor)
        appearance.set_appearance(deps, tenant, entity_id, chosen, actor)
    except ValidationError as error:
        return _form(act.visit, row, values, errors=errors_of(error))
    except Problem as problem:
        return _form(act.visit, row, values, errors={"logo" if picture else "": told(problem)})
    return go(f"/reglages/entites/{entity_id}/apparence", "enregistre")


def _values(act: Act) -> dict[str, Any]:
    return {"accent": act.text("accent"), "footer": act.text("footer"), "language": act.text("language"),
            "payment_code": act.text("payment_code") == "1"}


def _form(
    visit: Visit, row: LegalEntity, values: dict[str, Any], *, errors: dict[str, str] | None = None,
    remarks: list[str] | None = None,
) -> Response:
    return visit.draw("reglages_apparence.html", status=422 if errors else 200, row=row, values=values,
                      errors=errors or {}, remarks=remarks or [], languages=LANGUAGES)


def _pdf(pages: bytes) -> Response:
    return Response(pages, media_type="application/pdf",
                    headers={"Content-Disposition": 'inline; filename="apercu.pdf"'})

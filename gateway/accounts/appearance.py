"""How the drawn invoices of a legal entity look: kept, tried on a sample before it is kept, carried to the workshop."""

from typing import Any

from archive.store import Digest, Store
from formats.errors import FormatError
from gateway.accounts.sample import sample_of
from gateway.accounts.schemas import AppearanceIn, AppearanceOut, RemarkOut
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import LegalEntity
from validation.workshop import Appearance, Drawn


def settings_of(row: LegalEntity) -> AppearanceIn:
    """What was chosen for an entity; our own look where nothing was."""
    return AppearanceIn.model_validate(row.appearance or {})


def appearance_of(store: Store, row: LegalEntity) -> Appearance:
    """What the workshop draws with: the settings, and the logo as it is kept."""
    logo = store.get(Digest(row.logo_sha256)) if row.logo_sha256 else None
    return made_of(settings_of(row), logo)


def made_of(chosen: AppearanceIn, logo: bytes | None) -> Appearance:
    """The settings and a logo as the workshop wants them."""
    return Appearance(logo=logo, accent=chosen.accent, footer=chosen.footer, payment_code=chosen.payment_code)


def get_appearance(deps: Deps, tenant_id: str, entity_id: str) -> AppearanceOut:
    """The settings of an entity with the remarks that they cause. Raises Problem: 404."""
    row = get_entity(deps, tenant_id, entity_id)
    return told(row, preview(deps, row, settings_of(row), appearance_of(deps.store, row).logo))


def set_appearance(deps: Deps, tenant_id: str, entity_id: str, chosen: AppearanceIn, actor: str) -> AppearanceOut:
    """Use these settings from now on; they are drawn once before they are kept.

    Raises:
        Problem: 404, or 422 appearance-undrawable for what cannot be drawn.
    """
    row = get_entity(deps, tenant_id, entity_id)
    drawn = preview(deps, row, chosen, appearance_of(deps.store, row).logo)
    with deps.db.transaction(tenant_id) as session:
        row = session.get(LegalEntity, (tenant_id, entity_id)) or row
        before = settings_of(row).model_dump()
        row.appearance = chosen.model_dump()
        changed = sorted(name for name, value in row.appearance.items() if before[name] != value)
        record(session, tenant_id, _change("appearance-changed", row, actor, changed=changed), now=deps.now())
    return told(row, drawn)


def preview(deps: Deps, row: LegalEntity, chosen: AppearanceIn, logo: bytes | None) -> Drawn:
    """An invented invoice of this entity in these settings. Raises Problem: 422 appearance-undrawable."""
    try:
        return deps.workshop.draw(sample_of(row, deps.today()), lang=chosen.language, appearance=made_of(chosen, logo))
    except FormatError as error:
        raise Problem(422, "appearance-undrawable", f"Cela ne peut être dessiné. / This cannot be drawn. {error}",
                      ) from error


def told(row: LegalEntity, drawn: Drawn) -> AppearanceOut:
    """The settings and what a drawing with them remarks."""
    remarks = [RemarkOut(code=one.code, fr=one.fr, en=one.en) for one in drawn.remarks]
    return AppearanceOut(**settings_of(row).model_dump(), logo_sha256=row.logo_sha256, remarks=remarks)


def get_entity(deps: Deps, tenant_id: str, entity_id: str) -> LegalEntity:
    """One legal entity. Raises Problem: 404."""
    with deps.db.reading(tenant_id) as session:
        row = session.get(LegalEntity, (tenant_id, entity_id))
    if row is None:
        raise not_found()
    return row


def _change(code: str, row: LegalEntity, actor: str, **data: Any) -> Change:
    subject = f"entity:{row.id}"
    return Change(kind="setting", code=code, actor=actor, subject=subject,
                  data={"subject": subject, "siren": row.siren, **data})

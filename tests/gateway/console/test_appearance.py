"""The page on which an operator chooses logo, colour and foot, and sees a preview."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from gateway.deps import Deps
from gateway.tables import LegalEntity

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 3"><rect width="9" height="3" fill="#0b5563"/></svg>'
CHOSEN = {"accent": "#7a1f3d", "footer": "Siège inventé", "language": "en", "payment_code": "1"}


@pytest.fixture
def page(seeded_deps: Deps, signed_in: Callable[[str], Any]) -> str:
    tenant = signed_in("operator")  # somebody of the seeded tenant has to exist
    assert tenant is not None
    with seeded_deps.db.reading("*") as session:
        row = session.scalar(select(LegalEntity).order_by(LegalEntity.siren).limit(1))
    return f"/reglages/entites/{row.id}/apparence"


def send(visitor: Any, page: str, *, logo: bytes | None = None, **fields: str) -> Any:
    files = {"logo": ("logo.svg", logo)} if logo else {"nothing": ("", b"")}
    return visitor.post(page, data={"csrf": visitor.token(page), **CHOSEN, **fields}, files=files,
                        follow_redirects=False)


def test_an_operator_chooses_and_sees_it_kept(signed_in: Callable[[str], Any], page: str) -> None:
    visitor = signed_in("operator")

    answer = send(visitor, page, logo=SVG, action="enregistrer")

    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?fait=enregistre")
    shown = visitor.get(page).text
    assert "#7a1f3d" in shown
    assert "Siège inventé" in shown
    assert "Un logo est en place" in shown
    preview = visitor.get(f"{page}/apercu")
    assert (preview.headers["content-type"], preview.content[:5]) == ("application/pdf", b"%PDF-")
    assert send(visitor, page, remove_logo="1", accent="#ffee00").status_code == 303
    shown = visitor.get(page).text
    assert "Aucun logo" in shown
    assert "trop claire pour être lue" in shown


def test_a_preview_keeps_nothing(signed_in: Callable[[str], Any], page: str) -> None:
    visitor = signed_in("operator")
    before = visitor.get(page).text.partition("Mise en page")[2]

    answer = send(visitor, page, logo=SVG, action="apercu", footer="Rien de gardé")

    assert answer.headers["content-type"] == "application/pdf"
    assert visitor.get(page).text.partition("Mise en page")[2] == before


def test_a_hostile_picture_and_a_wrong_colour_are_refused_with_a_sentence(
    signed_in: Callable[[str], Any], page: str
) -> None:
    visitor = signed_in("operator")
    hostile = SVG.replace(b"<rect", b'<image href="file:///etc/passwd"/><rect')
    assert "Image refusée" in send(visitor, page, logo=hostile).text
    wrong = send(visitor, page, accent="rouge")
    assert wrong.status_code == 422
    assert "Rien n'a été enregistré".replace("'", "&#39;") in wrong.text or "Rien n'a été enregistré" in wrong.text


@pytest.mark.parametrize("role", ["officer", "credit", "billing"])
def test_only_operators_reach_it(signed_in: Callable[[str], Any], page: str, role: str) -> None:
    visitor = signed_in(role)
    assert (visitor.get(page).status_code, visitor.get(f"{page}/apercu").status_code) == (403, 403)

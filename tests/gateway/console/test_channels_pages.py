"""Channels of chat and SMS set up and watched in the console."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.bounces import taking
from gateway.deps import Deps


def test_a_channel_from_first_to_last_click(
    signed_in: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in("tous")
    page = "/reglages/canaux"
    token = visitor.token(page)
    secret = "TIiajkdnlazkcOXrIdevi7FQ"
    made = visitor.post(page, data={"csrf": token, "name": "Cellule relances",
                                    "url": f"slack://T1JJ3T3L2/A1BRTD4JD/{secret}/#relances"})
    assert "Choisissez ce qui y est annoncé" in made.text
    assert "Slack" in made.text
    one = re.search(r'action="(/reglages/canaux/[^"]+)/essai"', made.text)
    assert one is not None
    ruled = visitor.post(f"{one[1]}/regles", data={"csrf": token, "regles": ["approval:credit", "alarm:operator"]})
    assert "Les règles sont enregistrées." in ruled.text
    assert re.search(r'value="approval:credit"[^>]* checked', ruled.text)
    assert 'value="approval:billing"' not in ruled.text, "billing does not see cases"
    assert visitor.post(f"{one[1]}/regles", data={"csrf": token, "regles": ["x:y"]}).status_code == 404
    refused = visitor.post(f"{one[1]}/regles", data={"csrf": token, "regles": ["approval:billing"]})
    assert (refused.status_code, "ne voit pas cela" in refused.text) == (409, True)
    tried = visitor.post(f"{one[1]}/essai", data={"csrf": token})
    assert re.search(r"Message d(&#39;|')essai.*En route", tried.text, re.DOTALL)
    assert "Activer" in visitor.post(f"{one[1]}/desactiver", data={"csrf": token}).text
    assert "Non envoyé" in visitor.get(one[1]).text
    assert "désactivé" in visitor.post(f"{one[1]}/essai", data={"csrf": token}).text
    assert "Actif" in visitor.post(f"{one[1]}/activer", data={"csrf": token}).text
    assert "2 règles" in visitor.get(page).text
    assert not any(secret in visitor.get(where).text for where in (page, one[1], "/journal"))
    assert "Canal de messagerie ajouté" in visitor.get("/journal").text
    assert "derniers." not in visitor.get(one[1]).text
    monkeypatch.setattr("gateway.console.views.channels.SHOWN", 1)
    assert "Les 1 derniers." in visitor.get(one[1]).text
    assert "Cellule" not in visitor.post(f"{one[1]}/supprimer", data={"csrf": token}).text
    assert visitor.get(one[1]).status_code == 404


def test_what_was_typed_stays_but_for_the_url(signed_in: Callable[[str], Any]) -> None:
    visitor = signed_in("tous")
    page = "/reglages/canaux"
    wrong = visitor.post(page, data={"csrf": visitor.token(page), "name": "SMS", "url": "x"})
    assert wrong.status_code == 422
    assert 'value="SMS"' in wrong.text
    assert 'value="x"' not in wrong.text


def test_what_came_back_is_listed_with_what_followed(signed_in: Callable[[str], Any], seeded_deps: Deps) -> None:
    taking.take_in(seeded_deps, b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\n\r\nAbsente")
    page = signed_in("credit").get("/relances/retours").text
    assert "Réponse automatique" in page
    assert "Rien n&#39;a changé" in page
    assert "ni lien de suivi" in page
    assert signed_in("billing").get("/relances/retours").status_code == 403

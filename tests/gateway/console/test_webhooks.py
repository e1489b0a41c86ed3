"""Webhooks set up and watched in the console."""

import re
from collections.abc import Callable
from typing import Any


def test_a_webhook_from_first_to_last_click(signed_in: Callable[[str], Any]) -> None:
    visitor = signed_in("tous")
    page = "/reglages/webhooks"
    token = visitor.token(page)
    refused = visitor.post(page, data={"csrf": token, "url": "http://exemple.fr/"})
    assert refused.status_code == 422
    assert "Seul https est accepté." in refused.text
    assert 'value="http://exemple.fr/"' in refused.text, "what was typed stays"
    made = visitor.post(page, data={"csrf": token, "url": "https://exemple.fr/crochet", "description": "Notre ERP",
                                    "kinds": ["lifecycle", "payment"]})
    secret = re.search(r"whsec_[\w+/=]+", made.text)
    assert secret is not None
    listed = visitor.get(page).text
    assert secret[0] not in listed
    assert "Notre ERP" in listed
    one = re.search(r'href="(/reglages/webhooks/[^"]+)"', listed)
    assert one is not None
    assert "Rien encore" in visitor.get(one[1]).text
    assert "Activer" in visitor.post(f"{one[1]}/desactiver", data={"csrf": token}).text
    assert "Actif" in visitor.post(f"{one[1]}/activer", data={"csrf": token}).text
    renewed = re.search(r"whsec_[\w+/=]+", visitor.post(f"{one[1]}/secret", data={"csrf": token}).text)
    assert renewed is not None
    assert renewed[0] != secret[0]
    assert visitor.post(f"{one[1]}/autre", data={"csrf": token}).status_code == 404
    assert "Notre ERP" not in visitor.post(f"{one[1]}/supprimer", data={"csrf": token}).text
    assert visitor.get(one[1]).status_code == 404
    assert "Webhook supprimé" in visitor.get("/journal").text

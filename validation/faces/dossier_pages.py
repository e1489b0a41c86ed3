"""The printed index of an evidence dossier, in French, by Typst. Belongs into a workshop process, as all that draws."""

import json
import re
from typing import Any, Final

from formats.errors import CannotWrite
from validation.faces.typesetting import printable_data, typeset

LONG_WORD: Final = re.compile(r"([/_.:,@-])(?=\S)")


def as_pdf(account: bytes) -> bytes:
    """The index as PDF/A-2b. `account`: what archive.dossier.telling makes of a dossier, as JSON.

    Raises:
        CannotWrite: Typst refuses, or this is no account.
    """
    try:
        return typeset("dossier.typ", _data(json.loads(account)), "the index", standard="a-2b")
    except (ValueError, KeyError, TypeError) as error:
        raise CannotWrite(f"the index cannot be drawn: {error}") from error


def _data(told: Any) -> dict[str, Any]:
    seals = [
        f"{seal['origin']} : {seal['size']} écritures, horodaté le {seal['at']} par « {seal['authority']} ». Racine "
        f"{seal['root']}. " + (f"Un scellement postérieur, horodaté le {seal['next_at']}, couvre ce jeton."
                               if seal["next_at"] else "Aucun scellement postérieur ne couvre encore ce jeton.")
        for seal in told["seals"]
    ]
    found: dict[str, Any] = printable_data({
        "title": f"Facture {told['invoice']} : dossier de preuve", "made": f"Établi le {told['at']}",
        "day": told["day"],
        **{name: told[name] for name in ("facts", "verdict", "findings", "rule_sets", "missing", "fingerprints")},
        "trail": [[step[name] for name in ("stage", "reference", "at", "proof", "remark")] for step in told["trail"]],
        "timeline": [[moment[name] for name in ("at", "what", "who", "detail")] for moment in told["timeline"]],
        "documents": [[d["title"], f"objects/{d['name']}", str(d["size"]), d["sha256"]] for d in told["documents"]],
        "entries": [[str(entry["seq"]), entry["at"], entry["what"], entry["actor"],
                     [f"{role} {digest}" for role, digest in entry["objects"]]] for entry in told["entries"]],
        "proof": seals,
        "warning": "Horodatage d'une autorité de test, non qualifiée." if told["test_authority"] else "",
    }, LONG_WORD)
    return found

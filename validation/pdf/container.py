"""The container layer: what is odd about the PDF around an invoice. The XML inside is judged by the other layers."""

from collections.abc import Iterator
from typing import Final

from formats.opening import Opened
from validation.findings import Finding, Severity, Text

FRENCH: Final = {
    "name": "nom de la pièce jointe",
    "zugferd1": "ZUGFeRD 1.0, antérieur à EN 16931",
    "several": "plusieurs factures jointes",
    "relationship": "relation de la pièce jointe (AFRelationship)",
    "not-in-af": "pièce jointe absente de la liste /AF",
    "encrypted": "PDF chiffré",
    "damaged": "PDF endommagé",
    "attachment": "autre pièce jointe illisible",
    "active-content": "contenu actif",
}
"""Code of a remark of formats.facturx to what it is about."""

BLOCKING: Final = frozenset({"encrypted", "active-content", "relationship", "not-in-af"})
"""What Factur-X and PDF/A-3 forbid without exception."""


def findings(opened: Opened) -> Iterator[Finding]:
    """One finding per remark of the extraction."""
    for remark in opened.attachment.remarks if opened.attachment is not None else ():
        code, _, text = remark.partition(": ")
        yield Finding(
            rule=f"PAS-PDF-{code.upper()}",
            severity=Severity.ERROR if code in BLOCKING else Severity.WARNING,
            layer="container",
            message=Text(fr=f"{FRENCH.get(code, code).capitalize()} : {text}.", en=f"{text}."),
        )

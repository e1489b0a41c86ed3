"""What only the file shows and the model does not: currencies of amounts, the order of UBL notes, what nobody read.

The other rules see a model that is the same for every syntax; these see the document.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from formats.paths import NAMESPACES, clark
from formats.profiles import Profile, profile_of
from formats.syntax import Syntax
from formats.terms import located
from validation.document import Document
from validation.findings import Severity
from validation.rules.own import Said, said

UBL: Final = frozenset({Syntax.UBL_INVOICE, Syntax.UBL_CREDIT_NOTE})
EXTENDED: Final = frozenset({Profile.EXTENDED, Profile.EXTENDED_CTC_FR})
XML: Final = UBL | {Syntax.CII, Syntax.FACTUR_X}
BINARY: Final = (clark("cbc:EmbeddedDocumentBinaryObject"), clark("ram:AttachmentBinaryObject"))
TOLD: Final = re.compile(r"/@currencyID$|BinaryObject(\[\d+\])?/@\w+$")
"""Paths of what PAS-CUR-01 and PAS-ATT-03 speak of."""

LOOKED_AT: Final = 100
"""So many amounts outside the model are looked at one by one."""

CODED: Final = re.compile(r"#\w{3}#")


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """One rule over a document instead of its model."""

    id: str
    severity: Severity
    check: Callable[[Document], Iterator[Said]]
    source: str
    aliases: tuple[str, ...] = ()
    """Published rules that say the same, of other sets than those that decide."""


def another_currency(document: Document) -> Iterator[Said]:
    """Every amount is in the invoice currency (BT-5), VAT in the accounting currency (BT-111) apart."""
    invoice, root = document.invoice, document.root
    paths = [path for path in document.unmapped if path.endswith("/@currencyID")][:LOOKED_AT]
    if invoice is None or root is None or not paths:
        return
    found = {path: root.getroottree().xpath(f"string({path})", namespaces=NAMESPACES) for path in paths}
    others = [path for path, currency in found.items() if str(currency).strip() not in {"", invoice.currency}]
    if others:
        yield said(
            f"{len(others)} montant(s) dans une autre devise que {invoice.currency} (BT-5) : {others[0]}.",
            f"{len(others)} amount(s) in another currency than {invoice.currency} (BT-5): {others[0]}.",
            "BT-5", declared=invoice.currency, found=str(found[others[0]]), first=others[0], count=str(len(others)),
        )


def note_after_treatment(document: Document) -> Iterator[Said]:
    """In UBL no note without a code follows the treatment: BR-FR-20 reads all notes as one text."""
    texts = [text for _, text in document.terms.get("BG-1", [])] if document.opened.syntax in UBL else []
    treatment = next((place for place, text in enumerate(texts) if text.startswith("#BAR#")), None)
    if treatment is not None and treatment + 1 < len(texts) and not CODED.match(texts[treatment + 1]):
        yield said(
            f"La note qui suit #BAR# n'a pas de code : elle est lue comme la suite du traitement "
            f"(« {texts[treatment + 1][:60]} »).",
            f"The note after #BAR# has no code: it is read as a part of the treatment ({texts[treatment + 1][:60]!r}).",
            "BT-22", value=texts[treatment + 1], treatment=texts[treatment],
        )


def content_nobody_read(document: Document) -> Iterator[Said]:
    """What has no place in the model is sent as it is, and no rule of ours looks at it. Information."""
    unread = [path for path in document.unmapped if not TOLD.search(path)]
    if unread:
        yield said(
            f"{len(unread)} contenu(s) hors du modèle, transmis mais non contrôlés par nos règles : {unread[0]}.",
            f"{len(unread)} content(s) outside the model, sent but not checked by our rules: {unread[0]}.",
            count=str(len(unread)), first=unread[0],
        )


def empty_attachment(document: Document) -> Iterator[Said]:
    """An attachment has content. The model has no empty ones, and our JSON cannot say them."""
    elements = document.root.iter(*BINARY) if document.root is not None and document.opened.syntax in XML else ()
    for element in elements:
        if not (element.text or "").strip():
            name = element.get("filename") or ""
            yield said(
                f"La pièce jointe {name} est vide.",
                f"Attachment {name} is empty.",
                "BT-125", "BG-24", filename=name or None,
            )


def less_than_the_profile(document: Document) -> Iterator[Said]:
    """An EXTENDED profile has something that EN 16931 has no place for. The plainer one reaches more."""
    invoice = document.invoice
    if invoice is None or document.unmapped or profile_of(invoice.specification_identifier) not in EXTENDED:
        return
    if not any(each.term.startswith("EXT-") for each in located(invoice)):
        yield said(
            "Profil EXTENDED annoncé, mais rien n'y dépasse EN 16931.",
            "An EXTENDED profile is claimed, but nothing in it goes beyond EN 16931.",
            "BT-24", value=invoice.specification_identifier, declared=invoice.specification_identifier,
        )


RULES: Final = (
    WrittenRule("PAS-CUR-01", Severity.WARNING, another_currency, "EN 16931-1, BT-5"),
    WrittenRule("PAS-ATT-03", Severity.WARNING, empty_attachment, "DGFiP, annexe 7, motif IRR_VID_PJ"),
    WrittenRule("PAS-NOTE-03", Severity.WARNING, note_after_treatment, "FNFE, BR-FR-20 et BR-FR-31 (UBL)"),
    WrittenRule("PAS-DOC-UNREAD", Severity.INFO, content_nobody_read, "EN 16931-1, modèle sémantique"),
    WrittenRule("PAS-PROF-04", Severity.INFO, less_than_the_profile, "EN 16931-1, BT-24 ; FNFE, EXTENDED-CTC-FR"),
)

"""The one door for untrusted bytes: it says what a document is and where its invoice lies.

Goes by the bytes alone, never by a file name or a media type. What reads PDFs is loaded, by its name, with the first
PDF: it takes longer to load than everything that reads XML.
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree

from formats.errors import NothingInside
from formats.json_form import looks_like_json, parse_json
from formats.paths import NAMESPACES, clark
from formats.profiles import Profile, profile_of
from formats.safexml import parse
from formats.syntax import Syntax

if TYPE_CHECKING:
    from formats.pdf.extraction import Extraction

EXTRACTION: Final = "formats.pdf.extraction"
_PDF_MARK = b"%PDF"
_PDF_MARK_WITHIN = 1024
"""Readers of PDF look this far for the mark; so does whoever wants a file to be taken for something else."""

_SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_ORDER_X = "urn:un:unece:uncefact:data:SCRDMCCBDACIOMessageStructure:100"
_CDAR = "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"

ROOTS = {
    f"{{{NAMESPACES['ubl']}}}Invoice": Syntax.UBL_INVOICE,
    f"{{{NAMESPACES['cn']}}}CreditNote": Syntax.UBL_CREDIT_NOTE,
    f"{{{NAMESPACES['rsm']}}}CrossIndustryInvoice": Syntax.CII,
    f"{{{_CDAR}}}CrossDomainAcknowledgementAndResponse": Syntax.CDAR,
    f"{{{_ORDER_X}}}SCRDMCCBDACIOMessageStructure": Syntax.ORDER_X,
    "{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument": Syntax.ZUGFERD1,
    "Report": Syntax.FLUX10,
}
_UBL_GUIDELINE = clark("cbc:CustomizationID")
_GUIDELINES = tuple(
    f"{context}/{name}/{identifier}"
    for context, name, identifier in (
        ("{*}ExchangedDocumentContext", "{*}GuidelineSpecifiedDocumentContextParameter", "{*}ID"),
        ("{*}SpecifiedExchangedDocumentContext", "{*}GuidelineSpecifiedDocumentContextParameter", "{*}ID"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A document that was recognised, not yet read."""

    syntax: Syntax
    profile: Profile
    specification_identifier: str | None
    """BT-24 verbatim; for other messages what they have in its place."""

    payload: bytes
    """The XML or JSON text: for a PDF the embedded file, for an SBDH envelope the document inside."""

    root: etree._Element | None
    """The parsed payload, if it is XML."""

    attachment: "Extraction | None" = None
    """For a PDF: what was found in it."""


def open_document(document: bytes) -> Opened:
    """Recognise `document`: PDF, JSON or XML of any syntax of the contract.

    Well-formed XML with another root has syntax `unknown`; a PDF with no invoice inside has syntax `pdf` and an
    empty payload. CII inside a PDF is `factur-x`; another XML inside a PDF keeps its own syntax.

    Raises:
        MalformedXml, ForbiddenDoctype, LimitExceeded: see safexml, also for the XML inside a PDF.
        NotExtractable: a PDF that cannot be opened, with the reason.
        BadValue: something that begins like JSON and is not.
    """
    if is_pdf(document):
        return _open_pdf(document)
    if looks_like_json(document):
        return _open_json(document)
    return _open_xml(document)


def is_pdf(document: bytes) -> bool:
    """Whether `document` is opened as a PDF."""
    return _PDF_MARK in document[:_PDF_MARK_WITHIN]


def _open_pdf(document: bytes) -> Opened:
    try:
        attachment: Extraction = importlib.import_module(EXTRACTION).find(document)
    except NothingInside:
        return Opened(
            syntax=Syntax.PDF, profile=Profile.UNKNOWN, specification_identifier=None, payload=b"", root=None,
        )
    inside = _open_xml(attachment.xml)
    return Opened(
        syntax=Syntax.FACTUR_X if inside.syntax is Syntax.CII else inside.syntax, profile=inside.profile,
        specification_identifier=inside.specification_identifier, payload=inside.payload, root=inside.root,
        attachment=attachment,
    )


def _open_json(document: bytes) -> Opened:
    value = parse_json(document)
    identifier = value.get("specification_identifier") if isinstance(value, dict) else None
    if type(identifier) is not str:
        identifier = None
    return Opened(
        syntax=Syntax.JSON, profile=profile_of(identifier), specification_identifier=identifier, payload=document,
        root=None,
    )


def _open_xml(document: bytes) -> Opened:
    root, payload = _unwrap(parse(document), document)
    identifier = specification_identifier(root)
    return Opened(
        syntax=ROOTS.get(str(root.tag), Syntax.UNKNOWN), profile=profile_of(identifier),
        specification_identifier=identifier, payload=payload, root=root,
    )


def specification_identifier(root: etree._Element) -> str | None:
    """BT-24 of an invoice, or the guideline of another UN/CEFACT message, as written; None if absent or empty."""
    found = root.find(_UBL_GUIDELINE)
    for path in _GUIDELINES:
        found = root.find(path) if found is None else found
    return found.text or None if found is not None else None


def _unwrap(root: etree._Element, document: bytes) -> tuple[etree._Element, bytes]:
    """The business document inside an SBDH envelope, on the lines that it had there."""
    if root.tag != f"{{{_SBDH}}}StandardBusinessDocument":
        return root, document
    inside = [child for child in root if child.tag != f"{{{_SBDH}}}StandardBusinessDocumentHeader"]
    if len(inside) != 1:
        return root, document
    blank_lines = b"\n" * max((inside[0].sourceline or 1) - 1, 0)
    payload = blank_lines + etree.tostring(inside[0], encoding="UTF-8", xml_declaration=False, with_tail=False)
    return parse(payload), payload

"""manifest.xml: a dossier as an ArchiveTransfer of SEDA 2.2 (NF Z44-022), for archiving systems that speak it.

One archive unit for the invoice, one below it for each document, in the order of the dossier. The document files keep
their place in objects/ (Uri). Formats are not identified (no PRONOM id). Written for the schema of SEDA 2.2, against
which tests check it where the schema could be had; what a receiving system asks beyond it (its profile, its agreement,
its codes) must be agreed with it.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime

from archive.dossier.package import Dossier
from archive.dossier.telling import Document

NAMESPACE = "fr:gouv:culture:archivesdefrance:seda:v2.2"
MEDIA_TYPES: Mapping[str, str] = {
    "xml": "application/xml", "pdf": "application/pdf", "json": "application/json", "eml": "message/rfc822",
}
LISTS = ("MessageDigestAlgorithmCodeListVersion", "MimeTypeCodeListVersion", "FileFormatCodeListVersion")
"""Versions of code lists that the schema demands to be named; we use no code of another list."""


def manifest_of(dossier: Dossier, at: datetime) -> bytes:
    """The manifest of a dossier. `at`: aware, when it was made."""
    root = ET.Element("ArchiveTransfer", {"xmlns": NAMESPACE})
    add(root, "Comment", f"Dossier de preuve de la facture {dossier.invoice}")
    add(root, "Date", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    add(root, "MessageIdentifier", f"passerelle:{dossier.subjects[0]}:{at:%Y%m%dT%H%M%SZ}")
    versions = ET.SubElement(root, "CodeListVersions")
    for name in LISTS:
        add(versions, name, "SEDA 2.2")
    package = ET.SubElement(root, "DataObjectPackage")
    for number, document in enumerate(dossier.documents, 1):
        package.append(data_object(f"objet-{number}", document))
    described = ET.SubElement(package, "DescriptiveMetadata")
    described.append(unit_of(dossier))
    management = ET.SubElement(package, "ManagementMetadata")
    add(management, "OriginatingAgencyIdentifier", dossier.tenant or "inconnu")
    agency(root, "ArchivalAgency", "a-convenir")
    agency(root, "TransferringAgency", dossier.tenant or "inconnu")
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made


def data_object(name: str, document: Document) -> ET.Element:
    """One file, in a group of its own, as archiving systems expect it."""
    group = ET.Element("DataObjectGroup", {"id": f"groupe-{name}"})
    made = ET.SubElement(group, "BinaryDataObject", {"id": name})
    add(made, "DataObjectVersion", "BinaryMaster_1")
    add(made, "Uri", f"objects/{document.name}")
    add(made, "MessageDigest", document.digest.hex).set("algorithm", "SHA-256")
    add(made, "Size", str(len(document.content)))
    media_type = MEDIA_TYPES.get(document.name.rsplit(".", 1)[-1].lower())
    if media_type:
        add(ET.SubElement(made, "FormatIdentification"), "MimeType", media_type)
    add(ET.SubElement(made, "FileInfo"), "Filename", document.name)
    return group


def unit_of(dossier: Dossier) -> ET.Element:
    """The invoice with its documents below it."""
    unit = ET.Element("ArchiveUnit", {"id": "facture"})
    content = ET.SubElement(unit, "Content")
    add(content, "DescriptionLevel", "File")
    add(content, "Title", f"Facture {dossier.invoice}")
    add(content, "TransferringAgencyArchiveUnitIdentifier", dossier.subjects[0])
    for number, document in enumerate(dossier.documents, 1):
        item = ET.SubElement(unit, "ArchiveUnit", {"id": f"piece-{number}"})
        told = ET.SubElement(item, "Content")
        add(told, "DescriptionLevel", "Item")
        add(told, "Title", document.title)
        add(ET.SubElement(item, "DataObjectReference"), "DataObjectGroupReferenceId", f"groupe-objet-{number}")
    return unit


def agency(parent: ET.Element, name: str, identifier: str) -> None:
    """An organisation by its identifier."""
    add(ET.SubElement(parent, name), "Identifier", identifier)


def add(parent: ET.Element, name: str, text: str) -> ET.Element:
    """A child with a text, free of what XML 1.0 cannot hold."""
    child = ET.SubElement(parent, name)
    child.text = "".join(char if char.isprintable() or char in "\t\n" else "\ufffd" for char in text)
    return child

"""A report as SVRL, for programs that read Schematron results."""

import re
from typing import Final

from lxml import etree

from validation.findings import Report

NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SVRL: Final = "http://purl.oclc.org/dsdl/svrl"


def as_svrl(file: str, report: Report) -> str:
    """One SVRL document, with one pattern per layer."""
    root = etree.Element(f"{{{SVRL}}}schematron-output", title=_clean(file), nsmap={"svrl": SVRL})
    for layer in report.layers:
        pattern = etree.SubElement(root, f"{{{SVRL}}}active-pattern", id=layer.layer, role=layer.outcome.value)
        pattern.set("name", _clean(layer.rule_set or layer.reason or layer.layer))
        for finding in (f for f in report.findings if f.layer == layer.layer):
            attributes = {"id": finding.rule, "flag": finding.severity.value, "location": finding.location or ""}
            failed = etree.SubElement(root, f"{{{SVRL}}}failed-assert", {k: _clean(v) for k, v in attributes.items()})
            failed.set("test", "")
            for language, text in (("fr", finding.message.fr), ("en", finding.message.en)):
                element = etree.SubElement(failed, f"{{{SVRL}}}text")
                element.set("{http://www.w3.org/XML/1998/namespace}lang", language)
                element.text = _clean(text)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def _clean(text: str) -> str:
    """XML cannot hold control characters and lone surrogates; file names can."""
    return NOT_XML.sub("\ufffd", text)

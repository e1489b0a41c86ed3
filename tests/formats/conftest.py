"""The published CDAR schema and rules as foreign oracles."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import invoices.py and corpus.py beside them

from packages import package_folder

SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


@pytest.fixture(scope="session")
def cdar_schema() -> etree.XMLSchema:
    folder = package_folder("pyfrctc") / "cdar-xsd"
    return etree.XMLSchema(file=folder / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")


@pytest.fixture(scope="session")
def cdar_rules() -> Callable[[bytes], list[str]]:
    """What the published CDAR rules say about a message: the texts of the failed assertions."""
    processor = PySaxonProcessor(license=False)
    path = package_folder("pyfrctc") / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"
    rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))

    def failures(document: bytes) -> list[str]:
        node = processor.parse_xml(xml_text=document.decode())
        svrl = etree.fromstring(rules.transform_to_string(xdm_node=node).encode())
        assert svrl.findall("svrl:fired-rule", SVRL)
        return ["".join(text.itertext()).strip() for text in svrl.iterfind("svrl:failed-assert/svrl:text", SVRL)]

    return failures

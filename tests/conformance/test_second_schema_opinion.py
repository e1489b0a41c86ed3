"""What lxml calls schema-valid is so for xmlschema too, which shares no code with it; and the same for faults."""

from datetime import date
from functools import cache

import pytest
import xmlschema
from lxml import etree

from formats.order import schema_file
from formats.syntax import Syntax, ubl_syntax_of, write
from gateway.commands.demo_invoices import GOODS, SERVICES, invoice

TODAY = date(2026, 11, 23)
SCHEMAS = {
    Syntax.UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    Syntax.UBL_CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    Syntax.CII: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}


@cache
def opinions(syntax: Syntax) -> tuple[xmlschema.XMLSchema, etree.XMLSchema]:
    path = str(schema_file(SCHEMAS[syntax]))
    return xmlschema.XMLSchema(path), etree.XMLSchema(etree.parse(path))


@pytest.mark.parametrize("sold", [GOODS, SERVICES], ids=["goods", "services"])
@pytest.mark.parametrize("syntax", list(SCHEMAS))
def test_both_agree(syntax: Syntax, sold) -> None:
    made = invoice("X-1", "approve", sold, TODAY, type_code="381" if syntax is Syntax.UBL_CREDIT_NOTE else "380")
    document = write(made, syntax)
    assert syntax is Syntax.CII or ubl_syntax_of(made) is syntax
    foreign, ours = opinions(syntax)
    assert ours.validate(etree.fromstring(document))
    assert foreign.is_valid(document)
    verdicts = [ours.validate(etree.fromstring(wrong)) for wrong in spoiled(document)]
    assert verdicts == [foreign.is_valid(wrong) for wrong in spoiled(document)]
    assert verdicts.count(False) >= 2


def spoiled(document: bytes) -> list[bytes]:
    """The document without its second element, with its children in another order, and with an unknown element."""
    roots = [etree.fromstring(document) for _ in range(3)]
    roots[0].remove(roots[0][1])
    roots[1].insert(0, roots[1][-1])
    etree.SubElement(roots[2], "unknown")
    return [etree.tostring(root) for root in roots]

"""What EN 16931 says of the CII file and Factur-X's rules do not: terms that may stand once, a scheme that is empty.

CEN/TC 434 has a rule for each, with an id that findings here carry as an alias; Factur-X's edition for CII has none.
Where CEN's own rules were added they say the same, and the finding stands twice.
"""

from collections.abc import Iterator
from typing import Final

from formats.paths import NAMESPACES
from formats.syntax import Syntax
from validation.document import Document
from validation.findings import Severity
from validation.rules.own import Said, said
from validation.rules.written import WrittenRule

CII: Final = frozenset({Syntax.CII, Syntax.FACTUR_X})
_SETTLEMENT: Final = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement"
_LINE: Final = "rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem"
_TAX_POINT: Final = f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:TaxPointDate/udt:DateString"
_TAX_POINT_CODE: Final = f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:DueDateTypeCode"
_CLASSIFICATION: Final = f"{_LINE}/ram:SpecifiedTradeProduct/ram:DesignatedProductClassification/ram:ClassCode"


def several_tax_points(document: Document) -> Iterator[Said]:
    """The invoice has one VAT point date (BT-7), although CII has a place for one in each VAT breakdown."""
    dates = _texts(document, _TAX_POINT)
    if len(dates) > 1:
        yield said(
            f"Date d'exigibilité de la TVA (BT-7) écrite {len(dates)} fois : {', '.join(dates)}.",
            f"VAT point date (BT-7) written {len(dates)} times: {', '.join(dates)}.",
            "BT-7", value=dates[1], first=dates[0], count=str(len(dates)),
        )


def several_tax_point_codes(document: Document) -> Iterator[Said]:
    """The invoice has one VAT point date code (BT-8): every breakdown that gives one gives the same."""
    codes = list(dict.fromkeys(_texts(document, _TAX_POINT_CODE)))
    if len(codes) > 1:
        yield said(
            f"Codes d'exigibilité de la TVA (BT-8) différents selon la ventilation : {', '.join(codes)}.",
            f"VAT point date codes (BT-8) that differ between breakdowns: {', '.join(codes)}.",
            "BT-8", value=codes[1], first=codes[0], found=", ".join(codes),
        )


def classification_without_scheme(document: Document) -> Iterator[Said]:
    """Each item classification (BT-158) says which list it is from. Factur-X is content when one of them does."""
    if document.root is None or document.opened.syntax not in CII:
        return
    for element in document.root.iterfind(_CLASSIFICATION, NAMESPACES):
        if element.get("listID") is not None and not element.get("listID", "").strip():
            code = (element.text or "").strip()
            yield said(
                f"Classification « {code} » (BT-158) dont la liste (BT-158-1) est vide.",
                f"Item classification {code!r} (BT-158) whose list (BT-158-1) is empty.",
                "BT-158", value=code,
            )


def _texts(document: Document, path: str) -> list[str]:
    if document.root is None or document.opened.syntax not in CII:
        return []
    return [(element.text or "").strip() for element in document.root.iterfind(path, NAMESPACES)]


RULES: Final = (
    WrittenRule("PAS-TERM-01", Severity.ERROR, several_tax_points, "EN 16931-1, BT-7 ; CEN/TC 434, CII-SR-461",
                aliases=("CII-SR-461",)),
    WrittenRule("PAS-TERM-02", Severity.ERROR, several_tax_point_codes, "EN 16931-1, BT-8 ; CEN/TC 434, CII-SR-462",
                aliases=("CII-SR-462",)),
    WrittenRule("PAS-TERM-03", Severity.ERROR, classification_without_scheme, "EN 16931-1, BR-65 ; CEN/TC 434",
                aliases=("BR-65", "BR-CL-13")),
)

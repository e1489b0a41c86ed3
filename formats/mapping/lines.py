"""Invoice lines BG-25 to BG-32."""

from formats import quirks
from formats.invoice import (
    AllowanceCharge,
    Identifier,
    Item,
    ItemAttribute,
    ItemIdentifier,
    Line,
    Note,
    Period,
    Price,
    PriceDiscount,
)
from formats.mapping.extensions import LINE_DELIVERY, LINE_REFERENCES, LINE_SELLER, LINE_TOTALS, SUB_LINE
from formats.rows import Group, Kind, Row

DOCUMENT = "ram:AssociatedDocumentLineDocument/"
AGREEMENT = "ram:SpecifiedLineTradeAgreement/"
SETTLEMENT = "ram:SpecifiedLineTradeSettlement/"
UBL_VAT = "cac:Item/cac:ClassifiedTaxCategory[cac:TaxScheme/cbc:ID='VAT']"
CII_VAT = SETTLEMENT + "ram:ApplicableTradeTax[ram:TypeCode='VAT']"
UBL_DISCOUNT = "cac:AllowanceCharge[cbc:ChargeIndicator='false']"
CII_DISCOUNT = "ram:GrossPriceProductTradePrice/ram:AppliedTradeAllowanceCharge[ram:ChargeIndicator/udt:Indicator='false']"


def reason_code(group: str, term: str, charge: str) -> tuple[Row, ...]:
    """The code of the reason; of a charge also, in its place, the code of a tax that is not VAT."""
    ubl, cii = "cbc:AllowanceChargeReasonCode", "ram:ReasonCode"
    if charge == "false":
        return (Row(term, "reason_code", Kind.TEXT, ubl=ubl, cii=cii),)
    return (
        Row(term, "reason_code", Kind.TEXT, ubl=ubl + "[@listID!='5153']", cii=cii + "[@listID!='5153']"),
        Row(f"EXT-{group} tax_code", "tax_code", Kind.TEXT, ubl=ubl + "[@listID='5153']", cii=cii + "[@listID='5153']"),
    )


def allowance_charge(group: str, field: str, charge: str, terms: tuple[str, str, str, str, str]) -> Group:
    """Line level: amount, base, percentage, reason, reason code."""
    amount, base, percentage, reason, code = terms
    return Group(
        group, field, AllowanceCharge, many=True,
        ubl=f"cac:AllowanceCharge[cbc:ChargeIndicator='{charge}']",
        cii=f"{SETTLEMENT}ram:SpecifiedTradeAllowanceCharge[ram:ChargeIndicator/udt:Indicator='{charge}']",
        rows=(
            Row(amount, "amount", Kind.AMOUNT, ubl="cbc:Amount", cii="ram:ActualAmount"),
            Row(base, "base_amount", Kind.AMOUNT, ubl="cbc:BaseAmount", cii="ram:BasisAmount"),
            Row(percentage, "percentage", Kind.DECIMAL, ubl="cbc:MultiplierFactorNumeric", cii="ram:CalculationPercent"),
            Row(reason, "reason", Kind.TEXT, ubl="cbc:AllowanceChargeReason", cii="ram:Reason"),
            *reason_code(group, code, charge),
        ),
    )


BG_29 = Group(
    "BG-29", "price", Price, ubl="cac:Price", cii="ram:SpecifiedLineTradeAgreement",
    rows=(
        Row("BT-146", "net", Kind.AMOUNT, ubl="cbc:PriceAmount", cii="ram:NetPriceProductTradePrice/ram:ChargeAmount"),
        Row("BT-147", "discount", Kind.AMOUNT, ubl=quirks.DISCOUNT, cii=CII_DISCOUNT + "/ram:ActualAmount", of_first=True),
        Row("EXT-FR-FE-195", "discount_reason", Kind.TEXT, ubl=UBL_DISCOUNT + "/cbc:AllowanceChargeReason", cii=CII_DISCOUNT + "/ram:Reason", of_first=True),
        Row("EXT-FR-FE-196", "discount_reason_code", Kind.TEXT, ubl=UBL_DISCOUNT + "/cbc:AllowanceChargeReasonCode", cii=CII_DISCOUNT + "/ram:ReasonCode", of_first=True),
        Group(
            "EXT-BG-29 further_discounts", "further_discounts", PriceDiscount, many=True, beyond_first=True, ubl=UBL_DISCOUNT, cii=CII_DISCOUNT,
            rows=(
                Row("EXT-BG-29 amount", "amount", Kind.AMOUNT, ubl="cbc:Amount", cii="ram:ActualAmount"),
                Row("EXT-BG-29 reason", "reason", Kind.TEXT, ubl="cbc:AllowanceChargeReason", cii="ram:Reason"),
                Row("EXT-BG-29 reason_code", "reason_code", Kind.TEXT, ubl="cbc:AllowanceChargeReasonCode", cii="ram:ReasonCode"),
            ),
        ),
        Row("BT-148", "gross", Kind.AMOUNT, ubl=quirks.GROSS, cii="ram:GrossPriceProductTradePrice/ram:ChargeAmount"),
        Row("BT-149", "base_quantity", Kind.DECIMAL, ubl="cbc:BaseQuantity", cii=quirks.BASE_QUANTITY),
        Row("BT-150", "base_quantity_unit", Kind.TEXT, ubl="cbc:BaseQuantity/@unitCode", cii=quirks.BASE_UNIT),
    ),
)

BG_31 = Group(
    "BG-31", "item", Item, ubl="cac:Item", cii="ram:SpecifiedTradeProduct",
    rows=(
        Row("BT-153", "name", Kind.TEXT, ubl="cbc:Name", cii="ram:Name"),
        Row("BT-154", "description", Kind.TEXT, ubl="cbc:Description", cii="ram:Description"),
        Row("BT-155", "seller_identifier", Kind.TEXT, ubl="cac:SellersItemIdentification/cbc:ID", cii="ram:SellerAssignedID"),
        Row("BT-156", "buyer_identifier", Kind.TEXT, ubl="cac:BuyersItemIdentification/cbc:ID", cii="ram:BuyerAssignedID"),
        Row("BT-157", "standard_identifier", Kind.IDENTIFIER, ubl="cac:StandardItemIdentification/cbc:ID", cii="ram:GlobalID"),
        Group(
            "BT-158", "classifications", ItemIdentifier, many=True, ubl="cac:CommodityClassification", cii="ram:DesignatedProductClassification",
            rows=(
                Row("BT-158", "value", Kind.TEXT, ubl="cbc:ItemClassificationCode", cii="ram:ClassCode"),
                Row("BT-158-1", "scheme", Kind.TEXT, ubl="cbc:ItemClassificationCode/@listID", cii="ram:ClassCode/@listID"),
                Row("BT-158-2", "scheme_version", Kind.TEXT, ubl="cbc:ItemClassificationCode/@listVersionID", cii="ram:ClassCode/@listVersionID"),
                Row("EXT-BT-158 name", "name", Kind.TEXT, ubl="cbc:ItemClassificationCode/@name", cii="ram:ClassName"),
            ),
        ),
        Row("BT-159", "origin_country", Kind.TEXT, ubl="cac:OriginCountry/cbc:IdentificationCode", cii="ram:OriginTradeCountry/ram:ID"),
        Group(
            "BG-32", "attributes", ItemAttribute, many=True, ubl="cac:AdditionalItemProperty[cbc:Name!=''|'NA']", cii="ram:ApplicableProductCharacteristic",
            whole=frozenset({"name", "value"}),
            rows=(
                Row("BT-160", "name", Kind.TEXT, ubl=quirks.ATTRIBUTE_NAME, cii="ram:Description"),
                Row("EXT-FR-FE-159", "code", Kind.TEXT, ubl="cbc:NameCode", cii="ram:TypeCode"),
                Row("BT-161", "value", Kind.TEXT, ubl="cbc:Value", cii="ram:Value"),
                Row("EXT-FR-FE-160", "measure", Kind.DECIMAL, ubl="cbc:ValueQuantity", cii="ram:ValueMeasure"),
                Row("EXT-FR-FE-161", "measure_unit", Kind.TEXT, ubl="cbc:ValueQuantity/@unitCode", cii="ram:ValueMeasure/@unitCode"),
            ),
        ),
    ),
)

BG_25 = Group(
    "BG-25", "lines", Line, many=True, ubl="cac:InvoiceLine", credit="cac:CreditNoteLine",
    cii="rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem",
    nested=("cac:SubInvoiceLine", "cac:SubCreditNoteLine"),
    rows=(
        Row("BT-126", "id", Kind.TEXT, ubl="cbc:ID", cii=DOCUMENT + "ram:LineID"),
        *SUB_LINE,
        Group(
            "BT-127 notes", "notes", Note, many=True, ubl=quirks.NOTES, cii=DOCUMENT + "ram:IncludedNote",
            rows=(
                Row("EXT-FR-FE-183", "subject_code", Kind.TEXT, ubl=quirks.NOTES, cii="ram:SubjectCode"),
                Row("BT-127", "text", Kind.TEXT, ubl=quirks.NOTES, cii="ram:Content"),
            ),
        ),
        Group(
            "BT-128", "object_identifiers", Identifier, many=True,
            ubl="cac:DocumentReference[cbc:DocumentTypeCode='130']",
            cii=SETTLEMENT + "ram:AdditionalReferencedDocument[ram:TypeCode='130']",
            rows=(
                Row("BT-128", "value", Kind.TEXT, ubl="cbc:ID", cii="ram:IssuerAssignedID"),
                Row("BT-128", "scheme", Kind.TEXT, ubl="cbc:ID/@schemeID", cii="ram:ReferenceTypeCode"),
            ),
        ),
        Row("BT-129", "quantity", Kind.DECIMAL, ubl="cbc:InvoicedQuantity", credit="cbc:CreditedQuantity", cii="ram:SpecifiedLineTradeDelivery/ram:BilledQuantity"),
        Row("BT-130", "unit", Kind.TEXT, ubl="cbc:InvoicedQuantity/@unitCode", credit="cbc:CreditedQuantity/@unitCode", cii="ram:SpecifiedLineTradeDelivery/ram:BilledQuantity/@unitCode"),
        Row("BT-131", "net_amount", Kind.AMOUNT, ubl="cbc:LineExtensionAmount", cii=SETTLEMENT + "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"),
        *LINE_TOTALS,
        Row("BT-132", "purchase_order_line", Kind.TEXT, ubl=quirks.ORDER_LINE, cii=AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:LineID"),
        *LINE_REFERENCES,
        Row("BT-133", "buyer_accounting_reference", Kind.TEXT, ubl="cbc:AccountingCost", cii=SETTLEMENT + "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
        *LINE_DELIVERY,
        LINE_SELLER,
        Group(
            "BG-26", "period", Period, ubl="cac:InvoicePeriod", cii=SETTLEMENT + "ram:BillingSpecifiedPeriod",
            rows=(
                Row("BT-134", "start", Kind.DATE, ubl="cbc:StartDate", cii="ram:StartDateTime/udt:DateTimeString"),
                Row("BT-135", "end", Kind.DATE, ubl="cbc:EndDate", cii="ram:EndDateTime/udt:DateTimeString"),
            ),
        ),
        allowance_charge("BG-27", "allowances", "false", ("BT-136", "BT-137", "BT-138", "BT-139", "BT-140")),
        allowance_charge("BG-28", "charges", "true", ("BT-141", "BT-142", "BT-143", "BT-144", "BT-145")),
        BG_29,
        Row("BT-151", "vat_category", Kind.TEXT, ubl=UBL_VAT + "/cbc:ID", cii=CII_VAT + "/ram:CategoryCode"),
        Row("BT-152", "vat_rate", Kind.DECIMAL, ubl=UBL_VAT + "/cbc:Percent", cii=CII_VAT + "/ram:RateApplicablePercent"),
        Row("EXT-FR-FE-178", "exemption_reason", Kind.TEXT, ubl=UBL_VAT + "/cbc:TaxExemptionReason", cii=CII_VAT + "/ram:ExemptionReason"),
        Row("EXT-FR-FE-179", "exemption_reason_code", Kind.VATEX, ubl=UBL_VAT + "/cbc:TaxExemptionReasonCode", cii=CII_VAT + "/ram:ExemptionReasonCode"),
        BG_31,
    ),
)

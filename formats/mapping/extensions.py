"""What EXTENDED-CTC-FR adds to EN 16931: third parties, delivery terms, sub-lines, references and sellers of lines.

After the contexts of the published rules EXTENDED-CTC-FR and BR-FR; the numbers that those do not name are the ones of
the factur-x package. Terms without a published number are named after their group and field.
"""

from formats import quirks
from formats.invoice import Delivery, DeliveryTerms, LinePrecedingInvoice, Party
from formats.mapping.parties import address, contact, extended_address, third_party, vat_identifier
from formats.rows import Absent, Group, Kind, Row

TRADE = "rsm:SupplyChainTradeTransaction/"
AGREEMENT = TRADE + "ram:ApplicableHeaderTradeAgreement/"
SETTLEMENT = TRADE + "ram:ApplicableHeaderTradeSettlement/"
LINE_AGREEMENT = "ram:SpecifiedLineTradeAgreement/"
LINE_DELIVERIES = "ram:SpecifiedLineTradeDelivery/"
LINE_SETTLEMENT = "ram:SpecifiedLineTradeSettlement/"
LINE_SUMMATION = LINE_SETTLEMENT + "ram:SpecifiedTradeSettlementLineMonetarySummation/"

NAMED_ELSEWHERE = {
    "EXT-FR-FE-07": "scheme of EXT-FR-FE-06",
    "EXT-FR-FE-47": "scheme of EXT-FR-FE-46",
    "EXT-FR-FE-70": "scheme of EXT-FR-FE-69",
    "EXT-FR-FE-92-1": "scheme of EXT-FR-FE-92",
    "EXT-FR-FE-116": "scheme of EXT-FR-FE-115",
    "EXT-FR-FE-148": "scheme of EXT-FR-FE-146",
    "EXT-FR-FE-134": "the CII rules call BT-134 so, the start of the line's period; the UBL rules call it BT-134",
}
"""Numbers that the published rules name and that are no row of their own, and why.

The CII rules call BT-135 EXT-FR-FE-135 as well; that number is the line's purchase order.
"""

THIRD_PARTIES = (
    third_party("EXT-FR-FE-BG-03", "sales_agent", "cac:AccountingSupplierParty/cac:Party/cac:AgentParty", AGREEMENT + "ram:SalesAgentTradeParty", identifiers="EXT-FR-FE-69", electronic_address="EXT-FR-FE-75"),
    third_party("EXT-FR-FE-BG-01", "buyer_agent", "cac:AccountingCustomerParty/cac:Party/cac:AgentParty", AGREEMENT + "ram:BuyerAgentTradeParty", identifiers="EXT-FR-FE-06", electronic_address="EXT-FR-FE-12"),
    third_party("EXT-FR-FE-BG-05", "invoicer", "cac:AccountingSupplierParty/cac:Party/cac:ServiceProviderParty/cac:Party", SETTLEMENT + "ram:InvoicerTradeParty", identifiers="EXT-FR-FE-115", electronic_address="EXT-FR-FE-121"),
    third_party("EXT-FR-FE-BG-04", "invoicee", "cac:AccountingCustomerParty/cac:Party/cac:ServiceProviderParty/cac:Party", SETTLEMENT + "ram:InvoiceeTradeParty", identifiers="EXT-FR-FE-92", electronic_address="EXT-FR-FE-98"),
)

# After BG-16: UBL has the payer in a payment means, which the transfers make.
PAYER = third_party("EXT-FR-FE-BG-02", "payer", "cac:PaymentMeans[cbc:PaymentMeansCode!=''|'1']/cac:PaymentMandate/cac:PayerParty", SETTLEMENT + "ram:PayerTradeParty", identifiers="EXT-FR-FE-46", electronic_address="EXT-FR-FE-52")


def delivery_terms(group: str, code: str, location: str, cii: str) -> Group:
    """Incoterms."""
    return Group(
        group, "delivery_terms", DeliveryTerms, ubl="cac:DeliveryTerms", cii=cii + "ram:ApplicableTradeDeliveryTerms",
        rows=(
            Row(code, "code", Kind.TEXT, ubl="cbc:ID", cii="ram:DeliveryTypeCode"),
            Row(location, "location", Kind.TEXT, ubl="cac:DeliveryLocation/cbc:Name", cii="ram:RelevantTradeLocation/ram:Name"),
        ),
    )


DELIVERY_TERMS = delivery_terms("EXT-FR-FE-BG-14", "EXT-FR-FE-185", "EXT-FR-FE-186", AGREEMENT)

# UBL 2.1 has no sub-lines of the kind that count in the sums: a line refers to its own invoice instead.
OWN = "cac:BillingReference[cac:InvoiceDocumentReference/cbc:ID=$number]"
SUB_LINE = (
    Row("EXT-FR-FE-162", "parent", Kind.TEXT, ubl=OWN + "/cac:BillingReferenceLine/cbc:ID", cii="ram:AssociatedDocumentLineDocument/ram:ParentLineID"),
    Row("EXT-FR-FE-163", "subtype", Kind.TEXT, ubl=OWN + "/cac:InvoiceDocumentReference/cbc:DocumentStatusCode", cii="ram:AssociatedDocumentLineDocument/ram:LineStatusReasonCode"),
)

LINE_TOTALS = (
    Row("EXT-FR-FE-181", "vat_amount", Kind.AMOUNT, ubl="cac:TaxTotal[cbc:TaxAmount/@currencyID=$doc]/cbc:TaxAmount", cii=LINE_SUMMATION + "ram:TaxTotalAmount[@currencyID=$doc]"),
    Row("EXT-FR-FE-182", "vat_in_accounting_currency", Kind.AMOUNT, ubl="cac:TaxTotal[cbc:TaxAmount/@currencyID=$tax]/cbc:TaxAmount", cii=LINE_SUMMATION + "ram:TaxTotalAmount[@currencyID=$tax]"),
    Row("EXT-FR-FE-184", "amount_with_vat", Kind.AMOUNT, ubl=Absent("the rules name cbc:TaxInclusiveLineExtensionAmount, which UBL 2.1 does not have"), cii=LINE_SUMMATION + "ram:GrandTotalAmount"),
)

ORDER = "cac:OrderLineReference[cbc:LineID!=''|'NA']/"
DESPATCH = "cac:DespatchLineReference[cbc:LineID!=''|'NA']/"
LINE_REFERENCES = (
    Row("EXT-FR-FE-135", "purchase_order_reference", Kind.TEXT, ubl=quirks.LINE_ORDER, cii=LINE_AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
    Row("EXT-FR-FE-200", "purchase_order_date", Kind.DATE, ubl=ORDER + "cac:OrderReference[cbc:ID!=''|'NA']/cbc:IssueDate", cii=LINE_AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString"),
    Row("EXT-FR-FE-145", "sales_order_line", Kind.TEXT, ubl=ORDER + "cbc:SalesOrderLineID", cii=LINE_AGREEMENT + "ram:SellerOrderReferencedDocument/ram:LineID"),
    Row("EXT-FR-FE-144", "sales_order_reference", Kind.TEXT, ubl=ORDER + "cac:OrderReference[cbc:ID!=''|'NA']/cbc:SalesOrderID", cii=LINE_AGREEMENT + "ram:SellerOrderReferencedDocument/ram:IssuerAssignedID"),
    Row("EXT-FR-FE-141", "despatch_advice_line", Kind.TEXT, ubl=quirks.DESPATCH_LINE, cii=LINE_DELIVERIES + "ram:DespatchAdviceReferencedDocument/ram:LineID"),
    Row("EXT-FR-FE-140", "despatch_advice_reference", Kind.TEXT, ubl=DESPATCH + "cac:DocumentReference/cbc:ID", cii=LINE_DELIVERIES + "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID"),
    Group(
        "EXT-FR-FE-136 preceding_invoices", "preceding_invoices", LinePrecedingInvoice, many=True,
        ubl="cac:BillingReference[cac:InvoiceDocumentReference/cbc:ID!=$number]", cii=LINE_SETTLEMENT + "ram:InvoiceReferencedDocument",
        rows=(
            Row("EXT-FR-FE-136", "number", Kind.TEXT, ubl="cac:InvoiceDocumentReference/cbc:ID", cii="ram:IssuerAssignedID"),
            Row("EXT-FR-FE-137", "type_code", Kind.TEXT, ubl="cac:InvoiceDocumentReference/cbc:DocumentTypeCode", cii="ram:TypeCode"),
            Row("EXT-FR-FE-138", "issue_date", Kind.DATE, ubl="cac:InvoiceDocumentReference/cbc:IssueDate", cii="ram:FormattedIssueDateTime/qdt:DateTimeString"),
            Row("EXT-FR-FE-139", "line", Kind.TEXT, ubl="cac:BillingReferenceLine/cbc:ID", cii="ram:LineID"),
        ),
    ),
)

BG_10 = "EXT-FR-FE-BG-10"
LINE_DELIVERY = (
    Group(
        BG_10, "delivery", Delivery, ubl="cac:Delivery", cii="ram:SpecifiedLineTradeDelivery",
        rows=(
            Row(f"{BG_10} party_name", "party_name", Kind.TEXT, ubl="cac:DeliveryParty/cac:PartyName/cbc:Name", cii="ram:ShipToTradeParty/ram:Name"),
            Row("EXT-FR-FE-146", "location", Kind.IDENTIFIER, ubl="cac:DeliveryLocation/cbc:ID", cii=quirks.CII_LOCATION_ID),
            Row("EXT-FR-FE-158", "actual_date", Kind.DATE, ubl="cbc:ActualDeliveryDate", cii="ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString"),
            Row(f"{BG_10} electronic_address", "electronic_address", Kind.IDENTIFIER, ubl="cac:DeliveryParty/cbc:EndpointID", cii="ram:ShipToTradeParty/ram:URIUniversalCommunication/ram:URIID"),
            contact(f"{BG_10} contact", f"{BG_10} contact name", f"{BG_10} telephone", f"{BG_10} email", ubl="cac:DeliveryParty/", cii="ram:ShipToTradeParty/"),
            address(
                f"{BG_10} address",
                (f"{BG_10} line_1", f"{BG_10} line_2", f"{BG_10} line_3", f"{BG_10} city", f"{BG_10} post_code", f"{BG_10} country_subdivision", f"{BG_10} country"),
                ubl="cac:DeliveryLocation/cac:Address", cii="ram:ShipToTradeParty/ram:PostalTradeAddress",
            ),
        ),
    ),
    delivery_terms("EXT-FR-FE-193 delivery_terms", "EXT-FR-FE-193", "EXT-FR-FE-194", LINE_AGREEMENT),
)

BG_12 = "EXT-FR-FE-BG-12"
LINE_SELLER = Group(
    BG_12, "seller", Party, ubl="cac:Item/cac:ManufacturerParty", cii=LINE_AGREEMENT + "ram:ItemSellerTradeParty",
    rows=(
        Row("EXT-FR-FE-164", "name", Kind.TEXT, ubl="cac:PartyLegalEntity/cbc:RegistrationName", cii="ram:Name"),
        Row(f"{BG_12} trading_name", "trading_name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        Row(f"{BG_12} identifiers", "identifiers", Kind.IDENTIFIER, ubl=quirks.UBL_PARTY_IDS, cii=quirks.CII_PARTY_IDS),
        Row("EXT-FR-FE-167", "legal_registration", Kind.IDENTIFIER, ubl="cac:PartyLegalEntity/cbc:CompanyID", cii="ram:SpecifiedLegalOrganization/ram:ID"),
        vat_identifier(f"{BG_12} vat_identifier"),
        Row(f"{BG_12} tax_registration", "tax_registration", Kind.TEXT, ubl="cac:PartyTaxScheme[cac:TaxScheme/cbc:ID!='VAT'|'TAX']/cbc:CompanyID", cii="ram:SpecifiedTaxRegistration[ram:ID/@schemeID='FC']/ram:ID"),
        Row(f"{BG_12} electronic_address", "electronic_address", Kind.IDENTIFIER, ubl="cbc:EndpointID", cii="ram:URIUniversalCommunication/ram:URIID"),
        extended_address(BG_12, country="EXT-FR-FE-177"),
    ),
)

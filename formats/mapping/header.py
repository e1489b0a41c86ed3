"""Document level terms BT-1 to BT-26 with what the French extension adds to their references, delivery BG-13, period BG-14, supporting documents BG-24.

UBL after the CEN binding CEN/TS 16931-3-2, CII after CEN/TS 16931-3-3, in the words of the published rules' contexts.
"""

from formats import quirks
from formats.invoice import (
    Attachment,
    CashDiscount,
    CurrencyExchange,
    Delivery,
    DeliveryNote,
    Identifier,
    Note,
    Period,
    PrecedingInvoice,
    SupportingDocument,
)
from formats.mapping.parties import address, contact
from formats.rows import Group, Kind, Row

CONTEXT = "rsm:ExchangedDocumentContext/"
DOCUMENT = "rsm:ExchangedDocument/"
TRADE = "rsm:SupplyChainTradeTransaction/"
AGREEMENT = TRADE + "ram:ApplicableHeaderTradeAgreement/"
DELIVERY = TRADE + "ram:ApplicableHeaderTradeDelivery/"
SETTLEMENT = TRADE + "ram:ApplicableHeaderTradeSettlement/"
TERMS = SETTLEMENT + "ram:SpecifiedTradePaymentTerms/"

# The code 270 of UNTDID 1001, in words: beside DocumentTypeCode UBL-SR-43 wants 130 or 50. What is called otherwise is a
# supporting document.
NOTE = "Delivery note (270)"
NOT_MAIN = f"[cbc:DocumentTypeCode!='130'][cbc:DocumentType!='{NOTE}']"
NOT_MAIN_CREDIT = NOT_MAIN + "[cbc:DocumentTypeCode!='50']"

IDENTIFICATION = (
    Row("BT-1", "number", Kind.TEXT, ubl="cbc:ID", cii=DOCUMENT + "ram:ID"),
    Row("BT-2", "issue_date", Kind.DATE, ubl="cbc:IssueDate", cii=DOCUMENT + "ram:IssueDateTime/udt:DateTimeString"),
    Row("BT-3", "type_code", Kind.TEXT, ubl="cbc:InvoiceTypeCode", credit="cbc:CreditNoteTypeCode", cii=DOCUMENT + "ram:TypeCode"),
    Row("EXT-BT-3 document_name", "document_name", Kind.TEXT, ubl="cbc:InvoiceTypeCode/@name", credit="cbc:CreditNoteTypeCode/@name", cii=DOCUMENT + "ram:Name"),
    Row("BT-5", "currency", Kind.TEXT, ubl="cbc:DocumentCurrencyCode", cii=SETTLEMENT + "ram:InvoiceCurrencyCode"),
    Row("BT-6", "vat_currency", Kind.TEXT, ubl="cbc:TaxCurrencyCode", cii=SETTLEMENT + "ram:TaxCurrencyCode"),
    Row("BT-23", "business_process", Kind.TEXT, ubl="cbc:ProfileID", cii=CONTEXT + "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
    Row("BT-24", "specification_identifier", Kind.TEXT, ubl="cbc:CustomizationID", cii=CONTEXT + "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"),
)

REFERENCES = (
    Row("BT-10", "buyer_reference", Kind.TEXT, ubl="cbc:BuyerReference", cii=AGREEMENT + "ram:BuyerReference"),
    Row("BT-11", "project_reference", Kind.TEXT, ubl="cac:ProjectReference/cbc:ID", credit="cac:AdditionalDocumentReference[cbc:DocumentTypeCode='50']/cbc:ID", cii=AGREEMENT + "ram:SpecifiedProcuringProject[ram:Name!=''|'Project reference']/ram:ID"),
    Row("BT-12", "contract_reference", Kind.TEXT, ubl="cac:ContractDocumentReference/cbc:ID", cii=AGREEMENT + "ram:ContractReferencedDocument/ram:IssuerAssignedID"),
    Row("EXT-FR-FE-01", "contract_type", Kind.TEXT, ubl="cac:ContractDocumentReference/cbc:DocumentType", cii=AGREEMENT + "ram:ContractReferencedDocument/ram:ReferenceTypeCode"),
    Row("EXT-FR-FE-199", "contract_date", Kind.DATE, ubl="cac:ContractDocumentReference/cbc:IssueDate", cii=AGREEMENT + "ram:ContractReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString"),
    Row("BT-13", "purchase_order_reference", Kind.TEXT, ubl=quirks.ORDER, cii=AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
    Row("EXT-FR-FE-197", "purchase_order_date", Kind.DATE, ubl="cac:OrderReference[cbc:ID!=''|'NA']/cbc:IssueDate", cii=AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString"),
    Row("BT-14", "sales_order_reference", Kind.TEXT, ubl="cac:OrderReference[cbc:ID!=''|'NA']/cbc:SalesOrderID", cii=AGREEMENT + "ram:SellerOrderReferencedDocument/ram:IssuerAssignedID"),
    Row("BT-15", "receiving_advice_reference", Kind.TEXT, ubl="cac:ReceiptDocumentReference/cbc:ID", cii=DELIVERY + "ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID"),
    Row("BT-16", "despatch_advice_reference", Kind.TEXT, ubl="cac:DespatchDocumentReference/cbc:ID", cii=DELIVERY + "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID"),
    Row("EXT-FR-FE-198", "despatch_advice_date", Kind.DATE, ubl="cac:DespatchDocumentReference/cbc:IssueDate", cii=DELIVERY + "ram:DespatchAdviceReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString"),
    Row("BT-17", "tender_or_lot_reference", Kind.TEXT, ubl="cac:OriginatorDocumentReference/cbc:ID", cii=AGREEMENT + "ram:AdditionalReferencedDocument[ram:TypeCode='50']/ram:IssuerAssignedID"),
    Group(
        "BT-18", "invoiced_objects", Identifier, many=True,
        ubl="cac:AdditionalDocumentReference[cbc:DocumentTypeCode='130']",
        cii=AGREEMENT + "ram:AdditionalReferencedDocument[ram:TypeCode='130']",
        rows=(
            Row("BT-18", "value", Kind.TEXT, ubl="cbc:ID", cii="ram:IssuerAssignedID"),
            Row("BT-18", "scheme", Kind.TEXT, ubl="cbc:ID/@schemeID", cii="ram:ReferenceTypeCode"),
        ),
    ),
    Row("BT-19", "buyer_accounting_reference", Kind.TEXT, ubl="cbc:AccountingCost", cii=SETTLEMENT + "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
    Group(
        "BG-3", "preceding_invoices", PrecedingInvoice, many=True,
        ubl="cac:BillingReference", cii=SETTLEMENT + "ram:InvoiceReferencedDocument",
        rows=(
            Row("BT-25", "number", Kind.TEXT, ubl="cac:InvoiceDocumentReference/cbc:ID", cii="ram:IssuerAssignedID"),
            Row("BT-26", "issue_date", Kind.DATE, ubl="cac:InvoiceDocumentReference/cbc:IssueDate", cii="ram:FormattedIssueDateTime/qdt:DateTimeString"),
            Row("EXT-FR-FE-02", "type_code", Kind.TEXT, ubl="cac:InvoiceDocumentReference/cbc:DocumentTypeCode", cii="ram:TypeCode"),
        ),
    ),
)

NOTES = Group(
    "BG-1", "notes", Note, many=True, ubl=quirks.NOTES, cii=DOCUMENT + "ram:IncludedNote",
    rows=(
        Row("BT-21", "subject_code", Kind.TEXT, ubl=quirks.NOTES, cii="ram:SubjectCode"),
        Row("BT-22", "text", Kind.TEXT, ubl=quirks.NOTES, cii="ram:Content"),
    ),
)

EXCHANGE = Group(
    "EXT-BT-111 currency_exchange", "currency_exchange", CurrencyExchange, ubl="cac:TaxExchangeRate", cii=SETTLEMENT + "ram:TaxApplicableTradeCurrencyExchange",
    rows=(
        Row("EXT-BT-111 source", "source", Kind.TEXT, ubl="cbc:SourceCurrencyCode", cii="ram:SourceCurrencyCode"),
        Row("EXT-BT-111 target", "target", Kind.TEXT, ubl="cbc:TargetCurrencyCode", cii="ram:TargetCurrencyCode"),
        Row("EXT-BT-111 rate", "rate", Kind.DECIMAL, ubl="cbc:CalculationRate", cii="ram:ConversionRate"),
        Row("EXT-BT-111 day", "day", Kind.DATE, ubl="cbc:Date", cii="ram:ConversionRateDateTime/udt:DateTimeString"),
    ),
)

BG_13 = Group(
    "BG-13", "delivery", Delivery, ubl="cac:Delivery", cii=TRADE + "ram:ApplicableHeaderTradeDelivery",
    rows=(
        Row("BT-70", "party_name", Kind.TEXT, ubl="cac:DeliveryParty/cac:PartyName/cbc:Name", cii="ram:ShipToTradeParty/ram:Name"),
        Row("BT-71", "location", Kind.IDENTIFIER, ubl="cac:DeliveryLocation/cbc:ID", cii=quirks.CII_LOCATION_ID),
        Row("BT-72", "actual_date", Kind.DATE, ubl="cbc:ActualDeliveryDate", cii="ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString"),
        Row("EXT-BG-13 electronic_address", "electronic_address", Kind.IDENTIFIER, ubl="cac:DeliveryParty/cbc:EndpointID", cii="ram:ShipToTradeParty/ram:URIUniversalCommunication/ram:URIID"),
        contact("EXT-BG-13 contact", "EXT-BG-13 name", "EXT-BG-13 telephone", "EXT-BG-13 email", ubl="cac:DeliveryParty/", cii="ram:ShipToTradeParty/"),
        address("BG-15", ("BT-75", "BT-76", "BT-165", "BT-77", "BT-78", "BT-79", "BT-80"), ubl="cac:DeliveryLocation/cac:Address", cii="ram:ShipToTradeParty/ram:PostalTradeAddress"),
    ),
)

DELIVERY_NOTE = Group(
    "EXT-BG-13 delivery_note", "delivery_note", DeliveryNote,
    ubl=f"cac:AdditionalDocumentReference[cbc:DocumentType='{NOTE}']", cii=DELIVERY + "ram:DeliveryNoteReferencedDocument",
    rows=(
        Row("EXT-BG-13 number", "number", Kind.TEXT, ubl="cbc:ID", cii="ram:IssuerAssignedID"),
        Row("EXT-BG-13 issue_date", "issue_date", Kind.DATE, ubl="cbc:IssueDate", cii="ram:FormattedIssueDateTime/qdt:DateTimeString"),
    ),
)

BG_14 = Group(
    "BG-14", "invoicing_period", Period, ubl="cac:InvoicePeriod", cii=SETTLEMENT + "ram:BillingSpecifiedPeriod",
    rows=(
        Row("BT-73", "start", Kind.DATE, ubl="cbc:StartDate", cii="ram:StartDateTime/udt:DateTimeString"),
        Row("BT-74", "end", Kind.DATE, ubl="cbc:EndDate", cii="ram:EndDateTime/udt:DateTimeString"),
    ),
)

BG_24 = Group(
    "BG-24", "supporting_documents", SupportingDocument, many=True,
    ubl="cac:AdditionalDocumentReference" + NOT_MAIN, credit="cac:AdditionalDocumentReference" + NOT_MAIN_CREDIT,
    cii=AGREEMENT + "ram:AdditionalReferencedDocument[ram:TypeCode!='50'][ram:TypeCode!='130'|'916']",
    rows=(
        Row("BT-122", "reference", Kind.TEXT, ubl="cbc:ID", cii="ram:IssuerAssignedID"),
        Row("BT-123", "description", Kind.TEXT, ubl="cbc:DocumentDescription", cii="ram:Name"),
        Row("BT-124", "location", Kind.TEXT, ubl="cac:Attachment/cac:ExternalReference/cbc:URI", cii="ram:URIID"),
        Group(
            "BT-125", "attachment", Attachment, ubl="cac:Attachment", cii=".",
            rows=(
                Row("BT-125", "content", Kind.BINARY, ubl="cbc:EmbeddedDocumentBinaryObject", cii="ram:AttachmentBinaryObject"),
                Row("BT-125-1", "mime_code", Kind.TEXT, ubl="cbc:EmbeddedDocumentBinaryObject/@mimeCode", cii="ram:AttachmentBinaryObject/@mimeCode"),
                Row("BT-125-2", "filename", Kind.TEXT, ubl="cbc:EmbeddedDocumentBinaryObject/@filename", cii="ram:AttachmentBinaryObject/@filename"),
            ),
        ),
    ),
)

DATES = (
    # After the VAT breakdown, the payment and the period: these are written into elements that those make. BT-7 and
    # BT-8 stand in the first breakdown alone: the norm has them once (CII-SR-461, CII-SR-462).
    Row("BT-7", "tax_point_date", Kind.DATE, ubl="cbc:TaxPointDate", cii=SETTLEMENT + "ram:ApplicableTradeTax[ram:TypeCode='VAT']/ram:TaxPointDate/udt:DateString"),
    Row("BT-8", "tax_point_date_code", Kind.TEXT, ubl="cac:InvoicePeriod/cbc:DescriptionCode", cii=quirks.DUE_CODE),
    Row("BT-9", "due_date", Kind.DATE, ubl="cbc:DueDate", credit="cac:PaymentMeans[cbc:PaymentMeansCode!=''|'1']/cbc:PaymentDueDate", cii=TERMS + "ram:DueDateDateTime/udt:DateTimeString"),
    Row("BT-20", "payment_terms", Kind.TEXT, ubl="cac:PaymentTerms/cbc:Note", cii=TERMS + "ram:Description"),
)

CII_DISCOUNT = "ram:ApplicableTradePaymentDiscountTerms/"
CASH_DISCOUNTS = Group(
    # After BT-20 and BT-9, which stand in the first payment terms: each discount, each further day has terms of its own.
    "EXT-BT-20 cash_discounts", "cash_discounts", CashDiscount, many=True, ubl="cac:PaymentTerms", cii=SETTLEMENT + "ram:SpecifiedTradePaymentTerms",
    one_of=frozenset({"percentage", "due_date"}),
    rows=(
        Row("EXT-BT-20 due_date", "due_date", Kind.DATE, ubl="cbc:PaymentDueDate", cii="ram:DueDateDateTime/udt:DateTimeString", left=True),
        Row("EXT-BT-20 percentage", "percentage", Kind.DECIMAL, ubl="cbc:SettlementDiscountPercent", cii=CII_DISCOUNT + "ram:CalculationPercent"),
        Row("EXT-BT-20 basis_amount", "basis_amount", Kind.AMOUNT, ubl="cbc:Amount", cii=CII_DISCOUNT + "ram:BasisAmount"),
        Row("EXT-BT-20 amount", "amount", Kind.AMOUNT, ubl="cbc:SettlementDiscountAmount", cii=CII_DISCOUNT + "ram:ActualDiscountAmount"),
        Row("EXT-BT-20 start", "start", Kind.DATE, ubl="cac:SettlementPeriod/cbc:StartDate", cii=CII_DISCOUNT + "ram:BasisDateTime/udt:DateTimeString"),
        Row("EXT-BT-20 period", "period", Kind.DECIMAL, ubl="cac:SettlementPeriod/cbc:DurationMeasure", cii=CII_DISCOUNT + "ram:BasisPeriodMeasure"),
        Row("EXT-BT-20 period_unit", "period_unit", Kind.TEXT, ubl="cac:SettlementPeriod/cbc:DurationMeasure/@unitCode", cii=CII_DISCOUNT + "ram:BasisPeriodMeasure/@unitCode"),
    ),
)

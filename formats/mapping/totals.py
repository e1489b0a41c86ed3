"""Payment BG-16 to BG-19, allowances and charges BG-20 and BG-21, totals BG-22, VAT breakdown BG-23."""

from formats import quirks
from formats.invoice import (
    AllowanceCharge,
    CreditTransfer,
    DirectDebit,
    PaymentCard,
    PaymentInstructions,
    ThirdPartyPayment,
    Totals,
    VatBreakdown,
)
from formats.mapping.lines import reason_code
from formats.rows import Absent, Group, Kind, Row

SETTLEMENT = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement"
MEANS = "ram:SpecifiedTradeSettlementPaymentMeans"
UBL_MEANS = "cac:PaymentMeans[cbc:PaymentMeansCode!=''|'1']"
UBL_VAT = "cac:TaxCategory[cac:TaxScheme/cbc:ID='VAT']"
CII_VAT = "ram:CategoryTradeTax[ram:TypeCode='VAT']"
TAX_TOTAL = "cac:TaxTotal[cbc:TaxAmount/@currencyID=$doc]"
SUMMATION = "ram:SpecifiedTradeSettlementHeaderMonetarySummation"

BG_16 = Group(
    "BG-16", "payment", PaymentInstructions, ubl=".", cii=SETTLEMENT,
    rows=(
        # The transfers first: each makes a payment means, into each of which the code and the text then go.
        Group(
            "BG-17", "credit_transfers", CreditTransfer, many=True, ubl=UBL_MEANS, cii=MEANS,
            rows=(
                Row("BT-84", "account", Kind.TEXT, ubl="cac:PayeeFinancialAccount/cbc:ID", cii=quirks.CREDIT_ACCOUNT),
                Row("BT-85", "account_name", Kind.TEXT, ubl="cac:PayeeFinancialAccount/cbc:Name", cii="ram:PayeePartyCreditorFinancialAccount/ram:AccountName"),
                Row("BT-86", "service_provider", Kind.TEXT, ubl="cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID", cii="ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
            ),
        ),
        Group(
            "BG-18", "card", PaymentCard, ubl=UBL_MEANS + "/cac:CardAccount[cbc:NetworkID!=''|'NA']", cii=MEANS + "/ram:ApplicableTradeSettlementFinancialCard",
            rows=(
                Row("BT-87", "account_number", Kind.TEXT, ubl="cbc:PrimaryAccountNumberID", cii="ram:ID"),
                Row("BT-88", "holder_name", Kind.TEXT, ubl="cbc:HolderName", cii="ram:CardholderName"),
            ),
        ),
        Group(
            "BG-19", "direct_debit", DirectDebit, ubl=".", cii=".",
            rows=(
                Row("BT-89", "mandate", Kind.TEXT, ubl=UBL_MEANS + "/cac:PaymentMandate/cbc:ID", cii="ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID"),
                Row("BT-90", "creditor", Kind.TEXT, ubl=quirks.CREDITOR, cii="ram:CreditorReferenceID"),
                Row("BT-91", "debited_account", Kind.TEXT, ubl=UBL_MEANS + "/cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID", cii=quirks.DEBIT_ACCOUNT),
            ),
        ),
        Row("BT-83", "remittance_information", Kind.TEXT, ubl=UBL_MEANS + "/cbc:PaymentID", cii="ram:PaymentReference", each=1),
        Row("BT-82", "means_text", Kind.TEXT, ubl=UBL_MEANS + "/cbc:PaymentMeansCode/@name", cii=MEANS + "/ram:Information"),
        Row("BT-81", "means_code", Kind.TEXT, ubl=UBL_MEANS + "/cbc:PaymentMeansCode", cii=MEANS + "/ram:TypeCode", each=1),
    ),
)


NOT_UBL = Absent("UBL says it as a charge")
LOGISTICS_VAT = "ram:AppliedTradeTax[ram:TypeCode='VAT']"
LOGISTICS = Group(
    "BG-21", "charges", AllowanceCharge, many=True, ubl=NOT_UBL, cii=SETTLEMENT + "/ram:SpecifiedLogisticsServiceCharge",
    rows=(
        Row("BT-99", "amount", Kind.AMOUNT, ubl=NOT_UBL, cii="ram:AppliedAmount"),
        Row("BT-102", "vat_category", Kind.TEXT, ubl=NOT_UBL, cii=LOGISTICS_VAT + "/ram:CategoryCode"),
        Row("BT-103", "vat_rate", Kind.DECIMAL, ubl=NOT_UBL, cii=LOGISTICS_VAT + "/ram:RateApplicablePercent"),
        Row("BT-104", "reason", Kind.TEXT, ubl=NOT_UBL, cii="ram:Description"),
        Row("EXT-BG-21 exemption_reason", "exemption_reason", Kind.TEXT, ubl=NOT_UBL, cii=LOGISTICS_VAT + "/ram:ExemptionReason"),
        Row("EXT-BG-21 exemption_reason_code", "exemption_reason_code", Kind.VATEX, ubl=NOT_UBL, cii=LOGISTICS_VAT + "/ram:ExemptionReasonCode"),
    ),
)
"""The transport charge of Factur-X EXTENDED (BG-X-42), which the rules count among the document's charges."""


def allowance_charge(group: str, field: str, charge: str, terms: tuple[str, str, str, str, str, str, str], also_read: tuple[Group, ...] = ()) -> Group:
    """Document level: amount, base, percentage, VAT category, VAT rate, reason, reason code."""
    amount, base, percentage, category, rate, reason, code = terms
    return Group(
        group, field, AllowanceCharge, many=True, also_read=also_read,
        ubl=f"cac:AllowanceCharge[cbc:ChargeIndicator='{charge}']",
        cii=f"{SETTLEMENT}/ram:SpecifiedTradeAllowanceCharge[ram:ChargeIndicator/udt:Indicator='{charge}']",
        rows=(
            Row(amount, "amount", Kind.AMOUNT, ubl="cbc:Amount", cii="ram:ActualAmount"),
            Row(base, "base_amount", Kind.AMOUNT, ubl="cbc:BaseAmount", cii="ram:BasisAmount"),
            Row(percentage, "percentage", Kind.DECIMAL, ubl="cbc:MultiplierFactorNumeric", cii="ram:CalculationPercent"),
            Row(category, "vat_category", Kind.TEXT, ubl=UBL_VAT + "/cbc:ID", cii=CII_VAT + "/ram:CategoryCode"),
            Row(rate, "vat_rate", Kind.DECIMAL, ubl=UBL_VAT + "/cbc:Percent", cii=CII_VAT + "/ram:RateApplicablePercent"),
            Row(reason, "reason", Kind.TEXT, ubl="cbc:AllowanceChargeReason", cii="ram:Reason"),
            *reason_code(group, code, charge),
            Row(f"EXT-{group} exemption_reason", "exemption_reason", Kind.TEXT, ubl=UBL_VAT + "/cbc:TaxExemptionReason", cii=CII_VAT + "/ram:ExemptionReason"),
            Row(f"EXT-{group} exemption_reason_code", "exemption_reason_code", Kind.VATEX, ubl=UBL_VAT + "/cbc:TaxExemptionReasonCode", cii=CII_VAT + "/ram:ExemptionReasonCode"),
        ),
    )


BG_20 = allowance_charge("BG-20", "allowances", "false", ("BT-92", "BT-93", "BT-94", "BT-95", "BT-96", "BT-97", "BT-98"))
BG_21 = allowance_charge("BG-21", "charges", "true", ("BT-99", "BT-100", "BT-101", "BT-102", "BT-103", "BT-104", "BT-105"), (LOGISTICS,))

BG_22 = Group(
    "BG-22", "totals", Totals, ubl=".", cii=SETTLEMENT,
    rows=(
        Row("BT-106", "lines_net", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:LineExtensionAmount", cii=SUMMATION + "/ram:LineTotalAmount"),
        Row("BT-107", "allowances", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount", cii=SUMMATION + "/ram:AllowanceTotalAmount"),
        Row("BT-108", "charges", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:ChargeTotalAmount", cii=SUMMATION + "/ram:ChargeTotalAmount"),
        Row("BT-109", "without_vat", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount", cii=SUMMATION + "/ram:TaxBasisTotalAmount"),
        Row("BT-110", "vat", Kind.AMOUNT, ubl=TAX_TOTAL + "/cbc:TaxAmount", cii=SUMMATION + "/ram:TaxTotalAmount[@currencyID=$doc]"),
        Row("BT-111", "vat_in_accounting_currency", Kind.AMOUNT, ubl="cac:TaxTotal[cbc:TaxAmount/@currencyID=$tax]/cbc:TaxAmount", cii=SUMMATION + "/ram:TaxTotalAmount[@currencyID=$tax]"),
        Row("BT-112", "with_vat", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount", cii=SUMMATION + "/ram:GrandTotalAmount"),
        Row("BT-113", "paid", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:PrepaidAmount", cii=SUMMATION + "/ram:TotalPrepaidAmount"),
        Row("BT-114", "rounding", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:PayableRoundingAmount", cii=SUMMATION + "/ram:RoundingAmount"),
        Row("BT-115", "due", Kind.AMOUNT, ubl="cac:LegalMonetaryTotal/cbc:PayableAmount", cii=SUMMATION + "/ram:DuePayableAmount"),
    ),
)

ONLY_UBL_INVOICE = Absent("the XRechnung extension has it in a UBL Invoice alone")
THIRD_PARTY_PAYMENTS = Group(
    "EXT-BG-DEX-09 third_party_payments", "third_party_payments", ThirdPartyPayment, many=True,
    ubl="cac:PrepaidPayment", credit=ONLY_UBL_INVOICE, cii=ONLY_UBL_INVOICE,
    rows=(
        Row("EXT-BG-DEX-09 type", "type", Kind.TEXT, ubl="cbc:ID", credit=ONLY_UBL_INVOICE, cii=ONLY_UBL_INVOICE),
        Row("EXT-BG-DEX-09 amount", "amount", Kind.AMOUNT, ubl="cbc:PaidAmount", credit=ONLY_UBL_INVOICE, cii=ONLY_UBL_INVOICE),
        Row("EXT-BG-DEX-09 description", "description", Kind.TEXT, ubl="cbc:InstructionID", credit=ONLY_UBL_INVOICE, cii=ONLY_UBL_INVOICE),
    ),
)

BG_23 = Group(
    "BG-23", "vat_breakdown", VatBreakdown, many=True,
    ubl=TAX_TOTAL + "/cac:TaxSubtotal", cii=SETTLEMENT + "/ram:ApplicableTradeTax[ram:TypeCode='VAT']",
    rows=(
        Row("BT-116", "taxable_amount", Kind.AMOUNT, ubl="cbc:TaxableAmount", cii="ram:BasisAmount"),
        Row("BT-117", "tax_amount", Kind.AMOUNT, ubl="cbc:TaxAmount", cii="ram:CalculatedAmount"),
        Row("BT-118", "category", Kind.TEXT, ubl=UBL_VAT + "/cbc:ID", cii="ram:CategoryCode"),
        Row("BT-119", "rate", Kind.DECIMAL, ubl=UBL_VAT + "/cbc:Percent", cii="ram:RateApplicablePercent"),
        Row("BT-120", "exemption_reason", Kind.TEXT, ubl=UBL_VAT + "/cbc:TaxExemptionReason", cii="ram:ExemptionReason"),
        Row("BT-121", "exemption_reason_code", Kind.VATEX, ubl=UBL_VAT + "/cbc:TaxExemptionReasonCode", cii="ram:ExemptionReasonCode"),
    ),
)

"""Seller BG-4, buyer BG-7, payee BG-10, tax representative BG-11, with their addresses and contacts."""

from formats import quirks
from formats.invoice import Address, Contact, Party
from formats.rows import Absent, Group, Kind, Row

AGREEMENT = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/"
SETTLEMENT = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/"


def address(group: str, terms: tuple[str, str, str, str, str, str, str], ubl: str, cii: str) -> Group:
    """A postal address: line 1, line 2, line 3, city, post code, subdivision, country."""
    line_1, line_2, line_3, city, post_code, subdivision, country = terms
    return Group(
        group, "address", Address, ubl=ubl, cii=cii,
        rows=(
            Row(line_1, "line_1", Kind.TEXT, ubl="cbc:StreetName", cii="ram:LineOne"),
            Row(line_2, "line_2", Kind.TEXT, ubl="cbc:AdditionalStreetName", cii="ram:LineTwo"),
            Row(line_3, "line_3", Kind.TEXT, ubl="cac:AddressLine/cbc:Line", cii="ram:LineThree"),
            Row(city, "city", Kind.TEXT, ubl="cbc:CityName", cii="ram:CityName"),
            Row(post_code, "post_code", Kind.TEXT, ubl="cbc:PostalZone", cii="ram:PostcodeCode"),
            Row(subdivision, "country_subdivision", Kind.TEXT, ubl="cbc:CountrySubentity", cii="ram:CountrySubDivisionName"),
            Row(country, "country", Kind.TEXT, ubl="cac:Country/cbc:IdentificationCode", cii="ram:CountryID"),
        ),
    )


def contact(group: str, name: str, telephone: str, email: str, *, ubl: str = "", cii: str = "") -> Group:
    """A contact point; of the party at `ubl` and `cii` where that is no group of its own."""
    return Group(
        group, "contact", Contact, ubl=ubl + "cac:Contact", cii=cii + "ram:DefinedTradeContact",
        rows=(
            Row(name, "name", Kind.TEXT, ubl="cbc:Name", cii=quirks.CONTACT_NAME),
            Row(telephone, "telephone", Kind.TEXT, ubl="cbc:Telephone", cii="ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
            Row(email, "email", Kind.TEXT, ubl="cbc:ElectronicMail", cii="ram:EmailURIUniversalCommunication/ram:URIID"),
        ),
    )


def department(term: str) -> Row:
    """The department of the person who is the contact; after the contact, whose name says whether there is one."""
    return Row(term, "department", Kind.TEXT, ubl="cac:Person/cbc:OrganizationDepartment", cii=quirks.DEPARTMENT)


def vat_identifier(term: str) -> Row:
    """A VAT number among the tax registrations."""
    return Row(term, "vat_identifier", Kind.TEXT, ubl="cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID", cii="ram:SpecifiedTaxRegistration[ram:ID/@schemeID='VA']/ram:ID")


def role_code(party: str) -> Row:
    """What the party does."""
    return Row(f"{party} role_code", "role_code", Kind.TEXT, ubl="cbc:IndustryClassificationCode", cii="ram:RoleCode")


def extended_address(party: str, *, country: str | None = None) -> Group:
    """The address of a party of the French extension: named after the party, `country` where it has a number."""
    names = ("line_1", "line_2", "line_3", "city", "post_code", "country_subdivision", "country")
    *first, last = (f"{party} {name}" for name in names)
    line_1, line_2, line_3, city, post_code, subdivision = first
    terms = (line_1, line_2, line_3, city, post_code, subdivision, country or last)
    return address(f"{party} address", terms, ubl="cac:PostalAddress", cii="ram:PostalTradeAddress")


def extended_contact(party: str) -> Group:
    """The contact of a party of the French extension."""
    return contact(f"{party} contact", f"{party} contact name", f"{party} telephone", f"{party} email")


def third_party(group: str, field: str, ubl: str, cii: str, *, identifiers: str, electronic_address: str) -> Group:
    """A party of the French extension, after the published rules' contexts for two of its terms.

    The rest is where the same syntax has it for the seller and the buyer.
    """
    return Group(
        group, field, Party, ubl=ubl, cii=cii,
        rows=(
            Row(f"{group} name", "name", Kind.TEXT, ubl="cac:PartyLegalEntity/cbc:RegistrationName", cii="ram:Name"),
            Row(f"{group} trading_name", "trading_name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
            Row(identifiers, "identifiers", Kind.IDENTIFIER, ubl=quirks.UBL_PARTY_IDS, cii=quirks.CII_PARTY_IDS),
            Row(f"{group} legal_registration", "legal_registration", Kind.IDENTIFIER, ubl="cac:PartyLegalEntity/cbc:CompanyID", cii="ram:SpecifiedLegalOrganization/ram:ID"),
            vat_identifier(f"{group} vat_identifier"),
            Row(electronic_address, "electronic_address", Kind.IDENTIFIER, ubl="cbc:EndpointID", cii="ram:URIUniversalCommunication/ram:URIID"),
            role_code(group),
            extended_address(group),
            extended_contact(group),
        ),
    )


SELLER = Group(
    "BG-4", "seller", Party, ubl="cac:AccountingSupplierParty/cac:Party", cii=AGREEMENT + "ram:SellerTradeParty",
    rows=(
        Row("BT-27", "name", Kind.TEXT, ubl="cac:PartyLegalEntity/cbc:RegistrationName", cii="ram:Name"),
        Row("BT-28", "trading_name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        Row("BT-29", "identifiers", Kind.IDENTIFIER, ubl=quirks.UBL_PARTY_IDS, cii=quirks.CII_PARTY_IDS),
        Row("BT-30", "legal_registration", Kind.IDENTIFIER, ubl="cac:PartyLegalEntity/cbc:CompanyID", cii="ram:SpecifiedLegalOrganization/ram:ID"),
        vat_identifier("BT-31"),
        Row("BT-32", "tax_registration", Kind.TEXT, ubl="cac:PartyTaxScheme[cac:TaxScheme/cbc:ID!='VAT'|'TAX']/cbc:CompanyID", cii="ram:SpecifiedTaxRegistration[ram:ID/@schemeID='FC']/ram:ID"),
        Row("EXT-BT-32 scheme", "tax_registration_scheme", Kind.TEXT, ubl=quirks.TAX_SCHEME, cii=Absent("CII says FC of every number that is not VAT")),
        Row("BT-33", "additional_legal_information", Kind.TEXT, ubl="cac:PartyLegalEntity/cbc:CompanyLegalForm", cii="ram:Description"),
        Row("BT-34", "electronic_address", Kind.IDENTIFIER, ubl="cbc:EndpointID", cii="ram:URIUniversalCommunication/ram:URIID"),
        address("BG-5", ("BT-35", "BT-36", "BT-162", "BT-37", "BT-38", "BT-39", "BT-40"), ubl="cac:PostalAddress", cii="ram:PostalTradeAddress"),
        contact("BG-6", "BT-41", "BT-42", "BT-43"),
        department("EXT-BG-6 department"),
    ),
)

BUYER = Group(
    "BG-7", "buyer", Party, ubl="cac:AccountingCustomerParty/cac:Party", cii=AGREEMENT + "ram:BuyerTradeParty",
    rows=(
        Row("BT-44", "name", Kind.TEXT, ubl="cac:PartyLegalEntity/cbc:RegistrationName", cii="ram:Name"),
        Row("BT-45", "trading_name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        Row("BT-46", "identifiers", Kind.IDENTIFIER, ubl=quirks.UBL_PARTY_IDS, cii=quirks.CII_PARTY_IDS),
        Row("BT-47", "legal_registration", Kind.IDENTIFIER, ubl="cac:PartyLegalEntity/cbc:CompanyID", cii="ram:SpecifiedLegalOrganization/ram:ID"),
        vat_identifier("BT-48"),
        Row("EXT-BG-7 tax_registration", "tax_registration", Kind.TEXT, ubl="cac:PartyTaxScheme[cac:TaxScheme/cbc:ID!='VAT'|'TAX']/cbc:CompanyID", cii="ram:SpecifiedTaxRegistration[ram:ID/@schemeID='FC']/ram:ID"),
        Row("BT-49", "electronic_address", Kind.IDENTIFIER, ubl="cbc:EndpointID", cii="ram:URIUniversalCommunication/ram:URIID"),
        address("BG-8", ("BT-50", "BT-51", "BT-163", "BT-52", "BT-53", "BT-54", "BT-55"), ubl="cac:PostalAddress", cii="ram:PostalTradeAddress"),
        contact("BG-9", "BT-56", "BT-57", "BT-58"),
        department("EXT-BG-9 department"),
    ),
)

PAYEE = Group(
    "BG-10", "payee", Party, ubl="cac:PayeeParty", cii=SETTLEMENT + "ram:PayeeTradeParty",
    rows=(
        Row("BT-59", "name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:Name"),
        Row("BT-60", "identifiers", Kind.IDENTIFIER, ubl=quirks.UBL_PARTY_IDS, cii=quirks.CII_PARTY_IDS),
        Row("BT-61", "legal_registration", Kind.IDENTIFIER, ubl="cac:PartyLegalEntity/cbc:CompanyID", cii="ram:SpecifiedLegalOrganization/ram:ID"),
        vat_identifier("EXT-BG-10 vat_identifier"),
        Row("EXT-FR-FE-29", "electronic_address", Kind.IDENTIFIER, ubl="cbc:EndpointID", cii="ram:URIUniversalCommunication/ram:URIID"),
        role_code("EXT-BG-10"),
        extended_address("EXT-BG-10"),
        extended_contact("EXT-BG-10"),
    ),
)

TAX_REPRESENTATIVE = Group(
    "BG-11", "tax_representative", Party, ubl="cac:TaxRepresentativeParty", cii=AGREEMENT + "ram:SellerTaxRepresentativeTradeParty",
    rows=(
        Row("BT-62", "name", Kind.TEXT, ubl="cac:PartyName/cbc:Name", cii="ram:Name"),
        vat_identifier("BT-63"),
        address("BG-12", ("BT-64", "BT-65", "BT-164", "BT-66", "BT-67", "BT-68", "BT-69"), ubl="cac:PostalAddress", cii="ram:PostalTradeAddress"),
    ),
)

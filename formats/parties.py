"""Who takes part: parties, their identifiers, addresses and contacts, as dataclasses of the model (see invoice.py)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A value with the scheme that issued it."""

    value: str
    """The identifier itself, as written."""

    scheme: str | None = None
    """ISO 6523 ICD or EAS code ("0002" SIREN, "0009" SIRET, "0225" French electronic address), or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """BG-5, BG-8, BG-12, BG-15: a postal address."""

    line_1: str | None = None
    """BT-35, BT-50, BT-64, BT-75."""

    line_2: str | None = None
    """BT-36, BT-51, BT-65, BT-76."""

    line_3: str | None = None
    """BT-162, BT-163, BT-164, BT-165."""

    city: str | None = None
    """BT-37, BT-52, BT-66, BT-77."""

    post_code: str | None = None
    """BT-38, BT-53, BT-67, BT-78."""

    country_subdivision: str | None = None
    """BT-39, BT-54, BT-68, BT-79."""

    country: str | None = None
    """BT-40, BT-55, BT-69, BT-80, EXT-FR-FE-177. ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """BG-6, BG-9: who to ask."""

    name: str | None = None
    """BT-41, BT-56, EXT-BG-13 name. Person or department."""

    telephone: str | None = None
    """BT-42, BT-57, EXT-BG-13 telephone."""

    email: str | None = None
    """BT-43, BT-58, EXT-BG-13 email."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """BG-4 Seller, BG-7 Buyer, BG-10 Payee, BG-11 Seller tax representative.

    And the parties of the French extension: EXT-FR-FE-BG-01 buyer agent, BG-02 payer, BG-03 sales agent, BG-04
    invoicee, BG-05 invoicer, BG-12 seller of a line. Their terms without a number of their own are named after the
    group and the field, e.g. "EXT-FR-FE-BG-02 name".
    """

    name: str | None = None
    """BT-27, BT-44, BT-59, BT-62, EXT-FR-FE-164."""

    trading_name: str | None = None
    """BT-28, BT-45."""

    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46, BT-60, EXT-FR-FE-06, EXT-FR-FE-46, EXT-FR-FE-69, EXT-FR-FE-92, EXT-FR-FE-115.

    SIRET has scheme 0009. The SEPA creditor identifier is BT-90, not here.
    """

    legal_registration: Identifier | None = None
    """BT-30, BT-47, BT-61, EXT-FR-FE-167. SIREN has scheme 0002."""

    vat_identifier: str | None = None
    """BT-31, BT-48, BT-63. With the country prefix."""

    tax_registration: str | None = None
    """BT-32, of the buyer EXT-BG-7 tax_registration: a local tax number that is not a VAT identifier."""

    tax_registration_scheme: str | None = None
    """EXT-BT-32 scheme. What UBL calls the register, where it says more than that it is not VAT."""

    additional_legal_information: str | None = None
    """BT-33. Seller only: legal form, share capital, trade register."""

    electronic_address: Identifier | None = None
    """BT-34, BT-49, EXT-FR-FE-12, EXT-FR-FE-29, EXT-FR-FE-52, EXT-FR-FE-75, EXT-FR-FE-98, EXT-FR-FE-121.

    Scheme 0225 for a French addressing line.
    """

    address: Address | None = None
    """BG-5, BG-8, BG-12, EXT-BG-10 address, and of every party of the extension."""

    contact: Contact | None = None
    """BG-6, BG-9, EXT-BG-10 contact, and of every party of the extension."""

    department: str | None = None
    """EXT-BG-6 department, EXT-BG-9 department. Beside the person of the contact; without one it is BT-41 or BT-56."""

    role_code: str | None = None
    """EXT-BG-10 role_code, and of every party of the extension. UNTDID 3035."""

    @property
    def siren(self) -> str | None:
        """The nine digits of the legal registration identifier, if its scheme is 0002."""
        registration = self.legal_registration
        return registration.value if registration is not None and registration.scheme == "0002" else None

"""What goes over the wire, and through the forms of the console, about tenants' settings."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from formats.identifiers import is_french_vat_number, is_siren, parse_address_line, siren_of_vat_number
from gateway.accounts.passwords import LONGEST, SHORTEST
from gateway.auth import ROLES, Permission
from gateway.platforms.presets import completed, presets
from gateway.tables import LegalEntity, PlatformConnection
from gateway.tables_access import ApiKey
from gateway.tables_platforms import ConnectionHealth
from validation.workshop import PLAIN

_MAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,185}\.[^@\s<>\"',;.]{2,63}")


def _siren(text: str) -> str:
    if not is_siren(text):
        raise ValueError("SIREN : neuf chiffres dont la clé est juste. / nine digits with a right check digit.")
    return text


def _vat_number(text: str) -> str:
    if not is_french_vat_number(text):
        raise ValueError("Numéro de TVA : FR, clé juste, SIREN. / FR, a right key, the SIREN.")
    return text


def _month_day(text: str) -> str:
    try:
        date.fromisoformat(f"2001-{text}")
    except ValueError:
        raise ValueError("Date sous la forme MM-JJ, par exemple 12-31. / A day as MM-DD, e.g. 12-31.") from None
    return text


def _mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError("Adresse électronique : nom@domaine.fr. / E-mail address: name@example.org.")
    return text.lower()


def _role(text: str) -> str:
    if text not in ROLES:
        raise ValueError(f"Rôle inconnu. / Unknown role. ({', '.join(ROLES)})")
    return text


Siren = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_siren)]
VatNumber = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_vat_number)]
MonthDay = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_month_day)]
Mail = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_mail)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Role = Annotated[str, AfterValidator(_role)]
HEADER_NAME = r"^[A-Za-z][A-Za-z0-9-]{0,59}$"
HEADER_VALUE = r"^[\x20-\x7e]{0,200}$"


class Strict(BaseModel):
    """Unknown fields are refused: a misspelt setting must not look accepted."""

    model_config = ConfigDict(extra="forbid")


class Address(Strict):
    """Where a legal entity sits, in the names of formats.invoice.Address."""

    line_1: str = Field(default="", max_length=200)
    line_2: str = Field(default="", max_length=200)
    post_code: str = Field(default="", max_length=20)
    city: str = Field(default="", max_length=100)
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")


class EntityChange(Strict):
    """What may be changed of a legal entity."""

    name: Name
    address: Address = Address()
    vat_number: VatNumber | None = None
    electronic_address: str | None = Field(default=None, max_length=125)
    """BT-34 in scheme 0225; the SIREN itself when left out."""

    vat_regime: Literal["normal-monthly", "normal-quarterly", "simplified", "franchise"] = "normal-monthly"
    vat_on_debits: bool = False
    fiscal_year_end: MonthDay = "12-31"
    format: Literal["factur-x", "cii", "ubl"] = "factur-x"
    connection_id: str | None = None
    contact_name: str | None = Field(default=None, max_length=200)
    contact_email: Mail | None = None


class EntityIn(EntityChange):
    """A new legal entity. It starts switched off."""

    siren: Siren

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        check_against_siren(self.siren, self)
        return self


def check_against_siren(siren: str, entity: EntityChange) -> None:
    """Refuse a VAT number or an electronic address of another company. Raises ValueError."""
    if entity.vat_number is not None and siren_of_vat_number(entity.vat_number) != siren:
        raise ValueError("Le numéro de TVA n'est pas celui de ce SIREN. / VAT number of another SIREN.")
    if entity.electronic_address is not None:
        line = parse_address_line(entity.electronic_address)
        if line is None or line.siren != siren:
            raise ValueError("L'adresse électronique commence par le SIREN. / The address begins with the SIREN.")


class EntityOut(Strict):
    """A legal entity as it is set up."""

    id: str
    siren: str
    name: str
    address: Address
    vat_number: str | None
    electronic_address: str | None
    vat_regime: str
    vat_on_debits: bool
    fiscal_year_end: str
    format: str
    connection_id: str | None
    enabled: bool
    contact_name: str | None
    contact_email: str | None

    @classmethod
    def of(cls, row: LegalEntity) -> Self:
        """From its row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class AppearanceIn(Strict):
    """How the drawn invoices of a legal entity look, its logo aside."""

    accent: str = Field(default=PLAIN.accent, pattern=r"^#[0-9a-fA-F]{6}$")
    """The one colour. Too light a colour is drawn darker, and a remark says so."""

    footer: str = Field(default="", max_length=500)
    payment_code: bool = True
    """Whether a SEPA credit transfer gets its QR code (EPC069-12)."""

    language: Literal["fr", "en"] = "fr"


class RemarkOut(Strict):
    """What must be said about a drawing."""

    code: str
    fr: str
    en: str


class AppearanceOut(AppearanceIn):
    """How the drawn invoices look, and what must be said about it."""

    logo_sha256: str | None
    remarks: list[RemarkOut]


class ConnectionIn(Strict):
    """An account at an approved platform. The secret is encrypted before it is kept and never shown again.

    `preset` fills what is left out (gateway/platforms/presets.toml); the rest of the switches is explained in
    gateway/platforms/connection.py.
    """

    name: Name
    preset: str | None = None
    driver: str = "afnor"
    flow_url: str = Field(max_length=500)
    directory_url: str | None = Field(default=None, max_length=500)
    token_url: str | None = Field(default=None, max_length=500)
    client_id: Name
    client_secret: SecretStr = Field(min_length=1, max_length=2000)
    signing_key: SecretStr | None = Field(default=None, max_length=500)
    """Of callbacks that are set up on the platform's own site, as text; else the platform gives one."""

    client_auth: Literal["basic", "basic-encoded", "body", "header"] = "basic"
    api_key_header: str = Field(default="X-API-Key", pattern=HEADER_NAME)
    extra_headers: dict[Annotated[str, Field(pattern=HEADER_NAME)], Annotated[str, Field(pattern=HEADER_VALUE)]] = {}
    request_id_header: str = Field(default="Request-Id", pattern=HEADER_NAME)
    multipart: Literal["json-part", "text-part", "bracketed"] = "json-part"
    file_part: str = Field(default="file", pattern=r"^[A-Za-z]{1,20}$")
    omitted_fields: list[Literal["processingRule", "flowProfile", "sha256", "name"]] = []
    documents: list[Literal["Original", "Converted"]] = Field(default=["Original", "Converted"], min_length=1)
    webhook_shape: Literal["auto", "flat", "nested", "none"] = "auto"
    signature: Literal["afnor", "afnor-a", "afnor-b", "afnor-c", "iopole", "b2brouter", "none"] = "afnor"
    clock_unit: Literal["s", "ms"] = "s"
    scope: str | None = Field(default=None, max_length=200)
    organization_id: str | None = Field(default=None, max_length=200)
    request_id: Literal["header", "query", "none"] = "header"
    paging: Literal["cursor", "date", "auto"] = "auto"
    lookup: Literal["search", "query"] = "search"
    allow_loopback: bool = False

    @model_validator(mode="before")
    @classmethod
    def fill_from_preset(cls, given: Any) -> Any:
        """What is left out comes from the preset. Raises ValueError for one that is not there."""
        if not isinstance(given, dict) or not given.get("preset"):
            return given
        try:
            return completed(str(given["preset"]), given)
        except KeyError as error:
            raise ValueError(f"Plateforme inconnue. / Unknown preset. ({', '.join(presets())})") from error

    @model_validator(mode="after")
    def ask_for_a_token(self) -> Self:
        """A token address is needed, unless the platform takes a key. Raises ValueError."""
        if self.token_url is None and self.client_auth != "header":
            raise ValueError("Adresse des jetons : il en faut une. / A token address is needed. (token_url)")
        return self

    def config(self) -> dict[str, Any]:
        """What is kept in clear: everything but the name, the driver, the preset's name and the secrets."""
        hidden = {"name", "driver", "preset", "client_id", "client_secret", "signing_key"}
        return {"token_url": None, **self.model_dump(exclude=hidden, exclude_none=True)}


class CredentialsIn(Strict):
    """Who we are at a platform from now on. Kept as in ConnectionIn."""

    client_id: Name
    client_secret: SecretStr = Field(min_length=1, max_length=2000)


class ConnectionOut(Strict):
    """An account at a platform, without its secrets."""

    id: str
    name: str
    driver: str
    enabled: bool
    flow_url: str
    polled_at: datetime | None
    trouble: str | None

    @classmethod
    def of(cls, row: PlatformConnection) -> Self:
        """From its row."""
        return cls(id=row.id, name=row.name, driver=row.driver, enabled=row.enabled,
                   flow_url=str(row.config.get("flow_url", "")), polled_at=row.polled_at, trouble=row.trouble)


class ServiceHealthOut(Strict):
    """How one service of a platform does: `flows` (deposits) or `directory`."""

    service: str
    succeeded_at: datetime | None
    failed_at: datetime | None
    error: str | None
    failures: int
    """In a row, up to now."""

    open_until: datetime | None
    """Nothing is tried before this time."""

    @classmethod
    def of(cls, row: ConnectionHealth) -> Self:
        """From its row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class ConnectionHealthOut(Strict):
    """How a platform connection does; a service that was never used is missing."""

    id: str
    polled_at: datetime | None
    trouble: str | None
    """What went wrong at the last poll."""

    services: list[ServiceHealthOut]


class KeyIn(Strict):
    """A new API key."""

    name: Name
    scopes: list[Permission] = Field(min_length=1)


class KeyMade(Strict):
    """The one answer that carries the key itself."""

    key: str


class KeyOut(Strict):
    """An API key as it may be shown."""

    id: str
    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> Self:
        """From its row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class UserIn(Strict):
    """A new person of the console."""

    email: Mail
    name: Name
    password: SecretStr = Field(min_length=SHORTEST, max_length=LONGEST)
    roles: list[Role] = Field(min_length=1)


class Entities(Strict):
    """All legal entities of a tenant, on one page."""

    items: list[EntityOut]
    next: None = None


class Connections(Strict):
    """All platform connections of a tenant, on one page."""

    items: list[ConnectionOut]
    next: None = None


class Keys(Strict):
    """All API keys of a tenant, revoked ones too, on one page."""

    items: list[KeyOut]
    next: None = None

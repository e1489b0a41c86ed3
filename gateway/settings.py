"""Everything an operator may set, in one class. Environment names are `PASSERELLE_` plus the field name.

Without any setting the service runs embedded: SQLite, a worker thread, a directory of objects, a local test
timestamp authority, a mail spool. Secrets have no default: where none is given, one is made at first start and
kept in a 0600 file of the data folder.
"""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class UnsafeSetup(RuntimeError):
    """The service refuses to start or to act; the text says which setting must change."""


class TimestampAuthority(BaseModel):
    """One more RFC 3161 authority, asked when those before it did not answer well."""

    url: str
    ca: Path
    """PEM of the root that it must chain to."""

    policy: str
    """OID of the policy under which it must stamp."""


class Settings(BaseSettings):
    """The settings of one service."""

    model_config = SettingsConfigDict(env_prefix="PASSERELLE_", extra="forbid")

    data: Path = Path("var/data")
    """Folder for everything embedded: database, objects, keys, mail spool."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    """How others reach the service; None means http://host:port."""

    database_url: str | None = None
    """SQLAlchemy URL; None means SQLite in `data`."""

    broker_url: str | None = None
    """Celery broker; None means a worker thread in this process."""

    objects_url: str | None = None
    """Where objects live: `file:///folder` or `s3://bucket/prefix?endpoint=https://…&region=…` (a bucket with Object
    Lock; credentials from where boto3 looks); None means a directory in `data`."""

    objects_copy_url: str | None = None
    """A second place for every object, as `objects_url`: what one loses or spoils, the other gives back."""

    objects_lock_days: int = Field(default=400, ge=1)
    """How long S3 locks a new object (COMPLIANCE). Retention makes the lock longer once the fiscal year is known."""

    scrub_days: float = Field(default=30.0, gt=0)
    """Everything that is kept is controlled again within this time."""

    scrub_seconds: float = 60.0
    """How often a part of it is."""

    tsa_url: str | None = None
    """RFC 3161 authority; None means the local test authority, marked as not qualified."""

    tsa_ca: Path | None = None
    """PEM of the root that the authority at `tsa_url` must chain to; with its own certificate too, only that signs."""

    tsa_policy: str | None = None
    """OID of the policy under which the authority at `tsa_url` must stamp."""

    tsa_fallbacks: tuple[TimestampAuthority, ...] = ()
    """Further authorities as JSON: `[{"url": "https://...", "ca": "/etc/...pem", "policy": "1.2.3"}]`."""

    tsa_former_ca: Path | None = None
    """PEM of the roots of authorities of former years, whose tokens are still to be believed."""

    tsa_revocation: bool = True
    """Fetch what the authority publishes about its revoked certificates, where its certificate says where."""

    log_origin: str = Field(default="passerelle", pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,79}$")
    """How this gateway is called in its checkpoints: best a domain of yours."""

    algorithm_ends: dict[str, date] = {}
    """From when a hash shall prove nothing any more, as JSON: `{"sha256": "2036-12-31"}`. Logs are renewed
    under SHA-512 from 150 days before, by the service itself; where that fails somebody is told 120 days before."""

    checkpoint_mail: tuple[str, ...] = ()
    """Addresses that get the newest checkpoints every day: whoever keeps them can prove a rewritten journal."""

    smtp_url: str | None = None
    """smtp://user:password@host:port or smtps://...; None means a spool of files that the console shows."""

    mail_from: str = Field(default="relances@passerelle.example",
                           pattern=r"^[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
    """The address alone: the name beside it is that of who invoices."""

    bounces_url: str | None = None
    """Where mails that came back arrive: imaps://user:password@host/INBOX, maildir:///folder, or file:///folder of .eml
    files. A mailbox of Passerelle's own: what others read there first is not seen. None: a person tells of bounces."""

    bounces_seconds: float = 300.0
    """How often it is looked into."""

    alarm_mail: tuple[str, ...] = ()
    """Addresses that are told of every alarm, when it begins and when it ends."""

    secret: SecretStr | None = None
    """Base64 of 32 bytes: encrypts credentials at rest and signs forms. None means a file in `data`."""

    workshop_workers: int = 1
    workshop_seconds: float = 30.0
    workshop_bytes: int = 1 << 30
    poll_seconds: float = 60.0
    """How often each platform is asked for news. Callbacks only make it sooner."""

    seal_seconds: float = 900.0
    """A journal with something new is sealed this often, a minute more or less; without any news not at all."""

    remind_seconds: float = 3600.0
    """How often reminders are decided."""

    webhook_seconds: float = 1.0
    """How often new events become deliveries to webhooks."""

    webhook_allow: tuple[str, ...] = ()
    """`host:port` pairs of systems of the operator's own to which webhooks, and messages of chat and SMS, may go over
    http or inside the house."""

    channel_seconds: float = 5.0
    """How often new events become messages of chat and SMS; what happens meanwhile is told together."""

    duty_seconds: float = 300.0
    """How often statuses that the State must have within 24 hours are looked at, and cases whose day has passed."""

    backup_days: int = Field(default=8, ge=0)
    """An alarm tells when the last `passerelle backup` is older than this. 0: somebody else looks after backups."""

    keep_keys_days: int = Field(default=30, ge=1)
    """How long the same Idempotency-Key gives the same answer. Longer than any caller repeats a request."""

    keep_work_days: int = Field(default=30, ge=1)
    """How long finished entries of the outbox stay, for whoever looks into the past of a fault."""

    keep_looks_days: int = Field(default=365, ge=30)
    """How long the journal's words say what people searched for. That they searched stays."""

    keep_mail_days: int = Field(default=90, ge=1)
    """How long copies of mails stay in the spool. The reminders themselves are kept with their invoices."""

    tidy_seconds: float = 86400.0
    """How often what is older goes."""

    settle_seconds: float = 30.0
    """After a lost answer, how long a platform may take to know what it has before we send again."""

    work_seconds: float = 0.25
    """How often an idle worker looks at the outbox."""

    sweep_seconds: float = 2.0
    """The same where a broker tells what is new: how late work is that the broker lost, or that became due."""

    work_threads: int = 4
    """How many outbox entries one worker handles at once. They mostly wait for platforms."""

    log_json: bool = True

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data / 'passerelle.sqlite3'}"

    @property
    def rules(self) -> Path:
        """Where added rule sets lie, and those that decided a verdict."""
        return self.data / "rules"

    @property
    def url(self) -> str:
        """The address that callbacks and links use."""
        return self.public_url or f"http://{self.host}:{self.port}"

"""One mail: composed as bytes, then delivered by SMTP or into a spool of files. Knows nothing of reminders.

The Message-ID is the caller's and stands for the intent to send: the same intent has the same id. The spool takes
an id once, whatever happens; an SMTP server may have taken a mail although its answer was lost, and that is told
apart from every failure that certainly came before.
"""

import os
import smtplib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueSingleAddressHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from archive.stores.directory import sync_folder
from gateway.settings import Settings
from gateway.trust import trust

TIMEOUT_S: Final = 20.0
"""Per exchange with the server; a whole delivery stays well under the lease of the outbox."""

LONGEST_ENVELOPE_ID: Final = 100

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class NotDelivered(Exception):
    """Nobody got the mail, for certain. `permanent`: for its recipient or content, so it will be the same again."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class InDoubt(Exception):
    """The server may or may not have taken the mail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes
    shown_as: str | None = None
    """The content id under which the HTML shows it (`cid:...`); None for a file to keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a mail says and to whom. Texts may hold any character; line ends in header texts become blanks."""

    sender: str
    sender_name: str
    recipient: str
    reply_to: str | None
    subject: str
    text: str
    html: str
    lang: str
    message_id: str
    """With angle brackets."""

    at: datetime
    references: tuple[str, ...] = ()
    """Message-IDs of the earlier mails about the same thing: readers show them together."""

    attachments: tuple[Attachment, ...] = ()


class Identifiers(UnstructuredHeader, BaseHeader):
    """Message-IDs, one to a line: the library writes long ones as encoded words, in which no mail program looks."""

    def fold(self, *, policy: Policy) -> str:
        """The header as it travels."""
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


# The registry joins the two in the same way; their stubs contradict each other about `init` and `max_count`.
class Author(UniqueSingleAddressHeader, BaseHeader):  # type: ignore[misc]
    """An address with its name.

    Where they need several lines, the library takes the quotes off a name with commas: it would be several addresses.
    """

    def fold(self, *, policy: Policy) -> str:
        """The header as it travels."""
        line = super().fold(policy=policy)
        if policy.linesep not in line.removesuffix(policy.linesep):
            return line
        name = Header(self.address.display_name, "utf-8", header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {name}{policy.linesep} <{self.address.addr_spec}>{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("from", Author)
_HEADERS.map_to_type("in-reply-to", Identifiers)
_HEADERS.map_to_type("references", Identifiers)
POLICY: Final = SMTP.clone(header_factory=_HEADERS)


def compose(mail: Mail) -> bytes:
    """The mail as it travels: plain text and HTML, CRLF, ASCII only.

    Raises ValueError for an address that is none.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = _address(mail.sender, _one_line(mail.sender_name))
    message["To"] = _address(mail.recipient)
    if mail.reply_to:
        message["Reply-To"] = _address(mail.reply_to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office programs from answering
    if mail.references:
        message["In-Reply-To"] = mail.references[-1]
        message["References"] = " ".join(mail.references)
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for attachment in mail.attachments:
        _attach(message, attachment)
    message["Content-Language"] = mail.lang  # last: headers called Content-... move into the parts
    return message.as_bytes()


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    """A picture of the HTML goes beside it in a part of their own (RFC 2387); every other file to the mail."""
    maintype, _, subtype = attachment.media_type.partition("/")
    html = message.get_body(("related", "html")) if attachment.shown_as else None
    if isinstance(html, EmailMessage):
        html.add_related(attachment.content, maintype=maintype, subtype=subtype, cid=f"<{attachment.shown_as}>",
                         filename=attachment.name, disposition="inline")
    else:
        message.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=attachment.name)


def channel_of(settings: Settings) -> str:
    """Where mails go: "smtp" or "spool"."""
    return "smtp" if settings.smtp_url else "spool"


def deliver(settings: Settings, mail: bytes, *, message_id: str, sender: str, recipient: str) -> None:
    """Hand the mail over.

    Raises:
        NotDelivered: for certain; safe to try again unless it is permanent.
        InDoubt: SMTP only; sending again could be the second time.
    """
    if settings.smtp_url:
        _send(settings.smtp_url, mail, (sender, recipient), message_id)
    else:
        _spool(settings, mail, message_id)


def spool_path(settings: Settings, message_id: str) -> Path:
    """The file that holds a mail once it is in the spool."""
    return settings.data / "mail" / f"{message_id.strip('<>')}.eml"


def _spool(settings: Settings, mail: bytes, message_id: str) -> None:
    path = spool_path(settings, message_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(mail)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # the same intent is there already: it is delivered once
                os.link(name, path)
            sync_folder(path.parent)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise NotDelivered(f"La boîte d'envoi n'est pas accessible : {error.strerror}.") from error


def _send(url: str, mail: bytes, envelope: tuple[str, str], message_id: str) -> None:
    sender, recipient = envelope
    with _certainly_not():
        server = _connect(url)
    try:
        with _certainly_not():
            reports = server.has_extn("dsn")  # RFC 3461: what comes back then names the envelope
            _expect(server.mail(sender, ["RET=HDRS", *_envelope_id(message_id)] if reports else ()), permanent=False)
            _expect(server.rcpt(recipient, ["NOTIFY=FAILURE,DELAY"] if reports else ()), permanent=True)
        _data(server, mail)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()


@contextmanager
def _certainly_not() -> Iterator[None]:
    """Before the text of the mail has left, every failure means that nobody got it."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error, permanent=False) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"Serveur de messagerie injoignable : {error}.") from error
    except UnicodeError as error:  # without its words, which quote the password
        raise NotDelivered("Identifiant, mot de passe ou adresse avec des signes que le protocole ne porte pas (ASCII "
                           "seulement).") from error


def _data(server: smtplib.SMTP, mail: bytes) -> None:
    """After DATA a clear answer is an answer; silence is doubt."""
    try:
        code, text = server.data(mail)
    except smtplib.SMTPDataError as error:  # the server did not want to hear it
        raise _refused(error.smtp_code, error.smtp_error, permanent=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise InDoubt(f"Réponse du serveur de messagerie perdue après l'envoi : {error}.") from error
    if code != 250:
        raise _refused(code, text, permanent=True)


def _connect(url: str) -> smtplib.SMTP:
    """An open, greeted, encrypted and authenticated connection.

    Over a network the server must offer encryption with a good certificate where we give a password, and is held
    to it wherever it offers it; on this machine none is asked for.
    """
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=trust())
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
    try:
        server.ehlo_or_helo_if_needed()
        if parts.scheme != "smtps" and host not in LOOPBACK and (parts.username or server.has_extn("starttls")):
            server.starttls(context=trust())
            server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _envelope_id(message_id: str) -> list[str]:
    """What a report names the mail by; none of more than a hundred signs (RFC 3461, 4.4), it has the Message-ID too."""
    said = _xtext(message_id.strip("<>"))
    return [f"ENVID={said}"] if len(said) <= LONGEST_ENVELOPE_ID else []


def _xtext(text: str) -> str:
    """A text as a parameter of the envelope (RFC 3461, 4)."""
    return "".join(f"+{ord(sign):02X}" if sign in "+=" or not "!" <= sign <= "~" else sign for sign in text)


def _expect(answer: tuple[int, bytes], *, permanent: bool) -> None:
    if answer[0] not in {250, 251}:
        raise _refused(*answer, permanent=permanent)


def _refused(code: int, text: bytes | str, *, permanent: bool) -> NotDelivered:
    """`permanent` says whom a 5xx is about: recipient and content, or us and our account."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return NotDelivered(f"Refusé par le serveur de messagerie : {code} {words[:300]}",
                        permanent=permanent and 500 <= code < 600)


def _address(spec: str, name: str = "") -> Address:
    try:
        return Address(display_name=name, addr_spec=spec)
    except (MessageError, IndexError) as error:
        raise ValueError(f"{spec!r} is no mail address") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())

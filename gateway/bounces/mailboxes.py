"""The mailbox in which bounces arrive: by IMAP, as a Maildir, or as a folder of .eml files. Reads bytes, parses none.

A mail is marked as read once it was dealt with. One that is read twice, after a crash in between, counts once: see
taking.py. The mailbox belongs to Passerelle: what a person reads there first is not seen here.
"""

import imaplib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.mail import LOOPBACK, TIMEOUT_S
from gateway.settings import UnsafeSetup
from gateway.trust import trust

MOST_BYTES: Final = 2 << 20
"""Of a mail this much is read: what is reported stands in front of the copy of the mail that it is about."""

MOST_MAILS: Final = 200
"""In one turn."""

READ: Final = "lus"
"""Where a plain folder keeps what was read."""


class MailboxSilent(Exception):
    """The mailbox cannot be read now; the text says why."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail, and how it is marked as read."""

    content: bytes
    mark: Callable[[], object]

    def done(self) -> None:
        """Mark it. Raises MailboxSilent: that cannot be, and it would be read again and again."""
        try:
            self.mark()
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxSilent(f"Courriel lu, impossible à marquer comme tel : {error}. / A mail that was read cannot "
                                "be marked.") from error


def arrived(url: str) -> Iterator[Arrived]:
    """The mails that were not read yet, at most MOST_MAILS.

    `url`: `imaps://user:password@host/folder` (`imap://`: encrypted by STARTTLS unless the server is this machine),
    `maildir:///folder`, or `file:///folder` of .eml files.

    Raises:
        MailboxSilent: it cannot be reached or read.
        UnsafeSetup: no such kind of mailbox.
    """
    parts = urlsplit(url)
    if parts.scheme in {"imap", "imaps"}:
        yield from _by_imap(parts)
    elif parts.scheme == "maildir":
        yield from _files(Path(unquote(parts.path)) / "new", "*", _to_cur)
    elif parts.scheme == "file":
        yield from _files(Path(unquote(parts.path)), "*.eml", _aside)
    else:
        raise UnsafeSetup("PASSERELLE_BOUNCES_URL: imaps://, imap://, maildir:// or file://")


def _files(folder: Path, pattern: str, done: Callable[[Path], object]) -> Iterator[Arrived]:
    try:
        if not folder.is_dir():
            raise MailboxSilent(f"Pas de dossier {folder}. / No such folder.")
        for path in sorted(path for path in folder.glob(pattern) if path.is_file())[:MOST_MAILS]:
            with path.open("rb") as file:
                yield Arrived(file.read(MOST_BYTES), partial(done, path))
    except OSError as error:
        raise MailboxSilent(f"Dossier illisible : {error.strerror}. / Folder cannot be read.") from error


def _to_cur(path: Path) -> None:
    """As a Maildir reader moves what it has seen."""
    path.rename(path.parent.parent / "cur" / f"{path.name.partition(':')[0]}:2,S")


def _aside(path: Path) -> None:
    (path.parent / READ).mkdir(exist_ok=True)
    path.rename(path.parent / READ / path.name)


def _by_imap(parts: SplitResult) -> Iterator[Arrived]:
    try:
        server = _connect(parts)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxSilent(f"Boîte des retours injoignable : {error}. / Mailbox not reached.") from error
    try:
        _ok(server.select(f'"{unquote(parts.path).strip("/") or "INBOX"}"'))
        for number in _ok(server.uid("SEARCH", "UNSEEN"))[0].decode("ascii").split()[:MOST_MAILS]:
            found = _ok(server.uid("FETCH", number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"))
            content = next((one[1] for one in found if isinstance(one, tuple)), b"")
            yield Arrived(content, partial(_mark, server, number))
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxSilent(f"Boîte des retours illisible : {error}. / Mailbox cannot be read.") from error
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            server.logout()


def _mark(server: imaplib.IMAP4, number: str) -> None:
    _ok(server.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))


def _connect(parts: SplitResult) -> imaplib.IMAP4:
    """Open, encrypted with a good certificate but on this machine, and signed in."""
    host = parts.hostname or "127.0.0.1"
    server: imaplib.IMAP4
    if parts.scheme == "imaps":
        server = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=trust(), timeout=TIMEOUT_S)
    else:
        server = imaplib.IMAP4(host, parts.port or 143, timeout=TIMEOUT_S)
    try:
        if parts.scheme != "imaps" and host not in LOOPBACK:
            server.starttls(trust())
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
    except BaseException:
        server.shutdown()
        raise
    return server


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of an answer, whose shape is that of its command."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"{status} {data!r}"[:200])
    return data

"""Hostile bytes: refused by name, soon, without touching anything outside themselves."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from corpus import CORPUS, needs_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import ForbiddenDoctype, FormatError, LimitExceeded, MalformedXml
from formats.opening import open_document
from formats.safexml import Limits, parse
from formats.syntax import Syntax, read, write

LAUGHS = b'<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;">]><a>&m;</a>'


@contextmanager
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """A listener on the loopback: its address, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def listen() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    heard.append(connection.recv(100))
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", heard
        thread.join()


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", MalformedXml),
        (b"plain text", MalformedXml),
        (b"<a><b></a>", MalformedXml),
        (b"<a>&unknown;</a>", MalformedXml),
        (b"<a>\xff</a>", MalformedXml),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", MalformedXml),
        (b"<?xml version='1.0' encoding='ebcdic-cp-us'?><a/>", MalformedXml),
        ("<a/>".encode("utf-32"), MalformedXml),
        (LAUGHS, ForbiddenDoctype),
        (b"\xef\xbb\xbf <!-- x --> <?pi y?>" + LAUGHS, ForbiddenDoctype),
        (LAUGHS.decode().encode("utf-16"), ForbiddenDoctype),
        (LAUGHS.decode().encode("utf-16-be"), ForbiddenDoctype),
        (b"<!DOCTYPE a><a/>", ForbiddenDoctype),
        (b"<a>" * 300 + b"</a>" * 300, LimitExceeded),
        (b"<a>" + b"x" * 10_100_000 + b"</a>", LimitExceeded),
        (b"<a>" + b"<b/>" * 1_000_001 + b"</a>", LimitExceeded),
        (None, LimitExceeded),
        (b"<a>" + b"x" * 20_000_000 + b"</a>", LimitExceeded),
        (b"<!-- -->" * 900_000 + b"<!DOCTYPE a><a/>", ForbiddenDoctype),
    ],
    ids=range(19),
)
def test_refused_by_name_and_soon(document: bytes | None, error: type[FormatError]) -> None:
    if document is None:  # made here, and not wherever the tests are only listed
        document = b"<a " + b" ".join(b"a%d=''" % number for number in range(1_000_001)) + b"/>"
    started = time.process_time()
    with pytest.raises(error) as caught:
        parse(document)
    assert time.process_time() - started < 5
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "document",
    [
        "<a>é</a>".encode(),
        b"\xef\xbb\xbf<a>\xc3\xa9</a>",
        "<a>é</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='ISO-8859-15'?><a>é</a>".encode("iso-8859-15"),
        "<?xml version='1.0' encoding='windows-1252'?><a>é</a>".encode("cp1252"),
        b"<a><!-- split -->\xc3\xa9<?pi?></a>",
        b"<a><![CDATA[\xc3\xa9]]></a>",
        b"<a>" * 200 + "é".encode() + b"</a>" * 200,
    ],
)
def test_encodings_comments_and_cdata_give_one_text(document: bytes) -> None:
    assert "".join(map(str, parse(document).itertext())) == "é"


def test_limits_are_settings() -> None:
    assert parse(b"<a><b/></a>", Limits(max_bytes=11, max_nodes=2)).tag == "a"
    with pytest.raises(LimitExceeded, match="12 bytes"):
        parse(b"<a><b/> </a>", Limits(max_bytes=11))
    with pytest.raises(LimitExceeded, match="about 3 XML nodes"):
        parse(b"<a><b/><c/></a>", Limits(max_nodes=2))


def test_neither_network_nor_files_are_touched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim")
    with canary() as (address, heard):
        for system in (address, secret.as_uri()):
            for document in (
                f'<!DOCTYPE a SYSTEM "{system}"><a/>',
                f'<!DOCTYPE a [<!ENTITY x SYSTEM "{system}">]><a>&x;</a>',
                f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{system}"> %x;]><a/>',
            ):
                with pytest.raises(ForbiddenDoctype):
                    parse(document.encode())
            harmless = (
                f'<a xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
                f' xsi:schemaLocation="urn:x {system}"><?xml-stylesheet href="{system}"?>'
                f'<xi:include href="{system}"/></a>'
            )
            assert "geheim" not in "".join(map(str, parse(harmless.encode()).itertext()))
    assert heard == []


BAD = sorted(path for path in (CORPUS / "bad-xml").rglob("*") if path.is_file()) if CORPUS.is_dir() else []


@needs_corpus
@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name)
def test_bad_corpus_is_answered_soon(path: Path) -> None:
    started = time.process_time()
    with suppress(FormatError):
        assert open_document(path.read_bytes()).syntax is Syntax.UNKNOWN
    assert time.process_time() - started < 5


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    invoice = read(
        b'{"number":"F1","issue_date":"2026-11-21","type_code":"380","currency":"EUR",'
        b'"notes":[{"subject_code":"PMT","text":"40 EUR"}],"seller":{"name":"A","legal_registration":'
        b'{"value":"123456782","scheme":"0002"}},"lines":[{"id":"1","quantity":"2","net_amount":"3.00"}]}',
    ).invoice
    return [write(invoice, syntax) for syntax in (Syntax.UBL_INVOICE, Syntax.CII, Syntax.JSON)]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_damaged_documents_raise_nothing_but_our_errors(written: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    document = bytearray(chance.choice(written))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(document))
        piece = bytes(document[place : place + chance.randint(0, 30)])
        target = chance.randrange(len(document))
        document[target : target + chance.randint(0, 10)] = chance.choice((piece, b"", bytes([chance.randrange(256)])))
    try:
        opened = open_document(bytes(document))
        if opened.syntax is not Syntax.UNKNOWN:
            read(bytes(document))
    except FormatError:
        pass


@pytest.mark.parametrize("document", [
    b"<a " + b" ".join(b'a%d=""' % number for number in range(201)) + b"/>",
    b"<a><b>" + b"9" * 101 + b"</b></a>",
    b"<a><b> -0." + b"3" * 98 + b" </b></a>",
    b"<a><b>" + b"9" * 60 + b"<!-- -->" + b"9" * 60 + b"</b></a>",
    b"<a><b>" + b"9" * 60 + b"<![CDATA[" + b"9" * 60 + b"]]></b></a>",
    b"<a><b>" + b"&#57;" * 101 + b"</b></a>",
])
def test_what_is_slow_to_work_with_is_refused(document: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse(document)


def test_what_is_only_long_is_read() -> None:
    attributes = b" ".join(b'a%d=""' % number for number in range(200))
    assert parse(b"<a " + attributes + b">" + b"9" * 100 + b"</a>").text == "9" * 100
    assert parse(b"<a>" + b"9" * 100 + b"x</a>").text == "9" * 100 + "x"

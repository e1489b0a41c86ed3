"""Documents that want files, the network, time or memory get none of them, and a clear answer."""

import contextlib
import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from samples import AS_OF, CII, UBL, many_lines
from saxonche import PySaxonApiError

from formats.paths import NAMESPACES, Node, leaves, location
from formats.safexml import parse
from formats.syntax import Syntax, read_node, syntax_of, write
from validation import stylesheet
from validation.findings import Report, Verdict
from validation.run import Options, validate
from validation.workshop import Workshop


class Canary:
    """A listener that counts who comes, and a file that shows whether it was read."""

    def __init__(self, folder: Path) -> None:
        self.visits = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/canary"
        self.file = folder / "canary.txt"
        self.file.write_text("tweet-tweet-tweet")
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.visits += 1
                connection.close()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    made = Canary(tmp_path)
    yield made
    made.socket.close()


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop(1, memory_bytes=2 << 30) as made:  # so that no large document retires the worker
        for document in (UBL, CII):
            made.inspect(document, as_of=AS_OF)
        yield made


def attacks(url: str, file: str) -> dict[str, bytes]:
    insides = {
        "entity-file": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{file}">]>',
        "entity-http": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>',
        "external-dtd": f'<!DOCTYPE x SYSTEM "{url}">',
        "parameter-entity": f'<!DOCTYPE x [<!ENTITY % e SYSTEM "{url}"> %e;]>',
    }
    doctypes = {
        name: UBL.replace(b"<Invoice", doctype.encode() + b"<Invoice", 1).replace(b"ESSAI", b"&e;", 1)
        for name, doctype in insides.items()
    }
    hint = f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {url}"'.encode()
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{file}" parse="text"/>'.encode()
    style = f'<?xml-stylesheet type="text/xsl" href="{url}"?>'.encode()
    declaration, _, rest = UBL.partition(b"?>")
    return {
        **doctypes,
        "schema-location": UBL.replace(b"<Invoice", b"<Invoice" + hint, 1),
        "xinclude": CII.replace(b"ESSAI", include, 1),
        "stylesheet-instruction": declaration + b"?>" + style + rest,
        "xpath-in-text": UBL.replace(b"Conseil", f"doc('{url}')".encode(), 1),
    }


@pytest.mark.parametrize("name", sorted(attacks("u", "f")))
def test_nothing_is_fetched_and_nothing_is_read(name: str, canary: Canary, workshop: Workshop) -> None:
    document = attacks(canary.url, str(canary.file))[name]
    os.utime(canary.file, (1, 2))
    for report in (validate(document, Options(AS_OF)), workshop.inspect(document, as_of=AS_OF).report):
        assert "tweet" not in str(report.to_json())
        assert report.verdict is not Verdict.ERROR
        if name.startswith(("entity", "external", "parameter")):
            assert [f.rule for f in report.findings] == ["PAS-DOC-FORBIDDEN-DOCTYPE"]
    time.sleep(0.05)
    assert canary.visits == 0
    assert canary.file.stat().st_atime == 1


def test_the_canary_would_have_noticed(canary: Canary) -> None:
    socket.create_connection(canary.socket.getsockname()).close()
    time.sleep(0.1)
    assert canary.visits == 1


@pytest.mark.parametrize(
    "call", ["doc('{url}')", "unparsed-text('{url}')", "doc('file://{file}')", "unparsed-text('{file}')"]
)
def test_the_engine_itself_has_no_protocols(call: str, canary: Canary) -> None:
    """Even a stylesheet that asks gets nothing."""
    text = f"""<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="3.0">
      <xsl:template match="/"><out><xsl:value-of select="{call.format(url=canary.url, file=canary.file)}"/></out>
      </xsl:template></xsl:stylesheet>"""
    run = stylesheet.processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
    with pytest.raises(PySaxonApiError):
        run.transform_to_string(xdm_node=stylesheet.processor().parse_xml(xml_text="<a/>"))
    assert canary.visits == 0


STRACE = ("strace", "-D", "-ff", "--seccomp-bpf", "-qq", "-s", "300", "-e", "trace=%network,%file,execve")
SOON = 2.0
"""Processor seconds that a worker may spend on a hostile document, once it is warm. The wall belongs to the machine."""

VECTORS = Path(__file__).parents[1] / "vectors" / "validation"
INJECTIONS = (
    "doc('{url}')", "unparsed-text('{file}')", "{{doc('file://{file}')}}", "document('{url}')/*", "']|//*|['",
    "${{jndi:{url}}}", "]]>&e;<x/>", "<script src='{url}'></script>", '#read("{file}")', '#image("{url}")',
    "file://{file}", "{url}", "{file}", "'; DROP TABLE submission; --", "%s%n%x {{0}}", "\u202e\ufeff\u2028",
    "../../../../{file}", "=cmd|'/c calc'!A1",
)


def may_trace() -> bool:
    try:
        tried = subprocess.run([*STRACE, "true"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def places_of_terms(name: str) -> dict[str, tuple[str, str | None]]:
    """Every place in a whole invoice that the mapping table reads: its path and attribute, to its term."""
    root = parse((VECTORS / name).read_bytes())
    node = Node(root, None)
    read_node(node, syntax_of(root))
    return {location(leaf, attribute): term for leaf, attribute, _, term in leaves(node)}


def with_injection(name: str, place: str, text: str) -> bytes:
    """The invoice with this text in place of what it says there."""
    root = parse((VECTORS / name).read_bytes())
    path, _, attribute = place.partition("/@")
    (element,) = root.xpath(path, namespaces=NAMESPACES)
    if attribute:
        element.set(attribute, text)
    else:
        element.text = text
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@pytest.mark.parametrize("name", ["whole-ubl.xml", "whole-cii.xml"])
def test_whatever_is_written_into_a_term_is_text(
    name: str, canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something that a language would run, in each term in turn: a verdict soon, and nothing outside is asked for.

    Where there is strace, the kernel says so: no call to the network and no file under the canary's folder.
    """
    log, traced = tmp_path.parent / f"{tmp_path.name}-trace", may_trace()
    if traced:
        monkeypatch.setattr(Workshop, "command", (*STRACE, "-o", str(log), *Workshop.command))
    places = places_of_terms(name)
    assert len({term for term in places.values() if term}) > 100
    os.utime(canary.file, (1, 2))
    with Workshop(1) as workshop:
        workshop.inspect((VECTORS / name).read_bytes(), as_of=AS_OF)
        before = calls(log)
        for number, place in enumerate(sorted(places)):
            text = INJECTIONS[number % len(INJECTIONS)].format(url=canary.url, file=canary.file)
            report, seconds = judged(workshop, with_injection(name, place, text))
            assert seconds < SOON, place
            assert report.verdict in {Verdict.VALID, Verdict.INVALID}, place
            assert "tweet" not in str(report.to_json()), place
        after = calls(log)
    assert canary.visits == 0
    assert canary.file.stat().st_atime == 1
    if not traced:
        pytest.skip("strace is absent or may not watch here: only the canaries were asked")
    assert any("openat(" in call for call in itertools.chain(*before.values()))
    asked = [call for thread, made in after.items() for call in made[len(before.get(thread, ())) :]]
    assert [call for call in asked if "socket(" in call or "connect(" in call or "execve(" in call] == []
    assert [call for call in asked if str(canary.file) in call] == []


def calls(log: Path) -> dict[str, list[str]]:
    """What was asked of the kernel so far, by thread."""
    return {file.name: file.read_text("utf-8", "replace").splitlines() for file in log.parent.glob(f"{log.name}.*")}


def judged(workshop: Workshop, document: bytes) -> tuple[Report, float]:
    """The report, and the processor seconds that its worker took for it."""
    (worker,) = workshop._idle.queue
    before = processor_seconds(worker.process.pid)
    report = workshop.inspect(document, as_of=AS_OF).report
    return report, processor_seconds(worker.process.pid) - before


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


BOMBS = {
    "deep": b"<a>" * 100_000,
    "wide": b"<a>" + b"<b/>" * 1_500_000 + b"</a>",
    "attributes": b"<a " + b" ".join(b'a%d=""' % number for number in range(300_000)) + b"/>",
    "long-text": b"<a>" + b"x" * 12_000_000 + b"</a>",
    "zeros": bytes(1_000_000),
    "utf-7": b'<?xml version="1.0" encoding="UTF-7"?><a/>',
    "laughs": b'<!DOCTYPE l [<!ENTITY a "' + b"&b;" * 1000 + b'">]><l>&a;</l>',
    "pdf-that-is-none": b"%PDF-1.7\n" + b"1 0 obj<<" * 200_000,
    "json-deep": b"[" * 500_000,
    "json-number": b'{"number":' + b"9" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_gets_a_clear_answer_soon(name: str, workshop: Workshop) -> None:
    report, seconds = judged(workshop, BOMBS[name])
    assert report.verdict is Verdict.INVALID
    assert report.findings[0].rule.startswith(("PAS-DOC-", "PAS-VALUE-"))
    assert seconds < SOON


@pytest.mark.corpus
def test_every_bad_file_of_the_corpus_gets_a_clear_answer_soon(corpus: Path, workshop: Workshop) -> None:
    files = [
        f for folder in ("bad-xml", "bad-pdf", "non-utf8") for f in sorted((corpus / folder).rglob("*")) if f.is_file()
    ]
    assert len(files) > 20
    for file in files:
        report, seconds = judged(workshop, file.read_bytes())
        assert seconds < SOON, file
        assert report.verdict is not Verdict.ERROR, file
        assert all(each.remedy and (each.title or each.layer == "xsd") for each in report.findings), file
        if "non-utf8" not in file.parts:
            assert report.verdict is Verdict.INVALID, file
            assert report.findings[0].message.fr, file


def test_many_failures_on_many_lines_stay_linear() -> None:
    """Locations are found in one walk: twenty times the lines may cost twenty times, not four hundred times."""

    def seconds(lines: int) -> float:
        document = write(many_lines(lines, unit="??"), Syntax.UBL_INVOICE)
        started = time.perf_counter()
        report = validate(document, Options(AS_OF, layers=("en16931",)))
        assert report.layers[0].findings_total >= lines
        return time.perf_counter() - started

    seconds(50)
    assert seconds(2000) / seconds(100) < 100

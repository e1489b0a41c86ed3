"""Run a published rule set over a document, by SaxonC.

SaxonC would read files and the network for a document or a stylesheet that asks: its protocols are switched off
before anything else, stylesheets are compiled from text, and a document reaches it only as the text of a tree that
our own parser has built. One processor per process; compiled stylesheets are kept for its life. SaxonC holds the
GIL and cannot be cancelled, so this module belongs into a workshop process.
"""

import hashlib
import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from schematron import prepare, supply
from schematron.sheet import SVRL, text_of
from validation.ahead import Beside, Gone, start
from validation.locations import Place, find_places, rewrite

ALLOWED_PROTOCOLS: Final = "http://saxon.sf.net/feature/allowedProtocols"
BRACKETED_CODE: Final = re.compile(r"\[([A-Z][A-Z0-9.-]*\d[A-Za-z0-9._-]*)\]")
ERROR_CODE: Final = re.compile(r"\b([A-Z]{4}\d{4})\b")

log = logging.getLogger(__name__)


class EngineFailure(Exception):
    """The rules could not be run to their end over this document (an XSLT dynamic error)."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = ERROR_CODE.search(text)
        self.code = found.group(1) if found else "unknown"


class CompilationFailure(supply.RuleSetError):
    """The engine cannot compile a rule set."""


@dataclass(frozen=True, slots=True)
class Fired:
    """One failed assert or successful report, as published except for the words of its location."""

    rule: str
    """The published id, else the first bracketed code of the text, else `<rule_set>#<12 hex>`."""

    flag: str | None
    """As published; None where the rule has none."""

    text: str
    """As published, white space folded."""

    place: Place
    """The element that the rule was about."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule set ready to run."""

    rule_set: supply.RuleSet
    executable: Any
    """A saxonche.PyXsltExecutable; None where a process beside this one has it."""

    prepared: bool
    """False where the published form had to be used."""


BESIDE: Final[dict[str, Beside]] = {}
"""The process beside this one that compiles and runs a rule set, by the key of the set; at most one."""

READY: Final = "prepared"
FAILED: Final = "!"
"""What begins an answer that is the text of a failure and no XML."""


@cache
def processor() -> PySaxonProcessor:
    """The one SaxonC processor of this process, without access to files and network."""
    made = PySaxonProcessor(license=False)
    made.set_configuration_property(ALLOWED_PROTOCOLS, "none")
    return made


def compiled(rule_set: str) -> Compiled:
    """The rule set of this name (see supply.get_rule_set), checked against its hash, prepared and compiled; kept.

    Raises:
        RuleSetMissing, RuleSetAltered: see schematron.supply.
        CompilationFailure: the engine does not take it.
    """
    key = supply.get_rule_set(rule_set).key
    return compiled_beside(key) if key in BESIDE else compiled_edition(key)


@cache
def compiled_edition(key: str) -> Compiled:
    """The rule set of this key. Raises as `compiled`."""
    return compile_rules(supply.get_rule_set(key))


def compile_rules(described: supply.RuleSet) -> Compiled:
    """A rule set ready to run, not kept. Raises as `compiled`."""
    path = supply.check(described)
    text, prepared = _fastest_form(described, path)
    try:
        executable = processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
    except PySaxonApiError as error:
        raise CompilationFailure(f"{described.id}: {' '.join(str(error).split())}") from error
    return Compiled(described, executable, prepared)


def compile_beside(key: str, hidden: tuple[int, ...]) -> None:
    """Let a fork of this process compile a rule set and run it whenever this process is to. See `ahead.start`.

    Changes nothing but who works: if the fork ends before its time, this process does it.
    """
    BESIDE[key] = start(partial(_serve_beside, key), hidden)


def _serve_beside(key: str, asking: Beside) -> None:
    rules = compile_rules(supply.get_rule_set(key))
    asking.send(READY if rules.prepared else "")
    with suppress(Gone):
        while True:
            text = asking.receive()
            try:
                answer = _transformed(rules, _parsed(text)) or ""
            except EngineFailure as failure:
                answer = f"{FAILED}{failure}"
            asking.send(answer)


@cache
def compiled_beside(key: str) -> Compiled:
    """The rule set of this key, once the process beside has it. Raises as `compiled`."""
    try:
        prepared = BESIDE[key].receive()
    except Gone:
        del BESIDE[key]
        return compiled_edition(key)
    return Compiled(supply.get_rule_set(key), None, prepared == READY)


def tree_of(root: etree._Element) -> Any:
    """The document as the engine holds it (a saxonche.PyXdmNode), for all rule sets that are run over it.

    Raises:
        EngineFailure: the engine cannot read what our parser could.
    """
    return _parsed(etree.tostring(root, encoding="unicode"))


def _parsed(text: str) -> Any:
    try:
        return processor().parse_xml(xml_text=text)
    except PySaxonApiError as error:
        raise EngineFailure(" ".join(str(error).split())) from error


def run(rules: Compiled, root: etree._Element, tree: Any = None) -> tuple[Fired, ...]:
    """What the rule set says about the document, in the order of its patterns and of the document.

    `tree` is `tree_of(root)`, where it has been made.

    Raises:
        EngineFailure: the engine stopped with a dynamic error; the document gives the rules something they cannot
            compute with.
    """
    answer = _answer(rules, root, tree if tree is not None else tree_of(root))
    if not answer:
        raise EngineFailure("the engine gave no answer")
    try:
        svrl = etree.fromstring(answer.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise EngineFailure(f"the answer of the engine is too long: {error}") from error
    results = [e for e in svrl if e.tag in {f"{SVRL}failed-assert", f"{SVRL}successful-report"}]
    places = find_places(root, {int(e.get("n", 0)) for e in results})
    return tuple(_fired(rules.rule_set.id, element, places) for element in results)


def _answer(rules: Compiled, root: etree._Element, tree: Any) -> str | None:
    """What the engine writes, here or beside. Raises EngineFailure."""
    if rules.executable is None:
        return _answer_from_beside(rules.rule_set.key, root, tree)
    return _transformed(rules, tree)


def _transformed(rules: Compiled, tree: Any) -> str | None:
    try:
        answer: str | None = rules.executable.transform_to_string(xdm_node=tree)
    except PySaxonApiError as error:
        raise EngineFailure(" ".join(str(error).split())) from error
    return answer


def _answer_from_beside(key: str, root: etree._Element, tree: Any) -> str | None:
    try:
        BESIDE[key].send(etree.tostring(root, encoding="unicode"))
        answer = BESIDE[key].receive()
    except Gone:
        del BESIDE[key]
        return _transformed(compiled_edition(key), tree)
    if answer.startswith(FAILED):
        raise EngineFailure(answer.removeprefix(FAILED))
    return answer


def rule_id(rule_set: str, published: str | None, text: str, context: str, test: str) -> str:
    """The name of a rule: its published id, else the first bracketed code of its text, else a hash of its words."""
    if published:
        return published
    if code := BRACKETED_CODE.search(text):
        return code.group(1)
    return f"{rule_set}#{hashlib.sha256(f'{context}{test}'.encode()).hexdigest()[:12]}"


def _fastest_form(described: supply.RuleSet, path: Path) -> tuple[str, bool]:
    published = path.read_bytes()
    codes = {companion.name: companion.read_bytes() for companion in supply.companion_paths(described)}
    try:
        return prepare.prepare(published, codes), True
    except prepare.NotPreparable as reason:
        log.warning("%s runs in its published, slower form: %s", described.id, reason)
        return prepare.with_codes_inside(published, codes), False


def _fired(rule_set: str, element: etree._Element, places: dict[int, Place]) -> Fired:
    text = text_of(element)
    place = places.get(int(element.get("n", 0))) or Place(rewrite(element.get("location", "")), None)
    context = element.get("context", "") or _context_before(element)
    return Fired(
        rule=rule_id(rule_set, element.get("id"), text, context, element.get("test", "")),
        flag=element.get("flag"),
        text=text,
        place=place,
    )


def _context_before(element: etree._Element) -> str:
    """The context that the published form wrote before its findings."""
    fired = next(element.itersiblings(f"{SVRL}fired-rule", preceding=True), None)
    return fired.get("context", "") if fired is not None else ""

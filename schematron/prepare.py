"""The fast form of a compiled Schematron. The rules stay word for word; only the machinery around them goes.

A published stylesheet (the output of the ISO skeleton) walks the whole tree once per pattern, writes what nobody
reads, and parses an external code list for every document. The prepared form
  * selects the elements that a pattern can match, in document order, instead of walking: by an index of their names
    that the engine makes once for a document;
  * writes only failed asserts and successful reports, and numbers the element instead of spelling its path;
  * looks codes up in a map that is built once, when the stylesheet is compiled, whether the published form parses
    a file for them or searches a string of them from its beginning;
  * looks once for all that neighbouring asserts forbid, before it looks for each (`guards`).
Each element still meets the highest-priority template of each pattern, so the same asserts run on the same
elements in the same order. A stylesheet of a shape that this module does not know raises `NotPreparable`: the
published form is to be used then. Tests prove that both forms give the same over the corpus.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from schematron.guards import guard, shorten

XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
MAP: Final = "http://www.w3.org/2005/xpath-functions/map"

ACCUMULATOR: Final = "passerelle-element-number"
BY_NAME: Final = "passerelle-elements-by-name"
GLOBALS: Final = {f"{XSL}{name}" for name in ("function", "variable", "param", "key")}
PATTERN_MODE: Final = re.compile(r"M\d+")
FILLERS: Final = {"text()", "@*|node()"}
WALKS: Final = {"*", "@*|*", "*|comment()|processing-instruction()"}
LOOK_UP: Final = re.compile(r"document\('([^']+)'\)/codedb/cl\[@id=(\d+)\]/enumeration\[@value=(\$[\w.-]+)\]")
SEARCH: Final = re.compile(
    r"not\(\s*contains\(\s*normalize-space\((\.|@\w+)\)\s*,\s*' '\s*\)\s*\)\s+and\s+contains\(\s*'([^'\"&<]*)'\s*,"
    r"\s*concat\(\s*' '\s*,\s*normalize-space\(\1\)\s*,\s*' '\s*\)\s*\)"
)
"""`X has no space, and ' A B C ' contains ' X '`: X is one of the codes."""

EXTERNAL_FILE: Final = re.compile(r"document\('([^']+)'\)")
NOT_ELEMENTS: Final = re.compile(r"@|\$|\.|\b(id|key|text|comment|node|processing-instruction|document-node)\s*\(")
NAME: Final = re.compile(r"([A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*")
STRING: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
BETWEEN_CODES: Final = "\n"
WIDEST_UNION: Final = 20
"""Above this many paths one look at every element costs less than their union, and compiles in a tenth of the time
(measured on all rule sets of the manifest)."""


class NotPreparable(Exception):
    """The stylesheet has a shape that the preparation does not know; the text says which."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule template of a pattern."""

    template: etree._Element
    select: str
    """Every element it matches."""

    priority: float
    ends_walk: bool
    """The published walk does not go below an element that this rule takes."""

    @property
    def last_step(self) -> frozenset[str]:
        """The names that the last steps of its paths test."""
        branches = _branches(self.template.get("match", ""))
        return frozenset(_without_predicates(branch).rsplit("/", 1)[-1] for branch in branches)


def prepare(stylesheet: bytes, code_lists: Mapping[str, bytes]) -> str:
    """The fast form of a compiled Schematron, as text for the compiler.

    `code_lists` are the code list files by the name that the stylesheet calls them. The result writes a
    `svrl:schematron-output` of findings only: published attributes and text, but `n` (number of the element in
    document order, from 1) instead of `location`; `test` and `context` (the rule's own words) only where it has no id.

    Raises:
        NotPreparable: an unknown shape.
    """
    root = etree.fromstring(stylesheet, etree.XMLParser(no_network=True, resolve_entities=False))
    if set(root.attrib) != {"version"}:
        raise NotPreparable(f"attributes on the stylesheet: {sorted(map(str, root.attrib))}")
    etree.strip_tags(root, etree.Comment)
    patterns = {mode: [_prepare_rule(each) for each in templates] for mode, templates in _take_apart(root).items()}
    _replace_look_ups(root, code_lists)
    _replace_searches(root)
    _write_start(root, patterns)
    root.set("version", "3.0")
    root.set("exclude-result-prefixes", "#all")
    return etree.tostring(root, encoding="unicode")


def select_of(pattern: str) -> str:
    """The expression that selects, anywhere in a document, the elements that a match pattern matches.

    Raises:
        NotPreparable: a pattern that is not a union of element paths.
    """
    return " | ".join(_select_branch(branch) for branch in _branches(pattern))


def _select_branch(branch: str) -> str:
    if NOT_ELEMENTS.search(_without_predicates(branch)) or branch.endswith("/"):
        raise NotPreparable(f"pattern {branch!r} is not a path of elements")
    if branch.startswith("("):
        absolute = {part.startswith("/") for part in _branches(branch[1 : branch.index(")")])}
        if len(absolute) > 1:
            raise NotPreparable(f"pattern {branch!r} begins with a mixed group")
        return branch if absolute == {True} else f"//{branch}"
    return branch if branch.startswith("/") else f"//{branch}"


def _branches(pattern: str) -> Iterator[str]:
    """The members of a union, split at the `|` that stand in no bracket and no string."""
    depth, start = 0, 0
    for position, character in enumerate(STRING.sub(lambda found: "_" * len(found.group()), pattern)):
        depth += (character in "[(") - (character in "])")
        if character == "|" and depth == 0:
            yield pattern[start:position].strip()
            start = position + 1
    yield pattern[start:].strip()


def _without_predicates(branch: str) -> str:
    bare = STRING.sub("_", branch)
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", bare)) != bare:
        bare = shorter
    return bare.strip()


def _take_apart(root: etree._Element) -> dict[str, list[etree._Element]]:
    """Remove the machinery and return the rule templates by mode, in the order in which the patterns run."""
    patterns: dict[str, list[etree._Element]] = {}
    starts: list[etree._Element] = []
    for child in list(root):
        mode, match = child.get("mode"), child.get("match")
        if child.tag in GLOBALS:
            continue
        if child.tag == f"{XSL}template" and mode is not None and PATTERN_MODE.fullmatch(mode):
            templates = patterns.setdefault(mode, [])
            if match not in FILLERS:
                templates.append(child)
                continue
        elif child.tag == f"{XSL}template" and mode is None:
            if match not in {"/", "text()"}:
                raise NotPreparable(f"a template without a mode matches {match!r}")
            starts += [child] if match == "/" else []
        elif child.tag not in {f"{XSL}template", f"{XSL}output"} and not str(child.tag).startswith(SVRL):
            raise NotPreparable(f"top-level element {child.tag!r}")
        root.remove(child)
    applied = [call.get("mode") for start in starts for call in start.iter(f"{XSL}apply-templates") if call.get("mode")]
    if applied != list(patterns):
        raise NotPreparable("the start template does not apply each pattern once and in order")
    return patterns


def _prepare_rule(template: etree._Element) -> _Rule:
    """Drop the recursion and the trace; number the element where its path was spelled."""
    match, mode, priority = template.get("match", ""), template.get("mode"), template.get("priority")
    walks = [call for call in template.iter(f"{XSL}apply-templates") if call.get("mode") == mode]
    if any(walk.get("select") not in WALKS or walk is not template[-1] for walk in walks):
        raise NotPreparable(f"the rule for {match!r} does not end with a plain walk")
    fired = template.find(f"{SVRL}fired-rule")
    if fired is None or priority is None:
        raise NotPreparable(f"the rule for {match!r} does not say its context or its priority")
    for finding in template.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
        locations = finding.findall(f"{XSL}attribute[@name='location']")
        if len(locations) != 1:
            raise NotPreparable(f"a finding of {match!r} has no single location")
        number = etree.Element(f"{XSL}attribute", name="n", select=f"accumulator-before('{ACCUMULATOR}')")
        finding.replace(locations[0], number)
        _name_finding(finding, fired.get("context", ""))
    for machinery in (*walks, fired):
        template.remove(machinery)
    shorten(template)
    guard(template)
    return _Rule(template, select_of(match), float(priority), ends_walk=not walks)


def _name_finding(finding: etree._Element, context: str) -> None:
    """Id and flag as plain attributes.

    The test is written out only where a finding is named by its words: the code list in one may have 13 kB, and be
    written once for each line of an invoice.
    """
    for name in ("id", "flag"):
        for written in finding.findall(f"{XSL}attribute[@name='{name}']"):
            if len(written) or written.get("select") is not None:
                raise NotPreparable(f"a finding in {context!r} computes its {name}")
            finding.set(name, (written.text or "").replace("{", "{{").replace("}", "}}"))
            finding.remove(written)
    if finding.get("id"):
        del finding.attrib["test"]
    else:
        finding.set("context", context)


def _replace_searches(root: etree._Element) -> None:
    """Turn each search in a string of codes into a look-up in a static map of the codes between its spaces."""
    names: dict[str, str] = {}

    def in_map(found: re.Match[str]) -> str:
        value, text = found.groups()
        codes = text.strip(" ").split(" ")
        if text == f" {' '.join(codes)} " and all(codes) and BETWEEN_CODES not in text:
            name = names.setdefault(text, f"passerelle-search-{len(names)}")
            return f"exists(${name}(normalize-space({value})))"
        return found.group()

    for test in root.iter(f"{XSL}when", f"{XSL}if"):
        test.set("test", SEARCH.sub(in_map, test.get("test", "")))
    for position, (text, name) in enumerate(names.items()):
        root.insert(position, _static_map(name, text.strip(" ").split(" ")))


def _replace_look_ups(root: etree._Element, code_lists: Mapping[str, bytes]) -> None:
    """Turn each look-up in an external code list into one in a static map of the same codes."""
    names: dict[tuple[str, str], str] = {}

    def in_map(found: re.Match[str]) -> str:
        file, identifier, variable = found.groups()
        name = names.setdefault((file, identifier), f"passerelle-codes-{len(names)}")
        return f"(some $code in {variable} satisfies exists(${name}(string($code))))"

    for test in root.iter(f"{XSL}when", f"{XSL}if"):
        test.set("test", LOOK_UP.sub(in_map, test.get("test", "")))
        if "document(" in test.get("test", ""):
            raise NotPreparable(f"an external file in {test.get('test')!r}")
    lists = {file: etree.fromstring(code_lists[file]) for file in {file for file, _ in names}}
    for position, ((file, identifier), name) in enumerate(names.items()):
        entries = lists[file].findall(f"cl[@id='{identifier}']/enumeration")
        root.insert(position, _static_map(name, [entry.get("value", "") for entry in entries]))


def _static_map(name: str, codes: Sequence[str]) -> etree._Element:
    if any(BETWEEN_CODES in code for code in codes):
        raise NotPreparable("a code with a line break")
    text = BETWEEN_CODES.join(codes).replace("'", "''")
    build = f"map:merge(tokenize('{text}', '{BETWEEN_CODES}') ! map:entry(., true()))"
    return etree.Element(f"{XSL}variable", name=name, static="yes", select=build, nsmap={"map": MAP})


def _write_start(root: etree._Element, patterns: dict[str, list[_Rule]]) -> None:
    etree.SubElement(root, f"{XSL}output", method="xml", indent="no")
    etree.SubElement(root, f"{XSL}mode", {"use-accumulators": ACCUMULATOR})
    accumulator = etree.SubElement(root, f"{XSL}accumulator", {"name": ACCUMULATOR, "initial-value": "0"})
    etree.SubElement(accumulator, f"{XSL}accumulator-rule", match="*", select="$value + 1")
    etree.SubElement(root, f"{XSL}key", {"name": BY_NAME, "match": "*", "use": "node-name()"})
    start = etree.SubElement(root, f"{XSL}template", match="/")
    output = etree.SubElement(start, f"{SVRL}schematron-output", nsmap={"svrl": SVRL[1:-1]})
    for mode, rules in patterns.items():
        if rules:
            etree.SubElement(output, f"{XSL}apply-templates", mode=mode, select=_selection(rules))
            etree.SubElement(root, f"{XSL}template", mode=mode, match="*", priority="-1")


def _selection(rules: Sequence[_Rule]) -> str:
    """The elements to visit for one pattern: all that a rule may take, less what the published walk cannot reach.

    More may be visited than a rule takes: the template of the lowest priority takes the others, and says nothing.
    """
    names = frozenset[str]().union(*(rule.last_step for rule in rules))
    if all(NAME.fullmatch(name) for name in names):
        namespaces = rules[0].template.nsmap
        wanted = f"key('{BY_NAME}', ({', '.join(_qualified(name, namespaces) for name in sorted(names))}))"
    else:
        wanted = " | ".join(rule.select for rule in rules) if len(rules) <= WIDEST_UNION else "//*"
    unreached = [_below(rule, rules) for rule in rules if rule.ends_walk]
    return f"({wanted}) except ({' | '.join(unreached)})" if unreached else wanted


def _qualified(name: str, namespaces: Mapping[str | None, str]) -> str:
    prefix, _, local_name = name.rpartition(":")
    return f"QName('{namespaces[prefix] if prefix else ''}', '{local_name}')"


def _below(rule: _Rule, rules: Sequence[_Rule]) -> str:
    """What lies below the elements that `rule` takes, that is, that no rule of higher priority takes."""
    higher = [other for other in rules if other.priority > rule.priority and not other.ends_walk]
    rivals = [other.select for other in higher if other.last_step & rule.last_step]
    taken = f"(({rule.select}) except ({' | '.join(rivals)}))" if rivals else f"({rule.select})"
    return f"{taken}/descendant::*"


def with_codes_inside(stylesheet: bytes, code_lists: Mapping[str, bytes]) -> str:
    """The published form, complete in one text: its external code lists become variables that hold the same trees."""
    root = etree.fromstring(stylesheet, etree.XMLParser(no_network=True, resolve_entities=False))
    files: dict[str, str] = {}
    for test in root.iter(f"{XSL}when", f"{XSL}if"):
        test.set(
            "test",
            EXTERNAL_FILE.sub(
                lambda found: "$" + files.setdefault(found.group(1), f"passerelle-file-{len(files)}"),
                test.get("test", ""),
            ),
        )
    for position, (file, name) in enumerate(files.items()):
        variable = etree.Element(f"{XSL}variable", name=name)
        variable.append(etree.fromstring(code_lists[file]))
        root.insert(position, variable)
    return etree.tostring(root, encoding="unicode")

import re
from pathlib import Path

import pytest
from lxml import etree

from schematron import prepare, supply

STYLESHEETS = [each for each in supply.rule_sets() if each.layer != "xsd"]


def code_lists(rule_set: supply.RuleSet) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in supply.companion_paths(rule_set)}


@pytest.mark.parametrize("rule_set", STYLESHEETS, ids=lambda r: r.id)
def test_every_published_set_can_be_prepared_and_keeps_its_rules(rule_set: supply.RuleSet) -> None:
    published = supply.check(rule_set).read_bytes()
    prepared = prepare.prepare(published, code_lists(rule_set))

    assert "document(" not in "".join(conditions_of(prepared.encode()))
    assert words_of(published) == words_of(prepared.encode())
    for before, after in zip(conditions_of(published), conditions_of(prepared.encode()), strict=True):
        assert same_condition(without_look_ups(before), without_look_ups(after)), before


def same_condition(published: str, prepared: str) -> bool:
    """The same, or what is left of a choice of two with nothing to do in the first."""
    return prepared in {published, f"not({published})"} or re.sub(r"\s", "", f"not({prepared})") == re.sub(
        r"\s", "", published)


def conditions_of(stylesheet: bytes) -> list[str]:
    """The conditions that findings hang on, in their order."""
    root = etree.fromstring(stylesheet)
    return [
        e.get("test", "")
        for template in root.iter(f"{prepare.XSL}template")
        if prepare.PATTERN_MODE.fullmatch(template.get("mode", ""))
        for e in template.iter(f"{prepare.XSL}when", f"{prepare.XSL}if")
        if e.find(f"{prepare.XSL}if") is None  # a guard: what stands behind it is looked at itself
    ]


def without_look_ups(condition: str) -> str:
    """A condition with a mark where it looks a code up, in either form."""
    either = (
        prepare.LOOK_UP, prepare.SEARCH,
        re.compile(r"\(some \$code in \S+ satisfies exists\(\$passerelle-codes-\d+\(string\(\$code\)\)\)\)"),
        re.compile(r"exists\(\$passerelle-search-\d+\(normalize-space\([.@\w]+\)\)\)"),
    )
    for form in either:
        condition = form.sub("#", condition)
    return condition


def words_of(stylesheet: bytes) -> list[tuple[str, ...]]:
    """Id, flag and text of every finding that a stylesheet can make; its test where it has no id."""
    root = etree.fromstring(stylesheet)
    found = []
    for result in root.iter(f"{prepare.SVRL}failed-assert", f"{prepare.SVRL}successful-report"):
        apart = {a.get("name"): a.text for a in result.findall(f"{prepare.XSL}attribute")}
        identifier, flag = (result.get(name) or apart.get(name) or "" for name in ("id", "flag"))
        text = result.find(f"{prepare.SVRL}text")
        spelled = etree.tostring(text, method="c14n", exclusive=True, with_tail=False).decode()
        found.append((identifier, flag, "" if identifier else result.get("test", ""), spelled))
    return found


@pytest.mark.parametrize(
    ("pattern", "select"),
    [
        ("cac:Party", "//cac:Party"),
        ("/ubl:Invoice/cbc:ID", "/ubl:Invoice/cbc:ID"),
        ("//ram:Name[. = 'a|b']", "//ram:Name[. = 'a|b']"),
        ("a:x | /a:y", "//a:x | /a:y"),
        ("a:x[b:y | b:z]/a:w|a:v", "//a:x[b:y | b:z]/a:w | //a:v"),
        ("(/a:x | /a:y)/a:z", "(/a:x | /a:y)/a:z"),
        ("(a:x|a:y)/a:z", "//(a:x|a:y)/a:z"),
        ('a:x[@id = "["]', '//a:x[@id = "["]'),
    ],
)
def test_a_pattern_becomes_a_selection(pattern: str, select: str) -> None:
    assert prepare.select_of(pattern) == select


@pytest.mark.parametrize(
    "pattern", ["@id", "a/@id", "text()", "a/node()", "/", ".", "$v/a", "key('k', 'v')", "(/a | b)/c"]
)
def test_a_pattern_of_another_shape_is_refused(pattern: str) -> None:
    with pytest.raises(prepare.NotPreparable):
        prepare.select_of(pattern)


SKELETON = """<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:svrl="http://purl.oclc.org/dsdl/svrl"
  version="2.0"><xsl:output method="xml"/>
<xsl:template match="*" mode="schematron-select-full-path">/<xsl:value-of select="name()"/></xsl:template>
<xsl:template match="text()" priority="-1"/>
<xsl:template match="/"><svrl:schematron-output><xsl:apply-templates/><xsl:apply-templates select="/" mode="M1"/>
</svrl:schematron-output></xsl:template>
{rules}
<xsl:template match="text()" mode="M1" priority="-1"/>
<xsl:template match="@*|node()" mode="M1" priority="-2"><xsl:apply-templates mode="M1" select="*"/></xsl:template>
</xsl:stylesheet>"""

RULE = """<xsl:template match="{match}" mode="M1" priority="{priority}"><svrl:fired-rule context="{match}"/>
<xsl:choose><xsl:when test="{test}"/><xsl:otherwise><svrl:failed-assert test="{test}">
<xsl:attribute name="id">{id}</xsl:attribute><xsl:attribute name="location">
<xsl:apply-templates select="." mode="schematron-select-full-path"/></xsl:attribute><svrl:text>{id}</svrl:text>
</svrl:failed-assert></xsl:otherwise></xsl:choose>{walk}</xsl:template>"""

WALK = '<xsl:apply-templates select="*" mode="M1"/>'


def skeleton(*rules: dict[str, str]) -> bytes:
    return SKELETON.format(rules="".join(RULE.format(**{"walk": WALK, **rule}) for rule in rules)).encode()


def findings(stylesheet: str, document: str) -> list[tuple[str, str]]:
    from saxonche import PySaxonProcessor

    with PySaxonProcessor(license=False) as processor:
        run = processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=stylesheet)
        answer = etree.fromstring(run.transform_to_string(xdm_node=processor.parse_xml(xml_text=document)).encode())
    return [(e.get("id", ""), e.get("n", "")) for e in answer.iter(f"{prepare.SVRL}failed-assert")]


def test_a_rule_without_a_walk_hides_what_is_below_it() -> None:
    """The published walk stops there; a selection must not see further."""
    ends = {"match": "b", "priority": "1002", "id": "B", "test": "false()", "walk": ""}
    below = {"match": "c", "priority": "1001", "id": "C", "test": "false()"}
    document = "<a><b><c/></b><c/></a>"

    published = [
        name for name, _ in findings(prepare.with_codes_inside(skeleton(ends, below), {}), document)
    ]
    prepared = findings(prepare.prepare(skeleton(ends, below), {}), document)

    assert published == ["B", "C"]
    assert prepared == [("B", "2"), ("C", "4")]


def test_a_stronger_rule_on_the_same_element_keeps_walking() -> None:
    strong = {"match": "b[@x]", "priority": "1003", "id": "S", "test": "false()"}
    ends = {"match": "b", "priority": "1002", "id": "B", "test": "false()", "walk": ""}
    below = {"match": "c", "priority": "1001", "id": "C", "test": "false()"}
    document = "<a><b x='1'><c/></b><b><c/></b></a>"

    published = [
        name
        for name, _ in findings(prepare.with_codes_inside(skeleton(strong, ends, below), {}), document)
    ]
    prepared = [
        name for name, _ in findings(prepare.prepare(skeleton(strong, ends, below), {}), document)
    ]

    assert prepared == published == ["S", "C", "B"]


LOOK_UP = "string-length($code)=0 or document('codes.xml')/codedb/cl[@id=1]/enumeration[@value=$code]"
CODES = b"<codedb><cl id='1'><enumeration value='A'/><enumeration value=\"it's\"/></cl><cl id='2'/></codedb>"


def test_a_look_up_in_a_code_list_becomes_a_map_of_the_same_codes() -> None:
    rule = {"match": "b", "priority": "1000", "id": "LIST", "test": LOOK_UP}
    stylesheet = skeleton(rule).replace(b"<xsl:choose>", b'<xsl:variable name="code" select="."/><xsl:choose>')
    document = "<a><b>A</b><b>it's</b><b>B</b><b/><b> A</b></a>"

    published = findings(prepare.with_codes_inside(stylesheet, {"codes.xml": CODES}), document)
    prepared = findings(prepare.prepare(stylesheet, {"codes.xml": CODES}), document)

    assert [number for _, number in prepared] == ["4", "6"]
    assert len(published) == 2


SEARCH = "not(contains(normalize-space(.), ' ')) and contains(' A B C {{D}} ', concat(' ', normalize-space(.), ' '))"


def test_a_search_in_a_string_of_codes_becomes_a_map_of_the_same_codes() -> None:
    rule = {"match": "b", "priority": "1000", "id": "LIST", "test": SEARCH}
    document = "<a><b>A</b><b> B </b><b>C {{D}}</b><b/><b>a</b><b>A B</b><b>{{D}}</b><b>X</b></a>"

    published = prepare.with_codes_inside(skeleton(rule), {})
    prepared = prepare.prepare(skeleton(rule), {})

    assert prepared.count("passerelle-search-0") == 2
    assert "'A&#10;B&#10;C&#10;{{D}}'" in prepared
    assert [number for _, number in findings(prepared, document)] == ["4", "5", "6", "7", "9"]
    assert len(findings(published, document)) == 5


@pytest.mark.parametrize("codes", ["A B", " A  B ", "  ", "", " A&#10;B "])
def test_a_string_that_is_no_list_of_codes_stays(codes: str) -> None:
    search = f"not(contains(normalize-space(.), ' ')) and contains('{codes}', concat(' ', normalize-space(.), ' '))"
    prepared = prepare.prepare(skeleton({"match": "b", "priority": "1", "id": "X", "test": search}), {})
    assert search in prepared


def test_a_finding_that_computes_its_id_is_refused() -> None:
    stylesheet = skeleton({"match": "b", "priority": "1000", "id": "B", "test": "false()"})
    computed = stylesheet.replace(b'<xsl:attribute name="id">B', b'<xsl:attribute name="id"><xsl:value-of select="."/>')
    assert computed != stylesheet
    with pytest.raises(prepare.NotPreparable, match="computes its id"):
        prepare.prepare(computed, {})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'version="2.0"', b'version="2.0" xpath-default-namespace="urn:x"'),
        (b"<xsl:output", b'<xsl:include href="other.xsl"/><xsl:output'),
        (b'<xsl:apply-templates select="/" mode="M1"/>', b""),
        (b'priority="1000"', b""),
        (b'<xsl:template match="text()" priority', b"<xsl:template match='b'/><xsl:template match=\"text()\" priority"),
        (b'<svrl:fired-rule context="b"/>', b""),
        (WALK.encode(), b'<xsl:apply-templates select="b" mode="M1"/>'),
        (b'test="false()"', b"test=\"document('elsewhere.xml')\""),
    ],
)
def test_an_unknown_shape_is_refused(before: bytes, after: bytes) -> None:
    stylesheet = skeleton({"match": "b", "priority": "1000", "id": "B", "test": "false()"})
    assert before in stylesheet
    prepare.prepare(stylesheet, {})

    with pytest.raises(prepare.NotPreparable):
        prepare.prepare(stylesheet.replace(before, after), {})


def test_preparing_needs_no_writable_place(tmp_path: Path) -> None:
    before = sorted(tmp_path.parent.iterdir())
    rule_set = supply.get_rule_set("facturx-minimum")
    prepare.prepare(supply.check(rule_set).read_bytes(), code_lists(rule_set))
    assert sorted(tmp_path.parent.iterdir()) == before

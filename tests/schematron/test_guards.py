"""A test before a run of asserts is true wherever one of them fails, and stands before no others."""

import itertools

import pytest
from lxml import etree

from schematron import guards

XSL = "http://www.w3.org/1999/XSL/Transform"
TESTS = (
    "not(b)", "not(c)", "not( d )", "not(e/b)", "not(e/b/c)", "not(e/c)", "not(e)", "not((b|f)/c)", "not((b|f)/d/@x)",
    "not((b|f)/e)", "count(b) <= 1",
)
OTHERS = ("not(//b)", "not(b[c])", "not(b) or c", "not(b | c)", "not(..)", "not(b/..)", "not(not(b))", "not(p:*)")


def rule(*tests: str) -> etree._Element:
    asserts = "".join(
        f'<xsl:choose><xsl:when test="{test}"/><xsl:otherwise><f/></xsl:otherwise></xsl:choose>'.replace("<=", "&lt;=")
        for test in tests)
    return etree.fromstring(f'<xsl:template xmlns:xsl="{XSL}">{asserts}</xsl:template>')


def conditions(template: etree._Element) -> list[str]:
    return [each.get("test", "") for each in template.iter(f"{{{XSL}}}if") if each.find("f") is not None]


def guarded(*tests: str) -> list[tuple[str, list[str]]]:
    template = rule(*tests)
    guards.shorten(template)
    before = conditions(template)
    guards.guard(template, worth=3)
    assert conditions(template) == before
    return [(each.get("test", ""), conditions(each)) for each in template.iter(f"{{{XSL}}}if")
            if each.find("f") is None]


@pytest.mark.parametrize("test", [*TESTS, *OTHERS, "not(a) and not(b)", "not(a", "a = 'not(b)'"])
def test_a_shortened_assert_is_the_negated_one(test: str) -> None:
    template = rule(test)
    guards.shorten(template)
    (condition,) = conditions(template)
    assert condition == f"not({test})" or f"not({condition})" == test.replace("( ", "(").replace(" )", ")")


def test_neighbours_that_begin_alike_stand_behind_one_test() -> None:
    assert guarded(*TESTS) == [
        ("b or c or d", ["b", "c", "d"]), ("e[b or c]", ["e/b", "e/b/c", "e/c"]),
        ("(b|f)[c or d[@x] or e]", ["(b|f)/c", "(b|f)/d/@x", "(b|f)/e"]),
    ]


@pytest.mark.parametrize("other", OTHERS)
def test_no_other_assert_is_guarded(other: str) -> None:
    assert guarded("not(a)", "not(b)", other, "not(c)", "not(d)") == []


def test_an_assert_with_something_to_do_where_it_holds_stays_a_choice() -> None:
    template = rule("not(a)", "not(b)", "not(c)")
    etree.SubElement(template[1][0], f"{{{XSL}}}message")
    guards.shorten(template)
    guards.guard(template, worth=3)
    assert [each.tag.rpartition("}")[2] for each in template] == ["if", "choose", "if"]


@pytest.mark.parametrize("tests", list(itertools.permutations(("not(e/b)", "not(e/b/c)", "not(e/c/@x)"))))
def test_a_test_is_true_wherever_an_assert_fails(tests: tuple[str, ...]) -> None:
    """In any order: the end of one path may be the middle of another."""
    (test, _), = guarded(*tests)
    for below in ("", "<b/>", "<c/>", "<b><c/></b>", "<c x='1'/>", "<b/><c x='1'/>", "<d/>"):
        context = etree.fromstring(f"<r><e>{below}</e></r>")
        failing = [each for each in tests if not context.xpath(each)]
        assert bool(context.xpath(f"boolean({test})")) == bool(failing), below

"""The compiled stylesheet of a rule set as a tree, for those who read what its rules say instead of running them."""

from lxml import etree

from schematron import supply
from schematron.rule_set import RuleSet


def sheet_of(rule_set: RuleSet) -> etree._ElementTree:
    """The packaged stylesheet, parsed. Its hash is not checked here: nothing is judged by it."""
    return etree.parse(str(supply.entry_path(rule_set)), etree.XMLParser(resolve_entities=False, no_network=True))

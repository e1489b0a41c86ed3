"""A compiled Schematron of our own, in the shape that the ISO skeleton gives: what an official download looks like."""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!--Schematron version {version}--><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:svrl="http://purl.oclc.org/dsdl/svrl" xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ubl="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2" version="2.0">
<xsl:output method="xml"/>
<xsl:template match="*" mode="schematron-select-full-path">/<xsl:value-of select="name()"/></xsl:template>
<xsl:template match="text()" priority="-1"/>
<xsl:template match="/"><svrl:schematron-output><xsl:apply-templates select="/" mode="M1"/>
</svrl:schematron-output></xsl:template>
"""

RULE = """<xsl:template match="{match}" mode="M1" priority="{priority}"><svrl:fired-rule context="{match}"/>
<xsl:choose><xsl:when test="{test}"/><xsl:otherwise><svrl:failed-assert test="{test}">
<xsl:attribute name="id">{id}</xsl:attribute><xsl:attribute name="flag">{flag}</xsl:attribute>
<xsl:attribute name="location"><xsl:apply-templates select="." mode="schematron-select-full-path"/></xsl:attribute>
<svrl:text>[{id}] made up for a test</svrl:text></svrl:failed-assert></xsl:otherwise></xsl:choose>
<xsl:apply-templates select="*" mode="M1"/></xsl:template>
"""

TAIL = """<xsl:template match="text()" mode="M1" priority="-1"/>
<xsl:template match="@*|node()" mode="M1" priority="-2"><xsl:apply-templates mode="M1" select="*"/></xsl:template>
</xsl:stylesheet>
"""

CII, UBL = "/rsm:CrossIndustryInvoice", "/ubl:Invoice"


def stylesheet(*rules: tuple[str, str, str], version: str = "9.9.1", flag: str = "fatal") -> bytes:
    """A stylesheet of rules (id, match, test); a rule fires where its test is false."""
    body = "".join(
        RULE.format(id=rule, match=match, test=test, flag=flag, priority=1000 + len(rules) - place)
        for place, (rule, match, test) in enumerate(rules)
    )
    return (HEAD.format(version=version) + body + TAIL).encode()

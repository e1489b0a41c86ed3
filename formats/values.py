"""Text of a document to value and back, for each kind of row."""

import binascii
import re
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from formats.errors import BadValue
from formats.invoice import Identifier
from formats.paths import Node, Scope, put
from formats.rows import Column, Kind

DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
"""The lexical form of xsd:decimal: no exponent, no comma, no blanks."""
MAX_DIGITS = 64
KEPT = 200
"""Characters of an attachment's base64 that stay with the element, for reports."""

_ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PLAIN_DATE = re.compile(r"[0-9]{8}")


def parse_decimal(text: str) -> Decimal | None:
    """An xsd:decimal of at most 64 characters, digits kept as written; None if it is not one."""
    return Decimal(text) if len(text) <= MAX_DIGITS and DECIMAL.fullmatch(text) else None


def decimal_text(value: Decimal) -> str:
    """`value` in plain notation with the digits it has: 10.00 stays 10.00."""
    return format(value, "f")


def parse_iso_date(text: str) -> date | None:
    """YYYY-MM-DD, or None. A time zone, which xsd:date allows, says nothing about an invoice date and is dropped."""
    found = _ISO_DATE.fullmatch(text)
    return _date(found[1]) if found else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_value(node: Node, kind: Kind, column: Column, scope: Scope, term: str) -> Any:
    """The value of the element `node`, claimed for `term`; None if it is empty. BadValue if not of its kind."""
    text = node.claim(term)
    if not text:
        return None
    if kind is Kind.TEXT:
        return text
    if kind is Kind.VATEX:
        return text.upper() if text.upper().startswith("VATEX-") else text
    if kind is Kind.IDENTIFIER:
        return Identifier(value=text, scheme=node.claim_attribute("schemeID", term))
    if kind is Kind.DATE:
        return _read_date(node, text, column, term)
    if kind is Kind.BINARY:
        return scope.files.get(text) or _read_binary(node, text, term)
    value = parse_decimal(text)
    if value is None:
        raise BadValue(term, node.location(), text[:80], "a decimal number")
    if kind is Kind.AMOUNT and node.attributes.get("currencyID", "").strip() == scope.doc:
        node.claim_attribute("currencyID", term)
    return value


def _read_binary(node: Node, text: str, term: str) -> bytes:
    """The bytes. The node keeps the beginning of the text alone: an attachment is held once."""
    packed = "".join(text.split())
    try:
        if not _BASE64.fullmatch(packed):
            raise BadValue(term, node.location(), text[:40], "base64")
        content = binascii.a2b_base64(packed)  # takes the text as it is; base64.b64decode copies it first
    except binascii.Error as error:
        raise BadValue(term, node.location(), text[:40], "base64") from error
    node.text = text[:KEPT]
    return content


def _read_date(node: Node, text: str, column: Column, term: str) -> date:
    if column is Column.CII:
        form = node.claim_attribute("format", term)
        plain = _PLAIN_DATE.fullmatch(text) if form in {None, "102"} else None
        value = _date(f"{text[:4]}-{text[4:6]}-{text[6:]}") if plain else None
        expected = "a date YYYYMMDD with format 102"
    else:
        value = parse_iso_date(text)
        expected = "a date YYYY-MM-DD"
    if value is None:
        raise BadValue(term, node.location(), text[:40], expected)
    return value


def write_value(element: etree._Element, value: Any, kind: Kind, column: Column, scope: Scope) -> None:
    """Put `value` into `element`, with the attributes that its kind has in this column."""
    if kind is Kind.IDENTIFIER:
        put(element, value.value, scope)
        if value.scheme is not None:
            element.set("schemeID", value.scheme)
    elif kind is Kind.DATE:
        cii = column is Column.CII
        put(element, value.strftime("%Y%m%d").zfill(8) if cii else value.isoformat(), scope)
        if cii:
            element.set("format", "102")
    elif kind is Kind.BINARY:
        if value:  # the bytes come last, see drafts.as_bytes
            element.text = f"file {len(scope.files) + 1}"
            scope.files[element.text] = value
    elif kind in {Kind.TEXT, Kind.VATEX}:
        put(element, value, scope)
    else:
        put(element, decimal_text(value), scope)
        if kind is Kind.AMOUNT and column is not Column.CII and "currencyID" not in element.attrib:
            element.set("currencyID", scope.doc or "")

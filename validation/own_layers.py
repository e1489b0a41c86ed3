"""The layers that we decide ourselves: the container, PDF/A, legal mentions and coherence."""

import importlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from formats.errors import BadValue
from validation.document import Document, place_of_bad_value
from validation.findings import Finding, Severity, Text
from validation.locations import Place
from validation.pdf import container
from validation.pointers import term_at
from validation.refusals import translated
from validation.rules import registry
from validation.rules.own import OwnRule, Said
from validation.rules.written import WrittenRule

NOWHERE = Place("", None)
PDFA: Final = "validation.pdf.pdfa"
"""Loaded with the first PDF, as what reads PDFs is."""


def findings(layer: str, document: Document, source: bytes, as_of: date) -> Iterator[Finding]:
    """What one of our own layers finds. `source` is the document as it came, the PDF for a Factur-X."""
    if layer == "container":
        yield from container.findings(document.opened)
    elif layer == "pdfa":
        yield from importlib.import_module(PDFA).findings(source, document.opened)
    elif layer == "mentions":
        yield from _apply(registry.MENTIONS, layer, document, as_of)
    else:
        yield from _apply((*registry.BUSINESS, *registry.WRITTEN), layer, document, as_of)


def _apply(
    rules: Sequence[OwnRule | WrittenRule], layer: str, document: Document, as_of: date
) -> Iterator[Finding]:
    if document.invoice is None:
        yield unreadable(layer, document)
        return
    for rule in rules:
        heard = rule.check(document.invoice, as_of) if isinstance(rule, OwnRule) else rule.check(document)
        for said in heard:
            yield _finding(rule, layer, said, document)


def _finding(rule: OwnRule | WrittenRule, layer: str, said: Said, document: Document) -> Finding:
    place = document.find_place(said.terms, said.value, said.line) or NOWHERE
    written = {"value": said.value} if said.value is not None else {}
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        layer=layer,
        message=said.message,
        terms=said.terms,
        aliases=rule.aliases if isinstance(rule, WrittenRule) else (),
        location=place.path or None,
        line=place.line,
        values={**written, **said.values},
    )


def unreadable(layer: str, document: Document) -> Finding:
    """The value that kept the invoice from being read: a date that does not exist, a number that is none."""
    error = document.unreadable
    place = place_of_bad_value(document) or NOWHERE
    if not isinstance(error, BadValue):
        text = Text(fr=f"La facture ne peut pas être lue : {error}.", en=f"The invoice cannot be read: {error}.")
        return Finding(rule="PAS-VALUE-01", severity=Severity.ERROR, layer=layer, message=text)
    is_date = "date" in error.expected.lower()
    usual = "n'est pas une date qui existe, sous la forme attendue" if is_date else "n'est pas une valeur lisible"
    french = (None if is_date else translated(error.expected, "wanted")) or usual
    return Finding(
        rule="PAS-DATE-01" if is_date else "PAS-VALUE-01",
        severity=Severity.ERROR,
        layer=layer,
        message=Text(
            fr=f"{error.term} : « {error.text} » {french}.",
            en=f"{error.term}: {error.text!r} is not {error.expected}.",
        ),
        terms=(term_at(error.path) or error.term,) if error.path else (error.term,),
        location=place.path or None,
        line=place.line,
        values={"value": error.text},
    )

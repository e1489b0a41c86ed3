"""The report on a document that nobody can judge: unreadable, over a limit, hostile, or no invoice; with the reason.

It names each layer that could not run, as every report does.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Final

from formats.errors import FormatError, MalformedXml, PdfRefusal
from formats.opening import Opened, is_pdf
from validation.explain import grouping
from validation.explain.catalogue import Explanation, explained, find_explanation
from validation.explain.data import data
from validation.findings import Finding, LayerOutcome, Outcome, Report, Severity, Text, Verdict

LAYERS: Final = ("container", "xsd", "en16931", "br-fr", "mentions", "business")
"""Those that an invoice meets; what comes after the layer that refused is not run."""

ENCODING: Final = re.compile(r"encod|labelled|neither UTF-8|invalid continuation|conversion", re.IGNORECASE)
SAID_WIDE: Final = re.compile(rb"\s*<\?xml[^>]*encoding=[\"']utf-?16", re.IGNORECASE)
"""Two bytes a character are declared, by a declaration of one byte each."""

BLANKS: Final = b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"
PLACE: Final = re.compile(r"^line (\d+)\b")


def refused(document: bytes, error: FormatError, elapsed: float) -> Report:
    """The report on bytes that could not be opened: invalid."""
    pdf = is_pdf(document)
    rule = _rule(document, error)
    explanation = find_explanation(rule)
    title = explanation.title if explanation else Text("Document refusé", "Document refused")
    place = PLACE.match(str(error))
    return _one_finding(
        Finding(
            rule=rule,
            severity=Severity.ERROR,
            layer="container" if pdf else "xsd",
            message=Text(fr=f"{title.fr} : {_in_french(error, explanation)}", en=f"{title.en}: {error}."),
            line=int(place.group(1)) or None if place else None,
        ),
        syntax="pdf" if pdf else "unknown", reason=error.code, elapsed=elapsed,
    )


def not_ours(opened: Opened, elapsed: float) -> Report:
    """The report on what is well-formed, but no document that these rules are about: invalid."""
    syntax = opened.syntax.value
    finding = Finding(
        rule="PAS-DOC-NOT-AN-INVOICE",
        severity=Severity.ERROR,
        layer="xsd",
        message=Text(
            fr=f"Ce document n'est pas une facture que Passerelle sait contrôler (syntaxe : {syntax}).",
            en=f"This document is no invoice that Passerelle can check (syntax: {syntax}).",
        ),
    )
    report = _one_finding(finding, syntax=syntax, reason="not-an-invoice", elapsed=elapsed)
    return replace(report, profile=opened.profile.value, specification_identifier=opened.specification_identifier)


def behind(after: str, reason: str) -> tuple[LayerOutcome, ...]:
    """The layers of an invoice behind one that could not be passed."""
    left = LAYERS[LAYERS.index(after) + 1 :]
    return tuple(LayerOutcome(layer=layer, outcome=Outcome.SKIPPED, reason=reason) for layer in left)


def translated(english: str, table: str) -> str | None:
    """The French of what one of our readers says, by a table of refusals.toml; None where that does not know it.

    `message`: why a document is refused; `wanted`: what is wrong with a value of our JSON, as the end of a sentence;
    `rule_set`: why a rule set cannot be used.
    """
    return next((found.expand(fr) for pattern, fr in _table(table) if (found := pattern.match(english))), None)


def _rule(document: bytes, error: FormatError) -> str:
    """The rule that refuses. Of a file that is not well-formed it says whether it is XML at all, and can be read."""
    if isinstance(error, MalformedXml):
        if not document.lstrip(BLANKS).startswith(b"<"):
            return "PAS-DOC-NOT-XML"
        if ENCODING.search(str(error)) or SAID_WIDE.match(document[:200]):
            return "PAS-DOC-WRONG-ENCODING"
    return f"PAS-DOC-{type(error).code.upper()}"


def _in_french(error: FormatError, explanation: Explanation | None) -> str:
    """What the error says in French, after the cause of the rule where that is only the place."""
    if isinstance(error, PdfRefusal):
        return f"{error.fault.fr} ({error.detail})." if error.detail else f"{error.fault.fr}."
    cause = explanation.cause.fr if explanation else str(error)
    detail = translated(str(error), "message")
    return f"{cause[:-1]} ({detail})." if detail and cause.endswith(".") else cause


@cache
def _table(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(entry["en"], re.DOTALL), entry["fr"]) for entry in data("refusals.toml")[name])


def _one_finding(bare: Finding, *, syntax: str, reason: str, elapsed: float) -> Report:
    finding = explained(bare)
    outcome = LayerOutcome(
        layer=finding.layer, outcome=Outcome.FAILED, reason=reason, findings_total=1, duration_ms=elapsed
    )
    return Report(
        verdict=Verdict.INVALID,
        syntax=syntax,
        profile="unknown",
        specification_identifier=None,
        layers=(outcome, *behind(finding.layer, "unreadable" if reason != "not-an-invoice" else reason)),
        findings=(finding,),
        problems=grouping.problems((finding,)),
        elapsed_ms=elapsed,
    )

"""What a workshop process says beyond the verdict: corrections, printed reports, catalogues of rules and rule sets."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from formats.errors import FormatError
from validation import run
from validation.explain.every import every_rule
from validation.faces import dossier_pages, letter_pages
from validation.faces.pages import as_html
from validation.faces.printed import as_pdf
from validation.findings import Patch, Report
from validation.repair import proposals
from validation.standing import listed


def propose(document: bytes, as_of: date) -> tuple[Patch, ...]:
    """Workshop.propose, here."""
    return proposals.propose(document, run.Options(as_of=as_of))


def mend(document: bytes, as_of: date, patch: str) -> bytes:
    """Workshop.mend, here."""
    found = next((each for each in proposals.propose(document, run.Options(as_of=as_of)) if each.id == patch), None)
    if found is None:
        raise FormatError(f"no correction {patch!r} is certain for this document")
    return proposals.applied(document, found)


def present(reports: tuple[tuple[str, Report], ...], form: str, lang: str) -> bytes:
    """Workshop.present, here."""
    return "".join(as_html(iter(reports), lang)).encode() if form == "html" else as_pdf(reports, lang)


def catalogue() -> tuple[dict[str, Any], ...]:
    """Workshop.catalogue, here."""
    return tuple(every_rule())


def rule_sets(as_of: date) -> tuple[dict[str, Any], ...]:
    """Workshop.rule_sets, here."""
    return tuple(each.to_json() for each in listed(as_of))


def draw_index(account: bytes) -> bytes:
    """Workshop.draw_index, here."""
    return dossier_pages.as_pdf(account)


def draw_letter(letter: bytes) -> bytes:
    """Workshop.draw_letter, here."""
    return letter_pages.as_pdf(letter)


OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {
    "propose": propose,
    "mend": mend,
    "present": present,
    "catalogue": catalogue,
    "rule_sets": rule_sets,
    "draw_index": draw_index,
    "draw_letter": draw_letter,
}

"""Which layers run on a document, and which rule set decides each.

The manifest says which set fits a layer, a syntax and a profile; this module says which layers apply, in the order of
the machine contract. A layer that does not apply is not in the pack; one that is skipped is, with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from schematron import supply

LAYERS: Final = ("container", "pdfa", "xsd", "en16931", "extended", "br-fr", "mentions", "business", "cdar", "flux10")
OWN_LAYERS: Final = frozenset({"container", "pdfa", "mentions", "business"})
FRENCH_LAYERS: Final = frozenset({"br-fr", "mentions"})
EXTENDED_PROFILES: Final = frozenset({"extended", "extended-ctc-fr"})

_INVOICE: Final = ("xsd", "en16931", "extended", "br-fr", "mentions", "business")
APPLICABLE: Final = {
    "ubl-invoice": _INVOICE,
    "ubl-credit-note": _INVOICE,
    "cii": _INVOICE,
    "factur-x": _INVOICE,
    "json": _INVOICE[1:],
    "cdar": ("xsd", "cdar"),
    "flux10": ("xsd", "flux10"),
}
"""Syntax to the layers that can judge it; whatever came in a PDF has these two before:"""

AROUND: Final = ("container", "pdfa")


@dataclass(frozen=True, slots=True)
class Subject:
    """What decides which rules a document has to meet."""

    syntax: str
    profile: str
    french: bool
    """BT-40 is FR, or BT-30 has scheme 0002."""

    in_pdf: bool = False
    """It was found inside a PDF."""


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of a pack."""

    layer: str
    rule_set: supply.RuleSet | None = None
    """None for our own layers, and where `skipped` or `missing` says why."""

    named: bool = False
    """Asked for by name: it runs whatever another layer says."""

    skipped: str | None = None
    """The reason why it does not run."""

    missing: str | None = None
    """The reason why it cannot run although it should: no rule set is in force."""


def plan(subject: Subject, *, layers: Sequence[str], rules: Sequence[str], on: date) -> tuple[Step, ...]:
    """The layers for a document, in order. `layers` and `rules` are what the user asked for by name.

    Raises:
        RuleSetMissing: a name in `rules` is not in the manifest.
    """
    replacing = {each.layer: each for each in map(supply.get_rule_set, rules) if subject.syntax in each.syntaxes}
    able = (*(AROUND if subject.in_pdf else ()), *APPLICABLE.get(subject.syntax, ()))
    return tuple(
        _step(layer, subject, layers, replacing.get(layer), on)
        if layer in able
        else Step(layer, skipped=f"not-for-syntax:{subject.syntax}")
        for layer in LAYERS
        if (_applies(layer, subject, layers, replacing) and layer in able) or layer in layers
    )


def _applies(layer: str, subject: Subject, layers: Sequence[str], replacing: dict[str, supply.RuleSet]) -> bool:
    if layers:
        return layer in layers
    return layer != "extended" or layer in replacing or subject.profile in EXTENDED_PROFILES


def _step(
    layer: str, subject: Subject, layers: Sequence[str], replacement: supply.RuleSet | None, on: date
) -> Step:
    named = layer in layers or replacement is not None
    if not named and layer in FRENCH_LAYERS and not subject.french:
        return Step(layer, skipped="seller-not-french")
    if not named and layer == "en16931" and subject.profile in EXTENDED_PROFILES:
        return Step(layer, skipped="replaced-by:extended")
    if layer in OWN_LAYERS:
        return Step(layer, named=named)
    if replacement is not None:
        return Step(layer, replacement, named=True)
    try:
        return Step(layer, supply.choose(layer, subject.syntax, subject.profile, on), named=named)
    except supply.RuleSetMissing as missing:
        return Step(layer, named=named, missing=str(missing))

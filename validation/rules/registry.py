"""Every rule of our own, in the order in which it speaks. A rule that is not here does not exist."""

from typing import Final

from validation.rules import (
    attachments,
    claims,
    dates,
    identifiers,
    lines,
    mentions,
    notes,
    operations,
    regimes,
    structure,
    terms,
    totals,
    vat,
    written,
)
from validation.rules.own import OwnRule
from validation.rules.written import WrittenRule

MENTIONS: Final[tuple[OwnRule, ...]] = (
    *notes.RULES, *mentions.RULES, *operations.RULES, *terms.RULES, *regimes.RULES,
)
"""French law: layer `mentions`, only where the seller is French."""

BUSINESS: Final[tuple[OwnRule, ...]] = (
    *identifiers.RULES, *dates.RULES, *lines.RULES, *totals.RULES, *vat.RULES, *claims.RULES, *attachments.RULES,
)
"""What must be true of any invoice, by any law: layer `business`."""

WRITTEN: Final[tuple[WrittenRule, ...]] = (*written.RULES, *structure.RULES)
"""Over the document instead of its model; layer `business` too."""

RULES: Final[tuple[OwnRule | WrittenRule, ...]] = (*MENTIONS, *BUSINESS, *WRITTEN)

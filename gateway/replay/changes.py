"""What other rules would make of invoices that were taken in: each kept document is judged twice.

Once as on the day it came, once under the other rules, by the same program: so a difference is the rules' doing and
nobody else's. Where the verdict of its day cannot be reached again (another version of ours judged it then), what was
said then stands beside it. Nothing is changed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.store import Digest, Store
from gateway.clock import PARIS
from gateway.tables import Document, LegalEntity, Submission, Tenant
from validation.findings import Report, Verdict
from validation.workshop import Workshop

JUDGED: Final = ("sent", "original")
"""Roles of the document that was judged, the one that counts first."""

Finding = tuple[str, str, str]
"""Layer, rule, location."""


@dataclass(frozen=True, slots=True)
class Past:
    """One invoice as it was taken in."""

    id: str
    number: str | None
    day: date
    """In France."""

    verdict: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Change:
    """What the other rules make of one invoice."""

    past: Past
    before: Verdict
    """`error` where the document could not be judged, or is no longer kept."""

    after: Verdict
    gained: Counter[Finding] = field(default_factory=Counter)
    """Findings that would come."""

    lost: Counter[Finding] = field(default_factory=Counter)
    """Findings that would go."""

    sets: tuple[dict[str, str], dict[str, str]] = ({}, {})
    """Layer to the rule set that decided it, before and after."""

    @property
    def is_none(self) -> bool:
        """Whether nothing would change."""
        return self.before is self.after and not self.gained and not self.lost

    @property
    def is_judged(self) -> bool:
        """Whether both sides have a verdict."""
        return Verdict.ERROR not in {self.before, self.after}

    def to_json(self) -> dict[str, Any]:
        """One invoice, for programs."""
        return {
            "id": self.past.id,
            "number": self.past.number,
            "received": self.past.day.isoformat(),
            "verdict_then": self.past.verdict,
            "before": self.before.value,
            "after": self.after.value,
            "rule_sets_before": self.sets[0],
            "rule_sets_after": self.sets[1],
            "gained": [_finding_json(finding, count) for finding, count in sorted(self.gained.items())],
            "lost": [_finding_json(finding, count) for finding, count in sorted(self.lost.items())],
        }


def period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """First and last day; where neither is named the calendar month before today's."""
    ended = today.replace(day=1) - timedelta(days=1)
    return first or (last or ended).replace(day=1), last or (today if first else ended)


def invoices(session: Session, first: date, last: date, *, entity: str = "", tenant: str = "") -> list[Past]:
    """The submissions received in these days (French days), oldest first, with the document that was judged.

    `entity` is a SIREN and `tenant` a name; empty for all that the session sees.
    """
    starts = datetime(first.year, first.month, first.day, tzinfo=PARIS).astimezone(UTC)
    after = last + timedelta(days=1)
    ends = datetime(after.year, after.month, after.day, tzinfo=PARIS).astimezone(UTC)
    query = select(Submission).where(Submission.received_at >= starts, Submission.received_at < ends)
    if entity:
        query = query.where(Submission.legal_entity_id.in_(select(LegalEntity.id).where(LegalEntity.siren == entity)))
    if tenant:
        query = query.where(Submission.tenant_id.in_(select(Tenant.id).where(Tenant.name == tenant)))
    rows = session.scalars(query.order_by(Submission.received_at, Submission.id)).all()
    kept: dict[str, dict[str, str]] = {}
    of_rows = query.with_only_columns(Submission.id)
    for document in session.scalars(select(Document).where(Document.submission_id.in_(of_rows))):
        kept.setdefault(document.submission_id, {})[document.role] = document.sha256
    return [_past(row, kept.get(row.id, {})) for row in rows]


def _past(row: Submission, documents: dict[str, str]) -> Past:
    sha256 = next((documents[role] for role in JUDGED if role in documents), row.sha256)
    return Past(row.id, row.number, row.received_at.astimezone(PARIS).date(), row.verdict, sha256)


def judge(store: Store, workshop: Workshop, past: Past, *, as_of: date | None, rules: tuple[str, ...]) -> Change:
    """One invoice as of its day, and under `rules`, or as of another day. One that is not kept any more is not judged.

    Names in `rules` must be known to the workshop.
    """
    try:
        document = store.get(Digest(past.sha256))
    except ArchiveError:
        return Change(past, Verdict.ERROR, Verdict.ERROR)
    before = workshop.inspect(document, as_of=past.day, max_findings=0).report
    after = workshop.inspect(document, as_of=as_of or past.day, rules=rules, max_findings=0).report
    then, now = _findings(before), _findings(after)
    return Change(past, before.verdict, after.verdict, now - then, then - now, (_sets(before), _sets(after)))


def summary(changes: Sequence[Change], first: date, last: date) -> dict[str, Any]:
    """All of it in figures. `rules`: by rule, in how many invoices it would come or go."""
    gained = Counter(rule for change in changes for rule in {finding[1] for finding in change.gained})
    lost = Counter(rule for change in changes for rule in {finding[1] for finding in change.lost})
    moves = Counter((change.before.value, change.after.value) for change in changes)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "invoices": len(changes),
        "changed": sum(not change.is_none for change in changes),
        "not_judged": sum(not change.is_judged for change in changes),
        "verdicts": [{"before": a, "after": b, "invoices": count} for (a, b), count in sorted(moves.items())],
        "rules": {rule: {"gained": gained[rule], "lost": lost[rule]} for rule in sorted({*gained, *lost})},
    }


def _findings(report: Report) -> Counter[Finding]:
    return Counter((f.layer, f.rule, f.location or "") for f in report.findings)


def _finding_json(finding: Finding, count: int) -> dict[str, Any]:
    return {"layer": finding[0], "rule": finding[1], "location": finding[2] or None, "count": count}


def _sets(report: Report) -> dict[str, str]:
    return {layer.layer: f"{layer.rule_set}@{layer.sha256[:12]}" for layer in report.layers
            if layer.rule_set and layer.sha256}

"""From invoice numbers to series, with their gaps, repetitions and disorders. Pure.

A number is a prefix, a counter (its last run of digits) and a suffix: F2026-00123 is 123 in the series F2026-. A series
that begins anew each year without saying so is told by a counter that two years share, and then counted by year. What
came before the first number seen, and after the last, is nobody's gap.
Source: CGI ann. II art. 242 nonies A, I-7°: one unbroken chronological series, several where the trade needs them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

_COUNTED: Final = re.compile(r"(.*?)(\d{1,18})(\D*)", re.DOTALL)
SPARSE: Final = 10
"""With more than so many numbers missing for each one seen, and more than MANY, the counter counts something else."""

MANY: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One submission with a number."""

    id: str
    siren: str
    number: str
    issued: date
    taken: bool
    """We accepted it, so the number is used; else we refused it, and nothing was issued under it here."""

    reason: str | None = None
    """Why we refused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers between two that were used and that were not."""

    first: str
    last: str
    count: int
    explanation: str
    """`none` (to be explained), `refused` (we refused an invoice of that number), `declared` (somebody said why)."""

    reason: str | None = None
    submission_id: str | None = None
    """The refused invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """One counter under several numbers, such as F-12 and F-0012."""

    numbers: tuple[str, ...]
    submission_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """A number issued before the one in front of it."""

    number: str
    issued: date
    before: str
    before_issued: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All that we saw of one series."""

    siren: str
    prefix: str
    suffix: str
    year: int | None
    """Only where the series begins anew each year."""

    first: str
    last: str
    count: int
    sequential: bool
    """False where the last digits do not count invoices, such as a time of day; then no gap is claimed."""

    gaps: tuple[Gap, ...] = ()
    repetitions: tuple[Repetition, ...] = ()
    disorders: tuple[Disorder, ...] = ()

    @property
    def missing(self) -> int:
        """How many numbers nobody explained."""
        return sum(gap.count for gap in self.gaps if gap.explanation == "none")


def all_series(rows: Iterable[Numbered], declared: Mapping[tuple[str, str], str]) -> list[Series]:
    """The series of these submissions, by SIREN and prefix. `declared`: (SIREN, number) to what somebody said of it."""
    families: dict[tuple[str, str, str], list[Numbered]] = defaultdict(list)
    for row in rows:
        prefix, _, suffix = split(row.number)
        families[row.siren, prefix.casefold(), suffix.casefold()].append(row)
    found = [each for _, family in sorted(families.items()) for each in _by_year(family, declared)]
    return [series for series in found if series is not None]


def split(number: str) -> tuple[str, int | None, str]:
    """Prefix, counter and suffix; without a digit the whole is the prefix and there is no counter."""
    found = _COUNTED.fullmatch(number)
    return (found[1], int(found[2]), found[3]) if found else (number, None, "")


def _by_year(family: Sequence[Numbered], declared: Mapping[tuple[str, str], str]) -> Iterator[Series | None]:
    years: dict[int | None, set[int]] = defaultdict(set)
    for row in family:
        if row.taken:
            years[split(row.number)[1]].add(row.issued.year)
    if any(counter is not None and len(seen) > 1 for counter, seen in years.items()):
        for year in sorted({row.issued.year for row in family}):
            yield _series([row for row in family if row.issued.year == year], year, declared)
    else:
        yield _series(family, None, declared)


def _series(rows: Sequence[Numbered], year: int | None, declared: Mapping[tuple[str, str], str]) -> Series | None:
    by_counter: dict[int, list[Numbered]] = defaultdict(list)
    for row in rows:
        counter = split(row.number)[1]
        if counter is not None and row.taken:
            by_counter[counter].append(row)
    if not by_counter:
        return None
    used = sorted(by_counter)
    first, last = by_counter[used[0]][0], by_counter[used[-1]][0]
    absent = used[-1] - used[0] + 1 - len(used)
    sequential = not (absent > MANY and absent > SPARSE * len(used))
    prefix, _, suffix = split(last.number)
    return Series(
        siren=first.siren, prefix=prefix, suffix=suffix, year=year, first=first.number, last=last.number,
        count=len(used), sequential=sequential,
        gaps=tuple(_gaps(used, rows, by_counter, declared)) if sequential else (),
        repetitions=tuple(_repetitions(by_counter)), disorders=tuple(_disorders(by_counter)) if sequential else (),
    )


def _gaps(
    used: Sequence[int], rows: Sequence[Numbered], by_counter: Mapping[int, Sequence[Numbered]],
    declared: Mapping[tuple[str, str], str],
) -> Iterator[Gap]:
    sample = by_counter[used[-1]][0]
    prefix, _, suffix = split(sample.number)
    width = min(_digits(row.number) for each in by_counter.values() for row in each)
    refused = {split(row.number)[1]: row for row in rows if not row.taken}
    said = {
        split(number)[1]: (number, reason) for (siren, number), reason in declared.items()
        if siren == sample.siren and split(number)[0].casefold() == prefix.casefold()
        and split(number)[2].casefold() == suffix.casefold()
    }
    known = sorted(counter for counter in {*refused, *said} if counter is not None)
    for before, after in pairwise(used):
        start = before + 1
        for counter in [*(each for each in known if before < each < after), after]:
            if counter > start:
                names = [f"{prefix}{each:0{width}d}{suffix}" for each in (start, counter - 1)]
                yield Gap(first=names[0], last=names[1], count=counter - start, explanation="none")
            if counter < after and counter in said:
                number, reason = said[counter]
                yield Gap(first=number, last=number, count=1, explanation="declared", reason=reason)
            elif counter < after:
                row = refused[counter]
                yield Gap(first=row.number, last=row.number, count=1, explanation="refused", reason=row.reason,
                          submission_id=row.id)
            start = counter + 1


def _digits(number: str) -> int:
    """How many digits the counter is written with; a prefix may be longer in capitals (ß, SS)."""
    prefix, _, suffix = split(number)
    return len(number) - len(prefix) - len(suffix)


def _repetitions(by_counter: Mapping[int, Sequence[Numbered]]) -> Iterator[Repetition]:
    for counter in sorted(by_counter):
        numbers = tuple(sorted({row.number for row in by_counter[counter]}))
        if len(numbers) > 1:
            yield Repetition(numbers=numbers, submission_ids=tuple(row.id for row in by_counter[counter]))


def _disorders(by_counter: Mapping[int, Sequence[Numbered]]) -> Iterator[Disorder]:
    firsts = [min(by_counter[counter], key=lambda row: row.issued) for counter in sorted(by_counter)]
    for before, row in pairwise(firsts):
        if row.issued < before.issued:
            yield Disorder(number=row.number, issued=row.issued, before=before.number, before_issued=before.issued)

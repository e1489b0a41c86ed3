"""Payment terms against the longest that French law allows, with the sectors of payment_terms.toml.

An invoice does not name its sector: it is told by customs codes or by words on all lines. Where nothing tells it, the
general period counts. Agreements of a trade may differ, so these rules warn and never block.
"""

import calendar
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from formats.codes import CREDIT_TYPES
from formats.invoice import Invoice, Line
from validation.findings import Severity
from validation.rules.own import CONSUMER_TREATMENTS, OwnRule, Said, country_of, details, said, treatment_of

DAYS_IN_WORDS: Final = re.compile(r"\b(\d{2,3})\s*(?:jours|days|j\b)", re.IGNORECASE)
END_OF_MONTH: Final = re.compile(r"fin de mois|\bfdm\b|end of month", re.IGNORECASE)
EXPORT_CODE: Final = "VATEX-FR-CGI275"
LAST_YEAR: Final = 9998
"""Beyond it no day can be counted; BR-FR-03 ends with 2099."""

EXPORT_DAYS: Final = 90
"""Goods bought without VAT to be exported as they are. Source: C. com. art. L441-11, II."""


@dataclass(frozen=True, slots=True)
class Sector:
    """One row of the table."""

    id: str
    fr: str
    en: str
    days: int
    base: str
    source: str
    since: date
    end_of_month: int | None
    words: re.Pattern[str] | None
    hs: tuple[str, ...]


def beyond_the_general_period(invoice: Invoice, _: date) -> Iterator[Said]:
    """Not more than 60 days from the invoice, or 45 days end of month in either reading of it."""
    if not _concerned(invoice) or _sector_of(invoice) is not None:
        return
    general, issued = sectors()["general"], invoice.issue_date
    if issued is not None and invoice.due_date is not None:
        latest = _latest(general, invoice, issued)
        if invoice.due_date > latest:
            yield _too_late(general, invoice.due_date, latest, issued)
    elif invoice.payment_terms is not None and not END_OF_MONTH.search(invoice.payment_terms):
        days = [int(number) for number in DAYS_IN_WORDS.findall(invoice.payment_terms)]
        if days and min(days) > _days(general, invoice):
            yield said(
                f"Délai de {min(days)} jours écrit en BT-20, pour {_days(general, invoice)} au plus.",
                f"Period of {min(days)} days written in BT-20, for {_days(general, invoice)} at most.",
                "BT-20", value=invoice.payment_terms, declared=str(min(days)), limit=str(_days(general, invoice)),
            )


def beyond_the_periodic_period(invoice: Invoice, _: date) -> Iterator[Said]:
    """A summary invoice is due within 45 days. Information: a period with several lines may be no summary."""
    periodic, issued, due = sectors()["periodic"], invoice.issue_date, invoice.due_date
    if not _concerned(invoice) or issued is None or due is None or invoice.invoicing_period is None:
        return
    latest = _latest(periodic, invoice, issued)
    allowed = _latest(sectors()["general"], invoice, issued)
    if len(invoice.lines) > 1 and _sector_of(invoice) is None and latest < due <= allowed:
        yield _too_late(periodic, due, latest, issued)


def beyond_the_sector_period(invoice: Invoice, _: date) -> Iterator[Said]:
    """Not more than the period of the sector that all lines show."""
    sector, issued, due = _sector_of(invoice), invoice.issue_date, invoice.due_date
    if not _concerned(invoice) or sector is None or issued is None or due is None:
        return
    latest = _latest(sector, invoice, issued)
    if due > latest:
        yield _too_late(sector, due, latest, issued)


@cache
def sectors() -> dict[str, Sector]:
    """The table, by id."""
    text = resources.files("validation.rules").joinpath("payment_terms.toml").read_text("utf-8")
    return {row["id"]: _sector(row) for row in tomllib.loads(text)["sector"]}


def _sector(row: dict[str, Any]) -> Sector:
    words = sorted(map(_folded, row.get("words", ())), key=len, reverse=True)
    return Sector(
        row["id"], row["fr"], row["en"], row["days"], row["base"], row["source"], row["from"], row.get("end_of_month"),
        re.compile(rf"\b({'|'.join(map(re.escape, words))})\b") if words else None, tuple(row.get("hs", ())),
    )


def _sector_of(invoice: Invoice) -> Sector | None:
    """The one sector that all lines show, or None."""
    issued = invoice.issue_date
    for sector in sectors().values():
        told = sector.words is not None or sector.hs
        in_force = issued is not None and sector.since <= issued
        lines = [line for _, line in details(invoice)]
        if told and in_force and lines and all(_shows(line, sector) for line in lines):
            return sector
    return None


def _shows(line: Line, sector: Sector) -> bool:
    item = line.item
    if item is None:
        return False
    codes = [each.value.replace(" ", "").replace(".", "") for each in item.classifications if each.scheme == "HS"]
    by_code = any(code.startswith(sector.hs) for code in codes) if sector.hs else False
    return by_code or (sector.words is not None and sector.words.search(_folded(item.name or "")) is not None)


def _concerned(invoice: Invoice) -> bool:
    """An invoice between professionals in France; a credit note is owed by the seller."""
    if treatment_of(invoice) in CONSUMER_TREATMENTS:
        return False
    delivery, period = invoice.delivery, invoice.invoicing_period
    days = (invoice.issue_date, delivery.actual_date if delivery else None, period.end if period else None)
    can_be_counted = all(day is None or day.year <= LAST_YEAR for day in days)
    return can_be_counted and invoice.type_code not in CREDIT_TYPES and country_of(invoice.buyer) in {"FR", None}


def _latest(sector: Sector, invoice: Invoice, issued: date) -> date:
    """The last day on which payment may be due; the most generous reading of the law."""
    supplied = invoice.delivery.actual_date if invoice.delivery is not None else None
    period = invoice.invoicing_period
    supplied = supplied or (period.end if period is not None else None) or issued
    start = {"issue": issued, "delivery": supplied, "decade": _decade_end(supplied), "month": _month_end(supplied)}
    latest = start[sector.base] + timedelta(days=_days(sector, invoice))
    if sector.end_of_month is not None:
        more = timedelta(days=sector.end_of_month)
        latest = max(latest, _month_end(issued + more), _month_end(issued) + more)
    return latest


def _days(sector: Sector, invoice: Invoice) -> int:
    exported = any(row.exemption_reason_code == EXPORT_CODE for row in invoice.vat_breakdown)
    return max(sector.days, EXPORT_DAYS) if exported else sector.days


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _decade_end(day: date) -> date:
    return day.replace(day=10 if day.day <= 10 else 20) if day.day <= 20 else _month_end(day)


def _folded(text: str) -> str:
    """Without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _too_late(sector: Sector, due: date, latest: date, issued: date) -> Said:
    return said(
        f"Échéance {due}, soit {(due - issued).days} jours après la facture ; {sector.fr} : {latest} au plus tard "
        f"({sector.source}).",
        f"Due date {due}, {(due - issued).days} days after the invoice; {sector.en}: {latest} at the latest "
        f"({sector.source}).",
        "BT-9", "BT-2", declared=str(due), latest=str(latest), sector=sector.id, source=sector.source,
    )


RULES: Final = (
    OwnRule("PAS-FR-27", Severity.WARNING, beyond_the_general_period, "C. com. art. L441-10, I"),
    OwnRule("PAS-FR-28", Severity.INFO, beyond_the_periodic_period, "C. com. art. L441-10, I ; CGI art. 289, I-3"),
    OwnRule("PAS-FR-29", Severity.WARNING, beyond_the_sector_period, "C. com. art. L441-11, II"),
)

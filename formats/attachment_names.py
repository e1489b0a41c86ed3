"""The file names under which invoices are attached to PDFs, and file names made safe."""

import re

FACTURX_NAME = "factur-x.xml"
NAMES = (FACTURX_NAME, "xrechnung.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml", "order-x.xml")
"""Every name the standards gave, best first: Factur-X and ZUGFeRD 2.1+, XRechnung in ZUGFeRD, ZUGFeRD 2.0,
ZUGFeRD 1.0, Order-X."""

_RANKS = {name.lower(): rank for rank, name in reversed(list(enumerate(NAMES)))}


def bare(name: str | None) -> str:
    """A file name without folders, control characters and blanks around it."""
    return re.sub(r"[\x00-\x1f\x7f]", "", re.split(r"[/\\]", name or "")[-1]).strip()


def is_invoice_name(name: str) -> bool:
    """Whether a file name is one of the standards', letter case, blanks and folders aside."""
    return bare(name).lower() in _RANKS


def rank(name: str) -> int:
    """Place of an invoice's file name in the order of preference, 0 first. Raises KeyError for another name."""
    return _RANKS[bare(name).lower()]

"""The report on a file that could not be opened."""

from validation.explain.catalogue import explained
from validation.explain.grouping import problems
from validation.findings import Finding, LayerOutcome, Outcome, Report, Severity, Text, Verdict


def unreadable(why: str) -> Report:
    """The report on a file that could not be opened: we know nothing about it."""
    text = Text(fr=f"Fichier illisible : {why}.", en=f"The file cannot be read: {why}.")
    finding = explained(
        Finding(rule="PAS-ENGINE-03", severity=Severity.WARNING, layer="container", message=text)
    )
    layer = LayerOutcome(layer="container", outcome=Outcome.ERROR, reason="unreadable-file", findings_total=1)
    return Report(
        verdict=Verdict.ERROR,
        syntax="unknown",
        profile="unknown",
        specification_identifier=None,
        layers=(layer,),
        findings=(finding,),
        problems=problems((finding,)),
    )

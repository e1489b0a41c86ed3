"""The printable page: one self-contained HTML document for all reports. No script, nothing fetched, black on white."""

import html
from collections.abc import Iterator
from typing import Final

from validation.faces import words
from validation.faces.words import Block, label, said
from validation.findings import Finding, Report

PLACES: Final = 20
STYLE: Final = """
:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem;color:#16222b;background:#fff}
h1{font-size:1.4rem;font-weight:600}h2{font-size:1.15rem;overflow-wrap:anywhere}
h2 b{font-size:.8rem;padding:.2rem .6rem;
border-radius:1rem;color:#fff;vertical-align:middle;white-space:nowrap}h3{font-size:1rem;margin:.6rem 0 .2rem}
b.valid{background:#18753c}b.invalid{background:#ce0500}b.error{background:#716043}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{text-align:left;padding:.25rem .6rem .25rem 0;
border-bottom:1px solid #d6dce1;overflow-wrap:anywhere}
article{border-left:4px solid #8a96a0;padding:.1rem 0 .1rem 1rem;margin:1.2rem 0;break-inside:avoid}
article.fatal,article.error{border-color:#ce0500}article.warning{border-color:#b34000}
code{font-size:.85em;overflow-wrap:anywhere;color:#56646e}p{margin:.3rem 0}ul{margin:.3rem 0;padding-left:1.2rem}
.soft{color:#56646e}.todo{background:#f2f6f4;padding:.4rem .7rem;border-radius:4px}
@media print{body{margin:0;max-width:none;font-size:11pt}}
"""


def as_html(reports: Iterator[tuple[str, Report]], language: str = "fr") -> Iterator[str]:
    """The page, piece by piece."""
    title = label("report", language)
    yield f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\n"
    for file, report in reports:
        yield from _section(file, report, language)
    yield "</body></html>\n"


def _section(file: str, report: Report, language: str) -> Iterator[str]:
    verdict = said(words.VERDICTS[report.verdict], language)
    yield f'<section><h2>{_e(file)} <b class="{report.verdict.value}">{_e(verdict)}</b></h2>'
    yield f'<p class="soft">{_e(report.syntax)}, {label("profile", language)} {_e(report.profile)}'
    yield f" · {_e(words.summary(report, language))}</p>"
    for block in words.blocks(report):
        yield from _block(block, language)
    yield f"<h3>{label('layers', language)}</h3><table><tr>"
    heads = ("layer", "outcome", "rule_set", "findings")
    yield "".join(f'<th scope="col">{label(name, language)}</th>' for name in heads)
    yield "</tr>"
    for layer in report.layers:
        why = words.reason(layer, language)
        cells = (
            said(words.LAYERS[layer.layer], language),
            said(words.OUTCOMES[layer.outcome], language) + (f" ({why})" if why else ""),
            f"{layer.rule_set} {layer.version}" if layer.rule_set else "–",
            str(layer.findings_total),
        )
        yield "<tr>" + "".join(f"<td>{_e(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table></section>\n"


def _block(block: Block, language: str) -> Iterator[str]:
    problem = block.problem
    severity = said(words.SEVERITIES[problem.severity], language)
    yield f'<article class="{problem.severity.value}"><h3>{_e(said(problem.title, language))}</h3>'
    yield f'<p class="soft">{_e(severity)} · <code>{_e(", ".join(problem.rules))}</code></p>'
    for _, findings in block.rules:
        yield "<ul>" + "".join(_finding(finding, language) for finding in findings[:PLACES]) + "</ul>"
        left = max(len(findings) - PLACES, 0) + words.omitted(findings)
        yield f"<p>… + {left} {label('others', language)}</p>" if left else ""
        first = findings[0]
        yield f"<p><b>{label('why', language)} :</b> {_e(said(first.cause, language))}</p>" if first.cause else ""
        if first.remedy:
            yield f'<p class="todo"><b>{label("todo", language)} :</b> {_e(said(first.remedy, language))}</p>'
    yield f"<p><b>{label('ruling', language)} :</b> {_e(block.ruling)}</p>" if block.ruling else ""
    yield "</article>"


def _finding(finding: Finding, language: str) -> str:
    line = f" <small>{label('line', language)} {finding.line}</small>" if finding.line else ""
    where = f"<br><code>{_e(finding.location)}</code>" if finding.location else ""
    return f"<li>{_e(said(finding.message, language))}{line}{where}</li>"


def _e(text: str | None) -> str:
    return html.escape("".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text or ""))

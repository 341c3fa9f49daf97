"""The result of the handshake corpus as a table: text for a terminal, HTML for a notebook."""

from __future__ import annotations

from labkit.cases.corpus import Judged, Report, Verdict
from labkit.render.html import table

__all__ = ["corpus_html", "corpus_line", "corpus_summary", "corpus_text"]

_SIGN = {Verdict.WITHIN: "✓", Verdict.AGAINST: "!", Verdict.OUTSIDE: "✗"}
_ID, _OUTCOME, _VERDICT = 44, 12, 16  # characters


def corpus_line(row: Judged) -> str:
    """Return one case as a line; what it was judged by stands behind it where it is not within."""
    case = row.case
    line = f"{_SIGN[row.verdict]} {case.id:{_ID}} {row.outcome!s:{_OUTCOME}} {row.verdict:{_VERDICT}} {case.clause}"
    if row.verdict is Verdict.WITHIN:
        return line
    asked = row.note or f"allowed: {', '.join(case.allow)}"
    return f"{line}\n  {asked}. {case.why}"


def corpus_text(report: Report) -> str:
    """Return the whole table with its count, for a terminal."""
    return "\n".join([*(corpus_line(row) for row in report), "", corpus_summary(report)])


def corpus_summary(report: Report) -> str:
    """Return the count, and what is to be said of the whole."""
    return ". ".join(text for text in (f"{report.target}: {report.summary}", report.note) if text)


def corpus_html(report: Report) -> str:
    """Return the whole table with its count as HTML that reads without any style."""
    rows = (
        (row.case.id, str(row.outcome), f"{_SIGN[row.verdict]} {row.verdict}", row.case.level, row.case.clause,
         " ".join(text for text in (row.case.why, row.note) if text))
        for row in report
    )  # fmt: skip
    return table(("Case", "Outcome", "Verdict", "Level", "Clause", "Why"), rows, corpus_summary(report))

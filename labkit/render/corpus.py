"""The result of the handshake corpus as text: a line for each case, and the count."""

from __future__ import annotations

from labkit.cases.corpus import Judged, Report, Standing

__all__ = ["corpus_line", "corpus_summary"]

_SIGN = {Standing.WITHIN: "✓", Standing.AGAINST: "!", Standing.OUTSIDE: "✗"}
_ID, _OUTCOME, _STANDING = 44, 12, 16  # characters


def corpus_line(row: Judged) -> str:
    """Return one case as a line; what it was judged by stands behind it where it is not within."""
    case = row.case
    line = f"{_SIGN[row.standing]} {case.id:{_ID}} {row.outcome!s:{_OUTCOME}} {row.standing:{_STANDING}} {case.clause}"
    if row.standing is Standing.WITHIN:
        return line
    asked = row.note or f"allowed: {', '.join(case.allow)}"
    return f"{line}\n  {asked}. {case.why}"


def corpus_summary(report: Report) -> str:
    """Return the count, and what is to be said of the whole."""
    return ". ".join(text for text in (f"{report.target}: {report.summary}", report.note) if text)

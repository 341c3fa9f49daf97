"""The result of the handshake corpus as text: a line for each case, the count, and the most frequent reasons."""

from __future__ import annotations

from labkit.cases.corpus import Judged, Report, Standing
from labkit.render.measure import clean, wrap

__all__ = ["corpus_line", "corpus_summary"]

_SIGN = {Standing.WITHIN: "✓", Standing.AGAINST: "!", Standing.OUTSIDE: "✗"}
_ID, _OUTCOME, _STANDING = 44, 12, 16  # characters
_WIDTH = 100  # columns
_MOST = 2000  # characters of one text
_MOST_LINES = 24


def corpus_line(row: Judged) -> str:
    """Return one case as a line; what it was judged by stands below it where it is not within."""
    case = row.case
    line = f"{_SIGN[row.standing]} {case.id:{_ID}} {row.outcome!s:{_OUTCOME}} {row.standing:{_STANDING}} {case.clause}"
    if row.standing is Standing.WITHIN:
        return line
    asked = row.note or f"allowed: {', '.join(case.allow)}"
    return "\n  ".join([line, *_lines(f"{asked}. {case.why}", _WIDTH - 2)])


def corpus_summary(report: Report) -> str:
    """Return the count, what is to be said of the whole, and for which reasons the most cases are outside."""
    whole = ". ".join(text for text in (f"{report.target}: {report.summary}", report.note) if text)
    lines = _lines(whole, _WIDTH)
    for reason, count in report.frequent():
        lines += _lines(f"{count} × {reason}", _WIDTH)
    return "\n".join(lines)


def _lines(text: str, width: int) -> list[str]:
    return wrap(clean(text, _MOST), width, _MOST_LINES)

"""Reads what a user pastes, an error message or a few words, and tells which failures it speaks of.

    text ─▶ plain ─▶ messages that belong to one failure     the longest match first
                  └▶ messages that several failures share    the likeliest of each, counted together

Pure: the same text always gives the same answer, and a text that nothing knows gives none.
"""

from __future__ import annotations

import re

from labkit.cases.catalogue import Failure, failures, shared

__all__ = ["notes", "plain", "recognise"]

_MOST = 1 << 14  # characters that are read; of a longer log its beginning and its end
_MOST_LINE = 2000  # of a line
_DROPPED = dict.fromkeys(map(ord, "\"'`\\‘’“”«»"))
_OWN = 1 << 20  # votes for a message that belongs to one failure, and one more for each character of the match


def plain(text: str) -> list[str]:
    """Return a text as the patterns want it, line by line: without quotes and backslashes, one space between words.

    >>> plain("'Upgrade'   header is missing")
    ['Upgrade header is missing']
    """
    if len(text) > _MOST:
        text = f"{text[: _MOST // 2]}\n{text[-_MOST // 2 :]}"
    lines = (" ".join(line.translate(_DROPPED).split()) for line in text.splitlines())
    return [line[:_MOST_LINE] for line in lines if line]


def recognise(text: object) -> tuple[Failure, ...]:
    """Return the failures that a message speaks of, the likeliest first; none where it speaks of none.

    Args:
        text: what a program printed, lines of a log, or a few words. What is no text speaks of none.

    >>> [each.name for each in recognise("AH01144: No protocol handler was valid for the URL /")]
    ['apache-no-scheme-handler']
    >>> recognise("1006")[0].name
    'idle-timeout'
    >>> recognise("all is well")
    ()
    """
    if not isinstance(text, str):
        return ()
    lines = plain(text)
    votes: dict[str, float] = {}
    for each in failures():
        longest = max((_longest(symptom.pattern, lines) for symptom in each.symptoms), default=0)
        if longest:
            votes[each.name] = float(_OWN + longest)
    for message in sorted(shared(), key=lambda each: each.vague):
        if not (message.vague and votes) and _longest(message.symptom.pattern, lines):
            for place, name in enumerate(message.failures, 1):
                votes[name] = votes.get(name, 0.0) + 1 / place
    found = [each for each in failures() if each.name in votes]
    return tuple(sorted(found, key=lambda each: (-votes[each.name], each.number)))


def notes(text: str) -> tuple[str, ...]:
    """Return what else is to be said of the messages in a text.

    >>> notes("curl: (28) Operation timed out")[0]
    'After a 101 curl waits for bytes that are no HTTP: where a 101 was printed, 28 means that it worked.'
    """
    lines = plain(text)
    return tuple(each.note for each in shared() if each.note and _longest(each.symptom.pattern, lines))


def _longest(pattern: re.Pattern[str], lines: list[str]) -> int:
    """Return the length of the longest match, in characters; 0 where there is none."""
    return max((len(match[0]) for line in lines for match in [pattern.search(line)] if match), default=0)

"""The handshake corpus for servers: `handshakes.toml`, read, and what a server did, judged.

    case ─▶ bytes ─▶ a server, in memory or over a socket ─▶ trace ─▶ outcome ─▶ standing

The header of the file says what the words mean; nothing here opens a socket. A case says which answers
are right; what any answer must be, whatever was asked, is for the rule base to say.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import accumulate, islice
from typing import Any

from labkit.dissection import Dissection, Exchange, HopView, dissect
from labkit.errors import WrongUse
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.rules import check
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, How, Trace
from labkit.wire.fields import text_bytes
from labkit.wire.http1 import ResponseHead

__all__ = [
    "PLAIN", "Case", "Judged", "Outcome", "Report", "Standing",
    "cases", "check_words", "complete", "expand", "judge", "outcome", "predict", "version",
]  # fmt: skip

PLAIN = "plain-offer"
"""The case that comes first; `same` means what the server made of it."""

LEVELS = ("MUST", "SHOULD", "choice")
_MOST_REPEATED = 1 << 20
_MOST_WORDS = 8  # shown of one outcome
_MOST_WRONG = 10  # rules told of one outcome
_PLACE = re.compile(r"\{(path|repeat:([^{}]+):([0-9]{1,7}))\}")
_SAME = "same"
_GROUPS = {"2xx": "2", "3xx": "3", "4xx": "4", "5xx": "5", "error": "45", "decline": "2345"}


class Standing(StrEnum):
    """How a server stands to the RFCs in one case."""

    WITHIN = "within"
    AGAINST = "against a SHOULD"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the corpus; the header of `handshakes.toml` tells each part.

    Args:
        group: what it is about.
        id: its name; it never changes.
        send: the segments, as text of one character per byte, with placeholders.
        allow: the outcomes within the RFCs.
        clause: what decides.
        level: MUST, SHOULD or choice.
        why: one sentence.
        should: the outcomes left by a SHOULD; empty where none decides.
        carry: names of fields that a declining answer must have.
        without: names of fields that a 101 must not have.
        rule: the id of the lab's own rule, where there is one.
        answers: how many final answers are waited for.
        wait: seconds to wait for them; None for the runner's own patience.
        interim: whether a 1xx may come before them.
    """

    group: str
    id: str
    send: tuple[str, ...]
    allow: tuple[str, ...]
    clause: str
    level: str
    why: str
    should: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    rule: str = ""
    answers: int = 1
    wait: float | None = None
    interim: bool = True

    def segments(self, path: str = "/") -> list[bytes]:
        """Return the bytes to send, segment by segment."""
        return [expand(text, path) for text in self.send]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a server did, in words: a status per answer, interim ones too, or close, open, garbage.

    `wrong` tells which rules the answers break by themselves, a 101 that is no handshake say; such an
    answer is outside the RFCs whatever the case is.
    """

    words: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    final: ResponseHead | None = None

    def __str__(self) -> str:
        if len(self.words) <= _MOST_WORDS:
            return " ".join(self.words)
        return f"{' '.join(self.words[:3])} … {self.words[-1]}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One case with its outcome and the standing; `reasons` say what was wrong where it is not plain."""

    case: Case
    outcome: Outcome
    standing: Standing
    reasons: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The reasons as one text."""
        return "; ".join(self.reasons)


@dataclass(frozen=True)
class Report:
    """A run: whom, and every case judged.

    Args:
        target: a few words for the server.
        rows: the cases, in the order of the file.
        note: what is to be said of the whole; where the run was broken off, why.
        whole: whether every case that was asked for is there.
        interrupted: whether Ctrl-C broke it off.
    """

    target: str
    rows: tuple[Judged, ...] = field(repr=False)
    note: str = ""
    whole: bool = True
    interrupted: bool = False

    def __iter__(self) -> Iterator[Judged]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, standing: Standing) -> list[Judged]:
        """Return the cases with one standing."""
        return [row for row in self.rows if row.standing is standing]

    @property
    def ok(self) -> bool:
        """Whether every case was run and none is outside the RFCs."""
        return self.whole and not self.of(Standing.OUTSIDE)

    @property
    def summary(self) -> str:
        """The count, as a sentence."""
        counts = {standing: len(self.of(standing)) for standing in Standing}
        return (
            f"{counts[Standing.WITHIN]} of {len(self.rows)} cases within the RFCs, "
            f"{counts[Standing.AGAINST]} against a SHOULD, {counts[Standing.OUTSIDE]} outside"
        )

    def frequent(self, most: int = 3) -> list[tuple[str, int]]:
        """Return the reasons for which more than one case is outside, with the number of cases, the highest first."""
        counts = Counter(reason for row in self.of(Standing.OUTSIDE) for reason in set(_reasons(row)))
        several = [(reason, count) for reason, count in counts.items() if count > 1]
        return sorted(several, key=lambda each: (-each[1], each[0]))[:most]

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "labkit": "handshake corpus",
            "version": version(),
            "target": self.target,
            "note": self.note,
            "whole": self.whole,
            "counts": {str(standing): len(self.of(standing)) for standing in Standing},
            "cases": [
                {
                    "id": row.case.id,
                    "outcome": str(row.outcome),
                    "standing": str(row.standing),
                    "note": row.note,
                    "level": row.case.level,
                    "clause": row.case.clause,
                    "allow": list(row.case.allow),
                    "should": list(row.case.should),
                }
                for row in self.rows
            ],
        }


def _reasons(row: Judged) -> tuple[str, ...]:
    """Return the reasons, or what was allowed instead where the outcome by itself is wrong."""
    return row.reasons or (f"{row.outcome}, where the RFCs allow: {', '.join(row.case.allow)}",)


def expand(text: str, path: str = "/") -> bytes:
    r"""Return the bytes that a text of the corpus stands for.

    >>> expand("GET {path} HTTP/1.1\r\nX: {repeat:a:3}\r\n", "/chat")
    b'GET /chat HTTP/1.1\r\nX: aaa\r\n'
    """

    def filled(match: re.Match[str]) -> str:
        return path if match[2] is None else match[2] * min(int(match[3]), _MOST_REPEATED)

    return text_bytes(_PLACE.sub(filled, text))


@cache
def _read() -> tuple[int, tuple[Case, ...]]:
    data = tomllib.loads(files(__package__).joinpath("handshakes.toml").read_text("utf-8"))
    return data["version"], tuple(_case(row) for row in data["case"])


def _case(row: dict[str, Any]) -> Case:
    send = row["send"]
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    case = Case(**{**row, **lists, "send": (send,) if isinstance(send, str) else tuple(send)})
    check_words(case)
    return case


def cases() -> tuple[Case, ...]:
    """Return the corpus, in the order of the file; the plain offer is the first."""
    return _read()[1]


def version() -> int:
    """Return the version of the corpus; it counts up when a case comes, goes or changes."""
    return _read()[0]


def predict(case: Case, server: Server, path: str = "/") -> Trace:
    """Run one case in memory, against what a server is told to be."""
    segments = case.segments(path)
    cuts = tuple(accumulate(len(segment) for segment in segments))[:-1]
    return simulate(Scenario(Offer(raw=b"".join(segments), cuts=cuts), server=server, title=case.id))


def outcome(trace: Trace) -> Outcome:
    r"""Read the outcome from a trace.

    >>> from labkit.trace import Transfer
    >>> ask = Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\nHost: server.example.com\r\n\r\n")
    >>> print(outcome(Trace((ask, Transfer(0, Direction.TO_CLIENT, b"HTTP/1.1 404 Not Found\r\n\r\n")))))
    404
    """
    dissection = dissect(trace)
    view = dissection.hops[0]
    words: list[str] = []
    final = None
    for exchange in view.exchanges:
        more, final_here = _answered(exchange)
        words += more
        if final_here is not None:
            final = final_here
        if final_here is not None and final_here.status == 101:
            break
    if not words:
        silent = "close" if _ended(trace) else "open"
        words = ["garbage" if trace.stream(Direction.TO_CLIENT) else silent]
    wrong = dict.fromkeys(_broken(dissection, view))  # each once
    return Outcome(tuple(words), tuple(islice(wrong, _MOST_WRONG)), final)


# Rules on what to answer to which request: of these, the case says what is right.
_FOR_THE_CASE = frozenset((
    "G10", "G11", "G13", "G17", "G29", "G30", "G66", "G68", "G76", "G78", "G80", "H02", "H04",
    "W17", "W18", "W19", "W37",
))  # fmt: skip


def _broken(dissection: Dissection, view: HopView) -> Iterator[str]:
    """Tell which MUSTs the server breaks in its answers by themselves, up to a switch."""
    seam = view.seam.get(Direction.TO_CLIENT, len(view.data[Direction.TO_CLIENT]))
    for finding in check(dissection):
        mine = finding.direction is Direction.TO_CLIENT and finding.start < seam
        if mine and finding.rule.level.strict and finding.rule.id not in _FOR_THE_CASE:
            yield f"{finding.seen} ({finding.rule.id}: {finding.rule.clause})"


def _answered(exchange: Exchange) -> tuple[list[str], ResponseHead | None]:
    """Return the words for the answers to one request, and the final one."""
    heads = [part.value for part in exchange.interim]
    words = [f"{head.status:03}" for head in heads if isinstance(head, ResponseHead)]
    part = exchange.answer
    if part is None or not isinstance(part.value, ResponseHead):
        return [*words, "garbage"] if exchange.garbage else words, None
    if not part.head.whole:
        return [*words, "garbage"], None
    return [*words, f"{part.value.status:03}"], part.value


def _ended(trace: Trace) -> bool:
    return trace.end(Direction.TO_CLIENT) in (How.FIN, How.RESET)


def complete(view: HopView) -> int:
    """Count the final answers that are there to their last byte."""
    done = 0
    for exchange in view.exchanges:
        _, final = _answered(exchange)
        if final is None:
            continue
        content = exchange.answer_content
        open_ended = content is not None and content.framing == "until the end"
        cut = content is not None and bool(content.span().fault)
        framed = final.fields.get("Content-Length") not in (None, "0") or "Transfer-Encoding" in final.fields
        missing = content is None and framed and not _bodiless(exchange, final)
        done += not (open_ended or cut or missing)
    return done


def _bodiless(exchange: Exchange, final: ResponseHead) -> bool:
    request = exchange.request.value if exchange.request else None
    method = getattr(request, "method", "")
    return final.status in (101, 204, 304) or method == "HEAD"


def judge(case: Case, found: Outcome, plain: Outcome | None = None) -> Judged:
    """Hold an outcome against what the RFCs allow.

    Args:
        case: the case.
        found: what the server did.
        plain: what it did with the plain offer; `same` means this.
    """
    same = plain.words[-1:] if plain else ("101",)
    allowed = _matches(case, case.allow, found.words, same)
    reasons = (*found.wrong, *_missing(case, found.final))
    if not allowed or reasons:
        return Judged(case, found, Standing.OUTSIDE, reasons)
    if case.should and not _matches(case, case.should, found.words, same):
        return Judged(case, found, Standing.AGAINST, (f"asked for: {', '.join(case.should)}",))
    return Judged(case, found, Standing.WITHIN)


def _missing(case: Case, final: ResponseHead | None) -> list[str]:
    if final is None:
        return []
    if final.status == 101:
        return [f"the 101 has {name}" for name in case.without if name in final.fields]
    return [f"the {final.status} has no {name}" for name in case.carry if name not in final.fields]


def _matches(case: Case, patterns: Iterable[str], words: tuple[str, ...], same: tuple[str, ...]) -> bool:
    """Tell whether any pattern fits; interim answers that none of them names may be there, or not."""
    forms = [words]
    if case.interim:
        forms.append(tuple(word for word in words if word[0] != "1" or word == "101"))
    return any(_fits(pattern.split(), form, same) for pattern in patterns for form in forms)


def _fits(pattern: list[str], words: tuple[str, ...], same: tuple[str, ...]) -> bool:
    """Walk through the words with all places of the pattern that may come next."""
    places = {0}
    for word in words:
        met = [at for at in places if at < len(pattern) and _is(word, pattern[at].rstrip("+"), same)]
        places = {at + 1 for at in met} | {at for at in met if pattern[at].endswith("+")}
    return len(pattern) in places


def _is(word: str, wanted: str, same: tuple[str, ...]) -> bool:
    if wanted == _SAME:
        return word in same
    if wanted in _GROUPS:
        return len(word) == 3 and word.isdecimal() and word[0] in _GROUPS[wanted]
    return word == wanted


def check_words(case: Case) -> None:
    """Refuse a case whose words say nothing.

    Raises:
        WrongUse: a pattern or the level is none of those that the file's header tells.
    """
    known = {*_GROUPS, _SAME, "close", "open", "garbage"}
    for pattern in (*case.allow, *case.should):
        for word in pattern.split():
            plain = word.rstrip("+")
            if plain not in known and not re.fullmatch(r"[1-5][0-9]{2}", plain):
                raise WrongUse(f"case {case.id}: {word!r} is no outcome; the header of the file tells them")
    if case.level not in LEVELS or not case.allow or (case.level == "SHOULD") != bool(case.should):
        raise WrongUse(f"case {case.id}: the level is one of {', '.join(LEVELS)}, and a SHOULD has a `should`")

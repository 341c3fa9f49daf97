"""Rules of the content of messages: its length, its chunks, and who waits for it (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.dissection import ContentPart
from labkit.rules.evidence import Asked, HeadSeen, each_exchange
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.trace import Direction, How
from labkit.wire.fields import Fields

__all__ = ["CONTENT"]

_LENGTH, _CODING = "Content-Length", "Transfer-Encoding"
_DIGITS = re.compile(r"[0-9]+")


def _codings(fields: Fields) -> list[str]:
    return [coding.lower() for coding in fields.elements(_CODING)]


def _contents(asked: Asked) -> Iterator[tuple[Direction, ContentPart]]:
    for way, part in zip(Direction, (asked.exchange.content, asked.exchange.answer_content), strict=True):
        if part:
            yield way, part


@each_exchange
def _expects_without_content(asked: Asked) -> Iterator[Sighting]:
    length = asked.head.fields.elements(_LENGTH)
    without = all(_DIGITS.fullmatch(each) and not each.strip("0") for each in length)
    if asked.request and asked.expects_continue and without and not _codings(asked.head.fields):
        yield asked.request.line("Expect", "a 100 is expected before content that does not come")


@each_exchange
def _length_and_coding(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        if _LENGTH in head.fields and _CODING in head.fields:
            yield head.line(_LENGTH, f"{_LENGTH} beside {_CODING}")


@each_exchange
def _bad_length(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        values = head.fields.all(_LENGTH)
        if len(values) > 1:
            same = "the same value twice" if len(set(values)) == 1 else "different values"
            yield head.line(_LENGTH, f"{len(values)} {_LENGTH} field lines, {same}", place=1)
        elif values and not _DIGITS.fullmatch(values[0]):
            yield head.line(_LENGTH, f"a {_LENGTH} that is no number")


def _unreadable(fields: Fields) -> bool:
    """Tell whether the length cannot be known: no number, or several that differ (RFC 9112, 6.3)."""
    numbers = {each for value in fields.all(_LENGTH) for each in value.split(",")}
    return len({each.strip(" \t") for each in numbers}) > 1 or any(
        not _DIGITS.fullmatch(each.strip(" \t")) for each in numbers
    )


@each_exchange
def _bad_length_taken(asked: Asked) -> Iterator[Sighting]:
    fields = asked.head.fields
    if asked.answer and asked.taken and _unreadable(fields) and not _codings(fields):
        yield asked.answer.first_line(f"a {asked.status} to a request whose {_LENGTH} cannot be read")


@each_exchange
def _bad_codings(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        codings = _codings(head.fields)
        if codings.count("chunked") > 1:
            yield head.line(_CODING, "chunked is named more than once")
        elif head is asked.request and codings and codings[-1] != "chunked":
            yield head.line(_CODING, "a request whose last transfer coding is not chunked")


@each_exchange
def _bad_codings_taken(asked: Asked) -> Iterator[Sighting]:
    codings = _codings(asked.head.fields)
    if asked.answer and asked.taken and codings and codings[-1] != "chunked":
        yield asked.answer.first_line(f"a {asked.status} to a request whose end cannot be known")


@each_exchange
def _bad_chunks(asked: Asked) -> Iterator[Sighting]:
    for way, part in _contents(asked):
        if part.framing == "chunked":
            for leaf in part.span().leaves():
                if leaf.fault:
                    yield Sighting(asked.view.hop, way, leaf.start, leaf.end, leaf.fault.rpartition(" (")[0])


@each_exchange
def _too_short(asked: Asked) -> Iterator[Sighting]:
    for way, part in _contents(asked):
        came = part.end - part.start
        ended = asked.view.ends.get(way) is How.FIN and way not in asked.view.missing
        head = asked.request if way is Direction.TO_SERVER else asked.answer
        if head and ended and part.expected is not None and came < part.expected:
            yield head.line(_LENGTH, f"content that ends after {came:,} of {part.expected:,} bytes", note=True)


def _framed(head: HeadSeen, what: str) -> Iterator[Sighting]:
    for name in (_LENGTH, _CODING):
        if name in head.fields:
            yield head.line(name, f"{what} with a {name}")


@each_exchange
def _framed_204(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and asked.status == 204:
        yield from _framed(asked.answer, "a 204")


@each_exchange
def _framed_tunnel(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and asked.head.method == "CONNECT" and asked.status and asked.status // 100 == 2:
        yield from _framed(asked.answer, f"a {asked.status} to a CONNECT")


@each_exchange
def _coding_to_http_1_0(asked: Asked) -> Iterator[Sighting]:
    old = asked.request and asked.head.version == "HTTP/1.0"
    if old and asked.answer and not asked.switched and _CODING in asked.answer.fields:
        yield asked.answer.line(_CODING, f"an answer with {_CODING} to a request in HTTP/1.0")


CONTENT: tuple[Rule, ...] = (
    Rule(
        "G63", Who.CLIENT, "RFC 9110, 10.1.1", Level.MUST_NOT,
        "A client expects a 100 only where content comes after it.",
        mend="leave Expect out", check=_expects_without_content,
    ),
    Rule(
        "G64", Who.SENDER, "RFC 9112, 6.2", Level.MUST_NOT,
        "A message with Transfer-Encoding carries no Content-Length.",
        mend="leave Content-Length out", check=_length_and_coding,
    ),
    Rule(
        "G65", Who.SENDER, "RFC 9110, 8.6", Level.MUST,
        "Content-Length is one number of bytes.",
        mend="send one Content-Length of digits alone", check=_bad_length,
    ),
    Rule(
        "G66", Who.SERVER, "RFC 9112, 6.3", Level.MUST,
        "A server answers 400 to a request whose Content-Length is no number, or several that differ.",
        mend="answer 400 and close", check=_bad_length_taken,
    ),
    Rule(
        "G67", Who.SENDER, "RFC 9112, 6.1", Level.MUST,
        "Content is put in chunks once, and in a request chunked is the last transfer coding.",
        mend="name chunked once, at the end", check=_bad_codings,
    ),
    Rule(
        "G68", Who.SERVER, "RFC 9112, 6.3", Level.MUST,
        "A server answers 400 to a request whose last transfer coding is not chunked.",
        mend="answer 400 and close", check=_bad_codings_taken,
    ),
    Rule(
        "G69", Who.SENDER, "RFC 9112, 7.1", Level.MUST,
        "A chunk is its size in hexadecimal digits, CR LF, its bytes and CR LF; one of size 0 ends the content.",
        mend="frame each chunk so", check=_bad_chunks,
    ),
    Rule(
        "G70", Who.RECIPIENT, "RFC 9112, 6.3", Level.MUST,
        "Content that ends before its stated length is taken for incomplete, and the connection is closed.",
        mend="send as many bytes as Content-Length says", check=_too_short,
    ),
    Rule(
        "G71", Who.SERVER, "RFC 9110, 8.6; RFC 9112, 6.1", Level.MUST_NOT,
        "A 204 carries neither Content-Length nor Transfer-Encoding.",
        mend="leave the field out", check=_framed_204,
    ),
    Rule(
        "G72", Who.SERVER, "RFC 9110, 9.3.6", Level.MUST_NOT,
        "An answer of class 2xx to a CONNECT carries neither Content-Length nor Transfer-Encoding.",
        mend="leave the field out", check=_framed_tunnel,
    ),
    Rule(
        "G73", Who.SERVER, "RFC 9112, 6.1", Level.MUST_NOT,
        "An answer to a request in HTTP/1.0 carries no Transfer-Encoding.",
        mend="send a Content-Length, or end the content by closing", check=_coding_to_http_1_0,
    ),
)  # fmt: skip

from __future__ import annotations

import pytest

from labkit.wire.lines import CLAUSE, Fault, Piece, cut_short, field_line, start_line

REQUEST, ANSWER = b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"


def pieces(line, data: bytes) -> list[tuple[str, bytes]]:
    return [(piece.what, data[piece.start : piece.end]) for piece in line.pieces]


def test_request_line():
    """A request line is method SP request-target SP HTTP-version CRLF (RFC 9112, 3)."""
    line, said = start_line(REQUEST, 0, len(REQUEST))
    assert said == ("GET", "/", "HTTP/1.1")
    assert pieces(line, REQUEST) == [
        ("method", b"GET"),
        ("space", b" "),
        ("request-target", b"/"),
        ("space", b" "),
        ("HTTP-version", b"HTTP/1.1"),
        ("line end", b"\r\n"),
    ]


def test_status_line():
    """A status line is HTTP-version SP status-code SP reason-phrase CRLF (RFC 9112, 4)."""
    line, said = start_line(ANSWER, 0, len(ANSWER))
    assert said == (200, "OK", "HTTP/1.1")
    assert pieces(line, ANSWER) == [
        ("HTTP-version", b"HTTP/1.1"),
        ("space", b" "),
        ("status-code", b"200"),
        ("space", b" "),
        ("reason-phrase", b"OK"),
        ("line end", b"\r\n"),
    ]


def test_field_line():
    """A field line is field-name ":" OWS field-value OWS (RFC 9112, 5): the space around the value is none of it."""
    data = b"Host: \ta b \r\n"
    line = field_line(data, 0, len(data))
    assert (line.name, line.value) == ("Host", "a b")
    assert pieces(line, data) == [
        ("field name", b"Host"),
        ("colon", b":"),
        ("white space", b" \t"),
        ("field value", b"a b"),
        ("white space", b" "),
        ("line end", b"\r\n"),
    ]


def test_offsets_are_those_of_the_data():
    """A line in the middle of the data keeps its own offsets."""
    data = b"xxxA:b\n"
    line = field_line(data, 3, 7)
    assert (line.start, line.end) == (3, 7)
    assert line.pieces[-1] == Piece(6, 7, "line end", Fault.BARE_LF)


@pytest.mark.parametrize("line", [b"HTTP/1.1 204 \r\n", b"HTTP/1.1 204\r\n"])
def test_reason_may_be_empty(line):
    """A reason phrase may be missing; the space before it may not (RFC 9112, 4)."""
    found, said = start_line(line, 0, len(line))
    assert said == (204, "", "HTTP/1.1")
    assert [piece.fault for piece in found.pieces if piece.fault] == ([] if b" \r" in line else [Fault.NO_SPACE])


def test_cut_short_keeps_what_was_wrong_before():
    """A piece that no further byte could mend keeps its own fault."""
    for data, fault in ((b"GET / HT", Fault.CUT_SHORT), (b"\x16\x03", Fault.BAD_START)):
        line, _ = start_line(data, 0, len(data))
        assert cut_short(line, data).pieces[-1].fault is fault


def test_every_piece_has_a_clause():
    """Whatever a piece is called, the table says where the grammar has it."""
    data = b"GET  / HTTP/1.1 \nHTTP/1.1 200 OK\r\nbad\r\n nope\r\na : b \r\n\r\n"
    stops = [place + 1 for place, byte in enumerate(data) if byte == 0x0A]
    found = set()
    for start, stop in zip([0, *stops], stops, strict=False):
        found |= {piece.what for piece in start_line(data, start, stop)[0].pieces}
        found |= {piece.what for piece in field_line(data, start, stop).pieces}
    assert found | {"end of head"} == set(CLAUSE)

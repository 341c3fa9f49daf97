from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, RequestHead, ResponseHead, head_length, scan

START = b"GET / HTTP/1.1\r\n"
REQUEST = RequestHead(
    "GET", "/chat?a=b", Fields.of([("Host", "server.example.com"), ("Upgrade", "websocket"), ("X", "")])
)
ANSWER = ResponseHead(101, "Switching Protocols", Fields.of([("Upgrade", "websocket"), ("Connection", "Upgrade")]))

tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
visible = st.text([chr(code) for code in [*range(0x21, 0x7F), *range(0x80, 0x100)]], max_size=8)
values = st.lists(visible, max_size=3).map(lambda words: " ".join(word for word in words if word))
fields = st.lists(st.tuples(tokens, values), max_size=5).map(Fields.of)
targets = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=12)
heads = st.one_of(
    st.builds(RequestHead, tokens, targets, fields, st.sampled_from(["HTTP/1.1", "HTTP/1.0"])),
    st.builds(ResponseHead, st.integers(0, 999), values, fields),
)
odd = st.one_of(
    st.binary(max_size=60),
    st.text("GET /HTP1.0:\r\n\t a", max_size=60).map(str.encode),
    st.lists(
        st.sampled_from([START, b"A: b\r\n", b" c\n", b"\r\n", b"\n", b"\r", b": ", b"HTTP/1.1 200", b"\x81"])
    ).map(b"".join),
)


@given(heads)
def test_round_trip(head):
    """What is written is read back the same, and has no fault."""
    assert type(head).parse(head.to_bytes()) == head


@given(heads, st.binary(max_size=9))
def test_bytes_after_a_head_are_not_its_own(head, more):
    """A head ends with its blank line, whatever comes after it (RFC 9112, 2.1)."""
    data = head.to_bytes() + more
    found = scan(data)
    assert (found.value, found.whole, found.end) == (head, True, len(head.to_bytes()))
    assert head_length(data) == found.end


@given(heads)
def test_cut_anywhere_is_cut_short_and_nothing_else(head):
    """A valid head cut at any byte has one fault: that it is cut short."""
    whole = head.to_bytes()
    for cut in range(1, len(whole)):
        found = scan(whole[:cut])
        assert [fault for _, fault in found.faults] == [Fault.CUT_SHORT], whole[:cut]
        assert (found.whole, found.end, head_length(whole[:cut])) == (False, cut, None)
    assert scan(b"").lines == ()


@given(odd, st.integers(0, 5), st.integers(0, 80))
def test_pieces_partition_any_bytes(data, start, limit):
    """Whatever the bytes are, the pieces lie side by side from `start` to the head's end, and nothing raises."""
    head = scan(data, start, limit=limit)
    at = start
    for piece in (piece for line in head.lines for piece in line.pieces):
        assert piece.start == at < piece.end
        at = piece.end
    assert at == max(head.end, start)
    assert head.end <= max(start, min(len(data), start + limit))
    if limit >= len(data):
        assert head.whole == (head_length(data, start) is not None)
    if head.value is None and head.lines:
        assert head.faults


@given(odd)
def test_strict_parse_raises_its_own_error_alone(data):
    """`parse` reads a head or raises WireError, and never takes what `scan` finds a fault in."""
    head = scan(data)
    for kind in (RequestHead, ResponseHead):
        try:
            value = kind.parse(data)
        except WireError:
            continue
        assert (value, head.faults, head.end) == (head.value, [], len(data))


FAULTS = [
    (b"GET / HTTP/1.1\nA: b\r\n\r\n", Fault.BARE_LF, 14, "RFC 9112, 2.2"),
    (START + b"A: b\n\r\n", Fault.BARE_LF, 20, "RFC 9112, 2.2"),
    (START + b"A: b\r\n\n", Fault.BARE_LF, 22, "RFC 9112, 2.2"),
    (START + b"A: b\rc\r\n\r\n", Fault.BARE_CR, 19, "RFC 9112, 2.2"),
    (START + b"A: b\r\r\n\r\n", Fault.BARE_CR, 19, "RFC 9112, 2.2"),
    (b"HTTP/1.1 200 O\rK\r\n\r\n", Fault.BARE_CR, 13, "RFC 9112, 2.2"),
    (b"G@T / HTTP/1.1\r\n\r\n", Fault.BAD_METHOD, 0, "RFC 9110, 9.1"),
    (b"GET /\x7f HTTP/1.1\r\n\r\n", Fault.BAD_TARGET, 4, "RFC 9112, 3.2"),
    (b"GET /a b HTTP/1.1\r\n\r\n", Fault.BAD_TARGET, 4, "RFC 9112, 3.2"),
    (b"GET /\xff HTTP/1.1\r\n\r\n", Fault.BAD_TARGET, 4, "RFC 9112, 3.2"),
    (b"GET / HTTP/11\r\n\r\n", Fault.BAD_VERSION, 6, "RFC 9112, 2.3"),
    (b"HTTP/1 200 OK\r\n\r\n", Fault.BAD_VERSION, 0, "RFC 9112, 2.3"),
    (b"HTTP/1.1 2000 OK\r\n\r\n", Fault.BAD_STATUS, 9, "RFC 9112, 4"),
    (b"HTTP/1.1 20\xb2 OK\r\n\r\n", Fault.BAD_STATUS, 9, "RFC 9112, 4"),
    (b"HTTP/1.1 200 \x01\r\n\r\n", Fault.BAD_REASON, 13, "RFC 9112, 4"),
    (b"HTTP/1.1 200\r\n\r\n", Fault.NO_SPACE, 9, "RFC 9112, 4"),
    (b"GET  / HTTP/1.1\r\n\r\n", Fault.MORE_SPACE, 3, "RFC 9112, 3"),
    (b"GET /\tHTTP/1.1\r\n\r\n", Fault.MORE_SPACE, 5, "RFC 9112, 3"),
    (b"GET / HTTP/1.1 \r\n\r\n", Fault.MORE_SPACE, 14, "RFC 9112, 3"),
    (b"HTTP/1.1  200 OK\r\n\r\n", Fault.MORE_SPACE, 8, "RFC 9112, 3"),
    (b"HTTP/1.1 200\tOK\r\n\r\n", Fault.MORE_SPACE, 12, "RFC 9112, 3"),
    (b"\x81\x05Hello\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b"GET /\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b"GET  HTTP/1.1\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b" GET / HTTP/1.1\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b"GET / http/1.1\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b"HTTP/1.1 \r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (b"HTTP/1.1\r\n\r\n", Fault.BAD_START, 0, "RFC 9112, 2.1"),
    (START + b"Host\r\n\r\n", Fault.NO_COLON, 16, "RFC 9112, 5"),
    (START + b"Host : a\r\n\r\n", Fault.SPACE_BEFORE_COLON, 20, "RFC 9112, 5.1"),
    (START + b" Host: a\r\n\r\n", Fault.SPACE_FIRST, 16, "RFC 9112, 2.2"),
    (START + b"Ho st: a\r\n\r\n", Fault.BAD_NAME, 16, "RFC 9110, 5.1"),
    (START + b": a\r\n\r\n", Fault.BAD_NAME, 16, "RFC 9110, 5.1"),
    (START + b"A: b\x00\r\n\r\n", Fault.BAD_VALUE, 19, "RFC 9110, 5.5"),
    (START + b"A: b\r\n c\r\n\r\n", Fault.FOLDED, 22, "RFC 9112, 5.2"),
    (b"\r\n" + START + b"\r\n", Fault.EMPTY_LINE, 0, "RFC 9112, 2.2"),
    (b"\n" + START + b"\r\n", Fault.EMPTY_LINE, 0, "RFC 9112, 2.2"),
    (START + b"A: b\r\n", Fault.CUT_SHORT, 20, "RFC 9112, 2.1"),
    (START + b"A: b\r\n\r", Fault.CUT_SHORT, 22, "RFC 9112, 2.1"),
]


@pytest.mark.parametrize(("data", "fault", "offset", "clause"), FAULTS)
def test_fault_is_named_where_it_stands(data, fault, offset, clause):
    """Each broken rule is named once, at its offset, with its clause, and the strict reading says the same."""
    assert scan(data).faults == [(offset, fault)]
    assert fault.endswith(f"({clause})")
    kind = ResponseHead if data.startswith(b"HTTP/") else RequestHead
    with pytest.raises(WireError) as caught:
        kind.parse(data)
    assert str(caught.value) == f"byte {offset}: {fault}"


def test_every_fault_is_in_the_table():
    """No fault goes untested."""
    assert {fault for _, fault, _, _ in FAULTS} == set(Fault)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"A: b\r\n c\r\n\t d \r\n", [("A", "b c d")]),  # unfolded with spaces (RFC 9112, 5.2)
        (b"A:\r\n c\r\n", [("A", "c")]),
        (b" c\r\nA: b\r\n", [("A", "b")]),  # consumed without further processing (RFC 9112, 2.2)
        (b" c\r\n d\r\nA: b\r\n", [("A", "b")]),
        (b"A: b\r\nnonsense\r\n c\r\n", [("A", "b")]),  # goes on with nonsense, not with A
        (b"A: b\r\n: x\r\n", [("A", "b")]),  # a line without a name is no folded line
        (b"A: b\r\n: x\r\n c\r\n", [("A", "b")]),
        (b"A : b\r\na: c\r\n", [("A", "b"), ("a", "c")]),
    ],
)
def test_fields_of_odd_lines(lines, expected):
    """What a tolerant recipient makes of broken field lines."""
    assert list(scan(START + lines + b"\r\n").value.fields) == expected


def test_head_begins_where_it_is_told():
    """Offsets are those of the data, for a pipelined head too."""
    data = START + b"\r\n" + START + b"X\r\n\r\nmore"
    assert head_length(data, 18) == len(data) - 4
    assert scan(data, 18).faults == [(34, Fault.NO_COLON)]


def test_limit_ends_a_head():
    """Of a head that does not end, `limit` bytes are taken."""
    head = scan(START + b"A: " + b"b" * 100, limit=30)
    assert (head.end, head.whole, head.faults) == (30, False, [(19, Fault.CUT_SHORT)])


def test_parse_tells_requests_from_answers():
    """The right grammar on the wrong side is named."""
    with pytest.raises(WireError, match="an answer's, not a request's"):
        RequestHead.parse(ANSWER.to_bytes())
    with pytest.raises(WireError, match="a request's, not an answer's"):
        ResponseHead.parse(REQUEST.to_bytes())


def test_parse_takes_one_whole_head():
    """Bytes after the head, or no bytes at all, are refused with the offset."""
    with pytest.raises(WireError, match="byte 18: the head ends here and 4 bytes follow it"):
        RequestHead.parse(START + b"\r\nmore")
    with pytest.raises(WireError, match="byte 0: the bytes end"):
        RequestHead.parse(b"")


def test_start_line_of_a_status():
    """The space after the code is there even with no reason (RFC 9112, 4), and a code has three digits."""
    assert ResponseHead(99).to_bytes() == b"HTTP/1.1 099 \r\n\r\n"


def test_character_that_is_no_byte():
    """A target with a character outside ISO 8859-1 is refused by name."""
    with pytest.raises(WireError, match="'€'"):
        RequestHead("GET", "/€").to_bytes()
    with pytest.raises(WireError, match="'€'"):
        ResponseHead(200, "€").to_bytes()

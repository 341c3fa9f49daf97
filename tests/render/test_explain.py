from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection import Bits
from labkit.errors import WrongUse
from labkit.render.explain import bit_patterns, explain
from labkit.render.measure import columns
from labkit.trace import Hop, Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import ANSWER, ASK, REPLY, REQUEST, asked, chain, cut, echo, switched, talk


def headings(trace: Trace, **options) -> list[str]:
    return [section.heading for section in explain(trace, **options).sections]


def test_sections_stand_in_the_order_of_the_diagram():
    """Each heading says who sends what; the seam and the end stand between them."""
    assert headings(echo(b"Hello")) == [
        "client → server: head of the request, bytes 0 to 180",
        "server → client: head of the answer, bytes 0 to 128",
        "Here HTTP ends: what follows is websocket",
        "client → server: frame: text, bytes 181 to 191",
        "server → client: frame: text, bytes 129 to 135",
        "client → server: frame: close, bytes 192 to 199",
        "server → client: frame: close, bytes 136 to 139",
        "server closed first (FIN), then client (FIN)",
    ]


def test_a_frame_is_explained_down_to_its_bits():
    """Two header bytes, masking key, payload (RFC 6455, 5.2 and 5.7)."""
    section = explain(echo(b"Hello")).sections[3]
    assert [(row.offset, row.data.hex(), row.label) for row in section.rows] == [
        (181, "81", "FIN, RSV, opcode"), (182, "85", "MASK, length"), (183, "37fa213d", "masking key"),
        (187, "7f9f4d5158", "payload, masked"),
    ]  # fmt: skip
    assert section.rows[3].meaning == '"Hello"'
    assert [(pattern, bits.name) for pattern, bits in bit_patterns(section.rows[0].bits)] == [
        ("1... ....", "FIN"), (".000 ....", "RSV1–3"), (".... 0001", "opcode"),
    ]  # fmt: skip


def test_heads_are_explained_by_line_or_by_leaf():
    """A line is one row, with `leaves` each piece of it."""
    lines, leaves = explain(echo()).sections[0], explain(echo(), leaves=True).sections[0]
    assert [row.label for row in lines.rows][:2] == ["request line", "field line Host"]
    assert [row.text for row in leaves.rows][:6] == ["GET", " ", "/chat", " ", "HTTP/1.1", "↵"]


@settings(deadline=None)  # a busy machine is no fault
@given(st.binary(max_size=150), st.binary(max_size=150), st.booleans(), st.booleans())
def test_every_byte_has_a_row(asks, replies, leaves, begun):
    """Per direction the rows follow each other without gap or overlap (the partition law)."""
    start = (REQUEST, ANSWER) if begun else (b"", b"")
    trace = Trace((Transfer(0, ASK, start[0] + asks), Transfer(0, REPLY, start[1] + replies)))
    explanation = explain(trace, leaves=leaves, most=100_000)
    places = {"client": 0, "server": 0}
    for section in explanation.sections:
        who = section.heading.split(" ", 1)[0]
        for row in section.rows:
            assert row.offset == places[who]
            places[who] += row.size
    assert places == {"client": len(trace.stream(ASK)), "server": len(trace.stream(REPLY))}
    assert all(columns(line) <= 100 for line in str(explanation).splitlines())


def test_a_long_leaf_is_cut_and_says_so():
    """64 bytes, in hexadecimal and as text, the rest counted."""
    row = explain(switched(b"", frame(TEXT, b"x" * 300))).rows[-1]
    assert row.hex == [" ".join(["78"] * 8)] * 8 + ["… 236 more"]
    assert row.text == "x" * 64 + "…"


def test_the_table_is_bounded_and_says_what_is_left_out():
    """`most` rows, then the number of bytes that are not shown."""
    whole = echo(b"Hello")
    size = len(whole.stream(ASK)) + len(whole.stream(REPLY))
    for most in (1, 8, 9, 15):
        explanation = explain(whole, most=most)
        assert len(explanation.rows) == most
        shown = sum(row.size for row in explanation.rows)
        assert f"… {size - shown} more bytes are not shown" in str(explanation)
    assert "not shown" not in str(explain(whole))


def test_one_hop_can_be_chosen():
    """Without a choice every hop is there, each heading with its letter."""
    trace = chain("client", "proxy", "server")
    assert headings(trace)[0].startswith("hop a: client → proxy: head of the request")
    assert all("hop a" not in heading for heading in headings(trace, hop=1))
    with pytest.raises(WrongUse, match="no hop 2"):
        explain(trace, hop=2)
    with pytest.raises(WrongUse, match="1 or more"):
        explain(trace, most=0)


def test_faults_and_missing_bytes_are_told_in_words():
    """A fault of a frame at its heading, a fault of a piece at its row, a cut in a line of its own."""
    text = str(explain(cut(switched(frame(TEXT, b"x")), 1234)))
    assert "✗ a client must mask every frame (RFC 6455, 5.1)" in text
    assert "The recording limit was reached: 1,234 bytes to the server are not shown" in text
    spaced = Trace(tuple(talk(REQUEST.replace(b"Host:", b"Host :"), b"")))
    assert "✗ white space before the colon; a server must answer 400 (RFC 9112, 5.1)" in str(explain(spaced))


def test_secrets_are_starred_out_unless_kept():
    """The bytes of a secret are shown as stars, at the same offsets."""
    trace = Trace(tuple(talk(REQUEST.replace(b"User-Agent: labkit", b"Cookie: id=secret"), b"")))
    starred, kept = explain(trace), explain(trace, keep_secrets=True)
    assert [row.offset for row in starred.rows] == [row.offset for row in kept.rows]
    assert "Cookie: id=******" in starred.rows[6].text
    assert "Cookie: id=secret" in kept.rows[6].text


def test_the_text_is_a_table():
    """Columns of offset, hex, text, label and meaning with the clause; bits below their byte."""
    lines = str(explain(switched(asked(TEXT, b"Hello")))).splitlines()
    assert lines[0].split() == ["offset", "hex", "text", "what", "it", "is", "meaning", "(clause)"]
    at = next(place for place, line in enumerate(lines) if line.startswith("   181"))
    assert lines[at].split("  ")[-1].strip() == "text (RFC 6455, 5.2)"
    assert lines[at + 1].split() == ["1...", "....", "FIN", "the", "message", "ends", "here"]


def test_a_trace_explains_itself():
    """`trace.bytes()` is this table; Jupyter gets HTML with the text beside it."""
    explanation = echo(b"Hello").bytes(leaves=True)
    assert explanation == explain(echo(b"Hello"), leaves=True)
    assert explanation._repr_mimebundle_() == {"text/plain": str(explanation), "text/html": explanation.html()}
    assert repr(explanation) == "<Explanation: 73 rows in 8 sections>"


def test_bit_patterns_keep_their_place_in_the_byte():
    """What comes before and after a field is dots."""
    assert [pattern for pattern, _ in bit_patterns((Bits("a", "1"), Bits("b", "0110")))] == ["1... ....", ".011 0..."]


def test_nothing_hostile_reaches_the_terminal():
    """A party's name and a protocol's are text from outside: no escape of theirs is printed, only written out."""
    upgrade = b"Upgrade: \x1b[31mX\r\nConnection: Upgrade\r\n\r\n"
    ask, reply = b"GET / HTTP/1.1\r\nHost: h\r\n" + upgrade, b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade + b"ab"
    trace = Trace((Transfer(0, ASK, ask), Transfer(0, REPLY, reply)), (Hop("\x1b[31mX", "\u202eserver"),))
    for leaves in (False, True):
        text = str(explain(trace, leaves=leaves))
        assert all(char.isprintable() or char == "\n" for char in text)
        assert "bytes of \\x1b[31mX" in text

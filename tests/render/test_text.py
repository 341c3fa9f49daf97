from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.render.diagram import diagram
from labkit.render.measure import columns
from labkit.trace import Hop, Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import ASK, PLAIN, REPLY, REQUIRED, asked, chain, declined, echo, relayed, switched, talk

WHOLE = """\
Switched to websocket (101)

 client                                                                  server
    │                                                                       │
 1  ├── GET /chat HTTP/1.1 ────────────────────────────────────────────────►│
    │    Host: server.example.com                                           │
 2  │    Upgrade: websocket                                                 │
    │    Connection: Upgrade                                                │
    │    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==                        │
    │    Sec-WebSocket-Version: 13                                          │
    │    + 1 more field line                                                │
    │                                                                       │
 3  │◄────────────────────────────────── HTTP/1.1 101 Switching Protocols ──┤
    │                 Upgrade: websocket                                    │
    │                 Connection: Upgrade                                   │
    │                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=    │
    │                                                                       │
  ══╪════════ from here on: websocket — the bytes are no longer HTTP ═══════╪══
    │                                                                       │
 4  ├── text "Hello" ──────────────────────────────────────────────────────►│
 5  │◄────────────────────────────────────────────────────── text "Hello" ──┤
 4  ├── close 1000 (normal closure) ───────────────────────────────────────►│
 5  │◄─────────────────────────────────────── close 1000 (normal closure) ──┤
    │                                                                       │
  ──┴───────────── server closed first (FIN), then client (FIN) ────────────┴──"""


def lines(trace: Trace, width: int = 80) -> list[str]:
    return diagram(trace).text(width).split("\n")


def test_the_first_exchange_as_it_is_drawn():
    """The whole picture of a switch, an echo and a closing handshake, in 80 columns."""
    assert str(diagram(echo(b"Hello"))) == WHOLE


@pytest.mark.parametrize(
    "names", [("client", "server"), ("client", "proxy", "server"), ("browser", "edge", "inner", "server")]
)
@pytest.mark.parametrize("width", [80, 100, 132])
def test_two_three_and_four_parties_fit_in_80_columns(names, width):
    """Every party is named in full, its lifeline stands below its name, no line is wider or ends in a space."""
    drawn = lines(chain(*names), width)
    assert max(map(columns, drawn)) <= width
    assert not any(line.endswith(" ") for line in drawn)
    assert drawn[2].split() == list(names)
    places = [place for place, mark in enumerate(drawn[3]) if mark == "│"]
    middles = [drawn[2].index(name) + len(name) // 2 for name in names]
    assert places == middles
    rows = [line for line in drawn[3:] if line[places[-1] :][:1] in tuple("│├┤")]  # the bands' words go across
    marks = {line[place] for line in rows for place in places}
    assert len(rows) >= 20
    assert marks <= set("│├┤║╫")


TUNNEL = """\
   ══╪═══════ from here on: websocket — the bytes are no longer HTTP ═══════╪══
     │                                  ║                                   │
 4   ├── text "one" ────────────────────╫──────────────────────────────────►│
 4a  ├── text "two" ───────────────────►║                                   │
 5   │◄─────────────────────────────────╫───────────────────── text "uno" ──┤
 5b  │                                  ║◄──────────────────── text "due" ──┤
 5a  │◄─────────────────── text "DUE" ──╢                                   │
     │                                  ║                                   │
   ──┼───────── hop a: proxy closed first (FIN), then client (FIN) ─────────┼──
"""


def test_a_tunnel_is_a_pipe_that_arrows_pass():
    """Double lines from the seam to the last message, crossed by what was relayed, and only by that."""
    near = asked(TEXT, b"one") + asked(TEXT, b"two"), frame(TEXT, b"uno") + frame(TEXT, b"DUE")
    drawn = lines(
        relayed("client proxy server", near, (asked(TEXT, b"one"), frame(TEXT, b"uno") + frame(TEXT, b"due")))
    )
    assert TUNNEL in "\n".join(drawn)
    assert not any(set("║╫╢") & set(line) for line in drawn[-4:])


def test_more_parties_than_fit_make_it_wider():
    """Twelve parties do not overlap: the drawing grows beyond the width."""
    names = [f"party number {number}" for number in range(12)]
    drawn = lines(chain(*names))
    assert all(name in drawn[2] for name in names)
    assert max(map(columns, drawn)) > 80


def test_a_long_headline_stands_above_its_arrow():
    """Where a start-line does not fit on the arrow, it is wrapped above it and nothing of it is lost."""
    drawn = lines(chain("browser", "edge", "inner", "server"))
    place = next(place for place, line in enumerate(drawn) if line.startswith(" 3c"))
    assert [line.split("│")[3].strip() for line in drawn[place : place + 2]] == ["HTTP/1.1 101", "Switching Protocols"]
    assert "◄─" in drawn[place + 2]


def test_an_arrow_that_passes_a_party_crosses_its_lifeline():
    """A hop between parties that are not neighbours goes through."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"), Hop("client", "server"))
    trace = Trace(tuple(talk(PLAIN, REQUIRED, 2)), hops)
    shaft = next(line for line in lines(trace) if "GET /chat" in line)
    assert shaft.count("┼") == 1


def test_the_parties_are_named_again_below_a_long_diagram():
    """So that a reader at the end sees who is who."""
    assert lines(echo(b"Hello"))[-1] != lines(echo(b"Hello"))[2]
    long = lines(chain("client", "proxy", "server"))
    assert len(long) > 40
    assert long[-1] == long[2]


def test_the_end_of_the_lifelines_is_the_end():
    """The last band closes the lifelines."""
    assert lines(declined(REQUIRED))[-1].count("┴") == 2


def test_the_note_stands_below():
    """Where a trace comes from is said at the bottom."""
    assert lines(Trace(note="recorded by the server"))[-1] == "recorded by the server"


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.text(max_size=90).map(str.encode) | st.binary(max_size=90), max_size=6), st.sampled_from([80, 120]))
def test_no_content_can_break_the_frame(contents, width):
    """Wide, hidden, heaped and turning characters keep every line within the width."""
    trace = switched(
        b"".join(asked(TEXT, each) for each in contents), b"".join(frame(TEXT, each) for each in contents[::-1])
    )
    for line in lines(trace, width):
        assert columns(line) <= width
        assert line == line.rstrip(" ")
        assert not any(ord(char) < 32 or "\u202a" <= char <= "\u202e" for char in line)


@settings(deadline=None)  # a busy machine is no fault
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_garbage_is_drawn_too(asks, replies):
    """Whatever crossed, there is a picture within the width."""
    trace = Trace((Transfer(0, ASK, asks), Transfer(0, REPLY, replies)))
    assert all(columns(line) <= 80 for line in lines(trace))

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.formats.jsonl import load
from labkit.render.diagram import diagram
from labkit.render.explain import explain
from labkit.trace import Cut, Direction, End, Gap, Hop, How, Trace, Transfer, behind

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


@st.composite
def streams(draw):
    """Bytes, an end and perhaps a gap for both directions of two hops."""
    found = {}
    for hop in range(2):
        for way in Direction:
            data = draw(st.binary(max_size=12))
            gap = draw(st.none() | st.integers(0, len(data)))
            found[hop, way] = (data, gap, draw(st.none() | st.sampled_from(How)))
    return found


@st.composite
def recordings(draw, found):
    """One way in which the reads may have fallen: pieces of every direction, in any order between directions."""
    queues = []
    for (hop, way), (data, gap, how) in found.items():
        cuts = sorted({0, len(data), *([gap] if gap is not None else []), *draw(st.sets(st.integers(0, len(data))))})
        queue = []
        for start, stop in zip(cuts, [*cuts[1:], None], strict=True):
            if start == gap:
                queue.append(Gap(hop, way, 3))
            if stop is not None:
                queue.append(Transfer(hop, way, data[start:stop], draw(st.floats(0, 9))))
        queues.append(queue + ([End(hop, way, how)] if how else []))
    events = []
    while queues := [queue for queue in queues if queue]:
        events.append(draw(st.sampled_from(queues)).pop(0))
    return Trace(tuple(events), (Hop("client", "proxy"), Hop("proxy", "server")))


@given(data=st.data())
def test_how_reads_fell_does_not_count(data):
    """Two recordings of the same bytes, ends and gaps are equal, and so are their hashes."""
    found = data.draw(streams())
    one, other = data.draw(recordings(found)), data.draw(recordings(found))
    assert one == other
    assert hash(one) == hash(other)
    assert all(one.stream(way, hop) == found[hop, way][0] for hop, way in found)
    assert all(one.end(way, hop) == found[hop, way][2] for hop, way in found)


BASE = (Transfer(0, UP, b"ab", 0.5), Gap(0, UP, 2), Transfer(0, UP, b"c"), Transfer(0, DOWN, b"d"), End(0, UP, How.FIN))


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((*BASE[:3], Transfer(0, DOWN, b"e"), BASE[4]), id="another byte"),
        pytest.param((*BASE[:3], Transfer(0, UP, b"d"), BASE[4]), id="another direction"),
        pytest.param((*BASE[:4], End(0, UP, How.RESET)), id="another end"),
        pytest.param(BASE[:4], id="no end"),
        pytest.param((*BASE, End(0, DOWN, How.FIN)), id="one more end"),
        pytest.param((BASE[0], *BASE[2:]), id="no gap"),
        pytest.param((BASE[0], replace(BASE[1], length=None), *BASE[2:]), id="a gap of unknown length"),
        pytest.param((BASE[0], BASE[2], BASE[1], *BASE[3:]), id="a gap at another place"),
        pytest.param((BASE[0], Cut(0, UP, 2), *BASE[2:]), id="a cut in place of a gap"),
    ],
)
def test_what_crossed_counts(events):
    """A trace that differs in its bytes, in an end or in what is missing is another trace."""
    assert Trace(events) != Trace(BASE)


def test_parties_count_and_words_do_not():
    """The names of the parties are compared, title and note are not."""
    assert Trace(BASE) == Trace(BASE, title="a title", note="a note")
    assert Trace(BASE).titled("a title").title == "a title"
    assert Trace(BASE) != Trace(BASE, (Hop("client", "proxy"),))
    assert Trace(BASE) != BASE


def test_cut_told_in_pieces_is_one_cut():
    """What the limit swallowed in two reads is the same as in one."""
    pieces = (Transfer(0, UP, b"a"), Cut(0, UP, 2), Cut(0, UP, 3))
    assert Trace(pieces) == Trace((Transfer(0, UP, b"a"), Cut(0, UP, 5)))
    assert Trace(pieces) != Trace((Transfer(0, UP, b"a"), Cut(0, UP, 6)))


def test_event_on_a_hop_that_is_not_there():
    """An event that names a hop the trace does not have is wrong use, told by its number."""
    with pytest.raises(WrongUse, match="event 1 is on hop 2"):
        Trace((Transfer(0, UP, b""), Transfer(2, UP, b"")))


def test_first_end_stands():
    """A direction ends once: what is said after that does not change how."""
    trace = Trace((End(0, UP, How.FIN), End(0, UP, How.RESET)))
    assert trace.end(UP) is How.FIN
    assert trace.end(DOWN) is None


def test_direction_and_hop_name_the_parties():
    """What goes to the server comes from the client, and the other way round."""
    hop = Hop("client", "proxy")
    assert (hop.sender(UP), hop.receiver(UP)) == ("client", "proxy")
    assert (hop.sender(DOWN), hop.receiver(DOWN)) == ("proxy", "client")
    assert [way.other for way in Direction] == [DOWN, UP]


def test_repr_is_short():
    """A trace in a list shows who and how many bytes, not the bytes."""
    assert repr(Trace(BASE)) == "<Trace client–server: 3 bytes to the server, 1 to the client>"


def test_rooms_above_draw_explain_and_save(tmp_path):
    """The four methods that reach up give what their rooms give, and a saved trace loads as an equal one."""
    trace = Trace((Transfer(0, UP, b"GET / HTTP/1.1\r\nHost: server.example.com\r\n\r\n"), End(0, UP, How.FIN)))
    assert str(trace) == diagram(trace).text()
    assert trace._repr_mimebundle_() == diagram(trace).bundle()
    assert str(trace.bytes()) == str(explain(trace))
    assert load(trace.save(tmp_path / "trace.jsonl")) == trace


def test_a_hop_is_behind_another_where_its_client_is_that_ones_server():
    """The names of the parties say how hops hang together."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"), Hop("other", "third"))
    assert behind(Trace(hops=hops)) == {1: 0}


def test_a_hostile_name_is_written_out():
    """What `repr` says of a trace goes to a terminal, whatever its parties are called."""
    assert repr(Trace(hops=(Hop("\x1b[31mX", "\u202eé"),))).startswith("<Trace \\x1b[31mX–\\u202eé: 0 bytes")

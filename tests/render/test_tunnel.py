from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.render.diagram import diagram
from labkit.render.layout import Arrow, Band, Layout, columns_of
from labkit.render.marks import Mark
from labkit.render.order import ordered
from labkit.render.tunnel import Tunnels
from labkit.trace import Cut, End, Hop, How, Trace
from labkit.wire.websocket import CLOSE, CONTINUATION, PING, TEXT, close_payload, frame
from tests.render.exchanges import ANSWER, ASK, BAD_KEY, REPLY, REQUEST, asked, chain, closed, relayed, talk

HELLO, BYE = asked(TEXT, b"Hello"), asked(CLOSE, close_payload(1000))
REPLIED = frame(TEXT, b"Hello")
FEED = {"request": REQUEST.replace(b"websocket", b"feed"), "answer": ANSWER.replace(b"websocket", b"feed")}
TWO = "client proxy server"


def layout(trace: Trace) -> Layout:
    return diagram(trace).layout


def said(trace: Trace) -> list[str]:
    """Return every arrow after the switch: its step and its headline."""
    arrows = [row for row in layout(trace).rows if isinstance(row, Arrow) and row.step.startswith(("4", "5"))]
    return [f"{arrow.step} {arrow.headline}" for arrow in arrows]


def test_what_is_relayed_unchanged_is_one_arrow():
    """It goes from end to end, passes the proxy's column, and its step has no letter."""
    found = [row for row in layout(relayed(TWO, *[(HELLO, REPLIED)] * 2)).rows if isinstance(row, Arrow)][4:]
    assert [(arrow.step, arrow.start, arrow.end, arrow.through) for arrow in found] == [
        ("4", 0, 2, (1,)), ("5", 2, 0, (1,)),
    ]  # fmt: skip
    assert [arrow.reach for arrow in found] == [1, 1]


def test_what_is_not_passed_on_stays_on_its_hop():
    """Lost, changed, cut short and added messages end or begin at the proxy."""
    two, half = asked(TEXT, b"two"), HELLO[:-2]
    assert said(relayed(TWO, (HELLO + two, b""), (HELLO, b""))) == ['4 text "Hello"', '4a text "two"']
    changed = relayed(TWO, (HELLO, b""), (asked(TEXT, b"HELLO"), b""))
    assert said(changed) == ['4a text "Hello"', '4b text "HELLO"']
    assert [step.split()[0] for step in said(relayed(TWO, (two + HELLO, b""), (two + half, b"")))] == ["4", "4a", "4b"]
    added = relayed(TWO, (HELLO + BYE, b""), (HELLO + asked(PING) + BYE, b""))
    assert said(added) == ['4 text "Hello"', "4b ping", "4 close 1000 (normal closure)"]


def test_another_mask_is_another_message():
    """The bytes of a frame tell its copy, not what it says."""
    assert said(relayed(TWO, (HELLO, b""), (frame(TEXT, b"Hello", mask=b"abcd"), b""))) == [
        '4a text "Hello"', '4b text "Hello"',
    ]  # fmt: skip


def test_fragments_are_joined_one_by_one():
    """Each fragment is a frame, and so is a control frame between them."""
    asks = asked(TEXT, b"He", fin=False) + asked(PING, b"p") + asked(CONTINUATION, b"y")
    assert said(relayed(TWO, (asks, b""), (asks, b""))) == [
        '4 text, first fragment "He"', '4 ping "p"', '4 continuation, last fragment "y"',
    ]  # fmt: skip


def test_bytes_of_another_protocol_are_joined_too():
    """Lines one by one, other bytes where they are the same whole."""
    lines = relayed(TWO, (b"on\noff\n", b"ok\n"), (b"on\noff\n", b"ok\n"), **FEED)
    assert said(lines) == ['4 "on\\n"', '4 "off\\n"', '5 "ok\\n"']
    binary = relayed(TWO, (b"\x00\x01", b"\x02\x03"), (b"\x00\x01", b"\x02"), **FEED)
    assert said(binary) == ["4 2 bytes: 00 01", "5b 1 byte: 02", "5a 2 bytes: 02 03"]


def test_of_three_hops_only_those_are_joined_that_relayed():
    """A step names the hops where they are not all: two by their letters, more from the first to the last."""
    some = relayed("client edge inner server", (HELLO + BYE, b""), (HELLO + BYE, REPLIED), (HELLO, REPLIED))
    assert said(some) == ['4 text "Hello"', '5bc text "Hello"', "4ab close 1000 (normal closure)"]
    long = relayed("client a b c server", *[(HELLO, b"")] * 3, (b"", b""))
    assert said(long) == ['4a-c text "Hello"']


def test_a_proxy_is_a_pipe_from_the_seam_to_the_last_message():
    """The seam stays a band, the ends come after the pipe, and where nothing went through there is no pipe."""
    drawing = layout(chain("client", "edge", "inner", "server"))
    assert [pipe.column for pipe in drawing.pipes] == [1, 2]
    for pipe in drawing.pipes:
        assert drawing.rows[pipe.first - 1] == Band(
            "from here on: websocket — the bytes are no longer HTTP", "seam", 0, 3
        )
        assert all(isinstance(row, Arrow) for row in drawing.rows[pipe.first : pipe.after])
        assert all(isinstance(row, Band) and row.kind == "end" for row in drawing.rows[pipe.after :])
    assert not layout(relayed(TWO, (HELLO, b""), (b"", b""))).pipes
    assert not layout(relayed(TWO, (b"", b""), (b"", b""))).pipes


def test_a_switch_on_one_hop_alone_makes_no_tunnel():
    """The proxy turned the answer down: what follows the switch behind it stays there."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace((*talk(REQUEST + HELLO, BAD_KEY), *talk(REQUEST + HELLO, ANSWER, 1)), hops)
    assert not layout(trace).pipes
    assert said(trace) == ['4b text "Hello"']


def test_two_tunnels_keep_their_letters():
    """Where one picture holds two connections, a step says which of them it is of."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server")) * 2
    events = [event for hop in range(4) for event in talk(REQUEST + HELLO, ANSWER, hop)]
    trace = Trace(tuple(events), hops)
    assert [step.split()[0] for step in said(trace)] == ["4ab", "4cd"]
    pipes = layout(trace).pipes
    assert [pipe.column for pipe in pipes] == [1, 1]
    assert pipes[0].after < pipes[1].first


def test_a_fault_of_a_joined_message_is_told_once():
    """By the finding where there is one, by the dissection where not; not again for the copy."""
    bare = frame(TEXT, b"bare")
    trace = relayed(TWO, (bare, b""), (bare, b""))
    arrow = next(row for row in layout(trace).rows if isinstance(row, Arrow) and row.step == "4")
    assert arrow.faults == (Mark("a client must mask every frame (RFC 6455, 5.1)"),)
    checked = next(row for row in trace.check().diagram().layout.rows if isinstance(row, Arrow) and row.step == "4")
    assert len(checked.faults) == 1
    assert checked.faults[0].text.startswith("X01 MUST client")


def test_a_fault_of_the_copy_alone_names_its_hop():
    """Compression that only the near hop agreed on is a fault on the far one, and the joined arrow says so."""
    field = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    agreed = REQUEST[:-2] + field, ANSWER[:-2] + field
    packed = asked(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=4)
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace((*talk(agreed[0] + packed, agreed[1]), *talk(REQUEST + packed, ANSWER, 1)), hops)
    arrow = next(row for row in layout(trace).rows if isinstance(row, Arrow) and row.step == "4")
    assert arrow.headline == 'text "Hello", compressed'
    assert arrow.faults[0].text.startswith("a reserved bit is set that no agreed extension gives a meaning")
    assert all(fault.text.endswith(", on hop b") for fault in arrow.faults)


def test_the_description_says_what_went_through():
    """All, or how many of how many; nothing where no proxy was a tunnel."""
    assert (
        "From the switch on, proxy is a tunnel: everything goes through it unchanged."
        in layout(relayed(TWO, *[(HELLO, REPLIED)] * 2)).description
    )
    both = relayed("client edge inner server", *[(HELLO + BYE, b"")] * 2, (HELLO, b""))
    assert (
        "edge and inner are tunnels: 1 of 2 messages go through them unchanged, the others not all the way."
        in layout(both).description
    )
    assert "tunnel" not in layout(relayed(TWO, (HELLO, b""), (b"", b""))).description


def test_equal_ends_are_told_together():
    """Both hops still open is one line that names both."""
    trace = relayed(TWO, *[(HELLO, REPLIED)] * 2)
    still = [End(hop, way, How.ABANDONED) for hop in (0, 1) for way in (ASK, REPLY)]
    bands = [row.text for row in layout(Trace((*trace.events[:-4], *still), trace.hops)).rows if isinstance(row, Band)]
    assert bands[-1] == "hops a and b: still open when the recording stopped"


def test_what_a_limit_cut_off_is_not_joined():
    """Where the recording of one hop stops early, the rest of the other stays there."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    near, far = talk(REQUEST + HELLO + BYE, ANSWER), talk(REQUEST + HELLO, ANSWER, 1)
    trace = Trace((*near, *far, Cut(1, ASK, len(BYE)), *closed(0), *closed(1)), hops)
    assert said(trace) == ['4 text "Hello"', "4a close 1000 (normal closure)"]


@st.composite
def lossy(draw) -> Trace:
    """Return a talk over three hops of which any message may be missing on any hop."""
    sides = []
    for _ in range(3):
        kept = [[each for each in b"abcabc" if draw(st.booleans())] for _ in range(2)]
        asks, replies = ([bytes([each]) for each in side] for side in kept)
        sides.append((b"".join(asked(TEXT, each) for each in asks), b"".join(frame(TEXT, each) for each in replies)))
    return relayed("client edge inner server", *sides)


@settings(deadline=None)  # a busy machine is no fault
@given(lossy())
def test_nothing_is_lost_and_every_hop_keeps_its_order(trace):
    """Whatever was relayed, each hop's messages stand in the picture in the order of their bytes."""
    dissection = dissect(trace)
    parties, places = columns_of([(hop.client, hop.server) for hop in trace.hops])
    found = Tunnels(dissection, places, parties).join(ordered(dissection))
    for hop, view in enumerate(dissection.hops):
        for way in (ASK, REPLY):
            crossed = [each for message in found for each in message.everywhere]
            here = [each for each in crossed if (each.hop, each.direction) == (hop, way)]
            assert b"".join(view.data[way][each.start : each.end] for each in here) == view.data[way]


def test_twenty_thousand_messages_over_two_hops_are_drawn_soon():
    """The time is bounded loosely here: it grows a little more than with the number of messages."""
    texts = tuple(b"%d" % number for number in range(10_000))
    trace = chain("client", "proxy", "server", texts=texts)
    began = time.process_time()
    assert len(diagram(trace).svg()) < 100_000
    assert time.process_time() - began < 10

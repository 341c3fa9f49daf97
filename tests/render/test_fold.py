from __future__ import annotations

import re
import time

import pytest

from labkit.dissection import dissect
from labkit.render.diagram import diagram
from labkit.render.fold import MOST, Folded, fold
from labkit.render.layout import Arrow, Fold
from labkit.render.order import ordered
from labkit.wire.websocket import BINARY, PING, PONG, TEXT, frame
from tests.render.exchanges import asked, chain, echo, relayed, switched


def folded(asks: bytes, replies: bytes = b"") -> list[int]:
    """Return, after the switch, 1 for each message that is drawn and how many are folded elsewhere."""
    entries = fold(ordered(dissect(switched(asks, replies))))[2:]
    return [len(entry.messages) if isinstance(entry, Folded) else 1 for entry in entries]


def folds(trace) -> list[str]:
    return [row.text for row in diagram(trace).layout.rows if isinstance(row, Fold)]


def test_eight_like_messages_are_drawn_and_nine_are_folded():
    """Of a longer stretch the first three and the last two stay."""
    assert folded(asked(TEXT, b"x") * 8) == [1] * 8
    assert folded(asked(TEXT, b"x") * 9) == [1, 1, 1, 4, 1, 1]


def test_a_pair_of_message_and_echo_is_not_parted():
    """A stretch of echoes is cut between pairs."""
    texts = [b"%d" % number for number in range(20)]
    rows = diagram(echo(*texts)).layout.rows
    place = next(place for place, row in enumerate(rows) if isinstance(row, Fold))
    assert [row.headline for row in rows[place - 2 : place]] == ['text "1"'] * 2
    assert [row.headline for row in rows[place + 1 : place + 3]] == ['text "19"'] * 2
    assert folds(echo(*texts)) == ["17 more text frames →, 17 ←, 188 bytes"]


def test_another_opcode_ends_a_stretch():
    """Six texts and six binaries are two short stretches."""
    assert folded(asked(TEXT, b"x") * 6 + asked(BINARY, b"x") * 6) == [1] * 12


def test_a_faulty_frame_is_never_folded_among_good_ones():
    """What is wrong stays to be seen."""
    asks = asked(TEXT, b"x") * 12 + frame(TEXT, b"unmasked") + asked(TEXT, b"x") * 12
    assert folded(asks) == [1, 1, 1, 7, 1, 1, 1, 1, 1, 1, 7, 1, 1]


def test_on_several_hops_every_hop_is_counted():
    """A fold over two hops that are no tunnel says how many went which way on which."""
    texts = [b"%d" % number for number in range(10)]
    near, far = (b"".join(frame(TEXT, text, mask=mask) for text in texts) for mask in (b"abcd", b"efgh"))
    assert folds(relayed("client proxy server", (near, b""), (far, b""))) == [
        "7 more text frames → on hop a, 7 → on hop b, 98 bytes"
    ]


def test_what_goes_through_a_tunnel_is_counted_once():
    """A fold over a tunnel counts messages, not copies, and names the proxy."""
    texts = tuple(b"%d" % number for number in range(10))
    assert folds(chain("client", "proxy", "server", texts=texts)) == [
        "7 more text frames → and 7 ← through proxy, 70 bytes"
    ]


def test_a_loss_in_a_tunnel_is_not_folded():
    """The one message that was not passed on is drawn, between two stretches that were."""
    texts = [asked(TEXT, b"%d" % number) for number in range(30)]
    trace = relayed("client proxy server", (b"".join(texts), b""), (b"".join(texts[:15] + texts[16:]), b""))
    assert folds(trace) == [
        "10 more text frames → through proxy, 73 bytes",
        "9 more text frames → through proxy, 72 bytes",
    ]
    lost = [row for row in diagram(trace).layout.rows if isinstance(row, Arrow) and row.step == "4a"]
    assert [row.headline for row in lost] == ['text "15"']


def test_the_middle_of_a_diagram_without_end_is_folded():
    """Whatever the messages are, the rows are bounded, and faults among the folded are counted."""
    found = folds(switched((asked(PING, b"p") + frame(TEXT, b"bad")) * 500))
    assert len(found) == 1
    assert found[0].endswith("✗ 410 with a fault")
    rows = diagram(switched((asked(PING, b"p") + asked(TEXT, b"t")) * 500)).layout.rows
    assert len([row for row in rows if isinstance(row, Arrow)]) <= MOST


def counted(texts: list[str]) -> int:
    numbers = [match[1] for text in texts for match in re.finditer(r"([0-9,]+)(?: more [a-z ]+)? [→←]", text)]
    return sum(int(number.replace(",", "")) for number in numbers)


N = 100_000
MANY = {
    "one way": (asked(TEXT, b"Hello") * N, b""),
    "echo": (
        b"".join(asked(TEXT, b"%d" % number) for number in range(N // 2)),
        b"".join(frame(TEXT, b"%d" % number) for number in range(N // 2)),
    ),
    "alternating": ((asked(PING, b"p") + asked(TEXT, b"t")) * (N // 2), b""),
    "answered": (
        (asked(PING, b"p") + asked(TEXT, b"t")) * (N // 4),
        (frame(PONG, b"p") + frame(TEXT, b"t")) * (N // 4),
    ),
}


@pytest.mark.parametrize("kind", MANY)
def test_a_hundred_thousand_messages_are_drawn_small_and_soon(kind):
    """The picture stays below 300 kB; the time is bounded loosely here and measured in the bench."""
    trace = switched(*MANY[kind])
    began = time.process_time()
    drawing = diagram(trace)
    picture = drawing.svg()
    assert time.process_time() - began < 10
    assert len(picture) < 300_000
    arrows = [row for row in drawing.layout.rows if isinstance(row, Arrow)]
    shown = sum(1 for arrow in arrows if arrow.step in ("4", "5"))
    assert shown + counted(folds(trace)) == N

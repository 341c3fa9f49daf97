from __future__ import annotations

import pytest

from labkit.dissection import dissect
from labkit.trace import Cut, Direction, End, Gap, Hop, How, Trace, Transfer

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
OFFER = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
REFUSED = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n"


def trace(to_server: bytes, to_client: bytes = b"") -> Trace:
    return Trace((Transfer(0, UP, to_server), Transfer(0, DOWN, to_client)))


@pytest.mark.parametrize(
    ("to_server", "to_client", "outcome", "status"),
    [
        (b"", b"", "no answer", None),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 \r\n\r\n", "plain", 204),
        (OFFER * 2, REFUSED + SWITCH, "switched", 101),  # asked again, with credentials
        (OFFER + b"GET / HTTP/1.1\r\n\r\n", REFUSED * 2, "refused", 401),  # what was no offer does not count
        (b"GET / HTTP/1.1\r\n\r\n", SWITCH, "switched", 101),  # unasked
    ],
)
def test_outcome_of_the_offer_that_counts(to_server, to_client, outcome, status):
    """The last offer decides, or an unasked 101; where there is neither, the last exchange."""
    found = dissect(trace(to_server, to_client))
    assert (found.outcome, found.status) == (outcome, status)


def test_every_hop_is_taken_apart():
    """Each hop has its own view, with its bytes, its ends and what is missing."""
    events = (
        Transfer(1, UP, OFFER[:9]),
        Transfer(0, UP, OFFER),
        Transfer(1, UP, OFFER[9:]),
        Cut(1, UP, 2),
        Cut(1, UP, 3),
        End(1, UP, How.RESET),
        End(1, UP, How.FIN),
        Gap(0, DOWN, None),
        Gap(0, DOWN, 7),
    )
    first, second = dissect(Trace(events, (Hop("client", "proxy"), Hop("proxy", "server")))).hops
    assert (first.hop, second.hop) == (0, 1)
    assert first.data[UP] == second.data[UP] == OFFER
    assert (first.ends, second.ends) == ({}, {UP: How.RESET})
    assert (first.missing, second.missing) == ({DOWN: None}, {UP: 5})


def test_hole_in_a_direction():
    """Bytes after a gap are kept apart; a gap at the end makes no such part."""
    events = (Transfer(0, UP, OFFER), Gap(0, UP, 3), Transfer(0, UP, b"abc"), Gap(0, UP, None))
    assert [part.name for part in dissect(Trace(events)).hops[0].parts[UP]] == [
        "GET / HTTP/1.1",
        "bytes after a hole, 3 bytes",
    ]
    assert len(dissect(Trace((Transfer(0, UP, OFFER), Gap(0, UP, 3)))).hops[0].parts[UP]) == 1

"""The cache that takes bytes for HTTP, and what masking keeps from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.caching import cached
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream
from labkit.scenario import Say, Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace, Transfer
from labkit.wire.websocket import SAMPLE_MASK, TEXT, apply_mask, frame

LURE = b"GET /ad.js HTTP/1.1\r\nHost: ads.example\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nevil()"
POISONED = {"http://ads.example/ad.js": "evil()"}


def kept(say: Say) -> dict[str, str]:
    return cached(simulate(Scenario(say=say)))


def test_a_page_is_kept():
    """What is asked for and answered in plain HTTP is kept under its URL, and a later answer takes its place."""
    page = Offer.plain("/a")
    assert cached(simulate(Scenario(page))) == {"http://server.example.com/a": "A plain page: no upgrade was made.\n"}


def test_a_mask_of_zeros_poisons_it():
    """A message under the key 00 00 00 00 stands on the wire as it is, and is taken for a request (RFC 6455, 10.3)."""

    async def bare(stream: Stream) -> None:
        for message in (LURE, ANSWER):
            await stream.send_bytes(frame(TEXT, message, mask=bytes(4)))
            await stream.receive()

    assert kept(bare) == POISONED


def test_a_key_that_is_known_poisons_it():
    """Whoever knows the masking key writes the message so that the mask makes a request of it (RFC 6455, 10.3)."""
    assert kept([apply_mask(LURE, SAMPLE_MASK), ANSWER]) == POISONED


@pytest.mark.parametrize("say", [[LURE, ANSWER], ["Hi", apply_mask(LURE, SAMPLE_MASK), ANSWER]])
def test_a_key_that_is_not_known_hides_it(say: list[str | bytes]):
    """Under another key than was reckoned with, nothing on the wire looks like a request (RFC 6455, 5.3)."""
    assert kept(say) == {}


@given(st.lists(st.sampled_from([LURE, ANSWER, b"HTTP/1.1 ", b"GET /", b"\r\n", b"Content-Length: ", b"9", b"\xff"])))
def test_any_bytes_can_be_looked_at(pieces: list[bytes]):
    """Whatever crosses, it keeps texts under URLs, and raises nothing."""
    data = b"".join(pieces)
    seen = cached(Trace(tuple(Transfer(0, way, data) for way in Direction)))
    assert all(url.startswith("http://") for url in seen)


def test_only_a_trace_is_looked_at():
    """Anything else is told what it should have been."""
    with pytest.raises(WrongUse, match="what is looked at is a Trace"):
        cached(LURE)  # type: ignore[arg-type]

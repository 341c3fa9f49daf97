"""The legs of an exchange are found among all that was recorded, and brought together."""

from __future__ import annotations

import time

import pytest

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.net.client import ask
from labkit.net.legs import together
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.parties.offer import Offer
from labkit.trace import Direction
from tests.net.peer import Peer

PARTIES = ("client", "tap", "server")


def test_two_hops_are_one_trace():
    """A tap and a server have each recorded one hop of an exchange."""
    with UpgradeServer() as server, Tap(server.url) as tap:
        seen = ask(tap.url)
        trace = together([tap, server], PARTIES, "a note")
    assert [(hop.client, hop.server) for hop in trace.hops] == [("client", "tap"), ("tap", "server")]
    assert (
        trace.stream(Direction.TO_CLIENT, 0) == trace.stream(Direction.TO_CLIENT, 1) == seen.stream(Direction.TO_CLIENT)
    )
    assert trace.note == "a note"
    assert [trace.end(way, 1) for way in Direction] == ["fin", "fin"]


def test_only_the_newest_exchange_is_shown():
    """What was recorded before it is left out; of connections with nothing on them none is taken for it."""
    with UpgradeServer() as server, Tap(server.url) as tap:
        ask(tap.url, Offer.plain())
        ask(server.url)
        ask(tap.url)
        trace = together([tap, server], PARTIES)
        assert len(trace.hops) == 2
        assert dissect(trace).status == 101
        assert trace.note == "2 connections were made; the last one is shown"


def test_what_stays_open_is_not_waited_for():
    """A connection that is kept for later holds nothing up, and is told to be open."""
    with UpgradeServer() as server, Tap(server.url) as tap, Peer(tap) as peer:
        peer.send(Offer.plain().to_bytes())
        peer.read(12)
        began = time.monotonic()
        trace = together([tap, server], PARTIES)
        assert time.monotonic() - began < 1
        assert trace.end(Direction.TO_CLIENT, 1) == "abandoned"


def test_nothing_is_told_of_nothing():
    """Where nobody has connected there is no trace."""
    with (
        UpgradeServer() as server,
        Tap(server.url) as tap,
        pytest.raises(WrongUse, match="nothing has connected to this tap"),
    ):
        together([tap, server], PARTIES)

"""HTTP/2 from the first byte on, over real sockets: the lab's two ends, and curl."""

from __future__ import annotations

import asyncio
import re

import pytest

from labkit.errors import WrongUse
from labkit.net.client import ask, exchange
from labkit.net.copying import copy_as
from labkit.net.curl import curl
from labkit.net.programs import find
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.parties.chat import Chat
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

KNOWING = Server(http2=True)


def test_what_was_predicted_is_what_crosses():
    """With one party speaking at a time, the simulated trace is the real one, byte for byte."""
    lab = Scenario(Offer.connect("/chat"), ["Hello", b"\0\1"], server=KNOWING)
    assert run(lab) == simulate(lab)


def test_handlers_on_one_connection_may_await_asyncio():
    """Each stream has a task of its own: one may wait for what another does."""
    met = []

    async def meet(stream):
        told = asyncio.Event()
        met.append(told)
        if len(met) == 3:
            for each in met:
                each.set()
        await told.wait()
        await stream.send("all here")

    async def listen(stream):
        seen.append(await stream.receive(5))

    seen = []
    offer = Offer.connect("/1", beside=(Offer.connect("/2"), Offer.connect("/3")))
    with UpgradeServer(KNOWING, protocols={"websocket": meet}) as server:
        outcome = exchange(server.url, offer, listen)
    assert seen == ["all here"] * 3
    assert outcome.status == 200
    assert outcome.problem == ""


def test_a_server_that_stops_says_goodbye_on_every_stream():
    """Its handlers are ended, each lane gets Close 1001, and the connection GOAWAY."""

    async def listen(stream):
        if stream.path == "/2":
            server.stop()
        await stream.receive(5)

    with UpgradeServer(KNOWING) as server:
        trace = ask(server.url, Offer.connect("/1", beside=(Offer.connect("/2"),)), listen)
    assert trace.stream(Direction.TO_CLIENT).count(b"\x03\xe9the server is stopping") == 2


def test_a_chat_over_one_connection():
    """Two guests of one room on two streams of a connection: each is told what the other says (RFC 8441)."""
    told: dict[str, list[str]] = {}

    async def guest(stream):
        name = stream.path[-3:]
        heard = told.setdefault(name, [])
        while not any("came in" in line and name not in line for line in heard) and len(heard) < 3:
            heard.append(await stream.receive(5))
            if heard[-1] == "* Bob came in":
                await stream.send("hello")
        while heard[-1] != "Ada: hello" and len(heard) < 9:
            heard.append(await stream.receive(5))

    room = Offer.connect("/tea?name=Ada", beside=(Offer.connect("/tea?name=Bob"),))
    with UpgradeServer(KNOWING, protocols={"websocket": Chat()}) as server:
        outcome = exchange(server.url, room, guest)
    assert outcome.problem == ""
    assert "Ada: hello" in told["Ada"]
    assert "Ada: hello" in told["Bob"]


def test_curl_asks_for_a_page():
    """Curl with prior knowledge gets the page of the same port, in HTTP/2."""
    if not find("curl"):
        pytest.skip("no curl is here")
    with UpgradeServer(KNOWING) as server:
        ran = curl(server.url, Offer.plain("/path"), options=["--http2-prior-knowledge"])
    assert re.match(r"HTTP/2 200 ?\r?\n", ran.screen)
    assert "A plain page" in ran.screen


def test_both_handshakes_at_one_port():
    """The same handler serves an Upgrade and an extended CONNECT, at one port."""
    with UpgradeServer(KNOWING, protocols={"websocket": echo}) as server:
        old, new = ask(server.url, Offer.websocket()), ask(server.url, Offer.connect())
    assert old.stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 101 ")
    assert b"\x81\x05Hello" in old.stream(Direction.TO_CLIENT)
    assert b"\x81\x05Hello" in new.stream(Direction.TO_CLIENT)


def test_no_other_client_says_an_extended_connect():
    """What the printed forms cannot say is refused before anything is run."""
    with pytest.raises(WrongUse, match="HTTP/2"):
        copy_as(Offer.connect(), "curl")
    with pytest.raises(WrongUse, match="HTTP/2"):
        Scenario(Offer.connect(), client="curl", server=KNOWING)

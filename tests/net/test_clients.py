"""Every client of a scenario asks for real: the printed form of the offer, run by the program that it is for."""

from __future__ import annotations

import os

import pytest

from labkit import scenario
from labkit.dissection import dissect
from labkit.errors import Absent, WrongUse
from labkit.net import clients, programs
from labkit.net.programs import find
from labkit.net.run import run
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

PROGRAMS = {"curl": "curl", "php": "php", "browser": "chromium"}
SPEAKING = ("websockets", "socket", "browser")
OTHERS = [name for name in scenario.CLIENTS if name != "lab"]


@pytest.fixture
def here(request: pytest.FixtureRequest) -> str:
    name = request.param
    if name in PROGRAMS and not find(PROGRAMS[name]) and "CI" not in os.environ:
        pytest.skip(f"{PROGRAMS[name]} is not on this machine")
    return name


def test_every_word_has_its_program():
    """What a scenario may name is what can be run."""
    assert tuple(clients.CLIENTS) == scenario.CLIENTS


@pytest.mark.parametrize("here", OTHERS, indirect=True)
def test_each_gets_its_101(here: str):
    """The handshake that each program sends is right, and the program is named in the trace."""
    trace = run(Scenario(Offer.websocket("/chat"), client=here))
    assert dissect(trace).outcome == "switched"
    assert trace.stream(Direction.TO_SERVER).startswith(b"GET /chat HTTP/1.1\r\n")
    assert b"Host: server.example.com\r\n" in trace.stream(Direction.TO_SERVER)
    assert trace.hops[0].client not in ("client", "")
    assert f"{trace.hops[0].client}: " in trace.note
    assert not trace.check().serious


@pytest.mark.parametrize("here", SPEAKING, indirect=True)
def test_those_that_speak_say_their_messages(here: str):
    """A client of WebSocket says each message, gets its echo, and closes."""
    trace = run(Scenario(say=["Hello", "again"], client=here))
    frames = dissect(trace).hops[0].frames(Direction.TO_CLIENT)
    assert [frame.opcode for frame in frames.frames] == [1, 1, 8]


@pytest.mark.parametrize("here", OTHERS, indirect=True)
def test_each_is_declined(here: str):
    """A refusal ends every program in time, and crosses the wire alike."""
    trace = run(Scenario(client=here, server=Server(decline=403)))
    assert dissect(trace).status == 403


@pytest.mark.parametrize("name", OTHERS)
def test_none_of_them_can_be_simulated(name: str):
    """In memory only the lab's own client asks."""
    with pytest.raises(WrongUse, match="is a real program: run"):
        simulate(Scenario(client=name))


def test_an_unknown_client_is_told():
    """The words that there are are named."""
    with pytest.raises(WrongUse, match="client is one of lab, curl, php, websockets, socket, browser; not 'wget'"):
        Scenario(client="wget")


@pytest.mark.parametrize("name", ["curl", "php", "browser"])
def test_nothing_takes_the_place_of_what_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path, name: str):
    """An absent program is one sentence that says what to install; nothing else changes."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", ())
    with pytest.raises(Absent, match="is not on this machine; install it: sudo apt install"):
        run(Scenario(client=name))
    assert dissect(run(Scenario())).status == 101


def test_what_a_program_cannot_say_is_told():
    """WebSocket's own client cannot leave out the key; the text names a form that can."""
    with pytest.raises(WrongUse, match="socket"):
        run(Scenario(Offer.websocket().without("Sec-WebSocket-Key"), client="websockets"))

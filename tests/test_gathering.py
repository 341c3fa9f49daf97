from __future__ import annotations

import subprocess
import sys
from itertools import count, repeat

import pytest

from labkit.errors import WrongUse
from labkit.gathering import MOST_CLIENTS, MOST_STEPS, Gathering
from labkit.parties.chat import Chat
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.simulation import simulate
from labkit.trace import Direction, Hop, How

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT
HELLO = ("ana", "says", "hello")


def tea(script=(HELLO, ("ben", "says", "hi"), ("ana", "leaves")), clients=("ana", "ben", "cy"), **told) -> Gathering:
    return Gathering(list(clients), script, Server(protocols={"websocket": Chat(**told)}))


def digest() -> str:
    return repr(simulate(tea()).events)


def test_each_client_has_a_hop_of_its_own():
    """The hops stand in the order of the clients, whoever joins first, and each client has its own name."""
    trace = simulate(tea([("ben", "says", "early"), ("ana", "joins"), HELLO]))
    assert trace.hops == (Hop("ana", "server"), Hop("ben", "server"), Hop("cy", "server"))
    assert b"early" not in trace.stream(REPLY, 0)
    assert all(b"ana: hello" in trace.stream(REPLY, hop) for hop in range(3))


def test_a_gathering_is_simulated_alike_everywhere():
    """Bytes, order and times are the same in another process, with another hash seed."""
    script = "from tests.test_gathering import digest; print(digest())"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert other.stdout.strip() == digest()


def test_a_step_is_settled_before_the_next():
    """What a step brought about is recorded before the next step's message."""
    events = simulate(tea()).events
    places = [next(at for at, each in enumerate(events) if data in getattr(each, "data", b"")) for data in
              (b"ana: hello", b"ben: hi", b"ana left")]  # fmt: skip
    assert places == sorted(places)


def test_who_does_not_read_holds_nobody_up():
    """The others are told all; who reads on is told what was held for it."""
    deaf = [("cy", "stops reading"), HELLO, ("ben", "says", "hi")]
    trace = simulate(tea(deaf))
    assert b"ben: hi" in trace.stream(REPLY, 0)
    assert b"hello" not in trace.stream(REPLY, 2)
    assert b"ben: hi" in simulate(tea([*deaf, ("cy", "reads on")])).stream(REPLY, 2)


def test_who_falls_too_far_behind_is_let_go():
    """A chat that holds one message tells who did not read that it is out, with a Close 1008 (RFC 6455, 7.4.1)."""
    script = [("cy", "stops reading"), HELLO, HELLO, HELLO, ("cy", "reads on"), ("cy", "says", "what?")]
    trace = simulate(tea(script, held=1))
    assert b"\x03\xf0" in trace.stream(REPLY, 2)
    assert "not done: cy says 'what?' (the conversation is over)" in trace.note


def test_leaving_is_a_close_and_hanging_up_is_none():
    """Both end the connection; who stays is still there when the recording stops."""
    trace = simulate(tea([("ana", "leaves"), ("ben", "hangs up")]))
    assert trace.stream(ASK, 0)[-8] == 0x88
    assert b"\x88" not in trace.stream(ASK, 1)[-8:]
    assert [trace.end(ASK, hop) for hop in range(3)] == [How.FIN, How.FIN, How.ABANDONED]


def test_seconds_pass_while_somebody_waits():
    """On a logical clock they take no time."""
    trace = simulate(tea([("ana", "waits", 25), HELLO]))
    assert trace.events[-1].time > 25
    assert trace.stream(REPLY, 1).count(b"\x89\x00") == 1  # the chat's heartbeat


def test_who_was_declined_says_nothing():
    """The trace tells what could not be done, and why; the others go on."""
    clients = {"ana": Offer.websocket("/?name=ana"), "ben": Offer.websocket().without("Connection")}
    trace = simulate(Gathering(clients, [("ben", "says", "hi"), HELLO], Server()))
    assert "not done: ben says 'hi' (the switch did not happen)" in trace.note
    assert trace.stream(REPLY, 0).endswith(b"hello")


def test_a_handler_that_never_stops_talking_is_not_waited_for():
    """A step counts as settled after a while, though bytes still cross."""

    async def ticks(stream):
        while True:
            await stream.send("tick")
            await stream.sleep(0.01)

    trace = simulate(Gathering(["ana", "ben"], [], Server(protocols={"websocket": ticks})))
    assert 100 < trace.stream(REPLY, 1).count(b"tick") < 300


@pytest.mark.parametrize(
    ("clients", "step", "told"),
    [
        (["ana"], ("eve", "leaves"), "step 1: nobody is called 'eve'; there are ana"),
        (["ana"], ("ana", "sings"), "step 1: no deed is called 'sings'; there are joins, says"),
        (["ana"], ("ana", "says"), 'step 1: "says" has a message'),
        (["ana"], ("ana", "leaves", "now"), "no other has a third part"),
        (["ana"], ("ana", "says", 5), "step 1: what ana says is text or bytes, not int"),
        (["ana"], ("ana", "waits", -1), "step 1: ana waits above 0"),
        (["ana"], "ana leaves", "step 1 is "),
        (["ana"], ("ana",), "step 1 is "),
        (["server"], ("server", "leaves"), "is the server's"),
        (["ana", "ana"], ("ana", "leaves"), "comes twice"),
        ([""], ("", "leaves"), "a text that can be printed"),
        ([], ("ana", "leaves"), "0 clients gather"),
        (map(str, count()), ("0", "leaves"), "more than 12 clients gather"),
        (["ana"], ("ana", "says", "\ud800"), "step 1: what ana says is text in UTF-8"),
        ("ana", ("ana", "leaves"), "a list of names"),
        ({"ana": "/"}, ("ana", "leaves"), "ana offers an Offer"),
    ],
)
def test_what_cannot_be_is_named(clients, step, told):
    """A wrong name, deed or part is a WrongUse that says at which step."""
    with pytest.raises(WrongUse, match=told):
        Gathering(clients, [step])


def test_an_endless_script_is_told():
    """What has no end is not gone through to its end."""
    with pytest.raises(WrongUse, match="more than 500 steps"):
        Gathering(["ana"], repeat(HELLO))


def test_nobody_acts_before_joining_or_joins_twice():
    """Both steps are named."""
    with pytest.raises(WrongUse, match="step 1: ana says before it joins"):
        Gathering(["ana"], [HELLO, ("ana", "joins")])
    with pytest.raises(WrongUse, match="step 2: ana has joined already"):
        Gathering(["ana"], [("ana", "joins"), ("ana", "joins")])


def test_a_gathering_is_bounded():
    """Clients and steps have a most."""
    with pytest.raises(WrongUse, match=f"takes 1 to {MOST_CLIENTS}"):
        Gathering([f"c{number}" for number in range(MOST_CLIENTS + 1)])
    with pytest.raises(WrongUse, match=f"{MOST_STEPS} are the most"):
        Gathering(["ana"], [HELLO] * (MOST_STEPS + 1))

from __future__ import annotations

from itertools import pairwise

import pytest

from labkit.cases.catalogue import failures
from labkit.cases.reproduced import reproduced
from labkit.dissection import dissect
from labkit.errors import LabError
from labkit.render.messages import Kind
from labkit.render.order import ordered
from labkit.render.standing import standings
from labkit.simulation import simulate
from labkit.trace import End, Hop, How, Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import (
    ANSWER,
    ASK,
    PLAIN,
    REPLY,
    REQUEST,
    REQUIRED,
    asked,
    chain,
    closed,
    declined,
    echo,
    talk,
)

# In which order an exchange goes through the states of a party; a state may be left out, and none comes again.
ORDER = {
    "client": ["has not asked", "asking", "awaiting", "was declined", "answered", "got no", "switched", "asked to close",
               "closing", "closing handshake done"],
    "proxy": ["waiting for", "reading", "has the request", "passing", "awaiting", "has the server's", "passed",
              "answered it alone", "a tunnel"],
    "server": ["waiting for", "reading", "has the request", "declined", "answered", "sent no", "switched",
               "asked to close", "closing", "closing handshake done"],
}  # fmt: skip


def states(trace: Trace, *, ended: bool = False):
    dissection = dissect(trace)
    return list(standings(dissection, ordered(dissection), ended=ended))


def words(trace: Trace, column: int, *, ended: bool = False):
    return [each[column].state for each in states(trace, ended=ended)]


def rank(role: str, state: str) -> int:
    return max(place for place, start in enumerate(ORDER[role]) if state.startswith(start))


def test_a_switch_from_the_first_byte_to_the_last():
    """Client and server go from the request over the switch and the closing handshake to the end."""
    assert words(echo(b"Hi"), 0, ended=True) == [
        "awaiting the answer", *["switched to websocket"] * 3, "closing", "closing handshake done", "closed its side",
    ]  # fmt: skip
    assert words(echo(b"Hi"), 1)[0] == "has the request"
    assert words(echo(b"Hi"), 1)[-2:] == ["asked to close", "closing handshake done"]


def test_a_proxy_passes_on_and_then_is_a_tunnel():
    """A proxy's state says on which side of it the exchange is."""
    found = words(chain("client", "proxy", "server"), 1)
    assert found[:4] == [
        "has the request", "awaiting the server's answer", "has the server's answer", "a tunnel for websocket",
    ]  # fmt: skip
    assert set(found[4:]) == {"a tunnel for websocket"}


def test_a_proxy_that_answers_alone():
    """Where nothing was passed on, the proxy says so."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace(tuple(talk(REQUEST, REQUIRED)), hops)
    assert words(trace, 1) == ["has the request", "answered it alone (426)", "answered it alone (426)"]
    assert words(trace, 2)[-1] == "waiting for a request"


def test_declined_answered_and_no_http():
    """Without a switch the state is the answer's."""
    assert words(declined(REQUIRED), 0)[-1] == "was declined (426)"
    assert words(declined(b"HTTP/1.1 204 No Content\r\n\r\n", PLAIN), 1)[-1] == "answered (204)"
    assert words(declined(b"\x00garbage"), 0)[-1] == "got no answer in HTTP"
    assert words(declined(b"\x00garbage"), 1)[-1] == "sent no answer in HTTP"
    assert words(Trace((Transfer(0, ASK, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),)), 0) == ["speaking, and not HTTP/1.1"]


def test_a_request_with_content_is_asked_when_all_of_it_is_there():
    """Between head and content the client is still asking."""
    ask = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
    assert words(Trace(tuple(talk(ask, ANSWER))), 0)[:2] == ["asking", "awaiting the answer"]
    assert words(Trace(tuple(talk(ask, ANSWER))), 1)[:2] == ["reading the request", "has the request"]


def test_ends_are_each_partys_own():
    """Who closed, who broke off and who stayed open is told at the end."""
    ends = (End(0, ASK, How.RESET), End(0, REPLY, How.FIN))
    assert words(Trace((*talk(REQUEST, ANSWER), *ends)), 0, ended=True)[-1] == "broke off"
    assert words(Trace((*talk(REQUEST, ANSWER), *ends)), 1, ended=True)[-1] == "closed its side"
    assert words(Trace((*talk(REQUEST, ANSWER), *closed()[:1])), 0, ended=True)[-1] == "still open"


def test_frames_that_came_with_the_101_are_unread_behind_its_blank_line():
    """One read may hold the end of HTTP and the first bytes of what follows."""
    hello = frame(TEXT, b"greetings")
    found = states(Trace((Transfer(0, ASK, REQUEST), Transfer(0, REPLY, ANSWER + hello), *closed())))
    assert [each[0].unread for each in (found[0], found[-1])] == [(), ()]
    (unread,) = found[1][0].unread
    assert (unread.start, unread.end) == (len(ANSWER), len(ANSWER + hello))
    assert unread.why == "behind the blank line of the 101: these are websocket already"


def test_early_frames_are_unread_behind_the_request():
    """What a client sends before the answer lies with the server until the switch."""
    early = asked(TEXT, b"early")
    found = states(Trace((Transfer(0, ASK, REQUEST + early), Transfer(0, REPLY, ANSWER), *closed())))
    assert [each.why for each in found[0][1].unread] == ["behind the request, whose answer is not there yet"]
    assert (found[0][1].unread[0].start, found[0][1].unread[0].end) == (len(REQUEST), len(REQUEST + early))
    assert not found[-1][1].unread


def simulated():
    for failure in failures():
        try:
            made = reproduced(failure.name)
            yield from (
                (f"{failure.name} {how}", simulate(make()))
                for how, make in (("broken", made.broken), ("fixed", made.fixed))
            )
        except LabError:
            continue  # a case that only real programs show


CASES = dict(simulated())


@pytest.mark.parametrize("name", CASES)
def test_in_every_case_states_only_go_forward_and_nothing_stays_unread(name):
    """Whatever a case is about, no party falls back within an exchange, and the last step has taken up every byte."""
    dissection = dissect(CASES[name])
    steps = ordered(dissection)
    found = list(standings(dissection, steps))
    assert all(not party.unread for party in found[-1])
    if sum(message.kind is Kind.REQUEST for message in steps) > len(dissection.hops):
        return  # a second request on a connection begins anew
    roles = ["client", *["proxy"] * (len(dissection.hops) - 1), "server"]
    for column, role in enumerate(roles):
        if any("not HTTP" in each[column].state for each in found):
            continue
        ranks = [rank(role, each[column].state) for each in found]
        assert all(one <= other for one, other in pairwise(ranks)), [each[column].state for each in found]

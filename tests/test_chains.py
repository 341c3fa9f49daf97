"""Simulations with proxies in between: `tests/test_simulation.py` has those without."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.errors import Failed
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.parties.server import ServerParty
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import play, simulate
from labkit.trace import Cut, Direction, End, Hop, How, Transfer
from labkit.wire.websocket import frame
from tests.dissection.test_partition import check, pieces
from tests.net.scenarios import ALL, listen, sent
from tests.parties.driving import HOST, asked, closing, head, opening, statuses
from tests.proxies.gate import SWITCHED
from tests.proxies.plain import PlainProxy

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT
PLAIN = PlainProxy("")
VIA = b"Via: 1.1 plain\r\n"


def through(*proxies, **settings) -> Scenario:
    return Scenario(via=proxies or (PLAIN,), **settings)


def digest() -> str:
    """Sum up the bytes of every scenario, through two proxies."""
    whole = hashlib.sha256()
    for name in sorted(ALL):
        scenario = ALL[name]
        trace = simulate(
            through(PLAIN, PlainProxy("half pool"), offer=scenario.offer, say=scenario.say, server=scenario.server)
        )
        for event in trace.events:
            whole.update(repr((event.hop, event.direction, getattr(event, "data", b""))).encode())
    return whole.hexdigest()


def test_a_chain_is_the_same_each_time():
    """The same scenarios give the same events in the same order, in this process and in another one."""
    script = "from tests.test_chains import digest; print(digest())"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=100)
    assert other.stdout.strip() == digest()


def test_each_leg_is_a_hop():
    """The parties stand in a row, the client's bytes go through all of them, and who was simulated is said."""
    trace = simulate(through(PLAIN, PLAIN))
    assert trace.hops == (Hop("client", "plain"), Hop("plain", "plain 2"), Hop("plain 2", "server"))
    assert trace.note == "plain 1, simulated"
    assert [trace.stream(ASK, hop).count(VIA) for hop in range(3)] == [0, 1, 2]
    for hop in range(3):
        assert trace.stream(REPLY, hop) == trace.stream(REPLY, 0)
        assert {trace.end(way, hop) for way in Direction} == {How.FIN}


def test_events_stand_in_the_order_in_which_they_happened():
    """What crosses the far leg stands between what caused it and what it causes; no time passes."""
    trace = simulate(through())
    order = [(event.hop, event.direction) for event in trace.events if isinstance(event, Transfer)]
    assert order == [(0, ASK), (1, ASK), (1, REPLY), (0, REPLY)] * 3
    assert {event.time for event in trace.events} == {0.0}
    assert not any(isinstance(event, End) for event in trace.events[:10])


def test_time_is_the_same_for_all():
    """All parties have one clock: what the server sends later comes through later, and a silent tunnel ends in time."""

    async def later(stream):
        await stream.sleep(3)
        await stream.send("late")
        await stream.receive()

    trace = simulate(through(say=listen, server=Server(protocols={"websocket": later})))
    times = {round(event.time, 3) for event in trace.events if b"late" in getattr(event, "data", b"")}
    assert times == {3.0}
    assert max(event.time for event in trace.events) == pytest.approx(10.0)  # 7 s after the last byte
    assert trace.note.endswith("the tunnel was silent for too long")


def test_nothing_listens():
    """A server that is told not to listen is refused by the proxy before it, and by nobody where there is none."""
    trace = simulate(through(server=Server(listens=False)))
    assert statuses(trace.stream(REPLY)) == [502]
    assert trace.hops == (Hop("client", "plain"),)
    trace = simulate(through(PLAIN, PLAIN, server=Server(listens=False)))
    assert [statuses(trace.stream(REPLY, hop)) for hop in (0, 1)] == [[502], [502]]
    assert trace.note.endswith("answered 502")
    with pytest.raises(Failed, match="nothing listens"):
        simulate(Scenario(server=Server(listens=False)))


def test_a_server_that_answers_late_is_given_up():
    """The proxy's own time limit runs on the logical clock; the server sees its connection closed."""
    trace = simulate(through(PlainProxy("answer=2"), server=Server(faults=("late=4",))))
    assert statuses(trace.stream(REPLY)) == [504]
    assert trace.end(ASK, 1) is How.FIN


def test_each_request_may_have_its_own_leg():
    """Requests on one connection are dialled for one by one; a pool serves them all on one leg."""
    asked_for = head(HOST) + head(HOST) + head(HOST, "Connection: close")
    one_by_one = simulate(Scenario(Offer.of_bytes(asked_for), listen, via=(PlainProxy("patient"),)))
    assert len(one_by_one.hops) == 4
    assert statuses(one_by_one.stream(REPLY)) == [200, 200, 200]
    pooled = simulate(Scenario(Offer.of_bytes(asked_for), listen, via=(PlainProxy("patient pool"),)))
    assert len(pooled.hops) == 2
    assert pooled.stream(REPLY) == one_by_one.stream(REPLY)


def test_many_legs_are_no_burden():
    """Five hundred requests, each with a leg of its own, are played to the end."""
    trace = simulate(Scenario(Offer.of_bytes(head(HOST) * 500), listen, via=(PlainProxy("patient"),)))
    assert len(trace.hops) == 501
    assert statuses(trace.stream(REPLY)) == [200] * 500


def test_the_parties_of_the_proxies_can_be_asked():
    """`play` returns the parties beside the trace, hop by hop; those of the proxies have their rounds."""
    trace, (*parties, server) = play(through(PLAIN, PLAIN))
    assert isinstance(server, ServerParty)
    assert trace == simulate(through(PLAIN, PLAIN))
    assert [len(party.rounds) for party in parties] == [1, 1]
    assert [len(party.rounds[0].request.head.fields) for party in parties] == [5, 6]


def test_what_is_kept_has_a_limit_on_each_leg():
    """Every leg keeps so many bytes, and says what it lost."""
    trace = simulate(through(say=("x" * 1000,), server=Server(limits=Limits(recorded=500))))
    for hop in (0, 1):
        assert sum(len(trace.stream(way, hop)) for way in Direction) == 500
        assert [event for event in trace.events if isinstance(event, Cut) and event.hop == hop]


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_flood_through_a_proxy_stands_still(side):
    """Where one end does not read, the other one is held up through all proxies, and little waits in them."""

    async def flood(stream):
        while True:
            await stream.send("x" * 10_000)

    async def deaf(stream):
        await stream.sleep(3000)

    say, serve = (flood, deaf) if side == "client" else (deaf, flood)
    limits = Limits(recorded=1000, idle_time=50)
    trace = simulate(through(PLAIN, PLAIN, say=say, server=Server(protocols={"websocket": serve}, limits=limits)))
    way = ASK if side == "client" else REPLY
    sent = [
        sum(event.length for event in trace.events if isinstance(event, Cut) and event.hop == hop) for hop in range(3)
    ]
    assert min(sent) > 1 << 20
    assert max(sent) < 20 << 20  # a client takes messages of 16 MiB
    assert max(sent) - min(sent) < 1 << 20  # what waits in the proxies
    assert How.ABANDONED not in {trace.end(way, hop) for hop in range(3)}


def test_early_bytes_pass_the_seam():
    """Frames in the segment of the head, and behind the 101, reach the other side."""

    async def first(stream):
        await stream.send("first")
        await echo(stream)

    early = opening() + asked(1, b"early") + closing()
    trace = simulate(
        Scenario(Offer.of_bytes(early), listen, via=(PLAIN,), server=Server(protocols={"websocket": first}))
    )
    assert frame(1, b"first") in trace.stream(REPLY)
    assert frame(1, b"early") in trace.stream(REPLY)


def test_a_client_that_breaks_off_ends_all_legs():
    """A client that gives up is gone for all proxies, whatever they wait for."""

    async def never(stream):
        await stream.sleep(3000)

    server = Server(protocols={"x": never}, limits=Limits(idle_time=3500))
    patient = PlainProxy("half patient tunnel=3000")
    trace = simulate(through(patient, patient, offer=Offer.custom("x"), say=("hi",), server=server))
    assert max(event.time for event in trace.events) < 20
    assert {type(trace.end(way, hop)) for way in Direction for hop in range(3)} == {How}
    assert "stopped" not in trace.note


class Garbling(ServerParty):
    """A server that answers the first bytes with other ones."""

    garbage = b""

    def receive(self, data):
        if self.garbage:
            self._writes.append(self.garbage)
            type(self).garbage = b""


def lawful(trace) -> None:
    """Hold a trace of several hops to the partition law."""
    dissection = dissect(trace)
    assert len(dissection.hops) == len(trace.hops)
    for view in dissection.hops:
        for way in Direction:
            data = trace.stream(way, view.hop)
            for span in view.spans(way):
                check(span, data)
            leaves = [leaf for span in view.spans(way) for leaf in span.leaves()]
            assert b"".join(data[leaf.start : leaf.end] for leaf in leaves) == data
    for way in Direction:
        for hop in range(len(trace.hops)):
            assert trace.end(way, hop) in set(How)


wild = st.lists(st.one_of(pieces, st.sampled_from([opening(), head(HOST), SWITCHED])), max_size=5).map(b"".join)
proxies = st.sampled_from([(PLAIN,), (PlainProxy("half pool chunk"),), (PLAIN, PlainProxy("patient"))])


@settings(deadline=None)
@given(data=wild, via=proxies)
def test_garbage_of_a_client_never_raises(data, via):
    """Whatever a client sends through proxies, the simulation ends, and its trace keeps the partition law."""
    scenario = sent(data or b"x", limits=Limits(idle_time=5))
    lawful(simulate(Scenario(scenario.offer, scenario.say, via=via, server=scenario.server)))


@settings(deadline=None)
@given(data=wild, via=proxies, offer=st.sampled_from([Offer.plain(), Offer.websocket()]))
def test_garbage_of_a_server_never_raises(data, via, offer):
    """Whatever a server sends through proxies, the simulation ends, and its trace keeps the partition law."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labkit.simulation.ServerParty", Garbling)
        patch.setattr(Garbling, "garbage", data)
        lawful(simulate(Scenario(offer, via=via, server=Server(limits=Limits(idle_time=5)))))

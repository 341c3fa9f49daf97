import re
import time
from itertools import repeat

import pytest

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.conversation import MOST_WAITING
from labkit.parties.described import Limits, Server
from labkit.parties.faults import FAULTS, check_fault
from labkit.parties.offer import Offer
from labkit.parties.party import Ending
from labkit.parties.stream import echo
from labkit.rules import check
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, End, How
from tests.parties.driving import Served, content, fields, head, opening, status

RIGHT = Served().feed(opening())
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
EARLY = b"\x81\x05early"


def written(name: str) -> str:
    return f"{name}={FAULTS[name].example}" if FAULTS[name].example else name


def said(*faults: str, raw: bytes = opening(), **settings) -> bytes:
    return Served(faults=faults, **settings).feed(raw)


@pytest.mark.parametrize(
    ("fault", "was", "becomes"),
    [
        ("no-upgrade", b"Upgrade: websocket\r\n", b""),
        ("no-connection", b"Connection: Upgrade\r\n", b""),
        ("wrong-protocol", b"Upgrade: websocket", b"Upgrade: HTTP/2.0"),
        ("accept-wrong", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"hHLtf2V1k8aDQZfNjw3Ia1hCwt0="),
        ("accept-absent", ACCEPT, b""),
        ("accept-empty-key", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="),
        ("subprotocol", ACCEPT, ACCEPT + b"Sec-WebSocket-Protocol: not-offered\r\n"),
        ("extension", ACCEPT, ACCEPT + b"Sec-WebSocket-Extensions: x-not-offered\r\n"),
        ("content-length", ACCEPT, ACCEPT + b"Content-Length: 5\r\n"),
        ("transfer-encoding", ACCEPT, ACCEPT + b"Transfer-Encoding: chunked\r\n"),
        ("early-frame", b"\r\n\r\n", b"\r\n\r\n" + EARLY),
        ("reason=UPGRADED = yes", b"101 Switching Protocols", b"101 UPGRADED = yes"),
        ("no-reason", b"101 Switching Protocols", b"101 "),
        ("no-space", b"101 Switching Protocols", b"101"),
        ("interim=100", b"HTTP/1.1 101", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101"),
        ("interim=102", b"HTTP/1.1 101", b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 101"),
        ("bare-lf", b"\r\n", b"\n"),
        ("cut=20", RIGHT[20:], b""),
        ("cut=1", RIGHT[1:], b""),
        ("garbage", RIGHT, b"220 mail.example.com ESMTP\r\n"),
        ("close", RIGHT, b""),
        ("unasked", b"", b""),
        ("content-unread", b"", b""),
    ],
)
def test_what_each_fault_does(fault, was, becomes):
    """A fault changes what it says of the 101, and not a byte else."""
    assert said(fault) == (RIGHT.replace(was, becomes) if was else RIGHT)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_that_close_close(name):
    """What is cut, garbage or nothing ends the connection; after any other the server goes on as if switched."""
    server = Served(faults=(written(name),))
    server.feed(opening())
    server.wait(1.0)
    assert (server.party.ending is Ending.FIN) is (name in ("cut", "garbage", "close"))


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("raw", [head("Host: a"), head("Host: a", "Connection: Upgrade"), b"nonsense\r\n\r\n"])
def test_faults_leave_other_requests_alone(name, raw):
    """A request that offers nothing is answered as ever; but for the fault of switching unasked."""
    if name != "unasked":
        assert said(written(name), raw=raw) == Served().feed(raw)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_101_leave_declines_alone(name):
    """What is wrong with the head of a 101 bears on no other answer; the rest bears on any answer to an offer."""
    server, right = Served(faults=(written(name),)), Served().feed(head("Host: a", "Upgrade: foo"))
    answer = server.feed(head("Host: a", "Upgrade: foo"))
    assert (answer != right) is (FAULTS[name].touches == "any answer")
    assert (answer + server.wait(1.0) != right) is (FAULTS[name].touches == "any answer" and name != "late")


@pytest.mark.parametrize(
    "raw", [opening(start="DELETE / HTTP/1.1"), opening("Expect: x"), opening("Content-Length: 9") + b"\x00"]
)
def test_faults_touch_errors_too(raw):
    """An offer that is refused before it is complete gets its answer with the fault, too."""
    server = Served(faults=("reason=Oh no",))
    server.feed(raw)
    server.wait(40)
    assert b" Oh no\r\n" in server.said


def test_head_gets_no_content_of_a_faulty_answer():
    """The answer to HEAD stays without content, whatever is wrong with its head (RFC 9110, 9.3.2)."""
    answer = said("no-reason", raw=opening(start="HEAD / HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 405 \r\n")
    assert content(answer) == b""


def test_several_faults_are_made_in_the_order_of_the_table():
    """How they were written does not matter; two interim answers are made one after the other."""
    one = said("bare-lf", "interim=103", "no-upgrade", "interim=100")
    assert one == said("interim=100", "no-upgrade", "interim=103", "bare-lf")
    assert re.findall(rb"HTTP/1.1 (\d+)", one) == [b"100", b"103", b"101"]
    assert b"\r" not in one
    assert b"Upgrade: websocket" not in one
    assert said("early-frame", "close") == b""


def test_no_interim_answer_for_http_1_0():
    """HTTP/1.0 knows no interim answers, and is sent none (RFC 9110, 15.2)."""
    assert status(said("interim=103", raw=opening(start="GET / HTTP/1.0"))) == 200


def test_other_protocols_have_no_accept():
    """What concerns WebSocket alone has nothing to do elsewhere; early bytes are plain bytes."""
    raw, told = head("Host: a", "Upgrade: x", "Connection: Upgrade"), {"protocols": {"x": echo}}
    right = Served(**told).feed(raw)
    assert said("accept-wrong", "accept-absent", "accept-empty-key", raw=raw, **told) == right
    assert said("early-frame", raw=raw, **told) == right + b"early"


@pytest.mark.parametrize("upgrade", ["websocket", "h2c, websocket", "websocket, http/2.0, QUOTE/1"])
def test_the_wrong_protocol_was_not_offered(upgrade):
    """Whatever is offered, the fault names something else (RFC 9110, 7.8)."""
    raw = Offer.websocket().with_field("Upgrade", upgrade).to_bytes()
    assert fields(said("wrong-protocol", raw=raw))["Upgrade"] not in upgrade


def test_switching_unasked():
    """A plain GET is switched; the frames that follow are answered. With no key, the Accept is of the empty one."""
    answer = said("unasked", raw=head("Host: a"))
    assert status(answer) == 101
    assert fields(answer)["Sec-WebSocket-Accept"] == "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="
    assert said("unasked", "no-upgrade", raw=head("Host: a")) == answer.replace(b"Upgrade: websocket\r\n", b"")


def test_content_that_is_not_read():
    """A server that switches too early takes the content of the request for the first bytes of the new protocol."""
    raw = head("Host: a", "Upgrade: x", "Connection: Upgrade", "Content-Length: 4", start="POST / HTTP/1.1") + b"body"
    early, right = (said(*faults, raw=raw, protocols={"x": echo}) for faults in (("content-unread",), ()))
    assert early == right + b"body"
    plain = head("Host: a", "Content-Length: 4", start="POST / HTTP/1.1") + b"body"
    assert said("content-unread", raw=plain) == said(raw=plain)


def test_late():
    """An answer waits for its time; what came with the offer, or meanwhile, is dealt with after it."""
    server = Served(faults=("late=0.5",))
    assert server.feed(head("Host: a", "Upgrade: foo") + head("Host: a", "Upgrade: bar")) == b""
    assert not server.party.full
    assert server.wait(0.4) == b""
    assert status(server.wait(0.2)) == 200
    assert status(server.wait(0.5)) == 200


def test_late_reads_no_more_than_it_can_keep():
    """Who sends on without end while an answer waits is read from no more, until it has left."""
    server = Served(faults=("late=0.5",))
    server.feed(opening(), b"\x00" * MOST_WAITING)
    assert not server.party.full
    server.feed(b"\x00")
    assert server.party.full
    server.wait(1)
    assert not server.party.full


def test_late_has_its_end_in_the_idle_time():
    """A server that waits longer than it keeps an idle connection closes it without an answer."""
    server = Served(faults=("late=5",), idle_time=1.0)
    assert server.feed(opening()) == server.wait(1.5) == b""
    assert server.party.ending is Ending.FIN


def test_late_is_logical_time():
    """In memory nothing is waited for: the answer is as late as told by the clock of the simulation."""
    trace = simulate(Scenario(server=Server(faults=("late=4",))))
    first = next(event for event in trace.events if event.direction is Direction.TO_CLIENT)
    assert first.time == 4.0
    assert trace == simulate(Scenario())


def test_the_client_gives_up_on_an_answer_that_is_too_late():
    """A client bounds its wait, ends its direction at once, and gets no answer any more; no time is lost in memory."""
    for late in (6, 9, 20, 50, 999):
        began = time.perf_counter()
        trace = simulate(Scenario(server=Server(faults=(f"late={late}",))))
        assert time.perf_counter() - began < 0.5
        assert trace.note == "simulated; no answer came in 5 s"
        assert dissect(trace).outcome == "no answer"
        assert [(event.direction, event.how, event.time) for event in trace.events if isinstance(event, End)] == [
            (Direction.TO_SERVER, How.FIN, 5.0), (Direction.TO_CLIENT, How.FIN, 5.0),
        ]  # fmt: skip


def test_who_closes_while_an_answer_waits_gets_none():
    """A server that sees its client close before a late answer closes as well, and says nothing."""
    server = Served(faults=("late=3",))
    server.feed(opening())
    assert server.eof() == server.wait(5) == b""
    assert server.party.ending is not Ending.NOT_YET


@pytest.mark.parametrize("size", range(1, len(RIGHT) + 2))
def test_a_head_is_cut_at_any_byte(size):
    """However short the head is cut, the simulation ends in good order, and only the whole one can be a switch."""
    trace = simulate(Scenario(server=Server(faults=(f"cut={size}",))))
    assert trace.stream(Direction.TO_CLIENT) == RIGHT[:size]
    assert {trace.end(way) for way in Direction} == {"fin"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_says_what_it_breaks(fault):
    """A fault names the rules that it breaks; one that breaks none says what it is good for."""
    assert all(re.fullmatch(r"[GW]\d\d", rule) for rule in fault.rules)
    assert fault.rules or re.search(r"allowed|always|no HTTP at all", fault.does)
    assert fault.does[0].islower()
    assert bool(fault.example) is bool(fault.must)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("no-upgrades", "no fault is called 'no-upgrades'; there are unasked, no-upgrade, no-connection"),
        ("", "no fault is called ''"), (5, "a fault is a text"), ("close=", "takes no argument: write 'close'"),
        ("cut", "a whole number of bytes from 1 on: write 'cut=20'"), ("cut=0", "from 1 on"), ("cut=-1", "from 1 on"),
        ("cut=x", "from 1 on"), ("interim", "is 100, 102 or 103"), ("interim=101", "is 100, 102 or 103"),
        ("late=0", "above 0"), ("late=-1", "above 0"), ("late=inf", "above 0"), ("late=1e3", "above 0"),
        ("late=1000", "below 1000"), ("reason=", "a text without control"), ("reason=a\r\nb", "a text without control"),
    ],
)  # fmt: skip
def test_a_fault_that_is_none_is_told(text, named):
    """A name that is not there lists those that are; an argument that is not right says what it must be."""
    with pytest.raises(WrongUse, match=re.escape(named)):
        check_fault(text)


@pytest.mark.parametrize(
    "faults",
    [("close", "close"), ("cut=5", "cut=6"), ("interim=103", "late=1", "interim=103"), repeat("close"),
     repeat("interim=100"), ["no-upgrade"] * 10_000],
)  # fmt: skip
def test_a_fault_is_made_once(faults):
    """The same fault twice is refused, however many there are; another interim answer is another fault."""
    began = time.perf_counter()
    with pytest.raises(WrongUse, match="is asked for twice: leave out"):
        Server(faults=faults)
    assert time.perf_counter() - began < 0.5
    assert len(Server(faults=("interim=100", "interim=102", "interim=103")).faults) == 3


@pytest.mark.parametrize(
    "text", ["late=0.05", "late=2", "late=010", "late=999.9", "cut=100000", "reason=é", *map(written, FAULTS)]
)
def test_a_right_fault_passes(text):
    """What the table gives as an example is right, and so are these."""
    check_fault(text)
    assert Server(faults=(text,), limits=Limits()).faults == (text,)


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_agrees_with_the_table(name):
    """The check finds the server at fault by the very rules that the table names, for websocket or another protocol."""
    found: dict[str, set[str]] = {}
    for offer in [Offer.plain()] if name == "unasked" else [Offer.websocket(), Offer.custom("quote")]:
        server = Server(protocols={"websocket": echo, "quote": echo}, faults=(written(name),))
        findings = check(simulate(Scenario(offer, server=server)))
        broken = {finding.rule.id for finding in findings if finding.party == "server"}
        found["".join(offer.protocols)] = broken
        assert ("G43" in {note.rule.id for note in findings.notes}) is (name == "garbage")
    assert set().union(*found.values()) == set(FAULTS[name].rules)
    if len({rule[0] for rule in FAULTS[name].rules}) > 1:  # a rule of websocket's own stands for that of any protocol
        assert {rule[0] for rule in found["websocket"]} == {"W"}
        assert {rule[0] for rule in found["quote"]} == {"G"}

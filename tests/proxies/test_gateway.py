from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.parties.conversation import MOST_WAITING
from labkit.parties.party import Ending
from labkit.proxies.model import Forward, Own, Trouble
from tests.parties.driving import HOST, head, opening, status, statuses
from tests.proxies.gate import GET, INPUTS, STEPS, SWITCHED, Gate, answer, gate

OWN = head(HOST, start="GET /own HTTP/1.1")
EXPECTING = head(HOST, "Expect: 100-continue", "Content-Length: 5")

# state, input -> the answer's status, or the bytes, that the client gets; how the near leg, and the far one, stand
TABLE = {
    ("idle", "bytes"): ("", "open, none"),
    ("idle", "fin"): ("", "closed, none"),
    ("idle", "gone"): ("", "closed, none"),
    ("idle", "due"): ("", "closed, none"),
    ("idle", "shut"): ("", "closed, none"),
    ("kept", "bytes"): ("", "open, left"),
    ("kept", "fin"): ("", "closed, left"),
    ("kept", "gone"): ("", "closed, left"),
    ("kept", "due"): ("", "closed, left"),
    ("kept", "shut"): ("", "closed, left"),
    ("kept", "far bytes"): ("", "open, left"),
    ("kept", "far fin"): ("", "open, left"),
    ("head", "bytes"): ("", "open, none"),
    ("head", "fin"): ("400", "closed, none"),
    ("head", "gone"): ("", "closed, none"),
    ("head", "due"): ("408", "closed, none"),
    ("head", "shut"): ("", "closed, none"),
    ("content", "bytes"): ("", "open, none"),
    ("content", "fin"): ("400", "closed, none"),
    ("content", "gone"): ("", "closed, none"),
    ("content", "due"): ("408", "closed, none"),
    ("content", "shut"): ("", "closed, none"),
    ("dialling", "bytes"): ("", "open, open"),
    ("dialling", "fin"): ("", "closed, given up"),
    ("dialling", "gone"): ("", "closed, given up"),
    ("dialling", "due"): ("504", "open, given up"),
    ("dialling", "shut"): ("", "closed, given up"),
    ("dialling", "reached"): ("", "open, open"),
    ("dialling", "unreached"): ("502", "open, left"),
    ("waiting", "bytes"): ("", "open, open"),
    ("waiting", "fin"): ("", "closed, left"),
    ("waiting", "gone"): ("", "closed, left"),
    ("waiting", "due"): ("504", "open, left"),
    ("waiting", "shut"): ("", "closed, left"),
    ("waiting", "far bytes"): ("502", "open, left"),
    ("waiting", "far fin"): ("502", "open, left"),
    ("waiting", "far gone"): ("502", "open, left"),
    ("answer", "bytes"): ("", "open, open"),
    ("answer", "fin"): ("", "closed, left"),
    ("answer", "gone"): ("", "closed, left"),
    ("answer", "due"): ("", "closed, left"),
    ("answer", "shut"): ("", "closed, left"),
    ("answer", "far bytes"): ("HTT", "open, left"),  # what is beyond the length is dropped
    ("answer", "far fin"): ("", "closed, left"),
    ("answer", "far gone"): ("", "closed, left"),
    ("held", "bytes"): ("", "open, open"),
    ("held", "fin"): ("", "closed, left"),
    ("held", "gone"): ("", "closed, left"),
    ("held", "due"): ("", "closed, left"),
    ("held", "shut"): ("", "closed, left"),
    ("held", "far bytes"): ("", "open, open"),
    ("held", "far fin"): ("", "closed, left"),
    ("held", "far gone"): ("", "closed, left"),
    ("tunnel", "bytes"): ("", "open, open"),
    ("tunnel", "fin"): ("", "closed, left"),
    ("tunnel", "gone"): ("", "closed, left"),
    ("tunnel", "due"): ("", "closed, left"),
    ("tunnel", "shut"): ("", "closed, left"),
    ("tunnel", "far bytes"): ("HTTX", "open, open"),
    ("tunnel", "far fin"): ("", "closed, left"),
    ("tunnel", "far gone"): ("", "closed, left"),
    ("lingering", "bytes"): ("", "closed, none"),
    ("lingering", "fin"): ("", "closed, none"),
    ("lingering", "gone"): ("", "closed, none"),
    ("lingering", "due"): ("", "reset, none"),
    ("lingering", "shut"): ("", "closed, none"),
}  # fmt: skip


def give(made, name):
    """Do what can be done in any state: nothing where there is no upstream, or nothing is due."""
    far = name in ("reached", "unreached", "far bytes", "far fin", "far gone")
    if (far and not made.fars) or (name == "due" and made.party.deadline is None):
        return b""
    return (INPUTS[name](made) or b"") + made.party.outgoing()


@pytest.mark.parametrize(("state", "given_in"), TABLE, ids=lambda word: word.replace(" ", "-"))
def test_every_input_is_met_in_every_state(state, given_in):
    """Whatever comes, whenever it comes, the client gets what the table says and both legs stand as it says."""
    made = gate(state)
    said = INPUTS[given_in](made)
    said = (said or b"") + made.party.outgoing()
    shown = said[9:12] if said.startswith(b"HTTP/") else said
    assert (shown.decode(), made.where) == TABLE[state, given_in]


@pytest.mark.parametrize("state", STEPS)
def test_no_two_inputs_in_a_row_are_too_many(state):
    """Inputs that cannot come any more, or twice, harm nothing; a leg that has ended stays so, and says no more."""
    for both in product(INPUTS, repeat=2):
        made = gate(state)
        for name in both:
            ended = bool(made.party.ending)
            said = give(made, name)
            assert made.party.ending or not ended
            assert not (ended and said)


def test_one_request_is_passed_on_and_answered():
    """The request leaves when the upstream is there, its answer comes back, and the round is kept for the X-ray."""
    made = Gate()
    assert made.ask(GET[:10], GET[10:]) == b""
    assert made.passed() == b""
    made.reach()
    assert made.passed() == GET[:-2] + b"Via: 1.1 plain\r\n\r\n"
    assert made.say(answer()) == answer()
    [kept] = made.party.rounds
    assert kept.request.head.target == "/"
    assert kept.forward.changes[0].name == "Via"
    assert [relay.framing for _, relay in kept.relays] == ["length"]
    assert kept.own is None


@pytest.mark.parametrize("cut", range(1, len(answer(b"hello"))))
def test_an_answer_may_come_in_any_two_pieces(cut):
    """Where the reads fall does not matter, also between the head and its content."""
    made = gate("waiting")
    whole = answer(b"hello")
    assert made.say(whole[:cut]) + made.say(whole[cut:]) == whole
    assert made.where == "open, left"


def test_interim_answers_come_before_the_final_one():
    """A 103 is relayed, and the final answer after it, be they in one read or in two."""
    early = head(start="HTTP/1.1 103 Early Hints")
    assert statuses(gate("waiting").say(early + answer())) == [103, 200]
    assert statuses(gate("waiting").say(early, answer())) == [103, 200]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (GET.replace(b"GET", b"HEAD", 1), answer()[:-5]),
        (GET, answer(b"", status=204)),
        (GET, head("Content-Length: 5", start="HTTP/1.1 304 Not Modified")),
    ],
)
def test_an_answer_without_content_is_over_with_its_head(asked, said):
    """HEAD, 204 and 304 have no content, whatever the length says; the next request is read at once."""
    made = Gate("pool", near=True)
    made.ask(asked)
    assert made.say(said) == said
    made.ask(GET)
    assert made.say(answer()) == answer()
    assert len(made.fars) == 1


def test_content_goes_on_in_chunks():
    """Chunks are read and made anew; the last one says that the content is whole."""
    made = gate("waiting", "chunk pool")
    top = head("Transfer-Encoding: chunked", start="HTTP/1.1 200 OK")
    assert made.say(top) == top
    assert made.say(b"3\r\nhel\r\n2;x=y\r\nl") == b"4\r\nhell\r\n"
    assert made.say(b"o\r\n0\r\nTrailer: x\r\n\r\n") == b"1\r\no\r\n0\r\n\r\n"
    assert made.where == "open, open"


@pytest.mark.parametrize(("end", "last"), [("far fin", b"0\r\n\r\n"), ("far gone", b"")])
def test_content_until_the_close(end, last):
    """A FIN ends content without a length, and the last chunk says so; after a reset nothing says that it is whole."""
    made = gate("waiting", "chunk")
    top = head(start="HTTP/1.1 200 OK")
    assert made.say(top + b"hel", b"lo") == top + b"3\r\nhel\r\n2\r\nlo\r\n"
    INPUTS[end](made)
    assert made.party.outgoing() == last
    assert made.where == ("open, left" if last else "closed, left")


def test_content_that_is_cut_short_is_not_made_whole():
    """Where chunks stop in the middle the client's connection is closed, without a last chunk."""
    made = gate("waiting", "chunk")
    made.say(head("Transfer-Encoding: chunked", start="HTTP/1.1 200 OK") + b"5\r\nhe")
    made.far.receive_eof()
    assert made.party.outgoing() == b""
    assert made.where == "closed, left"


def test_content_that_is_none_ends_the_answer():
    """A chunk that is none ends the connection there and then."""
    made = gate("waiting", "chunk")
    assert made.say(head("Transfer-Encoding: chunked", start="HTTP/1.1 200 OK") + b"xyz\r\n").endswith(b"\r\n\r\n")
    assert made.where == "closed, left"


# the upstream's connection


def test_an_upstream_that_is_kept_serves_the_next_request():
    """A pooled connection carries on; its FIN in between makes the proxy dial anew."""
    made = Gate("pool", near=True)
    for _ in range(3):
        made.ask(GET)
        assert made.say(answer()) == answer()
    assert len(made.fars) == 1
    made.far.receive_eof()
    made.ask(GET)
    assert len(made.fars) == 2


@pytest.mark.parametrize("more", [[answer() + b"x"], [answer(), b"HTTP/1.1 200 OK\r\n"]])
def test_an_upstream_that_says_too_much_is_left(more):
    """Bytes that nobody asked for are not the next answer: such a connection is not used again."""
    made = Gate("pool", near=True)
    made.ask(GET)
    assert made.say(*more) == answer()
    assert made.where == "open, left"


def test_an_upstream_that_closes_behind_its_answer_is_not_kept():
    """A FIN in the same turn as the content leaves nothing to pool, and both directions are closed."""
    made = Gate("pool chunk", near=True)
    made.ask(GET)
    made.say(head(start="HTTP/1.1 200 OK") + b"all")
    made.far.receive_eof()
    assert made.where == "open, left"


def test_a_head_without_end_is_no_answer():
    """An upstream whose head does not end is given up: the client gets a 502, and little is kept."""
    made = gate("waiting")
    piece, said, sent = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000, b"", 0
    while not said and sent < 2 * MOST_WAITING:
        said, sent = made.say(piece if not sent else piece[17:]), sent + len(piece)
    assert status(said) == 502
    assert MOST_WAITING <= sent < MOST_WAITING + 2 * len(piece)


def test_an_upstream_that_does_not_close_is_broken_off():
    """After our FIN the upstream has the lingering time for its own; what it says until then is dropped."""
    made = gate("kept")
    assert made.far.ending is Ending.FIN
    made.far.receive(b"late")
    made.clock.now = made.far.deadline
    made.far.tick()
    assert made.far.ending is Ending.RESET
    assert made.party.outgoing() == b""


def test_a_client_that_leaves_while_dialling():
    """The dialling is given up; should the connection be there all the same, nothing is asked on it."""
    made = gate("dialling")
    made.party.receive_eof()
    assert made.given_up == made.fars
    made.reach()
    assert made.passed() == b""
    assert made.far.ending is Ending.FIN


# requests


def test_many_requests_in_one_read_are_no_recursion():
    """Three thousand requests at once are answered one by one: by the proxy itself, and for a dead upstream."""
    assert statuses(Gate().ask(OWN * 3000)) == [404] * 3000
    assert statuses(Gate(dead=True).ask(GET * 3000)) == [502] * 3000


def test_what_is_kept_of_a_connection_is_bounded():
    """However many requests a connection carries, the last hundred are kept, without their content."""
    made = Gate("pool", near=True)
    asked = head(HOST, "Content-Length: 1000") + bytes(1000)
    for _ in range(300):
        made.ask(asked)
        made.say(answer())
    assert len(made.party.rounds) == len(made.party.log) == 100
    assert {kept.request.content for kept in made.party.rounds} == {b""}
    assert {kept.forward.content for kept in made.party.rounds} == {b""}
    assert made.party.rounds[-1].request.number == 300


def test_the_next_request_waits_for_the_answer():
    """A second request in the same read goes on once the first is answered."""
    made = Gate(near=True)
    made.ask(GET + OWN + GET)
    assert len(made.fars) == 1
    assert statuses(made.say(answer())) == [200, 404]
    assert len(made.fars) == 2


@pytest.mark.parametrize("framed", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_content_is_read_whole(framed):
    """A request goes on once its content is whole, and the next one begins behind it."""
    content = b"hello" if "5" in framed else b"5\r\nhello\r\n0\r\n\r\n"
    made = Gate(near=True)
    for byte in head(HOST, framed) + content:
        assert made.fars == []
        made.ask(bytes([byte]))
    assert made.passed().endswith(b"\r\n\r\n" + content)
    assert statuses(made.ask(OWN) + made.say(answer())) == [200, 404]


@pytest.mark.parametrize(
    "bad",
    [
        head(HOST, "Transfer-Encoding: chunked") + b"xyz\r\n",
        head(HOST, "Content-Length: five"),
        head(HOST, "Content-Length: 5, 6"),
        head(HOST, "Transfer-Encoding: gzip"),
        head(HOST, "Content-Length: " + "9" * 5000),
    ],
)
def test_content_that_cannot_be_read_ends_the_connection(bad):
    """The client is told, and nothing behind it is taken for a request."""
    made = Gate(near=True)
    assert statuses(made.ask(bad + GET)) == [400]
    assert made.where == "closed, none"


def test_content_has_a_limit():
    """Content that is too long is refused, when its length is told or when it has come."""
    made = Gate(near=True)
    assert statuses(made.ask(head(HOST, f"Content-Length: {1 << 40}", "Expect: 100-continue"))) == [413]
    made, said, sent = Gate(near=True), b"", 0
    made.ask(head(HOST, "Transfer-Encoding: chunked"))
    while not said and sent < 64:
        said, sent = made.ask(b"100000\r\n" + bytes(1 << 20) + b"\r\n"), sent + 1
    assert status(said) == 413
    assert sent == 5


def test_a_client_that_waits_for_100_gets_it():
    """A 100 goes out with the head, once; one of HTTP/1.0, and one without content, gets none."""
    made = Gate(near=True)
    assert made.ask(EXPECTING) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert made.ask(b"he", b"llo") == b""
    assert made.passed().endswith(b"hello")
    assert Gate(near=True).ask(EXPECTING.replace(b"1.1", b"1.0")) == b""
    assert Gate(near=True).ask(EXPECTING.replace(b": 5", b": 0")) == b""


def test_a_proxy_may_leave_the_100_to_others():
    """A model that does not continue sends none."""
    made = Gate(near=True)
    made.party.model.continues = False
    assert made.ask(EXPECTING) == b""


def test_what_is_no_request_closes_whatever_the_model_says():
    """Behind what cannot be read nothing can be: the connection ends, and no earlier round is blamed."""
    made = Gate(near=True)
    made.ask(GET)
    made.say(answer())
    made.party.model.read_head = lambda data: Own(b"HTTP/1.1 400 \r\n\r\n", "", closes=False)
    made.ask(b"nonsense")
    assert made.where == "closed, left"
    assert [kept.own for kept in made.party.rounds] == [None]


def test_an_answer_of_its_own_stands_in_its_round():
    """What the proxy answered itself is kept with the request that it answered, and so is the log."""
    made = Gate(dead=True)
    made.ask(GET + OWN)
    assert [status(kept.own.data) for kept in made.party.rounds] == [502, 404]
    assert made.party.problem == "answered 502; answered 404"


# a patient proxy, and one that lets directions end by themselves


def test_a_patient_proxy_answers_a_client_that_has_ended():
    """All that was asked before the FIN is answered, and then both are closed; half a request is refused."""
    made = Gate("patient", near=True)
    made.ask(GET + OWN + GET)
    made.party.receive_eof()
    assert made.where == "open, open"
    assert statuses(made.say(answer())) == [200, 404]
    assert statuses(made.say(answer())) == [200]
    assert made.where == "closed, left"
    made = Gate("patient", near=True)
    made.ask(GET + GET[:5])
    made.party.receive_eof()
    assert statuses(made.say(answer())) == [200, 400]


def test_a_patient_proxy_answers_nobody():
    """Patience is for a FIN: where the connection is no more, the upstream is left at once."""
    made = gate("waiting", "patient")
    made.party.gone()
    assert made.where == "closed, left"
    assert made.party.deadline is None


@pytest.mark.parametrize("first", ["near", "far"])
def test_directions_end_one_by_one(first):
    """Where the model allows it, one direction of a tunnel goes on after the other has ended."""
    made = gate("tunnel", "half")
    if first == "near":
        made.party.receive_eof()
        assert made.where == "open, half"
        assert made.say(b"still here") == b"still here"
        made.far.receive_eof()
    else:
        made.far.receive_eof()
        assert made.where == "closed, open"
        made.ask(b"still here")
        assert made.passed() == b"still here"
        made.party.receive_eof()
    assert made.where == "closed, left"


@pytest.mark.parametrize("first", ["fin", "far fin"])
@pytest.mark.parametrize("then", ["gone", "far gone", "due", "shut"])
def test_half_a_tunnel_ends_for_sure(first, then):
    """A reset, silence or a stop ends what is left of a tunnel, on both legs."""
    made = gate("tunnel", "half")
    INPUTS[first](made)
    INPUTS[then](made)
    assert made.where == "closed, left"


def test_a_switch_for_a_client_that_has_ended():
    """A patient proxy that lets directions end passes the FIN on when the tunnel begins; another one closes."""
    for text, where in (("patient half", "open, half"), ("patient", "closed, left")):
        made = gate("waiting", text)
        made.party.rounds[-1].request = gate("tunnel").party.rounds[-1].request
        made.party.receive_eof()
        made.say(SWITCHED)
        assert made.where == where


# the seam


def test_what_comes_early_passes_the_seam():
    """Bytes behind the 101, and bytes of the client before it, are the new protocol's, in the same turn."""
    made = Gate(near=True)
    made.ask(opening() + b"early", b" bird")
    assert made.passed().endswith(b"\r\n\r\n")
    assert made.say(SWITCHED + b"\x81\x05Hello") == SWITCHED + b"\x81\x05Hello"
    assert made.passed() == b"early bird"
    made.ask(b"more")
    assert made.passed() == b"more"


def test_a_request_behind_the_offer_is_no_request_after_the_switch():
    """What looks like a second request is tunnelled, not read."""
    made = Gate(near=True)
    made.ask(opening() + OWN)
    assert statuses(made.say(SWITCHED)) == [101]
    assert made.passed().endswith(OWN)


# back-pressure and time


def test_a_slow_client_stops_the_upstream():
    """While the client takes no more the upstream is not read; a leg that is done with is read, and dropped."""
    made = gate("tunnel")
    assert not made.far.full
    made.party.writable(False)
    assert made.far.full
    made.party.writable(True)
    assert not made.far.full
    made.party.writable(False)
    made.party.receive_eof()
    assert not made.far.full


def test_a_slow_upstream_stops_the_client():
    """While the upstream takes no more the client is not read, in a tunnel also after one direction has ended."""
    made = gate("tunnel", "half")
    made.far.receive_eof()
    made.far.writable(False)
    assert made.party.full
    made.far.writable(True)
    assert not made.party.full


@pytest.mark.parametrize("state", ["dialling", "waiting", "answer", "held"])
def test_a_client_that_asks_on_is_not_read(state):
    """While an answer is due, only so much is read ahead."""
    made = gate(state)
    assert not made.party.full
    made.ask(GET * (MOST_WAITING // len(GET) + 1))
    assert made.party.full


TIMES = {"head": 2, "content": 3, "kept": 4, "dialling": 5, "waiting": 6, "answer": 6, "held": 6, "tunnel": 7, "lingering": 1}  # fmt: skip


@pytest.mark.parametrize("state", TIMES)
def test_each_wait_has_its_own_time(state):
    """A deadline is that of the state, and whoever drives is told to look at it."""
    assert gate(state).party.deadline == TIMES[state]


def test_the_first_head_has_its_time_from_the_connection():
    """Bytes do not put off the first deadline; that of a later head runs from its first byte."""
    made = Gate(near=True)
    made.clock.now = 1.5
    made.ask(GET[:5])
    assert made.party.deadline == 2
    made.ask(GET[5:])
    made.say(answer())
    assert made.party.deadline == 5.5
    made.clock.now = 5
    made.ask(GET[:5])
    assert made.party.deadline == 7
    made.clock.now = 6
    made.ask(GET[5:7])
    assert made.party.deadline == 7


@pytest.mark.parametrize(("state", "given_in"), [("dialling", "reached"), ("tunnel", "far bytes"), ("answer", "far bytes")])  # fmt: skip
def test_what_happens_far_away_moves_the_near_deadline(state, given_in):
    """Whoever drives the near leg is woken when the far leg changes its deadline."""
    made = gate(state)
    before = made.woken
    INPUTS[given_in](made)
    assert made.woken > before


def test_a_deadline_that_has_not_come_does_nothing():
    """A tick too early changes nothing."""
    made = gate("waiting")
    made.party.tick()
    assert made.where == "open, open"


def test_the_log_says_who_was_silent():
    """A tunnel and an upstream that are silent for too long are told apart."""
    for state, words in (("tunnel", "the tunnel was"), ("answer", "the upstream was")):
        made = gate(state)
        made.wait()
        assert made.party.problem.startswith(words)


def test_a_trouble_of_another_leg_is_nobodys():
    """A leg that was left cannot answer for the one that is asked now."""
    made = gate("kept")
    old = made.far
    made.ask(GET)
    made.reach()
    old.receive(answer())
    old.receive_eof()
    old.gone()
    made.party.trouble(old, Trouble.CLOSED)
    assert made.party.outgoing() == b""
    assert made.say(answer()) == answer()


pieces = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([GET, OWN, EXPECTING, opening(), GET[:9], b"hello", b"\r\n", b"0\r\n\r\n", answer(), SWITCHED]),
    st.sampled_from([head("Transfer-Encoding: chunked", start="HTTP/1.1 200 OK"), head(start="HTTP/1.0 099 ")]),
)
acts = st.lists(st.tuples(st.sampled_from(["ask", "say", *INPUTS]), pieces), max_size=12)


@settings(deadline=None)
@given(acts=acts, text=st.sampled_from(["", "half", "pool", "patient", "half patient pool chunk"]))
def test_anything_in_any_order(acts, text):
    """Bytes and ends in whatever order raise nothing, and what was written after the end is nothing."""
    made = Gate(text)
    for act, piece in acts:
        ended = bool(made.party.ending)
        if act == "ask":
            said = made.ask(piece)
        elif act == "say":
            said = made.say(piece) if made.fars else b""
        else:
            said = give(made, act)
        assert not (ended and said)
    assert made.party.ending or made.party.deadline is not None


# what a model may do beyond the plain one


def modelled(made: Gate, **methods) -> Gate:
    for name, method in methods.items():
        setattr(made.party.model, name, method)
    return made


def test_many_upstreams_that_fail_at_once_are_no_recursion():
    """A model may ask one upstream after the other; those that are dead at once are asked in a loop."""
    made = Gate(dead=True)
    failed = made.party.model.failed

    def again(request, forward, trouble):
        return forward if len(made.fars) <= 3000 else failed(request, forward, trouble)

    modelled(made, failed=again)
    assert statuses(made.ask(GET)) == [502]
    assert len(made.fars) == 3001


def test_an_answer_may_be_given_up_for_another_upstream():
    """A model that asks another upstream instead of relaying gets its answer, on a leg of its own."""
    made = Gate(near=True)
    relay = made.party.model.relay

    def other(request, forward, head):
        return relay(request, forward, head) if head.status < 500 else Forward("other", request.head)

    modelled(made, relay=other)
    made.ask(GET)
    assert made.say(answer(status=503)) == b""
    assert [far.address for far in made.fars] == ["upstream", "other"]
    assert statuses(made.say(answer())) == [200]


def opaque(text: str = "") -> Gate:
    made = Gate(text, near=True)
    return modelled(made, route=lambda request: Forward("upstream", request.head, request.content, opaque=True))


POST = head(HOST, "Content-Length: 5")


def test_an_upstream_passed_on_unread():
    """A tunnel from the first byte: nothing is read as an answer, and content waits for the client's next bytes."""
    made = opaque()
    made.ask(POST + b"hello" + b"early")
    assert made.passed() == POST
    made.ask(b" and more")
    assert made.passed() == b"helloearly and more"
    assert made.say(b"not HTTP") == b"not HTTP"


def test_an_unread_upstream_that_closes_at_once():
    """Nothing was heard of it, so the model answers; content that was held is no next request."""
    made = opaque()
    made.ask(POST + b"hello" + GET[:5])
    made.far.receive_eof()
    assert statuses(made.party.outgoing()) == [502]
    made.ask(GET[5:])
    assert made.passed() == GET
    made.say(b"x")
    made.far.receive_eof()
    assert made.where == "closed, left"


def at_once(text: str = "") -> Gate:
    return modelled(Gate(text, near=True), answers_at_once=lambda head: head.target == "/own")


OWN_POST = head(HOST, "Content-Length: 5", "Expect: 100-continue", start="POST /own HTTP/1.1")


def test_an_answer_before_the_content():
    """What the proxy answers itself is answered with the head; its content is dropped, and the next request read."""
    made = at_once()
    assert statuses(made.ask(OWN_POST)) == [404]
    assert made.ask(b"hel") == b""
    assert statuses(made.ask(b"lo" + OWN)) == [404]
    assert [kept.request.content for kept in made.party.rounds] == [b"", b""]


def test_content_that_is_dropped_is_not_kept_and_not_too_long():
    """However much content comes behind its answer, it is read and forgotten."""
    made = at_once()
    made.ask(head(HOST, "Transfer-Encoding: chunked", start="POST /own HTTP/1.1"))
    for _ in range(8):
        assert made.ask(b"100000\r\n" + bytes(1 << 20) + b"\r\n") == b""
    assert len(made.party._requests._body) == 0
    assert made.where == "open, none"


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize("end", ["bad", "fin", "due", "gone"])
def test_dropped_content_that_does_not_end_well(closes, end):
    """Content that is none, a FIN, silence and a reset end the connection; nobody is answered twice."""
    made = at_once()
    own = Own(answer(b"", status=404), "a rule", closes=closes)
    modelled(made, route=lambda request: own, cut=lambda data: Own(b"", ""))
    chunks = head(HOST, "Transfer-Encoding: chunked", start="POST /own HTTP/1.1")
    assert statuses(made.ask(chunks)) == [404]
    assert (made.ask(b"xyz\r\n") if end == "bad" else give(made, end)) == b""
    assert made.where == "closed, none"


def test_an_answer_that_closes_waits_for_the_content():
    """A connection that is to end ends when the content has come, not before."""
    made = at_once()
    modelled(made, route=lambda request: Own(answer(b"", status=413), "", closes=True))
    assert statuses(made.ask(OWN_POST)) == [413]
    assert made.where == "open, none"
    made.ask(b"hello")
    assert made.where == "closed, none"


def held(most: int = 100) -> Gate:
    made = gate("waiting")
    relay = made.party.model.relay
    return modelled(made, relay=lambda *asked: replace(relay(*asked), held=most))


def test_an_answer_that_is_held():
    """Head and content wait until the answer is whole, or there is more than is held."""
    made = held(4)
    assert made.say(answer()[:-3]) == b""
    assert made.say(b"llo") == answer()
    made = held()
    assert made.say(answer()[:-3]) == b""
    assert made.say(b"llo") == answer()


@pytest.mark.parametrize(("end", "said"), [("far fin", answer()[:-3]), ("far gone", answer()[:-3]), ("due", answer()[:-5])])  # fmt: skip
def test_an_answer_that_is_held_and_cut(end, said):
    """An end lets go what waits; silence lets go the head alone."""
    made = held()
    made.say(answer()[:-3])
    assert give(made, end) == said
    assert made.where == "closed, left"


def test_a_half_closed_client_of_an_unread_upstream():
    """A client that ends before anything was heard of the upstream gets what the model says of one that closed."""
    made = opaque("half")
    made.ask(POST + b"hello" + b"early")
    made.party.receive_eof()
    assert made.fars[0].outgoing() == POST + b"helloearly"
    assert statuses(made.party.outgoing()) == [502]
    assert made.where == "closed, left"


def test_one_time_for_all_of_a_head():
    """Where parts do not count, a head that trickles in has its time once; its content has its own."""
    made = gate("waiting")
    made.party.model.part_counts = False
    made.clock.now = 5.0
    made.say(answer()[:9])
    assert made.party.deadline == 6.0
    made.say(answer()[9:-3])
    assert made.party.deadline == 11.0

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.parties.client import talk
from labkit.parties.offer import Offer
from labkit.parties.party import Ending
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from labkit.wire.websocket import close_payload, frame, scan
from tests.parties.driving import CLOSE, PING, PONG, TEXT, Asking, head
from tests.parties.test_server import ANSWER_101, deflated

HELLO = bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")  # RFC 6455, 5.7
BYE = frame(CLOSE, close_payload(1000))


def answer(start: str = "200 OK", *lines: str, body: bytes = b"") -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {start}", *lines, "")).encode() + body


def test_an_exchange_is_the_rfcs_own_example():
    """After the 101 the client says Hello under the RFC's masking key, and closes when it was answered."""
    asking = Asking()
    assert asking.said == Offer.websocket().to_bytes()
    assert asking.feed(ANSWER_101) == HELLO
    assert asking.feed(frame(TEXT, b"Hello"))[:2] == b"\x88\x82"
    assert asking.feed(BYE) == b""
    assert asking.party.ending is Ending.NOT_YET  # the server ends TCP first (RFC 6455, 7.1.1)
    asking.eof()
    assert asking.party.ending is Ending.FIN
    assert (asking.party.status, asking.party.problem) == (101, "")


def test_messages_are_said_in_turn():
    """Each message is sent when the one before was answered; a tuple goes out in fragments."""
    asking = Asking(say=["a", ("b", "c"), b"d"])
    assert asking.feed(ANSWER_101)[0] == 0x81
    assert asking.feed(frame(TEXT, b"a"))[0] == 0x01
    assert asking.feed(frame(TEXT, b"bc"))[0] == 0x82
    assert asking.feed(frame(2, b"d"))[0] == 0x88


def test_frames_in_the_segment_of_the_101_are_read():
    """Bytes behind the 101 belong to the new protocol, also in the same read."""
    asking = Asking()
    said = asking.feed(ANSWER_101 + frame(PING, b"p") + frame(TEXT, b"early"))
    assert [(each.opcode, each.payload_of(said)) for each in scan(said)] == [
        (PONG, b"p"), (TEXT, b"Hello"), (CLOSE, close_payload(1000)),
    ]  # fmt: skip


def test_an_answer_may_come_byte_by_byte():
    """Where the reads fall makes no difference to the client."""
    asking = Asking()
    said = b"".join(asking.feed(bytes([byte])) for byte in ANSWER_101 + frame(TEXT, b"Hello") + BYE)
    assert said.startswith(HELLO)
    assert asking.party.problem == ""


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer("200 OK", "Content-Length: 2", body=b"hi"), 200),
        (answer("204 No Content"), 204),
        (answer("426 Upgrade Required", "Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\n\r\n"), 426),
        (answer("103 Early Hints") + answer("404 Not Found", "Content-Length: 0"), 404),
        (b"HTTP/1.0 301 Moved\r\nContent-Length: 0\r\n\r\n", 301),
    ],
)
def test_a_decline_is_no_problem(reply, code):
    """Any whole answer is read to its end; then the client closes."""
    asking = Asking()
    asking.feed(reply)
    assert (asking.party.status, asking.party.problem) == (code, "")
    assert asking.party.ending is Ending.FIN


def test_an_answer_may_last_until_the_close():
    """Content without a length ends with the connection (RFC 9112, 6.3)."""
    asking = Asking()
    asking.feed(answer("200 OK", body=b"hello"))
    assert asking.party.ending is Ending.NOT_YET
    asking.eof()
    assert (asking.party.status, asking.party.problem) == (200, "")


def test_a_server_that_says_close_ends_first():
    """After `Connection: close` the client waits for the server's FIN, but not for ever."""
    asking = Asking()
    asking.feed(answer("400 Bad Request", "Connection: close", "Content-Length: 0"))
    assert asking.party.ending is Ending.NOT_YET
    asking.wait(5.1)
    assert asking.party.ending is Ending.FIN
    asking.wait(5.1)
    assert asking.party.ending is Ending.RESET


def test_the_answer_to_head_has_no_content():
    """HEAD's answer ends with its head, whatever its length says (RFC 9110, 9.3.2)."""
    asking = Asking(Offer(method="HEAD"))
    asking.feed(answer("200 OK", "Content-Length: 100"))
    assert (asking.party.status, asking.party.ending) == (200, Ending.FIN)


PROBLEMS = {
    "no answer": (b"", "the server closed without an answer"),
    "half an answer": (b"HTTP/1.1 101 Swi", "the server closed in the middle of an answer"),
    "garbage": (b"\x00\xff\r\n\r\n", "the answer cannot be read"),
    "half a content": (answer("200 OK", "Content-Length: 9", body=b"half"), "the answer cannot be read"),
    "a wrong Accept": (ANSWER_101.replace(b"s3pP", b"AAAA"), "the 101 is not right"),
    "no Accept": (answer("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"), "the 101 is not right"),
    "no Upgrade": (answer("101 Switching Protocols", "Connection: Upgrade"), "does not name a protocol"),
    "no Connection": (ANSWER_101.replace(b"Connection: Upgrade\r\n", b""), "the 101 is not right"),
    "another protocol": (ANSWER_101.replace(b"websocket", b"h2c"), "does not name a protocol"),
    "an extension unasked": (ANSWER_101[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "the 101 is not right"),
    "a subprotocol unasked": (ANSWER_101[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n", "the 101 is not right"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_goes_wrong_is_said(name):
    """A server that breaks the rules of the answer is named, and left (RFC 6455, 4.1)."""
    reply, text = PROBLEMS[name]
    asking = Asking()
    asking.feed(reply)
    asking.eof()
    assert text in asking.party.problem
    assert asking.party.ending is Ending.FIN


def test_silence_has_an_end():
    """Where no answer comes the client gives up, ends its side, and then breaks off."""
    asking = Asking(patience=3)
    asking.wait(2.9)
    assert asking.party.ending is Ending.NOT_YET
    asking.wait(0.2)
    assert asking.party.problem == "no answer came in 3 s"
    assert asking.party.ending is Ending.FIN
    asking.wait(3.1)
    assert asking.party.ending is Ending.RESET


def test_a_message_that_is_not_answered_has_an_end():
    """Where a message is not answered the client closes, says which it was, and ends in bounded time."""
    asking = Asking(say=["a", "b"], patience=3)
    asking.feed(ANSWER_101)
    asking.feed(frame(TEXT, b"a"))
    assert asking.wait(3.1)[0] == 0x88
    assert asking.party.problem == "message 2 was not answered within 3 s"
    asking.wait(3.1)
    assert asking.party.ending is Ending.FIN
    asking.wait(3.1)
    assert asking.party.ending is Ending.RESET


def test_a_deadline_that_has_passed_is_not_asked_for_again():
    """When a server keeps its side open after the closing, the client's deadlines still lie ahead of it."""
    asking = Asking(say=[])
    asking.feed(ANSWER_101 + BYE)
    for _ in range(20):
        asking.party.tick()
        asking.settle()
        if asking.party.ending is Ending.RESET:
            break
        assert asking.party.deadline > asking.clock.now
        asking.clock.now = asking.party.deadline
    assert asking.party.ending is Ending.RESET


def test_a_handler_may_say_what_it_likes():
    """`say` may be a handler of one's own, with the stream's pings, sleeps and closes."""

    async def mine(stream):
        await stream.ping(b"?")
        await stream.sleep(1)
        await stream.close(4000, "enough")

    asking = Asking(say=mine)
    assert asking.feed(ANSWER_101)[:2] == b"\x89\x81"
    assert asking.wait(1.1)[:2] == b"\x88\x88"


def test_a_handler_that_fails_is_named():
    """An error of what the client says is its problem, and closes with 1011."""

    async def wrong(stream):
        raise KeyError("x")

    asking = Asking(say=wrong)
    assert asking.feed(ANSWER_101)[0] == 0x88
    assert asking.party.problem == "what the client says failed: KeyError: 'x'"


def test_compression_is_agreed_and_stored():
    """An offer with permessage-deflate reads compressed messages and sends stored blocks (RFC 7692, 7.2.3.3)."""
    asking = Asking(Offer.websocket(deflate=True))
    reply = ANSWER_101[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    assert asking.feed(reply)[0] == 0xC1
    assert asking.feed(frame(TEXT, deflated(b"Hello"), rsv=4))[0] == 0x88


@pytest.mark.parametrize(
    ("offered", "opened"), [("permessage-deflate", False), ("permessage-deflate; client_max_window_bits", True)]
)
def test_the_clients_window_is_limited_only_where_it_said_so(offered, opened):
    """An answer with client_max_window_bits fails, unless the offer had it (RFC 7692, 7.1.2.2)."""
    client = Asking(Offer.websocket().with_field("Sec-WebSocket-Extensions", offered))
    agreed = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10"
    accept = f"Sec-WebSocket-Accept: {accept_key(SAMPLE_KEY)}"
    answer = head("Upgrade: websocket", "Connection: Upgrade", accept, agreed, start="HTTP/1.1 101 Switching Protocols")
    assert bool(client.feed(answer)) is opened
    assert bool(client.party.problem) is not opened


def test_another_protocol_is_spoken_in_bytes():
    """After a switch to anything else `say` is bytes, and the server's are messages as they come."""
    asking = Asking(Offer.custom("shout/2"), say=["hi"])
    assert asking.feed(answer("101 Switching Protocols", "Upgrade: shout/2", "Connection: Upgrade")) == b"hi"
    asking.feed(b"HI")
    assert asking.party.ending is Ending.FIN


def test_raw_bytes_that_are_an_offer_are_understood_as_one():
    """An offer of raw bytes is answered like the same offer put together."""
    asking = Asking(Offer.of_bytes(Offer.websocket().to_bytes()))
    assert asking.feed(ANSWER_101) == HELLO
    assert asking.party.problem == ""


def test_an_offer_may_go_out_in_pieces():
    """The cuts of an offer are sent one after the other, with a moment between them."""
    offer = Offer.websocket().cut(10, 20)
    asking = Asking(offer)
    assert asking.said == offer.to_bytes()[:10]
    assert asking.wait(1) == offer.to_bytes()[10:]


@given(st.binary(max_size=60), st.booleans())
def test_no_answer_breaks_the_client(reply, switched):
    """Whatever a server says, the client never raises, and ends in bounded time."""
    asking = Asking()
    asking.feed((ANSWER_101 if switched else b"HTTP/1.1 200 OK\r\n") + reply)
    asking.wait(30)
    asking.eof()
    assert asking.party.ending is not Ending.NOT_YET


@pytest.mark.parametrize("say", ["Hello", b"Hello"])
def test_one_message_is_no_list(say):
    """A text given where a list is wanted would be said letter by letter: it is refused."""
    with pytest.raises(WrongUse, match="write \\["):
        talk(say)

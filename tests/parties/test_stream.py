import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.parties.conversation import MOST_UNSENT
from labkit.parties.outbox import POLICIES
from labkit.parties.party import Ending
from labkit.parties.stream import Closed
from labkit.wire.websocket import scan
from tests.parties.driving import CLOSE, HOST, PING, TEXT, Asking, Served, asked, closing, head, opening


def handled(handler, *pieces: bytes, wait: float = 0, **settings) -> Served:
    """Serve one WebSocket conversation by a handler, and return what is left of it."""
    served = Served(protocols={"websocket": handler}, **settings)
    served.feed(opening(), *pieces)
    served.wait(wait)
    return served


def test_receive_has_a_timeout():
    """`receive` gives up after its seconds, by the clock of whoever drives, and can be asked again."""
    seen = []

    async def patient(stream):
        try:
            await stream.receive(timeout=2)
        except TimeoutError as error:
            seen.append(str(error))
        seen.append(await stream.receive(timeout=2))

    served = handled(patient, wait=3)
    served.feed(asked(TEXT, b"late"))
    assert seen == ["no message came within 2 s", "late"]
    assert served.party._after._wake_times == []


def test_sleep_is_not_disturbed_by_messages():
    """A handler that sleeps is not woken for good by what comes in the meantime."""
    seen = []

    async def sleeper(stream):
        await stream.sleep(5)
        seen.append(await stream.receive())

    served = handled(sleeper, asked(TEXT, b"1"), wait=4.9)
    served.feed(*[asked(TEXT, b"2")] * 100)
    assert seen == []
    assert len(served.party._after._wake_times) == 1
    served.wait(0.2)
    assert seen == ["1"]


def test_sleep_ends_with_the_conversation():
    """Nobody sleeps on when the other side has closed."""
    seen = []

    async def sleeper(stream):
        while True:
            try:
                await stream.sleep(1000)
            finally:
                seen.append("awake")

    served = handled(sleeper, closing())
    assert seen == ["awake"]
    assert served.party.handler_error is None


def test_nothing_is_sent_after_the_close():
    """Sending, pinging and sleeping after the end say so; closing does nothing."""
    seen = []

    async def late(stream):
        async for _ in stream:
            pass
        await stream.close()
        for again in (stream.ping(), stream.sleep(0), stream.send("late")):
            with pytest.raises(Closed):
                await again
        with pytest.raises(Closed):
            await stream.receive()
        seen.append("done")

    assert handled(late, closing()).said.endswith(b"\x88\x02\x03\xe8")
    assert seen == ["done"]


@pytest.mark.parametrize("message", [1, None, {}, [], ["a", b"b"], [1]])
def test_a_message_is_text_bytes_or_fragments(message):
    """Anything else is a wrong use, and fails the handler."""

    async def wrong(stream):
        await stream.send(message)

    assert isinstance(handled(wrong).party.handler_error, WrongUse)


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (99, ""), (70000, ""), (1000, "x" * 124), (None, "why")])
def test_a_close_that_cannot_be_is_refused(code, reason):
    """A code that none may send, or a reason that does not fit, is a wrong use (RFC 6455, 5.5, 7.4)."""

    async def wrong(stream):
        await stream.close(code, reason)

    assert isinstance(handled(wrong).party.handler_error, WrongUse)


def test_a_ping_has_125_bytes_at_the_most():
    """A Ping that does not fit a control frame is refused (RFC 6455, 5.5)."""

    async def wrong(stream):
        await stream.ping(bytes(126))

    assert isinstance(handled(wrong).party.handler_error, WrongUse)


def test_only_websocket_has_pings():
    """Plain bytes know no Ping."""

    async def wrong(stream):
        await stream.ping()

    served = Served(protocols={"x": wrong})
    served.feed(head(HOST, "Upgrade: x", "Connection: Upgrade"))
    assert isinstance(served.party.handler_error, WrongUse)


@pytest.mark.parametrize("protocol", ["websocket", "x"])
def test_a_handler_that_only_sends_does_not_fill_the_memory(protocol):
    """A handler that writes without end waits until what it wrote has left."""

    async def flood(stream):
        while True:
            await stream.send("a" * 1000)

    served = Served(protocols={protocol: flood})
    served.party.receive(opening().replace(b"websocket", protocol.encode()))
    served._steps.step()
    first = served.party.outgoing()
    assert MOST_UNSENT < len(first) < MOST_UNSENT + 5000
    served.party.drained()
    served._steps.step()
    assert len(served.party.outgoing()) > MOST_UNSENT


def test_a_handler_waits_while_the_client_takes_no_more():
    """While the driver says that nothing more can be written, `send` waits."""
    served = handled(None or _two)
    served.party.writable(False)
    assert served.feed(asked(TEXT, b"go")) == b""
    served.party.writable(True)
    assert served.settle() == b"\x81\x011\x81\x012\x88\x02\x03\xe8"


async def _two(stream):
    await stream.receive()
    await stream.send("1")
    await stream.send("2")


def test_reading_pauses_while_the_handler_is_behind():
    """What is read and not taken has a limit: the party says that it is full, until it was taken."""

    async def slow(stream):
        await stream.sleep(10)
        async for _ in stream:
            pass

    served = handled(slow, message=1000)
    assert not served.party.full
    served.feed(*[asked(TEXT, b"a" * 1000)] * 300)
    assert served.party.full
    served.wait(11)
    assert not served.party.full


def test_many_small_messages_count_too():
    """Messages of no bytes at all are not read without limit either."""

    async def slow(stream):
        await stream.sleep(10)

    assert handled(slow, asked(TEXT, b"") * 5000).party.full


@pytest.mark.parametrize("protocol", ["websocket", "quote"])
def test_bytes_go_out_as_they_are(protocol):
    """`send_bytes` puts bytes on the wire in no frame, whatever is spoken, in their place among the messages."""

    async def stray(stream):
        await stream.send("a")
        await stream.send_bytes(b"stray")
        await stream.send("b")

    served = Served(protocols={protocol: stray})
    served.feed(opening() if protocol == "websocket" else head(HOST, "Connection: Upgrade", "Upgrade: quote"))
    said = served.said.partition(b"\r\n\r\n")[2]
    assert said.startswith(b"\x81\x01astray\x81\x01b" if protocol == "websocket" else b"astrayb")


def test_hanging_up():
    """`hang_up` ends the connection behind what was written, with no Close; nothing can be said after it."""
    seen = []

    async def leaves(stream):
        await stream.send(await stream.receive())
        await stream.hang_up()
        await stream.hang_up()
        try:
            await stream.send_bytes(b"more")
        except Closed:
            seen.append("closed")

    served = handled(leaves, asked(TEXT, b"a"), asked(PING, b"b"), closing())
    assert served.said.endswith(b"\r\n\r\n\x81\x01a")
    assert seen == ["closed"]
    assert served.party.ending is Ending.FIN


def test_a_client_hangs_up():
    """A client may go without a goodbye as well; the server closes, and nothing more is said on either side."""

    async def leaves(stream):
        await stream.hang_up()

    client = Asking(say=leaves)
    client.feed(Served().feed(opening()))
    assert client.party.ending is Ending.FIN
    assert client.feed(b"\x81\x01a") == client.eof() == b""
    assert client.party.problem == ""


def test_only_bytes_are_sent_as_they_are():
    """Text has no bytes of its own: the handler is told, and the conversation ends as with any mistake."""

    async def wrong(stream):
        await stream.send_bytes("text")

    assert b"is bytes, not str" in handled(wrong).said


class Choked:
    """One conversation whose other side takes nothing, with the stream that its handler was given."""

    def __init__(self, protocol: str = "websocket", **hold) -> None:
        async def handler(stream):
            self.stream = stream
            stream.hold(**hold)
            async for message in stream:
                await stream.send(message)

        self.served = Served(protocols={protocol: handler})
        self.served.feed(opening().replace(b"websocket", protocol.encode()))
        self.served.party.writable(False)

    def post(self, *messages: str | bytes) -> list[bool]:
        return [self.stream.post(each) for each in messages]

    def free(self) -> bytes:
        self.served.party.writable(True)
        return self.served.settle()


def framed(*texts: str) -> bytes:
    return b"".join(bytes([0x81, len(text.encode())]) + text.encode() for text in texts)


def test_post_never_waits():
    """What is posted leaves at once where it can; else it waits, and goes out by itself, in its order."""
    choked = Choked()
    assert choked.post("a", "b") == [True, True]
    assert choked.served.settle() == b""
    assert choked.stream.waiting == 2
    assert choked.free() == framed("a", "b")
    assert choked.post("c") == [True]
    assert choked.served.settle() == framed("c")
    assert (choked.stream.waiting, choked.stream.dropped) == (0, 0)


def test_what_is_sent_after_a_post_comes_after_it():
    """`send` waits for what was posted before it."""
    choked = Choked()
    choked.post("posted")
    choked.served.feed(asked(TEXT, b"sent"))
    assert choked.free() == framed("posted", "sent")


def test_posts_larger_than_one_write_go_out_in_turn():
    """What goes out of the outbox is bounded too: no more at once than a handler may write."""
    choked = Choked(size=1 << 20)
    text = "a" * (MOST_UNSENT // 2)
    choked.post(*[text] * 4)
    choked.served.party.writable(True)
    first = choked.served.party.outgoing()
    assert MOST_UNSENT < len(first) < MOST_UNSENT + 100
    assert choked.stream.waiting == 2
    choked.served.party.drained()
    assert len(choked.served.settle()) == len(first)


def test_dropping_the_oldest_or_the_newest():
    """A full outbox lets go of what its policy says, and what was dropped is counted."""
    for policy, taken, left in (("drop oldest", [True] * 3, "bc"), ("drop newest", [True, True, False], "ab")):
        choked = Choked(when_full=policy, messages=2)
        assert choked.post("a", "b", "c") == taken
        assert choked.free() == framed(*left)
        assert choked.stream.dropped == 1


def test_disconnecting_whoever_falls_behind():
    """With "disconnect" the Close says 1008 and why, follows what was written, and nothing is taken after it."""
    choked = Choked(when_full="disconnect", messages=2)
    assert choked.post("a", "b", "c", "d") == [True, True, False, False]
    said = choked.free()
    reason = b"you fell behind: 2 messages (2 bytes) waited for you"
    assert said == b"\x88" + bytes([2 + len(reason)]) + (1008).to_bytes(2, "big") + reason
    assert (choked.stream.waiting, choked.stream.dropped) == (0, 3)
    assert choked.served.party.problem == ""


def test_bytes_of_a_protocol_of_ones_own_are_disconnected_with_a_fin():
    """Plain bytes have no Close: whoever falls behind there gets the end alone."""
    choked = Choked("quote", when_full="disconnect", size=3)
    choked.served.party.receive(b"")
    assert choked.post(b"ab", "c", b"d") == [True, True, False]
    assert choked.free() == b""
    assert choked.served.party.ending is Ending.FIN


def test_a_size_counts_in_utf8():
    """The bound in bytes is that of the wire, not of characters."""
    choked = Choked(when_full="drop newest", size=3)
    assert choked.post("é", "é", "e") == [True, False, True]


def test_posting_when_all_is_over():
    """A conversation that has ended takes nothing, without an error."""
    choked = Choked()
    choked.served.feed(closing())
    assert choked.post("late") == [False]


@pytest.mark.parametrize("message", [1, None, ["a"], "\ud800"])
def test_only_text_or_bytes_are_posted(message):
    """Anything else is told to whoever posts it, at once, blocked or not."""
    choked = Choked()
    with pytest.raises(WrongUse):
        choked.post(message)
    choked.free()
    with pytest.raises(WrongUse):
        choked.post(message)


def test_the_last_posts_leave_before_the_close():
    """A handler that ends, or closes, lets what it posted go out first; what cannot within `close_time` is dropped."""

    async def last(stream):
        await stream.receive()
        stream.post("last words")

    for patience, said in ((1, framed("last words")), (3, b"")):
        served = handled(last, close_time=2)
        served.party.writable(False)
        served.feed(asked(TEXT, b"go"))
        served.wait(patience)
        served.party.writable(True)
        assert served.settle() == said + (b"\x88\x02\x03\xe8" if said else b"")
        assert served.said.endswith(b"\x88\x02\x03\xe8")


@given(st.lists(st.sampled_from(["post", "send", "choke", "free", "write"]), max_size=40), st.sampled_from(POLICIES))
def test_posts_and_sends_keep_their_order(steps, policy):
    """Posts arrive in order, and sends behind all that was posted before them; a post may overtake a send that waits."""
    choked, number, sent = Choked(when_full=policy, messages=3), 0, set()
    for step in steps:
        if step == "post":
            choked.post(f"{number}")
        elif step == "send":
            choked.served.feed(asked(TEXT, f"{number}".encode()))
            sent.add(number)
        elif step == "write":
            choked.served.settle()
        else:
            choked.served.party.writable(step == "free")
        number += step in ("post", "send")
        assert choked.stream.waiting <= 3
    choked.free()
    said = choked.served.said.partition(b"\r\n\r\n")[2]
    heard = [int(each.payload_of(said)) for each in scan(said) if each.opcode == TEXT]
    for place, each in enumerate(heard):
        assert not any(earlier < each for earlier in heard[place:] if each in sent or earlier not in sent)
    ended = any(each.opcode == CLOSE for each in scan(said))
    assert ended is (policy == "disconnect" and choked.stream.dropped > 0)
    assert ended or len(heard) + choked.stream.dropped == number


def test_what_a_handler_wanted_when_all_was_over():
    """`lost` tells a handler that ran into the end from one that had enough, or ended it itself."""
    streams = []

    async def enough(stream):
        streams.append(stream)
        await stream.receive()

    async def all_there_is(stream):
        streams.append(stream)
        async for _ in stream:
            pass

    async def closes(stream):
        streams.append(stream)
        await stream.close()
        await stream.receive()

    for handler in (enough, all_there_is, closes):
        handled(handler, asked(TEXT, b"1"), closing())
    assert [stream.lost for stream in streams] == [False, True, False]


def test_a_sign_of_life_of_another_thread():
    """`soon` has something done where the handler runs; in memory that is here and now."""
    choked = Choked()
    choked.free()
    choked.stream.soon(lambda: choked.stream.post("from elsewhere"))
    assert choked.served.settle() == framed("from elsewhere")

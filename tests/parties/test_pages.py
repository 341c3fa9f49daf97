import asyncio

import pytest

import labkit
from labkit.errors import WrongUse
from labkit.parties.answer import Answer
from labkit.parties.described import Server
from labkit.parties.pages import Exchange
from labkit.parties.party import Ending
from labkit.parties.stream import Closed
from labkit.wire.events import event
from tests.net.peer import Peer
from tests.parties.driving import HOST, Served, content, fields, head, opening, status, statuses

HTML = Answer(200, "<p>hi", (("Content-Type", "text/html"),))


async def back(exchange):
    await exchange.answer(exchange.content, kind="application/octet-stream")


async def count(exchange):
    await exchange.begin("text/event-stream")
    for number in range(3):
        await exchange.send(event(str(number)))
        await exchange.sleep(1)


def post(data: bytes, *lines: str, path: str = "/") -> bytes:
    return head(HOST, f"Content-Length: {len(data)}", *lines, start=f"POST {path} HTTP/1.1") + data


def served(handler, **settings) -> Served:
    return Served(pages={"/": handler}, **settings)


CHUNKS = b"9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"


# whole answers


def test_a_handler_gets_the_content_and_answers_it():
    """What is posted comes back whole, with its length and its own type."""
    answer = served(back).feed(post(b"\0hello"))
    assert (status(answer), content(answer)) == (200, b"\0hello")
    assert fields(answer)["Content-Type"] == "application/octet-stream"
    assert fields(answer)["Content-Length"] == "6"


def test_content_in_pieces_is_whole_for_the_handler():
    """Byte by byte, and in chunks, the content is the same; the handler starts when it is complete (RFC 9112, 6.3)."""
    data = post(b"hello")
    assert served(back).feed(*(data[at : at + 1] for at in range(len(data)))) == served(back).feed(data)
    chunked = head(HOST, "Transfer-Encoding: chunked", start="POST / HTTP/1.1") + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    assert content(served(back).feed(chunked)) == b"hello"


def test_the_connection_goes_on():
    """Requests behind each other, also in one read, are answered in order (RFC 9112, 9.3.2)."""
    one = served(back)
    said = one.feed(post(b"one") + post(b"two"), post(b"three"))
    assert statuses(said) == [200, 200, 200]
    assert [said.index(word) for word in (b"one", b"two", b"three")] == sorted(
        said.index(word) for word in (b"one", b"two", b"three")
    )


def test_a_connection_that_is_to_end_ends():
    """`Connection: close` is kept: the answer says so, and the FIN follows (RFC 9112, 9.6)."""
    one = served(back)
    assert fields(one.feed(post(b"x", "Connection: close")))["Connection"] == "close"
    assert one.party.ending is Ending.FIN


def test_head_gets_no_content():
    """HEAD gets the head alone, of a whole answer and of one in chunks (RFC 9110, 9.3.2)."""
    asked = head(HOST, start="HEAD / HTTP/1.1")
    assert content(served(lambda exchange: exchange.answer("text")).feed(asked)) == b""
    one = served(count)
    assert content(one.feed(asked) + one.wait(5)) == b""
    assert statuses(one.feed(asked)) == [200]


def test_an_answer_of_its_own_needs_no_handler():
    """A page may be an `Answer`, with its own type; others are as they were."""
    assert fields(served(HTML).feed(head(HOST)))["Content-Type"] == "text/html"
    assert b"plain page" in served(HTML).feed(head(HOST, start="GET /other HTTP/1.1"))


def test_offers_pass_pages_by():
    """An upgrade is made at a page's path too, and OPTIONS asks about the server, not the handler."""
    one = served(back)
    assert status(one.feed(opening())) == 101
    assert status(served(back).feed(head(HOST, start="OPTIONS / HTTP/1.1"))) == 204


def test_pages_exist_beside_the_paths():
    """Where paths are given, a page's path exists for plain requests alone (RFC 9110, 15.5.5)."""
    told = {"paths": ["/chat"], "pages": {"/": HTML}}
    assert status(Served(**told).feed(head(HOST))) == 200
    assert status(Served(**told).feed(head(HOST, start="GET /x HTTP/1.1"))) == 404
    assert status(Served(**told).feed(opening())) == 404


def test_a_query_is_for_the_handler():
    """The path chooses the page, and the handler sees the whole target."""
    assert content(served(lambda e: e.answer(e.path)).feed(head(HOST, start="GET /?a=b HTTP/1.1"))) == b"/?a=b"


# answers in pieces


def test_pieces_go_out_as_chunks_in_their_time():
    """Each piece is a chunk that leaves when it is sent; the last chunk ends the answer (RFC 9112, 7.1)."""
    one = served(count)
    first = one.feed(head(HOST))
    assert fields(first)["Transfer-Encoding"] == "chunked"
    assert content(first) == CHUNKS[:14]
    assert content(first) + one.wait(10) == CHUNKS
    assert status(one.feed(head(HOST))) == 200


def test_http_1_0_gets_no_chunks():
    """HTTP/1.0 knows no chunks: there the answer ends with the connection (RFC 9112, 6.1)."""
    one = served(count)
    said = one.feed(head(HOST, start="GET / HTTP/1.0")) + one.wait(3.5)
    assert "Transfer-Encoding" not in fields(said)
    assert content(said) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert one.party.ending is Ending.FIN


def test_long_polling_is_an_answer_that_waits():
    """The answer comes when the handler has it; requests that come meanwhile wait for their turn."""

    async def later(exchange):
        await exchange.sleep(5)
        await exchange.answer("now")

    one = served(later)
    assert one.feed(head(HOST) + head(HOST)) == b""
    assert content(one.wait(5.1)) == b"now"
    assert content(one.wait(5.1)) == b"now"


def test_a_full_client_makes_the_handler_wait():
    """A handler that sends more than the other side takes waits, and goes on when it is taken (bounded)."""
    sent = []

    async def much(exchange):
        await exchange.begin()
        for number in range(50):
            await exchange.send(bytes(1 << 16))
            sent.append(number)

    one = served(much)
    one.party.writable(False)
    one.party.receive(head(HOST))
    while one._steps.step():
        one.party.outgoing()
    assert not sent
    one.party.writable(True)
    one.settle()
    assert len(sent) == 50


def test_what_waits_behind_a_handler_is_bounded():
    """Bytes behind a request whose handler is at it are read up to a limit, then reading pauses."""

    async def never(exchange):
        await exchange.sleep(3600)

    one = served(never)
    one.feed(head(HOST))
    assert not one.party.full
    one.feed(bytes(1 << 19))
    assert one.party.full


# what goes wrong


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (lambda exchange: exchange.sleep(0), "gave no answer"),
        (lambda exchange: exchange.answer(status=99), "failed"),
        (lambda exchange: exchange.answer(5), "failed"),
        (lambda exchange: exchange.send("no head"), "failed"),
        (lambda exchange: exchange.begin(status=204), "failed"),
    ],
)
def test_a_handler_without_an_answer_is_a_500(handler, why):
    """A handler that fails before its answer, or forgets it, is told of with 500 (RFC 9110, 15.6.1)."""
    one = served(handler)
    answer = one.feed(head(HOST)) + one.wait(0.1)
    assert status(answer) == 500
    assert why in content(answer).decode()


def test_a_second_answer_is_wrong_use():
    """One request gets one answer: the first stands, and the handler's mistake is the party's problem."""

    async def twice(exchange):
        await exchange.answer("one")
        await exchange.answer("two")

    one = served(twice)
    assert content(one.feed(head(HOST))) == b"one"
    assert "answered before" in one.party.problem


@pytest.mark.parametrize(("version", "ending"), [("HTTP/1.1", Ending.FIN), ("HTTP/1.0", Ending.RESET)])
def test_a_broken_answer_can_be_told_from_a_whole_one(version, ending):
    """A handler that fails in its answer: no last chunk, or a RST where nothing else would tell (RFC 9112, 8)."""

    async def breaks(exchange):
        await exchange.begin()
        await exchange.send("half")
        raise ValueError("and no more")

    one = served(breaks)
    said = one.feed(head(HOST, start=f"GET / {version}"))
    assert b"half" in said
    assert not said.endswith(b"0\r\n\r\n")
    assert one.party.ending is ending
    assert "and no more" in one.party.problem


def test_a_client_that_ended_its_direction_gets_its_answer():
    """A FIN behind a request is no leave: the answer comes, then the server's FIN (RFC 9112, 9.6)."""

    async def later(exchange):
        await exchange.sleep(1)
        await exchange.answer("still")

    one = served(later)
    one.feed(head(HOST))
    assert one.eof() == b""
    assert content(one.wait(1.1)) == b"still"
    assert one.party.ending is Ending.FIN


def test_a_client_that_has_left_is_waited_for_no_longer():
    """Behind its FIN a client gets an answer that comes soon; one that takes longer is given up, and its handler."""
    seen = []

    async def long(exchange):
        try:
            await exchange.sleep(3000)
        except Closed:
            seen.append(True)

    one = served(long, close_time=2)
    one.feed(head(HOST))
    one.eof()
    one.wait(1.9)
    assert not seen
    one.wait(0.2)
    assert seen
    assert one.party.ending is Ending.FIN


@pytest.mark.parametrize("leave", [lambda party: party.gone(), lambda party: party.shut()])
def test_a_handler_learns_that_nobody_waits(leave):
    """Once the connection is gone, or the server stops, whatever the handler waits for or sends is Closed."""
    seen = []

    async def long(exchange):
        await exchange.begin()
        try:
            await exchange.sleep(3000)
        except Closed as error:
            seen.append(str(error))
        await exchange.send("more")

    one = served(long)
    one.feed(head(HOST))
    leave(one.party)
    one.settle()
    assert len(seen) == 1
    assert one.party.problem == ""


def test_an_idle_answer_is_ended():
    """A handler that says nothing for the idle time is given up, with the connection."""
    one = served(lambda exchange: exchange.sleep(3600), idle_time=5)
    one.feed(head(HOST))
    one.wait(5.1)
    assert one.party.ending is not Ending.NOT_YET


@pytest.mark.parametrize("pages", [[], {"echo": HTML}, {"/a?b": HTML}, {"/": "text"}, {"/": Answer(99)}, {5: HTML}])
def test_pages_that_make_no_sense(pages):
    """Paths and what is there are checked when the server is described."""
    with pytest.raises(WrongUse):
        Server(pages=pages)


def test_pages_are_named_in_print():
    """A server's print names its pages, without addresses in memory; so does an exchange's."""
    assert repr(Server(pages={"/echo": back})) == "Server(pages=['/echo'])"
    seen = []

    async def look(exchange):
        seen.append(repr(exchange))
        await exchange.answer()

    served(look).feed(head(HOST))
    assert seen == ["<Exchange GET />"]


# both worlds


def test_both_worlds_answer_alike():
    """Simulated and on sockets, a page in pieces is the same bytes."""

    async def quick(exchange):
        await exchange.begin("text/event-stream")
        for number in range(3):
            await exchange.send(event(str(number)))
            await exchange.sleep(0.001)

    told = Server(pages={"/": quick})
    simulated = labkit.simulate(labkit.Scenario(labkit.Offer.plain(), server=told))
    with labkit.UpgradeServer(told) as server:
        assert labkit.ask(server.url, labkit.Offer.plain()) == simulated
    assert simulated.stream(labkit.Direction.TO_CLIENT).endswith(CHUNKS)


def test_on_sockets_a_handler_may_await_a_queue():
    """A long poll on one connection is answered by what comes on another."""
    box: asyncio.Queue[str] = asyncio.Queue()

    async def poll(exchange: Exchange) -> None:
        await exchange.answer(await box.get())

    async def send(exchange: Exchange) -> None:
        await box.put(exchange.content.decode())
        await exchange.answer(status=204)

    with (
        labkit.UpgradeServer(pages={"/poll": poll, "/send": send}) as server,
        Peer(server) as waits,
        Peer(server) as sends,
    ):
        waits.send(head(HOST, start="GET /poll HTTP/1.1"))
        sends.send(post(b"news", path="/send"))
        assert b" 204 " in sends.read_until(b"\r\n\r\n")
        assert waits.read_until(b"news").endswith(b"\r\n\r\nnews")


def test_evaluating_a_page_runs_no_handler():
    """What the server would decide is told without the handler."""
    assert "200 OK" in str(labkit.evaluate(Server(pages={"/": back}), labkit.Offer.plain()))

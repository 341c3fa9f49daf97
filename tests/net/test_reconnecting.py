from itertools import count, repeat

import pytest

from labkit.errors import Refused, WrongUse
from labkit.net import reconnecting as module
from labkit.net.reconnecting import reconnecting
from labkit.net.server import UpgradeServer
from labkit.parties.stream import echo
from tests.net.peer import scripted
from tests.net.scenarios import listen


def at_once():
    return repeat(0.0)


@pytest.mark.parametrize("how", ["close", "hang_up"])
def test_it_comes_back_until_it_has_enough(how):
    """A connection that the server ends, cleanly or not, is made again, until the handler returns of its own."""
    numbers, heard = count(), []

    async def three(stream):
        for _ in range(3):
            await stream.send(str(next(numbers)))
        await getattr(stream, how)()

    async def until_seven(stream):
        async for message in stream:
            heard.append(message)
            if message == "7":
                return

    with UpgradeServer(protocols={"websocket": three}) as server:
        made = reconnecting(server.url, until_seven, waits=at_once)
        assert len(server.traces) == 3
    assert heard == [str(number) for number in range(8)]
    assert [(each.status, bool(each.problem), each.trace is None) for each in made] == [
        (101, True, False),
        (101, True, False),
        (101, False, False),
    ]


def test_whoever_closes_has_enough():
    """A handler that closes is not asked again."""

    async def closes(stream):
        await stream.close()
        await listen(stream)

    with UpgradeServer(protocols={"websocket": echo}) as server:
        [made] = reconnecting(server.url, closes, waits=at_once)
    assert (made.status, made.problem) == (101, "")


def test_a_handler_that_fails_is_not_asked_again():
    """Its error is the problem, and no reason to connect again."""

    async def wrong(stream):
        raise ValueError("no")

    with UpgradeServer() as server:
        [made] = reconnecting(server.url, wrong, waits=at_once)
    assert "ValueError: no" in made.problem


def test_nobody_there():
    """Where nothing listens it tries again, each time later, as often as it was told."""
    waits = iter([0.001, 0.002, 0.003])
    with UpgradeServer(listens=False) as server:
        made = reconnecting(server.url, listen, tries=4, waits=lambda: waits)
    assert [each.waited for each in made] == [0.0, 0.001, 0.002, 0.003]
    assert all("nothing listens" in each.problem and each.trace is None for each in made)


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (404, 1)])
def test_an_answer_that_may_pass_and_one_that_does_not(status, tries):
    """An overloaded server is asked again; a path that does not exist will not be there in a while either."""
    answer = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
    with scripted(answer) as port:
        made = reconnecting(f"http://127.0.0.1:{port}/", listen, tries=3, waits=at_once)
    assert [each.status for each in made] == [status] * tries


def test_the_waiting_begins_anew_after_a_switch(monkeypatch):
    """Once a connection was made, the next loss is a first one again; the delays are slept."""
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)

    async def leaves(stream):
        await stream.close(1001)

    with UpgradeServer(protocols={"websocket": leaves}) as server:
        made = reconnecting(server.url, listen, tries=4, waits=lambda: iter([1.0, 2.0, 4.0]))
    assert slept == [1.0, 1.0, 1.0]
    assert len(made) == 4


def test_what_makes_no_sense():
    """A list of messages wants nothing back, and the tries are bounded; other hosts need to be allowed."""
    with pytest.raises(WrongUse, match="handler"):
        reconnecting("http://127.0.0.1:1/", ["hello"])
    for tries in (0, 101, 1.5):
        with pytest.raises(WrongUse, match="1 to 100"):
            reconnecting("http://127.0.0.1:1/", listen, tries=tries)
    with pytest.raises(Refused):
        reconnecting("http://192.0.2.1/", listen)

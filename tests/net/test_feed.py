import threading
from contextlib import ExitStack
from functools import partial

from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits
from labkit.parties.feed import Feed
from labkit.wire.websocket import close_payload
from tests.net.peer import Peer
from tests.net.test_server import until
from tests.parties.driving import CLOSE, TEXT, asked, opening
from tests.parties.test_server import ANSWER_101

LARGE = b"x" * 60_000
MANY = 200  # of them are more than the kernel's buffers hold for a subscriber that does not read


def serving(feed: Feed, **limits) -> UpgradeServer:
    return UpgradeServer(protocols={"websocket": feed}, limits=Limits(recorded=1000, **limits))


def subscribe(server: UpgradeServer, feed: Feed, *, target: str = "/", buffer: int = 0) -> Peer:
    """Return a client that the feed counts, where it subscribes."""
    before = len(feed.subscribers)
    peer = Peer(server, buffer=buffer)
    peer.send(opening(start=f"GET {target} HTTP/1.1"))
    peer.read(len(ANSWER_101))
    assert target != "/" or until(lambda: len(feed.subscribers) == before + 1)
    return peer


def test_another_thread_publishes():
    """What threads publish reaches everybody, what one of them says in its order, and one subscriber as the other."""
    feed = Feed()

    def publish(name: int) -> None:
        for number in range(100):
            until(partial(feed.publish, f"{name} {number}"))

    with serving(feed) as server, subscribe(server, feed) as one, subscribe(server, feed) as other:
        threads = [threading.Thread(target=publish, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        heard = [one.message()[1].decode() for _ in range(400)]
        assert heard == [other.message()[1].decode() for _ in range(400)]
        for thread in threads:
            thread.join(5)
    for name in range(4):
        assert [line for line in heard if line[0] == str(name)] == [f"{name} {number}" for number in range(100)]
    assert (feed.published, feed.dropped, feed.subscribers) == (400, 0, ())


def test_a_thread_that_publishes_too_much_is_told():
    """What waits for the server's thread is bounded: while that is busy, more than 1,000 messages are refused."""
    feed, free = Feed(held=5000), threading.Event()
    with serving(feed) as server, subscribe(server, feed) as peer:
        busy = next(iter(feed._here))
        busy.soon(lambda: free.wait(5))
        taken = [feed.publish(f"{number}") for number in range(1200)]
        free.set()
        assert taken == [True] * 1000 + [False] * 200
        assert [peer.message()[1] for _ in range(1000)] == [b"%d" % number for number in range(1000)]
        assert until(lambda: feed.publish("again"))


def test_a_subscriber_that_reads_nothing_costs_the_others_nothing():
    """While it falls behind, and is disconnected, everybody else gets everything."""
    feed = Feed("disconnect", held=3)
    with ExitStack() as stack:
        server = stack.enter_context(serving(feed, close_time=10))
        quick = [stack.enter_context(subscribe(server, feed)) for _ in range(3)]
        slow = stack.enter_context(subscribe(server, feed, buffer=4096))
        producer = 0
        while len(feed.subscribers) == 4 and producer < MANY:
            assert feed.publish(b"%d " % producer + LARGE)
            assert {peer.message()[1][:6] for peer in quick} == {(b"%d " % producer + LARGE)[:6]}
            producer += 1
        assert 4 < producer < MANY
        assert [each.dropped for each in feed.subscribers] == [0, 0, 0]
        assert feed.dropped == 4
        opcode = 2
        while opcode != CLOSE:
            opcode, payload = slow.message()
        assert payload[:2] == close_payload(1008)


def test_a_producer_over_the_wire():
    """A program publishes by a WebSocket of its own, and others hear it."""
    feed = Feed(producer="/publish")
    with (
        serving(feed) as server,
        subscribe(server, feed) as peer,
        subscribe(server, feed, target="/publish") as producer,
    ):
        producer.send(asked(TEXT, b"news") * 2000)
        assert {peer.message() for _ in range(2000)} == {(TEXT, b"news")}
        assert feed.dropped == 0


def test_a_feed_outlives_its_server():
    """After a stop and another start the same feed goes on, and publishing in between goes nowhere."""
    feed = Feed()
    with serving(feed) as server, subscribe(server, feed):
        pass
    assert until(lambda: not feed.publish("nobody"))
    with server.start(), subscribe(server, feed) as peer:
        assert feed.publish("back")
        assert peer.message() == (TEXT, b"back")

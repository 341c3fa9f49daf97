import pytest

from labkit.errors import WrongUse
from labkit.parties.feed import Feed
from tests.parties.driving import TEXT, Served, asked, closing, head, opening
from tests.parties.test_chat import told


class Client(Served):
    """One client of a feed: a subscriber, or at the feed's own path the producer."""

    def __init__(self, feed: Feed, target: str = "/") -> None:
        super().__init__(protocols={"websocket": feed})
        self.feed(opening(start=f"GET {target} HTTP/1.1"))

    def heard(self) -> list[str]:
        return told(self)


def test_what_is_published_goes_to_every_subscriber():
    """A message goes to all who are there, in order, text or bytes; who comes later does not hear it."""
    feed = Feed()
    assert feed.publish("nobody is there") is False
    first = Client(feed, "/a")
    assert feed.publish("1") is True
    second = Client(feed, "/b")
    feed.publish("2")
    assert (first.heard(), second.heard()) == (["1", "2"], ["2"])
    first.feed(closing())
    feed.publish("3")
    assert (first.heard(), second.heard()) == (["close 1000"], ["3"])
    assert feed.published == 3
    assert feed.subscribers == ((2, "/b", 2, 0, 0),)


@pytest.mark.parametrize("path", ["/publish?key=1", "http://server.example.com/publish"])
def test_a_producer_at_a_path(path):
    """Each message at that path, in either form (RFC 9112, 3.2), goes to every subscriber, and to no producer; there is one at a time."""
    feed = Feed(producer="/publish")
    subscriber, producer = Client(feed), Client(feed, path)
    producer.feed(asked(TEXT, b"1"), asked(TEXT, b"2"))
    assert Client(feed, "/publish").heard() == ["close 1013"]
    assert subscriber.heard() == ["1", "2"]
    assert producer.heard() == []
    producer.feed(closing())
    Client(feed, "/publish").feed(asked(TEXT, b"3"))
    assert subscriber.heard() == ["3"]


def test_nobody_publishes_unless_told():
    """Without a path for a producer, whatever a client says is for nobody."""
    feed = Feed()
    subscriber, other = Client(feed), Client(feed, "/publish")
    other.feed(asked(TEXT, b"I am the feed"))
    assert subscriber.heard() == other.heard() == []


def test_many_messages_at_once_are_no_reason_to_lose_any():
    """Of a producer's burst, the connections write in between: whoever reads misses nothing."""
    feed = Feed(producer="/publish", held=1)
    subscriber, producer = Client(feed), Client(feed, "/publish")
    for number in range(600):
        producer.party.receive(asked(TEXT, b"%d " % number + b"x" * 1000))
    heard = []
    while producer._steps.step() or producer.party.deadline <= producer.clock.now:
        heard += subscriber.heard()
        producer.party.tick()
    assert [int(text.split()[0]) for text in heard] == list(range(600))
    assert feed.dropped == 0


@pytest.mark.parametrize(("policy", "left"), [("drop oldest", ["3", "4"]), ("drop newest", ["1", "2"])])
def test_a_subscriber_that_falls_behind(policy, left):
    """Others miss nothing; it misses what the policy says, and is told apart by its counts."""
    feed = Feed(policy, held=2)
    quick, slow = Client(feed), Client(feed)
    slow.party.writable(False)
    for number in "1234":
        feed.publish(number)
    assert quick.heard() == ["1", "2", "3", "4"]
    assert [(each.sent, each.waiting, each.dropped) for each in feed.subscribers] == [(4, 0, 0), (0, 2, 2)]
    slow.party.writable(True)
    assert slow.heard() == left
    slow.feed(closing())
    assert feed.dropped == 2


def test_a_subscriber_is_disconnected():
    """With "disconnect" it gets a Close of 1008, and the feed counts what it missed."""
    feed = Feed("disconnect", held=2)
    slow = Client(feed)
    slow.party.writable(False)
    for number in "1234":
        feed.publish(number)
    slow.settle()
    assert feed.subscribers == ()
    slow.party.writable(True)
    assert slow.heard() == ["close 1008"]
    assert feed.dropped == 3


def test_signs_of_life():
    """Each heartbeat brings a Ping, or the message that is told, also to a subscriber that talks."""
    for beat, sign in ((None, "ping"), ("still here", "still here")):
        feed = Feed(heartbeat=10, beat=beat)
        client = Client(feed)
        client.wait(9)
        client.feed(asked(TEXT, b"hello"))
        client.wait(22)
        assert client.heard() == [sign] * 3
        assert feed.subscribers[0].sent == (3 if beat else 0)


def test_a_feed_has_its_bounds():
    """One subscriber more than it takes gets a Close with 1013, try again later."""
    feed = Feed(most=1)
    Client(feed)
    assert Client(feed).heard() == ["close 1013"]


def test_any_protocol_can_be_fed():
    """Plain bytes after the switch are a feed as well, where the sign of life is a message."""
    feed = Feed(beat=b".", heartbeat=10)
    served = Served(protocols={"ticks": feed})
    served.feed(head("Host: a", "Connection: Upgrade", "Upgrade: ticks"))
    feed.publish(b"1")
    served.wait(11)
    assert served.said.endswith(b"\r\n\r\n1.")


@pytest.mark.parametrize("message", [1, None, ["a"], "\ud800"])
def test_only_messages_are_published(message):
    """Anything else is told to whoever publishes it, whether somebody listens or not."""
    with pytest.raises(WrongUse, match="publish"):
        Feed().publish(message)
    with pytest.raises(WrongUse):
        Feed(beat=message if message is not None else 1)


@pytest.mark.parametrize("wrong", [{"when_full": "wait"}, {"held": 0}, {"size": 0}, {"heartbeat": 0}, {"most": "1"}])
def test_bounds_that_make_no_sense(wrong):
    """A feed without bounds is refused when it is made."""
    with pytest.raises(WrongUse):
        Feed(**wrong)

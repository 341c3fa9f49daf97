import pytest

from labkit.errors import WrongUse
from labkit.parties.chat import Chat
from labkit.parties.party import Ending
from labkit.wire.websocket import scan
from tests.parties.driving import BINARY, PING, TEXT, Served, asked, closing, opening


class Guest(Served):
    """One guest of a chat, at a target such as `/tea?name=Ada`."""

    def __init__(self, chat: Chat, target: str) -> None:
        super().__init__(protocols={"websocket": chat})
        self.feed(opening(start=f"GET {target} HTTP/1.1"))

    def say(self, *texts: str) -> None:
        self.feed(*[asked(TEXT, text.encode()) for text in texts])

    def heard(self) -> list[str]:
        return told(self)


def told(served: Served) -> list[str]:
    """Return what was told since the last time: texts, `close CODE`, `ping`."""
    served.settle()
    if served.said.startswith(b"HTTP/"):
        served.said = served.said.partition(b"\r\n\r\n")[2]
    said, served.said = served.said, b""
    return [shown(frame.opcode, frame.payload_of(said)) for frame in scan(said)]


def shown(opcode: int, payload: bytes) -> str:
    if opcode == TEXT:
        return payload.decode()
    return "ping" if opcode == PING else f"close {int.from_bytes(payload[:2], 'big')}"


def company(*names: str, **told) -> list[Guest]:
    """Return guests of one room, who have heard each other come in."""
    chat = Chat(**told)
    guests = [Guest(chat, f"/?name={name}") for name in names]
    for guest in guests:
        guest.heard()
    return guests


def test_a_chat():
    """Who comes in is told who is there; what is said, and who comes and leaves, is told to all in the room."""
    chat = Chat()
    ada = Guest(chat, "/tea?name=Ada")
    assert ada.heard() == ["* Ada came in"]
    bob = Guest(chat, "/tea?name=Bob")
    assert bob.heard() == ["* here: Ada", "* Bob came in"]
    assert chat.rooms == {"/tea": ("Ada", "Bob")}
    bob.say("hello, Ada")
    ada.feed(closing())
    assert ada.heard() == ["* Bob came in", "Bob: hello, Ada", "close 1000"]
    assert bob.heard() == ["Bob: hello, Ada", "* Ada left"]
    bob.feed(closing())
    assert chat.rooms == {}


def test_rooms_are_apart():
    """What is said in one room is not heard in another, and a name may be in both."""
    chat = Chat()
    tea, milk = Guest(chat, "/tea?name=Ada"), Guest(chat, "http://server.example.com/milk?name=Ada")
    tea.say("anybody?")
    assert milk.heard() == ["* Ada came in"]
    assert chat.rooms == {"/tea": ("Ada",), "/milk": ("Ada",)}


def test_whoever_has_no_name_is_asked():
    """Without a name in the query the first message is it; one that cannot be is asked for again, five times."""
    chat = Chat()
    Guest(chat, "/?name=Ada")
    guest = Guest(chat, "/")
    guest.say("ada", "a\x1b[2J", "* Bob", "x" * 25)
    assert guest.heard() == [
        "* who are you? your first message is your name",
        "* somebody here has that name; say another",
        *["* a name has no control characters, and no : * or ,; say another"] * 2,
        "* a name has 1 to 24 characters; say another",
    ]
    guest.say("  Bob ", "hello")
    assert guest.heard() == ["* here: Ada", "* Bob came in", "Bob: hello"]
    other = Guest(chat, "/")
    other.feed(*[asked(BINARY, b"Cleo")] * 5)
    assert other.heard()[-1] == "close 1008"
    assert chat.rooms == {"/": ("Ada", "Bob")}


def test_names_are_those_of_the_query():
    """A name may be of any language; the same one in another case, or written of other code points, is taken."""
    chat = Chat()
    assert Guest(chat, "/?name=J%C3%BCrgen+Z").heard() == ["* Jürgen Z came in"]
    assert Guest(chat, "/?name=JU%CC%88RGEN%20Z").heard() == ["* somebody here has that name; say another"]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (asked(TEXT, b"a" * 51), "51 characters; 50 are the most"),
        (asked(TEXT, b"hello\nAda: I am a fool"), "it has the control character U+000A"),
        (asked(TEXT, "\u202edlrow".encode()), "it has the control character U+202E"),
        (asked(TEXT, b" "), "there is nothing in it"),
        (asked(BINARY, b"hello"), "only text is"),
    ],
    ids=["long", "line", "bidi", "blank", "bytes"],
)
def test_what_is_not_passed_on(message, problem):
    """What could pass for something else, or is too much, is told to nobody but its guest."""
    ada, bob = company("Ada", "Bob", longest=50)
    bob.feed(message)
    assert bob.heard() == [f"* not passed on: {problem}"]
    assert ada.heard() == []


def test_nothing_is_escaped():
    """Text is passed on as it is, an emoji of several code points too: whoever shows it must show it as text."""
    ada, bob = company("Ada", "Bob")
    bob.say("<b>&amp;</b> 👩\u200d💻")
    assert ada.heard()[-1] == "Bob: <b>&amp;</b> 👩\u200d💻"


def test_a_slow_guest_stalls_nobody():
    """While one guest reads nothing, the others hear each other; what waits for that one comes in order."""
    ada, bob, slow = company("Ada", "Bob", "Slow", held=100)
    slow.party.writable(False)
    for number in range(20):
        ada.say(f"{number}")
        ada.clock.now += 1
        assert bob.heard()[-1] == f"Ada: {number}"
    assert slow.heard() == []
    slow.party.writable(True)
    assert slow.heard() == [f"Ada: {number}" for number in range(20)]


def test_whoever_falls_too_far_behind_is_disconnected():
    """Such a guest gets a Close that says why, and to the others has left."""
    ada, slow = company("Ada", "Slow", held=3)
    slow.party.writable(False)
    ada.say("1", "2", "3", "4", "5")
    slow.settle()
    assert ada.heard()[-2:] == ["Ada: 5", "* Slow left"]
    slow.party.writable(True)
    assert slow.heard() == ["close 1008"]


def test_a_guest_who_falls_behind_may_stay():
    """With "drop oldest" such a guest misses what is oldest, and the chat counts it."""
    chat = Chat("drop oldest", held=2)
    ada, slow = Guest(chat, "/?name=Ada"), Guest(chat, "/?name=Slow")
    slow.heard()
    slow.party.writable(False)
    ada.say("1", "2", "3")
    slow.party.writable(True)
    assert slow.heard() == ["Ada: 2", "Ada: 3"]
    slow.feed(closing())
    assert chat.dropped == 1


def test_a_fast_talker_is_read_more_slowly():
    """After ten messages at once, a guest is heard at the chat's rate; nothing is lost, and nobody else is held up."""
    ada, bob = company("Ada", "Bob", rate=2)
    ada.say(*map(str, range(14)))
    assert bob.heard()[-1] == "Ada: 9"
    ada.wait(1)
    assert bob.heard() == ["Ada: 10", "Ada: 11"]
    bob.say("slower!")
    assert ada.heard()[-1] == "Bob: slower!"
    ada.wait(1)
    assert bob.heard() == ["Bob: slower!", "Ada: 12", "Ada: 13"]


def test_a_full_room():
    """One guest more than the room holds gets a Close with 1013, try again later; another room is open."""
    chat = Chat(guests=1)
    Guest(chat, "/?name=Ada")
    assert Guest(chat, "/?name=Bob").heard() == ["close 1013"]
    assert Guest(chat, "/milk?name=Bob").heard() == ["* Bob came in"]


def test_a_silent_guest_gets_pings():
    """A guest who listens for long is not taken for dead: each heartbeat brings a Ping (RFC 6455, 5.5.2)."""
    (ada,) = company("Ada", heartbeat=10)
    ada.wait(61)
    assert ada.heard() == ["ping"] * 6
    assert ada.party.ending is Ending.NOT_YET


def test_a_guest_who_breaks_the_protocol_leaves():
    """However a guest goes, the others are told."""
    ada, bob = company("Ada", "Bob")
    bob.feed(asked(TEXT, b"\xff"))
    bob.eof()
    assert ada.heard() == ["* Bob left"]


@pytest.mark.parametrize("wrong", [{"when_full": "wait"}, {"held": 0}, {"longest": "1"}, {"rate": 0}, {"guests": -1}])
def test_bounds_that_make_no_sense(wrong):
    """A chat without bounds is refused when it is made, not when it is full."""
    with pytest.raises(WrongUse):
        Chat(**wrong)

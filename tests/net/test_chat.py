import threading

from labkit.net.client import ask
from labkit.net.server import UpgradeServer
from labkit.parties.chat import Chat
from labkit.parties.described import Limits
from labkit.parties.offer import Offer
from labkit.trace import Direction
from labkit.wire.websocket import close_payload
from tests.net.peer import Peer
from tests.net.test_server import until
from tests.parties.driving import CLOSE, TEXT, asked, opening
from tests.parties.test_server import ANSWER_101

LARGE = b"x" * 60_000
MANY = 200  # of them are more than the kernel's buffers hold for a guest who does not read


def enter(server: UpgradeServer, name: str, *, buffer: int = 0) -> Peer:
    """Return a guest who has been told that they came in."""
    peer = Peer(server, buffer=buffer)
    peer.send(opening(start=f"GET /?name={name} HTTP/1.1"))
    peer.read(len(ANSWER_101))
    while peer.message()[1] != f"* {name} came in".encode():
        pass
    return peer


def serving(chat: Chat, **limits) -> UpgradeServer:
    return UpgradeServer(protocols={"websocket": chat}, limits=Limits(recorded=1000, **limits))


def speak_until_left(ada: Peer, *others: Peer) -> int:
    """Let a guest say large messages, which everybody hears, until it is told that somebody left; return how many."""
    for number in range(MANY):
        ada.send(asked(TEXT, LARGE))
        heard = {peer.message() for peer in (ada, *others)}
        if heard == {(TEXT, b"* Slow left")}:
            return number
        assert heard == {(TEXT, b"Ada: " + LARGE)}
    return MANY


def test_a_guest_who_reads_nothing_stalls_nobody():
    """Whoever does not read is disconnected once too much waits: everybody else hears all, and is told who left."""
    chat = Chat(longest=1 << 16, rate=1e6, held=3)
    with serving(chat, close_time=10) as server, enter(server, "Ada") as ada, enter(server, "Bob") as bob:
        assert ada.message() == (TEXT, b"* Bob came in")
        with enter(server, "Slow", buffer=4096) as slow:
            assert ada.message() == bob.message() == (TEXT, b"* Slow came in")
            assert 3 < speak_until_left(ada, bob) < MANY
            assert chat.rooms == {"/": ("Ada", "Bob")}
            opcode = TEXT
            while opcode == TEXT:  # what the kernel holds for Slow is whole messages, and then the Close
                opcode, payload = slow.message()
                assert opcode == CLOSE or payload in (b"Ada: " + LARGE, b"* Slow came in")
            assert payload == close_payload(1008, "you fell behind: 3 messages (180015 bytes) waited for you")
        assert chat.dropped == 4


def test_what_waits_is_bounded_and_comes_in_order():
    """Whoever reads again, with "drop oldest", hears what was written before, a gap, and then the newest."""
    chat = Chat("drop oldest", longest=1 << 16, rate=1e6, held=4)
    with serving(chat) as server, enter(server, "Ada") as ada, enter(server, "Slow", buffer=4096) as slow:
        assert ada.message() == (TEXT, b"* Slow came in")
        for number in range(MANY):
            ada.send(asked(TEXT, b"%d " % number + LARGE))
            assert ada.message()[1].startswith(b"Ada: %d x" % number)
        assert max(wire.transport.get_write_buffer_size() for wire in server._engine.open) < 1 << 20
        heard: list[int] = []
        while not heard or heard[-1] < MANY - 1:
            heard.append(int(slow.message()[1].split()[1]))
        assert heard == sorted(heard)
        assert heard[-4:] == list(range(MANY - 4, MANY))
        assert 4 < len(heard) < MANY


def test_many_guests_at_once():
    """Guests who talk at the same time hear the same messages in the same order."""
    chat, heard, people = Chat(rate=1e6), [], 8

    async def talk(stream):
        while len(chat.rooms.get("/", ())) < people:
            await stream.sleep(0.005)
        for number in range(50):
            await stream.send(f"{number}")
        lines = []
        while len(lines) < 50 * people:
            line = await stream.receive(5)
            lines += [line] if line[0] != "*" else []
        heard.append(lines)

    def guest(number: int) -> None:
        ask(server.url, Offer.websocket(f"/?name=guest{number}"), talk)

    with serving(chat) as server:
        threads = [threading.Thread(target=guest, args=(number,)) for number in range(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(heard) == people
        assert all(each == heard[0] for each in heard)
        assert sorted(heard[0]) == sorted(f"guest{each}: {number}" for each in range(people) for number in range(50))
        assert until(lambda: chat.rooms == {})


def test_the_room_is_told_when_a_connection_breaks():
    """A guest whose connection is reset has left, too."""
    with serving(Chat()) as server, enter(server, "Ada") as ada:
        enter(server, "Bob").reset()
        assert [ada.message()[1] for _ in range(2)] == [b"* Bob came in", b"* Bob left"]


def test_guests_leave_when_the_server_stops():
    """Stopping the server says goodbye to every guest, with 1001."""
    chat = Chat()
    with serving(chat) as server, enter(server, "Ada") as ada:
        server.stop()
        assert ada.rest()[2:4] == (1001).to_bytes(2, "big")
    assert until(lambda: chat.rooms == {})
    assert server.trace.stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 101")

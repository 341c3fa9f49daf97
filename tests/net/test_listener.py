import gc
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

import labkit
from labkit.errors import Failed, Refused, WrongUse
from labkit.net.client import ask
from labkit.net.listener import _why_not, running
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.scenario import Scenario
from labkit.simulation import simulate
from tests.net.peer import Peer
from tests.parties.driving import opening


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("labkit")]


def descriptors() -> int:
    """Count the open descriptors of this process, where the system tells."""
    gc.collect()
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=["server", "tap"])
def make(request):
    """Make a server, or a tap: both listen in the same way."""
    if request.param == "server":
        yield UpgradeServer
    else:
        with socket.create_server(("127.0.0.1", 0)) as target:
            yield lambda **options: Tap(f"127.0.0.1:{target.getsockname()[1]}", **options)


def test_with_starts_and_stops(make):
    """`with` starts a thread and a socket, and leaves neither."""
    with make() as listener:
        assert listener.running
        assert listener.url == f"http://127.0.0.1:{listener.port}/"
        assert threads() == [f"labkit {listener.kind}"]
        Peer(listener).socket.close()
    assert not listener.running
    assert threads() == []
    with pytest.raises(ConnectionRefusedError):
        Peer(listener)


def test_starting_and_stopping_twice_is_no_harm(make):
    """A second start or stop does nothing, and a stopped one can be started again."""
    listener = make()
    assert listener.start() is listener.start()
    assert len(threads()) == 1
    listener.stop()
    listener.stop()
    assert threads() == []
    with listener, listener:
        assert listener.running
        Peer(listener).socket.close()
    assert not listener.running


def test_the_same_cell_can_be_run_twice(make):
    """Starting on a port that an earlier one of this process holds takes its place."""
    port = free_port()
    first = make(port=port).start()
    second = make(port=port).start()
    assert not first.running
    assert second.running
    assert second.port == port
    assert len(threads()) == 1
    second.stop()


def test_a_server_can_be_restarted_at_once_on_its_port():
    """Connections of before do not hold the port."""
    port = free_port()
    for _ in range(3):
        with UpgradeServer(port=port) as server:
            ask(server.url)


def test_the_traces_stay():
    """What was recorded can be had after the stop, and after the next start too."""
    server = UpgradeServer()
    with server:
        ask(server.url)
    assert server.trace == simulate(Scenario())
    with server:
        ask(server.url)
        assert len(server.traces) == 2
    assert server.traces[0] == server.traces[1]


def test_a_forgotten_listener_is_collected(make):
    """A handle that nobody holds any more takes its thread and socket with it."""
    listener = make().start()
    port, gone = listener.port, weakref.ref(listener)
    del listener
    gc.collect()
    assert gone() is None
    assert threads() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_listener_may_be_collected_in_its_own_thread():
    """The collector runs in any thread, the listener's own too; it still ends."""
    done = threading.Event()

    async def collect(stream):
        gc.collect()
        done.set()

    server = UpgradeServer(protocols={"websocket": collect}).start()
    ring = [server]
    ring.append(ring)  # only the collector frees it
    with Peer(server) as peer:
        del server, ring
        peer.send(opening())
        assert done.wait(5)
        peer.rest()
    until = time.monotonic() + 5
    while threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert threads() == []


def test_threads_may_start_listeners_while_others_ask_who_runs():
    """What runs is told to one thread while another starts and stops."""
    over = threading.Event()
    told = []

    def start_and_stop():
        while not over.is_set():
            with UpgradeServer():
                pass

    threads = [threading.Thread(target=start_and_stop, daemon=True) for _ in range(3)]
    for each in threads:
        each.start()
    try:
        for _ in range(20_000):
            told.append(len(running()))
    finally:
        over.set()
        for each in threads:
            each.join(20)
    assert max(told) >= 1


def test_stop_all_stops_all():
    """Every server and tap of the process is stopped at once; what they recorded stays."""
    servers = [UpgradeServer().start() for _ in range(3)]
    tap = Tap(servers[0].url).start()
    ask(tap.url)
    assert len({server.port for server in servers}) == 3
    labkit.stop_all()
    assert threads() == []
    assert not any(each.running for each in (*servers, tap))
    assert tap.trace.stream(labkit.Direction.TO_SERVER) == servers[0].trace.stream(labkit.Direction.TO_SERVER)


def test_a_handler_may_stop_its_own_server():
    """Stopping from inside the server's own thread neither hangs nor fails."""
    held = []

    async def stop(stream):
        held[0].stop()

    server = UpgradeServer(protocols={"websocket": stop}).start()
    held.append(server)
    with Peer(server) as peer:
        peer.send(opening())
        peer.rest()
    until = time.monotonic() + 5
    while threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert not server.running


ENDINGS = {
    "at the end": "",
    "by an error": "raise ValueError",
    "by sys.exit": "sys.exit(0)",
    "with a connection open": "peer = socket.create_connection(('127.0.0.1', server.port)); peer.send(b'GET')",
    "with a handler at work": (
        "peer = socket.create_connection(('127.0.0.1', server.port)); "
        "peer.send(labkit.Offer.websocket().to_bytes()); peer.recv(10)"
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_everything_ends_with_the_interpreter(name):
    """A script that forgets to stop ends at once, and in silence."""
    script = (
        "import labkit, socket, sys, warnings\nwarnings.simplefilter('error')\n"
        "async def long(stream):\n    import asyncio\n    await asyncio.sleep(1000)\n"
        "server = labkit.UpgradeServer(protocols={'websocket': long}).start()\n"
        f"tap = labkit.Tap(server.url).start()\n{ENDINGS[name]}\n"
    )
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert time.monotonic() - began < 10
    if name == "by an error":
        assert ended.stderr.strip().splitlines()[-1] == "ValueError"
    else:
        assert [line for line in ended.stderr.splitlines() if "peer" not in line and "socket" not in line] == []


def test_a_port_that_is_taken_is_named():
    """A port that another program holds is told in one line, with what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Failed, match=f"{port}: another program holds this port"):
            UpgradeServer(port=port).start()
    assert threads() == []


def test_a_port_for_root_is_named():
    """A port that only root may have is told to be one."""
    assert "below 1024 are for root" in _why_not("127.0.0.1", 80, PermissionError(13, "Permission denied"))


def test_an_address_that_is_not_here_is_named(make):
    """An address that this machine does not have cannot be listened on, and no thread stays."""
    with pytest.raises(Failed, match=r"cannot listen on 192\.0\.2\.1:0"):
        make(host="192.0.2.1", allow_remote=True).start()
    assert threads() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", ""])
def test_only_loopback_is_listened_on(make, host):
    """Anything but loopback is refused, and the flag that allows it named (the lab stays on this machine)."""
    with pytest.raises(Refused, match="allow_remote=True"):
        make(host=host)


@pytest.mark.parametrize("port", [-1, 65536, "80", None, 1.5])
def test_a_port_is_a_number(make, port):
    """A port that is none is told when the listener is made."""
    with pytest.raises(WrongUse, match="a port is a number"):
        make(port=port)


def test_ipv6_is_listened_on():
    """The loopback of IPv6 is loopback too."""
    try:
        server = UpgradeServer(host="::1").start()
    except Failed:
        pytest.skip("this machine has no IPv6")
    with server:
        assert server.url.startswith("http://[::1]:")
        assert ask(server.url) == simulate(Scenario())


def test_before_the_first_connection_there_is_no_trace(make):
    """A trace that is not there is told so, and a port before the start too."""
    with pytest.raises(Failed, match="not started"):
        _ = make().port
    with make() as listener, pytest.raises(WrongUse, match="nothing has connected"):
        _ = listener.trace
    assert make().traces == ()


def test_old_traces_go_first():
    """A listener keeps a number of traces, the newest."""
    with UpgradeServer(limits=labkit.Limits(traces=3)) as server:
        for number in range(5):
            ask(server.url, labkit.Offer.plain(f"/{number}"))
        kept = [trace.stream(labkit.Direction.TO_SERVER)[:6] for trace in server.traces]
    assert kept == [b"GET /2", b"GET /3", b"GET /4"]


def test_repr_says_whether_it_runs(make):
    """A listener shows whether it runs, and no address of memory."""
    with make() as listener:
        assert repr(listener).endswith("running>")
    assert repr(listener).endswith("stopped>")
    assert "0x" not in repr(listener)


def test_many_starts_leave_nothing(make):
    """A cell that is run again and again leaves no thread and no descriptor."""
    before = descriptors()
    for _ in range(30):
        with make() as listener, Peer(listener) as peer:
            peer.send(b"GET")
    assert threads() == []
    assert descriptors() <= before

"""A unix socket that leads to a TCP address: what passes it, who may use it, and that nothing is left of it."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labkit.errors import Failed
from labkit.net import tap
from labkit.net.address import Address
from labkit.net.server import UpgradeServer
from labkit.net.socket_door import can_stand, socket_door
from labkit.parties.offer import Offer
from labkit.trace import Direction, How
from tests.net.peer import scripted
from tests.net.test_server import until
from tests.parties.driving import opening

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no unix sockets here")


@pytest.fixture
def file() -> Iterator[Path]:
    """Return a short path: pytest's own folders have long names."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "s")


@contextmanager
def through(file: Path, port: int) -> Iterator[socket.socket]:
    """Connect to a door before a port."""
    with socket_door(file, Address("127.0.0.1", port)), socket.socket(socket.AF_UNIX) as end:
        end.settimeout(10)
        end.connect(str(file))
        yield end


def rest(end: socket.socket) -> bytes:
    """Read to the end; a reset is an end too."""
    data = b""
    try:
        while more := end.recv(65536):
            data += more
    except ConnectionError:
        pass
    return data


def test_bytes_pass_both_ways(file):
    """What a program says to the socket the server hears, and its answer comes back; the server alone records it."""
    with UpgradeServer() as server, through(file, server.port) as end:
        end.sendall(Offer.websocket().to_bytes())
        assert end.recv(12) == b"HTTP/1.1 101"
        (trace,) = server.traces
        assert trace.stream(Direction.TO_SERVER) == Offer.websocket().to_bytes()


def test_a_half_close_is_passed_on(file):
    """A FIN ends one direction alone; what the server still says comes through, and then its own FIN."""

    async def late(stream):
        async for _ in stream:
            pass
        await stream.sleep(0.05)
        await stream.send(b"still here")

    with UpgradeServer(protocols={"x": late}) as server, through(file, server.port) as end:
        end.sendall(Offer.custom("x").to_bytes())
        assert end.recv(12) == b"HTTP/1.1 101"
        end.shutdown(socket.SHUT_WR)
        assert rest(end).endswith(b"\r\n\r\nstill here")
        assert [server.trace.end(way) for way in Direction] == [How.FIN, How.FIN]


def test_what_the_server_breaks_off_is_over(file):
    """A RST of the server comes out as an end, behind all that it had said."""
    with scripted(b"no", then="reset") as port, through(file, port) as end:
        end.sendall(b"hello")
        assert rest(end) == b"no"


def test_what_the_program_breaks_off_is_broken_off(file):
    """A program that goes with bytes unread, as one that is killed, is a RST to the server."""
    with UpgradeServer() as server, through(file, server.port) as end:
        end.sendall(opening())
        assert end.recv(12) == b"HTTP/1.1 101"
        end.close()
        assert until(lambda: server.trace.end(Direction.TO_SERVER) is How.RESET)


def test_where_nothing_listens_the_program_is_broken_off(file):
    """The socket takes a connection first, so the program sees its end, each time."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        with through(file, nowhere.getsockname()[1]) as end:
            for _ in range(3):
                with socket.socket(socket.AF_UNIX) as more:
                    more.connect(str(file))
                    assert rest(more) == b""
            assert rest(end) == b""


def test_a_server_that_reads_nothing_holds_the_program_up(file):
    """Back-pressure passes: no more is taken than buffers hold."""
    with socket.create_server(("127.0.0.1", 0)) as listening, through(file, listening.getsockname()[1]) as end:
        there, _ = listening.accept()
        end.settimeout(0.3)
        sent = 0
        with there, contextlib.suppress(TimeoutError):
            while sent < 64 << 20:
                sent += end.send(b"x" * 65536)
        assert 0 < sent < 64 << 20


def test_all_that_was_held_up_arrives(file):
    """Three megabytes pass a door in both directions, in order."""
    data = bytes(range(256)) * 4096 * 3

    async def back(stream):
        async for more in stream:
            await stream.send(more)

    with UpgradeServer(protocols={"x": back}) as server, through(file, server.port) as end:
        end.sendall(Offer.custom("x").to_bytes())
        assert end.recv(4096).startswith(b"HTTP/1.1 101")
        got = b""
        for at in range(0, len(data), 65536):
            end.sendall(data[at : at + 65536])
            while len(got) < at + 65536:
                got += end.recv(65536)
        assert got == data


def test_too_many_connections_are_broken_off(file, monkeypatch):
    """A door holds no more than the process has descriptors for; one more ends at once."""
    monkeypatch.setattr(tap, "room", lambda: 2)
    with UpgradeServer() as server, through(file, server.port) as end, socket.socket(socket.AF_UNIX) as more:
        end.sendall(opening())
        assert end.recv(12) == b"HTTP/1.1 101"
        more.connect(str(file))
        assert rest(more) == b""


def test_it_is_gone_with_its_block(file):
    """When the block is left, what is open ends soon, and nobody can connect any more."""
    with UpgradeServer() as server:
        with through(file, server.port) as end:
            end.sendall(opening())
            end.recv(4096)
            kept = end.dup()
            began = time.monotonic()
        assert rest(kept) == b""
        kept.close()
        assert time.monotonic() - began < 2
        with socket.socket(socket.AF_UNIX) as late, pytest.raises(OSError, match=r"refused|No such file"):
            late.connect(str(file))


def test_whoever_enters_the_folder_may_connect(file):
    """The program may run as another user than the lab: the folder around the socket is what keeps others out."""
    with through(file, 1):
        assert file.stat().st_mode & 0o777 == 0o666


def test_a_path_has_a_longest_length(file, monkeypatch):
    """107 bytes in Linux; and where there are no unix sockets, none can stand anywhere."""
    longest = 107 if sys.platform == "linux" else 103
    whole = file.with_name("x" * (longest - len(str(file.parent)) - 1))
    assert can_stand(whole)
    assert not can_stand(Path(f"{whole}x"))
    assert not can_stand(whole.with_name(whole.name[:-1] + "é"))
    with UpgradeServer() as server, through(whole, server.port):
        pass
    monkeypatch.delattr(socket, "AF_UNIX")
    assert not can_stand(file)


def test_what_cannot_be_made_is_told(file):
    """Where there is no such folder the error says so, without the folder's name; no thread is left."""
    with pytest.raises(Failed, match=r"^cannot listen on the socket s: No such file or directory$"):
        socket_door(file.parent / "not" / "s", Address("127.0.0.1", 1)).__enter__()

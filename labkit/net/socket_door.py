"""A unix socket that leads to a TCP address of this machine, for a program that dials a path and keeps the host's name.

apache ─▶ FOLDER/upstream ─▶ 127.0.0.1:PORT        nothing is recorded here: what is behind does that

Two things a unix socket cannot do. It knows no RST: where the far side breaks off, the program sees an end, and a
RST only where it had sent what nobody read. Apache 2.4.71 does the same with both, held against TCP in nothing, half
an answer and a tunnel; but content that only the end of the connection ends is whole to it after an end, and broken
off after a RST. And a socket takes a connection before anybody knows whether what is behind takes one: where nothing
listens there, no door is to stand before it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.errors import Failed
from labkit.net.address import Address
from labkit.net.listener import Engine
from labkit.net.tap import relays
from labkit.recording import Recording

__all__ = ["can_stand", "socket_door"]

_LONGEST = 107 if sys.platform == "linux" else 103  # bytes of a path, by the sun_path of unix(7) and unix(4)
_START_TIME = 5.0  # seconds
_WAITING = 128  # connections that nobody has taken yet


def can_stand(file: Path) -> bool:
    """Tell whether a unix socket can have this path: not everywhere there are any, and a path is short.

    >>> can_stand(Path("/tmp") / ("x" * 108))
    False
    """
    return hasattr(socket, "AF_UNIX") and len(os.fsencode(file)) <= _LONGEST


@contextmanager
def socket_door(file: Path, target: Address) -> Iterator[None]:
    r"""Relay what connects to a unix socket to a TCP address, while the `with` block lasts.

    Bytes, ends and back-pressure are passed on as a `Tap` does. Anybody who can enter the socket's folder may connect.

    Args:
        file: the path of the socket; nothing is there yet.
        target: where it leads.

    Raises:
        Failed: the socket cannot be made.

    >>> import tempfile
    >>> from labkit.net.server import UpgradeServer
    >>> with tempfile.TemporaryDirectory() as folder, UpgradeServer() as server, socket.socket(socket.AF_UNIX) as end:
    ...     with socket_door(Path(folder, "s"), Address(server.host, server.port)):
    ...         end.connect(f"{folder}/s")
    ...         _ = end.send(b"GET / HTTP/1.0\r\n\r\n")
    ...         end.recv(12)
    b'HTTP/1.1 200'
    """
    engine = Engine("labkit door", deque())
    engine.thread.start()
    try:
        try:
            engine.thread.run(_listen(engine, file, target), _START_TIME)
            file.chmod(0o666)  # a program may run as nobody; the folder is private
        except (OSError, TimeoutError) as error:
            raise Failed(f"cannot listen on the socket {file.name}: {error.strerror or 'it took too long'}") from None
        yield
    finally:
        engine.thread.stop()


async def _listen(engine: Engine, file: Path, target: Address) -> None:
    loop = asyncio.get_running_loop()
    made = relays(engine, target, lambda: Recording(loop.time, limit=0), lambda _: None)
    engine.server = await loop.create_unix_server(made, str(file), backlog=_WAITING)

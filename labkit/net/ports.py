"""Free ports of loopback for programs that are told where to listen."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["answers", "held_ports"]

_DIAL_TIME = 0.2  # seconds


@contextmanager
def held_ports(number: int) -> Iterator[tuple[int, ...]]:
    """Find free ports of 127.0.0.1, and see that nobody else is given them while the `with` block lasts.

    Each is bound and not listened on. In Linux a program that sets SO_REUSEADDR, as servers do, can still listen
    there, and nobody else is handed the port; elsewhere the ports are let go at once.

    >>> with held_ports(2) as ports:
    ...     len(set(ports)), [answers(port) for port in ports]
    (2, [False, False])
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        ports = tuple(int(each.getsockname()[1]) for each in sockets)
        if sys.platform != "linux":
            held.close()
        yield ports


def answers(port: int) -> bool:
    """Tell whether somebody takes a connection on a port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), _DIAL_TIME).close()
    except OSError:
        return False
    return True

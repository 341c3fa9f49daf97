"""Ports that are free, and stay so until their program listens."""

from __future__ import annotations

import socket
import sys

import pytest

from labkit.net.ports import answers, held_ports


def test_a_held_port_is_free_and_refuses():
    """Nobody answers on it, so a client is refused as if nobody were there."""
    with held_ports(3) as ports:
        assert len(set(ports)) == 3
        assert not any(answers(port) for port in ports)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ports are not held")
def test_a_server_can_listen_on_a_held_port_and_nobody_else_is_given_it():
    """What sets SO_REUSEADDR listens; what does not is told that the port is taken."""
    with held_ports(1) as [port], socket.socket() as server, socket.socket() as other:
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        assert answers(port)

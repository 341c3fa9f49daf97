"""A program is given a recording listener, and its traces are asked of it."""

from __future__ import annotations

import socket

import pytest

from labkit.errors import Refused, WrongUse
from labkit.net.address import parse_url
from labkit.net.client import ask
from labkit.net.listener import running
from labkit.net.reach import connect_to, in_place, reach
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap


def test_an_own_server_records_for_itself():
    """Towards the lab's own server nothing is put in between; the run's traces are those made since."""
    with UpgradeServer() as server:
        ask(server.url)
        with reach(parse_url(server.url)) as reached:
            assert (reached.host, reached.port) == (server.host, server.port)
            assert reached.own
            trace = ask(server.url)
            assert reached.traces() == (trace,)


def test_a_foreign_server_gets_a_tap():
    """Anything else on loopback is reached through a tap."""
    with socket.create_server(("127.0.0.1", 0)) as foreign, reach(parse_url(_url(foreign))) as reached:
        assert reached.port != foreign.getsockname()[1]
        assert not reached.own


def test_an_own_server_without_traces_gets_a_tap():
    """A server that records nothing is recorded from outside; it is the lab's own all the same."""
    with UpgradeServer(record=False) as server, reach(parse_url(server.url)) as reached:
        assert reached.port != server.port
        assert reached.own
        ask(f"http://{reached.place}/")
        assert len(reached.traces()) == 1


def test_an_own_tap_is_used_as_it_is():
    """A tap of the caller's records already."""
    with UpgradeServer() as server, Tap(server.url) as tap, reach(parse_url(tap.url)) as reached:
        assert reached.port == tap.port
        assert reached.own


def test_where_nobody_listens_there_is_no_tap():
    """A closed port stays one: the program is to see that nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = _url(closed)
    with reach(parse_url(url)) as reached:
        assert url == f"http://{reached.place}/"
        assert reached.watch is None
        assert reached.traces() == ()


def test_other_hosts_are_refused():
    """The lab stays on loopback."""
    with pytest.raises(Refused, match=r"server\.example\.com"), reach(parse_url("http://server.example.com/")):
        pass


def test_no_connection_no_traces():
    """A program that never connects leaves none."""
    with UpgradeServer() as server, reach(parse_url(server.url)) as reached:
        assert reached.traces() == ()


def test_the_one_that_runs_takes_the_place_of_any_host():
    """Where one server runs, it need not be named."""
    with UpgradeServer() as server, in_place(None) as reached:
        assert (reached.host, reached.port) == (server.host, server.port)


def test_where_none_runs_one_is_started():
    """It runs as long as it is needed."""
    with in_place(None) as reached:
        trace = ask(f"http://{reached.place}/")
        assert reached.traces() == (trace,)
    assert running() == ()


def test_of_several_one_must_be_named():
    """The lab does not guess which server is meant."""
    with UpgradeServer(), UpgradeServer() as second:
        with pytest.raises(WrongUse, match="2 servers run here: say which is meant with to="), in_place(None):
            pass
        with in_place(second) as reached:
            assert reached.port == second.port


@pytest.mark.parametrize("to", ["http://127.0.0.1:80/", UpgradeServer()])
def test_only_what_runs_can_be_named(to):
    """A text, or a server that was not started, is told so."""
    with pytest.raises(WrongUse, match="to is a running UpgradeServer or Tap"), in_place(to):
        pass


def test_what_records_nothing_cannot_be_named():
    """There would be no trace to show."""
    with UpgradeServer(record=False) as server, pytest.raises(WrongUse, match="keeps no traces"), in_place(server):
        pass


def _url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_connect_to_leaves_loopback_alone():
    """Loopback hosts are dialled as they are written (CURLOPT_CONNECT_TO(3))."""
    assert connect_to("[::1]:80") == ("127.0.0.1::127.0.0.1:", "localhost::localhost:", "[::1]::[::1]:", "::[::1]:80")

import pytest

from labkit.errors import Failed, Refused, WrongUse
from labkit.net.reach import in_place
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.phpcurl import (
    CURLOPT_DEFAULT_PROTOCOL,
    CURLOPT_FOLLOWLOCATION,
    CURLOPT_PROTOCOLS,
    CURLOPT_RETURNTRANSFER,
    CURLOPT_TIMEOUT,
    answered_by,
    curl_close,
    curl_errno,
    curl_exec,
    curl_init,
    curl_setopt,
)
from labkit.trace import Direction
from tests.net.peer import scripted


def got(url, *options):
    ch = curl_init(url)
    curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    curl_setopt(ch, CURLOPT_TIMEOUT, 3)
    for option, value in options:
        assert curl_setopt(ch, option, value)
    answer = curl_exec(ch), curl_errno(ch)
    curl_close(ch)
    return answer


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com/path", b"example.com"),
        ("example.com/path", b"example.com"),
        ("http://bob:secret@EXAMPLE.com:8080/path", b"EXAMPLE.com:8080"),
        ("http://127.0.0.2/path", b"127.0.0.2"),
        ("http://[::2]/path", b"[::2]"),
    ],
)
def test_any_host_is_answered_by_the_lab(url, host):
    """The one server that runs answers for it, whatever its port, and the request keeps its Host."""
    with UpgradeServer(page="here\n") as server:
        assert got(url) == ("here\n", 0)
        assert b"GET /path HTTP/1.1\r\nHost: " + host + b"\r\n" in server.trace.stream(Direction.TO_SERVER)


def test_loopback_is_dialled_as_written():
    """127.0.0.1 and localhost are whoever listens there, not the chosen server."""
    with UpgradeServer(page="one\n") as one, UpgradeServer(page="two\n") as two, answered_by(one):
        assert got("http://example.com/") == ("one\n", 0)
        assert got(two.url) == ("two\n", 0)
        assert got(two.url.replace("127.0.0.1", "localhost")) == ("two\n", 0)


def test_ipv6_loopback_is_dialled_as_written():
    """So is [::1], where this machine has it."""
    try:
        server = UpgradeServer(host="::1", page="six\n").start()
    except Failed:
        pytest.skip("no IPv6 loopback here")
    with server:
        assert got(server.url) == ("six\n", 0)
        assert got("http://example.com/") == ("six\n", 0)


def test_nobody_answers():
    """Without a server another host is refused by name, before anything is dialled; a loopback one is not."""
    with pytest.raises(Refused, match=r"no lab server runs that could answer for example\.com: start one"):
        got("http://example.com/")
    assert got("http://127.0.0.1:1/") == (False, 7)


def test_a_redirect_does_not_leave():
    """What answers on loopback may name another host: the lab's server answers for it, and without one nobody does."""
    reply = (
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    with scripted(reply) as port:
        assert got(f"http://127.0.0.1:{port}/", (CURLOPT_FOLLOWLOCATION, True)) == (False, 7)
        with UpgradeServer(page="elsewhere\n"):
            assert got(f"http://127.0.0.1:{port}/", (CURLOPT_FOLLOWLOCATION, True)) == ("elsewhere\n", 0)


def test_several_servers():
    """With two the choice has to be told; for a loopback address it does not matter."""
    with UpgradeServer(page="one\n") as one, UpgradeServer(page="two\n") as two:
        with pytest.raises(WrongUse, match=r"2 servers run here: say which answers for example.com, with answered_by"):
            got("http://example.com/")
        assert got(one.url) == ("one\n", 0)
        with answered_by(one):
            with answered_by(two):
                assert got("http://example.com/") == ("two\n", 0)
            assert got("http://example.com/") == ("one\n", 0)


def test_answered_by_without_with():
    """Called alone it holds until it is told otherwise; a chosen server that stopped is told of."""
    with UpgradeServer(page="one\n") as one, UpgradeServer():
        answered_by(one)
        assert got("http://example.com/") == ("one\n", 0)
    with pytest.raises(WrongUse, match="has stopped"):
        got("http://example.com/")
    answered_by(None)
    with pytest.raises(Refused):
        got("http://example.com/")


def test_a_tap_may_answer():
    """A tap records what it passes on."""
    with UpgradeServer(page="behind\n") as server, Tap(f"127.0.0.1:{server.port}") as tap, answered_by(tap):
        assert got("http://example.com/") == ("behind\n", 0)
        assert tap.trace.events


@pytest.mark.parametrize("what", [None.__class__, "server", 80, UpgradeServer()])
def test_what_cannot_answer(what):
    """Only what runs can."""
    with pytest.raises(WrongUse, match="a running UpgradeServer or Tap"):
        answered_by(what)


def test_the_environment_does_not_redirect(monkeypatch):
    """Proxies of the environment are not looked at, neither for the lab nor for loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with UpgradeServer(page="here\n") as server:
        assert got("http://example.com/") == ("here\n", 0)
        assert got(server.url) == ("here\n", 0)


@pytest.mark.parametrize(
    "scheme", ["file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "telnet://127.0.0.1:1"]
)
def test_other_protocols_are_not_spoken(scheme):
    """The library knows more protocols, some of which read files; here they end with 1, also when they are allowed."""
    with UpgradeServer():
        assert got(scheme) == (False, 1)
        assert got(scheme, (CURLOPT_PROTOCOLS, -1), (CURLOPT_DEFAULT_PROTOCOL, "file")) == (False, 1)


def test_a_server_of_another_run_alone_answers_nobody_else():
    """What was started for one program's run is not taken by another thread's transfer."""
    with in_place(None), pytest.raises(Refused, match=r"no lab server runs that could answer for example\.com"):
        curl_exec(curl_init("http://example.com/"))

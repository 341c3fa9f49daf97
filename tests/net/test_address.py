import pytest

from labkit.errors import Refused, WrongUse
from labkit.net.address import Address, check_loopback, parse_address, parse_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://127.0.0.1:8101/chat?room=1", Address("127.0.0.1", 8101, False, "/chat?room=1")),
        ("http://localhost", Address("localhost", 80)),
        ("https://localhost:8443/a", Address("localhost", 8443, True, "/a")),
        ("wss://[::1]/", Address("::1", 443, True)),
        ("WS://EXAMPLE.com:80?x", Address("example.com", 80, False, "/?x")),
        (" ws://a:1/ ", Address("a", 1)),
        ("ws://a/%C3%A9#part", Address("a", 80, False, "/%C3%A9")),
    ],
)
def test_a_url_is_read(url, address):
    """A URL names host, port, TLS and request-target (RFC 6455, 3; RFC 9110, 4.2)."""
    assert parse_url(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "ftp://a/", "ws://", "ws:///a", "ws://a:0/", "ws://a:70000/", "ws://a:x/", "ws://a b/",
     "ws://[::1", "ws://a/é", "ws://a/ b", "ws://a/\r\nX: y", "ws://é/", "ws://user@/"],
)  # fmt: skip
def test_what_is_no_url_is_told_so(url):
    """A wrong URL is named in one line, before anything is dialled."""
    with pytest.raises(WrongUse) as caught:
        parse_url(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        (Address("a", 80), "a"), (Address("a", 8101), "a:8101"), (Address("a", 443, tls=True), "a"),
        (Address("a", 80, tls=True), "a:80"), (Address("::1", 8101), "[::1]:8101"),
    ],
)  # fmt: skip
def test_the_authority_leaves_out_the_usual_port(address, authority):
    """Host carries the port only where it is not the scheme's own (RFC 9110, 7.2)."""
    assert address.authority == authority


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8101", Address("127.0.0.1", 8101)), ("localhost:1", Address("localhost", 1)),
        ("[::1]:65535", Address("::1", 65535)), (":80", Address("127.0.0.1", 80)),
        ("http://127.0.0.1:9/", Address("127.0.0.1", 9)),
    ],
)  # fmt: skip
def test_an_address_is_read(text, address):
    """HOST:PORT, a port alone and a URL are all addresses."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "a", "a:", "a:0", "a:65536", "a:-1", "a:99999999999", "a b:1", "::1", "1:2:3", "a:²", "é:1"]
)
def test_what_is_no_address_is_told_so(text):
    """A wrong address says what a right one looks like."""
    with pytest.raises(WrongUse, match="HOST:PORT"):
        parse_address(text)


def test_port_0_may_be_asked_for():
    """Where any free port will do, 0 is right."""
    assert parse_address("127.0.0.1:0", lowest=0).port == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_allowed(host):
    """The addresses of this machine are always allowed."""
    check_loopback(host, False)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.1.1", "example.com", "localhost.example.com", "127.1", "2130706433"]
)
def test_elsewhere_is_refused(host):
    """Another host is refused, and the refusal names the flag that allows it."""
    with pytest.raises(Refused, match="unless you say --please"):
        check_loopback(host, False, "--please")
    check_loopback(host, True)

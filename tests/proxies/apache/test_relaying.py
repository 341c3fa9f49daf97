from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.parties.answer import Answer
from labkit.parties.described import Server
from labkit.proxies.apache import Apache
from labkit.proxies.apache.relaying import reversed_url
from labkit.proxies.apache.settings import Settings
from labkit.proxies.directive import Directive
from labkit.proxies.model import Own, Request
from labkit.trace import Direction
from labkit.wire.http1 import RequestHead, ResponseHead
from tests.proxies.apache.through import FULL, HTTP, PLAIN, UPGRADE, WSTUNNEL, raw, through

WS = "ProxyPass /ws/ ws://backend.example.com/"
ANY = "ProxyPass /ws/ http://b/ upgrade=ANY"
# Measured: what each fault of the server comes to with mod_proxy_http, and with mod_proxy_wstunnel.
FAULTS = [
    ("no-upgrade", 502, 101),
    ("no-connection", 101, 101),
    ("wrong-protocol", 502, 101),
    ("accept-wrong", 101, 101),
    ("accept-absent", 101, 101),
    ("content-length", 101, 101),
    ("transfer-encoding", 101, 101),
    ("reason=UPGRADED", 101, 101),
    ("no-reason", 101, 101),
    ("no-space", 101, 101),
    ("bare-lf", 101, 101),
    ("interim=103", 101, 101),
    ("garbage", 200, 0),
    ("close", 502, 0),
    ("cut=20", 502, 0),
    ("cut=60", 502, 0),
]


@pytest.mark.parametrize(("fault", "http", "wstunnel"), FAULTS)
def test_a_broken_101_comes_to_what_was_measured(fault, http, wstunnel):
    """mod_proxy_http looks at Upgrade and at nothing else; mod_proxy_wstunnel at nothing at all."""
    server = Server(faults=(fault,))
    assert through(UPGRADE, server=server, modules=HTTP).statuses[-1] == http
    assert (through(WS, server=server, modules=WSTUNNEL).statuses or (0,))[-1] == wstunnel


def test_a_101_without_connection_is_mended():
    """Apache writes Connection and Upgrade itself."""
    came = through(UPGRADE, server=Server(faults=("no-connection",)), modules=HTTP)
    assert (came.fields["connection"], came.fields["upgrade"]) == ("Upgrade", "websocket")


def test_an_unasked_101_is_502():
    """It says which upgrade it did not expect."""
    came = through(UPGRADE, PLAIN, Server(faults=("unasked",)), HTTP)
    assert came.statuses == (502,)
    assert came.got.first == "HTTP/1.1 502 Proxy Error"
    assert came.fields["content-length"] == "394"  # "Unexpected Upgrade: websocket (expecting n/a)"


def test_a_list_of_protocols_never_switches():
    """The whole Upgrade field is compared with the 101's."""
    offer = FULL.with_field("Upgrade", "websocket, h2c")
    assert through(UPGRADE, offer, modules=HTTP).statuses == (502,)
    assert through(ANY, offer, modules=HTTP).statuses == (502,)


def test_any_protocol_switches_with_any():
    """`upgrade=ANY` lets a protocol through that nobody knows."""
    server = Server(protocols={"quote/1.0": lambda stream: stream.send("hi")})
    offer = FULL.with_field("Upgrade", "quote/1.0")
    assert through(ANY, offer, server, HTTP, say=()).statuses == (101,)


def test_an_answer_without_a_head_is_content():
    """A line that is no status line is taken for HTTP/0.9, as measured: 200, in chunks."""
    came = through(UPGRADE, server=Server(faults=("garbage",)), modules=HTTP)
    assert came.got.first == "HTTP/1.1 200 OK"
    assert came.fields["transfer-encoding"] == "chunked"


def test_half_a_line_and_half_a_head_are_told_apart():
    """Measured: Proxy Error where no status line came, Bad Gateway where the fields are cut short."""
    firsts = [through(UPGRADE, server=Server(faults=(fault,)), modules=HTTP).got.first for fault in ("cut=9", "cut=60")]
    assert firsts == ["HTTP/1.1 502 Proxy Error", "HTTP/1.1 502 Bad Gateway"]


def test_a_426_keeps_the_upgrade_that_the_worker_lets_through():
    """Connection and Upgrade come back as Apache writes them."""
    came = through(UPGRADE, PLAIN, Server(require=True), HTTP)
    assert (came.statuses, came.fields["connection"], came.fields["upgrade"]) == ((426,), "Upgrade", "websocket")
    assert "upgrade" not in through("ProxyPass /ws/ http://b/", PLAIN, Server(require=True), HTTP).fields


def test_the_field_lines_of_an_answer_are_as_measured():
    """Vary is made one list, the server keeps its Server, hop-by-hop fields end here."""
    fields = (("Server", "me"), ("Vary", "a, b"), ("Vary", "A"), ("Keep-Alive", "timeout=2"), ("X", "1"))
    came = through(UPGRADE, server=Server(decline=Answer(403, "no", fields)), modules=HTTP)
    assert (came.fields["server"], came.fields["vary"], came.fields["x"]) == ("me", "a,b", "1")
    assert "keep-alive" not in came.fields


def test_a_client_of_http_1_0_gets_1_1_and_a_close():
    """Unless it asks for keep-alive."""
    came = through(UPGRADE, raw("/ws/x", version="HTTP/1.0"), modules=HTTP)
    assert (came.got.first, came.fields["connection"]) == ("HTTP/1.1 200 OK", "close")
    kept = through(UPGRADE, raw("/ws/x", "Connection: keep-alive", version="HTTP/1.0"), modules=HTTP)
    assert (kept.fields["connection"], kept.fields["keep-alive"]) == ("Keep-Alive", "timeout=5, max=100")


REVERSES = [Directive("ProxyPassReverse", ("/ws/", "http://b/")), Directive("ProxyPassReverse", ("/ws/", "ws://b/"))]


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("http://b/login?x", "http://a/ws/login?x"),
        ("HTTP://B/login", "http://a/ws/login"),
        ("ws://b/z", "http://a/ws/z"),
        ("http://c/login", None),
        ("/login", None),
    ],
)
def test_a_reverse_changes_urls_of_the_backend(url, made):
    """Those that begin with its own, whatever the path of the request."""
    found = reversed_url(url, Settings.of(REVERSES), "http://a")
    assert (found[0] if found else None) == made


def test_a_reverse_with_ws_does_nothing_to_a_redirect():
    """The Location of a redirect begins with http://."""
    server = Server(redirect="http://backend.example.com/login")
    came = through(f"{WS}\nProxyPassReverse /ws/ ws://backend.example.com/", server=server)
    assert came.fields["location"] == "http://backend.example.com/login"
    came = through(f"{WS}\nProxyPassReverse /ws/ http://backend.example.com/", server=server)
    assert came.fields["location"] == "http://server.example.com/ws/login"


ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([
            b"HTTP/1.1 101 Switching\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.0 204 \x01\r\n", b"HTTP/2.0 200 OK\r\n", b"\r\n",
            b"Upgrade: websocket\r\n", b"Connection: ,close;\r\n", b"Content-Length: x\r\n", b"Content-Length: 2\r\n", b"ok",
            b"Transfer-Encoding: chunked\r\n", b"X : y\r\n", b" folded\r\n", b"bogus\r\n", b"Location: http://b/\r\n",
            b"Vary: ,\r\n", b"HTTP/1.1 103 Early\r\n", b"\0", b"\n", b"HTTP/1.1 099 x\r\n", b"Via: \xe9\r\n",
        ]),
        max_size=8,
    ).map(b"".join),
)  # fmt: skip
MODEL = Apache(f"ProxyVia On\nHeader append X y\nProxyPassReverse /ws/ http://b/\n{UPGRADE}").model()


@settings(max_examples=300, deadline=None)
@given(
    data=ANSWERS, version=st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9"]), method=st.sampled_from(["GET", "HEAD"])
)
def test_any_bytes_of_a_backend_get_some_answer_and_no_exception(data, version, method):
    """Whatever comes, the model passes something on, or answers itself."""
    request = Request(RequestHead(method, "/ws/x", FULL.fields, version))
    forward = MODEL.route(request)
    assert not isinstance(forward, Own)
    for _ in range(5):
        found = MODEL.read_answer(data)
        if not isinstance(found, tuple):
            MODEL.stopped(data, "closed")
            return
        MODEL.relay(request, forward, found[0])
        data = data[found[1] :]


def test_the_changes_of_a_switch_are_told():
    """The lines that Apache writes anew are no losses."""
    request = Request(RequestHead("GET", "/ws/x", FULL.fields))
    forward = MODEL.route(request)
    answer = ResponseHead.parse(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: 1\r\n\r\n")
    changes = {change.name: str(change.fate) for change in MODEL.relay(request, forward, answer).changes}
    assert changes == {"X": "forwarded", "Via": "added", "Connection": "forwarded", "Upgrade": "forwarded"}


def test_an_answer_without_a_head_has_few_field_lines():
    """No Via, and for HEAD the length of its first line, as measured."""
    text, server = f"ProxyVia On\n{UPGRADE}", Server(faults=("garbage",))
    assert "via" not in through(text, server=server, modules=HTTP).fields
    assert through(text, FULL.but(method="HEAD"), server, HTTP).fields["content-length"] == "26"


def test_a_tunnel_that_says_nothing_ends_in_a_page_without_a_head():
    """mod_proxy_wstunnel took the filters away; for HEAD there is no page either."""
    server = Server(faults=("close",))
    data = through(WS, server=server, modules=WSTUNNEL).trace.stream(Direction.TO_CLIENT)
    assert data.startswith(b"<!DOCTYPE HTML")
    assert through(WS, FULL.but(method="HEAD"), server, WSTUNNEL).trace.stream(Direction.TO_CLIENT) == b""


def test_a_reason_that_cannot_be_sent_is_httpd_s_own():
    """A control character in it is enough."""
    forward = MODEL.route(Request(RequestHead("GET", "/ws/x", FULL.fields)))
    relay = MODEL.relay(Request(RequestHead("GET", "/ws/x")), forward, ResponseHead(200, "a\x01b"))
    assert relay.data.startswith(b"HTTP/1.1 200 OK\r\n")

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.errors import Unmodelled
from labkit.net.client import exchange
from labkit.net.model_proxy import ModelProxy
from labkit.net.server import UpgradeServer
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.apache.model import apache_model
from labkit.proxies.directive import Directive
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, How
from tests.proxies.apache.through import FULL, HTTP, PLAIN, UPGRADE, WSTUNNEL, raw, through

WS = "ProxyPass /ws/ ws://backend.example.com/"
OFFERS = {
    "full": FULL,
    "seed": Offer.bare("/ws/x"),
    "plain": PLAIN,
    "h2c": Offer.h2c("/ws/x"),
    "http10": FULL.but(version="HTTP/1.0"),
    "upg_only": FULL.without("Connection"),
    "firefox": FULL.with_field("Connection", "keep-alive, Upgrade"),
    "list": FULL.with_field("Upgrade", "h2c, websocket"),
}
REQUIRES = Server(require=True)
# Measured on 2.4.71, with a server that asks for an upgrade: the status that the client gets; 0 for no bytes at all.
TRUTH = [
    (WS, None, {"full": 101, "seed": 400, "plain": 426, "h2c": 426, "http10": 0, "upg_only": 101, "firefox": 101}),
    (WS, HTTP, {"full": 101, "seed": 400, "plain": 426, "h2c": 426, "http10": 0, "upg_only": 101, "firefox": 101}),
    (
        WS,
        WSTUNNEL,
        {
            "full": 101,
            "seed": 400,
            "plain": 404,
            "h2c": 426,
            "http10": 101,
            "upg_only": 101,
            "firefox": 101,
            "list": 426,
        },
    ),
    (WS, ("proxy",), dict.fromkeys(OFFERS, 500)),
    (f"ProxyWebsocketFallbackToProxyHttp Off\n{WS}", None, {"full": 101, "plain": 404, "h2c": 426, "list": 426}),
    ("ProxyPass /ws/ http://b/", HTTP, dict.fromkeys(OFFERS, 426)),
    ("ProxyPass /ws/ http://b/", WSTUNNEL, dict.fromkeys(OFFERS, 500)),
    (UPGRADE, HTTP, {"full": 101, "seed": 400, "plain": 426, "h2c": 426, "http10": 0, "upg_only": 101, "list": 426}),
    ("ProxyPass /ws/ http://b/ upgrade=ANY", HTTP, {"full": 101, "seed": 400, "plain": 426, "upg_only": 101}),
    ("ProxyPass /ws/ http://b/ upgrade=NONE", HTTP, dict.fromkeys(OFFERS, 426)),
    (f"{WS} upgrade=NONE", WSTUNNEL, {"full": 426, "seed": 426, "plain": 404, "h2c": 426, "http10": 426}),
    (f"{WS} upgrade=ANY", WSTUNNEL, {"full": 426, "seed": 426, "plain": 404, "h2c": 426}),
]
CASES = [(text, modules, name, status) for text, modules, row in TRUTH for name, status in row.items()]


@pytest.mark.parametrize(("text", "modules", "name", "status"), CASES)
def test_the_status_is_as_measured(text, modules, name, status):
    """Each module lets through what it was measured to let through."""
    came = through(text, OFFERS[name], REQUIRES, modules)
    assert came.statuses[-1:] == ((status,) if status else ())


@pytest.mark.parametrize(("modules", "upgrade"), [(HTTP, "websocket"), (WSTUNNEL, "WebSocket"), (None, "websocket")])
def test_the_spelling_of_upgrade_tells_the_module(modules, upgrade):
    """mod_proxy_http passes the client's spelling on, mod_proxy_wstunnel writes its own."""
    came = through(WS, modules=modules)
    assert (came.sent["upgrade"], came.sent["connection"]) == (upgrade, "Upgrade")


def test_a_client_of_http_1_0_gets_no_101_and_yet_a_tunnel():
    """mod_proxy_http keeps the 101 from it; what is said blind comes back as an echo."""
    offer = FULL.but(version="HTTP/1.0", early=b"\x81\x85\x00\x00\x00\x00Hello")
    trace = through(UPGRADE, offer, modules=HTTP).trace
    assert trace.stream(Direction.TO_CLIENT)[:7] == b"\x81\x05Hello"


def test_wstunnel_holds_what_came_early_until_the_client_says_more():
    """What was read with the head waits in a buffer that nobody polls."""
    early = b"\x81\x85\x00\x00\x00\x00early"
    http, wstunnel = (through(WS, FULL.but(early=early), modules=modules, say=()).trace for modules in (HTTP, WSTUNNEL))
    assert early in http.stream(Direction.TO_SERVER, 1)
    sizes = [event for event in wstunnel.events if getattr(event, "data", b"").startswith(early)]
    assert sizes == [] or len(sizes[0].data) > len(early)


async def wait(stream):
    async for _ in stream:
        pass


SILENT = Server(protocols={"websocket": wait})
# Measured: after how many seconds a silent tunnel is cut; the longer of Timeout and the backend's own time counts.
IDLE = [
    ("Timeout 1", "", HTTP, 1.0),
    ("Timeout 1\nProxyTimeout 2", "", HTTP, 2.0),
    ("Timeout 2\nProxyTimeout 1", "", HTTP, 2.0),
    ("Timeout 1", " timeout=2", HTTP, 2.0),
]


@pytest.mark.parametrize(("lines", "more", "modules", "seconds"), IDLE)
def test_a_silent_tunnel_is_cut(lines, more, modules, seconds):
    """Apache closes without a close frame, on the logical clock."""
    trace = through(f"{lines}\n{UPGRADE}{more}", server=SILENT, modules=modules, say=wait).trace
    first = next(event for event in trace.events if getattr(event, "how", None) is How.FIN and event.hop == 0)
    assert (first.direction, round(first.time, 1)) == (Direction.TO_CLIENT, seconds)


@pytest.mark.parametrize("lines", ["ProxyTimeout 1", "Timeout 60"])
def test_a_short_time_of_the_backend_alone_does_not_cut(lines):
    """Timeout is 60 s where nobody says another."""
    trace = through(f"{lines}\n{UPGRADE}", server=SILENT, modules=HTTP, say=wait).trace
    first = next(event for event in trace.events if getattr(event, "how", None) is How.FIN)
    assert first.time >= 60


def test_wstunnel_never_cuts_a_silent_tunnel():
    """It polls without a time limit, so the server's own limit is met first."""
    trace = through(f"Timeout 1\n{WS}", server=SILENT, modules=WSTUNNEL, say=wait).trace
    assert b"idle for 60 s" in trace.stream(Direction.TO_CLIENT)


SLOW = Server(faults=("late=3",))


@pytest.mark.parametrize("lines", ["Timeout 1", "ProxyTimeout 1"])
def test_a_slow_backend_is_502(lines):
    """Apache calls it an error of reading, not 504."""
    assert through(f"{lines}\n{UPGRADE}", server=SLOW, modules=HTTP).statuses == (502,)


@pytest.mark.parametrize(("text", "modules"), [(UPGRADE, HTTP), (WS, WSTUNNEL)])
def test_a_dead_backend_is_503(text, modules):
    """Both modules say so, and close."""
    came = through(text, server=Server(listens=False), modules=modules)
    assert came.statuses == (503,)
    assert came.fields["connection"] == "close"


def test_a_second_request_goes_over_the_kept_connections():
    """A declined upgrade leaves both connections as they are."""
    second = PLAIN.with_field("X-Second", "1").to_bytes()
    came = through(UPGRADE, Offer.bare("/ws/x").but(early=second), Server(ignore=True), HTTP)
    assert [each.first for each in came.seen] == ["GET /x HTTP/1.1"] * 2
    assert len(came.trace.hops) == 2


def test_a_backend_that_closes_on_a_second_request_gets_no_answer_sent():
    """The client may ask again, so Apache just closes."""
    two = raw("/ws/x", "Host: a").to_bytes()
    offer = Offer.of_bytes(two + FULL.to_bytes())
    assert through(UPGRADE, offer, Server(faults=("close",)), HTTP).statuses == (200,)


EXPECTS = raw("/ws/x", "Host: a", "Expect: 100-continue", "Content-Length: 5", method="POST").to_bytes() + b"hello"


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (UPGRADE, (100, 200)),
        ("ProxyPass /other/ http://b/", (100, 404)),
        (f"<Location />\nRequire all denied\n</Location>\n{UPGRADE}", (403,)),
    ],
)
def test_a_100_is_passed_on(text, statuses):
    """The backend's is passed on; the default handler gives its own; a refusal gives none, and closes."""
    came = through(text, Offer.of_bytes(EXPECTS), modules=HTTP)
    assert came.statuses == statuses
    assert came.fields.get("connection") == ("close" if statuses == (403,) else None)


@pytest.mark.parametrize(
    "text",
    [
        "ProxyErrorOverride On\n" + UPGRADE,
        "ErrorDocument 503 /sorry.html\n" + UPGRADE,
        "<Location /ws/>\nRewriteEngine On\nRewriteRule . - [F]\n</Location>\n" + UPGRADE,
        UPGRADE + " ping=1",
        "HttpProtocolOptions Unsafe\n" + UPGRADE,
    ],
)
def test_what_could_matter_and_is_not_known_is_named(text):
    """There is no model then; the error names the directive and its line."""
    proxy = Apache(text)
    with pytest.raises(Unmodelled, match=r"^line [0-9]+: .*run it for real"):
        proxy.model()


def test_hosts_of_a_port_and_of_any_port_side_by_side_are_refused():
    """Which of them httpd looks at first depends on their order."""
    hosts = [Directive("VirtualHost", (address,), 1, ()) for address in ("*:80", "*")]
    with pytest.raises(Unmodelled, match="another kind of address"):
        apache_model(hosts, HTTP)


def test_on_sockets_the_model_does_the_same():
    """The party of the simulation, between a real client and a real server."""
    with UpgradeServer() as server, ModelProxy(Apache(WS), server.url) as proxy:
        outcome = exchange(f"{proxy.url}/ws/x", FULL)
    assert (outcome.status, outcome.problem) == (101, "")


def test_one_exchange_takes_less_than_5_ms():
    """The median of thirty, with the model made anew each time; a busy machine does not count."""
    scenario = Scenario(FULL, via=(Apache(WS),))
    times = []
    for _ in range(30):
        begun = time.process_time()
        simulate(scenario)
        times.append(time.process_time() - begun)
    assert sorted(times)[15] < 0.02, "5 ms, and room for a slow machine"


BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([
            b"GET /ws/x HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n", b"\n", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n",
            b"Expect: 100-continue\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"hello", b"0\r\n\r\n",
            b" x\r\n", b"GET http://[/ HTTP/1.1\r\n", b"Max-Forwards: \xb2\r\n", b"OPTIONS * HTTP/1.1\r\n", b"\0", b"%zz",
            b"POST /ws/%00 HTTP/1.0\r\n", b"Connection: ,;a,;\r\n", b"TRACE /ws/ HTTP/1.1\r\n", b"GET /ws/\r\n",
        ]),
        max_size=12,
    ).map(b"".join),
)  # fmt: skip
TEXTS = [
    UPGRADE, WS, "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} =websocket [NC]\nRewriteRule /ws/(.*) ws://b/$1 [P]\n",
    "ProxyVia Full\nRequestHeader append Connection x\nHeader set X y\nRedirect / http://b/\n" + UPGRADE,
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=BYTES, text=st.sampled_from(TEXTS), modules=st.sampled_from([None, WSTUNNEL]))
def test_any_bytes_of_a_client_get_some_answer_and_no_exception(data, text, modules):
    """Whatever comes, the model goes on or closes."""
    through(text, Offer.of_bytes(data), modules=modules)

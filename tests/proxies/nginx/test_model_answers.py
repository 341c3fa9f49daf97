import pytest

from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.trace import Direction
from tests.proxies.nginx.model_runs import FULL, HOST, PLAIN, UP, Upstream, answer, got, run, seen, site

SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nServer: up\r\nDate: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
)
HEAD = b"GET /ws/ HTTP/1.1\r\nHost: a\r\n"
BOTH = {"websocket": echo, "quote/1.0": echo}
HELLO = b"\x81\x05Hello"


@pytest.mark.parametrize(
    ("fault", "line", "connection"),
    [  # the matrix of broken 101s, as nginx 1.22.1 sends them on
        ("no-upgrade", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("no-connection", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("wrong-protocol", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("accept-wrong", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("accept-absent", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("content-length", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("transfer-encoding", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("reason=UPGRADED", "HTTP/1.1 101 UPGRADED", "upgrade"),
        ("no-reason", "HTTP/1.1 101 ", "upgrade"),
        ("bare-lf", "HTTP/1.1 101 Switching Protocols", "upgrade"),
        ("cut=20", "HTTP/1.1 502 Bad Gateway", "keep-alive"),
        ("close", "HTTP/1.1 502 Bad Gateway", "keep-alive"),
    ],
)
def test_a_broken_101(fault, line, connection):
    """Nginx does not check a 101: it writes Connection itself, and passes on all else but Transfer-Encoding."""
    head = answer(run(site(), FULL, Server(faults=(fault,)), ()))
    assert (head.start_line, head.fields.get("Connection")) == (line, connection)
    assert "Transfer-Encoding" not in head.fields
    assert head.fields.get("Content-Length") == {"content-length": "5"}.get(fault, head.fields.get("Content-Length"))
    assert (head.fields.get("Upgrade") is None) == (fault == "no-upgrade" or head.status == 502)


def test_a_101_without_its_space():
    """A status line is passed on to the letter."""
    assert got(run(site(), FULL, Server(faults=("no-space",)), ())).startswith(b"HTTP/1.1 101\r\n")


def test_garbage_is_an_answer_of_http_0_9():
    """Bytes that are no HTTP go to the client as they are, and its connection stays open."""
    trace = run(site(), FULL, Server(faults=("garbage",)))
    assert got(trace) == b"220 mail.example.com ESMTP\r\n"


def test_an_unasked_101_is_held_back():
    """To a client without Upgrade nothing is sent until the time is over, or the upstream has closed."""
    assert got(run(site(), PLAIN, Server(faults=("unasked",)))) == b""
    up = Upstream(site("proxy_read_timeout 3s;"), SWITCH + b"abc")
    assert up.ask(HEAD + b"\r\n") == b""
    assert up.wait(2) == b""
    assert up.wait(1).endswith(b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert up.party.ending == "fin"


def test_an_unasked_101_whose_upstream_closes():
    """Then the head and what followed it go to the client, which is told to keep the connection."""
    up = Upstream(site(), SWITCH + b"abc")
    up.ask(HEAD + b"\r\n")
    up.far.receive_eof()
    assert up.taken().endswith(b"\r\n\r\nabc")
    assert up.party.ending == ""


def test_an_unasked_101_without_buffering():
    """Without proxy_buffering it goes to the client at once."""
    assert answer(run(site("proxy_buffering off;"), PLAIN, Server(faults=("unasked",)))).status == 101


@pytest.mark.parametrize("status", ["100", "102", "103"])
def test_an_interim_answer_is_taken_for_a_final_one(status):
    """Nginx 1.22 waits for content behind it, and the 101 that follows is part of that."""
    fault = Server(faults=(f"interim={status}",))
    assert got(run(site(), FULL, fault)) == b""
    late = got(run(site("proxy_read_timeout 300ms;"), FULL, fault))
    assert late.startswith(b"HTTP/1.1 " + status.encode())
    assert b"101" not in late


def test_the_tunnel_carries_both_ways():
    """Early frames of either side are not lost."""
    trace = run(
        site(), FULL.but(early=b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), Server(faults=("early-frame",)), ()
    )
    assert got(trace).count(b"early") == 1
    assert HELLO in got(trace)


def test_any_token_is_passed_on():
    """Nginx does not look at what is asked for: h2c and its settings reach the server too."""
    lines = UP.replace('"upgrade"', "$http_connection")
    head = seen(run(f"location / {{ proxy_pass http://b; {lines} }}", Offer.h2c()))
    assert (head.fields.get("Upgrade"), head.fields.get("Connection")) == ("h2c", "Upgrade, HTTP2-Settings")
    assert "HTTP2-Settings" in head.fields
    assert answer(run(site(), Offer.custom("quote/1.0", "/ws/"), Server(protocols=BOTH), ())).status == 101


def test_a_tunnel_ends_with_either_side():
    """A FIN of either side ends both directions: nginx does not half-close."""
    for party in ("client", "upstream"):
        up = Upstream(site(), SWITCH)
        up.ask(HEAD + b"Upgrade: x\r\n\r\n")
        (up.party if party == "client" else up.far).receive_eof()
        assert (up.party.ending, up.far.ending) == ("fin", "fin")


def test_a_tunnel_that_is_silent():
    """proxy_read_timeout runs from the last byte of either side; the log says so, and no close frame is sent."""
    up = Upstream(site("proxy_read_timeout 2s;"), SWITCH)
    up.ask(HEAD + b"Upgrade: x\r\n\r\n")
    up.wait(1.5)
    up.party.receive(b"x")
    assert (up.wait(1.5), up.party.ending) == (b"", "")
    assert (up.wait(0.5), up.party.ending) == (b"", "fin")
    assert up.party.problem == "upstream timed out (110: Connection timed out) while proxying upgraded connection"


def test_an_upstream_that_is_slow():
    """A 504 after proxy_read_timeout; a head that drips in has no more time than that either."""
    trace = run(site("proxy_read_timeout 300ms;"), FULL, Server(faults=("late=1",)))
    assert answer(trace).start_line == "HTTP/1.1 504 Gateway Time-out"
    assert b"<center>nginx/1.22.1</center>" in got(trace)
    up = Upstream(site("proxy_read_timeout 1s;"), b"HTTP/1.1 200 OK\r\n")
    up.ask(HEAD + b"\r\n")
    up.now += 0.9
    up.answer(b"X: y\r\n")
    assert up.wait(0.2).startswith(b"HTTP/1.1 504")


def test_a_dead_upstream():
    """A 502, and the client's connection goes on."""
    head = answer(run(site(), FULL, Server(listens=False)))
    assert (head.start_line, head.fields.get("Content-Length")) == ("HTTP/1.1 502 Bad Gateway", "157")


@pytest.mark.parametrize(
    ("block", "server", "offer", "tries"),
    [
        ("server a; server b;", Server(faults=("close",)), FULL, 2),
        ("server a; server b down;", Server(faults=("close",)), FULL, 1),
        ("server a;", Server(faults=("close",)), FULL, 1),
        ("server a; server b;", Server(faults=("close",)), FULL.but(method="POST"), 1),
        ("server a; server b;", Server(faults=("garbage",)), FULL, 1),
    ],
)
def test_the_next_server_of_a_block_is_asked(block, server, offer, tries):
    """Each server is asked once, unless the request may have done something."""
    trace = run(f"upstream b {{ {block} }} location / {{ proxy_pass http://b; {UP} }}", offer, server)
    assert len(trace.hops) == 1 + tries


def test_a_block_whose_servers_are_all_down():
    """Nobody is asked."""
    trace = run("upstream b { server a down; } location / { proxy_pass http://b; }")
    assert (answer(trace).status, len(trace.hops)) == (502, 1)


@pytest.mark.parametrize(
    ("line", "status", "asked"),
    [
        ("error_page 403 = @f;", 200, 2),
        ("error_page 403 @f;", 403, 2),
        ("error_page 403 =418 @f;", 418, 2),
        ("error_page 403 /e.html;", 403, 1),
        ("error_page 403 =200 /e.html;", 200, 1),
        ("error_page 403 http://x/y;", 302, 1),
        ("error_page 403 =301 http://x/y;", 301, 1),
    ],
)
def test_an_error_of_the_upstream_is_intercepted(line, status, asked):
    """error_page leads elsewhere, with its own status, another, or that of what is there."""
    conf = f"""server {{ location /ws/ {{ proxy_pass http://b; {UP} proxy_intercept_errors on; {line} }}
               location = /e.html {{ return 200 page; }} location @f {{ proxy_pass http://fb; }} }}"""
    trace = run(conf, FULL, Server(decline=403))
    assert (answer(trace).status, len(trace.hops)) == (status, 1 + asked)


def test_fields_of_the_answer():
    """Server and Date are nginx's own; fields meant for nginx are kept back; the rest stands in its order."""
    up = Upstream(site(), b"HTTP/1.1 200 Fine\r\nServer: up\r\nDate: x\r\nX-Pad: x\r\nX-Accel-Expires: 0\r\nX-A: 1\r\n"
                  b"Content-Type: a/b\r\nKeep-Alive: 5\r\nConnection: close, X-A\r\nContent-Length: 2\r\nUpgrade: h2c\r\n\r\nhi")  # fmt: skip
    head, _, content = up.ask(HEAD + b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "Server", "Date", "Content-Type", "Content-Length", "Connection", "X-A", "Upgrade",
    ]  # fmt: skip
    assert (lines[0], lines[1], content) == ("HTTP/1.1 200 Fine", "Server: nginx/1.22.1", b"hi")


@pytest.mark.parametrize(
    ("inside", "offer", "name", "value"),
    [
        ("proxy_pass_header Server;", FULL, "Server", None),
        ("proxy_hide_header Upgrade;", FULL, "Upgrade", None),
        ("add_header X-A a;", FULL, "X-A", None),
        ("add_header X-A a always;", FULL, "X-A", "a"),
        ("add_header X-A a;", PLAIN, "X-A", "a"),
        ("server_tokens off;", FULL, "Server", "nginx"),
    ],
)
def test_directives_that_touch_the_answer(inside, offer, name, value):
    """add_header adds nothing to a 101 without `always`."""
    assert answer(run(site(inside), offer, say=())).fields.get(name) == value


@pytest.mark.parametrize(
    ("passing", "came", "location"),
    [
        ("http://up.example/", "http://up.example/e", "http://server.example.com/ws/e"),
        ("http://up.example", "http://up.example/e", "http://server.example.com/e"),
        ("http://up.example", "http://other.example/e", "http://other.example/e"),
        ("http://up.example", "/e", "/e"),
        ("http://unix:/s", "http://unix:/s/e", "http://server.example.com/e"),
        ("http://unix:/s", "http://unix:/se", "http://unix:/se"),
        ("http://unix:/s:/e/", "http://unix:/s:/e/f", "http://server.example.com/ws/f"),
        ("http://up.example/; proxy_redirect off", "http://up.example/e", "http://up.example/e"),
        ("http://up.example/; proxy_redirect / /x/", "/e", "http://server.example.com/x/e"),
    ],
)
def test_a_redirect_of_the_upstream_is_rewritten(passing, came, location):
    """What proxy_pass names is taken out of Location, and the location's path put in."""
    conf = f"location /ws/ {{ proxy_pass {passing}; {UP} }}"
    assert answer(run(conf, FULL, Server(redirect=came))).fields.get("Location") == location


def test_content_is_framed_anew():
    """Content that ends with the connection goes in chunks to a client of HTTP/1.1."""
    up = Upstream(site(), b"HTTP/1.1 200 OK\r\n\r\nhi")
    up.ask(HEAD + b"\r\n")
    up.far.receive_eof()
    assert up.taken().endswith(b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    up = Upstream(site(), b"HTTP/1.1 200 OK\r\n\r\nhi")
    up.ask(b"GET /ws/ HTTP/1.0\r\n\r\n")
    up.far.receive_eof()
    assert up.taken().endswith(b"Connection: close\r\n\r\nhi")


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 2\r\n\r\nhi", b"\r\n\r\nhi"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            b"2\r\nhi\r\n0\r\n\r\n",
        ),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"Connection: keep-alive\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000 + b"\r\n\r\n", b"</html>\r\n"),
    ],
)
def test_odd_content_of_an_upstream(script, ends):
    """The last of two lengths counts, chunks go before a length, and a chunk that is none loses all that waits."""
    assert Upstream(site(), script).ask(HEAD + b"\r\n").endswith(ends)


def test_connections_to_a_block_are_kept():
    """With `keepalive` the second request goes on the first one's connection; without, on its own."""
    inside = 'proxy_http_version 1.1; proxy_set_header Connection "";'
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    for keepalive, dials in (("keepalive 8;", 1), ("", 2)):
        conf = f"upstream b {{ server a; {keepalive} }} location / {{ proxy_pass http://b; {inside} }}"
        up = Upstream(conf, ok)
        up.ask(HEAD + b"\r\n")
        up.ask(HEAD + b"\r\n")
        assert up.dials == dials


def test_a_head_request_has_no_content():
    """The length stands there, the content does not."""
    trace = run(site(), f"HEAD /ws/x HTTP/1.1\n{HOST}\n".replace("\r", ""))
    assert (answer(trace).fields.get("Content-Length"), got(trace)[-4:]) == ("35", b"\r\n\r\n")


def test_a_client_that_leaves_ends_the_exchange():
    """A FIN before the answer takes the upstream's connection with it."""
    up = Upstream(site())
    up.ask(HEAD + b"\r\n")
    up.party.receive_eof()
    assert (up.party.ending, up.far.ending) == ("fin", "fin")


def test_an_inner_redirect_of_the_upstream():
    """X-Accel-Redirect leads to another location, without the client's knowing."""
    up = Upstream(site(), b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: /nope\r\nContent-Length: 0\r\n\r\n")
    assert up.ask(HEAD + b"\r\n").startswith(b"HTTP/1.1 404")


def test_the_stream_of_a_switch_is_whole():
    """What the server sent behind the 101 is what the client got behind it."""
    trace = run(site())
    far = trace.stream(Direction.TO_CLIENT, 1).partition(b"\r\n\r\n")[2]
    assert got(trace).partition(b"\r\n\r\n")[2] == far

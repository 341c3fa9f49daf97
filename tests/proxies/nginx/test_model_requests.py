import pytest

from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.model import Fate
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import play
from labkit.trace import Direction
from tests.proxies.nginx.model_runs import FULL, HOST, PLAIN, UP, answer, run, seen, site

KEY = [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")]
MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"


def test_the_documents_block_in_full():
    """What the text sets comes first, then nginx's own Host, then the client's other lines."""
    head = seen(run(site()))
    assert head.start_line == "GET /ws/chat?room=1 HTTP/1.1"
    assert list(head.fields) == [("Upgrade", "websocket"), ("Connection", "upgrade"), ("Host", "b"), *KEY]


@pytest.mark.parametrize(
    ("inside", "version", "upgrade", "connection"),
    [
        ("", "HTTP/1.0", None, "close"),
        ("proxy_http_version 1.1;", "HTTP/1.1", None, "close"),
        (
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
            "HTTP/1.0",
            "websocket",
            "upgrade",
        ),
        (UP.replace('"upgrade"', "$http_connection"), "HTTP/1.1", "websocket", "Upgrade"),
        (UP.replace('"upgrade"', '""'), "HTTP/1.1", "websocket", None),
    ],
)
def test_an_upgrade_goes_on_only_where_it_is_told(inside, version, upgrade, connection):
    """Without the three lines the server sees HTTP/1.0, no Upgrade, and `Connection: close`."""
    head = seen(run(f"location /ws/ {{ proxy_pass http://b; {inside} }}"))
    assert (head.version, head.fields.get("Upgrade"), head.fields.get("Connection")) == (version, upgrade, connection)


def test_nginx_1_29_7_has_other_defaults():
    """There HTTP/1.1 is spoken, and nothing is said of the connection; the trace says that this is not proven."""
    nginx = Nginx("upstream b { server a; } server { location / { proxy_pass http://b; } }", version="1.29.7")
    trace, _ = play(Scenario(FULL, via=(nginx,)))
    head = seen(trace)
    assert (head.version, "Connection" in head.fields, "Upgrade" in head.fields) == ("HTTP/1.1", False, False)
    assert "were not held against the program" in trace.note


def test_the_map_mends_clients():
    """With the map, a client without Connection, or of HTTP/1.0, is upgraded too."""
    lines = UP.replace('"upgrade"', "$connection_upgrade")
    conf = f"{MAP} location / {{ proxy_pass http://b; {lines} }}"
    assert answer(run(conf, FULL.without("Connection"))).status == 101
    assert answer(run(conf, FULL.but(version="HTTP/1.0"))).status == 101
    assert seen(run(conf, PLAIN)).fields.get("Connection") == "close"


@pytest.mark.parametrize(
    ("inside", "target"),
    [("proxy_pass http://b?x=1;", "?x=1chat?room=1"), ("set $b b; proxy_pass http://$b?x=1;", "/?x=1")],
)
def test_a_query_alone_in_proxy_pass(inside, target):
    """It replaces the location's path as it stands; only behind a variable nginx puts a slash before it."""
    assert seen(run(f"location /ws/ {{ {inside} }}", PLAIN)).target == target


def test_lines_of_this_hop():
    """TE, Keep-Alive and Expect are dropped; whatever else Connection names goes on, against RFC 9110, 7.6.1."""
    asked = PLAIN.with_field("TE", "trailers").with_field("Keep-Alive", "5").with_field("Connection", "X-Lab")
    head = seen(
        run(site(), asked.with_field("X-Lab", "1").with_field("Proxy-Connection", "x").with_field("Via", "1.1 x"))
    )
    names = [name for name, _ in head.fields]
    assert names == ["Connection", "Host", "X-Lab", "Proxy-Connection", "Via"]


@pytest.mark.parametrize(
    ("inside", "server", "name", "value"),
    [
        ("", "proxy_set_header X-A a;", "X-A", None),
        ("", "proxy_read_timeout 5s;", "X-A", None),
        ("proxy_set_header X-A a;", "", "X-A", "a"),
        ("proxy_set_header Host $host;", "", "Host", "server.example.com"),
        ("proxy_set_header Host $http_host;", "", "Host", "server.example.com"),
        ('proxy_set_header Sec-WebSocket-Key "";', "", "Sec-WebSocket-Key", None),
        ("proxy_pass_request_headers off;", "", "Sec-WebSocket-Key", None),
        (
            "proxy_set_header X $remote_addr-$scheme-$server_port-$server_name;",
            "",
            "X",
            "127.0.0.1-http-80-example.com",
        ),
        ("proxy_set_header X $proxy_host:$proxy_port;", "", "X", "b:80"),
        ("proxy_set_header X $request_uri|$uri|$args|$is_args;", "", "X", "/ws/chat?room=1|/ws/chat|room=1|?"),
        ("proxy_set_header X $arg_room$cookie_c$http_x_y;", "", "X", "1dz"),
        ("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "", "X-Forwarded-For", "9.9.9.9, 127.0.0.1"),
        ("proxy_set_header X ${scheme}s;", "", "X", "https"),
        ("proxy_set_header X $request;", "", "X", "GET /ws/chat?room=1 HTTP/1.1"),
    ],
)
def test_a_field_is_set(inside, server, name, value):
    """One line of its own keeps a location from all lines above it; an empty value drops the field."""
    asked = FULL.with_field("Cookie", "a=b; c=d").with_field("X-Forwarded-For", "9.9.9.9").with_field("X-Y", "z")
    assert seen(run(site(inside, server), asked)).fields.get(name) == value


def test_lines_are_inherited_whole():
    """Where the location has none of its own, those of the server hold."""
    server = f"server {{ proxy_set_header X-A a; {UP} location / {{ proxy_pass http://b; }} }}"
    assert seen(run(server)).fields.get("X-A") == "a"


@pytest.mark.parametrize(
    ("offer", "length", "content"),
    [
        (f"POST /ws/x HTTP/1.1\n{HOST}Content-Length: 5\n\nhello", "5", b"hello"),
        (f"POST /ws/x HTTP/1.1\n{HOST}Content-Length: 0\n\n", "0", b""),
        (f"POST /ws/x HTTP/1.1\n{HOST}Transfer-Encoding: Chunked\n\n2\nhi\n0\n\n", "2", b"hi"),
        (f"POST /ws/x HTTP/1.1\n{HOST}\n", None, b""),
    ],
)
def test_content_is_sent_with_its_length(offer, length, content):
    """Content is read whole, and goes on with a Content-Length, however it came."""
    trace = run(site(), offer.replace("\r", ""))
    assert (seen(trace).fields.get("Content-Length"), "Transfer-Encoding" in seen(trace).fields) == (length, False)
    assert trace.stream(Direction.TO_SERVER, 1).endswith(b"\r\n\r\n" + content)


def test_what_became_of_each_line():
    """Every line has a fate, the directive that did it, and its line in the text."""
    nginx = Nginx(f"location /ws/ {{\nproxy_pass http://b;\n{UP}\nproxy_set_header X-A a;\n}}")
    asked = FULL.with_field("X_Y", "1").with_field("TE", "trailers")
    _, (party, *_) = play(Scenario(asked, via=(nginx,), server=Server(require=True)))
    changes = {change.name: change for change in party.rounds[0].forward.changes}
    assert changes["X_Y"].fate is Fate.DROPPED
    assert "underscores_in_headers" in changes["X_Y"].by
    assert (changes["Upgrade"].fate, changes["Upgrade"].by) == (
        Fate.FORWARDED,
        "proxy_set_header Upgrade $http_upgrade",
    )
    assert (changes["Connection"].fate, changes["Connection"].line) == (Fate.REWRITTEN, 3)
    assert (changes["Host"].came, changes["Host"].went, changes["Host"].line) == ("server.example.com", "b", 0)
    assert (changes["X-A"].fate, changes["TE"].fate) == (Fate.ADDED, Fate.DROPPED)
    assert changes["Sec-WebSocket-Key"].fate is Fate.FORWARDED


def test_a_second_request_on_the_connection():
    """Requests that follow each other are answered one after the other."""
    asked = Offer.of_bytes(
        PLAIN.to_bytes() + PLAIN.with_field("X-Second", "1").with_field("Connection", "close").to_bytes()
    )
    _, (party, *_) = play(Scenario(asked, via=(Nginx(site()),)))
    assert [each.request.number for each in party.rounds] == [1, 2]

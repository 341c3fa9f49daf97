import pytest

from labkit.parties.offer import Offer
from labkit.proxies.directive import Directive
from labkit.proxies.nginx.levels import Level, pattern, seconds, size
from labkit.proxies.nginx.locations import compile_servers, find_location, find_server
from labkit.proxies.nginx.reading import read
from tests.proxies.nginx.model_runs import UP, answer, run, seen

PLACES = f"""server {{ listen 80;
location / {{ proxy_pass http://root; }}
location /ws/ {{ proxy_pass http://ws/base/; {UP} }}
location = /exact {{ proxy_pass http://exact/e; }}
location ^~ /img/ {{ proxy_pass http://img; }}
location ~ \\.png$ {{ proxy_pass http://png; }}
location ~* ^/RE/(\\d+)/(\\w+)$ {{ proxy_pass http://re/$2/$1; }}
location /nest/ {{ proxy_pass http://nest; location /nest/a/ {{ proxy_pass http://nesta/q/; }}
                  location ~ re9$ {{ proxy_pass http://nestre; }} }}
location /deep {{ return 404; location /deep/ws/ {{ proxy_pass http://deep:8080/; }} }} }}"""


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [  # as nginx 1.22.1 sent them on
        ("/", "root", "/"),
        ("/ws/", "ws", "/base/"),
        ("/ws/x", "ws", "/base/x"),
        ("/ws//x", "ws", "/base/x"),
        ("/ws/%2fx", "ws", "/base/x"),
        ("/ws/%2e%2e/y", "root", "/ws/%2e%2e/y"),
        ("/ws/a/../b", "ws", "/base/b"),
        ("/ws/a%20b", "ws", "/base/a%20b"),
        ("/ws/a%3fb", "ws", "/base/a%3Fb"),
        ("/ws/x?a=1&b=%20", "ws", "/base/x?a=1&b=%20"),
        ("//ws/x", "ws", "/base/x"),
        ("/WS/x", "root", "/WS/x"),
        ("/ws/x#frag", "ws", "/base/x"),
        ("/ws/a+b", "ws", "/base/a+b"),
        ("/ws/x??y", "ws", "/base/x??y"),
        ("/ws/a%2Fb%25", "ws", "/base/a/b%25"),
        ("/img/x.png", "img", "/img/x.png"),
        ("/a/x.png", "png", "/a/x.png"),
        ("/exact", "exact", "/e"),
        ("/exact/", "root", "/exact/"),
        ("/nest/a/b", "nesta", "/q/b"),
        ("/nest/re9", "nestre", "/nest/re9"),
        ("/re/12/ab", "re", "/ab/12"),
        ("/w", "root", "/w"),
        ("/deep/ws/x", "deep:8080", "/x"),
        ("http://other.example/ws/x", "ws", "/base/x"),
        ("http://example.com", "root", "/"),
        ("http://example.com?x", "root", "/?x"),
    ],
)
def test_a_path_comes_to_one_location(target, host, path):
    """Exact, then the longest beginning, then patterns in their order; a URI of proxy_pass replaces the beginning."""
    head = seen(run(PLACES, Offer.plain(target)))
    assert (head.fields.get("Host"), head.target) == (host, path)


@pytest.mark.parametrize("target", ["/../x", "/ws/%zz", "/ws/%00", "/ws/../.."])
def test_a_path_that_cannot_be(target):
    """A path above the root, or one that is not written rightly, is a 400, and the connection closes."""
    trace = run(PLACES, Offer.plain(target))
    assert (answer(trace).status, answer(trace).fields.get("Connection")) == (400, "close")
    assert seen(trace) is None


@pytest.mark.parametrize(
    ("listen", "target", "location"),
    [
        (80, "/ws", "http://server.example.com/ws/"),
        (80, "/ws?x=1", "http://server.example.com/ws/?x=1"),
        (8080, "/ws", "http://server.example.com:8080/ws/"),
    ],
)
def test_a_missing_slash_is_redirected(listen, target, location):
    """Only a location that passes on, and whose name ends in a slash, redirects to it."""
    head = answer(
        run(f"server {{ listen {listen}; location /ws/ {{ proxy_pass http://b; }} }}", Offer.websocket(target))
    )
    assert (head.status, head.fields.get("Location")) == (301, location)
    assert (
        seen(run("location / { proxy_pass http://b; } location /x/ { return 404; }", Offer.plain("/x"))).target == "/x"
    )


def test_without_a_uri_the_path_goes_on_as_it_came():
    """A proxy_pass without a path changes nothing, not even what could be written shorter."""
    conf = "location / { proxy_pass http://b; }"
    for target in ("/ws//x", "/a/../b%2f", "/x?y#z", "/%e9"):
        assert seen(run(conf, Offer.plain(target))).target == target


SERVERS = """http {
server { listen 80; server_name a.example *.b.example; location / { return 200; } }
server { listen 80 default_server; server_name .example ~^r(\\d+)$ www.*; location / { return 201; } }
server { listen 81; server_name a.example; location / { return 202; } } }"""


@pytest.mark.parametrize(
    ("port", "host", "which"),
    [
        (80, "a.example", 0),
        (80, "x.b.example", 0),
        (80, "b.example", 1),
        (80, "example", 1),
        (80, "r12", 1),
        (80, "www.org", 1),
        (80, "nobody", 1),
        (80, "", 1),
        (81, "nobody", 2),
    ],
)
def test_a_host_chooses_the_server(port, host, which):
    """A name goes before one with a star in front, that before one with a star behind, that before a pattern."""
    servers = compile_servers(Level(read(SERVERS)[0]))
    assert find_server(servers, port, host)[0] is servers[which]


def test_a_pattern_of_a_name_is_caught():
    """What a server's pattern caught can be used; so measured with a name of digits."""
    conf = 'server { listen 80; server_name ~^r(\\d+)$; location / { return 200 "b$1"; } location /p { proxy_pass http://x; } }'
    trace = run(conf, Offer.plain("/", host="r12"))
    assert answer(trace).fields.get("Content-Length") == "3"


def test_an_exact_location_without_regard_to_nesting():
    """A deeper plain location ends the search only where it is exact."""
    places = read(
        "server { location /a/ { location = /a/b { } location /a/c { } } location ~ b$ { } location ~ c$ { } }"
    )
    inside = compile_servers(Level(Directive("http", block=places)))[0].inside
    assert find_location(inside, "/a/b").location.name == "/a/b"
    assert find_location(inside, "/a/c").location.name == "c$"


def test_times_and_sizes():
    """Units are those of nginx's syntax page."""
    assert (seconds("1h 30m"), seconds("1d"), seconds("60")) == (5400, 86400, 60)
    assert (size("1k"), size("2M"), size("7"), size("x")) == (1024, 2 << 20, 7, 0)


def test_patterns_are_pcre():
    """A name in a pattern is written as PCRE writes it."""
    found = pattern("^/(?<room>[^/]+)$", Directive("location"))
    assert found.search("/x")["room"] == "x"

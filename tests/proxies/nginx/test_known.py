import pytest
from crossplane.analyzer import DIRECTIVES
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import Unmodelled
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.nginx import Nginx
from labkit.proxies.nginx.known import KNOWN, Bearing, known
from labkit.scenario import Scenario
from labkit.simulation import simulate
from tests.proxies.nginx.model_runs import FULL, UP, Upstream, answer, run, seen, site

HOLDS = "location / { proxy_pass http://b; } "


def test_every_row_has_directives_of_nginx_and_a_sentence():
    """Each row says something, and names something that nginx has, or what comes by a module."""
    for row in KNOWN:
        assert row.does
        assert row.does[0].islower()
        assert not row.does.endswith(".")
        assert all(names.islower() for names in row.names.split())


def test_most_of_nginx_is_in_the_table():
    """What no row names are directives of mail, stream, TCP and of the commercial version."""
    missing = {name for name in DIRECTIVES if known(name) is None}
    assert not {name for name in missing if name.startswith(("proxy_set", "proxy_h", "client_", "ssl_", "gzip"))}
    assert len(missing) < 90


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("proxy_cache zone;", "line 3: proxy_cache: answers from a store"),
        ("proxy_method POST;", "line 3: proxy_method"),
        ("auth_request /auth;", "line 3: auth_request"),
        ("sub_filter a b;", "line 3: sub_filter"),
        ("mirror /m;", "line 3: mirror"),
        ("expires 1h;", "line 3: expires"),
        ("charset utf-8;", "line 3: charset"),
        ("proxy_request_buffering off;", "line 3: proxy_request_buffering"),
        ("proxy_ignore_client_abort on;", "line 3: proxy_ignore_client_abort"),
        ("proxy_cookie_path / /x/;", "line 3: proxy_cookie_path"),
        ("satisfy any;", "line 3: satisfy"),
        ("stub_status;", "line 3: stub_status"),
        ("autoindex on;", "line 3: autoindex"),
        ("proxy_redirect ~^http(.*)$ $1;", "line 3: proxy_redirect"),
        ("set_real_ip_from 127.0.0.1;", "line 3: set_real_ip_from"),
        ("if (-f $uri) { return 200; }", "line 3: if"),
        ("proxy_set_header X $msec;", "what $msec will be; run it"),
        ("proxy_set_header X $htp_upgrade;", "what $htp_upgrade will be (did you mean $http_upgrade?); run it"),
        ("proxy_set_header X $upstream_addr;", "what $upstream_addr will be"),
        ("add_header X $upstream_status always;", "what $upstream_status will be"),
        ("set $x $time_local; proxy_set_header X $x;", "what $x will be"),
        ("set $connection x;", 'the duplicate "connection" variable'),
        ("rewrite ^/(?i)x /y;", "the regular expression"),
        ("location ~ \\pL { return 200; }", "the regular expression"),
    ],
)
def test_what_could_matter_and_is_not_modelled(lines, what):
    """The directive and its line are named; nothing is guessed."""
    nginx = Nginx(f"location / {{\nproxy_pass http://b;\n{lines}\n}}")
    with pytest.raises(Unmodelled, match="line 3") as error:
        nginx.model()
    assert what in str(error.value)


@pytest.mark.parametrize(
    "lines",
    [
        "proxy_cache off;", "proxy_request_buffering on;", "expires off;", "satisfy all;", "auth_request off;",
        "gzip on; gzip_types text/plain; tcp_nodelay on; sendfile on; proxy_send_timeout 2s; limit_req zone=x;",
        "set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;", "set $x $time_local;", "access_log off;",
        "proxy_set_header X $request_id;", "try_files $document_root/x @a;", "send_timeout 1s; proxy_buffers 8 8k;",
    ],
)  # fmt: skip
def test_what_cannot_matter(lines):
    """It is taken, and the upgrade goes through."""
    zone = "limit_req_zone $binary_remote_addr zone=x:1m rate=1r/s;"
    conf = (
        f"{zone} server {{ location / {{ proxy_pass http://b; {UP} {lines} }} location @a {{ proxy_pass http://b; }} }}"
    )
    assert answer(run(conf)).status in (101, 200)


def test_an_error_page_for_what_is_no_request():
    """A page for 400 may be a text or a redirect; one that an upstream makes is not modelled."""
    conf = "server { error_page 400 %s; location = /e { return 200 x; } location / { proxy_pass http://b; } }"
    for to, modelled in (("/e", True), ("http://x/y", True), ("/other", False), ("$uri", False)):
        if modelled:
            assert Nginx(conf % to).model()
        else:
            with pytest.raises(Unmodelled, match="error_page"):
                Nginx(conf % to).model()


def test_times_that_differ_are_not_modelled():
    """One connection has one time for its heads; a keepalive_timeout of 0 is the location's own."""
    conf = "server { client_header_timeout 5s; %s location / { proxy_pass http://b; %s } }"
    with pytest.raises(Unmodelled, match="keepalive_timeout"):
        Nginx(conf % ("keepalive_timeout 3s;", "keepalive_timeout 5s;")).model()
    assert Nginx(conf % ("keepalive_timeout 3s;", "keepalive_timeout 0;")).model().times.keep_alive == 3
    assert Nginx(conf % ("", "")).model().times.head == 5


def test_versions():
    """Two are known, one of them from its change log alone."""
    with pytest.raises(Unmodelled, match=r"not 1\.0"):
        Nginx(HOLDS, version="1.0").model()
    assert "change log" in Nginx(HOLDS, version="1.29.7").model().note


def test_a_map_in_all_its_forms():
    """Words without regard to case, stars where hostnames are meant, patterns in their order, then the default."""
    conf = """map $host $x { hostnames; default d; exact.example e; .example f; www.* w; ~^(?<n>s.+)\\.org$ $n; }
              location / { proxy_pass http://b; proxy_set_header X $x; }"""
    hosts = {"EXACT.example": "e", "a.example": "f", "example": "f", "www.a": "w", "so.org": "so", "z": "d"}
    for host, value in hosts.items():
        assert seen(run(conf, Offer.plain("/", host=host))).fields.get("X") == value


def test_an_unmodelled_directive_is_none_where_it_does_nothing():
    """What belongs to FastCGI cannot matter: nothing is passed that way."""
    assert known("fastcgi_param").bearing is Bearing.NOTHING
    assert known("proxy_cache").bearing is Bearing.REFUSED
    assert known("no_such_directive") is None


CONFS = (
    site(),
    "location / { proxy_pass http://b; proxy_intercept_errors on; error_page 403 404 =200 /x; }",
    "server { rewrite ^/a(.*) /b$1; location ~ ^/(\\w+)/(.*)$ { proxy_pass http://b/$2$is_args$args; } location / { return 301 $scheme://$host/$arg_a; } }",
)


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.sampled_from(CONFS), st.booleans())
def test_no_bytes_break_it(data, conf, fields):
    """Whatever a client sends is answered, or waited for."""
    asked = FULL.to_bytes()[:-2] + data if fields else data
    simulate(Scenario(Offer.of_bytes(asked), via=(Nginx(conf),), server=Server(decline=403), patience=0.1))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"HTTP/1.1 101 x\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]),
)
def test_no_bytes_of_an_upstream_break_it(data, begin):
    """Nor does anything that an upstream sends."""
    up = Upstream(site("proxy_read_timeout 1s;"), begin + data)
    up.ask(FULL.to_bytes())
    up.far.receive_eof()
    up.wait(100)

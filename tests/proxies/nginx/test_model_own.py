import pytest

from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.nginx.pages import page, status_line
from tests.proxies.nginx.model_runs import FULL, HOST, PLAIN, UP, Upstream, answer, got, run, seen, site

FIELDS = HOST.replace("\r", "")
NOPE = Offer.plain("/nope")


def test_a_page_byte_for_byte():
    """A path that comes nowhere is a 404, in nginx's own words."""
    head, _, content = got(run(site(), NOPE)).partition(b"\r\n\r\n")
    assert [line for line in head.decode().split("\r\n") if not line.startswith("Date")] == [
        "HTTP/1.1 404 Not Found", "Server: nginx/1.22.1", "Content-Type: text/html", "Content-Length: 153",
        "Connection: keep-alive",
    ]  # fmt: skip
    assert content == (
        b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
        b"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
    )


def test_pages_that_differ_from_their_status():
    """A 302 is Found on its page and Moved Temporarily in its status line; 494 is shown as 400; 426 has no page."""
    assert status_line(302) == "302 Moved Temporarily"
    assert b"<title>302 Found</title>" in page(302, "nginx")
    assert b"<center>Request Header Or Cookie Too Large</center>" in page(494, "nginx")
    assert (page(426, "nginx"), page(204, "nginx"), status_line(426)) == (b"", b"", "426 ")


def test_the_version_can_be_kept_back():
    """server_tokens off takes it out of Server and of pages."""
    data = got(run(site("", "server_tokens off;"), NOPE))
    assert (b"Server: nginx\r\n" in data, b"<center>nginx</center>" in data) == (True, True)


def test_chrome_gets_a_longer_page():
    """An error page is padded for Chrome, unless msie_padding is off."""
    chrome = NOPE.with_field("User-Agent", "Mozilla/5.0 (X11) Chrome/120 Safari/537")
    length = int(answer(run(site(), NOPE)).fields.get("Content-Length"))
    assert int(answer(run(site(), chrome)).fields.get("Content-Length")) == length + 6 * 67
    assert int(answer(run(site("", "msie_padding off;"), chrome)).fields.get("Content-Length")) == length


@pytest.mark.parametrize(
    ("line", "status", "kind", "content"),
    [
        ("return 200;", 200, "text/plain", b""),
        ("return 200 hm;", 200, "text/plain", b"hm"),
        ("default_type a/b; return 200 hm;", 200, "a/b", b"hm"),
        ('return 403 "no $uri";', 403, "text/plain", b"no /ws/chat"),
        ("return 204;", 204, None, b""),
        ("return 426;", 426, None, b""),
        ("return 418;", 418, None, b""),
        ("deny all;", 403, "text/html", None),
        ("internal;", 404, "text/html", None),
        ("allow 127.0.0.0/8; deny all; return 200;", 200, "text/plain", b""),
        ("try_files $uri =503;", 503, "text/html", None),
        ("rewrite ^ /ws/x last;", 500, "text/html", None),
    ],
)
def test_what_a_location_answers_itself(line, status, kind, content):
    """No upstream is asked."""
    trace = run(f"server {{ location /ws/ {{ {line} }} location /p/ {{ proxy_pass http://b; }} }}")
    assert (answer(trace).status, answer(trace).fields.get("Content-Type")) == (status, kind)
    assert content is None or got(trace).partition(b"\r\n\r\n")[2] == content
    assert seen(trace) is None


@pytest.mark.parametrize(
    ("line", "status", "location"),
    [
        ("return 301 https://$host$request_uri;", 301, "https://server.example.com/ws/chat?room=1"),
        ("return http://x/y;", 302, "http://x/y"),
        ("return 307 /z?a;", 307, "http://server.example.com:8080/z?a"),
        ("absolute_redirect off; return 301 /z;", 301, "/z"),
        ("port_in_redirect off; return 301 /z;", 301, "http://server.example.com/z"),
        ("server_name_in_redirect on; return 301 /z;", 301, "http://example.com:8080/z"),
        ("return 301;", 301, ""),
        ("rewrite ^/ws/(.*)$ /n/$1 permanent;", 301, "http://server.example.com:8080/n/chat?room=1"),
        ("rewrite ^ https://x.example$request_uri? redirect;", 302, "https://x.example/ws/chat?room=1"),
    ],
)
def test_redirects_of_its_own(line, status, location):
    """A path becomes a URL of the client's Host, with the port unless that is 80."""
    conf = f"server {{ listen 8080; server_name example.com; location /ws/ {{ {line} }} location /p/ {{ proxy_pass http://b; }} }}"
    head = answer(run(conf))
    assert (head.status, head.fields.get("Location")) == (status, location)


def test_444_closes_without_a_word():
    """It is nginx's own, and no answer at all."""
    trace = run("server { location / { return 444; } location /p/ { proxy_pass http://b; } }")
    assert got(trace) == b""


@pytest.mark.parametrize(
    ("inside", "path"),
    [
        ("rewrite ^/ws/(.*)$ /$1 break;", "/chat?room=1"),
        ("rewrite ^/ws/(.*)$ /n/$1?x=1 break;", "/n/chat?x=1&room=1"),
        ("rewrite ^/ws/(.*)$ /n/$1? break;", "/n/chat"),
        ("set $args a=b;", "/ws/chat?a=b"),
        ("if ($arg_room) { rewrite ^ /q break; }", "/q?room=1"),
        ("if ($http_upgrade ~* ^WEB) { rewrite ^ /w break; }", "/w?room=1"),
        ("if ($http_upgrade != websocket) { return 426; }", "/ws/chat?room=1"),
    ],
)
def test_a_path_is_rewritten(inside, path):
    """The new path goes on, with the query unless it ends in a question mark."""
    assert seen(run(site(inside))).target == path


def test_a_path_is_looked_up_again():
    """After `last`, and after a rewrite of the server's own, the new path finds its location."""
    conf = f"server {{ %s location /ws/ {{ %s }} location /n/ {{ proxy_pass http://b/m/; {UP} }} }}"
    line = "rewrite ^/ws/(.*)$ /n/$1 last;"
    for text in (conf % ("", line), conf % (line, "")):
        assert seen(run(text)).target == "/m/chat?room=1"


def test_an_if_takes_the_location_over():
    """A proxy_pass in an `if` holds where its condition does, and the location's own elsewhere."""
    conf = f"location / {{ if ($http_upgrade = websocket) {{ proxy_pass http://ws; }} proxy_pass http://plain; {UP} }}"
    assert (seen(run(conf)).fields.get("Host"), seen(run(conf, PLAIN)).fields.get("Host")) == ("ws", "plain")


def test_a_variable_names_the_upstream():
    """With variables, a path in proxy_pass is the whole path."""
    conf = f"server {{ set $up backend:3000; location /ws/ {{ proxy_pass http://$up%s; {UP} }} }}"
    head = seen(run(conf % ""))
    assert (head.target, head.fields.get("Host")) == ("/ws/chat?room=1", "backend:3000")
    assert seen(run(conf % "/x$uri")).target == "/x/ws/chat"


def test_a_named_location_is_the_last_resort():
    """try_files finds no file, and goes where its last word leads."""
    conf = f"""server {{ location / {{ try_files $uri %s; }} location @app {{ proxy_pass http://c; {UP} }}
               location /app/ {{ proxy_pass http://d; {UP} }} }}"""
    assert seen(run(conf % "@app")).target == "/ws/chat?room=1"
    assert seen(run(conf % "/app$uri?$args")).target == "/app/ws/chat?room=1"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("error_page 502 /e; location = /e { return 200 hm; }", 502),
        ("error_page 502 =200 /e; location = /e { return 200 hm; }", 200),
        ("error_page 502 = @m; location @m { return 503 later; }", 503),
        ("error_page 502 /50x.html; location = /50x.html { root /usr/share/nginx/html; }", 404),
        ("error_page 502 @none;", 500),
    ],
)
def test_an_error_page(lines, status):
    """A page that is a file is not there in the lab, so that it is a 404."""
    conf = f"server {{ {lines} location / {{ proxy_pass http://b; {UP} }} }}"
    assert answer(run(conf, FULL, Server(listens=False))).status == status


@pytest.mark.parametrize(
    ("offer", "status", "connection"),
    [
        (f"POST /ws/x HTTP/1.1\n{FIELDS}Content-Length: 5\n\nhello", 413, "close"),
        (f"POST /ws/x HTTP/1.1\n{FIELDS}Content-Length: 5\nExpect: 100-continue\n\n", 413, "close"),
        (f"POST /ws/x HTTP/1.1\n{FIELDS}Transfer-Encoding: chunked\n\n5\nhello\n0\n\n", 413, "close"),
        (f"POST /nope HTTP/1.1\n{FIELDS}Content-Length: 3\n\n", 404, "keep-alive"),
        (f"POST /nope HTTP/1.1\n{FIELDS}Content-Length: 3\nExpect: 100-continue\n\n", 404, "keep-alive"),
        (f"DELETE /nope HTTP/1.1\n{FIELDS}\n", 405, "keep-alive"),
        (f"POST /ws/x HTTP/1.1\n{FIELDS}Transfer-Encoding: chunked\n\nzz\n", 400, "close"),
    ],
)
def test_content_is_not_waited_for(offer, status, connection):
    """What nginx answers itself it answers before content comes, and without a 100."""
    head = answer(run(site("client_max_body_size 3;"), offer))
    assert (head.status, head.fields.get("Connection")) == (status, connection)


def test_a_client_that_waits_gets_a_100():
    """A request that goes on is read whole first."""
    data = got(run(site(), f"POST /ws/x HTTP/1.1\n{FIELDS}Content-Length: 5\nExpect: 100-continue\n\nhello"))
    assert data.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("server", "offer", "connection", "keep_alive"),
    [
        ("", PLAIN, "keep-alive", None),
        ("", PLAIN.with_field("Connection", "close, Upgrade"), "close", None),
        ("", PLAIN.but(version="HTTP/1.0"), "close", None),
        ("", PLAIN.but(version="HTTP/1.0").with_field("Connection", "keep-alive"), "keep-alive", None),
        ("keepalive_timeout 0;", PLAIN, "close", None),
        ("keepalive_requests 1;", PLAIN, "close", None),
        ("keepalive_timeout 75s 20s;", PLAIN, "keep-alive", "timeout=20"),
    ],
)
def test_whether_the_connection_goes_on(server, offer, connection, keep_alive):
    """The client's version and words decide, and the configuration."""
    head = answer(run(site("", server), offer))
    assert (head.fields.get("Connection"), head.fields.get("Keep-Alive")) == (connection, keep_alive)


def test_slow_clients_are_closed_on_without_an_answer():
    """client_header_timeout, client_body_timeout and keepalive_timeout."""
    times = "client_header_timeout 3s; client_body_timeout 4s; keepalive_timeout 5s;"
    for data, seconds in ((b"GET / HT", 3), (b"POST /ws/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 4)):
        up = Upstream(site("", times))
        assert (up.ask(data), up.wait(seconds - 1), up.party.ending) == (b"", b"", "")
        assert (up.wait(1), up.party.ending) == (b"", "fin")
    up = Upstream(site("", times))
    assert up.ask(b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (up.wait(4), up.party.ending) == (b"", "")
    assert (up.wait(1), up.party.ending) == (b"", "fin")


def test_a_connection_that_was_answered_early():
    """Where it is to be closed, it is when the content has come; else the next request is read behind it."""
    for line, more in (("Connection: close\r\n", b""), ("", b"HTTP/1.1 404")):
        up = Upstream(site())
        asked = b"POST /nope HTTP/1.1\r\nHost: a\r\n" + line.encode() + b"Content-Length: 3\r\n\r\n"
        assert up.ask(asked).startswith(b"HTTP/1.1 404")
        assert up.party.ending == ""
        assert up.ask(b"abcGET /nope HTTP/1.1\r\nHost: a\r\n\r\n")[:12] == more
        assert (up.party.ending == "fin") == (not more)


def test_methods_that_are_excepted():
    """limit_except holds for all other methods; GET stands for HEAD too, which the server then declines."""
    conf = site("limit_except GET { deny all; }")
    assert [answer(run(conf, FULL.but(method=each))).status for each in ("GET", "HEAD", "POST")] == [101, 405, 403]


def test_added_fields_of_its_own_answers():
    """Without `always` a 404 gets none."""
    conf = "server { add_header X-A a; add_header X-B b always; location /x/ { proxy_pass http://b; } }"
    assert [name in answer(run(conf)).fields for name in ("X-A", "X-B")] == [False, True]

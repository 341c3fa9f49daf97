import pytest

from labkit.errors import Refused, WrongUse
from labkit.proxies.described import Place
from labkit.proxies.directive import NoteKind, Upstream
from labkit.proxies.nginx import Nginx
from tests.proxies.nginx.real import SITES

PLACE = Place("/lab", 5000, "127.0.0.1:6000", (5001, 5002, 5003))
PASS = "proxy_pass http://b;"
SEED = next(each for each in SITES if each.stem == "seed").read_text()


def whats(nginx: Nginx, kind: NoteKind) -> list[str]:
    return [note.what for note in nginx.notes if note.kind == kind]


def test_the_documents_block():
    """The well-known block lacks three things to be a file; they are added, and said."""
    nginx = Nginx(SEED)
    assert whats(nginx, NoteKind.ADDED) == ["events", "http", "port_in_redirect off", "upstream websocket_backend"]
    assert nginx.upstreams == (Upstream(6, "websocket_backend", "proxy_pass"),)
    assert (nginx.door_port, nginx.door_host, nginx.other_ports) == (80, "example.com", ())
    text = nginx.completed(PLACE)
    assert "proxy_pass http://websocket_backend;  # line 6" in text
    assert "listen 127.0.0.1:5000;  # line 3" in text
    assert text.count("server 127.0.0.1:6000;") == 1


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (PASS, ["events", "http", "location /", "server"]),
        (f"location / {{ {PASS} }}", ["events", "http", "server"]),
        (f"location / {{ {PASS} }} gzip on;", ["events", "http", "server"]),
        (f"server {{ location / {{ {PASS} }} }} gzip on; user x;", ["events", "http"]),
        (f"http {{ server {{ location / {{ {PASS} }} }} }}", ["events"]),
        (f"events {{}} http {{ server {{ location / {{ {PASS} }} }} }}", []),
        (f"map $http_upgrade $c {{ default x; }} location / {{ {PASS} }}", ["events", "http", "server"]),
        (f"upstream b {{ server a; }} server {{ location / {{ {PASS} }} }}", ["events", "http"]),
    ],
)
def test_a_snippet_is_put_into_the_blocks_it_lacks(text, added):
    """Every part of a configuration can be pasted; what it lacks is named."""
    named = [
        what
        for what in whats(Nginx(text), NoteKind.ADDED)
        if what.split()[0] in ("events", "http", "server", "location")
    ]
    assert named == added


def test_lines_go_where_the_snippet_was_cut_out():
    """Beside a location a proxy_set_header is the server's; a map goes to http."""
    (http,) = Nginx(f"map $a $b {{ x y; }}\nproxy_set_header A 1;\nlocation / {{ {PASS} }}").directives
    server = http.inside("server")[0]
    assert [each.name for each in http.block] == ["upstream", "map", "server"]
    assert [each.line for each in server.inside("proxy_set_header")] == [2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the configuration is empty"),
        ("# only this", "the configuration is empty"),
        ("map $a $b { x y; }", "there is no server and no location"),
        ("http {}", "line 1: there is no server block in http"),
        ("http {}\nhttp {}", "line 2: a second http block; the first is on line 1"),
        ("http { server {} }\nserver {}", "line 2: server is not allowed outside http"),
        ("server {}\nlocation / {}", "line 2: location stands beside a server block"),
        ("server 127.0.0.1:1;", "line 1: server 127.0.0.1:1 belongs into an upstream block"),
        ("proxy_pas http://b;", "line 1: nginx has no directive 'proxy_pas'; did you mean proxy_pass?"),
        ("server {\n proxy_pas http://b; }", "line 2: nginx has no directive 'proxy_pas'"),
        ("server { more_set_headers a; }", "line 1: nginx has no directive 'more_set_headers'; if your nginx has"),
        ("server { proxy_pass http://b; }", "line 1: proxy_pass is not allowed in server"),
        ("location / { proxy_pass http://a b; }", "line 1: proxy_pass does not take 2 arguments"),
        (
            "location / { proxy_pass http://a\nproxy_http_version 1.1; }",
            "line 1: proxy_pass is not ended: a semicolon is missing before proxy_http_version",
        ),
        ("location / { proxy_pass; }", "line 1: proxy_pass needs an argument"),
        ("location / { proxy_buffering maybe; }", "line 1: invalid value maybe in proxy_buffering"),
        ("location /;", "line 1: location is a block"),
        (
            "location / { proxy_pass ws://b; }",
            "line 1: proxy_pass ws://b: write http:// or https://; an upgrade begins",
        ),
        (
            "upstream b { server a; }\nserver { location / { proxy_pass http://b:80; } }",
            "line 2: proxy_pass http://b:80: b is an",
        ),
        ("server { listen 70000; }", "line 1: listen 70000: a port is"),
        ("server { listen a:b; }", "line 1: listen a:b has no port number"),
    ],
)
def test_what_nginx_would_not_take_is_told_at_once(text, told):
    """Mistakes are told when the text is read, without the program, with line and directive."""
    with pytest.raises(WrongUse) as caught:
        Nginx(text)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    "directive",
    ["perl Mod::x", "js_content x", "content_by_lua_block { x }", "content_by_lua_file /x", "proxy_store on", "dav_methods PUT",
     "try_files /../x =404", "passenger_enabled on"],
)  # fmt: skip
def test_what_runs_or_writes_is_refused(directive):
    """What executes, writes or climbs out is refused with line and name, and stays where it is allowed by name."""
    text = f"location / {{\n {directive}{'' if directive.endswith('}') else ';'}\n {PASS} }}"
    name = directive.split()[0]
    with pytest.raises(Refused, match=rf"^line 2: {name} .*allow=\['{name}'\]"):
        Nginx(text)
    assert name in Nginx(text, allow=[name]).completed(PLACE)


@pytest.mark.parametrize(
    "directive",
    [
        "user root",
        "daemon on",
        "worker_processes 8",
        "pid /x",
        "env A",
        "load_module a.so",
        "working_directory /",
        "error_log /x",
    ],
)
def test_what_is_about_the_process_is_set_aside(directive):
    """The lab starts nginx itself: these are named, and are not in the file."""
    nginx = Nginx(f"{directive};\nserver {{ location / {{ {PASS} }} }}")
    assert directive in whats(nginx, NoteKind.SET_ASIDE)
    assert f"{directive};" not in nginx.completed(PLACE)


def test_blocks_that_are_not_http_are_set_aside():
    """Nothing listens or connects for stream and mail."""
    nginx = Nginx(
        f"stream {{ server {{ listen 1; proxy_pass 10.0.0.1:2; }} }} mail {{}} server {{ location / {{ {PASS} }} }}"
    )
    assert whats(nginx, NoteKind.SET_ASIDE) == ["stream", "mail"]
    assert "10.0.0.1" not in nginx.completed(PLACE)


def test_nothing_is_read_or_written_elsewhere():
    """Every path of a text leads into the private folder or is gone."""
    text = """http {
        proxy_cache_path /var/cache/a levels=1:2 keys_zone=a:1m; proxy_temp_path /var/tmp; access_log /var/log/a;
        server { root /srv/www; ssl_certificate /etc/a; auth_basic x; auth_basic_user_file /etc/b;
            if (!-f /srv/flag) { return 503; }
            location /s/ { alias /srv/s/; } location /c { proxy_cache a; proxy_pass http://b; } } }"""
    completed = Nginx(text).completed(PLACE)
    assert not [word for word in completed.split() if word.startswith(("/var", "/srv", "/etc"))]
    for path in ("/lab/cache_1 levels=1:2", "root /lab/html;", "alias /lab/html/;", "if (!-f /lab/html/srv/flag)"):
        assert path in completed


def test_another_protocol_is_answered_502():
    """Where FastCGI or gRPC would be spoken nobody listens."""
    nginx = Nginx("location /a { fastcgi_pass unix:/x; } location /b { grpc_pass b:1; }")
    assert nginx.completed(PLACE).count("return 502;") == 2
    assert nginx.upstreams == ()


@pytest.mark.parametrize(
    ("listen", "port", "tls"),
    [
        ("80", 80, False), ("[::]:8080", 8080, False), ("*:81", 81, False), ("example.com:82", 82, False), ("10.0.0.1", 80, False),
        ("443 ssl http2", 443, True), ("443 quic reuseport", 443, True), ("8443 http2", 8443, False), ("8000-8003", 8000, False),
        ("80 proxy_protocol", 80, False), ("unix:/run/x", 80, False),
    ],
)  # fmt: skip
def test_every_listen_becomes_a_port(listen, port, tls):
    """Whatever an address looks like, the lab dials a port of 127.0.0.1; TLS is served in plain."""
    nginx = Nginx(f"server {{ listen {listen}; location / {{ {PASS} }} }}")
    assert (nginx.door_port, nginx.tls_ports) == (port, frozenset({port} if tls else ()))
    assert nginx.completed(PLACE).count("listen 127.0.0.1:5000;") == 1


def test_a_port_is_listened_on_once():
    """Two addresses of a port are one here; the first default server stays."""
    nginx = Nginx(
        f"server {{ listen 80 default_server; listen [::]:80 default_server; location / {{ {PASS} }} }}\n"
        "server { listen 127.0.0.1:80 default_server; }"
    )
    assert nginx.completed(PLACE).count("127.0.0.1:5000 default_server") == 1
    assert "default_server" in whats(nginx, NoteKind.SET_ASIDE)


def test_the_old_word_for_tls():
    """`ssl on` of a server makes all its ports speak TLS."""
    assert Nginx(f"server {{ listen 443; ssl on; location / {{ {PASS} }} }}").tls_ports == {443}


@pytest.mark.parametrize(
    ("text", "door", "others"),
    [
        (
            f"server {{ listen 80; return 301 https://$host; }} server {{ listen 443 ssl; location / {{ {PASS} }} }}",
            443,
            (80,),
        ),
        (
            f"server {{ listen 80; return 301 x; location / {{ {PASS} }} }} server {{ listen 81; location / {{ {PASS} }} }}",
            81,
            (80,),
        ),
        (
            f'server {{ listen 80; listen 443 ssl; if ($scheme != "https") {{ return 301 x; }} location / {{ {PASS} }} }}',
            443,
            (80,),
        ),
        (f"server {{ listen 80; listen 443 ssl; location / {{ {PASS} }} }}", 80, (443,)),
        ("server { listen 80; } server { listen 81; }", 80, (81,)),
    ],
)
def test_the_door_leads_to_an_upstream(text, door, others):
    """The client dials the first port that leads to an upstream, not the one that only redirects."""
    nginx = Nginx(text)
    assert (nginx.door_port, nginx.other_ports) == (door, others)


def test_another_door():
    """A door can be chosen; one where nothing listens is told."""
    text = f"server {{ listen 80; }} server {{ listen 81; server_name ~x *.y a.b; location / {{ {PASS} }} }}"
    assert (Nginx(text, door=80).door_port, Nginx(text).door_host) == (80, "a.b")
    with pytest.raises(WrongUse, match="nothing listens on port 82; there are 80, 81"):
        Nginx(text, door=82)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://localhost:3000/a", "https://[::1]:3000"])
def test_upstreams_can_be_kept(url):
    """Loopback addresses are left as they are where that is asked for."""
    nginx = Nginx(f"location / {{ proxy_pass {url}; }}", keep_upstreams=True)
    text = nginx.completed(PLACE)
    assert f"proxy_pass {url};" in text
    assert PLACE.upstream not in text
    assert len(nginx.upstreams) == 1


@pytest.mark.parametrize(
    "text",
    ["location / { proxy_pass http://10.0.0.1; }", "location / { proxy_pass http://app:3000; }", "location / { proxy_pass http://$a; }",
     "location / { proxy_pass http://unix:/x; }", "upstream b { server a:1; } server { location / { proxy_pass http://b; } }"],
)  # fmt: skip
def test_the_lab_does_not_leave_this_machine(text):
    """An upstream that may be elsewhere cannot be kept; the line says which."""
    with pytest.raises(Refused, match=r"^line 1: .* may lead off this machine"):
        Nginx(text, keep_upstreams=True)


@pytest.mark.parametrize(
    "text",
    [
        "location / { proxy_pass $arg_to; }",
        "set $t http://10.0.0.1; location / { proxy_pass $t$arg_more; }",
        "location ~ (?<t>.*) { set $t http://a; proxy_pass $t; }",
    ],
)
def test_where_a_request_says_is_refused(text):
    """A whole URL out of a request could lead anywhere."""
    with pytest.raises(Refused, match=r"^line 1: proxy_pass \$.* leads where \$.* says"):
        Nginx(text)


def test_places_are_checked():
    """A folder that nginx could not read as one, and too few ports, are told."""
    nginx = Nginx(f"server {{ listen 80; listen 81; location / {{ {PASS} }} }}")
    with pytest.raises(WrongUse, match="absolute path"):
        nginx.completed(PLACE._replace(folder="/a$b"))
    with pytest.raises(WrongUse, match="1 other ports are listened on, and 0 are spare"):
        nginx.completed(PLACE._replace(spare=()))


def test_it_is_a_value():
    """Equal texts are equal proxies, and the tree is that of the text."""
    assert Nginx(SEED) == Nginx(SEED)
    assert hash(Nginx(SEED)) == hash(Nginx(SEED))
    assert repr(Nginx(SEED)).startswith("<Nginx ")
    (http,) = Nginx(SEED).directives
    assert http.inside("server")[0].inside("listen")[0].args == ("80",)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.stem)
def test_site_files_give_an_answer(site):
    """Every usual site file is read, leads to an upstream, and names what it lacks."""
    nginx = Nginx(site.read_text())
    assert nginx.upstreams
    lines = [note.line for note in nginx.notes]
    assert lines == sorted(lines)
    assert all("\n" not in str(note) for note in nginx.notes)
    text = nginx.completed(PLACE)
    assert all(written not in text for written in ("/etc/", "/var/", "daemon", "ssl_", "resolver"))


def test_the_case_of_a_variable_is_of_no_account():
    """To nginx $Foo and $foo are one; so where proxy_pass says the one, the values of the other are pointed here."""
    nginx = Nginx("location / { set $Foo backend; set $told $Proxy_Host:$Scheme; proxy_pass http://$foo; }")
    assert nginx.upstreams == (Upstream(1, "$foo", "proxy_pass"),)
    text = nginx.completed(PLACE)
    assert "upstream backend" in text
    assert "lab_upstream" not in text
    assert "$lab_scheme" in text

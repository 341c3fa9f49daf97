import pytest

from labkit import Apache
from labkit.errors import Refused
from labkit.proxies.apache.reading import Line
from labkit.proxies.apache.upstreams import backend, find, flags
from labkit.proxies.described import Place

TCP = Place("/lab", 8080, "127.0.0.1:9000")
UNIX = Place("/lab", 8080, "unix:/lab/up")


def pointed(text: str, place: Place = TCP, **more) -> list[str]:
    """Return the completed lines of the text itself."""
    completed = Apache(text, **more).completed(place)
    return completed.partition("</FilesMatch>\n</Directory>\n")[2].splitlines()


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ('ProxyPass "/ws/" "ws://websocketserver.example.com/"', 'ProxyPass "/ws/" "ws://127.0.0.1:9000/"'),
        ("ProxyPass / http://b:3000/app/ timeout=5", 'ProxyPass / "http://127.0.0.1:9000/app/" timeout=5'),
        ("ProxyPass / wss://b/", 'ProxyPass / "ws://127.0.0.1:9000/"'),
        ("ProxyPass / HTTPS://user:word@b/", 'ProxyPass / "http://127.0.0.1:9000/"'),
        ("ProxyPass /x !", "ProxyPass /x !"),
        ("ProxyPass / unix:/run/a.sock|http://b/x", 'ProxyPass / "http://127.0.0.1:9000/x"'),
        ("ProxyPassMatch ^/a/(.*)$ http://b/$1", 'ProxyPassMatch ^/a/(.*)$ "http://127.0.0.1:9000/$1"'),
        ("ProxyPassMatch ^/a/(.*)$ http://$1/", 'ProxyPassMatch ^/a/(.*)$ "http://127.0.0.1:9000/"'),
        ("RewriteRule ^/a/(.*) ws://b:1/$1 [P,L]", "RewriteRule ^/a/(.*) ws://127.0.0.1:9000/$1 [P,L]"),
        ("RewriteRule ^ http://%{HTTP_HOST}:3000/ [proxy]", "RewriteRule ^ http://127.0.0.1:9000/ [proxy]"),
        ("RewriteRule ^(.*) http://b:1$1 [P]", "RewriteRule ^(.*) http://127.0.0.1:9000$1 [P]"),
        ("RewriteRule ^ ws://b%{REQUEST_URI} [P]", "RewriteRule ^ ws://127.0.0.1:9000%{REQUEST_URI} [P]"),
        ("RewriteRule ^/(.*?)/ ws://b$1.local/x [P]", "RewriteRule ^/(.*?)/ ws://127.0.0.1:9000/x [P]"),
        ("RewriteRule ^ https://elsewhere/ [R,L]", "RewriteRule ^ https://elsewhere/ [R,L]"),
        ("RewriteRule ^ balancer://b/ [P]", "RewriteRule ^ balancer://b/ [P]"),
        ("SetHandler proxy:http://b:1", 'SetHandler "proxy:http://127.0.0.1:9000"'),
        ("ProxySet http://b/ timeout=3", 'ProxySet "http://127.0.0.1:9000/" timeout=3'),
        ("ProxyPassReverse / http://nobody/", "ProxyPassReverse / http://nobody/"),
    ],
)
def test_backends_are_pointed_at_the_lab(text, now):
    """The address is the lab's, the scheme stays or loses its TLS, and every other word stays as it is written."""
    assert pointed(text) == [now]


def test_a_section_s_backend_is_its_first_word():
    """Inside <Location> the path is the section's, so the URL comes first; <Proxy URL> names a worker."""
    text = (
        '<Location /a/>\nProxyPass http://b/ retry=0\n</Location>\n<Proxy "http://b/">\nRequire all granted\n</Proxy>'
    )
    lines = pointed(text)
    assert lines[1] == 'ProxyPass "http://127.0.0.1:9000/" retry=0'
    assert lines[3] == '<Proxy "http://127.0.0.1:9000/">'


def test_the_reverse_follows_its_backend():
    """ProxyPassReverse is pointed where its backend is, so that it does what it did; it is no upstream itself."""
    text = "ProxyPass / http://b/\nProxyPassReverse / http://B:80/\nProxyPassReverse / http://other/"
    assert pointed(text)[1:] == ['ProxyPassReverse / "http://127.0.0.1:9000/"', "ProxyPassReverse / http://other/"]
    site = Apache(text)
    assert [tuple(each) for each in site.upstreams] == [(1, "b", "ProxyPass")]
    assert [note.line for note in site.notes if "what it did" in note.why] == [2]


def test_backends_stay_apart():
    """Two backends are two names of one address, so that httpd gives each a worker of its own."""
    text = "ProxyPass /a http://a/\nProxyPass /b http://b/\nProxyPass /c http://a:80/\nProxyPass /d https://a/"
    assert [line.split('"')[1] for line in pointed(text)] == [
        "http://127.0.0.1:9000/", "http://127.0.0.01:9000/", "http://127.0.0.1:9000/", "http://127.0.0.001:9000/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("ProxyPass / http://b:3000/x", 'ProxyPass / "unix:/lab/up|http://b:3000/x"'),
        ("ProxyPass / https://b/", 'ProxyPass / "unix:/lab/up|http://b/"'),
        ("RewriteRule ^/(.*) ws://b/$1 [P]", "RewriteRule ^/(.*) unix:/lab/up|ws://b/$1 [P]"),
    ],
)
def test_over_a_socket_a_backend_keeps_its_name(text, now):
    """Where the lab is a unix socket, httpd connects there and still names the backend in Host."""
    assert pointed(text, UNIX) == [now]


def test_over_a_socket_a_match_gets_a_worker():
    """For a ProxyPassMatch with $1, httpd would look up the name; a <Proxy> of the same host keeps it from that."""
    text = "<VirtualHost *:80>\nProxyPassMatch ^/a/(.*)$ ws://b/x/$1\n</VirtualHost>"
    assert pointed(text, UNIX)[2:4] == ['<Proxy "unix:/lab/up|ws://b/" retry=60>', "</Proxy>"]
    assert "<Proxy " not in "".join(pointed(f"{text}\nProxyPass / ws://b/".replace("<", "#"), UNIX))
    assert "<Proxy" not in "".join(pointed(text))


def test_upstreams_may_be_kept():
    """Kept, they are as written; only this machine's own are taken."""
    text = "ProxyPass /a http://localhost:3000/\nProxyPass /b ws://127.0.0.1:1/\nProxyPass /c http://[::1]:8/"
    assert pointed(text, keep_upstreams=True) == text.splitlines()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ProxyPass / http://backend/", "backend is not on this machine"),
        ("ProxyPass / http://127.0.0.1.evil/", "127.0.0.1.evil is not on this machine"),
        ("ProxyPass / http://127.0.0.1@evil/", "evil is not on this machine"),
        ("ProxyPass / https://localhost/", "runs Apache without https"),
        ("ProxyPass / unix:/run/docker.sock|http://localhost/", "the socket /run/docker.sock is another program's"),
        ("RewriteRule ^ http://%{HTTP_HOST}/ [P]", "is not on this machine"),
        ("<Proxy http://elsewhere/>\n</Proxy>", "elsewhere is not on this machine"),
    ],
)
def test_kept_upstreams_lie_on_this_machine(line, why):
    """Kept, any other address, and any socket that is not allowed by name, is refused with its line."""
    with pytest.raises(Refused) as caught:
        Apache(line, keep_upstreams=True)
    assert str(caught.value).startswith("line 1: ")
    assert why in str(caught.value)


def test_a_url_in_its_parts():
    """A URL has a scheme, an address without a user, and the rest; what is none is None."""
    assert backend("http://u:p@h:1/x?y") == ("http", "h:1", "/x?y", "")
    assert backend("unix:/s|ws://h") == ("ws", "h", "", "/s")
    assert backend("/x") is None
    assert find(Line("ProxyPass", "/a balancer://b/"), ()) is None
    assert flags(Line("RewriteRule", "a b [ P , E=x:y ]")) == {}
    assert flags(Line("RewriteRule", 'a b "[ P , E=x:y ]"')) == {"p": "", "e": "x:y"}

import pytest

from labkit.clinic.asking import Ask, asked
from labkit.proxies.apache import Apache
from labkit.proxies.nginx import Nginx

FIELDS = "proxy_set_header Upgrade $http_upgrade;"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"location / {{ proxy_pass http://a; }} location /live {{ proxy_pass http://a; {FIELDS} }}", "/live"),
        ("location / { proxy_pass http://a; } location /socket.io/ { proxy_pass http://a; }", "/socket.io/"),
        ("location / { proxy_pass http://a; } location ~ ^/(ws|live)/(.*)$ { proxy_pass http://a; }", "/ws/"),
    ],
)
def test_what_is_meant_for_upgrades_is_asked_first(text, path):
    """A field, or the path's own name, tells."""
    assert asked(Nginx(text))[0] == Ask(path, meant=True)


@pytest.mark.parametrize("line", ["ProxyPass /x/ ws://a/", "ProxyPass /x/ http://a/ upgrade=ANY"])
def test_a_scheme_or_a_parameter_tells_too(line):
    """Of httpd's lines, those that let an upgrade through."""
    assert asked(Apache(f"ProxyPass /y/ http://a/\n{line}"))[0] == Ask("/x/", meant=True)


def test_several_servers_are_asked_by_their_names():
    """Each virtual host that the door leads to, and none of another port."""
    server = "server {{ listen {}; server_name {}; location / {{ proxy_pass http://a; }} }}"
    site = Nginx("\n".join(map(server.format, (80, 80, 81), ("a.example.com", "b.example.com", "c.example.com"))))
    assert [str(each) for each in asked(site)] == ["a.example.com/", "b.example.com/"]
    host = "<VirtualHost *:80>\nServerName {}\nProxyPass / http://a/\n</VirtualHost>"
    site = Apache("\n".join(map(host.format, ("a.example.com", "b.example.com"))))
    assert [str(each) for each in asked(site)] == ["a.example.com/", "b.example.com/"]


def test_a_path_that_is_given_is_asked_of_the_server_that_has_it():
    """It is meant, and a name may stand before it."""
    site = Nginx(
        "server { server_name a.example.com; location / { proxy_pass http://a; } }\n"
        "server { server_name b.example.com; location /ws/ { proxy_pass http://a; } }"
    )
    assert asked(site, "/ws/chat") == [Ask("/ws/chat", "b.example.com", meant=True)]
    assert asked(site, "a.example.com/x") == [Ask("/x", "a.example.com", meant=True)]
    assert asked(site, "a.example.com") == [Ask("/", "a.example.com", meant=True)]

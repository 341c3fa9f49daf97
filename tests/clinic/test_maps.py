import pytest

from labkit.clinic import why
from labkit.clinic.maps import map_for
from labkit.proxies.apache import Apache
from labkit.proxies.nginx import Nginx

LOCATION = """location /ws/ {
    proxy_pass http://app;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
}"""
MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"


@pytest.mark.parametrize("text", [LOCATION, f"server {{\n{LOCATION}\n}}", f"http {{ server {{\n{LOCATION}\n}} }}"])
def test_the_missing_map_is_named_and_added(text):
    """Without it nginx does not start; with it the upgrade goes through."""
    found = why(text)
    assert "$connection_upgrade" in found.cause
    assert found.who == f"operator, line {text.split('$connection_upgrade')[0].count(chr(10)) + 1}"
    assert "map $http_upgrade $connection_upgrade {" in found.change
    assert why(found.mended).ok


def test_what_else_is_wrong_is_told_too():
    """The lines that are named are those of the text as it was given."""
    found = why(LOCATION.replace("    proxy_http_version 1.1;\n", ""))
    assert "besides, /ws/ is answered 200" in found.cause
    assert found.change[-1] == "line 2: below it add `proxy_http_version 1.1;`"
    assert why(found.mended).ok


@pytest.mark.parametrize(
    "site",
    [
        Nginx(f"{MAP}\nserver {{ {LOCATION} }}"), Nginx(LOCATION.replace("$connection_upgrade", "$http_upgrade")),
        Nginx(f"server {{ set $connection_upgrade upgrade; {LOCATION} }}"), Apache("ProxyPass / http://a/"),
    ],
)  # fmt: skip
def test_nothing_is_missing(site):
    """A map, a set, a variable of nginx's own."""
    assert map_for(site) is None


def test_what_nginx_says_of_it_is_known():
    """The message by itself names the lines to add."""
    found = why('nginx: [emerg] unknown "connection_upgrade" variable')
    assert found.who == "operator"
    assert found.change[1].startswith("map $http_upgrade")

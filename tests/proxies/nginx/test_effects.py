import pytest

from labkit.proxies.directive import Directive
from labkit.proxies.nginx import Nginx
from labkit.proxies.nginx.effects import effect


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("proxy_set_header", ("Upgrade", "$http_upgrade"), "passes the client's Upgrade on"),
        ("proxy_set_header", ("Upgrade", ""), "no upgrade gets through"),
        ("proxy_set_header", ("Upgrade", "websocket"), "asks the server for websocket"),
        ("proxy_set_header", ("Connection", "upgrade"), "on every request"),
        ("proxy_set_header", ("Connection", ""), "no upgrade gets through"),
        ("proxy_set_header", ("Connection", "$connection_upgrade"), "where the variable does"),
        ("proxy_set_header", ("Connection", "$http_connection"), "is not mended"),
        ("proxy_set_header", ("Connection", "keep-alive"), "none gets through"),
        ("proxy_set_header", ("Host", "$host"), "Origin"),
        ("proxy_set_header", ("Origin", ""), "browser"),
        ("proxy_set_header", ("Sec-WebSocket-Key", ""), "handshake"),
        ("proxy_set_header", ("X-Real-IP", "$remote_addr"), "sets a field"),
        ("proxy_http_version", ("1.1",), "which an upgrade needs"),
        ("proxy_http_version", ("1.0",), "few upgrade"),
        ("add_header", ("X", "y"), "never to a 101"),
        ("add_header", ("X", "y", "always"), "a 101 too"),
        ("proxy_buffering", ("off",), "never held back"),
        ("proxy_buffering", ("on",), "never ends"),
        ("proxy_send_timeout", ("2s",), "it does not end"),
        ("nothing_of_the_kind", (), ""),
    ],
)
def test_what_a_directive_does(name, args, said):
    """Its arguments decide where they make a difference."""
    found = effect(Directive(name, args))
    assert said in found
    assert bool(said) == bool(found)


def test_a_snippet_line_by_line():
    """Each directive of the text is there, also those that do nothing; the lines of a map are none."""
    text = "map $http_upgrade $c {\ndefault upgrade;\n}\nlocation / {\nproxy_pass http://b;\nsendfile on;\n}"
    found = [(each.line, each.directive.partition(" ")[0]) for each in Nginx(text).effects]
    assert found == [(1, "map"), (4, "location"), (5, "proxy_pass"), (6, "sendfile")]
    assert all(each.does for each in Nginx(text).effects)

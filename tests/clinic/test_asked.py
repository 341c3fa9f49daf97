import os
import re

import pytest

from labkit.clinic import why
from labkit.errors import LabError, Refused, Unreadable, WrongUse
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate

NAIVE = "location /ws/ {\n    proxy_pass http://backend;\n}"
FULL = """location /ws/ {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}"""


@pytest.mark.parametrize(
    ("message", "party"),
    [
        ("Unexpected response code: 400", "proxy"), ("1006", "proxy"), ("every minute", "proxy"),
        ("AH01144: No protocol handler was valid for the URL /ws/ (scheme 'ws')", "operator"),
        ("'Upgrade' header is missing", "server"),
    ],
)  # fmt: skip
def test_a_message_is_answered_in_five_lines(message, party):
    """The likeliest cause, who, the clause, what to change and what proves it."""
    found = why(message)
    assert found.who == party
    assert [name for name, text in found.rows if text] == ["cause", "who", "clause", "change", "proof"]
    assert found.proof.startswith("labkit ")


@pytest.mark.parametrize("given", [NAIVE, Nginx(NAIVE)])
def test_a_configuration_gets_the_lines_to_change_and_their_proof(given):
    """The mended text is run, and the client gets its 101."""
    found = why(given)
    assert found.who == "proxy, line 2"
    assert len(found.change) == 3
    assert "gives the client its 101" in found.proof
    assert simulate(Scenario(Offer.websocket("/ws/"), via=(Nginx(found.mended),))) == simulate(
        Scenario(Offer.websocket("/ws/"), via=(Nginx(FULL),))
    )


def test_a_good_configuration_is_called_good():
    """Where the upgrade goes through, that is said, with what to look at next."""
    found = why(FULL)
    assert found.ok
    assert "60 s" in found.change[0]


def test_apache_is_told_from_nginx():
    """Each is read by its own reader."""
    found = why('ProxyPass "/ws/" "http://backend/"')
    assert found.change == ('line 1: write `ProxyPass "/ws/" "http://backend/" upgrade=websocket`',)
    assert why(Apache('ProxyPass "/ws/" "ws://backend/"')).ok


def test_an_answer_of_the_proxy_itself_is_named():
    """A path without a rule: the server is never asked."""
    found = why(Nginx("server { location /ws/ { return 404; } location /x { proxy_pass http://a; } }"), path="/ws/")
    assert "by nginx itself" in found.cause
    assert "line 1" in found.who


def test_a_trace_is_checked():
    """What broke a rule in it is the cause."""
    found = why(simulate(Scenario(Offer.websocket().without("Connection"))))
    assert found.clause == "RFC 6455, 4.1 (6) (W08)"
    assert found.who.startswith("client")


def test_files_are_known_by_what_is_in_them(tmp_path):
    """A trace, a configuration or a log, whatever the file is called."""
    trace = simulate(Scenario(Offer.bare())).save(tmp_path / "hop.txt")
    assert "(W" in why(str(trace)).clause
    (tmp_path / "site").write_text(NAIVE)
    assert why(tmp_path / "site").mended
    (tmp_path / "log").write_text("[error] connect() failed (111: Connection refused) while connecting to upstream")
    assert "labkit" in why(tmp_path / "log").proof


def test_a_url_is_asked():
    """The lab's own server takes an upgrade up, so nothing is wrong on that hop."""
    with UpgradeServer() as server:
        assert why(server.url).ok
    with pytest.raises(Refused):
        why("ws://server.example.com/")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("", WrongUse),
        (7, WrongUse),
        (None, WrongUse),
        ("all is well", WrongUse),
        ("server {", WrongUse),
        ("server { x; }", LabError),
    ],
)
def test_what_cannot_be_diagnosed(given, error):
    """One line, which says what to give instead."""
    with pytest.raises(error) as caught:
        why(given)
    assert re.search(r"\S", str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    """A path is named, and what the system says of it."""
    with pytest.raises(Unreadable, match="No such file"):
        why(tmp_path / "nothing")


def test_it_draws_as_a_table():
    """In a notebook it is a table; in a terminal, five lines."""
    bundle = why(NAIVE)._repr_mimebundle_()
    assert "<table>" in bundle["text/html"]
    assert bundle["text/plain"].startswith("cause")


PAGES = "location / {\n    proxy_pass http://backend;\n}\n"


def test_pages_without_upgrade_are_no_fault():
    """Where the path that is meant for upgrades has them, the site is well; the others are named."""
    found = why(PAGES + FULL)
    assert found.ok
    assert "/ws/" in found.cause
    assert "not at /: right for pages" in found.others[-1]
    assert not why(PAGES + FULL, path="/").ok


def test_the_path_that_is_meant_is_mended_first():
    """A socket's path, whichever stands first; another that fails is named."""
    found = why(PAGES + NAIVE + "\nlocation /hub/ {\n    proxy_pass http://backend;\n}")
    assert found.cause.startswith("/ws/ is answered 200")
    assert any("/hub/ fails, too" in each for each in found.others)


def test_a_field_that_a_line_takes_away_is_traced_to_it():
    """Where no remedy is known, the line that did it is."""
    found = why('RequestHeader unset Upgrade\nProxyPass "/ws/" "http://backend/" upgrade=websocket')
    assert found.change == ("line 1: Upgrade: websocket becomes nothing: RequestHeader unset Upgrade",)


def test_a_rule_that_redirects_lacks_its_flag():
    """Without [P] a RewriteRule to ws: is a redirect, which no browser follows."""
    found = why("RewriteEngine On\nRewriteRule ^/ws ws://backend/ [L]")
    assert found.change == ("line 2: add P to its flags, as in [P,L]: without it the rule redirects",)


def test_lines_of_nginx_t_are_told_by_their_files():
    """The line in the output, and the line in the file."""
    found = why(f"# configuration file /etc/nginx/nginx.conf:\nhttp {{\n    server {{\n{NAIVE}\n    }}\n}}")
    assert found.who == "proxy, line 5, which is line 4 of /etc/nginx/nginx.conf"


def test_what_was_not_read_is_said():
    """A file that is not part of the text, a password that the lab does not ask for, a time limit of the text's own."""
    more = "    include proxy_params;\n    auth_basic x;\n    proxy_read_timeout 5s;\n}"
    said = " ".join((*(found := why(FULL.replace("}", more))).change, *found.others))
    assert "line 6 was not read" in said
    assert "line 7 asks for a password" in said
    assert "line 8 is proxy_read_timeout 5s" in said


@pytest.mark.parametrize("name", ["", "pipe", "/dev/zero", "a\0b"])
def test_what_is_no_plain_file_is_told(tmp_path, name):
    """A folder, a pipe that nobody writes, a device without an end: told in one line, and not waited for."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable):
        why(tmp_path / name)

"""A Caddyfile, as people write it: completed, pointed at the lab, and told line by line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import LabError, Refused, Unmodelled, WrongUse
from labkit.proxies.caddy import Caddy
from labkit.proxies.described import Place
from labkit.proxies.directive import NoteKind

SITE = """\
{
	email a@example.com
	servers {
		protocols h1
	}
}
(common) {
	header X-A "b c"
	log
}
http://example.com {
	redir https://{host}{uri}
}
example.com, www.example.com {
	tls internal
	import common
	import /etc/caddy/x
	root * /srv
	@ws {
		header Connection *Upgrade*
		header Upgrade websocket
	}
	reverse_proxy @ws localhost:6001 10.0.0.1:80 {
		health_uri /x
		transport http {
			tls
			versions h2c 2
			read_timeout 3s
		}
		header_up Host {host}
	}
	handle_path /a/* {
		reverse_proxy https://x:33
	}
	file_server
}
"""
OWN = ["{", "storage file_system /f/storage", "admin off", "auto_https off"]


def completed(text: str, **told: object) -> list[str]:
    """Return the lines of the completed configuration, less what is said of their origin."""
    proxy = Caddy(text, **told)
    spare = tuple(range(9001, 9001 + len(proxy.other_ports)))
    lines = proxy.completed(Place("/f", 9000, "127.0.0.1:7", spare)).splitlines()
    return [line.partition("  # line")[0].strip() for line in lines]


def notes(text: str, kind: NoteKind) -> list[tuple[int, str]]:
    return [(note.line, note.what) for note in Caddy(text).notes if note.kind is kind]


@pytest.mark.parametrize(
    "text",
    ["reverse_proxy app:3000", ":8080 {\n reverse_proxy app:3000\n}", "example.com\n\nreverse_proxy app:3000\n"],
)
def test_three_ways_to_write_one_site(text: str):
    """Directives alone, a site in braces, and one without: each answers for any host."""
    assert completed(text) == [*OWN, "}", "http://:9000 {", "bind 127.0.0.1", "reverse_proxy 127.0.0.1:7", "}"]


def test_a_whole_file_is_kept_but_for_what_the_lab_does_itself():
    """Certificates, logs, health checks and TLS to the upstream are left out, each with its line."""
    lines = completed(SITE)
    assert lines[: len(OWN) + 4] == [*OWN, "servers {", "protocols h1", "}", "}"]
    assert lines[lines.index("http://:9000 {") :] == [
        "http://:9000 {", "bind 127.0.0.1", "root * /f/www", "import common", "root * /f/www", "@ws {",
        "header Connection *Upgrade*", "header Upgrade websocket", "}",
        "reverse_proxy @ws 127.0.0.1:7 127.0.0.1:7 {", "transport http {", "read_timeout 3s", "}",
        "header_up Host {host}", "}", "handle_path /a/* {", "reverse_proxy 127.0.0.1:7", "}", "file_server", "}",
    ]  # fmt: skip
    assert "header X-A `b c`" in lines
    assert [line for line, _ in notes(SITE, NoteKind.SET_ASIDE)] == [2, 9, 15, 24, 26, 27]
    assert notes(SITE, NoteKind.SKIPPED) == [(17, "import /etc/caddy/x")]


def test_other_sites_keep_their_ports_and_their_names():
    """What listened elsewhere does so still; of two sites on one port the other keeps its name."""
    assert Caddy(SITE).other_ports == (80,)
    assert "http://example.com:9001 {" in completed(SITE)
    lines = completed("a.example {\n reverse_proxy x:1\n}\nb.example {\n respond b\n}\n")
    assert [line for line in lines if line.startswith("http")] == ["http://:9000 {", "http://b.example:9000 {"]
    lines = completed("a.example {\n reverse_proxy x:1\n}\n:443 {\n respond b\n}\n")
    assert [line for line in lines if line.startswith("http")] == ["http://a.example:9000 {", "http://:9000 {"]


def test_upstreams_are_listed_and_may_be_kept():
    """Each upstream is told as it is written, also those found by name; told so, they stay, if on this machine."""
    assert [each.written for each in Caddy(SITE).upstreams] == ["localhost:6001", "10.0.0.1:80", "https://x:33"]
    here = SITE.replace("10.0.0.1", "127.0.0.1").replace("https://x", "http://[::1]")
    assert "reverse_proxy @ws localhost:6001 127.0.0.1:80 {" in completed(here, keep_upstreams=True)
    for elsewhere in (SITE, "reverse_proxy {\n dynamic srv _api._tcp.example.com\n}", "reverse_proxy {header.To}:80"):
        with pytest.raises(Refused, match=r"line \d+: .* may lead off this machine"):
            Caddy(elsewhere, keep_upstreams=True)
    found = completed("reverse_proxy {\n to a:1 b:2\n dynamic srv _api._tcp.example.com\n}")
    assert found[-5:] == ["reverse_proxy {", "to 127.0.0.1:7 127.0.0.1:7", "to 127.0.0.1:7", "}", "}"]


def test_the_door_may_be_told():
    """The port that the client dials may be another one."""
    assert Caddy(SITE, door=80).other_ports == (443,)
    with pytest.raises(WrongUse, match="nothing listens on port 8080 here: the ports are 80, 443, 443"):
        Caddy(SITE, door=8080)


def test_every_line_says_where_it_comes_from():
    """What the learner reads in the completed configuration leads back to the text."""
    text = Caddy(SITE).completed(Place("/f", 1, "127.0.0.1:2", (3,)))
    assert "\treverse_proxy @ws 127.0.0.1:2 127.0.0.1:2 {  # line 23\n" in text


@pytest.mark.parametrize("text", [":80 {\n exec ls\n}", "{\n events {\n on x exec ls\n }\n}\n:80 {\n}",
                                  "reverse_proxy {\n dynamic exec ls\n}"])  # fmt: skip
def test_what_runs_a_program_is_refused(text: str):
    """Plugins that run programs are refused by name, and let through where they are allowed."""
    with pytest.raises(Refused, match=r"line \d: .* runs a program"):
        Caddy(text)
    assert Caddy(text, allow=["exec", "events", "dynamic exec"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the Caddyfile is empty"),
        ("{\n debug\n}", "there is no site"),
        (":80 {\n respond hi\n", "line 1: this block is opened and not closed"),
        (":80 {\n}\n}", "line 3: this brace closes nothing"),
        ('respond "hi', "line 1: a quote is opened and not closed"),
        (":80 {\n}\nrespond hi", "line 3: `respond hi` stands outside of a site"),
        ("f!oo:bar {\n}", "line 1: 'f!oo:bar' is no address of a site"),
        (":99999 {\n}", "line 1: ':99999' is no address"),
        ('{"apps": {}}', "this is Caddy's JSON"),
        ("a {\n" * 80, "more than 60 blocks"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str):
    """One line says what is wrong, and where."""
    with pytest.raises(WrongUse, match=told):
        Caddy(text)


def test_words_are_quoted_again_where_they_must_be():
    """Spaces, quotes and an empty word reach Caddy as they were."""
    lines = completed('respond "a \\"b\\" `c`"\nheader X ""\nheader Y `a b`')
    assert lines[-4:-1] == ['respond "a \\"b\\" `c`"', "header X ``", "header Y `a b`"]


@pytest.mark.parametrize(
    "text",
    [
        "reverse_proxy a {\n import /etc/passwd\n}",
        "{\n servers {\n import /etc/passwd\n }\n}\n:80 {\n reverse_proxy a\n}",
        ":80 {\n {$NOTHING:import} /etc/passwd\n reverse_proxy a\n}",
        "(s) {\n respond {block}\n}\n:80 {\n import s {\n import /etc/passwd\n }\n reverse_proxy a\n}",
    ],
)
def test_no_import_is_overlooked(text: str):
    """Wherever an import of a file stands, and however it is written, it is left out and named."""
    assert not [line for line in completed(text) if "/etc/passwd" in line]
    assert [what for _, what in notes(text, NoteKind.SKIPPED)] == ["import /etc/passwd"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (":80 {\n respond {$A:{$B}}\n}", "line 2: {\\$ begins a variable"),
        (":80 {\n route {\n respond a '}' }\n }\n}", "line 3: a brace stands alone"),
        ('"a {\n import /etc/passwd\n}\n b:82" {\n respond x\n}', "line 1: .* is no address"),
        ("(s) {\n {args.0} /etc/passwd\n}\n:80 {\n import s import\n}", "line 2: .* depends on an import"),
        (':80 {\n respond "{file./etc/passwd}"\n}', "line 2: .* reads a file"),
    ],
)
def test_no_words_break_out_of_their_place(text: str, told: str):
    """What Caddy would take for something else than it looks like is refused in one line."""
    with pytest.raises(LabError, match=told):
        Caddy(text)


def test_a_name_is_one_word():
    """A quoted name with a line's end in it is no line of its own."""
    assert "`import /etc/passwd" in completed(':80 {\n "import /etc/passwd\n"\n reverse_proxy a\n}')


def test_a_variable_of_the_environment_is_its_default():
    """The lab does not look into the environment, and says what it takes in place of a variable."""
    text = "{$SITE:localhost:81} {\n reverse_proxy {$TO}:80\n}"
    assert Caddy(text).other_ports == ()
    assert "reverse_proxy 127.0.0.1:7" in completed(text)
    assert notes(text, NoteKind.NOTED) == [(1, "{$SITE:localhost:81}"), (2, "{$TO}")]


def test_there_is_no_model():
    """A simulation refuses it by name."""
    with pytest.raises(Unmodelled, match="no model of Caddy"):
        Caddy("reverse_proxy a:1").model()


@given(st.text(st.sampled_from('reverse_proxy:80 \n\t"`#\\{}@/*,importhandle'), max_size=80))
def test_no_text_is_too_strange(text: str):
    """Whatever is pasted is completed, or refused in one line."""
    with suppress(LabError):
        assert completed(text)

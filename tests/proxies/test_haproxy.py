"""HAProxy's configuration, as people write it: completed, pointed at the lab, and told line by line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import LabError, Refused, Unmodelled, WrongUse
from labkit.proxies.described import Place
from labkit.proxies.directive import NoteKind
from labkit.proxies.haproxy import Haproxy

SITE = """\
global
    log /dev/log local0
    chroot /var/lib/haproxy
    stats socket /run/haproxy/admin.sock mode 660 level admin
    user haproxy
    daemon
    maxconn 20000
    ca-base /etc/ssl/certs
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    log global
    mode http
    timeout connect 5000
    timeout client 50000
    timeout server 50000
    timeout tunnel 1h
    errorfile 400 /etc/haproxy/errors/400.http
frontend web
    bind *:80
    bind *:443 ssl crt /etc/ssl/site.pem alpn h2,http/1.1
    http-request redirect scheme https unless { ssl_fc }
    acl is_ws hdr(Upgrade) -i websocket
    use_backend ws if is_ws
    default_backend app
backend ws
    server w1 10.0.0.5:3000 check inter 2s ssl verify none cookie "a b"
"""


def completed(text: str, **told: object) -> list[str]:
    """Return the lines of the completed configuration, less what is said of their origin."""
    proxy = Haproxy(text, **told)
    spare = tuple(range(9001, 9001 + len(proxy.other_ports)))
    lines = proxy.completed(Place("/f", 9000, "127.0.0.1:7", spare)).splitlines()
    return [line.partition("  # line")[0].strip() for line in lines]


def notes(text: str, kind: NoteKind, **told: object) -> list[tuple[int, str]]:
    return [(note.line, note.what) for note in Haproxy(text, **told).notes if note.kind is kind]


def test_one_line_is_enough():
    """A server alone is put into a section that listens, with a mode, time limits and a log."""
    lines = completed("server one app:3000")
    assert lines[lines.index("listen lab") :] == [
        "listen lab", "bind 127.0.0.1:9000", "server one 127.0.0.1:7", "log global", "option httplog",
        "option dontlognull",
    ]  # fmt: skip
    assert lines[: lines.index("listen lab")] == [
        "global", "log stderr format raw local0", "defaults", "mode http", "timeout connect 5s", "timeout client 50s",
        "timeout server 50s",
    ]  # fmt: skip
    assert {what for _, what in notes("server one app:3000", NoteKind.ADDED)} >= {"listen lab", "mode http"}


def test_a_whole_file_is_kept_but_for_what_the_lab_does_itself():
    """Of Debian's layout all that matters to an exchange stays as it is."""
    lines = completed(SITE)
    assert lines[lines.index("frontend web") :] == [
        "frontend web", "bind 127.0.0.1:9000", "bind 127.0.0.1:9001", "acl is_ws hdr(Upgrade) -i websocket",
        "use_backend ws if is_ws", "default_backend app", "log global", "option httplog", "option dontlognull",
        "backend ws", "server w1 127.0.0.1:7 cookie 'a b'", "backend app", "server lab 127.0.0.1:7",
    ]  # fmt: skip
    assert "timeout tunnel 1h" in lines
    aside = dict(notes(SITE, NoteKind.SET_ASIDE))
    assert set(aside) == {2, 3, 4, 5, 6, 7, 8, 9, 11, 20, 21, 26}
    assert aside[26] == "check inter 2s ssl verify none"
    assert notes(SITE, NoteKind.SKIPPED) == [(17, "errorfile 400 /etc/haproxy/errors/400.http")]
    assert (0, "backend app") in notes(SITE, NoteKind.ADDED)


def test_every_line_says_where_it_comes_from():
    """What the learner reads in the completed configuration leads back to the text."""
    text = Haproxy(SITE).completed(Place("/f", 1, "127.0.0.1:2", (3,)))
    assert "    server w1 127.0.0.1:2 cookie 'a b'  # line 26\n" in text
    assert "    log stderr format raw local0\n" in text


def test_upstreams_are_listed_and_may_be_kept():
    """Each server's address is told as it is written; told so, it stays, where it is on this machine."""
    [found] = Haproxy(SITE).upstreams
    assert found == (26, "10.0.0.5:3000", "server")
    here = SITE.replace("10.0.0.5", "127.0.0.5")
    assert "server w1 127.0.0.5:3000 cookie 'a b'" in completed(here, keep_upstreams=True)
    for elsewhere in (SITE, "listen l\n bind :80\n dispatch 192.0.2.1:80", "server s 'unix@/run/docker.sock'"):
        with pytest.raises(Refused, match=r"line \d+: .* may lead off this machine"):
            Haproxy(elsewhere, keep_upstreams=True)
    assert (26, SITE.splitlines()[25].strip()) in notes(SITE, NoteKind.POINTED)
    assert "server-template s 3 127.0.0.1:7 weight 2" in completed("server-template s 3 app.local:80 weight 2 check")


def test_the_door_is_the_listener_that_leads_to_a_server():
    """A frontend that only redirects is not what the client dials, unless it is told so."""
    text = "frontend plain\n bind :80\n redirect scheme https\nfrontend tls\n bind :443\n default_backend b\n"
    assert Haproxy(text).other_ports == (80,)
    assert Haproxy(text, door=80).other_ports == (443,)
    with pytest.raises(WrongUse, match="nothing listens on port 8080 here: the ports are 80, 443"):
        Haproxy(text, door=8080)


def test_a_backend_alone_is_given_a_frontend():
    """What nobody would ask is asked by a frontend of the lab's."""
    lines = completed("backend app\n server one 10.0.0.1:80")
    assert lines[lines.index("frontend lab") :][:3] == ["frontend lab", "bind 127.0.0.1:9000", "default_backend app"]


def test_sections_that_lead_elsewhere_are_left_out():
    """Names are looked up nowhere, and no other HAProxy is asked."""
    text = "resolvers dns\n nameserver a 8.8.8.8:53\npeers p\n peer b 10.0.0.2:1\nlisten l\n bind :80\n server s a:1 resolvers dns"
    lines = completed(text)
    assert not [line for line in lines if "8.8.8.8" in line or "10.0.0.2" in line]
    assert "server s 127.0.0.1:7" in lines


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("global\n lua-load /x.lua\nlisten l\n server a b:1", "lua-load"),
        ("listen l\n option external-check\n server a b:1", "option external-check"),
        ("program x\n command /bin/true\nlisten l\n server a b:1", "program"),
        ("listen l\n acl x hdr(host) -f /etc/hosts.lst\n server a b:1", "/etc/hosts.lst"),
        ("listen l\n http-request set-header X %[src,map_ip(/etc/x.map)]\n server a b:1", "/etc/x.map"),
        ('listen l\n http-request set-header X "%[src,map( /etc/x.map)]"\n server a b:1', "/etc/x.map"),
        ("global\n lua\\x2dload /x.lua\nlisten l\n server a b:1", "lua-load"),
        ('global\n "lua-load$NOTHING" /x.lua\nlisten l\n server a b:1', "lua-load"),
        ('listen l\n http-request return status 200 "file" /etc/passwd\n server a b:1', "/etc/passwd"),
        ("listen l\n http-error status 403 file /etc/passwd\n server a b:1", "/etc/passwd"),
        ("listen l\n http-request deny errorfile /etc/passwd\n server a b:1", "/etc/passwd"),
        ("listen l\n redirect location / if { path -f /etc/passwd }\n server a b:1", "/etc/passwd"),
    ],
)
def test_what_runs_or_reads_is_refused_by_name(text: str, name: str):
    """Programs, code and files that are not part of the text are refused, and let through where they are allowed."""
    with pytest.raises(Refused, match=r"line \d: .*allow=\[\""):
        Haproxy(text)
    assert Haproxy(text, allow=[name])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the configuration is empty"),
        ("# nothing\n", "the configuration is empty"),
        ('listen l\n server a "b', "line 2: a quote is opened and not closed"),
        ("defaults\n mode http", "nothing listens here"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str):
    """One line says what is wrong, and where."""
    with pytest.raises(WrongUse, match=told):
        Haproxy(text)


def test_no_line_leads_past_the_lab():
    """A dispatch is pointed like a server; a proxy before it, and an address that a client chooses, are left out."""
    assert "dispatch 127.0.0.1:7" in completed("listen l\n bind :80\n dispatch 192.0.2.1:80")
    assert "server s 127.0.0.1:7" in completed("server s a:1 socks4 192.0.2.1:1080")
    text = "listen l\n bind :80\n http-request set-dst str(192.0.2.1)\n option transparent"
    assert not [line for line in completed(text) if "transparent" in line]


def test_haproxy_is_given_the_words_that_were_looked_at():
    """What an escape hides is a word like any other: the line is written anew."""
    assert not [line for line in completed("listen l\n b\\x69nd 0.0.0.0:80\n server s a:1") if "0.0.0.0" in line]
    assert "backend 'a'\\n'lua-load /x.lua'" in completed('listen l\n bind :80\n use_backend "a\\nlua-load /x.lua"')


def test_a_long_text_is_read_in_time():
    """Sixty thousand lines take no more than a moment each."""
    assert len(Haproxy("listen l\n bind :80\n" + " server s a:1\n" * 60_000).upstreams) == 60_000


def test_there_is_no_model():
    """A simulation refuses it by name."""
    with pytest.raises(Unmodelled, match="no model of HAProxy"):
        Haproxy("server a b:1").model()


def test_a_certificate_redirect_does_not_go_round_in_a_circle():
    """Where TLS is taken away, so is the redirect to it."""
    assert not [line for line in completed(SITE) if "redirect" in line]


def test_its_sections_are_told():
    """The configuration can be walked: sections, with their lines inside."""
    found = {each.name: each for each in Haproxy(SITE).directives}
    assert [str(each) for each in found["backend"].inside("server")] == ["server lab 127.0.0.1:80"]
    assert found["frontend"].args == ("web",)


@given(st.text(st.sampled_from("serverbindlisten:0 \n\"'#\\{}%[]backendglobal"), max_size=80))
def test_no_text_is_too_strange(text: str):
    """Whatever is pasted is completed, or refused in one line."""
    with suppress(LabError):
        assert completed(text)

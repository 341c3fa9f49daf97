from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.trace import Direction, End, How, Trace, Transfer
from labkit.wire.websocket import TEXT, frame

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


def starred(data: bytes, way: Direction = ASK) -> bytes:
    return masked(Trace((Transfer(0, way, data),))).stream(way)


def request(line: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: h\r\n" + line + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"Authorization: Basic dTpw", b"Authorization: Basic ****"),
        (b"authorization:Bearer  a.b.c", b"authorization:Bearer  *****"),
        (b"Authorization: opaque", b"Authorization: ******"),
        (b'Proxy-Authorization: Digest a="b", c', b"Proxy-Authorization: Digest ********"),
        (b"Authorization : Basic dTpw", b"Authorization : Basic ****"),
        (b"Cookie: id=7; theme=dark", b"Cookie: id=*; theme=****"),
        (b"Cookie: bare", b"Cookie: ****"),
        (b"Cookie: a=b=c;d=", b"Cookie: a=***;d="),
        (b"X-Api-Key: 123", b"X-Api-Key: ***"),
        (b"X-Auth-Token: 123", b"X-Auth-Token: ***"),
        (b"x-key: 123", b"x-key: ***"),
        (b"X-My-Session-Passwords: 123", b"X-My-Session-Passwords: ***"),
        (b"x-" + b"key" * 1000 + b": 123", b"x-" + b"key" * 1000 + b": ***"),
        (b"apikey: 123", b"apikey: ***"),
        (b"Private-Token: 123", b"Private-Token: ***"),
        (b"Referer: http://h/?a=1&access_token=xyz&b=2", b"Referer: http://h/?a=1&access_token=***&b=2"),
        (b"Referer: http://user:pass@h/", b"Referer: http://user:****@h/"),
        (b"Host: user:pass@h:80", b"Host: user:****@h:80"),
        (b"X-Forwarded-Host: u:p@w@h", b"X-Forwarded-Host: u:***@h"),
        (b"Sec-WebSocket-Protocol: v4, base64url.bearer.authorization.k8s.io.c2VjcmV0, v5",
         b"Sec-WebSocket-Protocol: v4, base64url.bearer.authorization.k8s.io.********, v5"),
        (b"Authorization: Basic\r\n dTpw x", b"Authorization: *****\r\n ******"),
        (b"Cookie: a=b;\r\n\tc=d", b"Cookie: a=*;\r\n\tc=*"),
    ],
)  # fmt: skip
def test_secrets_of_a_request_are_starred_out(line, shown):
    """Values go, byte for byte; names, schemes and line ends stay."""
    assert starred(request(line)) == request(shown)


@pytest.mark.parametrize(
    "line",
    [
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Host: key.example", b"Host: h:80", b"Host: [::1]:80",
        b"Sec-WebSocket-Protocol: chat, superchat",
        b"Referer: http://h/?monkey=1&q=token", b"Accept: */*", b"Connection: keep-alive, Upgrade",
        b"X-Key_: 1", b"X-Monk-Y: 1",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(line):
    """The very same trace comes back where nothing is secret."""
    trace = Trace((Transfer(0, ASK, request(line)),))
    assert masked(trace) is trace


def test_secrets_of_the_request_target_are_starred_out():
    """A token in the query stays readable as a name."""
    assert (
        starred(b"GET /ws?v=2&TOKEN=abc;key=1#sid=2 HTTP/1.1\r\n\r\n")
        == b"GET /ws?v=2&TOKEN=***;key=*#sid=* HTTP/1.1\r\n\r\n"
    )


def test_secrets_of_an_answer_are_starred_out():
    """A cookie's attributes stay, its value goes; so does a token in Location."""
    answer = b"HTTP/1.1 302 Found\r\nSet-Cookie: id=secret; Path=/; HttpOnly\r\nLocation: /?token=abc\r\n\r\n"
    assert starred(answer, REPLY) == (
        b"HTTP/1.1 302 Found\r\nSet-Cookie: id=******; Path=/; HttpOnly\r\nLocation: /?token=***\r\n\r\n"
    )


def test_a_secret_over_two_transfers_is_starred_out_in_both():
    """Transfers keep their sizes and times, ends stay where they are."""
    data = request(b"Cookie: id=secret")
    at = data.index(b"cret")
    events = (Transfer(0, ASK, data[:at], 1.5), Transfer(0, ASK, data[at:], 2.5), End(0, ASK, How.FIN, 3.0))
    found = masked(Trace(events)).events
    assert [event.time for event in found] == [1.5, 2.5, 3.0]
    assert found[0].data.endswith(b"Cookie: id=**")
    assert found[1].data.startswith(b"****\r\n")
    assert found[2] == events[2]


def test_a_tunnel_hides_no_secret():
    """HTTP inside a tunnel is still text with secrets in it."""
    ask = b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n" + request(b"Cookie: id=7")
    trace = Trace((Transfer(0, ASK, ask), Transfer(0, REPLY, b"HTTP/1.1 200 OK\r\n\r\n")))
    assert b"Cookie: id=*\r\n" in masked(trace).stream(ASK)


def test_messages_are_kept():
    """WebSocket frames are the parties' own; only what is not in frames is searched."""
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    ask = b"GET /?token=abc HTTP/1.1\r\n" + upgrade
    reply = b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade + frame(TEXT, b"/?token=abc\nCookie: id=1")
    found = masked(Trace((Transfer(0, ASK, ask), Transfer(0, REPLY, reply))))
    assert found.stream(REPLY) == reply
    assert b"token=***" in found.stream(ASK)


@pytest.mark.parametrize("behind", [b"Cookie: id=7\r\n\r\n", b"GET /?token=7 HTTP/1.1\r\nX: a\r\n\r\n"])
@pytest.mark.parametrize("way", Direction)
def test_a_head_that_ended_early_hides_no_secret(behind, way):
    """What reads as more of a head, where frames should begin, is searched as one."""
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    said = {ASK: b"GET / HTTP/1.1\r\n" + upgrade, REPLY: b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade}
    said[way] += behind
    found = masked(Trace(tuple(Transfer(0, each, said[each]) for each in (ASK, REPLY))))
    assert found.stream(way) == said[way].replace(b"=7", b"=*")


def test_userinfo_of_a_connect_is_starred_out():
    """A CONNECT's target is no URL, and can hold a password all the same."""
    assert starred(b"CONNECT u:pw@h:80 HTTP/1.1\r\n\r\n") == b"CONNECT u:**@h:80 HTTP/1.1\r\n\r\n"


def test_title_and_note_are_searched_too():
    """A URL in the heading leaks as well."""
    found = masked(Trace(title="trace of http://h/?token=abc", note="http://u:p@h/"))
    assert (found.title, found.note) == ("trace of http://h/?token=***", "http://u:*@h/")


def test_masking_twice_changes_nothing_more():
    """A starred trace is its own."""
    once = masked(Trace((Transfer(0, ASK, request(b"Cookie: id=7")),)))
    assert masked(once) is once


BEFORE = [
    b"",
    b"x-",
    b"GET /?",
    b"Authorization: ",
    b"Cookie: ",
    b"Set-Cookie: ",
    b"Sec-WebSocket-Protocol: ",
    b"a: //",
    b"Host: ",
    b"CONNECT ",
]
AGAIN = [
    b"key", b"token", b"secret", b"auth", b"session", b"password", b"x-", b"a-", b"api-key-", b"auth-token-", b"proxy-",
    b"csrf-", b"private-token", b"authorization", b"base64url.bearer.authorization.k8s.io.", b"?token=", b"//", b"//a:",
    b" ", b"=", b"; ", b"\n ", b"\ra", b"x-key:a\n", b"cookie:\n",
]  # fmt: skip


@pytest.mark.parametrize("again", AGAIN)
def test_no_pattern_takes_more_than_linear_time(again):
    """128 KB of any one piece are searched in a moment; the names once took half a minute."""
    for before in BEFORE:
        data = b"HTTP/1.1 200 OK\r\n" + before + again * ((1 << 17) // len(again)) + b"_: a\r\n\r\n"
        began = time.process_time()
        assert len(starred(data, REPLY)) == len(data)
        assert time.process_time() - began < 10


PIECES = [
    b"Cookie: ",
    b"a=b; ",
    b"\r\n",
    b"Authorization:",
    b" Basic x",
    b"?token=",
    b"//u:p@h",
    b"GET / HTTP/1.1",
    b"\n\t",
]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=5), max_size=12).map(b"".join), st.integers(0, 60))
def test_lengths_and_line_ends_never_change(data, cut):
    """Offsets hold whatever the bytes are, and lines stay lines."""
    trace = Trace((Transfer(0, ASK, data[:cut]), Transfer(0, ASK, data[cut:])))
    found = masked(trace)
    assert [len(event.data) for event in found.events] == [len(event.data) for event in trace.events]
    after = found.stream(ASK)
    assert all(now in (was, ord("*")) for now, was in zip(after, data, strict=True))
    assert [at for at, byte in enumerate(after) if byte in b"\r\n"] == [
        at for at, byte in enumerate(data) if byte in b"\r\n"
    ]
    assert len(dissect(found).hops[0].parts[ASK]) == len(dissect(trace).hops[0].parts[ASK])

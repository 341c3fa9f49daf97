"""The real curl against the lab: what people type, what comes back, and what the exit code means."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from labkit.errors import Absent, Refused, WrongUse
from labkit.net import programs
from labkit.net.curl import curl
from labkit.net.programs import find
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits, Server
from labkit.parties.http2 import http2_server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream, echo
from labkit.trace import Direction
from labkit.wire.upgrade import SAMPLE_KEY
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, close_payload, frame

pytestmark = pytest.mark.skipif(not find("curl") and "CI" not in os.environ, reason="curl is not on this machine")

SEED = 'curl -i -H "Upgrade: websocket" -H "Connection: Upgrade" http://example.com/path'
WHOLE = f'{SEED[:-24]} -H "Sec-WebSocket-Key: {SAMPLE_KEY}" -H "Sec-WebSocket-Version: 13" http://example.com/path'
HELLO = frame(TEXT, b"Hello", mask=SAMPLE_MASK)
GOODBYE = frame(CLOSE, close_payload(1000), mask=SAMPLE_MASK)


async def greet(stream: Stream) -> None:
    await stream.send(b"greetings\n")


# the document's line


def test_the_documents_line_gets_no_101():
    """The well-known line has no key and no version: the lab's server answers 400 (RFC 6455, 4.2.1)."""
    ran = curl(SEED)
    assert (ran.status, ran.code) == (400, 0)
    assert ran.printed.startswith("HTTP/1.1 400 Bad Request\n")
    assert "no Sec-WebSocket-Key field line" in ran.printed
    assert "a whole answer, 400; 0 does not say" in ran.meaning


def test_its_host_stays():
    """The request is the one that example.com would have got, byte for byte but for the version of curl."""
    ran = curl(SEED)
    request = ran.trace.stream(Direction.TO_SERVER)
    version = find("curl").version
    assert (
        request
        == (
            f"GET /path HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/{version}\r\nAccept: */*\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        ).encode()
    )


def test_the_whole_line_gets_a_101_and_waits():
    """With key and version curl gets its 101, and then waits until its time is over: exit 28."""
    ran = curl(WHOLE, patience=0.5)
    assert (ran.status, ran.code) == (101, 28)
    assert ran.head.fields.get("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert ran.printed.startswith("HTTP/1.1 101 Switching Protocols\n")
    assert "here that is success" in ran.meaning
    assert ran.trace.hops[0].client == f"curl {find('curl').version}"


def test_the_command_shown_is_the_command_run():
    """What is shown can be copied into a shell, and does the same."""
    with UpgradeServer() as server:
        ran = curl(server.url, Offer.bare())
        again = subprocess.run(shlex.split(ran.command), capture_output=True, timeout=30, check=False)
    assert (again.returncode, again.stdout) == (ran.code, ran.out)
    assert server.traces[0] == server.traces[1]


# an offer


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (Offer.websocket("/chat?a=b"), 101),
        (Offer.bare(), 400),
        (Offer.plain(), 200),
        (Offer.websocket().with_field("Sec-WebSocket-Version", "8"), 426),
        (Offer.websocket().but(method="POST"), 405),
        (Offer.tls(), 204),
    ],
)
def test_an_offer_is_sent_as_it_is(offer: Offer, status: int):
    """Curl sends the offer's field lines in their order, and two of its own behind the first."""
    with UpgradeServer() as server:
        ran = curl(server.url, offer, patience=0.3)
    assert ran.status == status
    lines = ran.trace.stream(Direction.TO_SERVER).decode().split("\r\n")
    assert [line for line in lines if not line.startswith(("User-Agent: curl/", "Accept: "))] == (
        offer.to_bytes().decode().split("\r\n")
    )


def test_without_an_offer_curl_asks_plainly():
    """A URL alone is a plain GET."""
    with UpgradeServer() as server:
        ran = curl(server.url)
    assert (ran.status, ran.code) == (200, 0)
    assert "A plain page" in ran.printed


def test_a_foreign_server_is_asked_with_a_fresh_key():
    """Towards a server that is not the lab's, the RFC's example key is replaced, and a tap records."""
    command = [sys.executable, "-m", "labkit", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            url = serving.stdout.readline().split()[-1]
            ran = curl(url, Offer.websocket(), patience=0.5)
        finally:
            serving.terminate()
    assert (ran.status, ran.code) == (101, 28)
    assert "recorded by the tap" in ran.trace.note
    assert SAMPLE_KEY.encode() not in ran.trace.stream(Direction.TO_SERVER)


# what curl can be told


def test_head_is_no_get():
    """`-I` asks with HEAD, and a handshake is a GET (RFC 6455, 4.1)."""
    assert curl(WHOLE.replace("-i", "-I")).status == 405


def test_fail_makes_an_exit_code_of_the_status():
    """With `-f` a 400 is exit 22, and nothing of its content is printed."""
    ran = curl(SEED, options=["--fail"])
    assert (ran.status, ran.code) == (400, 22)
    assert "--fail makes 400 and above an error" in ran.meaning


def test_http_1_0_has_no_upgrade():
    """A server ignores the Upgrade field of HTTP/1.0 (RFC 9110, 7.8)."""
    assert curl(WHOLE, options=["--http1.0"]).status == 200


def test_http2_makes_an_offer_of_its_own():
    """`--http2` offers h2c; the server that the lab starts for it speaks it, and the answer comes in HTTP/2."""
    ran = curl("curl -i --http2 http://example.com/path")
    assert (ran.status, ran.code) == (101, 0)
    assert "HTTP/2 200" in ran.printed
    assert "GET /path over HTTP/2, stream 1." in ran.printed
    assert ran.meaning == "the switch to HTTP/2 happened (101), and the answer came in HTTP/2"


def test_http2_and_the_documents_fields_are_two_offers():
    """Curl then sends two Upgrade field lines, its own first; what the server makes of them is its choice."""
    with UpgradeServer() as websocket:
        ran = curl(SEED, options=["--http2"], to=websocket)
    assert ran.status == 400
    assert ran.trace.stream(Direction.TO_SERVER).count(b"\r\nUpgrade: ") == 2
    with UpgradeServer(protocols={"websocket": echo, "h2c": http2_server}) as both:
        assert curl(SEED, options=["--http2"], to=both).code == 0


def test_prior_knowledge_leaves_the_offer_out():
    """HTTP/2 from the first byte has no Upgrade (RFC 9113, 8.6), and this server speaks HTTP/1.1."""
    ran = curl(WHOLE, options=["--http2-prior-knowledge"])
    assert ran.code in (16, 18, 52, 56)
    assert "there is no Upgrade and no 101 (RFC 9113, 8.6)" in ran.meaning


def test_ws_where_curl_speaks_it_or_not():
    """A URL of ws is curl's own handshake where it can, and exit 1 with the reason where it cannot."""
    with UpgradeServer() as server:
        ran = curl(server.url.replace("http", "ws", 1), patience=0.5)
    if "speaks" in find("curl").note:
        assert ran.status == 101
    else:
        assert (ran.code, ran.status) == (1, None)
        assert "does not speak ws://; offer the upgrade to http://" in ran.meaning


def test_http_1_1_is_what_curl_speaks_anyway():
    """`--http1.1` changes nothing on http://."""
    plain, told = curl(WHOLE, patience=0.3), curl(WHOLE, options=["--http1.1"], patience=0.3)
    assert plain.trace == told.trace


def test_the_status_can_be_written_out():
    """`-w` tells the status and the version beside the exit code: how a script tells the two kinds of 28 apart."""
    ran = curl(WHOLE, options=["-w", "%{http_code} v%{http_version}"], patience=0.3)
    assert ran.out.endswith(b"101 v1.1")
    assert ran.code == 28


def test_the_head_can_be_dumped():
    """`-D -` prints the head where `-i` is not given."""
    line = WHOLE.replace("curl -i", "curl -D -")
    assert curl(line, patience=0.3).printed.startswith("HTTP/1.1 101 ")


def test_an_unasked_101_is_taken():
    """A plain GET that is answered 101 is a transfer without end to curl (against RFC 9110, 15.2.2)."""
    with UpgradeServer(faults=["unasked"]) as server:
        assert curl(server.url, patience=0.3).code == 28


def test_a_curl_that_is_killed_prints_nothing():
    """What curl holds in its buffer is lost with it, `-N` or not: why every run here has a --max-time."""
    with UpgradeServer() as server:
        offer = [word for name, value in Offer.websocket().fields for word in ("-H", f"{name}: {value}")]
        with subprocess.Popen(["curl", "-q", "-sS", "-i", "-N", *offer, server.url], stdout=subprocess.PIPE) as process:
            assert server.trace.stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 101 ")
            process.terminate()
            assert process.stdout.read() == b""


# after the 101


def test_frames_through_standard_input():
    """A frame goes out after the 101, its echo comes back, and the Close ends both: exit 0."""
    with UpgradeServer() as server:
        ran = curl(server.url, Offer.websocket(), stdin=[HELLO, GOODBYE])
    head, _, after = ran.out.rpartition(b"\r\n\r\n")
    assert b"HTTP/1.1 101 " in head
    assert after == b"\x81\x05Hello\x88\x02\x03\xe8"
    assert ran.code == 0
    assert ran.trace.stream(Direction.TO_SERVER).endswith(b"\r\n\r\n" + HELLO + GOODBYE)
    assert ran.notes == ("standard input gave 19 bytes after the 101",)


def test_frames_wait_for_the_101():
    """They are not sent before the answer came, however late it is (RFC 6455, 4.1)."""
    with UpgradeServer(faults=["late=0.5"]) as server:
        ran = curl(server.url, Offer.websocket(), stdin=[HELLO, GOODBYE])
    assert ran.code == 0
    assert not ran.trace.check().serious


def test_a_curl_that_holds_its_head_back_is_made_to_send_it(monkeypatch: pytest.MonkeyPatch):
    """A newer curl waits for standard input before it sends anything; a 100 to wait for makes it send the head."""
    monkeypatch.setattr("labkit.net.curl_stdin._HEAD_FIRST", {})
    with UpgradeServer() as server:
        ran = curl(server.url, Offer.websocket(), stdin=[HELLO, GOODBYE])
    assert ran.code == 0
    assert b"\r\nExpect: 100-continue\r\n" in ran.trace.stream(Direction.TO_SERVER)
    assert ran.trace.stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 ")
    assert not ran.trace.check().serious


def test_frames_are_not_sent_where_it_is_declined():
    """After a 403 nothing is sent, and curl ends at once."""
    with UpgradeServer(decline=403) as server:
        ran = curl(server.url, Offer.websocket(), stdin=[HELLO, GOODBYE], patience=10)
    assert (ran.status, ran.code) == (403, 0)
    assert HELLO not in ran.trace.stream(Direction.TO_SERVER)
    assert ran.notes == ("standard input gave nothing: there was no 101",)


def test_bytes_behind_the_101_are_content_to_curl():
    """What another protocol says is printed as it comes, and its end ends curl: exit 0."""
    with UpgradeServer(protocols={"quote": greet}) as server:
        ran = curl(server.url, Offer.custom("quote"))
    assert (ran.status, ran.code) == (101, 0)
    assert ran.out.endswith(b"\r\n\r\ngreetings\n")
    assert "the switch happened (101), and the server ended" in ran.meaning


def test_a_frame_and_no_close():
    """A server that says one frame and is gone leaves its bytes as content, and exit 0."""
    with UpgradeServer(faults=["early-frame"], limits=Limits(close_time=0.3, idle_time=0.3)) as server:
        ran = curl(server.url, Offer.websocket(), patience=5)
    assert ran.code == 0
    assert b"\r\n\r\n\x81\x05early" in ran.out


def test_curl_does_not_answer_a_close():
    """Curl speaks no frames: a server's Close is bytes to it, and the server's patience ends the connection."""

    async def leave(stream: Stream) -> None:
        await stream.close(1000, "bye")

    with UpgradeServer(protocols={"websocket": leave}, limits=Limits(close_time=0.3)) as server:
        ran = curl(server.url, Offer.websocket(), patience=5)
    assert ran.code == 0
    assert ran.out.endswith(b"\x88\x05\x03\xe8bye")


@pytest.mark.parametrize(
    "fault", ["interim=103", "accept-empty-key", "accept-absent", "content-length", "transfer-encoding", "early-frame"]
)
def test_curl_checks_nothing_of_the_101(fault: str):
    """A wrong or absent Accept is nothing to curl: it does not know that this is WebSocket."""
    with UpgradeServer(faults=[fault]) as server:
        ran = curl(server.url, Offer.websocket(), patience=0.3)
    assert (ran.status, ran.code) == (101, 28)


# bounds


def test_a_longer_time_is_lowered():
    """A pasted --max-time cannot hold up a class; the run says that it was lowered."""
    ran = curl(WHOLE, options=["--max-time", "1000"], patience=0.3)
    assert ran.code == 28
    assert "--max-time was lowered from 1000 to 0.3" in ran.notes


@pytest.mark.parametrize("text", ["0", "nan", "-3"])
def test_no_time_limit_is_not_taken(text: str):
    """0 means for ever to curl."""
    began = time.monotonic()
    assert curl(WHOLE, options=["--max-time", text], patience=0.3).code in (2, 28)
    assert time.monotonic() - began < 10


def test_a_server_that_says_nothing():
    """No answer is told apart from a 101 and silence."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ran = curl(f"http://127.0.0.1:{silent.getsockname()[1]}/", patience=0.3)
    assert (ran.code, ran.status, ran.meaning) == (28, None, "no answer came before the time was over")


def test_a_hundred_megabytes_are_bounded():
    """Of an answer without end the first bytes are kept; the run ends in time."""

    def flood(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(100):
                connection.sendall(bytes(1 << 20))
        except OSError:
            pass
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=flood, args=(listening,), daemon=True)
        thread.start()
        ran = curl(f"http://127.0.0.1:{listening.getsockname()[1]}/", patience=5)
    assert len(ran.out) == 1 << 20
    assert ran.dropped > 10 << 20
    assert len(str(ran)) < 1 << 23


def test_output_that_is_no_text():
    """Bytes that are not UTF-8 are kept as they are, and shown so that they can be read."""

    async def latin(stream: Stream) -> None:
        await stream.send(b"caf\xe9 \x1b[1m\n")

    with UpgradeServer(protocols={"quote": latin}) as server:
        ran = curl(server.url, Offer.custom("quote"))
    assert ran.out.endswith(b"caf\xe9 \x1b[1m\n")
    assert "caf\\xe9 \\x1b[1m" in str(ran)


def test_secrets_are_starred_where_it_is_shown():
    """A cookie, a password or a token in a pasted line stays in the command, and is starred on the screen."""
    line = f"{WHOLE.replace('/path', '/path?token=abc')} -b id=777 -u me:secret -v"
    ran = curl(f"{line} -H 'Authorization: Bearer xyz'", patience=0.3)
    for secret in ("abc", "777", "secret", "xyz"):
        assert secret in ran.command
        assert secret not in str(ran)


# what it does not do


@pytest.mark.parametrize(
    ("line", "error", "named"),
    [
        ("curl -o out http://example.com/", Refused, "-o out: it writes a file"),
        ("curl -x http://127.0.0.1:1 http://example.com/", Refused, "proxy"),
        ("curl -d @/etc/passwd http://example.com/", Refused, "-d @/etc/passwd: .* from a file"),
        ("curl file:///etc/passwd", Refused, "file"),
        ("curl http://example.com/ | sh", Refused, r"\|"),
        ("curl http://example.com/$HOME", Refused, r"\$HOME"),
        ("curl", WrongUse, "URL"),
        ("curl -H", WrongUse, "-H"),
        ("curl 'http://example.com/", WrongUse, "quote"),
    ],
)
def test_what_is_refused(line: str, error: type[Exception], named: str):
    """What would read or write files, go elsewhere or need a shell is refused by name."""
    with pytest.raises(error, match=named):
        curl(line if line != "curl" else "curl ")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"what": 5}, "URL or a command line"),
        ({"what": "ftp://127.0.0.1/"}, "no URL"),
        ({"what": "http://127.0.0.1:99999/"}, "65535"),
        ({"what": "http://127.0.0.1/", "offer": "websocket"}, r"Offer\.websocket\(\)"),
        ({"what": "http://127.0.0.1/", "patience": 0}, "patience"),
        ({"what": "http://127.0.0.1/", "stdin": b"x"}, "list of pieces"),
        ({"what": "http://127.0.0.1/", "stdin": [bytes(2 << 20)]}, "at most"),
        ({"what": "http://127.0.0.1/", "options": "--http2"}, "list of texts"),
        ({"what": SEED, "offer": Offer.bare()}, "leave the offer out"),
        ({"what": SEED, "options": 3}, "list of texts"),
        ({"what": SEED, "options": None}, "list of texts"),
        ({"what": SEED, "options": (each for each in ["-v"])}, "list of texts"),
        ({"what": SEED, "stdin": None}, "list of pieces"),
        ({"what": SEED, "stdin": (each for each in [b"x"])}, "list of pieces"),
    ],
)
def test_wrong_use(arguments: dict, named: str):
    """A wrong argument is one sentence that says what was expected."""
    with pytest.raises(WrongUse, match=named):
        curl(**arguments)


def test_other_hosts_are_refused():
    """A URL of another host is not asked unless that is allowed in so many words."""
    with pytest.raises(Refused, match="allow_remote"):
        curl("http://server.example.com/")


def test_a_name_that_is_none():
    """Where it is allowed, a name that nobody has is curl's own exit 6."""
    ran = curl("http://no-such-host.invalid/", allow_remote=True, patience=5)
    assert (ran.code, ran.traces, ran.meaning) == (6, (), "no host has that name")


def test_nothing_listens():
    """A closed port is exit 7, and no trace."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ran = curl(f"http://127.0.0.1:{port}/")
    assert (ran.code, ran.traces) == (7, ())
    assert ran.meaning == "no connection could be made: nothing listens there"


def test_without_curl_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """An absent curl is one sentence that says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", ())
    with pytest.raises(Absent, match="curl is not on this machine; install it: sudo apt install curl"):
        curl(SEED)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_proxy_settings_have_no_effect(monkeypatch: pytest.MonkeyPatch, name: str):
    """The environment's proxy is not asked, also where it would refuse."""
    monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert curl(SEED).status == 400


def test_its_configuration_file_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A .curlrc of the user's own would change what is shown."""
    (tmp_path / ".curlrc").write_text("user-agent = other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CURL_HOME", str(tmp_path))
    assert b"User-Agent: curl/" in curl(SEED).trace.stream(Direction.TO_SERVER)


# pasted from a browser


def test_copy_as_curl_of_a_browser():
    """Chrome copies a WebSocket's request as a GET to wss, with all its field lines."""
    line = f"""curl 'wss://server.example.com/chat' \\
  -H 'Upgrade: websocket' \\
  -H 'Origin: https://server.example.com' \\
  -H 'Sec-WebSocket-Version: 13' \\
  -H 'Connection: Upgrade' \\
  -H 'Sec-WebSocket-Key: {SAMPLE_KEY}' \\
  -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'"""
    ran = curl(line, patience=0.5)
    assert (ran.status, ran.code) == (101, 28)
    assert ran.notes[0] == "wss was changed to ws: the lab speaks no TLS"
    assert b"\r\nHost: server.example.com\r\n" in ran.trace.stream(Direction.TO_SERVER)


def test_copy_as_curl_for_cmd():
    """The same for Windows' command line, with its carets."""
    line = (
        'curl ^"http://server.example.com/chat^" ^\n  -H ^"Upgrade: websocket^" ^\n  -H ^"Connection: Upgrade^" ^\n'
        f'  -H ^"Sec-WebSocket-Key: {SAMPLE_KEY}^" ^\n  -H ^"Sec-WebSocket-Version: 13^"'
    )
    assert curl(line, patience=0.5).status == 101


# which server answers


def test_a_running_server_answers():
    """Where one server runs, a pasted line reaches it."""
    with UpgradeServer(Server(decline=503)):
        assert curl(SEED).status == 503


def test_a_loopback_url_is_asked_itself():
    """A pasted line that names a port of this machine means that port."""
    with UpgradeServer(Server(decline=503)), UpgradeServer(Server(decline=403)) as other:
        assert curl(f"curl -i -H 'Upgrade: websocket' -H 'Connection: Upgrade' {other.url}").status == 403


def test_a_redirect_to_another_host_stays_here():
    """What a redirect names is answered by the lab too."""
    with UpgradeServer(redirect="http://other.example/elsewhere") as server:
        ran = curl(WHOLE, options=["-L", "--max-redirs", "2"], to=server)
    assert ran.code == 47
    assert b"Host: other.example" in ran.trace.stream(Direction.TO_SERVER)


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_redirect_of_a_loopback_server_stays_on_this_machine(scheme: str):
    """Wherever else a server of this machine points, nobody listens there, and no name is looked up."""
    with UpgradeServer(redirect=f"{scheme}://other.example/x") as server:
        ran = curl(server.url, Offer.bare(), options=["-L"])
    assert ran.code == (7 if scheme == "http" else 1)


def test_the_least_patience():
    """Curl counts milliseconds, and takes none of them for ever; what it has is printed all the same."""
    with UpgradeServer() as server:
        ran = curl(server.url, patience=1e-9)
    assert ran.code in (0, 28)


def test_what_is_no_http():
    """A mail server's greeting is told as what it is."""
    with UpgradeServer(faults=["garbage"]) as server:
        ran = curl(server.url, Offer.websocket())
    assert ran.meaning == "what the server sent is no answer of HTTP/1.1"


def test_runs_at_once_keep_their_traces_apart():
    """Two threads that ask one server each get their own connection's trace."""
    with UpgradeServer() as server, ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda number: (number, curl(f"{server.url}{number}")), range(12)))
    for number, ran in runs:
        assert ran.trace.stream(Direction.TO_SERVER).startswith(f"GET /{number} HTTP/1.1\r\n".encode())
        assert len(ran.traces) == 1


@pytest.mark.parametrize("cut", [12, 20])
def test_a_101_that_is_cut_off_is_none(cut: int):
    """Half a head is no answer, whatever its first line promises (RFC 9112, 8)."""
    with UpgradeServer(faults=[f"cut={cut}"]) as server:
        ran = curl(server.url, Offer.websocket(), stdin=[HELLO])
    assert ran.status is None
    assert "switch happened" not in ran.meaning
    assert ran.notes == ("standard input gave nothing: there was no 101",)


def test_a_redirect_that_curl_may_not_follow():
    """It is the answer that points elsewhere; the server's HTTP was right."""
    with UpgradeServer(redirect="ftp://127.0.0.1/x") as server:
        ran = curl(server.url, Offer.bare(), options=["-L"])
    assert (ran.status, ran.code) == (302, 1)
    assert ran.meaning == "the answer 302 points to a protocol that curl does not speak, or may not use"


def test_a_line_that_insists_on_https():
    """Rust's own line forbids http; the lab's server speaks nothing else, and the run says what it left out."""
    ran = curl("curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.example")
    assert (ran.status, ran.code) == (200, 0)
    assert "--proto was left out: it may forbid what the URL was changed to" in ran.notes


@pytest.mark.parametrize("options", [["-v"], ["--trace-ascii", "-"], ["-v", "--http2-prior-knowledge"]])
def test_secrets_are_starred_in_what_curl_tells_of_itself(options: list[str]):
    """What curl says of the heads it sends has the cookie in it; the screen has not."""
    ran = curl("curl -H 'Cookie: sid=777' http://example.com/", options=options)
    assert b"777" in ran.out + ran.err
    assert "777" not in ran.screen

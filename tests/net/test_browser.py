"""A real browser opens a WebSocket: what its page sees, what its console says, and what crossed the wire."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.dissection import dissect
from labkit.errors import Absent, Failed, WrongUse
from labkit.net import browser
from labkit.net.browser import PageRan, browse
from labkit.net.page import MOST_LINES, MOST_TEXT, Event
from labkit.net.programs import find
from labkit.net.ran import named
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.parties.described import Limits
from labkit.trace import Direction, Trace

URL = "ws://server.example.com/chat"
LOST = Event("close", code=1006, clean=False)
OPENS = f"const socket = new WebSocket('{URL}');"
SILENT = f"{OPENS} socket.onopen = () => socket.close(1000);"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Temporary files go into a folder of the test's own; nothing is left there, nor any process that knows it."""
    with tempfile.TemporaryDirectory(prefix="lab", dir="/tmp") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)
        assert list(Path(name).iterdir()) == []
        wait_for(lambda: not processes(name))
        monkeypatch.undo()


@pytest.fixture
def chromium() -> str:
    """Skip where there is no Chromium; on CI it has to be there."""
    found = find("chromium")
    if not found and os.environ.get("CI"):
        pytest.fail("CI has to have chromium")
    if not found:
        pytest.skip(f"chromium is absent: {found.note}")
    return f"Chromium {found.version.partition('.')[0]}"


def processes(folder: str) -> list[int]:
    """Return the processes whose command or environment names a folder, less this one and those that have ended."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            known = (each / "cmdline").read_bytes() + (each / "environ").read_bytes()
        except OSError:  # it has ended meanwhile, or is another user's
            continue
        if os.fsencode(folder) in known and int(each.name) != os.getpid():
            found.append(int(each.name))
    return found


def wait_for(happened) -> None:
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)


def seen(ran: PageRan) -> list[str]:
    return [str(each) for each in ran.events]


def in_page(script: str, patience: float = 5, **settings) -> PageRan:
    """Run a script in a page, with a server in the place of server.example.com."""
    with UpgradeServer(**settings):
        return browse(URL, script, patience=patience)


def test_a_page_talks_to_the_lab(chromium):
    """The page's words are echoed; Host and Origin are the page's, whatever address is dialled (RFC 6455, 4.1)."""
    with UpgradeServer() as server:
        ran = browse(URL)
        assert ran.traces == named(server.traces, chromium)  # nothing else of the browser's reached the server
    assert ran.events == (Event("open"), Event("message", "Hello", size=5), Event("close", code=1000, clean=True))
    assert ran.console == ()
    assert (ran.program, ran.trace.hops[0].client, ran.status, ran.code) == (chromium, chromium, 101, None)
    request = dissect(ran.trace).exchange.request.value
    assert request.fields.get("Host") == "server.example.com"
    assert request.fields.get("Origin") == "http://server.example.com"
    assert str(ran) == "\n".join(
        [
            f'> const socket = new WebSocket("{URL}");',
            '> const messages = ["Hello"];',
            "> const next = () => messages.length ? socket.send(messages.shift()) : socket.close(1000);",
            '> socket.addEventListener("open", next);',
            '> socket.addEventListener("message", next);',
            "The page sees:",
            "  open",
            '  message "Hello"',
            "  close, code 1000, no reason, clean",
            "The console says: nothing",
            "[close 1000: normal closure (RFC 6455, 7.4.1)]",
        ]
    )
    assert repr(ran) == "<PageRan Chromium: 101, close 1000>"


def test_a_refusal_is_hidden_from_the_page(chromium):
    """The server says why it refuses, the console says 400, and the page is told nothing (WHATWG WebSockets, feedback from the protocol)."""
    with UpgradeServer(decline=400):
        ran = browse(URL)
    assert ran.events == (Event("error"), LOST)
    assert ran.console == (
        f"WebSocket connection to '{URL}' failed: Error during WebSocket handshake: Unexpected response code: 400",
    )
    assert b"the server is told to answer 400" in ran.trace.stream(Direction.TO_CLIENT)
    assert "is never told why" in ran.meaning


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("accept-wrong", "Incorrect 'Sec-WebSocket-Accept' header value"),
        ("accept-absent", "'Sec-WebSocket-Accept' header is missing"),
        ("subprotocol", "Response must not include 'Sec-WebSocket-Protocol' header if not present in request"),
        ("garbage", "Invalid status line"),
    ],
)  # fmt: skip
def test_a_faulty_answer_looks_the_same_to_the_page(chromium, fault, words):
    """Whatever is wrong with the 101, the page sees an error and 1006; the console tells one from the other."""
    with UpgradeServer(faults=[fault]):
        ran = browse(URL)
    assert ran.events == (Event("error"), LOST)
    assert [words in line for line in ran.console] == [True]
    assert ran.trace.events


def test_a_subprotocol_that_is_not_confirmed(chromium):
    """Chromium fails a connection whose server is silent on the subprotocols asked for (WHATWG WebSockets, opening handshake)."""
    with UpgradeServer():
        ran = browse(URL, subprotocols=["chat"])
    assert (ran.status, ran.events) == (101, (Event("error"), LOST))
    assert "Sent non-empty 'Sec-WebSocket-Protocol' header but no response was received" in ran.console[0]


def test_a_subprotocol_that_is_confirmed(chromium):
    """The page reads it from its socket."""
    with UpgradeServer(subprotocols=("chat",)):
        ran = browse(URL, subprotocols=["superchat", "chat"], say=[])
    assert seen(ran) == ['open, subprotocol "chat"', "close, code 1000, no reason, clean"]


def test_the_servers_close_reaches_the_page(chromium):
    """Code and reason of a Close are what the page is told (RFC 6455, 7.1.5, 7.1.6)."""

    async def bye(stream):
        await stream.close(4001, "come back later")

    with UpgradeServer(protocols={"websocket": bye}):
        ran = browse(URL)
    assert ran.events[-1] == Event("close", code=4001, reason="come back later", clean=True)
    assert str(ran).endswith("[close 4001: a code of a library or an application (RFC 6455, 7.4.2)]")


def test_a_message_that_is_too_big(chromium):
    """The server's limit closes with 1009 (RFC 6455, 7.4.1), and the page is told."""
    with UpgradeServer(limits=Limits(message=100)):
        ran = browse(URL, say=["x" * 2000])
    assert ran.events[-1].code == 1009
    assert "message too big" in str(ran)
    assert f'"{"x" * 900}' in str(ran)  # the script's long line is shown in part
    assert "x" * 1001 not in str(ran)


def test_messages_of_bytes_and_long_ones(chromium):
    """Bytes are told by their number, a long text by its beginning."""
    with UpgradeServer() as server:
        ran = browse(f"ws://localhost:{server.port}/", say=[b"\x00\xff", "x" * 5000])
        assert ran.traces == named(server.traces, chromium)
    assert ran.events[1:3] == (Event("message", None, size=2), Event("message", "x" * MOST_TEXT, size=5000))
    assert seen(ran)[1] == "message of 2 bytes"
    assert seen(ran)[2].endswith('x"… (5000 characters)')


def test_a_server_that_never_answers(chromium):
    """The page waits as long as patience goes, and the browser is ended."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ran = browse(f"ws://127.0.0.1:{silent.getsockname()[1]}/", patience=0.5)
    assert (ran.events, ran.console) == ((), ())
    assert ran.meaning == "after 0.5 s its WebSocket still waited for the answer"
    assert repr(ran) == "<PageRan Chromium: no answer, no close>"
    assert ran.trace.events  # the request, which a tap has recorded


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_port_that_is_closed(chromium, host):
    """Not even the refused connection is told to the page."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ran = browse(f"ws://{host}:{port}/")
    assert (ran.events, ran.traces) == ((Event("error"), LOST), ())
    assert ran.console[0].endswith("net::ERR_CONNECTION_REFUSED")
    assert str(ran).endswith("[nothing listens there, so there is no trace]")


def test_wss_where_no_tls_is_spoken(chromium):
    """The lab's server answers TLS as it answers any garbage."""
    with UpgradeServer():
        ran = browse("wss://server.example.com/")
    assert ran.events == (Event("error"), LOST)
    assert ran.console[0].endswith("net::ERR_SSL_PROTOCOL_ERROR")


@pytest.mark.parametrize(
    ("origin", "field"),
    [("http://evil.example:8080", "http://evil.example:8080"), ("http://EVIL.example:80", "http://evil.example")],
)
def test_a_page_of_another_origin(chromium, origin, field):
    """The Origin field names where the page came from (RFC 6454, 6.2); a server may refuse it (RFC 6455, 10.2)."""
    with UpgradeServer(origins=("http://server.example.com",)):
        ran = browse("ws://server.example.com/SAY", origin=origin)
    request = dissect(ran.trace).exchange.request.value
    assert (request.fields.get("Origin"), request.target) == (field, "/SAY")
    assert (ran.status, ran.events) == (403, (Event("error"), LOST))


def test_a_page_of_https_may_not_open_ws(chromium):
    """It is mixed content: the constructor throws, and nothing is sent."""
    with UpgradeServer():
        ran = browse(URL, origin="https://server.example.com")
    assert ran.traces == ()
    assert "Uncaught SecurityError" in ran.console[-1]
    assert ran.meaning == "the script failed"


@pytest.mark.parametrize(
    ("script", "console", "meaning"),
    [
        ("const = 1;", "Uncaught SyntaxError: Unexpected token '='", "the script failed"),
        ("null.x", "Uncaught TypeError: Cannot read properties of null (reading 'x')", "the script failed"),
        (f"{SILENT} throw new Error('oh')", "Uncaught Error: oh", "normal closure (RFC 6455, 7.4.1); the script failed"),
        (f"{OPENS} socket.onopen = () => {{ socket.close(1000); null.x }}", "Uncaught TypeError: Cannot read properties of null (reading 'x')", "normal closure (RFC 6455, 7.4.1)"),
        (f"{SILENT} await new Promise(done => socket.onclose = done); alert(1); console.log('end', [1], NaN, undefined, '\\ud800')",
         "end Array(1) NaN undefined \\ud800", "normal closure (RFC 6455, 7.4.1)"),
        ("for (;;);", None, "after 1 s the script had not ended"),
        (f"{OPENS} socket.onopen = () => {{ for (;;); }}", None, "after 1 s its WebSocket was still open"),
        (f"{OPENS} for (;;);", None, "after 1 s its WebSocket still waited for the answer, and the script had not ended"),
        ("1 + 1", None, "the page made no WebSocket within 1 s"),
        ("console.log('x'.repeat(33 * 2 ** 20))", None, "the page is gone: a message of more than 32 MiB came from it"),
    ],
)  # fmt: skip
def test_a_script_of_ones_own(chromium, script, console, meaning):
    """What it throws is in the console as a developer sees it; what never ends is ended."""
    ran = in_page(script, patience=1 if "for" in script or "+" in script else 5)
    assert ran.meaning == meaning
    assert console is None or ran.console == (console,)
    assert ran.command == script


def test_several_sockets_are_told_apart(chromium):
    """Each has a number; the run ends with the last of them."""
    ran = in_page(
        f"{SILENT} socket.onclose = () => {{ const next = new WebSocket('{URL}'); next.onopen = () => next.close(); }}"
    )
    assert ran.printed.splitlines() == [
        "socket 1: open",
        "socket 1: close, code 1000, no reason, clean",
        "socket 2: open",
        "socket 2: close, code 1005, no reason, clean",
    ]
    assert ran.meaning == "the Close had no code (RFC 6455, 7.1.5)"
    assert len(ran.traces) == 2


def test_a_page_that_plays_tricks(chromium):
    """What a page makes of its own objects, or says in the lab's name, is no obstacle."""
    ran = in_page(
        f"""const frame = document.body.appendChild(document.createElement("iframe"));
        for (const said of ["", "[]", "[".repeat(9999), '{{"kind": 1}}', '{{"kind": "open", "socket": Infinity}}', '{{"kind": "\\ud800"}}'])
            frame.contentWindow.labkitTell(said);
        String.prototype.slice = () => ({{}}); JSON.stringify = () => "{{"; delete window.console;
        {SILENT} window.WebSocket = null;""",
    )
    assert (ran.console, seen(ran)) == ((), ["open", "close, code 1000, no reason, clean"])


def test_much_is_kept_in_part(chromium):
    """Of many lines and events the first are kept, of a long line the beginning; the rest is counted."""
    ran = in_page(
        f"""for (let n = 0; n < 1000; n++) console.log(n + "x".repeat(n));
        {OPENS} let left = 300; socket.onopen = socket.onmessage = () => left-- ? socket.send(left) : socket.close(1000)""",
        patience=10,
    )
    assert (len(ran.console), len(ran.events)) == (MOST_LINES, MOST_LINES)
    assert ran.notes == ("800 more lines of the console, not kept", "102 more events, not kept")
    assert ran.meaning == "normal closure (RFC 6455, 7.4.1)"
    assert len(str(ran).splitlines()) < 200


def test_a_page_reaches_no_other_host(chromium):
    """Requests are blocked, other names are not found, and other ports of this machine are not either."""
    with UpgradeServer() as other:
        script = f"""
            for (const url of ["http://other.example/", "{other.url}", "/data"]) await fetch(url).catch(() => 0);
            for (const url of ["ws://other.example/", "ws://127.0.0.1:{other.port}/", "ws://[::1]:{other.port}/"])
                await new Promise(done => new WebSocket(url).onclose = done);
            const work = `fetch("{other.url}").catch(() => 0).then(() => postMessage(0))`;
            const worker = new Worker(URL.createObjectURL(new Blob([work])));
            await new Promise(done => worker.onmessage = done);
            {SILENT}
        """
        with UpgradeServer() as server:
            ran = browse(URL, script, to=server)
            assert len(server.traces) == 1
        assert other.traces == ()
    assert [line.rpartition(" ")[2] for line in ran.console if "fetch" not in line][:6] == [
        *["net::ERR_BLOCKED_BY_CLIENT.Inspector"] * 3,
        *["net::ERR_NAME_NOT_RESOLVED"] * 3,
    ]
    assert ran.events[-1] == Event("close", code=1000, clean=True, socket=4)


def test_proxy_settings_do_not_reach_it(chromium, monkeypatch: pytest.MonkeyPatch):
    """A browser's requests go where they say, whatever the environment says of proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert in_page(SILENT).events[-1].code == 1000


def test_a_foreign_server_is_tapped(chromium):
    """Between the page and a server that does not record stands a tap; the port in Host is the server's own."""
    with UpgradeServer(record=False) as server:
        ran = browse(f"ws://127.0.0.1:{server.port}/")
        assert dissect(ran.trace).exchange.request.value.fields.get("Host") == f"127.0.0.1:{server.port}"
    assert ran.status == 101


def test_a_tap_may_play_the_host(chromium):
    """What plays server.example.com is the caller's choice."""
    with UpgradeServer() as server, Tap(server.url) as tap:
        ran = browse(URL, to=tap)
        assert len(tap.traces) == len(ran.traces) == 1


def test_a_long_folder_for_temporary_files(chromium, folder, monkeypatch: pytest.MonkeyPatch):
    """The path of a socket is bounded; the browser's folder is made where it is short."""
    (deep := folder / ("deep" * 20)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert in_page(SILENT).events[-1].code == 1000
    deep.rmdir()


def test_no_browser_outlives_the_lab(chromium, folder):
    """Where the interpreter is killed, the browser reads the end of its pipe, and ends."""
    code = f'from labkit.net.browser import browse; browse("{URL}", "await new Promise(() => 0)", patience=60)'
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(folder)}) as interpreter:
        try:
            wait_for(lambda: any(b"type=renderer" in command(each) for each in processes(str(folder))))
        finally:
            interpreter.send_signal(signal.SIGKILL)
    wait_for(lambda: not processes(str(folder)))
    for left in folder.iterdir():  # what a killed interpreter cannot remove
        shutil.rmtree(left)


def command(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


# without a browser


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://127.0.0.1:80/"}, "a page opens a WebSocket at ws://HOST:PORT/PATH, or wss, not at 'http://127"),
        ({"url": "nonsense"}, "not at 'nonsense'"),
        ({"url": None}, "not at None"),
        ({"url": "ws://"}, "is no URL to trace"),
        ({"url": "ws://127.0.0.1:99999/"}, "a number up to 65535"),
        ({"origin": "null"}, "origin is http://HOST or https://HOST"),
        ({"origin": "http://server.example.com/"}, "origin is http://HOST"),
        ({"origin": "http://server.example.com:99999"}, "a number up to 65535"),
        ({"patience": 0}, "patience is above 0"),
        ({"patience": float("nan")}, "patience is above 0"),
        ({"say": "Hello"}, r"say is a list: write \['Hello'\]"),
        ({"say": [1]}, "a message is a text or bytes, not 1"),
        ({"say": ["\ud800"]}, "a message is text in UTF-8, which has no"),
        ({"subprotocols": "chat"}, r"subprotocols is a list: write \['chat'\]"),
        ({"subprotocols": [1]}, "subprotocols are texts"),
        ({"script": 1}, "script is a text of JavaScript, not 1"),
        ({"script": "x" * 5_000_000}, "script has 5000000 bytes: the lab runs up to 4 MiB"),
        ({"script": "1", "say": ["a"]}, "leave them out where a script is given"),
        ({"script": "1", "subprotocols": ["a"]}, "leave them out where a script is given"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_first(monkeypatch: pytest.MonkeyPatch, given, words):
    """Before anything is looked for or started."""
    monkeypatch.setattr(browser, "find", lambda _: pytest.fail("nothing is to be started"))
    with pytest.raises(WrongUse, match=words):
        browse(**{"url": URL, **given})


def test_a_host_of_this_machine_is_played_by_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """It is dialled, so there is nobody to name."""
    put(tmp_path, monkeypatch, "exit 1")
    with UpgradeServer() as server, pytest.raises(WrongUse, match="is this machine, and is dialled: leave out to="):
        browse(f"ws://127.0.0.1:{server.port}/", to=server)


def test_an_absent_browser_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """The error names the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("labkit.net.programs._SBIN", ())
    with pytest.raises(Absent, match="chromium is not on this machine; install it: sudo apt install chromium"):
        browse(URL)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("echo 'No usable sandbox!' >&2; exit 1", r"did not answer Target\.createTarget: it has ended; it says: No usable sandbox!"),
        ("exec sleep 60", r"did not answer Target\.createTarget: its time was over"),
        ("sleep 60 & sleep 60", r"its time was over"),
    ],
)  # fmt: skip
def test_a_browser_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path, does, words):
    """Its last words are in the error, and it is ended."""
    put(tmp_path, monkeypatch, f'case "$1" in --version) echo Chromium 1.0;; *) {does};; esac')
    monkeypatch.setattr(browser, "_START_TIME", 0.5)
    with UpgradeServer(), pytest.raises(Failed, match=words):
        browse(URL)


def put(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program of that name in front of the real one."""
    (folder / "chromium").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_events_are_lines():
    """Each event is a line that can be read, whatever is in it."""
    assert str(Event("message", 'a"\n')) == 'message "a\\"\\n"'
    assert str(Event("close", code=4000, reason="bye", clean=True)) == 'close, code 4000, reason "bye", clean'
    assert isinstance(PageRan("Chromium", "1", None, "").trace, Trace)

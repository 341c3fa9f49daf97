"""The same script in PHP and in Python, each against a fresh server of its own, and what is known to differ."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labkit.net.php import php
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits
from labkit.phpcurl import answered_by, curl_version
from labkit.trace import Direction

SCRIPTS = Path(__file__).parent / "scripts"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.php"))
_LIBCURL = re.compile(r"libcurl ([\d.]+)")
_BOUNDARY = re.compile(rb"boundary=(-+\w+)")


async def greet(stream):
    await stream.send(b"greetings")


_HASTY = Limits(idle_time=0.3, close_time=0.1)
SERVERS: Mapping[str, Mapping[str, Any]] = {  # what the server of a script is told; nothing unless it stands here
    "connection_first": {"protocols": {"chat": greet}},
    "cut_head": {"faults": ["cut=20"]},
    "garbage": {"faults": ["garbage"]},
    "interim": {"faults": ["interim=103"]},
    "no_answer": {"faults": ["close"]},
    "redirect": {"redirect": "http://elsewhere.example/"},
    "server_closes": {"protocols": {"chat": greet}},
    "server_closes_header": {"protocols": {"chat": greet}},
    "server_closes_frame": {"faults": ["early-frame"], "limits": _HASTY},
    "writefunction": {"faults": ["early-frame"], "limits": _HASTY},
}


class Seen(NamedTuple):
    """What a run came to: what was printed, the results by name, and the bytes of each connection."""

    libcurl: str
    printed: str
    results: Mapping[str, Any]
    sent: tuple[bytes, ...]


def by_php(name: str) -> Seen:
    with UpgradeServer(**SERVERS.get(name, {})) as server:
        ran = php((SCRIPTS / f"{name}.php").read_text(), to=server)
    assert ran.code == 0, ran
    assert not ran.errors, ran
    return seen(_LIBCURL.search(ran.program)[1], ran.out, ran.traces)


def by_python(name: str) -> Seen:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with UpgradeServer(**SERVERS.get(name, {})) as server, answered_by(server):
        watch = server.watch()
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(SCRIPTS / f"{name}.py"))
        gc.collect(0)  # a handle of PHP ends with its script
        carried = watch.traces()
    return seen(curl_version()["version"], out.buffer.getvalue(), carried)


def seen(version: str, out: bytes, traces) -> Seen:
    text = out.decode()
    before, _, results = text.rstrip("\n").rpartition("\n")
    results = results if results.startswith("{") else results[results.find('{"') :]
    try:
        value = json.loads(results)
    except ValueError:
        value, before = {}, text
    sent = tuple(each.stream(Direction.TO_SERVER) for each in traces)
    return Seen(version, before, value, tuple(map(plain, sent)))


def plain(sent: bytes) -> bytes:
    """Return what was sent less what is drawn by chance: the boundary of a form, all of TLS."""
    found = _BOUNDARY.search(sent)
    if sent.startswith(b"\x16\x03"):
        return b"TLS"
    return sent.replace(found[1], b"boundary") if found else sent


class Difference(NamedTuple):
    """What differs for the version of libcurl: a result of a script, or "sent", of which a part is told."""

    script: str
    what: str
    php: Any
    python: Any
    why: str


_WORDS = [
    "Timeout was reached",
    "Server returned nothing (no headers, no data)",
    "Unknown error",
    "No error",
    "Unknown error",
]
MEASURED = ("7.88.1", "8.23.0")  # PHP's libcurl and pycurl's, with which this was seen
# The same PHP on libcurl 8.14.1 differs from pycurl in the bytes of three scripts alone (connection_first,
# http_version_2_0, ws_url): what else stands here is the older libcurl's.
DIFFERENCES = (
    Difference(
        "connection_first", "sent", b"\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
        b"\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n", "a newer libcurl sends the Connection field last",
    ),
    Difference("getinfo", "scheme", "HTTP", "http", "a newer libcurl tells the scheme in small letters"),
    Difference("http_version_2_0", "errno", 52, 16, "what it calls an answer that is no HTTP/2"),
    Difference(
        "http_version_2_0", "sent", b"\r\nConnection: Upgrade, HTTP2-Settings\r\n",
        b"\r\nConnection: Upgrade, Upgrade, HTTP2-Settings\r\n",
        "an older libcurl sends two Connection fields, a newer one joins them; the settings of HTTP/2 differ",
    ),
    Difference("nobody_get", "errno", 52, 28, "an older libcurl takes a 101 without content for an empty reply"),
    Difference(
        "post_array", "exec", "A plain page: no upgrade was made.\n327 bytes of content were read.\n",
        "A plain page: no upgrade was made.\n351 bytes of content were read.\n", "the boundary of a form is longer by 6",
    ),
    Difference("post_array", "sent", b"Content-Length: 327", b"Content-Length: 351", "the boundary is longer by 6"),
    Difference(
        "texts", "error", ["No error", "Couldn't connect to server", *_WORDS], ["No error", "Could not connect to server", *_WORDS],
        "the words of an error",
    ),
    Difference("ws_connect_only", "exec", False, "", "an older libcurl has no WebSocket"),
    Difference("ws_connect_only", "errno", 1, 0, "an older libcurl has no WebSocket"),
    Difference("ws_connect_only", "code", 0, 101, "an older libcurl has no WebSocket"),
    Difference("ws_connect_only", "sent", (), b"\r\nUpgrade: websocket\r\n", "an older libcurl has no WebSocket"),
    Difference("ws_url", "errno", 1, 28, "an older libcurl has no WebSocket"),
    Difference("ws_url", "code", 0, 101, "an older libcurl has no WebSocket"),
    Difference("ws_url", "sent", (), b"\r\nUpgrade: websocket\r\n", "an older libcurl has no WebSocket"),
)  # fmt: skip

NEWER = {  # what newer versions than those may do otherwise
    ("getinfo", "before"): "PHP 8.3 has two keys more",
    ("getinfo", "after"): "PHP 8.3 has two keys more",
}
CHOSEN = {  # what differs whatever the versions are
    (
        "after_close",
        "sent",
    ): "the lab's curl_close closes the connection; PHP's does nothing, and the next transfer reuses it",
}


def differences(one: Seen, two: Seen) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two runs, by its name."""
    mine, other = ({**each.results, "printed": each.printed, "sent": each.sent} for each in (one, two))
    keys = dict.fromkeys([*mine, *other])
    return {key: (mine.get(key), other.get(key)) for key in keys if mine.get(key) != other.get(key)}

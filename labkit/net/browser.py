"""A real browser as the client: what a page sees, and what its console says, beside what crossed the wire.

    page of http://server.example.com ── new WebSocket("ws://server.example.com/chat") ──▶ the lab's listener

Headless Chromium runs for one page. The page comes from the lab, over DevTools, and that browser finds no host but
the one of the URL: nothing but the WebSocket leaves it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from labkit.dissection.secrets import masked_words
from labkit.errors import Failed, WrongUse
from labkit.net.address import Address, bracketed, is_loopback, parse_url
from labkit.net.devtools import piped
from labkit.net.listener import Listener
from labkit.net.page import Event, Page
from labkit.net.patience import check_patience
from labkit.net.process import clean_environment, running_child
from labkit.net.programs import Program, find, is_root
from labkit.net.ran import Ran, first_lines, named, readable
from labkit.net.reach import Reached, in_place, reach
from labkit.parties.answer import check_utf8
from labkit.snippets.literals import javascript

__all__ = ["PageRan", "browse"]

_MOST_SCRIPT = 4 << 20  # bytes
_MOST_SAID = 1 << 16  # bytes of a failing browser's words that are read
_MOST_FOLDER = 40  # characters of the folder for temporary files: a socket's path holds about 100, and most are taken
_START_TIME = 30.0  # seconds for the browser to start and to load the page
_CLEAN_TIME = 3.0  # seconds to remove the browser's folder: its last processes may still write there
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

# Why each is there: nothing of the user's own is read, nothing but the page speaks, nothing is asked.
_FLAGS = (
    "--headless=new", "--no-startup-window", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-domain-reliability",
    "--disable-breakpad", "--disable-quic", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
    "--password-store=basic", "--no-proxy-server", "--lang=en-US",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # the page seems to come from the net, where a browser asks before a page may dial loopback
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,HttpsUpgrades",
)  # fmt: skip
_PREFERENCES = {"net": {"network_prediction_options": 2}}  # no connection is made before a page asks for it
_SCRIPT = """\
const next = () => messages.length ? socket.send(messages.shift()) : socket.close(1000);
socket.addEventListener("open", next);
socket.addEventListener("message", next);"""


@dataclass(frozen=True, repr=False)
class PageRan(Ran):
    r"""A page's run in a real browser; a browser has no exit code, so `code` is None.

    Args:
        events: what the page saw, in order.
        console: what only its developer sees, a line each.

    >>> print(PageRan("Chromium 150", "new WebSocket(url)", None, "lost", out=b"error\n"))
    > new WebSocket(url)
    The page sees:
      error
    The console says: nothing
    [no close: lost]
    """

    events: tuple[Event, ...] = ()
    console: tuple[str, ...] = ()

    @property
    def screen(self) -> str:
        """What the page sees, what the console says, and how it ended."""
        lines = []
        for title, words in (("The page sees", self.printed), ("The console says", self.errors)):
            lines += [f"{title}:" if words else f"{title}: nothing", *(f"  {line}" for line in first_lines(words))]
        return "\n".join([*lines, *self._last()])

    def __str__(self) -> str:
        script = masked_words(readable(self.command.encode("utf-8", "backslashreplace")))
        lines = [f"> {line}" for line in first_lines(script)]
        return "\n".join([*lines, self.screen])

    @property
    def ended(self) -> str:
        """How it ended, in two words."""
        last = next((each for each in reversed(self.events) if each.kind == "close"), None)
        return f"close {last.code}" if last else "no close"


def browse(
    url: str,
    script: str | None = None,
    *,
    subprotocols: Sequence[str] = (),
    say: Sequence[str | bytes] = ("Hello",),
    origin: str = "http://server.example.com",
    to: Listener | None = None,
    patience: float = 5.0,
) -> PageRan:
    """Open a WebSocket from a page in headless Chromium; show what the page sees beside what crossed the wire.

    A URL of this machine is dialled, through a tap where it is not the lab's own server. Any other host is played by
    the lab's server, and Host stays as it is in the URL. No other host is found, and what else the page asks for is
    blocked; both can be read in the console's lines.

    Args:
        url: ws or wss. The lab's server speaks no TLS, so wss shows how that fails.
        script: JavaScript for the page, as for the console of a browser; a script of the lab's own unless told.
        subprotocols: what the lab's own script asks for.
        say: what it says, each message after the answer to the one before; then it closes with 1000.
        origin: where the page comes from, so that the Origin field says so.
        to: the server, or tap, that plays a host which is not this machine.
        patience: the most seconds the page may take.

    Raises:
        WrongUse: an argument that makes no sense; nothing was started.
        Absent: there is no Chromium here.
        Failed: it could not be started.
    """
    address = _address(url)
    _check(origin, patience)
    if script is None:
        script = _own_script(url.strip(), subprotocols, say)
    elif subprotocols or say != ("Hello",):
        raise WrongUse("subprotocols and say are for the lab's own script: leave them out where a script is given")
    _check_script(script)
    chromium = find("chromium").required()
    with _led(address, to) as (reached, rule):
        with _started(chromium, rule) as process:
            page = Page(process, origin)
            page.load(monotonic() + _START_TIME)
            meaning = page.run(script, patience)
        return _result(chromium, script, page, meaning, reached)


def _result(chromium: Program, script: str, page: Page, meaning: str, reached: Reached) -> PageRan:
    several = page.made > 1
    lines = [f"socket {each.socket}: {each}" if several else str(each) for each in page.events]
    program = f"Chromium {chromium.version.partition('.')[0]}"
    notes = [f"{count} more {what}, not kept" for what, count in page.left_out.items()]
    if reached.watch is None:
        notes.append("nothing listens there, so there is no trace")
    return PageRan(
        program,
        script,
        None,
        meaning,
        "".join(f"{line}\n" for line in lines).encode(),
        "".join(f"{line}\n" for line in page.console).encode(),
        traces=named(reached.traces(), program),
        notes=tuple(notes),
        events=tuple(page.events),
        console=tuple(page.console),
    )


# what is asked for


def _address(url: str) -> Address:
    if not isinstance(url, str) or not url.strip().lower().startswith(("ws://", "wss://")):
        raise WrongUse(f"a page opens a WebSocket at ws://HOST:PORT/PATH, or wss, not at {url!r}")
    return parse_url(url)


def _check(origin: str, patience: float) -> None:
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
        raise WrongUse(f"origin is http://HOST or https://HOST, with a port or without, not {origin!r}")
    parse_url(origin)
    check_patience(patience)


def _check_script(script: str) -> None:
    if not isinstance(script, str):
        raise WrongUse(f"script is a text of JavaScript, not {script!r}")
    check_utf8("script", script)
    size = len(script.encode())
    if size > _MOST_SCRIPT:
        raise WrongUse(f"script has {size} bytes: the lab runs up to {_MOST_SCRIPT >> 20} MiB")


def _own_script(url: str, subprotocols: Sequence[str], say: Sequence[str | bytes]) -> str:
    for name, given in (("say", say), ("subprotocols", subprotocols)):
        if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
            raise WrongUse(f"{name} is a list: write [{given!r}]")
    if not all(isinstance(each, str) for each in subprotocols):
        raise WrongUse(f"subprotocols are texts, not {subprotocols!r}")
    if wrong := [each for each in say if not isinstance(each, (str, bytes))]:
        raise WrongUse(f"a message is a text or bytes, not {wrong[0]!r}")
    for text in (each for each in say if isinstance(each, str)):
        check_utf8("a message", text)
    names = ", ".join(map(javascript, subprotocols))
    asked = [javascript(url), *([f"[{names}]"] if names else [])]
    said = map(javascript, say)
    return f"const socket = new WebSocket({', '.join(asked)});\nconst messages = [{', '.join(said)}];\n{_SCRIPT}"


# where the page's WebSocket leads


@contextmanager
def _led(address: Address, to: Listener | None) -> Iterator[tuple[Reached, str]]:
    """Yield what records the page's connections, and the rule by which the browser finds it."""
    host = bracketed(address.host)
    if not is_loopback(address.host):
        with in_place(to) as reached:
            yield reached, f"MAP {host} {reached.place}"
        return
    if to is not None:
        raise WrongUse(f"{host} is this machine, and is dialled: leave out to=, or name another host")
    with reach(address) as reached:
        yield reached, f"MAP {host}:{address.port} {reached.place}"


# the browser


@contextmanager
def _started(chromium: Program, rule: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the browser, in a folder of its own that goes with it."""
    with _folder() as folder, (folder / "stderr").open("w+b") as errors:
        (folder / "profile/Default").mkdir(parents=True)
        (folder / "profile/Default/Preferences").write_text(json.dumps(_PREFERENCES), "utf-8")
        command = [
            chromium.path,
            *_FLAGS,
            *(["--no-sandbox"] if is_root() else []),  # its sandbox refuses to be root's
            f"--user-data-dir={folder / 'profile'}",
            f"--host-resolver-rules={rule},MAP * ^NOTFOUND",
        ]
        places = {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "TMPDIR": ""}
        environment = {**clean_environment(), **{name: str(folder / place) for name, place in places.items()}}
        with running_child(
            piped(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            environment=environment,
            folder=folder,
        ) as process:
            try:
                yield process
            except Failed as error:
                errors.seek(0)
                said = [line for line in readable(errors.read(_MOST_SAID)).splitlines() if line.strip(" #")]
                raise Failed(f"{chromium.path}: {error}{f'; it says: {said[-1]}' if said else ''}") from None


@contextmanager
def _folder() -> Iterator[Path]:
    place = "/tmp" if len(tempfile.gettempdir()) > _MOST_FOLDER else None  # noqa: S108  a folder of our own in it
    with tempfile.TemporaryDirectory(prefix="labkit-", dir=place, ignore_cleanup_errors=True) as name:
        try:
            yield Path(name)
        finally:
            until = monotonic() + _CLEAN_TIME
            while Path(name).exists() and monotonic() < until:
                shutil.rmtree(name, ignore_errors=True)
                sleep(0.01)

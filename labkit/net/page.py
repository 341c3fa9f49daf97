"""One page of a browser: what it sees of its WebSockets, and what its console says, heard over DevTools."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from time import monotonic
from typing import Any

from labkit.errors import Failed
from labkit.net.devtools import DevTools
from labkit.net.ran import readable
from labkit.wire.websocket import CLOSE_CODES

__all__ = ["MOST_LINES", "MOST_TEXT", "Event", "Page"]

MOST_LINES = 200
"""Events of a page that are kept, and likewise lines of its console."""

MOST_TEXT = 1000
"""Characters of a message that are kept, and likewise of a line of the console."""

_SETTLE_TIME = 1.0  # seconds for a page to say the rest, once its sockets are closed
_PAGE = b'<!doctype html><meta charset="utf-8"><title>labkit</title><link rel="icon" href="data:,">'

_KINDS = ("made", "open", "message", "error", "close")
_BINDING = "labkitTell"
# Every WebSocket of the page tells what happens to it, before the page's own listeners hear of it.
_OBSERVE = """(() => {
    const tell = window[NAME], Native = window.WebSocket, write = JSON.stringify;
    const listen = Native.prototype.addEventListener;
    let made = 0;
    delete window[NAME];
    window.WebSocket = class WebSocket extends Native {
        constructor(...given) {
            super(...given);
            const socket = ++made;
            const on = (kind, read) => listen.call(this, kind, event => tell(write({socket, kind, ...read(event)})));
            tell(write({socket, kind: "made"}));
            on("open", () => ({text: this.protocol}));
            on("message", ({data}) => typeof data === "string"
                ? {text: data.slice(0, MOST), size: data.length}
                : {text: null, size: data.size ?? data.byteLength});
            on("error", () => ({}));
            on("close", ({code, reason, wasClean}) => ({code, reason, clean: wasClean}));
        }
    };
})()""".replace("NAME", json.dumps(_BINDING)).replace("MOST", str(MOST_TEXT))

_LOADED = 'new Promise(done => document.readyState === "complete" ? done() : addEventListener("load", done))'


@dataclass(frozen=True, slots=True)
class Event:
    """What a page is told about one of its WebSockets.

    Args:
        kind: open, message, error or close: the event's name (WHATWG WebSockets, the WebSocket interface).
        text: of a message its first 1000 characters, None where it is not text; of an open the subprotocol.
        code: of a close; 1005 and 1006 are never sent (RFC 6455, 7.4.1), they stand for a Close without a code, and
            for none.
        reason: of a close.
        clean: of a close: whether the closing handshake was made.
        size: of a message: characters of a text, else bytes.
        socket: which of the page's sockets, from 1 in the order of their making.

    >>> print(Event("close", code=1006, clean=False))
    close, code 1006, no reason, not clean
    """

    kind: str
    text: str | None = ""
    code: int | None = None
    reason: str = ""
    clean: bool | None = None
    size: int = 0
    socket: int = 1

    def __str__(self) -> str:
        match self.kind:
            case "open":
                return f"open, subprotocol {_quoted(self.text)}" if self.text else "open"
            case "message" if self.text is None:
                return f"message of {self.size} bytes"
            case "message":
                return f"message {_quoted(self.text)}{f'… ({self.size} characters)' if self.size > MOST_TEXT else ''}"
            case "close":
                reason = f"reason {_quoted(self.reason)}" if self.reason else "no reason"
                return f"close, code {self.code}, {reason}, {'clean' if self.clean else 'not clean'}"
        return self.kind


def _quoted(text: str | None) -> str:
    return json.dumps(_clean(text or ""), ensure_ascii=False)


class Page:
    """One page: what it sees, and what its console says.

    Args:
        process: the browser, see `DevTools`.
        origin: where the page comes from: `http://HOST`, maybe with a port.
    """

    def __init__(self, process: subprocess.Popen[bytes], origin: str) -> None:
        self.events: list[Event] = []
        self.console: list[str] = []
        self.left_out: Counter[str] = Counter()
        """How many events and lines there were beyond those."""
        self.made = 0
        """How many WebSockets it made."""
        self._now: set[int] = set()  # those that are not closed
        self._opened: set[int] = set()
        self._last: Event | None = None  # the last close
        self._wanted = f"{origin}/"
        self._address = ""  # as the browser writes it, once it has asked for the page
        self._answer: dict[str, Any] | None = None  # of the script
        self._crashed = False
        self._tools = DevTools(process, self._hear)
        self._heard = {
            "Fetch.requestPaused": self._asked,
            "Inspector.targetCrashed": self._crash,
            "Log.entryAdded": self._logged,
            "Page.javascriptDialogOpening": self._dialogue,
            "Runtime.bindingCalled": self._told,
            "Runtime.consoleAPICalled": self._printed,
            "Runtime.exceptionThrown": self._thrown,
        }

    def load(self, until: float) -> None:
        """Wait for the browser, and let it load the page.

        Args:
            until: the moment of the monotonic clock when waiting ends.

        Raises:
            Failed: it did not in time, or ended.
        """
        tools = self._tools
        tools.attach(until)
        for domain in ("Page", "Runtime", "Log", "Inspector"):
            tools.post(f"{domain}.enable")
        tools.post("Fetch.enable", patterns=[{"urlPattern": "*"}])
        tools.post("Runtime.addBinding", name=_BINDING)
        problem = tools.call("Page.navigate", until, url=self._wanted).get("errorText")
        if problem:
            raise Failed(f"the browser did not load {self._wanted}: {problem}")
        tools.call("Runtime.evaluate", until, expression=f"{_OBSERVE}; {_LOADED}", awaitPromise=True)

    def run(self, script: str, patience: float) -> str:
        """Run a script in the page, until its WebSockets are closed; return in a sentence how that ended.

        Args:
            script: JavaScript; `await` may stand at its top.
            patience: the most seconds to wait.
        """
        until = monotonic() + patience
        tools = self._tools
        # As in the console of a browser: names may be declared again, and what is awaited is waited for.
        tools.post("Runtime.evaluate", self._ran, expression=script, replMode=True, awaitPromise=True)
        while not self._crashed and not (self._done() and self._settled(until)):
            if not tools.listen(until):
                break
        if tools.over or self._crashed:
            return f"the page is gone: {tools.over or 'it crashed'}"
        return self._end(patience)

    def _done(self) -> bool:
        """Tell whether there is nothing to wait for: a script that stopped may have left timers, but no promise."""
        return self._answer is not None and not self._now and (self.made > 0 or "exceptionDetails" in self._answer)

    def _settled(self, until: float) -> bool:
        """Let the page finish what it is about, and tell whether it is done even then."""
        try:
            self._tools.call("Runtime.evaluate", min(until, monotonic() + _SETTLE_TIME), expression="0")
        except Failed:  # its script runs on, or its time is over
            return False
        return self._done()

    # how it ended

    def _end(self, patience: float) -> str:
        running = self._answer is None
        failed = not running and "exceptionDetails" in (self._answer or {})
        if self._now:
            number = min(self._now)
            state = "was still open" if number in self._opened else "still waited for the answer"
            what = f"after {patience:g} s {'its WebSocket' if self.made == 1 else f'socket {number}'} {state}"
            return f"{what}, and the script had not ended" if running else what
        if running:
            return f"after {patience:g} s the script had not ended"
        if self._last is None:
            return "the script failed" if failed else f"the page made no WebSocket within {patience:g} s"
        return f"{self._closed(self._last)}; the script failed" if failed else self._closed(self._last)

    def _closed(self, close: Event) -> str:
        if close.code == 1006:
            if close.socket in self._opened:
                return "the connection broke off without a Close (RFC 6455, 7.1.5)"
            return "it failed, and a page is never told why (WHATWG WebSockets, feedback from the protocol)"
        if close.code == 1005:
            return "the Close had no code (RFC 6455, 7.1.5)"
        known = CLOSE_CODES.get(close.code or 0)
        if known:
            return f"{known.meaning} ({known.clause})"
        own = 3000 <= (close.code or 0) < 5000
        return f"{'a code of a library or an application' if own else 'nobody defined this code'} (RFC 6455, 7.4.2)"

    # what the browser tells

    def _hear(self, name: str, event: dict[str, Any]) -> None:
        if name in self._heard:
            self._heard[name](event)

    def _ran(self, answer: dict[str, Any]) -> None:
        self._answer = answer.get("result", answer)
        if "error" in answer:
            self._say(f"Uncaught {answer['error'].get('message', '')}")
        elif "exceptionDetails" in self._answer:
            self._thrown(self._answer)

    def _told(self, event: dict[str, Any]) -> None:
        """Take what the page is told of a socket."""
        told = _event(event["payload"])
        if told is None:  # a frame of the page's says it, which has the binding too
            return
        if told.kind == "made":
            self.made += 1
            self._now.add(told.socket)
            return
        if told.kind == "open":
            self._opened.add(told.socket)
        elif told.kind == "close":
            self._now.discard(told.socket)
            self._last = told
        self._keep(self.events, told, "events")

    def _asked(self, event: dict[str, Any]) -> None:
        """Answer a request of the page's: the page itself comes from here, and nothing else comes at all."""
        request = {"requestId": event["requestId"]}
        if event["resourceType"] != "Document" or self._address:
            self._tools.post("Fetch.failRequest", **request, errorReason="BlockedByClient")
            return
        self._address = event["request"]["url"]
        html = {"name": "Content-Type", "value": "text/html; charset=utf-8"}
        body = base64.b64encode(_PAGE).decode()
        self._tools.post("Fetch.fulfillRequest", **request, responseCode=200, responseHeaders=[html], body=body)

    def _dialogue(self, _: dict[str, Any]) -> None:
        """Close an alert; the page would wait for it."""
        self._tools.post("Page.handleJavaScriptDialog", accept=True)

    def _crash(self, _: dict[str, Any]) -> None:
        self._crashed = True

    # what the console says

    def _logged(self, event: dict[str, Any]) -> None:
        entry = event["entry"]
        url = entry.get("url", "")
        self._say(entry["text"] if url in ("", self._address) else f"{url}: {entry['text']}")

    def _printed(self, event: dict[str, Any]) -> None:
        self._say(" ".join(_shown(each) for each in event["args"]))

    def _thrown(self, event: dict[str, Any]) -> None:
        details = event["exceptionDetails"]
        what = _shown(details["exception"]).split("\n")[0] if "exception" in details else ""
        self._say(f"{details.get('text', 'Uncaught')} {what}".strip())

    def _say(self, line: str) -> None:
        more = f"… ({len(line)} characters)" if len(line) > MOST_TEXT else ""
        self._keep(self.console, _clean(line[:MOST_TEXT]) + more, "lines of the console")

    def _keep(self, kept: list[Any], what: Any, kind: str) -> None:
        if len(kept) < MOST_LINES:
            kept.append(what)
        else:
            self.left_out[kind] += 1


def _event(payload: str) -> Event | None:
    """Read what `_OBSERVE` tells; None where it is something else, for a page can do much with its own objects."""
    try:
        given = json.loads(payload)
        kind, text, code = given["kind"], given.get("text", ""), given.get("code")
        if kind not in _KINDS:
            return None
        return Event(
            kind,
            None if text is None else str(text)[:MOST_TEXT],
            None if code is None else int(code),
            str(given.get("reason", "")),
            bool(given["clean"]) if kind == "close" else None,
            int(given.get("size", 0)),
            int(given["socket"]),
        )
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _shown(value: dict[str, Any]) -> str:
    """Return a value of JavaScript as a console shows it."""
    if "value" in value:
        plain = value["value"]
        return plain if isinstance(plain, str) else json.dumps(plain)
    return str(value.get("description") or value.get("unserializableValue") or value.get("type"))


def _clean(text: str) -> str:
    """Return a text that can be shown; half of a surrogate pair is as good as any character in JavaScript."""
    return readable(text.encode("utf-8", "backslashreplace"))

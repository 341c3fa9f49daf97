"""What becomes of field lines on their way through nginx (ngx_http_proxy_create_request, ngx_http_upstream.c).

To the upstream go first the lines that nginx sets, those of the text before its own; then all that the client sent,
but for names that were set. Nothing is done about the names in a Connection field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.proxies.directive import Directive
from labkit.proxies.model import Change, Fate
from labkit.proxies.nginx.answer_heads import Answer
from labkit.proxies.nginx.levels import Level
from labkit.proxies.nginx.redirects import default_redirect
from labkit.proxies.nginx.trip import Trip
from labkit.proxies.nginx.variables import Variables
from labkit.wire.fields import Fields, Pair

__all__ = [
    "DEFAULTS", "HIDDEN", "RULE", "Defaults", "Passed", "added", "invalid_changes", "pass_answer", "request_fields",
]  # fmt: skip


class Defaults(NamedTuple):
    """What nginx sends to upstreams where the text says nothing.

    Args:
        version: the last digits of the HTTP version.
        connection: the value of Connection; empty for none.
        pools: whether connections to an upstream block are kept without a `keepalive` line.
    """

    version: str = "1.0"
    connection: str = "close"
    pools: bool = False


DEFAULTS: dict[str, Defaults] = {
    "1.22.1": Defaults(),
    "1.29.7": Defaults("1.1", "", pools=True),  # CHANGES with nginx 1.29.7; not held against the program
}
"""The defaults by version."""

_SET = ("Host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Keep-Alive", "Expect", "Upgrade")
"""ngx_http_proxy_headers: what nginx sets itself; the last four it sets to nothing, which drops them."""

HIDDEN = (
    "Date", "Server", "X-Pad", "X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering",
    "X-Accel-Charset",
)  # fmt: skip
"""ngx_http_proxy_hide_headers: what nginx keeps back from an answer."""

RULE = "nginx's own rule"
"""What did something where no directive did."""

_OWN = {  # by which rule, in words
    "host": "nginx's default: proxy_set_header Host $proxy_host",
    "connection": "nginx's default: proxy_set_header Connection close",
    "upgrade": "nginx's default: Upgrade is dropped, unless a proxy_set_header passes it on",
    "content-length": f"{RULE}: the length of the content as nginx read it",
    "transfer-encoding": f"{RULE}: content is read whole, and sent with its length",
}
_DROPPED = f"{RULE}: it concerns this hop alone"
_PASSED = f"{RULE}: what no proxy_set_header names is passed on"


def request_fields(trip: Trip, level: Level, variables: Variables, defaults: Defaults) -> tuple[Fields, list[Change]]:
    """Return the field lines that go to the upstream, and what became of those that came."""
    builder = _Builder(trip)
    taken: set[str] = set()
    for each in level.all("proxy_set_header"):
        builder.set(each.args[0], variables.text(each.args[1], trip), str(each), each.line)
        taken.add(each.args[0].lower())
    own = _own(trip, defaults)
    for name in _SET:
        if name.lower() not in taken:
            builder.set(name, own[name], _OWN.get(name.lower(), _DROPPED), 0)
            taken.add(name.lower())
    for name, value in trip.head.fields if level.on("proxy_pass_request_headers", default=True) else ():
        if name.lower() not in taken:
            builder.lines.append((name, value))
            builder.changes.append(Change(name, Fate.FORWARDED, value, value, _PASSED))
    return Fields(tuple(builder.lines)), builder.changes


def _own(trip: Trip, defaults: Defaults) -> dict[str, str]:
    length = "" if trip.length is None else str(trip.length)
    own = {"Host": trip.proxy[0], "Connection": defaults.connection, "Content-Length": length}
    return {**dict.fromkeys(_SET, ""), **own}


@dataclass(slots=True)
class _Builder:
    trip: Trip
    lines: list[Pair] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def set(self, name: str, value: str, by: str, line: int) -> None:
        """Set a field: to nothing, it is dropped."""
        came = ", ".join(self.trip.head.fields.all(name))
        there = name in self.trip.head.fields
        if value:
            self.lines.append((name, value))
            fate = (Fate.FORWARDED if came == value else Fate.REWRITTEN) if there else Fate.ADDED
            self.changes.append(Change(name, fate, came, value, by, line))
        elif there:
            self.changes.append(Change(name, Fate.DROPPED, came, "", by, line))


def invalid_changes(fields: Iterable[Pair], invalid: frozenset[int], line: int) -> list[Change]:
    """Return what became of lines whose names nginx takes for invalid."""
    lines = list(fields)
    return [
        Change(lines[at][0], Fate.DROPPED, lines[at][1], "", _why_invalid(lines[at][0]), line) for at in sorted(invalid)
    ]


def _why_invalid(name: str) -> str:
    if "_" in name and name.replace("_", "").replace("-", "").isalnum():
        return f"{RULE}: underscores_in_headers is off"
    return f"{RULE}: ignore_invalid_headers is on"


@dataclass(slots=True)
class Passed:
    """What an answer's field lines come to.

    Args:
        lines: those that go on, in their order.
        changes: what became of each.
        content_type: the last Content-Type.
        location: a Location that nginx makes absolute; empty where there is none.
        server: whether a Server of the upstream's goes on.
        date: whether a Date does.
        length: the Content-Length that counts; None where none does.
        chunked: whether the content comes in chunks.
        closes: whether the upstream says that it closes.
        accel: the X-Accel fields, by their names in small letters.
    """

    lines: list[Pair] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    content_type: str = ""
    location: str = ""
    server: bool = False
    date: bool = False
    length: int | None = None
    chunked: bool = False
    closes: bool = False
    accel: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, fate: Fate, came: str, went: str, by: str, line: int = 0) -> None:
        """Take note of what became of a line."""
        self.changes.append(Change(name, fate, came, went, by, line))


_REPLACED = {
    "content-length": f"{RULE}: it says itself how long the content is",
    "transfer-encoding": f"{RULE}: it frames the content anew for its client",
    "connection": f"{RULE}: Connection is of this hop alone; on a 101 nginx says upgrade, whatever came",
    "keep-alive": f"{RULE}: it concerns this hop alone",
}


def pass_answer(answer: Answer, trip: Trip, level: Level, variables: Variables) -> Passed:
    """Return what the field lines of an upstream's answer come to."""
    passed = Passed()
    hides = {each.args[0].lower(): each for each in level.all("proxy_hide_header")}
    passes = {each.args[0].lower(): each for each in level.all("proxy_pass_header")}
    hidden = ({name.lower() for name in HIDDEN} | set(hides)) - set(passes)
    passed.closes = answer.version in ("HTTP/1.0", "HTTP/0.9")
    for name, value in answer.fields:
        key = name.lower()
        _frame(passed, key, value)
        if key in hidden:
            by = hides.get(key)
            passed.note(name, Fate.DROPPED, value, "", str(by) if by else _why_hidden(key), by.line if by else 0)
        elif key in _REPLACED:
            passed.note(name, Fate.DROPPED, value, "", _REPLACED[key])
        elif key == "content-type":
            passed.content_type = value
            passed.note(name, Fate.FORWARDED, value, value, RULE)
        elif key in ("location", "refresh"):
            _redirect(passed, (name, value), trip, level, variables)
        else:
            passed.lines.append((name, value))
            passed.note(name, Fate.FORWARDED, value, value, RULE)
    passed.server, passed.date = "server" not in hidden, "date" not in hidden
    return passed


def _why_hidden(key: str) -> str:
    if key in ("server", "date"):
        return f"{RULE}: it writes its own; proxy_pass_header {key.title()} would pass it"
    return f"{RULE}: it is meant for nginx alone"


def _frame(passed: Passed, key: str, value: str) -> None:
    """Take note of a field that says how the content ends, or what nginx is to do."""
    if key == "content-length":
        passed.length = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    elif key == "transfer-encoding" and "chunked" in value.lower():
        passed.chunked = True
    elif key == "connection" and "close" in value.lower():
        passed.closes = True
    elif key.startswith("x-accel-"):
        passed.accel.setdefault(key, value)


# redirects of the upstream's


def _redirect(passed: Passed, pair: Pair, trip: Trip, level: Level, variables: Variables) -> None:
    name, came = pair
    begin = came.lower().find("url=") + 4 if name.lower() == "refresh" else 0
    went, by = (None, None) if begin == 3 else _rewritten(came[begin:], trip, level, variables)
    if went is None:
        passed.lines.append(pair)
        passed.note(name, Fate.FORWARDED, came, came, RULE)
        return
    went = came[:begin] + went
    if name.lower() == "location" and went.startswith("/") and level.on("absolute_redirect", default=True):
        passed.location = went
    else:
        passed.lines.append((name, went))
    what = str(by) if by else "nginx's default: proxy_redirect default"
    passed.note(name, Fate.REWRITTEN, came, went, what, by.line if by else 0)


def _rewritten(came: str, trip: Trip, level: Level, variables: Variables) -> tuple[str | None, Directive | None]:
    lines = level.all("proxy_redirect")
    if any(each.args == ("off",) for each in lines):
        return None, None
    for each in lines:
        old, new = each.args if len(each.args) == 2 else _default(level)
        if old.startswith("~"):  # Unmodelled, see known.py
            continue
        old = variables.text(old, trip)
        if old and came.startswith(old):
            return variables.text(new, trip) + came[len(old) :], each
    if not lines:
        old, new = _default(level)
        if old and came.startswith(old):
            return new + came[len(old) :], None
    return None, None


def _default(level: Level) -> tuple[str, str]:
    """Return what `proxy_redirect default` takes out of a Location, and puts in."""
    passing, around = level.proxied, level.around.directive
    found = default_redirect(passing.args[0], around.args[-1]) if passing and around.args else None
    return found or ("", "")


_ADDED_TO = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})


def added(status: int, trip: Trip, level: Level, variables: Variables) -> tuple[list[Pair], list[Change]]:
    """Return the lines that add_header adds: without `always`, to some answers only, and never to a 101."""
    lines, changes = [], []
    for each in level.all("add_header"):
        always = len(each.args) > 2 and each.args[2] == "always"
        value = variables.text(each.args[1], trip)
        if value and (always or status in _ADDED_TO):
            lines.append((each.args[0], value))
            changes.append(Change(each.args[0], Fate.ADDED, "", value, str(each), each.line))
    return lines, changes

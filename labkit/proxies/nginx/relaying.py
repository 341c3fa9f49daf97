"""What nginx makes of an upstream's answer, and of an upstream that gives none (ngx_http_upstream.c)."""

from __future__ import annotations

from dataclasses import replace

from labkit.parties.clocks import lab_date
from labkit.proxies.model import Forward, Framing, Own, Relay, Trouble, Turn
from labkit.proxies.nginx.answer_heads import NO_HEAD, Answer
from labkit.proxies.nginx.answering import Answering, Why, keep_alive
from labkit.proxies.nginx.fields import RULE, Passed, added, pass_answer
from labkit.proxies.nginx.layout import Layout
from labkit.proxies.nginx.levels import Level
from labkit.proxies.nginx.pages import Out, status_line
from labkit.proxies.nginx.routing import Passing, Routing
from labkit.proxies.nginx.trip import Trip
from labkit.wire.fields import Fields, Pair
from labkit.wire.http1 import ResponseHead

__all__ = ["Relaying"]

_HELD = 4096  # bytes of content that wait with the head until a buffer is full, or the answer is whole
_NEXT = {status: f"http_{status}" for status in (403, 404, 429, 500, 502, 503, 504)}
_UNSAFE = frozenset({"POST", "LOCK", "PATCH"})

_SAID = {  # the words of the error log
    Trouble.REFUSED: "connect() failed (111: Connection refused) while connecting to upstream",
    Trouble.UNREACHABLE: "upstream timed out (110: Connection timed out) while connecting to upstream",
    Trouble.CLOSED: "upstream prematurely closed connection while reading response header from upstream",
    Trouble.GARBAGE: "upstream sent invalid header while reading response header from upstream",
    Trouble.SILENT: "upstream timed out (110: Connection timed out) while reading response header from upstream",
}
_WHY = {
    Trouble.REFUSED: "error", Trouble.CLOSED: "error", Trouble.GARBAGE: "invalid_header",
    Trouble.UNREACHABLE: "timeout", Trouble.SILENT: "timeout",
}  # fmt: skip


class Relaying:
    """Relays the answers to the requests of one configuration."""

    def __init__(self, layout: Layout, answering: Answering, routing: Routing) -> None:
        self.layout = layout
        self.answering = answering
        self.routing = routing

    def relay(self, forward: Passing, answer: ResponseHead) -> Relay | Own | Forward:
        """Decide what is made of an answer."""
        trip, level = _of(forward)
        head = answer if isinstance(answer, Answer) else Answer(answer.status, answer.reason, answer.fields)
        if head is NO_HEAD:
            trip.keeps = trip.keeps and not trip.headless
            return self.headless(trip, level)
        if (again := self.next_one(forward, _NEXT.get(head.status, ""))) is not None:
            return again
        if self.intercepts(level, head.status):
            why = Why.of(level.one("proxy_intercept_errors"))
            return self.answering.special(trip, head.status, forward.content, why)
        passed = pass_answer(head, trip, level, self.layout.variables)
        inside = passed.accel.get("x-accel-redirect")
        if inside and "X-Accel-Redirect" not in self.ignored(level):
            return self.redirect(trip, inside, forward)
        return self.made(forward, head, passed)

    def redirect(self, trip: Trip, to: str, forward: Passing) -> Own | Forward:
        """Go where an X-Accel-Redirect leads."""
        if to.startswith("@"):
            return self.routing.named(trip, to, forward.content)
        uri, _, args = to.partition("?")
        if not uri.startswith("/") or trip.changes <= 1:
            why = Why(f"{RULE}: X-Accel-Redirect")
            return self.answering.special(trip, 404 if trip.changes > 1 else 500, forward.content, why)
        trip.get()
        trip.redirected(uri, args)
        return self.routing.through(trip, forward.content)

    @staticmethod
    def ignored(level: Level) -> tuple[str, ...]:
        """Return the fields that proxy_ignore_headers names."""
        return tuple(arg for each in level.all("proxy_ignore_headers") for arg in each.args)

    def intercepts(self, level: Level, status: int) -> bool:
        """Tell whether an error of the upstream's is answered by an error_page."""
        if status < 300 or not level.on("proxy_intercept_errors", default=False):
            return False
        return any(str(status) in each.args[:-1] for each in level.all("error_page"))

    def headless(self, trip: Trip, level: Level) -> Relay:
        """Pass on bytes that begin with no status line: the client gets them as they are, once all have come."""
        log = "upstream sent no valid HTTP/1.0 header while reading response header from upstream"
        return Relay(Turn.FINAL, b"", Framing.LENGTH, trip.keeps, log=log, held=self.holds(level, {}))

    def holds(self, level: Level, accel: dict[str, str]) -> int:
        """Return how much content waits with the head (proxy_buffering, X-Accel-Buffering)."""
        told = accel.get("x-accel-buffering", "").lower()
        if told in ("yes", "no") and "X-Accel-Buffering" not in self.ignored(level):
            return _HELD if told == "yes" else 0
        return _HELD if level.on("proxy_buffering", default=True) else 0

    def made(self, forward: Passing, head: Answer, passed: Passed) -> Relay:
        """Write the head for the client."""
        trip, level = _of(forward)
        status = trip.status or head.status
        length = None if passed.chunked else passed.length
        bare = head.status in (204, 304) or trip.method == "HEAD" or trip.head.method == "HEAD"
        chunked = length is None and not bare and status >= 200
        if chunked and not (trip.chunks and level.on("chunked_transfer_encoding", default=True)):
            chunked = trip.keeps = False
        switch = status == 101
        extra, changes = added(status, trip, level, self.layout.variables)
        out = Out(
            status_line(status) if trip.status else head.said or f"{head.status:03} {head.reason}",
            None if passed.server else self.answering.signature(level),
            None if passed.date else lab_date(),
            passed.content_type, length, self.answering.absolute(passed.location, trip) if passed.location else "",
            chunked=chunked, connection="upgrade" if switch else "keep-alive" if trip.keeps else "close",
            keep_alive=keep_alive(level), lines=[*passed.lines, *extra],
        )  # fmt: skip
        data = b"" if trip.headless else out.to_bytes()
        every = (*passed.changes, *changes)
        if switch and head.status == 101 and "Upgrade" in trip.head.fields:
            return Relay(Turn.SWITCH, data, Framing.NONE, keeps=False, changes=every)
        framing = Framing.CHUNKED if chunked else Framing.NONE if bare else Framing.LENGTH
        if framing is Framing.LENGTH and length is None and head.status >= 200:
            trip.keeps = False
        pooled = self.layout.pool(forward.address).keeps and not passed.closes and head.status >= 200
        return Relay(
            Turn.FINAL, data, framing, trip.keeps and not trip.headless,
            pooled and (bare or passed.chunked or length is not None), every, _unasked(head),
            self.holds(level, passed.accel), _reads(head, passed),
        )  # fmt: skip

    def failed(self, forward: Passing, trouble: Trouble) -> Own | Forward:
        """Answer for an upstream that gives no answer, or try the next one of its block."""
        trip, _ = _of(forward)
        again = self.next_one(forward, _WHY[trouble], sent=trouble not in (Trouble.REFUSED, Trouble.UNREACHABLE))
        if again is not None:
            return again
        status = 504 if _WHY[trouble] == "timeout" else 502
        return self.answering.special(trip, status, forward.content, Why(forward.by, forward.line, _SAID[trouble]))

    def next_one(self, forward: Passing, why: str, *, sent: bool = True) -> Forward | None:
        """Return the request on its way to the next server of its block, where proxy_next_upstream has one tried."""
        trip, level = _of(forward)
        tries = level.word("proxy_next_upstream_tries", "0")
        servers = self.layout.pool(forward.address).servers
        most = min(servers, int(tries)) if tries != "0" else servers
        line = level.one("proxy_next_upstream")
        causes = line.args if line else ("error", "timeout")
        unsafe = sent and trip.method in _UNSAFE and "non_idempotent" not in causes
        if not why or why not in causes or unsafe or forward.tried >= most:
            return None
        return replace(forward, tried=forward.tried + 1)


def _reads(head: Answer, passed: Passed) -> ResponseHead:
    """Return the head by which nginx finds the end of the content: an interim status is one like any other."""
    if passed.chunked:
        lines: tuple[Pair, ...] = (("Transfer-Encoding", "chunked"),)
    else:
        lines = () if passed.length is None else (("Content-Length", str(passed.length)),)
    return ResponseHead(head.status if head.status in (204, 304) else 200, "", Fields(lines))


def _unasked(head: Answer) -> str:
    return "" if head.status >= 200 else f"a {head.status} is taken for a final answer: nginx waits for its content"


def _of(forward: Passing) -> tuple[Trip, Level]:
    assert forward.trip is not None
    return forward.trip, forward.trip.where

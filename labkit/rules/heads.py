"""Rules of the grammar of heads, of Host and of the request-target (RFC 9110, RFC 9112).

What breaks the grammar is found by `labkit.wire.lines`; here each fault is given its rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.dissection import OpaquePart
from labkit.rules.evidence import Asked, HeadSeen, each_exchange
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.trace import Direction
from labkit.wire.http1 import Fault, ResponseHead
from labkit.wire.uri import HOST, ORIGIN

__all__ = ["HEADS"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)")
_USUAL_PORT = re.compile(r":(80|443)?$")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.+", re.DOTALL)  # RFC 3986, 4.3
# Fields of one value each, whose definitions make no list of them; Content-Length has a rule of its own.
_SINGLE = (
    "Host", "Origin", "Authorization", "Proxy-Authorization", "Content-Type", "Date", "Location", "Referer",
    "Retry-After", "Server", "User-Agent",
)  # fmt: skip


def _grammar(*faults: Fault) -> Check:
    """Return the check that no head has any of these faults."""

    @each_exchange
    def check(asked: Asked) -> Iterator[Sighting]:
        for head in asked.parts:
            for fault in faults:
                found = [sighting for own, sighting in head.faults if own is fault]
                if found:
                    times = f", {len(found)} times" if len(found) > 1 else ""
                    yield found[0]._replace(seen=f"{found[0].seen}{times}")

    return check


def _has(head: HeadSeen | None, *faults: Fault) -> bool:
    return head is not None and any(fault in faults for fault, _ in head.faults)


def _host_problem(asked: Asked) -> str:
    """Return what is wrong with the Host of a request, or ""."""
    hosts = asked.head.fields.all("Host")
    if len(hosts) > 1:
        return f"{len(hosts)} Host field lines"
    if not hosts:
        return "" if asked.head.version == "HTTP/1.0" else "no Host field line"
    return "" if HOST.fullmatch(hosts[0]) else "a Host field that is no host and port"


@each_exchange
def _bad_host_taken(asked: Asked) -> Iterator[Sighting]:
    problem = _host_problem(asked) if asked.request else ""
    if problem and asked.answer and asked.taken:
        yield asked.answer.first_line(f"a {asked.status} to a request with {problem}")


@each_exchange
def _space_before_colon_taken(asked: Asked) -> Iterator[Sighting]:
    if _has(asked.request, Fault.SPACE_BEFORE_COLON) and asked.answer and asked.taken:
        yield asked.answer.first_line(f"a {asked.status} to a request with white space before a colon")


@each_exchange
def _no_host(asked: Asked) -> Iterator[Sighting]:
    if asked.websocket:  # W06 says it
        return
    if asked.request and asked.head.version != "HTTP/1.0" and "Host" not in asked.head.fields:
        yield asked.request.first_line("no Host field line")


@each_exchange
def _repeated(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        for name in _SINGLE:
            many = len(head.fields.all(name))
            if many > 1 and not (name == "Host" and asked.websocket):  # W06 says it
                yield head.line(name, f"{many} {name} field lines", place=1)


@each_exchange
def _bad_host(asked: Asked) -> Iterator[Sighting]:
    if not asked.request:
        return
    for place, host in enumerate(asked.head.fields.all("Host")):
        if not HOST.fullmatch(host):
            yield asked.request.line("Host", "a Host field that is no host and port", place=place)


def _plain(host: str) -> str:
    """Return a host in lower case, without a port that goes without saying."""
    return _USUAL_PORT.sub("", host.lower())


@each_exchange
def _other_host(asked: Asked) -> Iterator[Sighting]:
    url, hosts = _URL.match(asked.head.target), asked.head.fields.all("Host")
    if url and asked.request and len(hosts) == 1 and _plain(hosts[0]) != _plain(url[1].rpartition("@")[2]):
        yield asked.request.line("Host", "a Host field other than the host and port of the URL in the request line")


@each_exchange
def _empty_line_first(asked: Asked) -> Iterator[Sighting]:
    if asked.exchange.request:
        head = HeadSeen(asked.view.hop, Direction.TO_SERVER, asked.exchange.request)
        yield from (sighting for fault, sighting in head.faults if fault is Fault.EMPTY_LINE)


@each_exchange
def _bad_target(asked: Asked) -> Iterator[Sighting]:
    for head in asked.parts:
        yield from (sighting for fault, sighting in head.faults if fault is Fault.BAD_TARGET)
    problem, target = _target_problem(asked), asked.head.target
    told = asked.websocket and asked.head.method == "GET" and ("#" in target or not target.startswith("/"))
    if asked.request and problem and not told:  # W01 and W05 say it
        yield asked.request.first_line(problem)


def _target_problem(asked: Asked) -> str:
    """Return what is wrong with the form of a request-target, or ""; G79 speaks of a CONNECT."""
    method, target = asked.head.method, asked.head.target
    if not asked.request or method == "CONNECT" or _has(asked.request, Fault.BAD_TARGET):
        return ""
    if target == "*":
        return "" if method == "OPTIONS" else f"the target * on a {method}; it is for OPTIONS alone"
    if not target.startswith("/") and not _ABSOLUTE.fullmatch(target):
        return "a request-target that is neither a path nor a URL"
    if "#" in target:
        return "a # in the request-target, which has no fragment"
    good = not target.startswith("/") or ORIGIN.fullmatch(target)
    return "" if good else "a request-target with a character that must be percent-encoded"


@each_exchange
def _bad_status(asked: Asked) -> Iterator[Sighting]:
    for head in asked.parts:
        yield from (sighting for fault, sighting in head.faults if fault is Fault.BAD_STATUS)
        value = head.part.value
        if isinstance(value, ResponseHead) and not 100 <= value.status < 600:
            yield head.first_line("a status code outside 100 to 599")


@each_exchange
def _no_start_line(asked: Asked) -> Iterator[Sighting]:
    for head in asked.parts:
        yield from (sighting for fault, sighting in head.faults if fault is Fault.BAD_START)
    part = asked.behind if asked.exchange.offer else None
    if isinstance(part, OpaquePart) and part.label == "early bytes" and not _told_elsewhere(asked):
        seen = "bytes that are no HTTP, and no other protocol was switched to"
        yield Sighting(asked.view.hop, Direction.TO_SERVER, part.start, part.end, seen)


def _told_elsewhere(asked: Asked) -> bool:
    """Tell whether O01, O03, O04 or W13 speaks of the bytes behind a request."""
    named = any(asked.offers(name) for name in ("websocket", "connect-udp", "connect-ip"))
    return named and (bool(asked.early) or asked.websocket)


_BAD_LINE = (Fault.BAD_START, Fault.BAD_METHOD, Fault.BAD_TARGET, Fault.BAD_VERSION)


@each_exchange
def _bad_request_line_taken(asked: Asked) -> Iterator[Sighting]:
    part = asked.exchange.request
    if not part or not asked.answer or not asked.status or asked.status >= 300:
        return
    # white space before the method may be ignored (RFC 9112, 3)
    spaced = asked.view.data[Direction.TO_SERVER].startswith((b" ", b"\t"), part.start)
    head = HeadSeen(asked.view.hop, Direction.TO_SERVER, part)
    if _target_problem(asked) or (_has(head, *_BAD_LINE) and not spaced):
        yield asked.answer.first_line(f"a {asked.status} to a request line that breaks the grammar")


HEADS: tuple[Rule, ...] = (
    Rule(
        "G29", Who.SERVER, "RFC 9112, 3.2", Level.MUST,
        "A server answers 400 where the Host field is missing in HTTP/1.1, is there twice, or is no host and port.",
        mend="answer 400", switch=True, check=_bad_host_taken,
    ),
    Rule(
        "G30", Who.SERVER, "RFC 9112, 5.1", Level.MUST,
        "A server answers 400 to a request with white space between a field name and its colon.",
        mend="answer 400", switch=True, check=_space_before_colon_taken,
    ),
    Rule(
        "G31", Who.SENDER, "RFC 9112, 2.1 and 2.2", Level.MUST_NOT,
        "A sender writes neither CR nor LF alone into a head; a recipient may take LF alone for a line end.",
        mend="end each line with CR LF", switch=True, check=_grammar(Fault.BARE_LF, Fault.BARE_CR),
    ),
    Rule(
        "G32", Who.SERVER, "RFC 9112, 5.2", Level.MUST,
        "A server refuses a folded line with 400, or reads the fold as a space.",
        reason="How a server read a folded line does not show: an offer in it may be taken or ignored.",
    ),
    Rule(
        "G44", Who.CLIENT, "RFC 9112, 3.2", Level.MUST,
        "Each request in HTTP/1.1 carries a Host field.",
        mend="send a Host field line", switch=True, check=_no_host,
    ),
    Rule(
        "G45", Who.SENDER, "RFC 9110, 5.3", Level.MUST_NOT,
        "A field that is no list has one field line.",
        mend="send one field line of the name", check=_repeated,
    ),
    Rule(
        "G46", Who.CLIENT, "RFC 9110, 7.2", Level.MUST,
        "The Host field is a host, or a host, a colon and a port; it is empty where the URL has no host.",
        mend="send the host and the port of the URL", switch=True, check=_bad_host,
    ),
    Rule(
        "G81", Who.CLIENT, "RFC 9112, 3.2", Level.MUST,
        "The Host field says the same host and port as the URL that is asked for.",
        mend="send the host and port of the URL as Host", check=_other_host,
    ),
    Rule(
        "G47", Who.SENDER, "RFC 9112, 5.2", Level.MUST_NOT,
        "A sender does not fold a field value into a second line.",
        mend="write the value in one line", switch=True, check=_grammar(Fault.FOLDED),
    ),
    Rule(
        "G48", Who.SENDER, "RFC 9112, 5.1", Level.MUST_NOT,
        "No white space stands between a field name and its colon.",
        mend="put the colon right behind the name", switch=True, check=_grammar(Fault.SPACE_BEFORE_COLON),
    ),
    Rule(
        "G49", Who.SENDER, "RFC 9112, 2.2", Level.MUST_NOT,
        "No white space stands between the start-line and the first field line.",
        mend="begin the first field line with its name", switch=True, check=_grammar(Fault.SPACE_FIRST),
    ),
    Rule(
        "G50", Who.CLIENT, "RFC 9112, 2.2", Level.MUST_NOT,
        "No empty line stands before a request or behind it; a server ought to skip one before it.",
        mend="take the empty line away", check=_empty_line_first,
    ),
    Rule(
        "G51", Who.CLIENT, "RFC 9112, 3.1; RFC 9110, 9.1", Level.MUST,
        "The method is a token.",
        mend="send a method such as GET", switch=True, check=_grammar(Fault.BAD_METHOD),
    ),
    Rule(
        "G52", Who.CLIENT, "RFC 9112, 3.2", Level.MUST,
        "The request-target is a path, a URL or, for OPTIONS, a star, without white space in it.",
        mend="send a path that begins with a slash, other characters percent-encoded",
        switch=True, check=_bad_target,
    ),
    Rule(
        "G53", Who.SENDER, "RFC 9112, 3 and 4", Level.MUST,
        "The parts of a start-line have one space between them, and none around them.",
        mend="separate the parts by one space", switch=True, check=_grammar(Fault.MORE_SPACE),
    ),
    Rule(
        "G54", Who.SENDER, "RFC 9112, 2.3", Level.MUST,
        "The version is HTTP/, in capitals, and two digits with a dot between them.",
        mend="send HTTP/1.1", switch=True, check=_grammar(Fault.BAD_VERSION),
    ),
    Rule(
        "G55", Who.SERVER, "RFC 9112, 4; RFC 9110, 15", Level.MUST,
        "The status code is three digits, from 100 to 599.",
        mend="send a status code of RFC 9110, 15", switch=True, check=_bad_status,
    ),
    Rule(
        "G56", Who.SERVER, "RFC 9112, 4", Level.MUST_NOT,
        "The reason phrase holds no control characters.",
        mend="send a phrase of printable characters, or none", switch=True, check=_grammar(Fault.BAD_REASON),
    ),
    Rule(
        "G57", Who.SENDER, "RFC 9112, 2.1", Level.MUST,
        "A message begins with a request line or a status line.",
        mend="send a request line, or nothing", switch=True, check=_no_start_line,
    ),
    Rule(
        "G58", Who.SENDER, "RFC 9112, 5", Level.MUST,
        "Each line after the start-line is a name, a colon and a value.",
        mend="write the line as `name: value`", switch=True, check=_grammar(Fault.NO_COLON),
    ),
    Rule(
        "G59", Who.SENDER, "RFC 9110, 5.1", Level.MUST,
        "A field name is a token.",
        mend="write the name with letters, digits and hyphens", switch=True, check=_grammar(Fault.BAD_NAME),
    ),
    Rule(
        "G60", Who.SENDER, "RFC 9110, 5.5", Level.MUST_NOT,
        "A field value holds no control characters but the tab.",
        mend="take the control character away", switch=True, check=_grammar(Fault.BAD_VALUE),
    ),
    Rule(
        "G61", Who.SERVER, "RFC 9112, 3.2", Level.SHOULD,
        "A server answers a request line that breaks the grammar with 400, or redirects to the right one.",
        mend="answer 400", check=_bad_request_line_taken,
    ),
    Rule(
        "G62", Who.RECIPIENT, "RFC 9110, 5.5", Level.MUST,
        "A recipient of CR, LF or NUL in a field value refuses the message, or reads a space instead.",
        reason="What a recipient reads instead goes on inside it; where it forwards the bytes, I16 speaks.",
    ),
)  # fmt: skip

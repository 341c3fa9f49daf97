"""What a server does wrong on purpose: one table, with the rules that each fault breaks.

A fault is written `name` or `name=argument`. Those of the 101 change the head of the switch; the others
change any answer to a request that offers an upgrade. Where several are asked for, they are made in the
order of the table. After a faulty 101 the server goes on as if it were right, unless the fault closes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.parties.answer import phrase
from labkit.wire.fields import Fields, text_bytes
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import accept_key, offered
from labkit.wire.websocket import TEXT, frame

__all__ = ["FAULTS", "Said", "ServerFault", "check_fault", "check_faults", "spoil"]

_ANY = "any answer"
_SWITCH = "the 101"
_GREETING = b"220 mail.example.com ESMTP\r\n"
_OTHERS = ("HTTP/2.0", "quote/1.0")  # protocols to name that were not offered
_ACCEPT = "Sec-WebSocket-Accept"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer on its way out.

    Args:
        request: what it answers.
        head: the bytes of its head.
        content: the bytes behind the head.
        websocket: whether it is a 101 to websocket.
        before: interim answers in front of it.
        closes: whether the server closes once it is sent.
        late: seconds to wait before it is sent.
    """

    request: RequestHead
    head: bytes
    content: bytes = b""
    websocket: bool = False
    before: bytes = b""
    closes: bool = False
    late: float = 0.0

    def to_bytes(self) -> bytes:
        """Return all of it, as it goes onto the wire."""
        return self.before + self.head + self.content


class ServerFault(NamedTuple):
    """One fault: what it does, to what, the ids of the rules it breaks, and how.

    `rules` are those of websocket and of other protocols together; there are none where nothing is broken
    and only the client is put to the test. `example` and `must`
    say what an argument looks like and must be; both are empty where there is none.
    """

    does: str
    touches: str
    rules: tuple[str, ...]
    spoil: Callable[[Said, str], Said]
    example: str = ""
    must: str = ""
    shape: re.Pattern[str] = re.compile("")


def spoil(
    faults: Iterable[str], request: RequestHead, answer: ResponseHead, content: bytes, *, websocket: bool
) -> Said:
    """Return an answer as a server with these faults gives it; untouched where they do not bear on it."""
    said = Said(request, answer.to_bytes(), content, websocket=websocket)
    switch = answer.status == 101
    if not switch and not offered(request.fields):
        return said
    for name, argument in sorted(map(_split, faults), key=lambda pair: (_ORDER[pair[0]], pair[1])):
        fault = FAULTS[name]
        if switch or fault.touches == _ANY:
            said = fault.spoil(said, argument)
    return said


def check_fault(text: object) -> None:
    """Check a fault as it was written.

    Raises:
        WrongUse: there is none of that name, or its argument is not right.
    """
    if not isinstance(text, str):
        raise WrongUse(f"a fault is a text, such as 'no-upgrade' or 'cut=20', not {text!r}")
    name, argument = _split(text)
    if name not in FAULTS:
        raise WrongUse(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    fault = FAULTS[name]
    if not fault.example and "=" in text:
        raise WrongUse(f"the fault {name} takes no argument: write {name!r}")
    if fault.example and not fault.shape.fullmatch(argument):
        raise WrongUse(f"the argument of the fault {name} is {fault.must}: write '{name}={fault.example}'")


def check_faults(texts: Iterable[object]) -> tuple[str, ...]:
    """Check faults that are asked for together, each made once; `interim` once with each of its arguments.

    Raises:
        WrongUse: one is wrong, or is there already.
    """
    found: dict[str, str] = {}
    for text in texts:
        check_fault(text)
        written = str(text)
        name, _ = _split(written)
        key = written if name in _REPEATED else name
        if key in found:
            raise WrongUse(f"the fault {name} is asked for twice: leave out {written!r}")
        found[key] = written
    return tuple(found.values())


def _split(text: str) -> tuple[str, str]:
    name, _, argument = text.partition("=")
    return name, argument


# of the 101


def _fields(change: Callable[[Fields, RequestHead], Fields]) -> Callable[[Said, str], Said]:
    """Return a fault that changes the field lines of a head, which is still a right one."""

    def changed(said: Said, _: str) -> Said:
        head = ResponseHead.parse(said.head)
        return replace(said, head=replace(head, fields=change(head.fields, said.request)).to_bytes())

    return changed


def _without(name: str) -> Callable[[Said, str], Said]:
    return _fields(lambda fields, _: fields.without(name))


def _with(name: str, value: str) -> Callable[[Said, str], Said]:
    return _fields(lambda fields, _: fields.with_line(name, value))


def _accept(proof: Callable[[str], str]) -> Callable[[Said, str], Said]:
    """Return a fault that answers the key in another way; there is nothing to do where no key is answered."""

    def changed(fields: Fields, request: RequestHead) -> Fields:
        key = request.fields.get("Sec-WebSocket-Key") or ""
        return fields.replaced(_ACCEPT, proof(key)) if _ACCEPT in fields else fields

    return _fields(changed)


def _of_the_key_alone(key: str) -> str:
    digest = hashlib.sha1(text_bytes(key), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def _not_offered(fields: Fields, request: RequestHead) -> Fields:
    named = {protocol.name.lower() for protocol in (*offered(request.fields), *offered(fields))}
    other = next((name for name in _OTHERS if name.partition("/")[0].lower() not in named), "not-offered")
    return fields.replaced("Upgrade", other)


def _early(said: Said, _: str) -> Said:
    return replace(said, content=frame(TEXT, b"early") if said.websocket else b"early")


# of any answer to an offer


def _reason(said: Said, text: str) -> Said:
    return replace(said, head=replace(ResponseHead.parse(said.head), reason=text).to_bytes())


def _no_space(said: Said, _: str) -> Said:
    line, end, rest = said.head.partition(b"\r\n")
    return replace(said, head=b" ".join(line.split(b" ")[:2]) + end + rest)


def _interim(said: Said, status: str) -> Said:
    if said.request.version == "HTTP/1.0":  # it knows no interim answers (RFC 9110, 15.2)
        return said
    fields = Fields((("Link", "</style.css>; rel=preload; as=style"),) if status == "103" else ())
    return replace(said, before=said.before + ResponseHead(int(status), phrase(int(status)), fields).to_bytes())


def _bare_lf(said: Said, _: str) -> Said:
    return replace(said, before=said.before.replace(b"\r\n", b"\n"), head=said.head.replace(b"\r\n", b"\n"))


def _only(said: Said, data: bytes) -> Said:
    return replace(said, before=b"", head=data, content=b"", closes=True)


def _cut(said: Said, size: str) -> Said:
    return _only(said, (said.before + said.head)[: int(size)])


_NUMBER = re.compile("[1-9][0-9]{0,5}")
_SECONDS = re.compile(r"0*[1-9][0-9]{0,2}(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*")
_PHRASE = re.compile(r"[\t -~\x80-\xff]+")  # RFC 9112, 4

FAULTS: dict[str, ServerFault] = {
    "unasked": ServerFault(
        "switches a plain GET too, which offers nothing", "a plain GET", ("G06",), lambda said, _: said
    ),
    "no-upgrade": ServerFault(
        "the 101 does not say to which protocol it switches", _SWITCH, ("G04", "W24"), _without("Upgrade")
    ),
    "no-connection": ServerFault(
        "the 101 has an Upgrade that no Connection names", _SWITCH, ("G02", "W24"), _without("Connection")
    ),
    "wrong-protocol": ServerFault(
        "the 101 names a protocol that was not offered", _SWITCH, ("G06",), _fields(_not_offered)
    ),
    "accept-wrong": ServerFault(
        "the Accept is made of the key alone, without the GUID", _SWITCH, ("W31",), _accept(_of_the_key_alone)
    ),
    "accept-absent": ServerFault("the 101 does not answer the key", _SWITCH, ("W24",), _without(_ACCEPT)),
    "accept-empty-key": ServerFault(
        "the Accept is that of an empty key, whatever the key was",
        _SWITCH, ("W31",), _accept(lambda _: accept_key("")),
    ),
    "subprotocol": ServerFault(
        "the 101 names a subprotocol that was not offered",
        _SWITCH, ("W22",), _with("Sec-WebSocket-Protocol", "not-offered"),
    ),
    "extension": ServerFault(
        "the 101 names an extension that was not offered",
        _SWITCH, ("W23",), _with("Sec-WebSocket-Extensions", "x-not-offered"),
    ),
    "content-length": ServerFault(
        "the 101 announces content of 5 bytes; it has none", _SWITCH, ("G21",), _with("Content-Length", "5")
    ),
    "transfer-encoding": ServerFault(
        "the 101 announces content in chunks; it has none", _SWITCH, ("G22",), _with("Transfer-Encoding", "chunked")
    ),
    "early-frame": ServerFault(
        "the first message, 'early', comes in the segment of the 101; that is allowed, and a client must not lose it",
        _SWITCH, (), _early,
    ),
    "reason": ServerFault(
        "another reason phrase; that is allowed, and a client should not look at it (G25)",
        _ANY, (), _reason, "UPGRADED", "a text without control characters", _PHRASE,
    ),
    "no-reason": ServerFault(
        "no reason phrase; that is allowed, as long as the space before it stays",
        _ANY, (), lambda said, _: _reason(said, ""),
    ),
    "no-space": ServerFault("neither a reason phrase nor the space before it", _ANY, ("G26",), _no_space),
    "interim": ServerFault(
        "an interim answer comes first; that is allowed, and a client must read on (G19)",
        _ANY, (), _interim, "103", "100, 102 or 103", re.compile("10[023]"),
    ),
    "bare-lf": ServerFault("the lines of the head end in LF alone", _ANY, ("G31",), _bare_lf),
    "cut": ServerFault(
        "closes after so many bytes of the head; that can always happen, and it is then no answer",
        _ANY, (), _cut, "20", "a whole number of bytes from 1 on", _NUMBER,
    ),
    "garbage": ServerFault(
        "answers with no HTTP at all, the greeting of a mail server, and closes (G43, a note)",
        _ANY, (), lambda said, _: _only(said, _GREETING),
    ),
    "close": ServerFault(
        "closes without an answer; that can always happen", _ANY, (), lambda said, _: _only(said, b"")
    ),
    "late": ServerFault(
        "answers so many seconds later, if the client still waits; that is allowed, and a client must bound its wait",
        _ANY, (), lambda said, seconds: replace(said, late=float(seconds)),
        "0.5", "a number of seconds above 0 and below 1000", _SECONDS,
    ),
    "content-unread": ServerFault(
        "switches before it has read the content of the request, which it always should: the content is then taken "
        "for the new protocol",
        "a request with content", (), lambda said, _: said,
    ),
}  # fmt: skip
"""Every fault, in the order in which they are made."""

_REPEATED = ("interim",)
"""Faults that can be made more than once, with other arguments."""

_ORDER = {name: place for place, name in enumerate(FAULTS)}

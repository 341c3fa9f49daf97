"""How answers are graded: by the exchange itself wherever there is one, so that no answer is stored anywhere.

Where this machine has what it takes the exchange is run, over sockets and with real programs; else it is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from labkit.bench.overhead import overhead
from labkit.dissection import Dissection, dissect
from labkit.errors import Absent, LabError
from labkit.lessons.answers import Point, review_mermaid
from labkit.lessons.defending import defended
from labkit.lessons.patients import patient
from labkit.lessons.rooms import choosing, telling
from labkit.lessons.talks import killed, listening, sending
from labkit.net.curl import curl
from labkit.net.curl_codes import Seen, meaning
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits, Server
from labkit.parties.http2 import http2_client, http2_server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.proxies.apache import Apache
from labkit.proxies.nginx import Nginx
from labkit.reads import Kind, Seam
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from labkit.wire.upgrade import why_wrong
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, frame, scan

__all__ = ["GRADERS", "Grader", "points"]

_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="  # of the exercise 03.accept
_PAGE, _STRANGER = "https://server.example.com", "https://other.example"  # whose page it is
_LENIENT, _STRICT = Server(paths=("/chat",)), Server(paths=("/chat",), origins=(_PAGE,))
_PATIENT = 16
_SILENCE = 0.3  # seconds until a server closes
_MESSAGES, _SIZE = 1000, 200  # of the exercise 10.bytes
_CURL_SECONDS = 0.5  # until a curl that watches gives up


class Grader(NamedTuple):
    """What an answer has to be, and what looks at it.

    Args:
        kinds: the types that it can have.
        called: these types in words.
        points: yields the points; an error of the lab's own that it raises becomes a point, too.
    """

    kinds: tuple[type, ...]
    called: str
    points: Callable[[Any], Iterator[Point]]


def _exchange(scenario: Scenario) -> Dissection:
    try:
        return dissect(run(scenario))
    except Absent:  # the proxy's program; or all of it, where Python runs in a browser
        return dissect(simulate(scenario))


def _answered(scenario: Scenario, wanted: int, who: str, why: str) -> Point:
    status = _exchange(scenario).status
    return Point(status == wanted, f"{who} answers {status or 'nothing'}", why)


def _each(answer: Sequence[object], names: Sequence[str], right: Sequence[object], why: str) -> Iterator[Point]:
    """Compare item by item, and tell nobody what would be right."""
    if len(answer) != len(names):
        yield Point(False, f"there are {len(names)} answers", f"these are {len(answer)}")
        return
    for name, given, wanted in zip(names, answer, right, strict=True):
        yield Point(str(given).strip().lower() == str(wanted), f"{name}: {given}", why)


def _ends(answer: Sequence[object]) -> Iterator[Point]:
    right = [_exchange(Scenario(offer)).outcome for offer in (Offer.bare(), Offer.websocket())]
    yield from _each(answer, ("the bare one", "the whole one"), right, "look at its step 3 again")


def _hi(answer: bytes) -> Iterator[Point]:
    seen = _exchange(Scenario(say=["Hi"]))
    seam = seen.hops[0].seam[Direction.TO_CLIENT]
    sent = seen.trace.stream(Direction.TO_CLIENT)[seam:][:4]
    yield Point(answer[:1] == sent[:1], "the first byte says what it is", "the last frame of a text, and no other kind")
    yield Point(answer[1:2] == sent[1:2], "the second byte says how long", "a length, and no mask: a server sends none")
    yield Point(answer[2:] == sent[2:], "then the text", "each letter is one byte, as in ASCII")


def _diagram(answer: str) -> Iterator[Point]:
    yield from review_mermaid(answer).points


def _watch(answer: Sequence[object]) -> Iterator[Point]:
    if len(answer) != 2:
        yield Point(False, "there are two numbers", "the exit code, then the status")
        return
    code, status = (str(number).strip() for number in answer)
    seen = Seen(int(status) if status.isdecimal() else None)
    said = meaning(int(code), seen) if code.isdecimal() else "no exit code is written so"
    yield Point([code, status] == _watched(), f"exit {code} with status {status} means that the chat works", said)


def _watched() -> list[str]:
    """Watch a chat that works, with the curl of this machine or as every curl does."""
    try:
        with UpgradeServer() as server:
            ran = curl(server.url, Offer.websocket(), options=["-f", "-sS"], patience=_CURL_SECONDS)
    except Absent:
        return ["28", "101"]  # what curl(1) says of a time-out
    return [str(ran.code), str(ran.status)]


def _mended(answer: Offer) -> Iterator[Point]:
    options = [value.lower() for name, value in answer.fields if name.lower() == "connection"]
    kept = "keep-alive" in ",".join(options).replace(" ", "").split(",")
    yield Point(kept, "the connection option keep-alive is still there", "it is one of the two in the field")
    yield _answered(Scenario(answer), 101, "the server", "evaluate(Server(), mended) tells which test fails first")


def _accept(answer: str) -> Iterator[Point]:
    exchange = _exchange(Scenario(Offer.websocket(key=_KEY))).exchange
    head = exchange.answer.value if exchange and exchange.answer else None
    right = head is not None and head.fields.get("Sec-WebSocket-Accept") == answer
    why = why_wrong(_KEY, answer) if answer.isascii() else "a field value has one byte for each character"
    yield Point(right, "it is what a server answers to this key", why)


def _guard(answer: str) -> Iterator[Point]:
    foreign = {"sec-websocket-key": _KEY, "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "origin": _STRANGER}
    value = foreign.get(answer.strip().lower())
    if value is None:
        yield Point(False, f"{answer} is one of the three", f"choose one of {', '.join(foreign)}")
        return
    asked = Scenario(Offer.websocket("/chat").with_field(answer.strip(), value), server=_STRICT)
    what = f"a server refuses a page on another site by its {answer}"
    refused = _exchange(asked).outcome == "refused"
    yield Point(refused, what, "it was asked, and took the offer up: a browser makes this one right for every page")


def _three(answer: Sequence[object]) -> Iterator[Point]:
    offers = [
        Offer.websocket("/elsewhere"),
        Offer.websocket("/chat").with_field("Origin", _STRANGER),
        Offer.websocket("/chat").with_field("Sec-WebSocket-Version", "8"),
    ]
    right = [_exchange(Scenario(offer, server=_STRICT)).status for offer in offers]
    why = "evaluate(strict, offer) tells what is tested, and in which order"
    yield from _each(answer, ("the path", "the other page", "the version"), right, why)


def _crafted(answer: Sequence[Offer]) -> Iterator[Point]:
    if len(answer) != 2 or not all(isinstance(offer, Offer) for offer in answer):
        yield Point(False, "there are two offers", "each is made from an Offer, such as Offer.websocket(…)")
        return
    between, required = answer
    yield _answered(Scenario(between, server=_LENIENT), 101, "the first: lenient", "it asks only for the path /chat")
    yield _answered(Scenario(between, server=_STRICT), 403, "the first: strict", "it asks whose page it is, too")
    for name, server in (("lenient", _LENIENT), ("strict", _STRICT)):
        why = "the answer that says which version would do"
        yield _answered(Scenario(required, server=server), 426, f"the second: {name}", why)


def _upgrades(answer: Callable[[str], object]) -> Iterator[Point]:
    from labkit.phpcurl import answered_by  # noqa: PLC0415  optional: libcurl

    servers = (
        (Server(), True, "a server that takes up the offer", "false from curl_exec is no failure: which status came?"),
        (Server(decline=503), False, "a server that refuses", "its status is not the one of a switch"),
        (Server(faults=("accept-wrong",)), False, "a 101 that proves nothing", "its Accept is not this key's"),
    )
    for server, right, what, why in servers:
        with UpgradeServer(server) as asked, answered_by(asked):
            said = _called(answer, "http://example.com/")
        yield Point(said == right, f"{what}: {said}", why)


def _called(answer: Callable[[str], object], url: str) -> object:
    try:
        said = answer(url)
        return "still open" if said is ... else bool(said)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a learner's own code may raise anything
        return f"{type(error).__name__}: {error}"


def _nginx(answer: str) -> Iterator[Point]:
    site = Nginx(answer)
    why = "compare the two requests: xray(Scenario(Offer.websocket('/chat'), via=[Nginx(mended)]))"
    yield _answered(Scenario(Offer.websocket("/chat"), via=(site,)), 101, "an upgrade at /chat: the server", why)
    yield _answered(Scenario(Offer.plain("/chat"), via=(site,)), 200, "a page at /chat: the server", "it was so before")


def _apache(answer: str) -> Iterator[Point]:
    site = Apache(answer)
    why = "which of the lines does /chat/ meet first?"
    yield _answered(Scenario(Offer.websocket("/chat/"), via=(site,)), 101, "an upgrade at /chat/: the server", why)
    yield _answered(Scenario(Offer.plain("/"), via=(site,)), 200, "a page at /: the server", "the pages are to stay")


def _codes(answer: Sequence[object]) -> Iterator[Point]:
    bad = frame(TEXT, b"\xff", mask=SAMPLE_MASK)
    asked = {
        "silence": Scenario(say=listening, server=Server(limits=Limits(idle_time=_SILENCE))),
        "a bad byte": Scenario(say=sending(bad)),
        "too long a message": Scenario(say=["Hello"], server=Server(limits=Limits(message=4))),
        "a killed server": Scenario(say=["Hello", "again"], server=Server(protocols={"websocket": killed})),
    }
    right = [_told(_exchange(scenario)) for scenario in asked.values()]
    yield from _each(answer, list(asked), right, "look for the server's Close in a recording, and for its code")


def _told(seen: Dissection) -> int:
    """Return the close code that the client's program is told: the one in the server's Close, or 1006."""
    data, seam = seen.trace.stream(Direction.TO_CLIENT), seen.hops[0].seam[Direction.TO_CLIENT]
    code = next((one.payload_of(data)[:2] for one in scan(data, seam) if one.opcode == CLOSE), None)
    return 1006 if code is None else int.from_bytes(code, "big")


def _close(answer: bytes) -> Iterator[Point]:
    seen = _exchange(Scenario(say=[]))
    sent = seen.trace.stream(Direction.TO_SERVER)[seen.hops[0].seam[Direction.TO_SERVER] :]
    yield Point(answer[:1] == sent[:1], "the first byte says what it is", "the opcode of a Close, and FIN")
    yield Point(answer[1:2] == sent[1:2], "the second byte says how long", "two bytes, and a client masks")
    yield Point(answer[2:6] == sent[2:6], "then the masking key", "it stands before what it masks, as it is")
    yield Point(answer[6:] == sent[6:], "then the code, masked", "0x03e8 is 1000; each byte XOR its byte of the key")


def _map(answer: str) -> Iterator[Point]:
    site, server = Nginx(answer), Server(protocols={"websocket": echo, "h2c": http2_server})
    asked = Scenario(Offer.h2c("/"), say=http2_client, via=(site,), server=server)
    yield _answered(asked, 200, "h2c through nginx: the server", "a 101 here is a tunnel past every rule of nginx")
    chat = Scenario(Offer.websocket("/chat"), via=(site,), server=server)
    yield _answered(chat, 101, "the chat: the server", "the name websocket has to go on as it came")
    admin = Scenario(Offer.plain("/admin"), via=(site,), server=server)
    yield _answered(admin, 403, "/admin asked for directly: nginx", "the rule itself is to stay")


def _second(answer: Sequence[object]) -> Iterator[Point]:
    if len(answer) != 2:
        yield Point(False, "there are two answers", "the name of the failure, then the party")
        return
    yield from patient(_PATIENT).diagnose(*answer).points


def _crossed(answer: Sequence[object]) -> Iterator[Point]:
    ways = {"websocket-text": "over WebSocket", "keep-alive": "with requests on one connection"}
    beside = {each.way: each.median for each in overhead([_SIZE], list(ways)).named("on the wire")}
    right = [_MESSAGES * (2 * _SIZE + int(beside[way])) for way in ways]
    why = "a text and its echo are two payloads, and what stands before each; then so many times"
    yield from _each(answer, list(ways.values()), right, why)


def _offered(answer: Offer) -> Iterator[Point]:
    names = [name for name in answer.protocols if name.lower().startswith("quote/")]
    yield Point(
        len(names) == len(answer.protocols) == 2, f"it offers {', '.join(answer.protocols)}", "two versions of quote"
    )
    for known, wanted in (("quote/2.0", "quote/2.0"), ("quote/1.1", "quote/1.1")):
        yield _takes(answer, (known,), wanted)
    yield _takes(answer, ("quote/1.1", "quote/2.0"), "quote/2.0")


def _takes(offer: Offer, known: Sequence[str], wanted: str) -> Point:
    seen = _exchange(Scenario(offer, [b"x"], server=Server(protocols=dict.fromkeys(known, echo))))
    took = seen.hops[0].protocol or f"nothing ({seen.status})"
    why = "the client's order counts, and all names stand in one field"
    return Point(took == wanted, f"a server that knows {' and '.join(known)} takes {took}", why)


def _translated(answer: Offer) -> Iterator[Point]:
    if not answer.http2:
        yield Point(False, "it is an offer in HTTP/2", "begin with `wrong`, and change what it says")
        return
    seen = _exchange(Scenario(answer, server=Server(http2=True)))
    yield Point("upgrade" not in answer.fields, "nothing in it is for one hop alone", "HTTP/2 has no Upgrade")
    why = "what is to be spoken is named by a field with a colon before its name"
    yield Point(
        seen.outcome == "opened", f"the server answers {seen.status or 'nothing, and ends the connection'}", why
    )


_LISTS = (list, tuple)


def _reader(answer: Callable[..., Any]) -> Iterator[Point]:
    seam = Seam.of(_exchange(Scenario(say=[], server=Server(faults=("early-frame",)))).trace)
    ways: dict[str, list[tuple[int, ...]]] = {
        "cut at the seam": [(seam.at,)],
        "all in one read": [()],
        "cut in the head": [(place,) for place in range(1, seam.at)],
        "cut in the frame": [(place,) for place in range(seam.at + 1, len(seam.data))],
        "a byte in each read": [tuple(seam.places)],
    }
    for way, cuts in ways.items():
        readings = [seam.read(answer, *places) for places in cuts]
        wrong = next((each for each in readings if each.kind is not Kind.ALL), None)
        yield Point(wrong is None, f"the frame arrives: {way}", wrong.problem or f"it is {wrong.kind}" if wrong else "")


GRADERS: dict[str, Grader] = {
    "00.ends": Grader(_LISTS, "a list of two words", _ends),
    "01.hi": Grader((bytes, bytearray), "bytes", _hi),
    "01.diagram": Grader((str,), "a text", _diagram),
    "02.watch": Grader(_LISTS, "two numbers", _watch),
    "02.mend": Grader((Offer,), "an Offer", _mended),
    "03.accept": Grader((str,), "a text; .decode() makes one of bytes", _accept),
    "03.guard": Grader((str,), "the name of a field", _guard),
    "04.three": Grader(_LISTS, "a list of three numbers", _three),
    "04.craft": Grader(_LISTS, "a list of two offers", _crafted),
    "05.upgrades": Grader((FunctionType,), "a function", _upgrades),
    "06.mend": Grader((str,), "a configuration, as text", _nginx),
    "07.order": Grader((str,), "a configuration, as text", _apache),
    "08.codes": Grader(_LISTS, "a list of four numbers", _codes),
    "08.close": Grader((bytes, bytearray), "bytes", _close),
    "09.mend": Grader((FunctionType,), "a function", _reader),
    "10.bytes": Grader(_LISTS, "a list of two numbers", _crossed),
    "11.stall": Grader((FunctionType,), "a function", telling),
    "11.policies": Grader(_LISTS, "a list of three policies", choosing),
    "12.offer": Grader((Offer,), "an Offer", _offered),
    "12.translate": Grader((Offer,), "an Offer", _translated),
    "13.map": Grader((str,), "a configuration, as text", _map),
    "13.defend": Grader((Server,), "a Server", defended),
    "14.second": Grader(_LISTS, "a name and a party", _second),
}
"""What looks at the answer to each exercise, by its name."""


def points(name: str, answer: object) -> tuple[Point, ...]:
    """Return what is to be said of an answer to an exercise; never raises, whatever the answer is."""
    grader = GRADERS[name]
    if not isinstance(answer, grader.kinds):
        return (Point(False, f"the answer is {grader.called}", f"this is of another kind: {type(answer).__name__}"),)
    try:
        return tuple(grader.points(answer))
    except LabError as error:
        return (Point(False, "the lab can use it", str(error)),)
    except Exception as error:  # noqa: BLE001  an answer may be, or hold, an object of the learner's own
        return (Point(False, "the lab can use it", f"looking at it ends in {type(error).__name__}"),)

"""Scenarios that are simulated and run: one party speaks at a time, so both must give one trace."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream
from labkit.scenario import Scenario
from tests.parties.driving import (
    BINARY,
    CONTINUATION,
    HOST,
    OPENING,
    PING,
    TEXT,
    asked,
    closing,
    head,
    opening,
)


async def listen(stream: Stream) -> None:
    async for _ in stream:
        pass


async def shout(stream: Stream) -> None:
    async for data in stream:
        await stream.send(data.upper())


async def count_down(stream: Stream) -> None:
    for number in (3, 2, 1):
        await stream.send(str(number))
        await stream.sleep(0.01)


async def fail(stream: Stream) -> None:
    raise ValueError(f"no {await stream.receive()}")


async def deny(stream: Stream) -> None:
    await stream.close(4003, "not for you")


async def pinging(stream: Stream) -> None:
    await stream.ping(b"are you there")
    await stream.send("so")
    await stream.receive()


async def leaving(stream: Stream) -> None:
    await stream.send("a")
    await stream.receive()
    await stream.close(4000, "enough")


def sent(raw: bytes, **settings) -> Scenario:
    """Send these very bytes to a server told so; the client then listens to the end."""
    return Scenario(Offer.of_bytes(raw), listen, server=Server(**settings))


def framed(raw: bytes) -> Scenario:
    """Frames in the segment of the head, to a server of small limits."""
    return sent(opening() + raw, limits=Limits(message=200, fragments=3))


GOOD: Mapping[str, Scenario] = {
    "one echo": Scenario(),
    "several messages": Scenario(say=("a", b"\x00\xff", "é", "")),
    "fragments": Scenario(say=(("Hel", "lo"), (b"\x00", b"\x01", b""))),
    "a long message": Scenario(say=("x" * 70_000,)),
    "nothing said": Scenario(say=()),
    "a ping": Scenario(say=pinging),
    "a close of one's own": Scenario(say=leaving),
    "compressed": Scenario(Offer.websocket(deflate=True), ("Hello", "Hello")),
    "compression declined": Scenario(Offer.websocket(deflate=True), server=Server(deflate="off")),
    "a subprotocol": Scenario(Offer.websocket(subprotocols=("a", "b")), server=Server(subprotocols=("b",))),
    "a feed": Scenario(say=listen, server=Server(protocols={"websocket": count_down})),
    "a handler that closes": Scenario(say=listen, server=Server(protocols={"websocket": deny})),
    "a handler that fails": Scenario(server=Server(protocols={"websocket": fail})),
    "another protocol": Scenario(Offer.custom("shout/2"), ("hi", "ho"), server=Server(protocols={"shout/2": shout})),
    "another protocol, content first": Scenario(
        Offer(
            Offer.custom("shout").with_field("Content-Length", "5").fields,
            method="POST",
            content=b"hello",
        ),
        ("hi",),
        server=Server(protocols={"shout": shout}),
    ),
    "100 before 101": Scenario(Offer.websocket().with_field("Expect", "100-continue")),
    "frames with the head": sent(opening() + asked(TEXT, b"early") + asked(PING, b"p") + closing()),
    "fragments with the head": sent(
        opening() + asked(TEXT, b"a\xc3", fin=False) + asked(PING) + asked(CONTINUATION, b"\xa9") + closing(4999, "e")
    ),
    "a recording that is cut": Scenario(say=("x" * 1000,), server=Server(limits=Limits(recorded=700))),
}

DECLINED: Mapping[str, Scenario] = {
    "plain": Scenario(Offer.plain()),
    "only Upgrade": Scenario(Offer.websocket().without("Connection")),
    "only Connection": Scenario(Offer.websocket().without("Upgrade")),
    "curl's two lines": Scenario(Offer.bare()),
    "required": Scenario(Offer.plain(), server=Server(require=True)),
    "version 8": Scenario(Offer.websocket().with_field("Sec-WebSocket-Version", "8")),
    "no such path": Scenario(Offer.websocket("/b"), server=Server(paths=("/a",))),
    "an unwelcome Origin": Scenario(
        Offer.websocket().with_field("Origin", "null"), server=Server(origins=("https://a",))
    ),
    "HEAD": Scenario(Offer(Offer.plain().fields, method="HEAD")),
    "OPTIONS": Scenario(Offer(Offer.plain().fields, method="OPTIONS", target="*")),
    "DELETE": Scenario(Offer(Offer.plain().fields, method="DELETE")),
    "HTTP/1.0": Scenario(Offer(Offer.websocket().fields, version="HTTP/1.0")),
    "HTTP/2.0": Scenario(Offer(Offer.websocket().fields, version="HTTP/2.0")),
    "chunked content": sent(head(HOST, "Transfer-Encoding: chunked", "Connection: close") + b"2\r\nhi\r\n0\r\n\r\n"),
    "content too long": sent(head(HOST, "Content-Length: 99", "Connection: close"), limits=Limits(content=9)),
    "three requests": sent(head(HOST) + head(HOST) + head(HOST, "Connection: close")),
}

BAD: Mapping[str, Scenario] = {
    "garbage": sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "no Host": sent(head(*OPENING[1:])),
    "two Hosts": sent(head(HOST, *OPENING)),
    "space before a colon": sent(head(HOST, "Upgrade : websocket")),
    "a folded line": sent(head(HOST, "Upgrade: web", " socket")),
    "bare LF": sent(opening().replace(b"\r\n", b"\n")),
    "a huge head": sent(head(HOST, "X: " + "a" * 40_000)),
    "ten thousand lines": sent(head(HOST, *["A: b"] * 10_000)),
    "half a head": sent(opening()[:60], limits=Limits(head_time=0.2)),
    "half a content": sent(head(HOST, "Content-Length: 9") + b"half", limits=Limits(content_time=0.2)),
    "a lying length": framed(b"\x82\xff\x7f" + b"\xff" * 7 + b"\x37\xfa\x21\x3d"),
    "no mask": framed(asked(TEXT, b"1") + b"\x81\x01a"),
    "a reserved bit": framed(asked(TEXT, b"1") + asked(TEXT, b"2", rsv=4)),
    "an unknown opcode": framed(asked(11)),
    "a long Ping": framed(asked(PING, b"a" * 126)),
    "bad UTF-8": framed(asked(TEXT, b"\xc3\x28")),
    "bad UTF-8 in a fragment": framed(asked(TEXT, b"\xe2\x82", fin=False) + asked(CONTINUATION, b"\xff", fin=False)),
    "a message too long": framed(asked(BINARY, bytes(201))),
    "too many fragments": framed(asked(TEXT, b"", fin=False) + asked(CONTINUATION, b"", fin=False) * 3),
    "a Close of one byte": framed(asked(8, b"\x03")),
    "a Close in mid-message": framed(asked(TEXT, b"a", fin=False) + closing() + asked(CONTINUATION, b"b")),
    "frames after a Close": framed(closing() + asked(TEXT, b"more") * 3),
    "an idle client": sent(opening(), limits=Limits(idle_time=0.2)),
}

ALL: Mapping[str, Scenario] = {**GOOD, **DECLINED, **BAD}

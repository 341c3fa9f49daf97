"""Failures that a server brings about, reproduced: a broken scenario and the same mended.

Where the world has something behind the server that the lab has not, a framework, a second process, a network,
the server stands in for it and answers what it answers; the catalogue says so.
"""

from __future__ import annotations

from dataclasses import replace

from labkit.cases.seen import CUT, GREETING, WORKS, Reproduced, Seen
from labkit.parties.answer import Answer
from labkit.parties.described import Server
from labkit.parties.faults import FAULTS
from labkit.parties.offer import Offer
from labkit.parties.stream import Handler, Stream, echo
from labkit.scenario import Scenario
from labkit.wire.fields import Fields
from labkit.wire.http1 import ResponseHead
from labkit.wire.upgrade import accept_key

__all__ = ["CASES", "chat"]

_ORIGIN = "https://app.example.com"
_SESSION = "/socket.io/?EIO=4&transport=websocket"
_EXEC = Offer.custom("tcp", "/v1.46/exec/239ed0d2/start").but(method="POST", content=b'{"Detach":false}')
_DOCKER = _EXEC.with_field("Content-Length", str(len(_EXEC.content)))
_KUBECTL = Offer.custom("SPDY/3.1", "/api/v1/namespaces/default/pods/web/exec").but(method="POST")
_COMPRESSED = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"  # "Hello", RFC 7692, 7.2.3.1
_AGAIN = "again"
_TALKED = Seen(101, (GREETING, _AGAIN), closes=1000)


async def chat(stream: Stream) -> None:
    """Say two messages, with a silence between them; the client of all cases in which the connection ends early."""
    await stream.send(GREETING)
    await stream.receive()
    await stream.sleep(1.6)
    await stream.send(_AGAIN)
    await stream.receive()


async def _as_chrome(stream: Stream) -> None:
    """Go on only where a subprotocol was agreed on, as browsers do that asked for one."""
    if stream.subprotocol is None:
        await stream.hang_up()
        return
    await stream.send(GREETING)
    await stream.receive()


async def _ends_early(stream: Stream) -> None:
    await stream.send(await stream.receive())
    await stream.sleep(0.5)
    await stream.hang_up()


async def _says_goodbye(stream: Stream) -> None:
    await stream.send(await stream.receive())
    await stream.sleep(0.5)
    await stream.close(1001, "proxy restarting")


async def _compresses(stream: Stream) -> None:
    await stream.receive()
    await stream.send_bytes(_COMPRESSED)
    await stream.receive()


async def _answers_twice(stream: Stream) -> None:
    """Answer the upgrade as a second handler does that knows nothing of the first."""
    proof = ("Sec-WebSocket-Accept", accept_key(stream.request.fields.get("Sec-WebSocket-Key") or ""))
    fields = Fields.of([("Upgrade", "websocket"), ("Connection", "Upgrade"), proof])
    await stream.send_bytes(ResponseHead(101, "Switching Protocols", fields).to_bytes())
    await echo(stream)


def _speaks(handler: Handler) -> Server:
    return Server(protocols={"websocket": handler})


def _faulty(fault: str, *, status: int | None = 101) -> Reproduced:
    """Return a case of one fault of the server's; the check finds the rules that the fault breaks."""
    rules = tuple(rule for rule in FAULTS[fault].rules if rule.startswith("W")) or FAULTS[fault].rules
    works = replace(WORKS, spared=rules)
    return Reproduced(lambda: Scenario(server=Server(faults=(fault,))), Scenario, Seen(status, rules=rules), works)


def _answers(status: int, text: str, offer: Offer | None = None, fixed: Offer | None = None) -> Reproduced:
    """Return a case in which the server, or what it stands for, answers so; mended, it switches."""
    asked = offer or Offer.websocket()
    return Reproduced(
        lambda: Scenario(asked, server=Server(decline=Answer(status, text))),
        lambda: Scenario(fixed or asked),
        Seen(status),
    )


CASES: dict[str, Reproduced] = {
    "origin-refused": Reproduced(
        lambda: Scenario(
            Offer.websocket().with_field("Origin", _ORIGIN), server=Server(origins=("http://localhost:3000",))
        ),
        lambda: Scenario(
            Offer.websocket().with_field("Origin", _ORIGIN), server=Server(origins=("http://localhost:3000", _ORIGIN))
        ),
        Seen(403),
    ),
    "http-only-server": Reproduced(lambda: Scenario(server=Server(ignore=True)), Scenario, Seen(200)),
    "no-websocket-library": Reproduced(
        lambda: Scenario(Offer.websocket("/ws"), server=Server(protocols={}, paths=("/",))),
        lambda: Scenario(Offer.websocket("/ws"), server=Server(paths=("/", "/ws"))),
        Seen(404),
    ),
    "no-sticky-sessions": _answers(
        400, '{"code":1,"message":"Session ID unknown"}', Offer.websocket(f"{_SESSION}&sid=p3af7ZNf"),
        Offer.websocket(_SESSION),
    ),
    "subprotocol-not-answered": Reproduced(
        lambda: Scenario(Offer.websocket(subprotocols=("mqtt",)), _as_chrome),
        lambda: Scenario(Offer.websocket(subprotocols=("mqtt",)), _as_chrome, server=Server(subprotocols=("mqtt",))),
        Seen(101, (), closes=CUT),
    ),
    "subprotocol-not-asked": _faulty("subprotocol"),
    "upgrade-with-content": Reproduced(
        lambda: Scenario(
            _DOCKER, ("ls\n",), server=Server(protocols={"tcp": echo}, faults=("content-unread",))
        ),
        lambda: Scenario(_DOCKER, ("ls\n",), server=Server(protocols={"tcp": echo})),
        Seen(101, ('{"Detach":false}ls\n',)),
        Seen(101, ("ls\n",)),
    ),
    "unable-to-upgrade": Reproduced(
        lambda: Scenario(
            _KUBECTL,
            server=Server(
                protocols={"SPDY/3.1": echo},
                decline=Answer(403, "Forbidden (user=kubernetes, verb=create, resource=nodes, subresource=proxy)"),
            ),
        ),
        lambda: Scenario(_KUBECTL, server=Server(protocols={"SPDY/3.1": echo})),
        Seen(403),
        Seen(101, (GREETING,)),
    ),
    "reload-kills-tunnels": Reproduced(
        lambda: Scenario(say=chat, server=_speaks(_ends_early)),
        lambda: Scenario(say=chat),
        Seen(101, (GREETING,), closes=CUT),
        _TALKED,
    ),
    "answer-loses-upgrade": _faulty("no-upgrade"),
    "wrong-accept": _faulty("accept-wrong"),
    "redirected-handshake": Reproduced(
        lambda: Scenario(server=Server(redirect="https://server.example.com/")), Scenario, Seen(302)
    ),
    "corrupt-frames": Reproduced(
        lambda: Scenario(server=_speaks(_compresses)), Scenario, Seen(101, (), closes=1002, rules=("X04",))
    ),
    "two-upgrade-handlers": Reproduced(
        lambda: Scenario(server=_speaks(_answers_twice)), Scenario, Seen(101, (), rules=("X04",))
    ),
    "middleware-hides-socket": _answers(500, "websocket: response does not implement http.Hijacker"),
    "upgrade-field-eaten": _answers(
        404,
        "Failed to upgrade to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: keep-alive, Upgrade, HTTP_UPGRADE: )",
        Offer.websocket("/cable").with_field("Connection", "keep-alive, Upgrade"),
    ),
    "tunnel-restarts": Reproduced(
        lambda: Scenario(say=chat, server=_speaks(_ends_early)),
        lambda: Scenario(say=chat, server=_speaks(_says_goodbye)),
        Seen(101, (GREETING,), closes=CUT),
        Seen(101, (GREETING,), closes=1001),
    ),
    "cdn-blocks-upgrade": _answers(403, "Attention Required! | Cloudflare"),
    "content-length-on-101": _faulty("content-length"),
    "garbage-answer": _faulty("garbage", status=None),
}  # fmt: skip
"""The cases by name."""

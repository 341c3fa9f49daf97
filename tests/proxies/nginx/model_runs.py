"""Runs in memory through the model of nginx, and what came of them."""

from __future__ import annotations

from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.party import Driver
from labkit.proxies.gateway import ProxyParty
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace
from labkit.wire.http1 import RequestHead, ResponseHead, scan

UP = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
FULL = Offer.websocket("/ws/chat?room=1")
PLAIN = Offer.plain("/ws/chat?room=1")
HOST = "Host: server.example.com\r\n"


def site(inside: str = "", server: str = "") -> str:
    """Return a server with one location that passes upgrades on."""
    return f"server {{ listen 80; server_name example.com; {server} location /ws/ {{ proxy_pass http://b; {UP} {inside} }} }}"


def run(conf: str, offer: Offer | str = FULL, server: Server | None = None, say: tuple[str, ...] = ("Hello",)) -> Trace:
    """Simulate an exchange; an offer that is a text is sent as it stands, its lines ended by CR LF."""
    asked = Offer.of_bytes(offer.replace("\n", "\r\n").encode("latin-1")) if isinstance(offer, str) else offer
    return simulate(Scenario(asked, say, via=(Nginx(conf),), server=server or Server(), patience=0.5))


def got(trace: Trace) -> bytes:
    """Return what the client got."""
    return trace.stream(Direction.TO_CLIENT, 0)


def answer(trace: Trace) -> ResponseHead:
    """Return the head that the client got."""
    head = scan(got(trace)).value
    assert isinstance(head, ResponseHead)
    return head


def seen(trace: Trace) -> RequestHead | None:
    """Return the head that the server saw; None where it saw nothing."""
    head = scan(trace.stream(Direction.TO_SERVER, 1)).value if len(trace.hops) > 1 else None
    assert head is None or isinstance(head, RequestHead)
    return head


class Upstream:
    """An upstream that answers each request with bytes of a script, on a clock that is set by hand."""

    def __init__(self, conf: str, script: bytes = b"") -> None:
        self.now = 0.0
        self.script = script
        self.asked = b""
        self.got = b""
        self.far: object = None
        self.dials = 0
        self.party = ProxyParty(Nginx(conf).model(), Driver(lambda: self.now, lambda _: None, dial=self._dial))

    def _dial(self, _: str, far: object) -> None:
        self.far = far
        self.dials += 1
        far.connected(Driver(lambda: self.now, lambda _: None))

    def ask(self, data: bytes) -> bytes:
        """Send bytes of the client's, let the upstream answer, and return what the client got."""
        self.party.receive(data)
        self.answer(self.script)
        return self.taken()

    def answer(self, data: bytes) -> None:
        """Let the upstream send bytes."""
        if self.far is not None:
            self.asked += self.far.outgoing()
            if data:
                self.far.receive(data)

    def taken(self) -> bytes:
        """Return what came to the client since it was last asked."""
        data = self.party.outgoing()
        self.got += data
        return data

    def wait(self, seconds: float) -> bytes:
        """Let time pass."""
        self.now += seconds
        self.party.tick()
        return self.taken()

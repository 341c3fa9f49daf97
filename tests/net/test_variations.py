"""Every variation of an offer, of what a server is told, and of its faults: predicted and observed are one trace."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from labkit.net.client import exchange
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.parties.answer import CARRIED, Answer
from labkit.parties.described import Server
from labkit.parties.faults import FAULTS
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.net.scenarios import listen, sent

WHOLE = Offer.websocket(subprotocols=("a", "b"), deflate=True)
NAMES = [name for name, _ in WHOLE.fields]
KNOWING = Server(protocols={"h2c": echo, "TLS/1.0": echo, "quote/1.0": echo, "websocket": echo}, subprotocols=("b",))

MADE: Mapping[str, Offer] = {
    "websocket": WHOLE,
    "bare": Offer.bare("/a"),
    "custom": Offer.custom("quote/1.0"),
    "h2c": Offer.h2c(),
    "tls": Offer.tls(),
    "plain": Offer.plain(),
    "bytes": Offer.of_bytes(WHOLE.to_bytes()),
}
CHANGED: Mapping[str, Offer] = {
    **{f"without {name}": WHOLE.without(name) for name in NAMES},
    **{f"{name} twice": WHOLE.twice(name) for name in NAMES},
    **{f"{name} folded": WHOLE.folded(name) for name in NAMES},
    **{f"{name} renamed": WHOLE.renamed(name, f"X-{name}") for name in NAMES},
    **{f"{name} empty": WHOLE.with_field(name, "") for name in NAMES},
    "another value": WHOLE.twice("Upgrade", "h2c"),
    "a list folded": WHOLE.with_field("Connection", "keep-alive, Upgrade").folded("Connection"),
    "a name with a space": WHOLE.renamed("Upgrade", "Upgrade "),
    "POST": WHOLE.but(method="POST"),
    "a content": Offer.custom("quote/1.0").but(method="POST", content=b"hello").with_field("Content-Length", "5"),
    "a content that nothing announces": Offer.plain().but(method="POST", content=b"hello\r\n\r\n"),
    "another target": WHOLE.but(target="http://server.example.com/a?b"),
    "OPTIONS": WHOLE.but(method="OPTIONS", target="*"),
    "HTTP/1.0": WHOLE.but(version="HTTP/1.0"),
    "no version": WHOLE.but(version="1.1"),
    "early bytes": Offer.custom("quote/1.0").but(early=b"early"),
    "cut": WHOLE.cut(1, 20, 150),
}
TOLD: Mapping[str, Server] = {
    "ignore": Server(ignore=True),
    "redirect": Server(redirect="/there"),
    "require": Server(require=True),
    "a whole answer": Server(decline=Answer(307, "elsewhere", (("Location", "/x"), ("X-More", "yes")))),
    **{
        f"decline with {status}": Server(decline=status)
        for status in sorted(
            {200, 204, 205, 299, 304, 400, 403, 404, 500, *(s for row in CARRIED for s in row.statuses)}
        )
    },
}
ARGUMENTS = {
    "interim": ("100", "102", "103"),
    "cut": ("1", "9", "40", "10000"),
    "late": ("0.05",),
    "reason": ("UPGRADED", "é"),
}
FAULTY = [f"{name}={each}" if each else name for name in FAULTS for each in ARGUMENTS.get(name, ("",))]


@pytest.mark.parametrize("name", [*MADE, *CHANGED])
@pytest.mark.parametrize("server", [Server(), KNOWING], ids=["websocket alone", "many protocols"])
def test_offers(name, server):
    """Each way to make or change an offer gives the same bytes in memory and over sockets."""
    scenario = Scenario({**MADE, **CHANGED}[name], server=server)
    assert run(scenario) == simulate(scenario)


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("offer", [WHOLE, Offer.plain(), WHOLE.but(method="HEAD")], ids=["offer", "plain", "HEAD"])
def test_what_a_server_is_told(name, offer):
    """Each thing that a server can be told to do with offers gives the same bytes in memory and over sockets."""
    scenario = Scenario(offer, server=TOLD[name])
    assert run(scenario) == simulate(scenario)


@pytest.mark.parametrize("fault", FAULTY)
@pytest.mark.parametrize(
    "offer",
    [Offer.websocket(), Offer.custom("quote/1.0"), Offer.websocket().but(version="HTTP/1.0"), Offer.plain()],
    ids=["websocket", "another protocol", "HTTP/1.0", "plain"],
)
def test_faults(fault, offer):
    """Each fault gives the same bytes in memory and over sockets, and ends in good order."""
    scenario = Scenario(offer, server=Server(protocols=KNOWING.protocols, faults=(fault,)))
    predicted = simulate(scenario)
    assert run(scenario) == predicted
    assert {predicted.end(way) for way in Direction} == {"fin"}


@pytest.mark.parametrize(
    "faults",
    [
        ("interim=100", "interim=103", "bare-lf"), ("no-upgrade", "accept-absent"), ("late=0.05", "early-frame"),
        ("late=0.05", "close"), ("cut=30", "interim=102"), ("unasked", "accept-empty-key", "no-reason"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("offer", [Offer.websocket(), Offer.plain()], ids=["offer", "plain"])
def test_several_faults(faults, offer):
    """So do several at once."""
    scenario = Scenario(offer, server=Server(faults=faults))
    assert run(scenario) == simulate(scenario)


def test_a_late_answer_and_a_second_request():
    """What comes while an answer waits is read after it; a client that closes behind the first gets no other."""
    raw = Offer.custom("x").to_bytes() * 2 + Offer.plain().with_field("Connection", "close").to_bytes()
    scenario = sent(raw, faults=("late=0.05",))
    predicted = simulate(scenario)
    assert run(scenario) == predicted
    assert predicted.stream(Direction.TO_CLIENT).count(b"HTTP/1.1 200 OK") == 1


@pytest.mark.parametrize("late", ["0.6", "2", "999"])
def test_an_answer_later_than_the_client_waits(late):
    """A client that gave up has closed: it gets no answer, in memory as over sockets, however late that would be."""
    with UpgradeServer(Server(faults=(f"late={late}",))) as server:
        outcome = exchange(server.url, Offer.websocket(), patience=0.2)
        assert outcome.problem == "no answer came in 0.2 s"
        assert server.trace == outcome.trace == simulate(Scenario(server=Server(faults=("late=9",))))


def test_a_silent_client_and_a_faulty_server():
    """A client that only listens gets what the fault says, and nothing hangs."""
    scenario = Scenario(Offer.websocket(), listen, server=Server(faults=("garbage",)))
    assert run(scenario) == simulate(scenario)

"""The script for a browser, executed by a browser."""

from __future__ import annotations

import pytest

from labkit.dissection import dissect
from labkit.net.browser import browse
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import snippet
from labkit.trace import Direction
from tests.snippets.offers import OFFERS, REFUSED
from tests.snippets.running import check_same, need

SAID = {name: offer for name, offer in OFFERS.items() if (name, "javascript") not in REFUSED}
CARRIED = {"another key", "capitals in Host"}  # what a browser draws, or writes, in its own way; it is said so
ASK = Direction.TO_SERVER


@pytest.mark.parametrize("name", SAID)
def test_a_browser_sends_what_is_offered(name):
    """What arrives is the offer, but for what the snippet says that a browser adds; and what is said comes back."""
    need("chromium")
    host = SAID[name].fields.get("Host")
    scenario = Scenario(SAID[name], ["Hello", b"\x00\xff", "</script>'\"\\\u2028"])
    with UpgradeServer(subprotocols=("chat",)) as server:
        printed = snippet(scenario, "javascript")
        ran = browse(f"ws://{host}{scenario.offer.target}", printed.text, to=server)
    assert bool(printed.leaves_out) is (name in CARRIED)
    assert [event.kind for event in ran.events] == ["open", "message", "message", "message", "close"]
    assert (ran.events[-1].code, ran.events[-1].clean) == (1000, True)
    head = ran.trace.stream(ASK).partition(b"\r\n\r\n")[0]
    offered = scenario.offer.with_field("Host", host.lower())  # where a browser changes it, the snippet says so
    if name == "deflate":  # it offers compression in its own words, which are listed
        offered = offered.without("Sec-WebSocket-Extensions")
    check_same(offered, printed, head)
    part = dissect(ran.trace).hops[0].frames(ASK)
    assert [part.content(place) for place in range(3)] == [b"Hello", b"\x00\xff", "</script>'\"\\\u2028".encode()]


def test_the_host_of_the_url_is_named():
    """Where another host is dialled the browser names that one, and the snippet says so."""
    need("chromium")
    with UpgradeServer() as server:
        printed = snippet(Offer.websocket(), "javascript", server.url)
        ran = browse(server.url.replace("http", "ws"), printed.text)
    assert "the Host of this offer: a browser names the host of the URL" in printed.leaves_out
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in ran.trace.stream(ASK)

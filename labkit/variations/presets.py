"""Named variations to begin from: cases of the catalogue, and what they grow from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from labkit.cases.reproduced import reproduced
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.scenario import Scenario
from labkit.variations.variation import FieldLine, Middle, Variation

__all__ = ["MORE_LINES", "PRESETS", "of_scenario"]

MORE_LINES = (
    FieldLine("Origin", "https://app.example.com", on=False),
    FieldLine("Sec-WebSocket-Protocol", "chat", on=False),
    FieldLine("Sec-WebSocket-Extensions", "permessage-deflate", on=False),
)
"""Field lines that every preset has at hand, not sent, where its offer has none of that name."""


def of_scenario(scenario: Scenario) -> Variation:
    """Return the variation that gives a scenario.

    Raises:
        WrongUse: the workbench has no knob for a part of it; the part is named.

    >>> of_scenario(Scenario(Offer.bare())).lines[2].name
    'Connection'
    """
    offer, server = scenario.offer, scenario.server
    rest = Offer(offer.fields, offer.method, offer.target, offer.version)
    if offer != rest or callable(scenario.say) or not all(isinstance(each, str) for each in scenario.say):
        raise WrongUse("the workbench has no knob for content, raw bytes, faults of a client, or a handler of yours")
    there = {name.lower() for name, _ in offer.fields}
    more = tuple(each for each in MORE_LINES if each.name.lower() not in there)
    told = {"ignore": server.ignore, "redirect": server.redirect, "decline": server.decline, "require": server.require,
            "absent": not server.listens}  # fmt: skip
    answer = next((name for name, value in told.items() if value), "agree")
    knobs = {
        "say": "\n".join(map(str, scenario.say)),
        "middles": tuple(map(_middle, scenario.via)),
        "protocols": ", ".join(server.protocols),
        "subprotocols": ", ".join(server.subprotocols),
        "origins": " ".join(server.origins or ()),
        "answer": answer,
        "faults": server.faults,
    }
    if server.decline is not None:
        knobs["status"] = str(getattr(server.decline, "status", server.decline))
    if server.redirect:
        knobs["location"] = server.redirect
    made = Variation.offering(offer, **knobs)
    return made.but(lines=(*made.lines, *more), client=scenario.client)


def _middle(proxy: Proxy) -> Middle:
    return Middle("apache" if isinstance(proxy, Apache) else "nginx", proxy.text, proxy.keep_upstreams)


def _broken(name: str) -> Variation:
    return of_scenario(reproduced(name).broken())


def _fixed(name: str) -> Variation:
    return of_scenario(reproduced(name).fixed())


def _both() -> Variation:
    """Return nginx in front of Apache, both as their snippets say."""
    nginx, apache = _fixed("proxy-drops-upgrade"), _fixed("jupyter-kernel")
    return apache.but(middles=(*nginx.middles, *apache.middles))


PRESETS: Mapping[str, Variation] = MappingProxyType(
    {
        "A whole handshake": of_scenario(Scenario()),
        "The two lines of the curl example": of_scenario(Scenario(Offer.bare())),
        "nginx, nothing set": _broken("proxy-drops-upgrade"),
        "nginx, HTTP/1.1 forgotten": _broken("http-1-0-backend"),
        "nginx as in the snippet": _fixed("proxy-drops-upgrade"),
        "Apache, the general rule first": _broken("jupyter-kernel"),
        "Apache as in the snippet": _fixed("jupyter-kernel"),
        "nginx before Apache": _both(),
        "Nobody behind nginx": _broken("backend-down"),
        "A foreign Origin": _broken("origin-refused"),
        "A wrong Sec-WebSocket-Accept": _broken("wrong-accept"),
        "A redirected handshake": _broken("redirected-handshake"),
    }
)
"""By name; each gives a scenario without a fault of the workbench's own."""

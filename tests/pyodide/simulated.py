"""Everything that is made of a simulation, as texts. The tests run this file here and in Pyodide, and compare."""

import json
from collections.abc import Iterator
from pathlib import Path

import labkit
from labkit.cases.reproduced import REPRODUCED
from labkit.parties.faults import FAULTS
from labkit.render.inspected import inspected
from labkit.scenario import Scenario

Texts = dict[str, dict[str, str]]
SOURCE = Path(__file__).read_text("utf-8") if "__file__" in globals() else ""
"""This file, for the Python that it is to be run in."""

NGINX = """
location /ws/ {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}
"""
BROKEN = "location /ws/ { proxy_pass http://backend; }"
APACHE = 'ProxyPass "/ws/" "ws://backend.example.com/"'


def scenarios() -> Iterator[tuple[str, Scenario]]:
    asks = labkit.Offer.websocket("/ws/")
    yield "plain", Scenario()
    yield "refused", Scenario(server=labkit.Server(decline=403))
    yield "bare", Scenario(labkit.Offer.bare())
    yield "nginx", Scenario(asks, via=[labkit.Nginx(NGINX)])
    yield "nginx, broken", Scenario(asks, via=[labkit.Nginx(BROKEN)])
    yield "apache", Scenario(asks, via=[labkit.Apache(APACHE)])
    yield "both", Scenario(asks, via=[labkit.Nginx(NGINX), labkit.Apache(APACHE)])
    yield "deflate", Scenario(labkit.Offer.websocket().with_field("Sec-WebSocket-Extensions", "permessage-deflate"))
    h2c = labkit.Server(protocols={"websocket": labkit.echo, "h2c": labkit.http2_server})
    yield "h2c", Scenario(labkit.Offer.h2c("/"), say=labkit.http2_client, server=h2c)
    for name, case in REPRODUCED.items():
        for which in ("broken", "fixed"):
            yield f"case {name}, {which}", getattr(case, which)()
    for name, fault in FAULTS.items():
        yield (
            f"fault {name}",
            Scenario(server=labkit.Server(faults=[f"{name}={fault.example}" if fault.example else name])),
        )


def made(scenario: Scenario) -> dict[str, str]:
    trace = labkit.simulate(scenario)
    saved = Path("simulated.jsonl")
    trace.save(saved)
    picture = labkit.diagram(trace)
    texts = {
        "trace": saved.read_text("utf-8"),
        "check": str(trace.check()),
        "diagram": str(picture),
        "svg": picture.svg(),
        "html": picture.html(dark=True),
        "mermaid": picture.mermaid(),
        "bytes": str(trace.bytes()),
        "inspector": json.dumps(inspected(trace)),
    }
    saved.unlink()
    return {**texts, **({"xray": str(labkit.xray(scenario))} if scenario.via else {})}


def everything() -> Texts:
    found = {name: made(scenario) for name, scenario in scenarios()}
    texts = {name: {"why": str(labkit.why(text, path="/ws/"))} for name, text in (("nginx", NGINX), ("broken", BROKEN))}
    return {**found, **{f"why {name}": each for name, each in texts.items()}}

"""labkit: a teaching lab and visual simulator for HTTP 101 Switching Protocols.

    import labkit

    with labkit.UpgradeServer() as server:
        trace = labkit.ask(server.url, labkit.Offer.websocket())
    print(trace)

Names are loaded when they are first used, so that the import itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.bench.studies import measure
    from labkit.clinic import why
    from labkit.dissection import dissect
    from labkit.errors import LabError
    from labkit.formats.jsonl import load
    from labkit.gathering import Gathering
    from labkit.lessons.doctor import doctor
    from labkit.lessons.exercises import exercise, look_back, predict
    from labkit.lessons.recorded import record
    from labkit.net.browser import browse
    from labkit.net.client import ask
    from labkit.net.copying import copy_as
    from labkit.net.curl import curl
    from labkit.net.kernel import kernel_upgrade
    from labkit.net.listener import stop_all
    from labkit.net.php import php
    from labkit.net.real_proxy import RealProxy
    from labkit.net.reconnecting import reconnecting
    from labkit.net.run import run
    from labkit.net.server import UpgradeServer
    from labkit.net.tap import Tap
    from labkit.net.tls import tls_client, tls_server
    from labkit.parties.answer import Answer
    from labkit.parties.chat import Chat
    from labkit.parties.described import Limits, Server
    from labkit.parties.feed import Feed
    from labkit.parties.http2 import http2_client, http2_server
    from labkit.parties.offer import Offer
    from labkit.parties.pages import Exchange
    from labkit.parties.stream import Stream, echo
    from labkit.proxies.apache import Apache
    from labkit.proxies.caddy import Caddy
    from labkit.proxies.haproxy import Haproxy
    from labkit.proxies.nginx import Nginx
    from labkit.render.catalogue import case, catalogue
    from labkit.render.described import evaluate, faults
    from labkit.render.diagram import diagram
    from labkit.render.explain import explain
    from labkit.render.plots import plot
    from labkit.render.rulebook import rulebook
    from labkit.render.verdict import check
    from labkit.render.xray import xray
    from labkit.scenario import Scenario
    from labkit.simulation import simulate
    from labkit.trace import Direction, Hop, Trace
    from labkit.widgets.inspector import inspect
    from labkit.widgets.live import LivePlot
    from labkit.widgets.seam import seam
    from labkit.widgets.workbench import Workbench
    from labkit.wire.upgrade import accept_key

_WHERE = {
    "Answer": "parties.answer",
    "Apache": "proxies.apache",
    "Caddy": "proxies.caddy",
    "Chat": "parties.chat",
    "Direction": "trace",
    "Exchange": "parties.pages",
    "Feed": "parties.feed",
    "Gathering": "gathering",
    "Haproxy": "proxies.haproxy",
    "Hop": "trace",
    "LabError": "errors",
    "Limits": "parties.described",
    "LivePlot": "widgets.live",
    "Nginx": "proxies.nginx",
    "Offer": "parties.offer",
    "RealProxy": "net.real_proxy",
    "Scenario": "scenario",
    "Server": "parties.described",
    "Stream": "parties.stream",
    "Tap": "net.tap",
    "Trace": "trace",
    "UpgradeServer": "net.server",
    "Workbench": "widgets.workbench",
    "accept_key": "wire.upgrade",
    "ask": "net.client",
    "browse": "net.browser",
    "case": "render.catalogue",
    "catalogue": "render.catalogue",
    "check": "render.verdict",
    "copy_as": "net.copying",
    "curl": "net.curl",
    "diagram": "render.diagram",
    "dissect": "dissection",
    "doctor": "lessons.doctor",
    "echo": "parties.stream",
    "evaluate": "render.described",
    "exercise": "lessons.exercises",
    "explain": "render.explain",
    "faults": "render.described",
    "http2_client": "parties.http2",
    "http2_server": "parties.http2",
    "inspect": "widgets.inspector",
    "kernel_upgrade": "net.kernel",
    "load": "formats.jsonl",
    "look_back": "lessons.exercises",
    "measure": "bench.studies",
    "php": "net.php",
    "plot": "render.plots",
    "predict": "lessons.exercises",
    "reconnecting": "net.reconnecting",
    "record": "lessons.recorded",
    "rulebook": "render.rulebook",
    "run": "net.run",
    "seam": "widgets.seam",
    "simulate": "simulation",
    "stop_all": "net.listener",
    "tls_client": "net.tls",
    "tls_server": "net.tls",
    "why": "clinic",
    "xray": "render.xray",
}

__all__ = [
    "Answer", "Apache", "Caddy", "Chat", "Direction", "Exchange", "Feed", "Gathering", "Haproxy", "Hop", "LabError",
    "Limits", "LivePlot", "Nginx", "Offer", "RealProxy", "Scenario", "Server", "Stream", "Tap", "Trace",
    "UpgradeServer", "Workbench", "accept_key", "ask", "browse", "case", "catalogue", "check", "copy_as", "curl",
    "diagram", "dissect", "doctor", "echo", "evaluate", "exercise", "explain", "faults", "http2_client",
    "http2_server", "inspect", "kernel_upgrade", "load", "look_back", "measure", "php", "plot", "predict",
    "reconnecting", "record", "rulebook", "run", "seam", "simulate", "stop_all", "tls_client", "tls_server", "why",
    "xray",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  the dearest part of the import

        try:
            return version("http101-labkit")
        except PackageNotFoundError:
            return "0 (not installed)"
    if name == "phpcurl":  # a room of its own, with names of PHP's
        return import_module("labkit.phpcurl")
    if name not in _WHERE:
        raise AttributeError(f"module 'labkit' has no attribute {name!r}")
    value = getattr(import_module(f"labkit.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

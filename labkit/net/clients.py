"""Who can ask in a scenario that is run: the lab's own client, and real programs that run its printed form."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory

from labkit.net.browser import browse
from labkit.net.client import exchange
from labkit.net.copying import copy_as
from labkit.net.curl import curl
from labkit.net.listener import Listener
from labkit.net.php import php
from labkit.net.process import run_child
from labkit.net.ran import Ran, named
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["CLIENTS"]

_PATIENCE = 20.0  # seconds for a Python program, which first has to be read


def _lab(scenario: Scenario, server: Listener) -> Trace:
    exchange(
        server.url,
        scenario.offer,
        scenario.say,
        patience=scenario.patience,
        recorded=scenario.server.limits.recorded,
    )
    return server.trace


def _curl(scenario: Scenario, server: Listener) -> Trace:
    return _trace_of(curl(_url(scenario, server), scenario.offer))


def _php(scenario: Scenario, server: Listener) -> Trace:
    return _trace_of(php(copy_as(scenario, "php").text, to=server))


def _browser(scenario: Scenario, server: Listener) -> Trace:
    offer = scenario.offer.head
    url = f"ws://{offer.fields.get('Host')}{offer.target}"
    return _trace_of(browse(url, copy_as(scenario, "javascript", url).text, to=server))


def _python(form: str, program: str) -> Callable[[Scenario, Listener], Trace]:
    def run(scenario: Scenario, server: Listener) -> Trace:
        watch = server.watch()
        with TemporaryDirectory(prefix="labkit-") as folder:
            script = Path(folder, f"{form}_client.py")
            script.write_text(copy_as(scenario, form, _url(scenario, server)).text, "utf-8")
            done = run_child([sys.executable, str(script)], patience=_PATIENCE, folder=Path(folder))
        last = done.err.decode("utf-8", "replace").rstrip().rpartition("\n")[2]
        meaning = done.ended or last or "it ran to its end"
        return _trace_of(Ran(program, script.name, done.code, meaning, done.out, traces=named(watch.traces(), program)))

    return run


def _trace_of(ran: Ran) -> Trace:
    """Return the trace of a program's run, with how the program ended in its note."""
    return ran.trace.noted(f"{ran.program.partition(',')[0]}: {ran.ended}")


def _url(scenario: Scenario, server: Listener) -> str:
    """Return where to dial; with the offer's path, where it is one that a URL can have."""
    target = scenario.offer.head.target
    return server.url + target[1:] if target.startswith("/") else server.url


CLIENTS: dict[str, Callable[[Scenario, Listener], Trace]] = {
    "lab": _lab,
    "curl": _curl,
    "php": _php,
    "websockets": _python("websockets", f"websockets {version('websockets')}"),
    "socket": _python("socket", f"Python {python_version()}"),
    "browser": _browser,
}
"""What runs each client of `labkit.scenario.CLIENTS`."""

"""Law 4 in another Python, on another processor: a simulation is the same in a browser as it is here."""

from __future__ import annotations

import pytest

from tests.pyodide.inside import Pyodide
from tests.pyodide.parts import PYODIDE
from tests.pyodide.simulated import SOURCE, Texts

LEFT_OUT = ("ssl", "sqlite3", "resource", "curses", "h2", "IPython", "pycurl", "labkit.net")
"""What a browser's Python may lack, and what takes sockets: none of it is needed, so here none can be loaded."""

BARE = """
import sys
def out():
    ours = [name for name in sys.modules if name.split(".")[0] in ("labkit", *given)]
    return {{name: sys.modules.pop(name) for name in ours}}
kept = out()
sys.modules.update(dict.fromkeys(given))  # an import of one of these is an error
try:
    space = {{"__name__": "simulated"}}
    exec({source!r}, space)
    made = space["made"](space["Scenario"](via=[space["labkit"].Nginx(space["BROKEN"].replace("/ws/", "/"))]))
finally:
    out()
    sys.modules.update(kept)
made
"""


@pytest.fixture(scope="module")
def there(inside: Pyodide) -> Texts:
    told: Texts = inside.run(f"{SOURCE}\neverything()")
    return told


def test_it_is_the_python_of_a_browser(inside: Pyodide):
    """What answers is Pyodide of the pinned version, on WebAssembly, with words of 32 bits."""
    assert inside.version == PYODIDE
    assert inside.run("import sys\n[sys.platform, sys.maxsize]") == ["emscripten", 2**31 - 1]


def test_the_same_scenarios(here: Texts, there: Texts):
    """Both simulate the plain, the refused, proxies, every fault and every case that can be reproduced."""
    assert list(there) == list(here)
    assert len(here) > 100


@pytest.mark.parametrize(
    "what", ["trace", "check", "diagram", "svg", "html", "mermaid", "bytes", "inspector", "xray", "why"]
)
def test_the_same_bytes_findings_and_pictures(here: Texts, there: Texts, what: str):
    """The trace, its findings, its pictures and its explanation are the same, letter by letter."""
    assert {name: texts.get(what) for name, texts in there.items()} == {
        name: texts.get(what) for name, texts in here.items()
    }
    assert any(what in texts for texts in here.values())


def test_nothing_that_a_browser_lacks_is_needed(inside: Pyodide):
    """Simulating, checking, drawing and explaining load neither sockets nor what Pyodide may leave out."""
    told = inside.run(BARE.format(source=SOURCE), LEFT_OUT)
    assert told["check"].startswith("Declined: ignored (200)")

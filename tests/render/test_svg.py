from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.render.diagram import diagram
from labkit.render.theme import mono_width, sans_width
from labkit.trace import Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import ASK, BAD_KEY, REPLY, asked, chain, cut, declined, echo, relayed, switched

HELLO, AGAIN = asked(TEXT, b"Hello " * 30), frame(TEXT, b"again, without a mask")
SVG = "{http://www.w3.org/2000/svg}"
TRACES = {
    "switched": echo(b"Hello"),
    "declined": declined(BAD_KEY),
    "three": chain("client", "proxy", "server"),
    "four": chain("browser", "edge proxy", "inner proxy", "server"),
    "six": chain(*(f"a party called {number}" for number in range(6))),
    "tunnels": relayed("client edge inner server", (HELLO + AGAIN, b""), (HELLO + AGAIN, b""), (HELLO, b"")),
    "long tunnel": relayed("client a b c d server", *[(HELLO, b"")] * 4, (b"", b"")),
    "folded": echo(*(b"%d" % number for number in range(30))),
    "faulty": cut(switched(frame(TEXT, b"unmasked" * 20), frame(3, b"x")), 1234),
    "wide": switched(asked(TEXT, "日本語のとても長いメッセージがここにあります".encode() * 2)),
    "titled": switched(title="W" * 80),
    "empty": Trace(note="nothing was sent, and this note is so long that it has to be broken into lines " * 2),
}


def parsed(trace: Trace, *, dark: bool = False) -> ET.Element:
    return ET.fromstring(diagram(trace).svg(dark=dark))


def boxes(root: ET.Element) -> list[tuple[float, float, float, float, str]]:
    """Return the estimated boxes of all texts: left, top, right, bottom, words."""
    found = []
    for text in root.iter(f"{SVG}text"):
        size, x, y = (float(text.attrib[name]) for name in ("font-size", "x", "y"))
        measure = sans_width if "system-ui" in text.attrib["font-family"] else mono_width
        width = measure(text.text, size)
        left = x - {"start": 0, "middle": width / 2, "end": width}[text.attrib.get("text-anchor", "start")]
        found.append((left, y - size * 0.8, left + width, y + size * 0.2, text.text))
    return found


@pytest.mark.parametrize("name", TRACES)
def test_no_text_overlaps_another_or_runs_off(name):
    """By the widths that are estimated from above, every label has its own place on the canvas."""
    root = parsed(TRACES[name])
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = boxes(root)
    for left, top, right, bottom, words in found:
        assert left >= 0, words
        assert top >= 0, words
        assert right <= width, words
        assert bottom <= height, words
    for one, other in combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one[4], other[4])


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_names_itself_and_paints_its_own_ground(dark):
    """role, title and description for those who do not see it; a background for any page."""
    root = parsed(echo(b"Hello"), dark=dark)
    assert root.attrib["role"] == "img"
    assert root[0].text == "Switched to websocket (101)"
    assert root[1].text.startswith("The client asks the server, with GET /chat, to switch to websocket.")
    ground = root[2]
    assert (ground.attrib["width"], ground.attrib["height"]) == (root.attrib["width"], root.attrib["height"])
    assert ground.attrib["fill"] == ("#14181d" if dark else "#ffffff")


def test_there_is_no_style_script_or_link():
    """Presentation attributes alone survive a page that strips styles."""
    picture = diagram(TRACES["faulty"]).svg()
    assert not re.search(r"<style|style=|class=|<script|href|<foreignObject|@import", picture)


def test_parties_are_told_by_shape_and_label_too():
    """A rounded box, a hexagon and a square box, at the top and again at the bottom."""
    root = parsed(chain("client", "proxy", "server"))
    names = [text.text for text in root.iter(f"{SVG}text") if text.attrib["font-size"] == "14"]
    assert names == ["client", "proxy", "server"] * 2
    rounds = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib.get("rx") == "18"]
    hexagons = [shape for shape in root.iter(f"{SVG}polygon") if len(shape.attrib["points"].split()) == 6]
    squares = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib.get("stroke") and "rx" not in rect.attrib]
    assert [len(shapes) for shapes in (rounds, hexagons, squares)] == [2, 2, 2]


def test_a_tunnel_is_a_tube_that_arrows_pass():
    """A tube lies around the lifeline of the proxy, behind arrows that reach from the client to the server."""
    root = parsed(relayed("client proxy server", *[(asked(TEXT, b"Hello"), frame(TEXT, b"Hello"))] * 2))
    shapes = list(root)
    tube = next(rect for rect in shapes if rect.attrib.get("width") == "16")
    left, top, high = (float(tube.attrib[name]) for name in ("x", "y", "height"))
    passing = [
        line for line in shapes[shapes.index(tube) :]
        if line.tag == f"{SVG}line" and line.attrib["y1"] == line.attrib["y2"]
        and min(float(line.attrib["x1"]), float(line.attrib["x2"])) < left < left + 16
        < max(float(line.attrib["x1"]), float(line.attrib["x2"]))
        and line.attrib["stroke-width"] == "1.8"
    ]  # fmt: skip
    assert len(passing) == 2
    assert all(top < float(line.attrib["y1"]) < top + high for line in passing)


@settings(deadline=None)  # a busy machine is no fault
@given(st.binary(max_size=120), st.binary(max_size=120), st.text(max_size=40), st.booleans())
def test_whatever_crossed_the_picture_is_well_formed(asks, replies, title, begun):
    """Any bytes and any title give a document that an XML parser reads."""
    start = echo().events[:2] if begun else ()
    trace = Trace((*start, Transfer(0, ASK, asks), Transfer(0, REPLY, replies)), title=title)
    assert parsed(trace).tag == f"{SVG}svg"

from __future__ import annotations

import pytest

from labkit.render.diagram import diagram
from labkit.trace import Hop, Trace
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import REQUEST, REQUIRED, asked, chain, declined, echo, switched, talk
from tests.ui.rig import code, markdown, notebook

NASTY = "a;b #1 %%c {d} <b>&amp; \\n 'e' \"f\" `g` $x$ end"
ORDERS = [b"end", b"wrap: x", b"loop", b"%%{init: {}}%%", b"-->>", b"note over P0", b"<script>alert(1)</script>"]


@pytest.fixture(scope="module")
def drawn(lab):
    """Every diagram of this module in one notebook, each in a Mermaid block, as JupyterLab drew it."""
    nasty = [NASTY.encode(), *ORDERS]
    named = Trace(tuple(talk(REQUEST, REQUIRED)), (Hop("end; #1", "box <b>"),), "Title; with # and %%")
    traces = {
        "switched": echo(b"Hello"),
        "declined": declined(REQUIRED),
        "three": chain("client", "proxy", "server"),
        "nasty": switched(b"".join(asked(TEXT, text) for text in nasty)),
        "faulty": switched(frame(TEXT, b"unmasked")),
        "named": named,
    }
    blocks = [f"# {name}\n\n```mermaid\n{diagram(trace).mermaid()}```" for name, trace in traces.items()]
    page = lab.open(notebook(*map(markdown, blocks)))
    found = {}
    for number, name in enumerate(traces):
        cell = page.cell(number)
        cell.scroll_into_view_if_needed()
        cell.locator(".jp-RenderedMermaid img, .jp-RenderedMermaid svg, .jp-mod-warning").first.wait_for()
        found[name] = _picture(page.tab, cell)
    return found


def _picture(tab, cell):
    """Return the letters of every label in the SVG that Mermaid made, and the name of its root."""
    area = cell.locator(".jp-RenderedMermaid").first
    source = area.locator("img").first.get_attribute("src") if area.locator("img").count() else ""
    if not source:
        return area.inner_text(), area.inner_html()
    script = """async src => {
        const text = await (await fetch(src)).text();
        const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
        const labels = [...root.querySelectorAll("text, .messageText, .noteText")].map(each => each.textContent);
        return [labels.join("\\n"), root.nodeName];
    }"""
    return tuple(tab.evaluate(script, source))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("switched", ["(1) GET /chat HTTP/1.1", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", '(4) text "Hello"',
                      "(3) HTTP/1.1 101 Switching Protocols", "from here on: websocket"]),
        ("declined", ["Declined: upgrade required (426)", "■ steps 4 and 5 were not reached"]),
        ("three", ["proxy", "(1b) GET /chat HTTP/1.1", "(3a) HTTP/1.1 101 Switching Protocols"]),
        ("nasty", ["a;b #1 %%c {d} <b>&amp;", "'e' \"f\" `g` $x$ end", *(f'"{text.decode()}"' for text in ORDERS)]),
        ("faulty", ["✗ a client must mask every frame (RFC 6455, 5.1)"]),
        ("named", ["end; #1", "box <b>", "Title; with # and %%"]),
    ],
)  # fmt: skip
def test_jupyterlab_draws_the_source_with_every_label(drawn, name, labels):
    """JupyterLab's own Mermaid draws the source, and each label is in the picture as it stands on the wire."""
    text, node = drawn[name]
    assert node == "svg", text
    letters = "".join(text.split())  # long labels are broken into lines
    for label in labels:
        assert "".join(label.split()) in letters


def test_an_untrusted_notebook_shows_picture_description_and_table(lab):
    """The HTML twin survives JupyterLab's sanitiser: image, alternative text and table, no mathematics."""
    output = lab.open(notebook(code("trace", shows=diagram(echo(b"Hello $x$ and $y$")).html()))).outputs(0)
    picture = output.locator("img").first
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    assert picture.get_attribute("alt").startswith("Switched to websocket (101). The client asks the server")
    said = output.locator("table").evaluate("table => table.textContent")
    assert 'text "Hello $x$ and $y$"' in said
    assert "Sec-WebSocket-Version: 13" in said
    assert output.locator("mjx-container, .MathJax").count() == 0

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from labkit.render.diagram import diagram
from labkit.render.explain import explain
from labkit.trace import Trace
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import asked, chain, declined, echo, switched


class Reader(HTMLParser):
    """Collects tags, attributes and the words of cells."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "br" and self.rows:
            self.rows[-1][-1] += "\n"

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.lasttag not in ("table", "summary", "caption"):
            self.rows[-1][-1] += data.strip("\n")


def test_the_picture_is_an_image_with_its_description():
    """An SVG inside an image's address is what an untrusted notebook shows; alt says it in words."""
    reader = Reader(diagram(echo(b"Hello")).html())
    image = next(attributes for tag, attributes in reader.tags if tag == "img")
    assert image["alt"].startswith("Switched to websocket (101). The client asks the server, with GET /chat")
    kind, data = image["src"].split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    picture = ET.fromstring(base64.b64decode(data))
    assert image["width"] == picture.attrib["width"]


def test_a_wide_picture_is_drawn_no_wider_than_a_page():
    """Six parties still fit into a notebook's column."""
    html = diagram(chain(*"abcdef")).html()
    assert re.search(r'<img width="960"', html)


def test_the_same_stands_in_a_table():
    """Step, from, to, what and details, a row for every row of the picture."""
    rows = Reader(diagram(echo(b"Hello")).html()).rows
    assert rows[0] == ["Step", "From", "To", "What", "Details"]
    assert rows[1][:4] == ["1, 2", "client", "server", "GET /chat HTTP/1.1"]
    assert rows[1][4].split("\n")[1] == "Upgrade: websocket"
    assert rows[3] == ["", "from here on: websocket — the bytes are no longer HTTP"]
    assert rows[4] == ["4", "client", "server", 'text "Hello"', ""]


def test_the_table_says_which_proxy_a_message_went_through():
    """Where the picture shows an arrow that passes a column, the table names it."""
    rows = Reader(diagram(chain("client", "edge", "inner", "server")).html()).rows
    assert next(row[:4] for row in rows if row[0] == "4") == [
        "4", "client", "server, through edge and inner", 'text "Hello"',
    ]  # fmt: skip
    assert next(row[2] for row in rows if row[0] == "5") == "client, through inner and edge"


def test_faults_are_told_with_a_sign_and_words():
    """Never by colour alone."""
    rows = Reader(diagram(switched(frame(TEXT, b"x"))).html()).rows
    assert rows[4][4] == "✗ a client must mask every frame (RFC 6455, 5.1)"


NASTY = b"<script>alert(1)</script> <img src=x onerror=y> $a$ \\(b\\) &amp;"


@pytest.mark.parametrize("source", [lambda trace: diagram(trace).html(), lambda trace: explain(trace).html()])
def test_nothing_on_the_wire_becomes_a_tag_or_mathematics(source):
    """What crossed is text, and where a notebook could read mathematics into it, it stands in code."""
    trace = switched(asked(TEXT, NASTY), NASTY, title=NASTY.decode())
    html = source(trace)
    reader = Reader(html)
    allowed = {"img", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "div", "code", "em",
               "strong", "br"}  # fmt: skip
    assert {tag for tag, _ in reader.tags} <= allowed
    assert not any(name.startswith(("on", "style", "class")) for _, attributes in reader.tags for name in attributes)
    outside = re.sub(r"<code>.*?</code>|<img [^>]*>", "", html)
    assert "$" not in outside
    assert "\\" not in outside


def test_the_byte_table_has_its_six_columns():
    """Offset, hex, text, label, meaning and clause; headings span them all."""
    rows = Reader(explain(echo(b"Hello")).html()).rows
    assert rows[0] == ["Offset", "Hex", "Text", "Label", "Meaning", "Clause"]
    assert rows[1] == ["client → server: head of the request, bytes 0 to 180"]
    first = rows[2]
    assert first[0] == "0"
    assert first[1].split("\n")[0].replace("\xa0", " ") == "47 45 54 20 2f 63 68 61"
    assert first[2:] == ["GET /chat HTTP/1.1↵", "request line", "what is asked", "RFC 9112, 3"]
    assert ["", "1...\xa0....", "", "FIN", "the message ends here", ""] in rows


def test_faults_of_bytes_are_told_in_the_table():
    """A frame's fault stands at its heading, a head's at its line."""
    frames = [row for row in Reader(explain(switched(frame(TEXT, b"x"))).html()).rows if "✗" in str(row)]
    assert frames[0][0].split("\n")[1] == "✗ a client must mask every frame (RFC 6455, 5.1)"
    assert "✗" in explain(declined(b"HTTP/1.1 400 Bad\nX: y\n\n")).html()
    assert "✗" not in explain(Trace()).html()

from __future__ import annotations

from labkit.dissection.secrets import masked
from labkit.render.diagram import diagram
from labkit.trace import Direction, End, How, Trace, Transfer
from tests.render.exchanges import ANSWER, ASK, REPLY, REQUEST, echo, talk

SECRET = REQUEST.replace(b"User-Agent: labkit", b"Cookie: id=open-sesame").replace(b"/chat", b"/chat?token=abc")


def test_a_diagram_has_every_form():
    """Text, SVG, HTML and Mermaid of one layout; Jupyter gets HTML with the text beside it."""
    drawing = diagram(echo(b"Hello"))
    forms = (drawing.text(), drawing.svg(), drawing.html(), drawing.mermaid())
    assert all("Switched to websocket (101)" in form for form in forms)
    assert drawing.bundle() == {"text/plain": str(drawing), "text/html": drawing.html()}
    assert drawing._repr_mimebundle_() == drawing.bundle()
    assert repr(drawing) == "<Diagram Switched to websocket (101)>"


def test_a_trace_draws_itself():
    """In a terminal and in Jupyter."""
    trace = echo(b"Hello")
    assert str(trace) == str(diagram(trace))
    assert trace._repr_mimebundle_() == diagram(trace).bundle()


def test_secrets_are_starred_out_unless_kept():
    """Law 8: nothing leaks into a picture."""
    trace = Trace(tuple(talk(SECRET, ANSWER)))
    assert "GET /chat?token=*** HTTP/1.1" in diagram(trace).text()
    assert "GET /chat?token=abc HTTP/1.1" in diagram(trace, keep_secrets=True).text()
    assert masked(trace) != trace


def test_equal_traces_draw_the_same():
    """However the transfers were cut; only which end came first is read from the recording."""
    one = echo(b"Hello", b"again")
    halves = [Transfer(0, way, bytes([byte])) for way in Direction for byte in one.stream(way)]
    other = Trace((*halves, End(0, REPLY, How.FIN), End(0, ASK, How.FIN)))
    assert one == other
    close_first = [Transfer(0, ASK, one.stream(ASK)), Transfer(0, REPLY, one.stream(REPLY)), *other.events[-2:]]
    assert diagram(Trace(tuple(close_first))).svg() == diagram(one).svg()

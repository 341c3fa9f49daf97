from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.render.pen import Pen, escape


@settings(deadline=None)  # a busy machine is no fault
@given(st.text())
def test_any_text_is_fit_for_xml(text):
    """What XML 1.0 forbids is dropped, what it gives a meaning to is escaped, the rest comes back."""
    back = ET.fromstring(f'<a b="{escape(text)}">{escape(text)}</a>').text or ""
    allowed = [c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"]
    assert back == "".join(allowed).replace("\r\n", "\n").replace("\r", "\n")


def test_elements_carry_presentation_attributes_alone():
    """No style attribute and no class: those are what pages strip."""
    pen = Pen()
    pen.rect((0, 0), (10.25, 5), "#fff", stroke="#000", radius=2)
    pen.line((0, 0), (1, 1), "#000", dash="2 2")
    pen.polygon([(0, 0), (1, 0), (0, 1.5)], "#000")
    pen.circle((1, 1), 2, "#000")
    pen.text((1, 2), "a < b", "#000", 12, anchor="end", bold=True)
    assert pen.elements == [
        '<rect x="0" y="0" width="10.2" height="5" rx="2" fill="#fff" stroke="#000" stroke-width="1.6"/>',
        '<line x1="0" y1="0" x2="1" y2="1" stroke="#000" stroke-width="1" stroke-dasharray="2 2"/>',
        '<polygon points="0,0 1,0 0,1.5" fill="#000"/>',
        '<circle cx="1" cy="1" r="2" fill="#000"/>',
        pen.elements[4],
    ]
    assert pen.elements[4].endswith('font-size="12" font-weight="600" text-anchor="end">a &lt; b</text>')

from __future__ import annotations

from itertools import combinations

import pytest

from labkit.render.diagram import diagram
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import BAD_KEY, asked, chain, cut, declined, echo, switched

TRACES = {
    "switched": echo(b"Hello"),
    "declined": declined(BAD_KEY),
    "three": chain("client", "proxy", "server"),
    "four": chain("browser", "edge proxy", "inner proxy", "server"),
    "folded": echo(*(b"%d" % number for number in range(30))),
    "faulty": cut(switched(frame(TEXT, b"unmasked" * 20), frame(3, b"x")), 1234),
    "wide": switched(asked(TEXT, "日本語のとても長いメッセージがここにあります".encode() * 2)),
    "titled": switched(title="WWW MMM @@@ %%% " * 5),
}
BOXES = """() => [...document.querySelectorAll("svg text")].map(each => {
    const box = each.getBBox();
    return [box.x, box.y, box.x + box.width, box.y + box.height, each.textContent];
})"""


@pytest.fixture(scope="module")
def boxes(browser):
    """Return the boxes of all texts, as the browser's own fonts make them, and the size of the canvas."""
    tab, found = browser.new_page(), {}
    for name, trace in TRACES.items():
        tab.set_content(diagram(trace).svg())
        size = tab.evaluate("() => ['width', 'height'].map(n => +document.querySelector('svg').getAttribute(n))")
        found[name] = (tab.evaluate(BOXES), size)
    tab.close()
    return found


@pytest.mark.parametrize("name", TRACES)
def test_in_a_real_browser_no_text_overlaps_another_or_runs_off(boxes, name):
    """The estimated widths hold for the fonts that are really there."""
    texts, (width, height) = boxes[name]
    assert len(texts) > 5
    for left, top, right, bottom, words in texts:
        assert left >= 0, words
        assert top >= 0, words
        assert right <= width, words
        assert bottom <= height, words
    for one, other in combinations(texts, 2):
        low, high = sorted((one, other), key=lambda box: box[1])
        apart = one[2] <= other[0] or other[2] <= one[0] or low[3] <= high[1] + 2  # a line's box has leading in it
        assert apart, (one[4], other[4])

import base64
import re

import pytest

from labkit.cases.outcome import GOT, SAW, Difference
from labkit.parties.offer import Offer
from labkit.render.theme import DARK, LIGHT
from labkit.render.verdict import check
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.variations.history import History
from labkit.variations.marking import SIGNS, Marked
from labkit.variations.variation import Variation
from labkit.widgets.results import differing, drawn, link, status, style, told, tried

EVIL = '"><img src=x onerror=alert(1)>'


def row(mark: str, place: str = SAW) -> Marked:
    return Marked(mark, "", Difference(place, "x", EVIL, ""))


def test_the_style_has_the_colours_of_the_pictures():
    """Both themes are there, and nothing is loaded from anywhere."""
    assert LIGHT.client in style()
    assert DARK.client in style()
    assert not re.search(r"url\(|@import|https?:", style())


def test_a_picture_is_drawn_twice():
    """Light and dark, each with its text, and once as text for who wants it."""
    shown = drawn("Predicted", check(simulate(Scenario())))
    assert len(re.findall(r'<img class="labkit-(?:light|dark)" width="\d+" alt="Switched', shown)) == 2
    assert "server closed first" in shown


@pytest.mark.parametrize("mark", SIGNS)
def test_every_mark_has_a_sign_and_a_word(mark):
    """A row is told by more than its colour."""
    cell = re.search(r'<th scope="row">(.*?)</th>', differing([row(mark)]))[1]
    assert SIGNS[mark] in cell
    assert re.sub(r"<.*?>|\W", "", cell)


def test_only_what_differs_is_counted():
    """What the client does by itself is no difference."""
    assert told([row("differs"), row("differs"), row("added")]) == "≠ 2 differences"
    assert told([row("added")]) == "✓ No difference but what the client does by itself"
    assert told([]) == "✓ No difference"
    assert "predicted and observed are the same" in differing([])


def test_rows_stand_in_the_order_of_their_weight():
    """What speaks against the prediction comes first, then by place."""
    found = differing([row("added"), row("differs", SAW), row("differs", GOT)])
    assert re.findall(r'<tr class="labkit-(\w+)"', found) == ["differs", "differs", "added"]
    assert found.index(GOT) < found.index(SAW)


def test_nothing_of_a_learners_becomes_markup():
    """Whatever was typed or came is text."""
    evil = Variation.offering(Offer.bare(), say=EVIL)
    history = History().kept(Variation()).kept(evil, predicted=EVIL, observed=EVIL, guess=EVIL)
    for shown in (differing([row("differs")]), tried(history), status(EVIL, EVIL), link(EVIL, f"{EVIL}.json", EVIL)):
        assert "<img" not in shown
        assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", shown)


def test_the_newest_row_stands_first():
    """The chosen one is marked, and it is said how many are gone."""
    history = History(gone=3).kept(Variation()).kept(Variation(target="/b"), differences=2)
    shown = tried(history, 2)
    assert shown.index("target: /b") < shown.index("the first one")
    assert 'class="labkit-chosen"><th scope="row">2' in shown
    assert "3 older ones are gone" in shown
    assert "≠ 2" in shown
    assert "Nothing kept yet" in tried(History())


def test_a_link_holds_its_file():
    """What is saved is in the page itself."""
    data = re.search('base64,(.*?)"', link("Save", "a.json", "ü"))[1]
    assert base64.b64decode(data).decode() == "ü"

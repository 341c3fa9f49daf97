import json

import pytest

from labkit.errors import Unreadable, WrongUse
from labkit.variations.history import LARGEST, MOST, History
from labkit.variations.variation import Variation

FIRST, SECOND = Variation(), Variation(target="/chat")
TWO = History().kept(FIRST, predicted="A").kept(SECOND, predicted="B", observed="C", differences=2, guess="101")


def test_rows_are_numbered_and_say_what_was_turned():
    """Each row says what it differs in from the one before."""
    assert [each.number for each in TWO.rows] == [1, 2]
    assert TWO.changed(1) == ("the first one",)
    assert TWO.changed(2) == ("target: /chat",)


def test_the_same_variation_again_is_the_same_row():
    """Running what was just predicted adds to its row; what it had stays."""
    again = TWO.kept(SECOND, observed="D")
    assert len(again.rows) == 2
    assert (again.rows[1].predicted, again.rows[1].observed) == ("B", "D")
    assert len(again.kept(FIRST).rows) == 3


def test_the_oldest_go_first():
    """At most so many rows are kept, and how many went is known; numbers stay."""
    history = History()
    for number in range(MOST + 7):
        history = history.kept(Variation(target=f"/{number}"))
    assert (len(history.rows), history.gone, history.rows[0].number) == (MOST, 7, 8)
    assert history.changed(8) == ("the first one",)


def test_a_history_is_written_and_read():
    """Every knob, and what came, is there again."""
    assert History.read(TWO.written()) == TWO


def test_long_words_are_cut():
    """What came is told in a few words, however many there were."""
    assert len(History().kept(FIRST, predicted="x" * 10_000).rows[0].predicted) == 300


def test_a_row_that_is_not_there_is_told():
    """The message tells the rows that there are."""
    with pytest.raises(WrongUse, match="it has 1, 2"):
        TWO.row(3)


def spoiled(**changed) -> str:
    return json.dumps({**json.loads(TWO.written()), **changed})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no history"),
        ("x" * (LARGEST + 1), "at most"),
        (spoiled(version=2), "form 2"),
        (spoiled(rows=[{}] * (MOST + 1)), "at most 50"),
        (spoiled(rows=[1]), "row 1: it is no object"),
        (spoiled(rows=[{"variation": {}, "guess": 5}]), "row 1: guess"),
        (spoiled(rows=[{"variation": {}, "number": True}]), "row 1: number"),
        (spoiled(rows=[{"variation": {}}, {"variation": {"client": "wget"}}]), "row 2: this is no variation: client"),
    ],
)
def test_a_file_that_is_none_is_told(text, said):
    """A file that somebody changed is refused in a sentence, with its row."""
    with pytest.raises(Unreadable, match=said):
        History.read(text)

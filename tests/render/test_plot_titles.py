from __future__ import annotations

import re

import pytest

from labkit.errors import WrongUse
from labkit.measured import Measurement, Study
from labkit.render.amounts import amount
from labkit.render.chart_choice import chart
from labkit.render.charts import Asked
from labkit.render.plot_tables import alternative, plot_table
from labkit.render.plot_titles import after_and_before, subtitle, title
from labkit.render.theme import DARK, LIGHT, contrast
from tests.render import studies


def median(study: Study, name: str, **where: object) -> float:
    (one,) = (each for each in study.named(name) if all(getattr(each, key) == value for key, value in where.items()))
    return one.median


def test_the_titles_number_is_the_ratio_of_the_medians():
    """Who divides the two medians of the table finds the number of the title."""
    made = studies.throughput()
    at = {"size": 64, "via": "", "connections": 1}
    ratio = median(made, "messages", way="websocket-text", **at) / median(made, "messages", way="new-connection", **at)
    told = title(chart(made))
    assert told == f"WebSocket carries {ratio:.0f} times the messages of a new connection per request, 64 B each"


@pytest.mark.parametrize(
    ("study", "told"),
    [
        (
            studies.latency(),
            r"With a new connection per request, a round trip takes 14 times as long as with WebSocket",
        ),
        (
            studies.overhead(),
            r"A new connection per request adds 53 times the bytes that WebSocket adds to a message of 64 B",
        ),
        (studies.handshakes(), r"Through nginx, WebSocket makes 60 % of the handshakes that it makes directly"),
        (
            studies.duplex(),
            r"Both ways at once, binary WebSocket moves 4.2 times the bytes of requests on one connection",
        ),
        (studies.switch(), r"After the 101, the client gets 4 times the bytes that it got before"),
        (studies.tap(), r"Through a tap, WebSocket carries 43 % of the messages that it carries directly"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_each_study_has_its_finding(study, told):
    """The title says what was found, in a sentence of its own for each study."""
    assert re.fullmatch(told, title(chart(study)))


@pytest.mark.parametrize(
    "name", ["throughput", "latency", "overhead", "handshakes", "duplex", "switch", "tap", "unknown"]
)
def test_text_and_table_hold_every_median(name):
    """Who does not see the picture misses no figure of it: each median is in the text and in the table."""
    made = chart(getattr(studies, name)())
    words, rows = alternative(made), plot_table(made).rows
    assert words.startswith(title(made))
    assert len(rows) == len(made.marks)
    for mark, row in zip(made.marks, rows, strict=True):
        told = amount(mark.measured.median, mark.measured.unit)
        assert told in row
        assert told in words


def test_what_is_within_the_spread_is_no_finding():
    """Where the median of one lies in the middle half of the other, the title has no ratio; beyond it, it has one."""
    direct = Measurement("messages", "/s", (50.0, 60.0, 100.0), way="websocket-text")
    for values, told in (((40.0, 70.0, 90.0), "about as many messages as directly"), ((10.0, 20.0, 30.0), "33 % of")):
        tapped = Measurement("messages", "/s", values, way="websocket-text", via="tap")
        assert told in title(chart(Study("tap", (direct, tapped))))


def test_the_subtitle_says_how_and_where_it_was_measured():
    """n, what was held, the machine, the day, whether it was quick, and what the study notes."""
    lines = subtitle(chart(studies.tap()))
    assert lines[0].startswith("median, middle half as a bracket (n 7) · messages of 64 B · quick")
    assert lines[1] == "2 × Some Processor 7R13 · CPython 3.11.7 · 2026-11-28"
    assert lines[2] == "broken off after 2 of 7 rounds"


def test_what_is_not_drawn_is_said():
    """Ways without a proxy have nothing to be held against, and the subtitle names them."""
    made = chart(studies.throughput(), Asked(by="via"))
    assert {mark.measured.way for mark in made.marks} == {"keep-alive", "websocket-text"}
    assert "not drawn: new connection, long polling" in subtitle(made)[-1]


@pytest.mark.parametrize(
    ("study", "asked", "told"),
    [
        ("a.json", Asked(), "drawn of a labkit.measured.Study, not of 'a.json'"),
        (Study("x", ()), Asked(), "'x' is empty: nothing was measured"),
        (studies.tap(), Asked(of="bytes"), "of 'bytes' nothing was measured; there is 'messages'"),
        (studies.tap(), Asked(by="colour"), "by is 'size', 'connections', 'via', 'way', not 'colour'"),
        (studies.tap(), Asked(by="size"), "several of them"),
        (studies.throughput(), Asked(size=7), "size=7 was not measured; there is 1, 1024"),
    ],
)
def test_what_was_not_measured_is_refused(study, asked, told):
    """The error says what was wrong, and what there is."""
    with pytest.raises(WrongUse, match=told):
        chart(study, asked)


def test_a_course_on_one_side_of_the_switch_has_no_ratio():
    """Where nothing was measured after it, there is no before and after."""
    one = Measurement("to the client", "B/s", (1.0, 2.0), at=(-2.0, -1.0))
    assert after_and_before(one) is None
    assert "over time" in title(chart(Study("switch", (one,))))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_of_series_are_told_apart_in_grey(theme):
    """Each has 3 to 1 against the ground, and neighbours differ in lightness by a quarter at least."""
    assert len(set(theme.series)) == 8
    assert all(contrast(colour, theme.ground) >= 3 for colour in theme.series)
    pairs = zip(theme.series, theme.series[1:], strict=False)
    assert all(contrast(one, other) >= 1.25 for one, other in pairs)

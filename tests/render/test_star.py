from __future__ import annotations

from dataclasses import replace

from labkit.dissection import dissect
from labkit.formats.jsonl import load
from labkit.gathering import Gathering
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.render.diagram import diagram
from labkit.render.inspected import inspected
from labkit.render.layout import Arrow, Band
from labkit.render.order import ordered
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.test_gathering import tea

TRACE = simulate(tea())
LAYOUT = diagram(TRACE).layout


def arrows() -> list[Arrow]:
    return [row for row in LAYOUT.rows if isinstance(row, Arrow)]


def test_the_server_stands_last():
    """The clients stand side by side in their order, and all words in the gap before the server."""
    assert [party.name for party in LAYOUT.parties] == ["ana", "ben", "cy", "server"]
    assert {LAYOUT.between(row) for row in LAYOUT.rows} == {(2, 3)}


def test_what_several_are_told_is_one_arrow():
    """It has a head for each, and its step their letters; the order is that of cause and effect."""
    said = [(row.step, row.headline, LAYOUT.receivers(row)) for row in arrows() if row.step[0] in "45"][-7:]
    assert said == [
        ("4a", 'text "hello"', (3,)), ("5a-c", 'text "ana: hello"', (0, 1, 2)),
        ("4b", 'text "hi"', (3,)), ("5a-c", 'text "ben: hi"', (0, 1, 2)),
        ("4a", "close 1000 (normal closure)", (3,)), ("5a", "close 1000 (normal closure)", (0,)),
        ("5bc", 'text "* ana left"', (1, 2)),
    ]  # fmt: skip


def test_only_the_first_handshake_is_drawn_whole():
    """The others say in a line that they are alike; one seam stands as a band."""
    answers = [row for row in arrows() if row.step.startswith("3")]
    assert [len(row.details) for row in answers] == [3, 1, 1]
    assert answers[1].details[0].text == "as for ana; from here on: websocket"
    assert [row.text for row in LAYOUT.rows if isinstance(row, Band) and row.kind == "seam"] == [
        "from here on ana speaks websocket, not HTTP"
    ]


def test_a_client_that_was_declined_is_told_so():
    """The title counts how the clients fared, and a band says what was not reached, by the client's name."""
    offers = {"ana": Offer.websocket(), "ben": Offer.websocket().without("Connection")}
    drawn = diagram(simulate(Gathering(offers, [], Server()))).layout
    assert drawn.title.startswith("2 clients: 1 switched to websocket (101); 1 declined")
    assert any("steps 4b and 5b were not reached" in row.text for row in drawn.rows if isinstance(row, Band))


def test_reads_between_two_messages_of_clients_may_fall_as_they_like():
    """Whom the server told first is chance, and changes nothing in the picture."""
    events = list(TRACE.events)
    told = [at for at, each in enumerate(events) if b"ben: hi" in getattr(each, "data", b"")]
    moved = [events[at] for at in reversed(told)]
    for at, event in zip(told, moved, strict=True):
        events[at] = event
    assert str(replace(TRACE, events=tuple(events))) == str(TRACE)


def test_every_message_is_drawn_once():
    """Joined, what is ordered is every byte of every hop."""
    found = ordered(dissect(TRACE))
    for hop in range(3):
        for way in Direction:
            ranges = [(each.start, each.end) for each in found if (each.hop, each.direction) == (hop, way)]
            assert ranges == sorted(ranges)
            assert sum(end - start for start, end in ranges) == len(TRACE.stream(way, hop))


def test_every_form_names_all_who_are_told():
    """Text, Mermaid, the table and the description of the picture."""
    drawing = diagram(TRACE)
    assert "◄────┼◄────┼◄" in drawing.text()
    assert drawing.mermaid().count("text #34;ana#58; hello#34;") == 3
    assert "ana, ben and cy" in drawing.html()
    assert LAYOUT.description.startswith("3 clients talk to the server: ana, ben and cy. ana: switched")
    assert drawing.svg(dark=True) != drawing.svg()


def test_the_other_looks_take_it_too(tmp_path):
    """It can be checked, explained, saved and read again, and inspected step by step."""
    assert TRACE.check().strict is False
    assert "hop c" in str(TRACE.bytes())
    assert load(TRACE.save(tmp_path / "tea.jsonl")) == TRACE
    steps = inspected(TRACE)["steps"]
    assert [step["to"] for step in steps if step["name"] == 'text "ana: hello"'] == ["ana, ben and cy"]
    assert steps[-1]["parties"][-1]["state"] == "closed its side (1 of 3); still open (2 of 3)"
